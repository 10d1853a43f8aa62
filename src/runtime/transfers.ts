// Far transfers (SDM volume 2, JMP, CALL, RET, SYSENTER, SYSEXIT, "Operation"; volume 3, "Privilege Level Checking When
// Transferring Program Control Between Code Segments", "Call Gates", "Stack Switching").

import { CS, IF, RF, S, SS, VM } from '../translator/state.ts';
import type { CodeSegments } from './codeSegment.ts';
import { CR0 } from './controlBits.ts';
import { dplOf, GP, isCode, isConformingCode, isNull, isPresent, NP, systemType, TYPE } from './descriptors.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import { isProtected } from './mode.ts';
import { PF } from './paging.ts';
import type { Stack } from './stack.ts';
import { SOURCE, type Tasks } from './tasks.ts';

/** High halves of the flat descriptors that SYSENTER and SYSEXIT load, DPL 0; low half FLAT_LOW. */
const FLAT_LOW = 0xffff,
  FLAT_CODE = 0xcf9b00,
  FLAT_DATA = 0xcf9300,
  DPL3 = 0x6000;

export interface Transfers {
  farJump(selector: number, offset: number, bits: number, nextEip: number): void;
  farCall(selector: number, offset: number, bits: number, nextEip: number): void;
  farReturn(bits: number, release: number): void;
  sysenter(): void;
  sysexit(): void;
}

