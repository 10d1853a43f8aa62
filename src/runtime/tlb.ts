// The TLBs (SDM volume 3, "Caching Translation Information"): full tables from linear pages to arena offsets, filled here
// and nowhere else. A slot is made only for a page of the attached guest's RAM slice, so this file is what keeps guests out
// of each other's memory. Lists of filled slots make a flush cost what was filled.

import { S } from '../translator/state.ts';
import { dataBreakpointOnPage } from './breakpoints.ts';
import { type Core, NO_ENTRY, TLB_SLOTS } from './core.ts';
import { HIGH, PAGE } from './memory.ts';
import { OPEN, type Paging, PF, WALKED } from './paging.ts';

/**
 * First slots of the parts behind that of the supervisor: user accesses, and the supervisor's explicit ones while EFLAGS.AC
 * opens user pages to it (CR4.SMAP). S.USER_TLB has the part of CPL and AC.
 */
export const USER_PART = 1 << 20,
  OPEN_PART = 2 << 20;
const PARTS = [0, USER_PART, OPEN_PART] as const;
export const partOf = (access: number): number => ((access & PF.USER) !== 0 ? USER_PART : (access & OPEN) !== 0 ? OPEN_PART : 0);
const LIST_CAPACITY = 1 << 18;
const LOCAL = 1,
  GLOBAL = 2;
/** Entries of the direct-mapped memory of pages that are written beside code. */
const WRITABLE_SLOTS = 64;
/** Entries of the direct-mapped TLB of instruction fetches, which ask for other rights than reads. */
const FETCH_SLOTS = 1024;

export interface Tlb {
  /**
   * Translates for an access (bits of PF), caching the translation where later accesses need no look at the page. Gives the
   * physical address of the byte. Throws #PF.
   */
  fill(linear: number, access: number): number;
  /** Translates for fetching instructions, for CPL 3 (`user` PF.USER) or below (0). Throws #PF. */
  fetch(linear: number, user: number): number;
  /** Everything, global pages too. */
  flush(): void;
  /** MOV CR3: everything but global pages. */
  flushLocal(): void;
  /** INVLPG: the page of the address; the whole of a large page. */
  invalidate(linear: number): void;
  /** The state of RAM pages has changed: drops the rights to them that their state no longer allows, of many pages all rights. */
  restrict(page: number, count: number): void;
}

