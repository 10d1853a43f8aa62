// Segment registers (SDM volume 3, "Protection": "Limit Checking", "Type Checking", "Privilege Levels"; volume 2, MOV, LLDT,
// LTR, LAR, LSL, VERR, LGDT). In real mode a load changes base and selector and keeps limit and size ("unreal mode").

import { CS, ES, GS, S, SS, VECTOR } from '../translator/state.ts';
import {
  accessOf,
  BUSY,
  baseOf,
  type Descriptors,
  dplOf,
  GP,
  isConformingCode,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  limitOf,
  NP,
  STACK,
  systemType,
  TYPE,
} from './descriptors.ts';
import type { Machine } from './engine.ts';
import { fault } from './faults.ts';
import { isProtected, isVm86, RIGHTS } from './mode.ts';

/** Rights of every segment in virtual-8086 mode: DPL 3 writable data. */
const VM86_RIGHTS = 0xf3;
const REAL_RIGHTS = 0x93;
/** "Instruction identity" of exits that concern descriptor-table registers. */
const IDENTITY = { LGDT: 2, LIDT: 3, LLDT: 2, LTR: 3 } as const;

export interface Segmentation {
  /** Linear address for reading / writing `size` bytes at an offset of a segment; all checks, #GP(0) or #SS(0). */
  LR(segment: number, offset: number, size: number): number;
  LW(segment: number, offset: number, size: number): number;
  loadSegment(segment: number, selector: number): void;
  /** Base from the selector as real and virtual-8086 mode load it; mode word not updated. */
  loadReal(segment: number, selector: number): void;
  /** Cached descriptor from its two halves; mode word not updated. */
  setCache(segment: number, selector: number, low: number, high: number): void;
  /** Null selector; mode word not updated. */
  setNull(segment: number, selector: number): void;
  /** After a return to an outer level: ES, DS, FS, GS that the new CPL may not use become null. */
  dropInnerSegments(): void;
  loadLdtr(selector: number): void;
  loadTr(selector: number): void;
  /** LDTR from a descriptor already checked, or null. */
  setLdtr(selector: number, low: number, high: number): void;
  storeLdtr(): number;
  storeTr(): number;
  loadGdtr(base: number, limit: number): void;
  loadIdtr(base: number, limit: number): void;
  protectedOnly(): void;
  verifyRead(selector: number): number;
  verifyWrite(selector: number): number;
  loadAccessRights(selector: number): number;
  loadSegmentLimit(selector: number): number;
}

