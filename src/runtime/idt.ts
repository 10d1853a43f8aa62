// One delivery through the interrupt descriptor table (SDM volume 3, "Exception and Interrupt Handling in Protected Mode",
// "Interrupt Tasks", "Interrupt and Exception Handling in Real-Address Mode", "Class 1 - Hardware Interrupt and Exception
// Handling in Virtual-8086 Mode"; volume 2, INT n, "Operation").

import { AC, CS, DS, ES, FS, GS, IF, NT, RF, S, SS, TF, VM } from '../translator/state.ts';
import type { CodeSegments } from './codeSegment.ts';
import { CR0 } from './controlBits.ts';
import { dplOf, GP, isCode, isConformingCode, isNull, isPresent, NP, systemType, TYPE } from './descriptors.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import type { Stack } from './stack.ts';
import { SOURCE, type Tasks } from './tasks.ts';

/** Bit IDT of an error code. */
const IN_IDT = 2;

export interface Idt {
  /**
   * Enters the handler of a vector. `software`: INT n, INT3, INTO, whose gate privilege is checked. `errorCode` -1 for none.
   * `eip` is the return address, `resume` is ORed to the pushed EFLAGS. Throws what the delivery faults with, with
   * descriptors.ext in its error code; then nothing has changed, unless a task switch has gone through.
   */
  enter(vector: number, software: boolean, errorCode: number, eip: number, resume: number): void;
}

export function createIdt(engine: Engine, code: CodeSegments, stack: Stack, tasks: Tasks): Idt {
  const { r, descriptors: d, segments, readSystem, getFlags } = engine;

  function enterReal(vector: number, eip: number): void {
    const at = vector * 4;
    if (at + 3 > r[S.IDTR_LIMIT]! >>> 0) fault(GP, (vector * 8) | IN_IDT | d.ext);
    const offset = readSystem((r[S.IDTR_BASE]! + at) | 0, 2),
      selector = readSystem((r[S.IDTR_BASE]! + at + 2) | 0, 2);
    stack.useCurrent();
    stack.reserve(3, 2);
    stack.push(getFlags(), 2);
    stack.push(r[S.SEG_SELECTOR + CS]!, 2);
    stack.push(eip, 2);
    code.enterReal(selector, offset);
    stack.commit();
    r[S.SYSTEM_FLAGS]! &= ~(IF | TF | AC | RF);
  }

  function enterProtected(vector: number, software: boolean, errorCode: number, eip: number, resume: number): void {
    const at = vector * 8,
      gateError = at | IN_IDT | d.ext;
    if (at + 7 > r[S.IDTR_LIMIT]! >>> 0) fault(GP, gateError);
    const low = readSystem((r[S.IDTR_BASE]! + at) | 0, 4),
      high = readSystem((r[S.IDTR_BASE]! + at + 4) | 0, 4),
      type = systemType(high);
    const interrupt = type === TYPE.INTERRUPT_GATE16 || type === TYPE.INTERRUPT_GATE32,
      trap = type === TYPE.TRAP_GATE16 || type === TYPE.TRAP_GATE32;
    if ((!interrupt && !trap && type !== TYPE.TASK_GATE) || (software && dplOf(high) < r[S.CPL]!)) fault(GP, gateError);
    if (!isPresent(high)) fault(NP, gateError);
    if (type === TYPE.TASK_GATE) {
      tasks.throughGate(low >>> 16, SOURCE.IDT_GATE, eip, resume);
      if (errorCode >= 0) pushTaskError(errorCode);
      return;
    }
    const wide = type >= TYPE.INTERRUPT_GATE32;
    throughGate(low >>> 16, wide ? (low & 0xffff) | (high & 0xffff0000) : low & 0xffff, wide ? 4 : 2, interrupt, errorCode, eip, resume);
  }
  function pushTaskError(errorCode: number): void {
    const size = (r[S.TR_ACCESS]! & 8) !== 0 ? 4 : 2;
    stack.useCurrent();
    stack.reserve(1, size);
    stack.push(errorCode, size);
    stack.commit();
  }

  function throughGate(
    selector: number,
    offset: number,
    size: 2 | 4,
    interrupt: boolean,
    errorCode: number,
    eip: number,
    resume: number,
  ): void {
    if (isNull(selector)) d.fail(GP, 0);
    d.readOr(GP, selector);
    const level = dplOf(d.high),
      cpl = r[S.CPL]!,
      vm = (r[S.SYSTEM_FLAGS]! & VM) !== 0;
    if (!isCode(d.high) || level > cpl) d.fail(GP, selector);
    if (!isPresent(d.high)) d.fail(NP, selector);
    const inner = !isConformingCode(d.high) && level < cpl;
    if (vm && !(inner && level === 0)) d.fail(GP, selector);
    d.markAccessed(selector);
    const low = d.low,
      high = d.high,
      flags = getFlags() | resume;
    const words = 3 + (errorCode >= 0 ? 1 : 0);
    if (inner) {
      stack.innerStack(level);
      stack.useOther(stack.selector, stack.low, stack.high, stack.pointer, false);
      stack.reserve(words + (vm ? 6 : 2), size);
      code.checkOffset(offset, low, high);
      if (vm) for (const segment of [GS, FS, DS, ES]) stack.push(r[S.SEG_SELECTOR + segment]!, size);
      stack.push(r[S.SEG_SELECTOR + SS]!, size);
      stack.push(r[S.ESP]!, size);
    } else {
      stack.useCurrent();
      stack.reserve(words, size);
      code.checkOffset(offset, low, high);
    }
    stack.push(flags, size);
    stack.push(r[S.SEG_SELECTOR + CS]!, size);
    stack.push(eip, size);
    if (errorCode >= 0) stack.push(errorCode, size);
    // Nothing can fail from here on.
    r[S.SYSTEM_FLAGS]! &= ~(TF | NT | RF | VM | (interrupt ? IF : 0));
    if (vm) for (const segment of [GS, FS, DS, ES]) segments.setNull(segment, 0);
    code.enter(selector, low, high, offset, inner ? level : cpl);
    if (inner) segments.setCache(SS, stack.selector, stack.low, stack.high);
    stack.commit();
  }

  return {
    enter(vector, software, errorCode, eip, resume) {
      if ((r[S.CR0]! & CR0.PE) === 0) enterReal(vector, eip);
      else enterProtected(vector, software, errorCode, eip, resume);
    },
  };
}