export function createTlb(core: Core, paging: Paging): Tlb {
  const { r, tr, tw } = core;
  const local = new Int32Array(LIST_CAPACITY),
    global = new Int32Array(LIST_CAPACITY);
  let locals = 0,
    globals = 0;
  /** Per slot: bit LOCAL or GLOBAL when it is in that list. */
  const listed = new Uint8Array(TLB_SLOTS);
  /** Slots whose pages may be written though they have no write slot, because they hold code; checked as long as the read slot stands. */
  const writable = new Int32Array(WRITABLE_SLOTS).fill(-1);
  /** Slots whose pages may be executed, and those pages' addresses. */
  const fetched = new Int32Array(FETCH_SLOTS).fill(-1),
    fetchedPages = new Int32Array(FETCH_SLOTS);
  /** Per 4 MiB of linear space: a slot in it came from a large page. */
  const large = new Uint8Array(1024);

  /** Remembers that a slot has been filled; a flush that must find room for it comes first. */
  function list(slot: number, isGlobal: boolean): void {
    const bit = isGlobal ? GLOBAL : LOCAL;
    if ((listed[slot]! & bit) !== 0) return;
    if ((isGlobal ? globals : locals) === LIST_CAPACITY) flush();
    listed[slot]! |= bit;
    if (isGlobal) global[globals++] = slot;
    else local[locals++] = slot;
  }

  function fill(linear: number, access: number): number {
    const slot = (linear >>> 12) | partOf(access),
      known = slot & (WRITABLE_SLOTS - 1);
    if (writable[known] === slot && (access & PF.WRITE) !== 0 && tr[slot] !== NO_ENTRY)
      return core.memory.physicalOf((tr[slot]! ^ linear) - core.memory.offset);
    const walked = paging.walk(linear, access),
      memory = core.memory;
    if (walked >= HIGH) return walked - (walked % 4096) + (linear & 0xfff);
    const physical = walked & r[S.A20_MASK]! & ~0xfff,
      page = memory.ramPage(physical >>> 12);
    if (page < 0) return physical | (linear & 0xfff);
    const state = memory.pageState[page]!,
      user = (access & PF.USER) !== 0;
    const seen =
      (state & (PAGE.MMIO | PAGE.WATCHED)) !== 0 ||
      (user && r[S.ALIGNMENT_CHECK] !== 0) ||
      (core.dataBreakpoints && dataBreakpointOnPage(r, linear));
    if (!seen) {
      const entry = (memory.offset + page * 4096) ^ (linear & ~0xfff);
      list(slot, (walked & WALKED.GLOBAL) !== 0);
      if ((walked & WALKED.LARGE) !== 0) large[linear >>> 22] = 1;
      if (tr[slot] !== entry && writable[known] === slot) writable[known] = -1;
      tr[slot] = entry;
      if ((access & PF.WRITE) !== 0 && (state & (PAGE.CODE | PAGE.ROM)) === 0) {
        tw[slot] = entry;
        memory.pageState[page] = state | PAGE.DIRTY;
      } else if ((access & PF.WRITE) !== 0) {
        writable[known] = slot;
        tw[slot] = NO_ENTRY;
      } else if (tw[slot] !== entry) {
        // A right to write that an older translation left must not outlive it.
        tw[slot] = NO_ENTRY;
      }
    }
    return physical | (linear & 0xfff);
  }

  function fetch(linear: number, user: number): number {
    const slot = (linear >>> 12) | partOf(user),
      known = slot & (FETCH_SLOTS - 1);
    if (fetched[known] !== slot) {
      const walked = paging.walk(linear, user | PF.FETCH);
      if (walked >= HIGH) return walked - (walked % 4096) + (linear & 0xfff);
      fetched[known] = slot;
      fetchedPages[known] = walked & r[S.A20_MASK]! & ~0xfff;
    }
    return fetchedPages[known]! | (linear & 0xfff);
  }

  function flush(): void {
    empty(global, globals);
    globals = 0;
    large.fill(0);
    flushLocal();
  }
  function flushLocal(): void {
    empty(local, locals);
    locals = 0;
    forget();
  }
  /** What has no list: dropped with any translation. */
  function forget(): void {
    writable.fill(-1);
    fetched.fill(-1);
    core.onFlush();
  }
  function empty(slots: Int32Array, count: number): void {
    for (let n = 0; n < count; n++) {
      const slot = slots[n]!;
      tr[slot] = tw[slot] = NO_ENTRY;
      listed[slot]! &= slots === local ? ~LOCAL : ~GLOBAL;
    }
  }
  function invalidate(linear: number): void {
    const region = linear >>> 22;
    if (large[region] === 0) drop(linear >>> 12, 1);
    else {
      large[region] = 0;
      drop(region << 10, 1024);
    }
    forget();
  }
  function drop(slot: number, count: number): void {
    for (const part of PARTS) {
      tr.fill(NO_ENTRY, part | slot, (part | slot) + count);
      tw.fill(NO_ENTRY, part | slot, (part | slot) + count);
    }
  }
  function restrict(page: number, count: number): void {
    if (count > 1) return flush();
    const state = core.memory.pageState[page]!,
      base = core.memory.offset + page * 4096;
    const unreadable = (state & (PAGE.MMIO | PAGE.WATCHED)) !== 0,
      unwritable = unreadable || (state & (PAGE.CODE | PAGE.ROM | PAGE.DIRTY)) !== PAGE.DIRTY;
    const sweep = (slots: Int32Array, length: number): void => {
      for (let n = 0; n < length; n++) {
        const slot = slots[n]!,
          entry = base ^ (slot << 12);
        if (unwritable && tw[slot] === entry) tw[slot] = NO_ENTRY;
        if (unreadable && tr[slot] === entry) tr[slot] = NO_ENTRY;
      }
    };
    sweep(local, locals);
    sweep(global, globals);
    // Code is fetched through a cache of its own.
    if (unreadable) core.onFlush();
  }

  return { fill, fetch, flush, flushLocal, invalidate, restrict };
}
