// The run loop's inner part: from EIP to code page to records or region, until the budget is used or something must be
// looked at between instructions. Interpreted code is exact at every instruction; a region leaves at the boundary of an
// instruction that it cannot do, and that one is interpreted.

import { RECORD, RESULT } from '../translator/forms.ts';
import { MODE } from '../translator/mode.ts';
import { SEPARATE } from '../translator/region.ts';
import { CS, S, VECTOR } from '../translator/state.ts';
import type { CodeCache } from './codeCache.ts';
import type { CodePage, Crossing } from './codePage.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import type { Handler } from './handlers.ts';
import { PAGE } from './memory.ts';

/** Slots of the code TLB: linear page and mode word -> code page, dropped with every TLB flush. */
const SLOTS = 1024;

export interface Executor {
  /** Runs until S.BUDGET is 0, S.EVENTS is not 0, or a breakpoint matches (true). Throws GuestFault with EIP at the instruction. */
  execute(): boolean;
  /** Runs exactly one instruction (or iteration); true when a breakpoint kept it from running. */
  executeOne(): boolean;
  /** Cached translations of linear pages are no longer valid. */
  flush(): void;
  /** The attached guest's cache. */
  use(cache: CodeCache): void;
  /** Dispatches to regions, and instructions interpreted because a region left. */
  readonly counters: { dispatches: number; leaves: number; interpretedBlocks: number };
}

export interface TierPolicy {
  /** The interpreter has arrived at `offset` often enough: translate from there. */
  translate(page: CodePage, offset: number): void;
  /** A region has left because it checks several accesses together. */
  separate(page: CodePage, region: number): void;
  /** Arrivals after which that happens; Infinity never. */
  threshold: number;
}

