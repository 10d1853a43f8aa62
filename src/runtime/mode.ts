// Derived words of the state block: mode word, stack mask, TLB half and the segments' fast ends (SDM volume 3, "Limit
// Checking", "Type Checking", "Segment Descriptors"). Rebuilt whenever a segment register, CPL, CR0, CR4 or EFLAGS.VM or AC changes.

import { MODE } from '../translator/mode.ts';
import { AC, CS, DS, ES, S, SS, VM } from '../translator/state.ts';
import { CR0, CR4 } from './controlBits.ts';
import type { Core } from './core.ts';
import { OPEN_PART, USER_PART } from './tlb.ts';

/** Bits of S.SEG_ACCESS: the type field's bits mean accessed, writable (data) or readable (code), expand-down or conforming, code. */
export const RIGHTS = {
  ACCESSED: 1,
  WRITABLE: 2,
  READABLE: 2,
  EXPAND_DOWN: 4,
  CONFORMING: 4,
  CODE: 8,
  SEGMENT: 0x10,
  DPL: 0x60,
  PRESENT: 0x80,
  BIG: 0x4000,
  GRANULAR: 0x8000,
} as const;

export interface Mode {
  /** Recomputes S.MODE, S.STACK_MASK and S.USER_TLB; `flush` is called when user accesses must be looked at one by one from now on. */
  updateMode(): void;
  /** Recomputes the fast ends of one segment register from its cached descriptor. */
  updateEnds(segment: number): void;
}

export function createMode(core: Core, flush: () => void): Mode {
  const { r, ends } = core;

  function updateEnds(segment: number): void {
    const access = r[S.SEG_ACCESS + segment]!,
      end = (r[S.SEG_LIMIT + segment]! >>> 0) + 1;
    const unchecked = !isProtected(r),
      data = (access & RIGHTS.CODE) === 0;
    const usable =
      (access & (RIGHTS.PRESENT | RIGHTS.SEGMENT)) === (RIGHTS.PRESENT | RIGHTS.SEGMENT) && !(data && (access & RIGHTS.EXPAND_DOWN) !== 0);
    ends[segment] = usable && (unchecked || data || (access & RIGHTS.READABLE) !== 0) ? end : 0;
    ends[8 + segment] = usable && (unchecked || (data && (access & RIGHTS.WRITABLE) !== 0)) ? end : 0;
  }
  function flat(segment: number, writable: boolean): boolean {
    return (
      r[S.SEG_BASE + segment] === 0 && r[S.SEG_LIMIT + segment] === -1 && ends[segment] !== 0 && (!writable || ends[8 + segment] !== 0)
    );
  }
  function updateMode(): void {
    const cr0 = r[S.CR0]!,
      flags = r[S.SYSTEM_FLAGS]!,
      user = r[S.CPL] === 3,
      open = !user && (flags & AC) !== 0 && (r[S.CR4]! & CR4.SMAP) !== 0;
    const stack32 = (r[S.SEG_ACCESS + SS]! & RIGHTS.BIG) !== 0;
    r[S.MODE] =
      ((r[S.SEG_ACCESS + CS]! & RIGHTS.BIG) !== 0 ? MODE.CODE32 : 0) |
      (stack32 ? MODE.STACK32 : 0) |
      (user ? MODE.USER : 0) |
      (open ? MODE.OPEN : 0) |
      (flat(DS, true) ? MODE.FLAT_DS : 0) |
      (flat(ES, true) ? MODE.FLAT_ES : 0) |
      (flat(SS, true) ? MODE.FLAT_SS : 0) |
      (flat(CS, false) ? MODE.FLAT_CS : 0) |
      ((cr0 & CR0.PE) === 0 ? 0 : (flags & VM) !== 0 ? MODE.VM86 : MODE.PROTECTED) |
      ((cr0 & (CR0.EM | CR0.TS)) !== 0 ? MODE.NO_FPU : 0) |
      ((cr0 & CR0.EM) !== 0 ? MODE.EMULATE : 0) |
      ((r[S.CR4]! & CR4.OSFXSR) !== 0 ? MODE.OSFXSR : 0);
    r[S.STACK_MASK] = stack32 ? -1 : 0xffff;
    r[S.USER_TLB] = user ? USER_PART : open ? OPEN_PART : 0;
    const alignmentCheck = user && (cr0 & CR0.AM) !== 0 && (flags & AC) !== 0 ? -1 : 0;
    if (alignmentCheck !== r[S.ALIGNMENT_CHECK]) {
      r[S.ALIGNMENT_CHECK] = alignmentCheck;
      if (alignmentCheck !== 0) flush();
    }
  }
  return { updateMode, updateEnds };
}

/** CR0.PE set and EFLAGS.VM clear: selectors name descriptors. */
export function isProtected(r: Int32Array): boolean {
  return (r[S.CR0]! & CR0.PE) !== 0 && (r[S.SYSTEM_FLAGS]! & VM) === 0;
}
/** Virtual-8086 mode. */
export function isVm86(r: Int32Array): boolean {
  return (r[S.CR0]! & CR0.PE) !== 0 && (r[S.SYSTEM_FLAGS]! & VM) !== 0;
}
