// Hardware task switches against SDM volume 3, "Task Management".

import assert from 'node:assert/strict';
import { GuestFault } from '../../src/runtime/faults.ts';
import { CS, DS, ES, FS, GS, S, SS, VECTOR } from '../../src/translator/state.ts';
import {
  BIG,
  descriptor,
  dpl,
  engine,
  flat,
  GDT,
  gate,
  get8,
  get16,
  get32,
  host,
  IDT,
  interrupts,
  LDT,
  protectedMode,
  put16,
  put32,
  RIGHTS,
  r,
  raises,
  ring3,
  SEL,
  stack16,
  stack32,
  system,
  TSS,
} from './machine.ts';

const { GP, NP, TS } = VECTOR;
const NEW = 0xa000,
  TASK = 0x40,
  GATE = 0x48;
const SELECTOR = (segment: number): number => r[S.SEG_SELECTOR + segment]!;
const busy = (selector: number): boolean => (get8(GDT + selector + 5) & 2) !== 0;

interface Wish {
  cs?: number;
  ss?: number;
  ds?: number;
  eip?: number;
  flags?: number;
  ldt?: number;
  trap?: number;
  esp?: number;
}
function task32({
  cs = SEL.code0,
  ss = SEL.data0,
  ds = SEL.data0,
  eip = 0x6000,
  flags = 2,
  ldt = 0,
  trap = 0,
  esp = 0xb000,
}: Wish = {}): void {
  descriptor(GDT + TASK, NEW, 0x67, RIGHTS.tss32);
  put32(NEW + 0x1c, 0x1f000);
  put32(NEW + 0x20, eip);
  put32(NEW + 0x24, flags);
  for (let n = 0; n < 8; n++) put32(NEW + 0x28 + 4 * n, n === 4 ? esp : 0x10000 * (n + 1));
  for (const [n, selector] of [ds, cs, ss, ds, ds, ds].entries()) put32(NEW + 0x48 + 4 * n, selector);
  put32(NEW + 0x60, ldt);
  put16(NEW + 0x64, trap);
  put16(NEW + 0x66, 0x68);
}
function task16({ cs = SEL.code0, ss = SEL.data0, ds = SEL.data0, eip = 0x6000, flags = 2 }: Wish = {}): void {
  descriptor(GDT + TASK, NEW, 0x2b, RIGHTS.tss16);
  put16(NEW + 0x0e, eip);
  put16(NEW + 0x10, flags);
  for (let n = 0; n < 8; n++) put16(NEW + 0x12 + 2 * n, n === 4 ? 0xb000 : 0x1111 * (n + 1));
  for (const [n, selector] of [ds, cs, ss, ds].entries()) put16(NEW + 0x22 + 2 * n, selector);
  put16(NEW + 0x2a, 0);
}

