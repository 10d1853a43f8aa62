// Hardware task switches (SDM volume 3, "Task Management": "Task Switching", "Exception Conditions Checked During a Task
// Switch", "Task Linking", "Task-State Segment (TSS)", "16-Bit Task-State Segment"). Up to the point where TR changes a fault
// belongs to the old task and leaves it as it was; after it, to the new one, whose registers are then in place.

import { CS, DS, ES, FS, GS, NT, S, SS, VM } from '../translator/state.ts';
import { CR0, CR4, DR6, DR7 } from './controlBits.ts';
import {
  accessOf,
  BUSY,
  baseOf,
  dplOf,
  GP,
  isCode,
  isConformingCode,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  limitOf,
  NP,
  STACK,
  systemType,
  TS,
  TYPE,
} from './descriptors.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import { EFLAGS_BITS } from './flags.ts';

/** What causes a switch, numbered as in "Exit Qualification for Task Switches". */
export const SOURCE = { CALL: 0, IRET: 1, JMP: 2, IDT_GATE: 3 } as const;

/** Offsets of both TSS formats; registers are consecutive in the order of S.EAX ..., segments ES CS SS DS FS GS. */
const TSS32 = { LINK: 0, CR3: 0x1c, EIP: 0x20, EFLAGS: 0x24, EAX: 0x28, ES: 0x48, LDT: 0x60, TRAP: 0x64, LAST: 0x67 } as const;
const TSS16 = { LINK: 0, IP: 0x0e, FLAGS: 0x10, AX: 0x12, ES: 0x22, LDT: 0x2a, LAST: 0x2b } as const;
/** Order in which the new task's data segments are loaded. */
const DATA_SEGMENTS = [DS, ES, FS, GS] as const;

export interface Tasks {
  /** Switches to the TSS whose descriptor the caller has checked and just read; `eip` is the old task's resume address. */
  switchTo(selector: number, source: number, eip: number, resume: number): void;
  /** Follows a task gate's TSS selector with its checks. */
  throughGate(selector: number, source: number, eip: number, resume: number): void;
  /** IRET with NT set. */
  returnToPrevious(eip: number): void;
}

