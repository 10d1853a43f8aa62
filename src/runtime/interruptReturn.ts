// IRET in every mode (SDM volume 2, IRET, "Operation"; volume 3, "Leaving Virtual-8086 Mode" and "Entering Virtual-8086 Mode",
// "Nonmaskable Interrupt (NMI)": IRET ends the blocking).

import { AC, ARITHMETIC_FLAGS, DF, ES, GS, ID, IF, IOPL, NT, RF, S, SS, TF, VIF, VIP, VM } from '../translator/state.ts';
import type { CodeSegments } from './codeSegment.ts';
import { CR0 } from './controlBits.ts';
import { GP } from './descriptors.ts';
import type { Engine } from './engine.ts';
import { PIN } from './events.ts';
import { fault } from './faults.ts';
import { isVm86 } from './mode.ts';
import type { Stack } from './stack.ts';
import type { Tasks } from './tasks.ts';

/** (operand size in bits, next EIP): IRET, IRETD. */
export function createInterruptReturn(
  engine: Engine,
  code: CodeSegments,
  stack: Stack,
  tasks: Tasks,
): (size: number, nextEip: number) => void {
  const { r, descriptors: d, segments, getFlags, storeFlags, updateMode, updateEvents } = engine;

  /** EFLAGS := the popped value in the bits of `mask`; the low half alone for a 16-bit operand. */
  function loadFlags(value: number, mask: number, size: 2 | 4): void {
    const writable = size === 2 ? mask & 0xffff : mask;
    storeFlags((getFlags() & ~writable) | (value & writable));
    if ((writable & RF) !== 0) engine.keepResume();
  }
  const REAL = ARITHMETIC_FLAGS | TF | IF | DF | IOPL | NT | RF | AC | ID;

  function returnReal(size: 2 | 4, changeable: number): void {
    stack.require(3 * size);
    const eip = stack.peek(0, size),
      selector = stack.peek(1, size) & 0xffff,
      flags = stack.peek(2, size);
    code.enterReal(selector, eip);
    stack.release(3 * size);
    loadFlags(flags, changeable, size);
  }
  function returnToVm86(eip: number, selector: number, flags: number): void {
    stack.require(36);
    if (eip >>> 0 > 0xffff) fault(GP, 0);
    const pointer = stack.peek(3, 4);
    // In the order of the segment numbers.
    const frame = [stack.peek(5, 4), selector, stack.peek(4, 4), stack.peek(6, 4), stack.peek(7, 4), stack.peek(8, 4)];
    loadFlags(flags, REAL | VM | VIF | VIP, 4);
    r[S.CPL] = 3;
    for (let segment = ES; segment <= GS; segment++) segments.loadReal(segment, frame[segment]! & 0xffff);
    r[S.ESP] = pointer;
    r[S.EIP] = eip;
  }
  function returnProtected(size: 2 | 4): void {
    stack.require(3 * size);
    const eip = stack.peek(0, size),
      selector = stack.peek(1, size) & 0xffff,
      flags = stack.peek(2, size);
    const cpl = r[S.CPL]!,
      level = selector & 3;
    if (size === 4 && (flags & VM) !== 0 && cpl === 0) {
      returnToVm86(eip, selector, flags);
      return;
    }
    code.readForReturn(selector);
    const changeable =
      ARITHMETIC_FLAGS |
      TF |
      DF |
      NT |
      RF |
      AC |
      ID |
      (cpl <= (r[S.SYSTEM_FLAGS]! & IOPL) >> 12 ? IF : 0) |
      (cpl === 0 ? IOPL | VIF | VIP : 0);
    if (level === cpl) {
      code.checkOffset(eip, d.low, d.high);
      d.markAccessed(selector);
      code.enter(selector, d.low, d.high, eip, cpl);
      stack.release(3 * size);
      loadFlags(flags, changeable, size);
      return;
    }
    stack.require(5 * size);
    const low = d.low,
      pointer = stack.peek(3, size),
      outer = stack.peek(4, size) & 0xffff;
    let high = d.high;
    code.readOuterStack(outer, level);
    code.checkOffset(eip, low, high);
    d.markAccessed(outer);
    const stackLow = d.low,
      stackHigh = d.high;
    d.readOr(GP, selector);
    d.markAccessed(selector);
    high = d.high;
    code.enter(selector, low, high, eip, level);
    segments.setCache(SS, outer, stackLow, stackHigh);
    stack.setPointer(pointer);
    loadFlags(flags, changeable, size);
    segments.dropInnerSegments();
  }

  return (bits, nextEip) => {
    const size = bits === 32 ? 4 : 2,
      before = r[S.SYSTEM_FLAGS]!;
    try {
      if ((r[S.CR0]! & CR0.PE) === 0) returnReal(size, REAL);
      else if (isVm86(r)) {
        if ((r[S.SYSTEM_FLAGS]! & IOPL) !== IOPL) fault(GP, 0);
        returnReal(size, REAL & ~IOPL);
      } else if ((r[S.SYSTEM_FLAGS]! & NT) !== 0) tasks.returnToPrevious(nextEip);
      else returnProtected(size);
      r[S.PINS]! &= ~PIN.NMI_BLOCKED;
    } finally {
      updateMode();
      updateEvents();
    }
    engine.reportWindow(before);
  };
}