describe('task switches', () => {
  beforeEach(() => {
    protectedMode();
    engine.setFlags(0x247);
    for (let n = 0; n < 8; n++) if (n !== 4) r[S.EAX + n] = 0x1000 + n;
  });

  it('JMP saves the old task, loads the new one and moves the busy mark', () => {
    task32({ flags: 0x246 });
    system.farJump(TASK, 0, 32, 0x5007);
    assert.deepEqual([get32(TSS + 0x20), get32(TSS + 0x24)], [0x5007, 0x247]);
    assert.deepEqual(
      Array.from({ length: 8 }, (_, n) => get32(TSS + 0x28 + 4 * n)),
      [0x1000, 0x1001, 0x1002, 0x1003, 0x8000, 0x1005, 0x1006, 0x1007],
    );
    assert.deepEqual(
      Array.from({ length: 6 }, (_, n) => get16(TSS + 0x48 + 4 * n)),
      [0x10, 8, 0x10, 0x10, 0x10, 0x10],
    );
    assert.deepEqual([r[S.EIP], engine.getFlags(), r[S.ESP], r[S.EAX], r[S.EDI]], [0x6000, 0x246, 0xb000, 0x10000, 0x80000]);
    assert.deepEqual([r[S.TR_SELECTOR], r[S.TR_BASE], busy(TASK), busy(SEL.tss)], [TASK, NEW, true, false]);
    assert.equal(r[S.CR0]! & 8, 8, 'CR0.TS');
    assert.deepEqual(host.exits, [{ reason: 'taskSwitch', qualification: TASK, detail: 2 }]);
  });
  it('CALL nests: link, NT, both busy; IRET returns', () => {
    task32();
    system.farCall(TASK, 0, 32, 0x5007);
    assert.deepEqual([get16(NEW), engine.getFlags() & 0x4000, busy(TASK), busy(SEL.tss)], [SEL.tss, 0x4000, true, true]);
    system.interruptReturn(32, 0x6001);
    assert.deepEqual([r[S.EIP], engine.getFlags(), r[S.TR_SELECTOR], busy(TASK), busy(SEL.tss)], [0x5007, 0x247, SEL.tss, false, true]);
    assert.deepEqual([get32(NEW + 0x20), get32(NEW + 0x24) & 0x4000], [0x6001, 0]);
    assert.deepEqual([r[S.ECX], r[S.ESP]], [0x1001, 0x8000]);
    assert.deepEqual(
      host.exits.map((e) => e.detail),
      [0, 1],
    );
  });
  it("through a task gate, whose level counts and not the TSS's", () => {
    ring3();
    task32();
    gate(GDT + GATE, TASK, 0, RIGHTS.taskGate | dpl(3));
    raises(() => system.farJump(TASK, 0, 32, 0), GP, TASK);
    system.farJump(GATE, 0, 32, 0x5007);
    assert.deepEqual([r[S.CPL], SELECTOR(CS)], [0, SEL.code0]);
  });
  it('a 16-bit TSS holds the low halves', () => {
    task16();
    system.farCall(TASK, 0, 32, 0x5007);
    assert.deepEqual([r[S.EIP], r[S.ESP]! & 0xffff, r[S.EAX]! & 0xffff, r[S.EDI]! & 0xffff], [0x6000, 0xb000, 0x1111, 0x8888]);
    assert.deepEqual([SELECTOR(FS), SELECTOR(GS), SELECTOR(DS)], [0, 0, SEL.data0]);
    r[S.ESP] = 0x1234b100;
    system.interruptReturn(16, 0x6002);
    assert.deepEqual([get16(NEW + 0x0e), get16(NEW + 0x1a), r[S.EIP], r[S.ESP]], [0x6002, 0xb100, 0x5007, 0x8000]);
  });
  it('an interrupt through a task gate saves EIP and pushes the error code on the new stack', () => {
    task32();
    gate(IDT + 8 * GP, TASK, 0, RIGHTS.taskGate);
    interrupts.deliverException(Object.assign(new GuestFault(), { vector: GP, errorCode: 0x18 }));
    assert.deepEqual([r[S.EIP], r[S.ESP], ...stack32(1)], [0x6000, 0xaffc, 0x18]);
    assert.deepEqual([get32(TSS + 0x20), get32(TSS + 0x24), get16(NEW)], [0x5000, 0x10247, SEL.tss]);
    assert.equal(host.exits.at(-1)?.detail, 3);
    protectedMode();
    descriptor(GDT + 0x58, 0, 0xffff, RIGHTS.data);
    task16({ ss: 0x58 });
    gate(IDT + 8 * GP, TASK, 0, RIGHTS.taskGate);
    interrupts.deliverException(Object.assign(new GuestFault(), { vector: GP, errorCode: 0x18 }));
    assert.deepEqual([r[S.ESP]! & 0xffff, ...stack16(1, 0xaffe)], [0xaffe, 0x18]);
  });
  it('into virtual-8086 mode', () => {
    task32({ flags: 0x20002, cs: 0x1000, ss: 0x2000, ds: 0x3000, eip: 0x12 });
    system.farJump(TASK, 0, 32, 0x5007);
    assert.deepEqual(
      [r[S.CPL], r[S.SEG_BASE + CS], r[S.SEG_BASE + SS], r[S.SEG_BASE + ES], r[S.SEG_ACCESS + GS]],
      [3, 0x10000, 0x20000, 0x30000, 0xf3],
    );
  });
  it('loads the LDT before the segments, and CR3 only with paging', () => {
    descriptor(LDT + 8, 0x777, 0xffff, RIGHTS.data);
    task32({ ldt: SEL.ldt, ds: 0x0c });
    system.farJump(TASK, 0, 32, 0);
    assert.deepEqual([r[S.LDTR_SELECTOR], r[S.SEG_BASE + DS], r[S.CR3]], [SEL.ldt, 0x777, 0]);
  });
  it('clears the local breakpoints of DR7 and arms the debug trap of a TSS with T', () => {
    r[S.DR7] = 0x7ff;
    task32({ trap: 1 });
    system.farJump(TASK, 0, 32, 0);
    assert.deepEqual([r[S.DR7], r[S.DEBUG_PENDING]], [0x6aa, 0x8000]);
    gate(IDT + 8, SEL.code0, 0x6100, RIGHTS.interruptGate32);
    interrupts.deliverDebugTrap();
    assert.deepEqual([r[S.DR6]! & 0x8000, r[S.EIP], stack32(1)[0]], [0x8000, 0x6100, 0x6000]);
  });

  const before: [string, () => void, () => void, number, number][] = [
    ['busy TSS by JMP', () => descriptor(GDT + TASK, NEW, 0x67, RIGHTS.tss32 | 2), () => system.farJump(TASK, 0, 32, 0), GP, TASK],
    ['absent TSS', () => descriptor(GDT + TASK, NEW, 0x67, RIGHTS.tss32 & 0x7f), () => system.farCall(TASK, 0, 32, 0), NP, TASK],
    ['TSS with a limit below 67h', () => descriptor(GDT + TASK, NEW, 0x66, RIGHTS.tss32), () => system.farJump(TASK, 0, 32, 0), TS, TASK],
    [
      '16-bit TSS with a limit below 2Bh',
      () => descriptor(GDT + TASK, NEW, 0x2a, RIGHTS.tss16),
      () => system.farJump(TASK, 0, 32, 0),
      TS,
      TASK,
    ],
    ['task gate to the LDT', () => gate(GDT + GATE, TASK | 4, 0, RIGHTS.taskGate), () => system.farJump(GATE, 0, 32, 0), GP, TASK | 4],
    ['task gate to a busy TSS', () => gate(GDT + GATE, SEL.tss, 0, RIGHTS.taskGate), () => system.farJump(GATE, 0, 32, 0), GP, SEL.tss],
    ['task gate that is absent', () => gate(GDT + GATE, TASK, 0, RIGHTS.taskGate & 0x7f), () => system.farJump(GATE, 0, 32, 0), NP, GATE],
    [
      'IRET with NT to a TSS that is not busy',
      () => (engine.setFlags(0x4002), put16(TSS, TASK)),
      () => system.interruptReturn(32, 0),
      TS,
      TASK,
    ],
    [
      'IRET with NT and a link into the LDT',
      () => (engine.setFlags(0x4002), put16(TSS, TASK | 4)),
      () => system.interruptReturn(32, 0),
      TS,
      TASK | 4,
    ],
  ];
  for (const [what, prepare, action, vector, code] of before) {
    it(`${what}: vector ${vector}(${code.toString(16)}) in the old task`, () => {
      task32();
      prepare();
      raises(action, vector, code);
      assert.deepEqual([r[S.TR_SELECTOR], r[S.EIP]], [SEL.tss, 0x5000]);
    });
  }
  const after: [string, Wish, number, number][] = [
    ['LDT selector of no LDT', { ldt: SEL.tss }, TS, SEL.tss],
    ['null CS', { cs: 0 }, TS, 0],
    ['CS of another level than its RPL', { cs: SEL.code3 & ~3 }, TS, SEL.code3 & ~3],
    ['data in CS', { cs: SEL.data0 }, TS, SEL.data0],
    ['absent CS', { cs: 0x50 }, NP, 0x50],
    ['null SS', { ss: 0 }, TS, 0],
    ['SS of another level', { ss: SEL.data3 }, TS, SEL.data3 & ~3],
    ['absent SS', { ss: 0x58 }, VECTOR.SS, 0x58],
    ['DS outside the GDT', { ds: 0x1000 }, TS, 0x1000],
    ['absent DS', { ds: 0x58 }, NP, 0x58],
    ['EIP beyond the limit of CS', { cs: 0x60, eip: 0x100 }, GP, 0],
  ];
  for (const [what, wish, vector, code] of after) {
    it(`${what}: vector ${vector}(${code.toString(16)}) in the new task`, () => {
      flat(0x50, RIGHTS.code & 0x7f);
      flat(0x58, RIGHTS.data & 0x7f);
      descriptor(GDT + 0x60, 0, 0xff, RIGHTS.code, BIG);
      task32(wish);
      raises(() => system.farJump(TASK, 0, 32, 0x5007), vector, code);
      assert.deepEqual([r[S.TR_SELECTOR], r[S.EIP], get32(TSS + 0x20)], [TASK, wish.eip ?? 0x6000, 0x5007]);
    });
  }
  it('a page fault on the new TSS leaves the old task untouched', () => {
    put32(0x1f000, 0x20003);
    for (let n = 0; n < 64; n++) put32(0x20000 + 4 * n, n === NEW >> 12 ? 0 : (n * 4096) | 3);
    r[S.CR3] = 0x1f000;
    system.writeControl(0, 0x80000011 | 0);
    task32();
    raises(() => system.farCall(TASK, 0, 32, 0x5007), VECTOR.PF, 2);
    raises(() => system.farJump(TASK, 0, 32, 0x5007), VECTOR.PF, 0);
    assert.deepEqual([r[S.TR_SELECTOR], busy(TASK), busy(SEL.tss), get32(TSS + 0x20)], [SEL.tss, false, true, 0]);
  });
  it('a fault in a new task entered for an interrupt has EXT', () => {
    task32({ ss: SEL.data3 });
    gate(IDT + 8 * 0x20, TASK, 0, RIGHTS.taskGate);
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual(host.exits.filter((e) => e.reason === 'exception').map((e) => [e.qualification, e.detail])[0], [
      TS,
      (SEL.data3 & ~3) | 1,
    ]);
  });
});