export function createSegmentation(machine: Machine, d: Descriptors): Segmentation {
  const { r, ends, updateEnds, updateMode } = machine;

  const violation = (segment: number): never => fault(segment === SS ? VECTOR.SS : VECTOR.GP, d.ext);

  function checkLimit(segment: number, offset: number, size: number): void {
    const from = offset >>> 0,
      last = from + size - 1,
      limit = r[S.SEG_LIMIT + segment]! >>> 0,
      access = r[S.SEG_ACCESS + segment]!;
    if ((access & (RIGHTS.CODE | RIGHTS.EXPAND_DOWN)) === RIGHTS.EXPAND_DOWN) {
      if (from <= limit || last > ((access & RIGHTS.BIG) !== 0 ? 0xffffffff : 0xffff)) violation(segment);
    } else if (last > limit) violation(segment);
  }
  const unusable = (access: number): boolean => (access & (RIGHTS.PRESENT | RIGHTS.SEGMENT)) !== (RIGHTS.PRESENT | RIGHTS.SEGMENT);

  function LR(segment: number, offset: number, size: number): number {
    if ((offset >>> 0) + size > ends[segment]!) {
      const access = r[S.SEG_ACCESS + segment]!;
      if (unusable(access)) violation(segment);
      if ((access & (RIGHTS.CODE | RIGHTS.READABLE)) === RIGHTS.CODE && isProtected(r)) violation(segment);
      checkLimit(segment, offset, size);
    }
    return (r[S.SEG_BASE + segment]! + offset) | 0;
  }
  function LW(segment: number, offset: number, size: number): number {
    if ((offset >>> 0) + size > ends[8 + segment]!) {
      const access = r[S.SEG_ACCESS + segment]!;
      if (unusable(access)) violation(segment);
      if ((access & (RIGHTS.CODE | RIGHTS.WRITABLE)) !== RIGHTS.WRITABLE && isProtected(r)) violation(segment);
      checkLimit(segment, offset, size);
    }
    return (r[S.SEG_BASE + segment]! + offset) | 0;
  }

  function setCache(segment: number, selector: number, low: number, high: number): void {
    r[S.SEG_SELECTOR + segment] = selector;
    r[S.SEG_BASE + segment] = baseOf(low, high);
    r[S.SEG_LIMIT + segment] = limitOf(low, high);
    r[S.SEG_ACCESS + segment] = accessOf(high);
    updateEnds(segment);
  }
  function setNull(segment: number, selector: number): void {
    r[S.SEG_SELECTOR + segment] = selector;
    r[S.SEG_BASE + segment] = r[S.SEG_LIMIT + segment] = r[S.SEG_ACCESS + segment] = 0;
    updateEnds(segment);
  }
  function loadReal(segment: number, selector: number): void {
    const access = r[S.SEG_ACCESS + segment]!;
    r[S.SEG_SELECTOR + segment] = selector;
    r[S.SEG_BASE + segment] = selector << 4;
    if (isVm86(r)) {
      r[S.SEG_ACCESS + segment] = VM86_RIGHTS;
      r[S.SEG_LIMIT + segment] = 0xffff;
    } else {
      // A segment that was null has no limit worth keeping.
      if ((access & RIGHTS.PRESENT) === 0) r[S.SEG_LIMIT + segment] = 0xffff;
      r[S.SEG_ACCESS + segment] = (access & 0xf000) | REAL_RIGHTS;
    }
    updateEnds(segment);
  }
  function loadSegment(segment: number, selector: number): void {
    selector &= 0xffff;
    if (!isProtected(r)) loadReal(segment, selector);
    else if (isNull(selector)) {
      if (segment === SS) fault(GP, 0);
      setNull(segment, selector);
    } else {
      const rpl = selector & 3,
        cpl = r[S.CPL]!;
      d.readOr(GP, selector);
      const high = d.high,
        dpl = dplOf(high);
      if (segment === SS) {
        if (rpl !== cpl || !isWritableData(high) || dpl !== cpl) d.fail(GP, selector);
        if (!isPresent(high)) d.fail(STACK, selector);
      } else {
        if (!isReadable(high) || (!isConformingCode(high) && (rpl > dpl || cpl > dpl))) d.fail(GP, selector);
        if (!isPresent(high)) d.fail(NP, selector);
      }
      d.markAccessed(selector);
      setCache(segment, selector, d.low, d.high);
    }
    updateMode();
  }
  function dropInnerSegments(): void {
    for (let segment = ES; segment <= GS; segment++) {
      if (segment === CS || segment === SS) continue;
      const access = r[S.SEG_ACCESS + segment]!,
        conforming = (access & (RIGHTS.CODE | RIGHTS.CONFORMING)) === (RIGHTS.CODE | RIGHTS.CONFORMING);
      if (!conforming && ((access >> 5) & 3) < r[S.CPL]!) setNull(segment, 0);
    }
  }

  function protectedOnly(): void {
    if (!isProtected(r)) fault(VECTOR.UD);
  }
  function setLdtr(selector: number, low: number, high: number): void {
    r[S.LDTR_SELECTOR] = selector;
    r[S.LDTR_BASE] = baseOf(low, high);
    r[S.LDTR_LIMIT] = limitOf(low, high);
    r[S.LDTR_ACCESS] = accessOf(high);
  }

  /** Whether VERR, VERW, LAR and LSL see the selector's descriptor at all. */
  function visible(selector: number): boolean {
    if (isNull(selector) || !d.read(selector)) return false;
    const dpl = dplOf(d.high);
    return isConformingCode(d.high) || (dpl >= r[S.CPL]! && dpl >= (selector & 3));
  }

  return {
    LR,
    LW,
    loadSegment,
    loadReal,
    setCache,
    setNull,
    dropInnerSegments,
    setLdtr,
    protectedOnly,
    loadLdtr(selector) {
      selector &= 0xffff;
      if (isNull(selector)) setLdtr(selector, 0, 0);
      else {
        if ((selector & 4) !== 0) d.fail(GP, selector);
        d.readOr(GP, selector);
        if (systemType(d.high) !== TYPE.LDT) d.fail(GP, selector);
        if (!isPresent(d.high)) d.fail(NP, selector);
        setLdtr(selector, d.low, d.high);
      }
      machine.host.exit('localDescriptorTable', IDENTITY.LLDT, selector);
    },
    loadTr(selector) {
      selector &= 0xffff;
      if (isNull(selector)) fault(GP, 0);
      if ((selector & 4) !== 0) d.fail(GP, selector);
      d.readOr(GP, selector);
      const { low, high } = d,
        type = systemType(high);
      if (type !== TYPE.TSS16 && type !== TYPE.TSS32) d.fail(GP, selector);
      if (!isPresent(high)) d.fail(NP, selector);
      d.setBusy(selector, true);
      r[S.TR_SELECTOR] = selector;
      r[S.TR_BASE] = baseOf(low, high);
      r[S.TR_LIMIT] = limitOf(low, high);
      r[S.TR_ACCESS] = accessOf(high) | BUSY;
      machine.host.exit('localDescriptorTable', IDENTITY.LTR, selector);
    },
    storeLdtr() {
      protectedOnly();
      return r[S.LDTR_SELECTOR]!;
    },
    storeTr() {
      protectedOnly();
      return r[S.TR_SELECTOR]!;
    },
    loadGdtr(base, limit) {
      r[S.GDTR_BASE] = base;
      r[S.GDTR_LIMIT] = limit & 0xffff;
      machine.host.exit('descriptorTable', IDENTITY.LGDT, base >>> 0);
    },
    loadIdtr(base, limit) {
      r[S.IDTR_BASE] = base;
      r[S.IDTR_LIMIT] = limit & 0xffff;
      machine.host.exit('descriptorTable', IDENTITY.LIDT, base >>> 0);
    },
    verifyRead: (selector) => (visible(selector) && isReadable(d.high) ? 1 : 0),
    verifyWrite: (selector) => (visible(selector) && isWritableData(d.high) ? 1 : 0),
    loadAccessRights(selector) {
      if (!visible(selector)) return 0;
      const type = systemType(d.high);
      if (
        type >= 0 &&
        !((type >= TYPE.TSS16 && type <= TYPE.TASK_GATE) || type === TYPE.TSS32 || type === TYPE.TSS32_BUSY || type === TYPE.CALL_GATE32)
      )
        return 0;
      r[S.SECOND] = d.high & 0xffff00;
      return 1;
    },
    loadSegmentLimit(selector) {
      if (!visible(selector)) return 0;
      const type = systemType(d.high);
      if (type >= 0 && !((type >= TYPE.TSS16 && type <= TYPE.TSS16_BUSY) || type === TYPE.TSS32 || type === TYPE.TSS32_BUSY)) return 0;
      r[S.SECOND] = limitOf(d.low, d.high);
      return 1;
    },
  };
}
