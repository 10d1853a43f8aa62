// CS and CPL as far transfers, interrupts and returns set them (SDM volume 3, "Privilege Level Checking When Transferring
// Program Control Between Code Segments"). A code segment is checked first (the caller's rules), then entered.

import { CS, S } from '../translator/state.ts';
import {
  type Descriptors,
  dplOf,
  GP,
  isCode,
  isConformingCode,
  isNull,
  isPresent,
  isWritableData,
  limitOf,
  NP,
  STACK,
} from './descriptors.ts';
import type { Machine } from './engine.ts';
import { fault } from './faults.ts';
import type { Segmentation } from './segmentation.ts';

export interface CodeSegments {
  /** #GP(EXT) unless the offset lies within the limit of a code descriptor. */
  checkOffset(eip: number, low: number, high: number): void;
  /** CS := selector with RPL `cpl` and the descriptor's halves, EIP, CPL. Mode word not updated. */
  enter(selector: number, low: number, high: number, eip: number, cpl: number): void;
  /** CS and EIP as real and virtual-8086 mode set them; #GP(EXT) beyond the limit of CS. Mode word not updated. */
  enterReal(selector: number, eip: number): void;
  /** Reads the code segment that RET and IRET return to, with their checks. */
  readForReturn(selector: number): void;
  /** Reads the stack segment that RET and IRET to an outer level return to, with their checks. */
  readOuterStack(selector: number, level: number): void;
}

export function createCodeSegments(machine: Machine, d: Descriptors, segments: Segmentation): CodeSegments {
  const { r } = machine;
  return {
    checkOffset(eip, low, high) {
      if (eip >>> 0 > limitOf(low, high) >>> 0) fault(GP, d.ext);
    },
    enter(selector, low, high, eip, cpl) {
      r[S.CPL] = cpl;
      segments.setCache(CS, (selector & 0xfffc) | cpl, low, high);
      r[S.EIP] = eip;
    },
    enterReal(selector, eip) {
      if (eip >>> 0 > r[S.SEG_LIMIT + CS]! >>> 0) fault(GP, d.ext);
      segments.loadReal(CS, selector & 0xffff);
      r[S.EIP] = eip;
    },
    readForReturn(selector) {
      if (isNull(selector)) d.fail(GP, 0);
      d.readOr(GP, selector);
      const high = d.high,
        rpl = selector & 3;
      if (!isCode(high) || rpl < r[S.CPL]! || (isConformingCode(high) ? dplOf(high) > rpl : dplOf(high) !== rpl)) d.fail(GP, selector);
      if (!isPresent(high)) d.fail(NP, selector);
    },
    readOuterStack(selector, level) {
      if (isNull(selector)) d.fail(GP, 0);
      d.readOr(GP, selector);
      if ((selector & 3) !== level || !isWritableData(d.high) || dplOf(d.high) !== level) d.fail(GP, selector);
      if (!isPresent(d.high)) d.fail(STACK, selector);
    },
  };
}
