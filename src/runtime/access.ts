// Linear accesses that generated code could not do itself: TLB misses, page crossings, devices, ROM, code pages, watched
// pages, alignment checks and data breakpoints (SDM volume 3, "Paging", "Alignment Check Exception", "Data Breakpoint").
// Both pages of an access that crosses are translated before anything is read or written.

import { AC, S, VECTOR } from '../translator/state.ts';
import { BREAK_ON, matches } from './breakpoints.ts';
import type { Bus } from './bus.ts';
import { CR4 } from './controlBits.ts';
import { type Core, NO_ENTRY } from './core.ts';
import { fault } from './faults.ts';
import { HIGH, PAGE } from './memory.ts';
import { OPEN, PF } from './paging.ts';
import { partOf, type Tlb } from './tlb.ts';

type Size = 1 | 2 | 4;

export interface Access {
  /** Read at a linear address with the rights of CPL: R8 and R16 zero-extend, R32 gives int32. */
  R8(linear: number): number;
  R16(linear: number): number;
  R32(linear: number): number;
  /** The same, failing as a write would: for operands that are read, changed and written back. */
  M8(linear: number): number;
  M16(linear: number): number;
  M32(linear: number): number;
  W8(linear: number, value: number): void;
  W16(linear: number, value: number): void;
  W32(linear: number, value: number): void;
  /** State words from `word` on := memory, and the reverse: all of them or, when it faults, none. */
  RV(word: number, linear: number, words: number): void;
  WV(word: number, linear: number, words: number): void;
  /** As supervisor whatever CPL is, and without leave for user pages ("implicit"): descriptor tables, TSS, IDT. */
  readSystem(linear: number, size: Size): number;
  writeSystem(linear: number, value: number, size: Size): void;
  /** With explicit rights: `user` 0 or PF.USER. */
  readAs(linear: number, size: Size, user: number): number;
  writeAs(linear: number, value: number, size: Size, user: number): void;
  /** Throws what writing `length` bytes (1 to 4096) would throw, and writes nothing. */
  probeWrite(linear: number, length: number, user: number): void;
  probeSystem(linear: number, length: number): void;
  /** #AC unless a user's address is a multiple of `bytes`: for operands that are reached piece by piece. */
  requireAlignment(linear: number, bytes: number): void;
  /** Page of the slice that instructions at a linear address come from, -1 where no memory answers; throws #PF. */
  fetchPage(linear: number): number;
  /** An instruction byte; throws #PF. */
  fetchByte(linear: number): number;
}