export function createExecutor(engine: Engine, handlers: Handler[], policy: TierPolicy): Executor {
  const { r } = engine;
  const tags = new Int32Array(SLOTS).fill(-1),
    modes = new Int32Array(SLOTS);
  const pages: (CodePage | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  const counters = { dispatches: 0, leaves: 0, interpretedBlocks: 0 };
  let cache: CodeCache;
  let breakReached = false;

  // An instruction whose fetch faults has paid its tick, as every faulting instruction has: it pays for the delivery. What can
  // fault on the way to it stands between these two. (As closures they would cost an allocation on every dispatch.)
  function pay(): void {
    r[S.BUDGET]!--;
  }
  function refund(): void {
    r[S.BUDGET]!++;
  }

  /** The code page at a linear address, or undefined where code cannot be cached. Throws what a fetch there would. */
  function lookUp(linear: number): CodePage | undefined {
    const slot = (linear >>> 12) & (SLOTS - 1),
      mode = r[S.MODE]!;
    if (tags[slot] === linear >>> 12 && modes[slot] === mode) return pages[slot];
    const { memory } = engine;
    pay();
    const ramPage = memory.ramPage(engine.fetchPhysical(linear & ~0xfff) >>> 12);
    refund();
    if (ramPage < 0 || (memory.pageState[ramPage]! & (PAGE.MMIO | PAGE.WATCHED)) !== 0) return undefined;
    tags[slot] = linear >>> 12;
    modes[slot] = mode;
    return (pages[slot] = cache.find(ramPage, mode));
  }

  function flush(): void {
    r[S.CODE_EPOCH]!++;
    tags.fill(-1);
  }

  /** Interprets records of `page` from index `p` until it leaves the page or something must be looked at. */
  function interpret(page: CodePage, linear: number, start: number): void {
    const c = page.code,
      base = r[S.CODE_BASE]!,
      codeSegment = r[S.SEG_BASE + CS]!,
      { map, entries, arrivals } = page;
    const threshold = policy.threshold;
    let p = start;
    counters.interpretedBlocks++;
    for (;;) {
      if (r[S.BUDGET]! <= 0) {
        r[S.EIP] = base + c[p + RECORD.SELF]!;
        return;
      }
      r[S.BUDGET]!--;
      r[S.EIP] = base + c[p + RECORD.SELF]!;
      const next = handlers[c[p]!]!(c, p);
      if (next >= 0) {
        p = next;
        continue;
      }
      if (next !== RESULT.JUMP) {
        if (next === RESULT.BREAK) breakReached = true;
        else if (next === RESULT.CROSSING) crossing(page, linear);
        return;
      }
      const to = (r[S.EIP]! + codeSegment) | 0;
      if ((to ^ linear) >>> 12 !== 0) return;
      const offset = to & 0xfff;
      if (entries[offset] !== 0) return;
      if (++arrivals[offset]! >= threshold) return;
      const index = map[offset]!;
      if (index === 0) return;
      p = (index - 1) * RECORD.WORDS;
    }
  }

  /** The instruction at EIP by itself: fetched byte by byte, not cached. */
  function single(linear: number): void {
    const eip = r[S.EIP]!;
    pay();
    if (eip >>> 0 > r[S.SEG_LIMIT + CS]! >>> 0) fault(VECTOR.GP, 0);
    const code = cache.decodeOne(linear, r[S.MODE]!);
    refund();
    runRecords(code, linear, eip);
  }
  function runRecords(code: Int32Array, linear: number, eip: number): void {
    const base = (eip - (linear & 0xfff)) | 0;
    r[S.CODE_BASE] = base;
    for (let p = 0; ; ) {
      const last = base + code[p + RECORD.NEXT]! - 1;
      if ((r[S.MODE]! & MODE.FLAT_CS) === 0 && last >>> 0 > r[S.SEG_LIMIT + CS]! >>> 0) {
        r[S.BUDGET]!--;
        fault(VECTOR.GP, 0);
      }
      const paid = r[S.BUDGET]!--;
      const next = handlers[code[p]!]!(code, p);
      if (next < 0) return;
      p = next;
      if (r[S.BUDGET]! < paid) {
        r[S.EIP] = base + code[p + RECORD.SELF]!;
        return;
      }
    }
  }
  /** The instruction at EIP reaches into the next page; decoded again when either page has changed. */
  function crossing(page: CodePage, linear: number): void {
    const eip = r[S.EIP]!,
      offset = (eip - r[S.CODE_BASE]!) & 0xfff,
      at = (linear & ~0xfff) | offset;
    pay();
    const following = engine.memory.ramPage(engine.fetchPhysical(((linear & ~0xfff) + 0x1000) | 0) >>> 12);
    refund();
    let known: Crossing | undefined = page.crossings.get(offset);
    if (following < 0 || (engine.memory.pageState[following]! & PAGE.MMIO) !== 0) return single(at);
    if (!known || known.next !== following || known.version !== cache.version(following)) {
      const code = cache.decodeOne(at, r[S.MODE]!);
      cache.mark(following, 0, code[RECORD.NEXT]! - 4096);
      known = { code, next: following, version: cache.version(following) };
      if (!page.dead) page.crossings.set(offset, known);
    }
    runRecords(known.code, at, eip);
  }

  /** From EIP on until it must be looked at again. */
  function step(): void {
    const eip = r[S.EIP]!,
      linear = (eip + r[S.SEG_BASE + CS]!) | 0,
      offset = linear & 0xfff;
    const flat = (r[S.MODE]! & MODE.FLAT_CS) !== 0;
    if (!flat) {
      const limit = r[S.SEG_LIMIT + CS]! >>> 0;
      if (eip >>> 0 > limit) {
        r[S.BUDGET]!--;
        fault(VECTOR.GP, 0);
      }
      // The limit cuts through this page: check every instruction.
      if (limit - (eip >>> 0) < 4095 - offset) return single(linear);
    }
    const page = lookUp(linear);
    if (!page) return single(linear);
    r[S.CODE_BASE] = (eip - offset) | 0;
    const entry = page.entries[offset]!;
    if (entry !== 0) {
      counters.dispatches++;
      const left = page.regions[entry >> 8]!(entry & 0xff, r[S.CODE_BASE]!);
      if (left === 0) return;
      counters.leaves++;
      if (left === SEPARATE) policy.separate(page, entry >> 8);
      if (r[S.BUDGET]! > 0) resume(page, linear);
      return;
    }
    if (page.arrivals[offset]! >= policy.threshold) {
      page.arrivals[offset] = 0;
      if (page.map[offset] !== 0) policy.translate(page, offset);
      if (page.entries[offset] !== 0) return;
    } else page.arrivals[offset]!++;
    interpret(page, linear, records(page, offset, linear));
  }
  /** A region has left at EIP: interpret on from there. */
  function resume(page: CodePage, from: number): void {
    const linear = (r[S.EIP]! + r[S.SEG_BASE + CS]!) | 0;
    if ((linear ^ from) >>> 12 !== 0) throw new Error(`a region left its page: ${linear.toString(16)}`);
    interpret(page, linear, records(page, linear & 0xfff, linear));
  }
  function records(page: CodePage, offset: number, linear: number): number {
    const index = page.map[offset]!;
    if (index !== 0) return (index - 1) * RECORD.WORDS;
    pay();
    const first = cache.decodeBlock(page, offset, linear & ~0xfff);
    refund();
    return first;
  }
  return {
    counters,
    flush,
    use(next) {
      cache = next;
      flush();
    },
    execute() {
      breakReached = false;
      while (r[S.BUDGET]! > 0 && r[S.EVENTS] === 0) {
        step();
        if (breakReached) return true;
      }
      return false;
    },
    executeOne() {
      breakReached = false;
      const paid = r[S.BUDGET]!;
      while (r[S.BUDGET] === paid && !breakReached) step();
      return breakReached;
    },
  };
}