export function createTransfers(engine: Engine, code: CodeSegments, stack: Stack, tasks: Tasks): Transfers {
  const { r, descriptors: d, segments, readAs, updateMode, updateEvents } = engine;

  /** Direct transfer to a code segment, whose descriptor has been read. */
  function checkDirect(selector: number): void {
    const dpl = dplOf(d.high),
      cpl = r[S.CPL]!;
    if (isConformingCode(d.high) ? dpl > cpl : dpl !== cpl || (selector & 3) > cpl) d.fail(GP, selector);
    if (!isPresent(d.high)) d.fail(NP, selector);
  }
  /** Reads the descriptor of a far pointer. */
  function readTarget(selector: number): void {
    if (isNull(selector)) fault(GP, 0);
    d.readOr(GP, selector);
  }
  /** Rules of all gates and of a TSS named directly. */
  function checkGate(selector: number): void {
    const dpl = dplOf(d.high);
    if (dpl < r[S.CPL]! || dpl < (selector & 3)) d.fail(GP, selector);
  }
  /** TSS and task gate; true when the target was one of them. */
  function switchTask(selector: number, source: number, nextEip: number): boolean {
    const type = systemType(d.high);
    if (type === TYPE.TASK_GATE) {
      checkGate(selector);
      if (!isPresent(d.high)) d.fail(NP, selector);
      tasks.throughGate(d.low >>> 16, source, nextEip, 0);
    } else if (type === TYPE.TSS16 || type === TYPE.TSS32) {
      checkGate(selector);
      if ((selector & 4) !== 0) d.fail(GP, selector);
      if (!isPresent(d.high)) d.fail(NP, selector);
      tasks.switchTo(selector, source, nextEip, 0);
    } else return false;
    return true;
  }
  /** Follows a call gate to its code segment, whose descriptor is then the one read. Gives the gate's two halves. */
  let gateLow = 0,
    gateHigh = 0;
  function readCallGate(selector: number, call: boolean): void {
    const type = systemType(d.high);
    if (type !== TYPE.CALL_GATE16 && type !== TYPE.CALL_GATE32) d.fail(GP, selector);
    checkGate(selector);
    if (!isPresent(d.high)) d.fail(NP, selector);
    gateLow = d.low;
    gateHigh = d.high;
    const target = gateLow >>> 16;
    readTarget(target);
    const dpl = dplOf(d.high),
      cpl = r[S.CPL]!;
    if (!isCode(d.high) || (isConformingCode(d.high) || call ? dpl > cpl : dpl !== cpl)) d.fail(GP, target);
    if (!isPresent(d.high)) d.fail(NP, target);
  }
  const gateIsWide = (): boolean => systemType(gateHigh) === TYPE.CALL_GATE32;
  const gateOffset = (): number => (gateIsWide() ? (gateLow & 0xffff) | (gateHigh & 0xffff0000) : gateLow & 0xffff);

  /** CS:EIP := a checked target at the current level. */
  function enterSameLevel(selector: number, eip: number): void {
    code.checkOffset(eip, d.low, d.high);
    d.markAccessed(selector);
    code.enter(selector, d.low, d.high, eip, r[S.CPL]!);
  }
  function jump(selector: number, offset: number, nextEip: number): void {
    readTarget(selector);
    if (isCode(d.high)) {
      checkDirect(selector);
      enterSameLevel(selector, offset);
    } else if (!switchTask(selector, SOURCE.JMP, nextEip)) {
      readCallGate(selector, false);
      enterSameLevel(gateLow >>> 16, gateOffset());
    }
  }

  function callSameLevel(selector: number, eip: number, size: 2 | 4, nextEip: number): void {
    stack.useCurrent();
    stack.reserve(2, size);
    code.checkOffset(eip, d.low, d.high);
    stack.push(r[S.SEG_SELECTOR + CS]!, size);
    stack.push(nextEip, size);
    enterSameLevel(selector, eip);
    stack.commit();
  }
  /** Call gate to a more privileged, non-conforming segment: new stack with the caller's parameters. */
  function callInner(selector: number, eip: number, nextEip: number): void {
    const low = d.low,
      level = dplOf(d.high),
      size = gateIsWide() ? 4 : 2,
      count = gateHigh & 31,
      user = r[S.CPL] === 3 ? PF.USER : 0;
    d.markAccessed(selector);
    const high = d.high;
    stack.innerStack(level);
    stack.useOther(stack.selector, stack.low, stack.high, stack.pointer, false);
    stack.reserve(4 + count, size);
    code.checkOffset(eip, low, high);
    stack.push(r[S.SEG_SELECTOR + SS]!, size);
    stack.push(r[S.ESP]!, size);
    for (let n = count - 1; n >= 0; n--) {
      const from = (r[S.ESP]! + n * size) & r[S.STACK_MASK]!;
      stack.push(readAs((r[S.SEG_BASE + SS]! + from) | 0, size, user), size);
    }
    stack.push(r[S.SEG_SELECTOR + CS]!, size);
    stack.push(nextEip, size);
    code.enter(selector, low, high, eip, level);
    segments.setCache(SS, stack.selector, stack.low, stack.high);
    stack.commit();
  }
  function call(selector: number, offset: number, size: 2 | 4, nextEip: number): void {
    readTarget(selector);
    if (isCode(d.high)) {
      checkDirect(selector);
      callSameLevel(selector, offset, size, nextEip);
    } else if (!switchTask(selector, SOURCE.CALL, nextEip)) {
      readCallGate(selector, true);
      const target = gateLow >>> 16,
        inner = !isConformingCode(d.high) && dplOf(d.high) < r[S.CPL]!;
      if (inner) callInner(target, gateOffset(), nextEip);
      else callSameLevel(target, gateOffset(), gateIsWide() ? 4 : 2, nextEip);
    }
  }

  function returnProtected(size: 2 | 4, release: number): void {
    stack.require(2 * size);
    const eip = stack.peek(0, size),
      selector = stack.peek(1, size) & 0xffff,
      level = selector & 3;
    code.readForReturn(selector);
    if (level === r[S.CPL]) {
      enterSameLevel(selector, eip);
      stack.release(2 * size + release);
      return;
    }
    stack.require(4 * size + release);
    const low = d.low,
      pointer = stack.peek(2, size, release),
      outer = stack.peek(3, size, release) & 0xffff;
    code.checkOffset(eip, low, d.high);
    code.readOuterStack(outer, level);
    d.markAccessed(outer);
    const stackLow = d.low,
      stackHigh = d.high;
    d.readOr(GP, selector);
    d.markAccessed(selector);
    code.enter(selector, low, d.high, eip, level);
    segments.setCache(SS, outer, stackLow, stackHigh);
    stack.setPointer((pointer + release) | 0);
    segments.dropInnerSegments();
  }

  /** A transfer ends with the derived words rebuilt, also when it faulted in the middle of a task switch. */
  function settle(action: () => void): void {
    try {
      action();
    } finally {
      updateMode();
      updateEvents();
    }
  }

  return {
    farJump(selector, offset, bits, nextEip) {
      const target = bits === 32 ? offset : offset & 0xffff;
      settle(() => (isProtected(r) ? jump(selector & 0xffff, target, nextEip) : code.enterReal(selector, target)));
    },
    farCall(selector, offset, bits, nextEip) {
      const target = bits === 32 ? offset : offset & 0xffff,
        size = bits === 32 ? 4 : 2;
      settle(() => {
        if (isProtected(r)) {
          call(selector & 0xffff, target, size, nextEip);
          return;
        }
        stack.useCurrent();
        stack.reserve(2, size);
        if (target >>> 0 > r[S.SEG_LIMIT + CS]! >>> 0) fault(GP, 0);
        stack.push(r[S.SEG_SELECTOR + CS]!, size);
        stack.push(nextEip, size);
        code.enterReal(selector, target);
        stack.commit();
      });
    },
    farReturn(bits, release) {
      const size = bits === 32 ? 4 : 2;
      settle(() => {
        if (isProtected(r)) {
          returnProtected(size, release);
          return;
        }
        stack.require(2 * size);
        code.enterReal(stack.peek(1, size), stack.peek(0, size));
        stack.release(2 * size + release);
      });
    },
    sysenter() {
      const selector = r[S.SYSENTER_CS]! & 0xfffc;
      if ((r[S.CR0]! & CR0.PE) === 0 || selector === 0) fault(GP, 0);
      r[S.SYSTEM_FLAGS]! &= ~(VM | IF | RF);
      code.enter(selector, FLAT_LOW, FLAT_CODE, r[S.SYSENTER_EIP]!, 0);
      segments.setCache(SS, (selector + 8) & 0xffff, FLAT_LOW, FLAT_DATA);
      r[S.ESP] = r[S.SYSENTER_ESP]!;
      updateMode();
      updateEvents();
    },
    sysexit() {
      const selector = r[S.SYSENTER_CS]! & 0xfffc;
      if ((r[S.CR0]! & CR0.PE) === 0 || selector === 0 || r[S.CPL] !== 0) fault(GP, 0);
      code.enter((selector + 16) & 0xffff, FLAT_LOW, FLAT_CODE | DPL3, r[S.EDX]!, 3);
      segments.setCache(SS, ((selector + 24) & 0xffff) | 3, FLAT_LOW, FLAT_DATA | DPL3);
      r[S.ESP] = r[S.ECX]!;
      updateMode();
      updateEvents();
    },
  };
}