export function createAccess(core: Core, bus: Bus, tlb: Tlb): Access {
  const { r, u8, dv, tr, tw } = core;

  /** Access bits by the part of the TLB that is in use. */
  const RIGHTS = [0, PF.USER, OPEN] as const;
  const rights = (): number => RIGHTS[r[S.USER_TLB]! >>> 20]!;
  /** Those of an explicit access with other rights than CPL's. */
  const explicit = (user: number): number => (user === 0 && (r[S.CR4]! & CR4.SMAP) !== 0 && (r[S.SYSTEM_FLAGS]! & AC) !== 0 ? OPEN : user);
  const fetchPhysical = (linear: number): number => tlb.fetch(linear, r[S.CPL] === 3 ? PF.USER : 0);
  /** The address `n` bytes further. */
  const plus = (physical: number, n: number): number => (physical >= HIGH ? physical + n : (physical + n) | 0);

  /** Physical address for reading (access without PF.WRITE) or writing. */
  function locate(linear: number, access: number): number {
    const slot = (linear >>> 12) | partOf(access);
    const entry = (access & PF.WRITE) !== 0 ? tw[slot]! : tr[slot]!;
    return entry === NO_ENTRY ? tlb.fill(linear, access) : core.memory.physicalOf((entry ^ linear) - core.memory.offset);
  }

  /** Reads; with PF.WRITE in `access`, translates for writing. */
  function read(linear: number, size: Size, access: number): number {
    const left = 4096 - (linear & 0xfff);
    const first = locate(linear, access);
    let value: number;
    if (size <= left) {
      checkAlignment(linear, size, access);
      value = bus.read(first, size);
    } else {
      const second = locate((linear + left) | 0, access);
      checkAlignment(linear, size, access);
      value = 0;
      for (let n = 0; n < size; n++) value |= bus.read(n < left ? plus(first, n) : plus(second, n - left), 1) << (n * 8);
    }
    observe(linear, size, first, false);
    return value;
  }
  function write(linear: number, value: number, size: Size, access: number): void {
    const left = 4096 - (linear & 0xfff);
    const first = locate(linear, access);
    if (size <= left) {
      checkAlignment(linear, size, access);
      bus.write(first, value, size);
    } else {
      const second = locate((linear + left) | 0, access);
      checkAlignment(linear, size, access);
      for (let n = 0; n < size; n++) bus.write(n < left ? plus(first, n) : plus(second, n - left), (value >>> (n * 8)) & 0xff, 1);
    }
    observe(linear, size, first, true);
  }
  function requireAlignment(linear: number, bytes: number): void {
    if ((linear & (bytes - 1) & r[S.ALIGNMENT_CHECK]!) !== 0) fault(VECTOR.AC, 0);
  }
  function probe(linear: number, length: number, access: number): void {
    locate(linear, access | PF.WRITE);
    if (length > 4096 - (linear & 0xfff)) locate((linear + length - 1) | 0, access | PF.WRITE);
  }
  function checkAlignment(linear: number, size: Size, access: number): void {
    if ((access & PF.USER) !== 0) requireAlignment(linear, size);
  }
  /** Operands of 8 bytes are aligned to 8; for 16 bytes the instructions themselves ask for alignment, or need none. */
  function checkWords(linear: number, words: number, access: number): void {
    if (words === 2 && (access & PF.USER) !== 0) requireAlignment(linear, 8);
  }
  /** Tells data breakpoints of the guest and of the debugger about an access that has been done. */
  function observe(linear: number, size: number, physical: number, isWrite: boolean): void {
    if (core.dataBreakpoints) {
      const hit = matches(r, linear, size, isWrite ? (1 << BREAK_ON.WRITE) | (1 << BREAK_ON.READ_WRITE) : 1 << BREAK_ON.READ_WRITE);
      if (hit !== 0) {
        r[S.DEBUG_PENDING]! |= hit;
        core.onDebugPending();
      }
    }
    const memory = core.memory,
      page = memory.ramPageAt(physical);
    if (page >= 0 && (memory.pageState[page]! & PAGE.WATCHED) !== 0) memory.onWatched(linear, size, isWrite);
  }

  return {
    R8(linear) {
      const entry = tr[(linear >>> 12) | r[S.USER_TLB]!]!;
      return entry !== NO_ENTRY ? u8[entry ^ linear]! : read(linear, 1, rights());
    },
    R16(linear) {
      const entry = tr[(linear >>> 12) | r[S.USER_TLB]!]!;
      return ((entry | linear) & 0xfff) < 0xfff ? dv.getUint16(entry ^ linear, true) : read(linear, 2, rights());
    },
    R32(linear) {
      const entry = tr[(linear >>> 12) | r[S.USER_TLB]!]!;
      return ((entry | linear) & 0xfff) < 0xffd ? dv.getInt32(entry ^ linear, true) : read(linear, 4, rights());
    },
    M8(linear) {
      const entry = tw[(linear >>> 12) | r[S.USER_TLB]!]!;
      return entry !== NO_ENTRY ? u8[entry ^ linear]! : read(linear, 1, rights() | PF.WRITE);
    },
    M16(linear) {
      const entry = tw[(linear >>> 12) | r[S.USER_TLB]!]!;
      return ((entry | linear) & 0xfff) < 0xfff ? dv.getUint16(entry ^ linear, true) : read(linear, 2, rights() | PF.WRITE);
    },
    M32(linear) {
      const entry = tw[(linear >>> 12) | r[S.USER_TLB]!]!;
      return ((entry | linear) & 0xfff) < 0xffd ? dv.getInt32(entry ^ linear, true) : read(linear, 4, rights() | PF.WRITE);
    },
    W8(linear, value) {
      const entry = tw[(linear >>> 12) | r[S.USER_TLB]!]!;
      if (entry !== NO_ENTRY) u8[entry ^ linear] = value;
      else write(linear, value & 0xff, 1, rights() | PF.WRITE);
    },
    W16(linear, value) {
      const entry = tw[(linear >>> 12) | r[S.USER_TLB]!]!;
      if (((entry | linear) & 0xfff) < 0xfff) dv.setInt16(entry ^ linear, value, true);
      else write(linear, value & 0xffff, 2, rights() | PF.WRITE);
    },
    W32(linear, value) {
      const entry = tw[(linear >>> 12) | r[S.USER_TLB]!]!;
      if (((entry | linear) & 0xfff) < 0xffd) dv.setInt32(entry ^ linear, value, true);
      else write(linear, value, 4, rights() | PF.WRITE);
    },
    RV(word, linear, words) {
      const user = rights();
      checkWords(linear, words, user);
      const values = Array.from({ length: words }, (_, n) => read((linear + 4 * n) | 0, 4, user));
      r.set(values, word);
    },
    WV(word, linear, words) {
      const access = rights() | PF.WRITE,
        last = (linear + 4 * words - 1) | 0;
      checkWords(linear, words, access);
      locate(linear, access);
      if ((linear ^ last) >>> 12 !== 0) locate(last, access);
      for (let n = 0; n < words; n++) write((linear + 4 * n) | 0, r[word + n]!, 4, access);
    },
    readSystem: (linear, size) => read(linear, size, 0),
    writeSystem: (linear, value, size) => write(linear, value, size, PF.WRITE),
    readAs: (linear, size, user) => read(linear, size, explicit(user)),
    writeAs: (linear, value, size, user) => write(linear, value, size, explicit(user) | PF.WRITE),
    probeWrite: (linear, length, user) => probe(linear, length, explicit(user)),
    probeSystem: (linear, length) => probe(linear, length, 0),
    fetchPage: (linear) => core.memory.ramPageAt(fetchPhysical(linear)),
    fetchByte: (linear) => bus.read(fetchPhysical(linear), 1),
    requireAlignment,
  };
}