export function createTasks(engine: Engine): Tasks {
  const { r, descriptors: d, segments, readSystem, writeSystem, probeSystem, getFlags, storeFlags, updateMode, updateEvents } = engine;

  function switchTo(selector: number, source: number, eip: number, resume: number): void {
    const low = d.low,
      high = d.high,
      wide = (systemType(high) & 8) !== 0,
      base = baseOf(low, high),
      limit = limitOf(low, high) >>> 0;
    if (limit < (wide ? TSS32.LAST : TSS16.LAST)) d.fail(TS, selector);
    const oldSelector = r[S.TR_SELECTOR]!,
      oldBase = r[S.TR_BASE]!,
      oldWide = (r[S.TR_ACCESS]! & 8) !== 0;
    const nests = source === SOURCE.CALL || source === SOURCE.IDT_GATE;
    engine.host.exit('taskSwitch', selector, source);

    // Everything that can raise a page fault in the old task does so before anything is written.
    probeSystem(oldBase, oldWide ? TSS32.LDT : TSS16.LDT);
    if (nests) probeSystem(base, 2);
    probeSystem((r[S.GDTR_BASE]! + (selector & 0xfff8)) | 0, 8);
    probeSystem((r[S.GDTR_BASE]! + (oldSelector & 0xfff8)) | 0, 8);
    const state = wide ? readTss32(base) : readTss16(base);

    const oldFlags = (getFlags() | resume) & ~(source === SOURCE.IRET ? NT : 0);
    if (oldWide) saveTss32(oldBase, eip, oldFlags);
    else saveTss16(oldBase, eip, oldFlags);
    if (!nests) d.setBusy(oldSelector, false);
    if (nests) writeSystem(base, oldSelector, 2);
    if (source !== SOURCE.IRET) d.setBusy(selector, true);

    r[S.TR_SELECTOR] = selector;
    r[S.TR_BASE] = base;
    r[S.TR_LIMIT] = limit;
    r[S.TR_ACCESS] = accessOf(high) | BUSY;
    enterTask(state, wide, nests);
  }

  /** 19 words in the order of the 32-bit TSS: CR3, EIP, EFLAGS, eight registers, six selectors, LDT selector, trap flag. */
  function readTss32(base: number): number[] {
    const words: number[] = [];
    for (let at = TSS32.CR3; at <= TSS32.TRAP; at += 4) words.push(readSystem((base + at) | 0, 4));
    return words;
  }
  function readTss16(base: number): number[] {
    const words = [r[S.CR3]!];
    for (let at = TSS16.IP; at < TSS16.ES; at += 2) {
      const word = readSystem((base + at) | 0, 2);
      // The high halves of the general registers are undefined; all ones shows that they were not saved.
      words.push(at < TSS16.AX ? word : word | 0xffff0000);
    }
    for (let at = TSS16.ES; at < TSS16.LDT; at += 2) words.push(readSystem((base + at) | 0, 2));
    words.push(0, 0, readSystem((base + TSS16.LDT) | 0, 2), 0);
    return words;
  }
  function saveTss32(base: number, eip: number, flags: number): void {
    writeSystem((base + TSS32.EIP) | 0, eip, 4);
    writeSystem((base + TSS32.EFLAGS) | 0, flags, 4);
    for (let n = 0; n < 8; n++) writeSystem((base + TSS32.EAX + 4 * n) | 0, r[S.EAX + n]!, 4);
    for (let n = ES; n <= GS; n++) writeSystem((base + TSS32.ES + 4 * n) | 0, r[S.SEG_SELECTOR + n]!, 2);
  }
  function saveTss16(base: number, eip: number, flags: number): void {
    writeSystem((base + TSS16.IP) | 0, eip & 0xffff, 2);
    writeSystem((base + TSS16.FLAGS) | 0, flags & 0xffff, 2);
    for (let n = 0; n < 8; n++) writeSystem((base + TSS16.AX + 2 * n) | 0, r[S.EAX + n]! & 0xffff, 2);
    for (let n = ES; n <= DS; n++) writeSystem((base + TSS16.ES + 2 * n) | 0, r[S.SEG_SELECTOR + n]!, 2);
  }

  function enterTask(state: number[], wide: boolean, nests: boolean): void {
    const selector = (segment: number): number => state[11 + segment]! & 0xffff,
      ldt = state[17]! & 0xffff;
    r[S.CR0]! |= CR0.TS;
    if (wide && r[S.CR0]! < 0) {
      if ((r[S.CR4]! & CR4.PAE) !== 0 && !engine.paging.loadPointers(state[0]!)) fault(GP, 0);
      r[S.CR3] = state[0]!;
      engine.tlb.flushLocal();
    }
    storeFlags((state[2]! & EFLAGS_BITS) | (nests ? NT : 0));
    r[S.EIP] = state[1]!;
    for (let n = 0; n < 8; n++) r[S.EAX + n] = state[3 + n]!;
    r[S.DR7]! &= ~DR7.LOCAL;
    if (wide && (state[18]! & 1) !== 0) r[S.DEBUG_PENDING]! |= DR6.BT;
    // RF came from the TSS: the end of this instruction must leave it; a trap flag loaded counts from the next instruction.
    engine.keepResume();
    engine.noTrap();

    // Selectors are in place before descriptors are checked: a fault on the way sees the new task.
    const vm = (r[S.SYSTEM_FLAGS]! & VM) !== 0;
    for (let n = ES; n <= GS; n++) {
      if (vm) segments.loadReal(n, selector(n));
      else segments.setNull(n, selector(n));
    }
    r[S.CPL] = vm ? 3 : selector(CS) & 3;
    segments.setLdtr(ldt, 0, 0);
    updateMode();
    updateEvents();
    loadLdt(ldt);
    if (!vm) {
      loadCode(selector(CS));
      loadStack(selector(SS));
      for (const segment of DATA_SEGMENTS) loadData(segment, selector(segment));
    }
    updateMode();
    if (r[S.EIP]! >>> 0 > r[S.SEG_LIMIT + CS]! >>> 0) fault(GP, d.ext);
  }
  function loadLdt(selector: number): void {
    if (isNull(selector)) return;
    if ((selector & 4) !== 0 || !d.read(selector) || systemType(d.high) !== TYPE.LDT || !isPresent(d.high)) d.fail(TS, selector);
    segments.setLdtr(selector, d.low, d.high);
  }
  function loadCode(selector: number): void {
    if (isNull(selector)) d.fail(TS, selector);
    d.readOr(TS, selector);
    const dpl = dplOf(d.high),
      rpl = selector & 3;
    if (!isCode(d.high) || (isConformingCode(d.high) ? dpl > rpl : dpl !== rpl)) d.fail(TS, selector);
    if (!isPresent(d.high)) d.fail(NP, selector);
    d.markAccessed(selector);
    segments.setCache(CS, selector, d.low, d.high);
  }
  function loadStack(selector: number): void {
    if (isNull(selector)) d.fail(TS, selector);
    d.readOr(TS, selector);
    if (!isWritableData(d.high) || dplOf(d.high) !== r[S.CPL] || (selector & 3) !== r[S.CPL]) d.fail(TS, selector);
    if (!isPresent(d.high)) d.fail(STACK, selector);
    d.markAccessed(selector);
    segments.setCache(SS, selector, d.low, d.high);
  }
  function loadData(segment: number, selector: number): void {
    if (isNull(selector)) return;
    d.readOr(TS, selector);
    const dpl = dplOf(d.high);
    if (!isReadable(d.high) || (!isConformingCode(d.high) && (dpl < r[S.CPL]! || dpl < (selector & 3)))) d.fail(TS, selector);
    if (!isPresent(d.high)) d.fail(NP, selector);
    d.markAccessed(selector);
    segments.setCache(segment, selector, d.low, d.high);
  }

  return {
    switchTo,
    throughGate(selector, source, eip, resume) {
      if (isNull(selector) || (selector & 4) !== 0) d.fail(GP, selector);
      d.readOr(GP, selector);
      const type = systemType(d.high);
      if (type !== TYPE.TSS16 && type !== TYPE.TSS32) d.fail(GP, selector);
      if (!isPresent(d.high)) d.fail(NP, selector);
      switchTo(selector, source, eip, resume);
    },
    returnToPrevious(eip) {
      const selector = readSystem(r[S.TR_BASE]!, 2);
      if (isNull(selector) || (selector & 4) !== 0) d.fail(TS, selector);
      d.readOr(TS, selector);
      const type = systemType(d.high);
      if (type !== TYPE.TSS16_BUSY && type !== TYPE.TSS32_BUSY) d.fail(TS, selector);
      if (!isPresent(d.high)) d.fail(NP, selector);
      switchTo(selector, SOURCE.IRET, eip, 0);
    },
  };
}
