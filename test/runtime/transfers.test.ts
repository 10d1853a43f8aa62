// Far transfers against SDM volume 2, JMP, CALL, RET, SYSENTER, SYSEXIT.

import assert from 'node:assert/strict';
import { CS, DS, ES, S, SS, VECTOR } from '../../src/translator/state.ts';
import {
  BIG,
  descriptor,
  dpl,
  engine,
  flat,
  GDT,
  gate,
  protectedMode,
  put16,
  put32,
  RIGHTS,
  r,
  raises,
  reset,
  ring3,
  SEL,
  stack16,
  stack32,
  system,
  TSS,
} from './machine.ts';

const { GP, NP, TS } = VECTOR;
const SELECTOR = (segment: number): number => r[S.SEG_SELECTOR + segment]!;
const where = (): number[] => [SELECTOR(CS), r[S.EIP]!, r[S.CPL]!];
const GATE = SEL.free;
const callGate = (selector: number, offset = 0x6000, access: number = RIGHTS.callGate32 | dpl(3), parameters = 0): void =>
  gate(GDT + GATE, selector, offset, access, parameters);

describe('far transfers in real mode', () => {
  beforeEach(() => {
    reset();
    system.farJump(0x1000, 0x10, 16, 0);
    system.loadSegment(SS, 0x2000);
    r[S.ESP] = 0x100;
  });
  it('JMP sets CS and IP, a 16-bit one the low half of the offset', () => {
    system.farJump(0x1234, 0x99990010 | 0, 16, 0);
    assert.deepEqual([...where(), r[S.SEG_BASE + CS]], [0x1234, 0x10, 0, 0x12340]);
    raises(() => system.farJump(0x1234, 0x10000, 32, 0), GP, 0);
  });
  it('CALL and RET keep the return address on the stack', () => {
    system.farCall(0x3000, 0x20, 16, 0x15);
    assert.deepEqual([...where(), r[S.ESP]], [0x3000, 0x20, 0, 0xfc]);
    assert.deepEqual(stack16(2, 0x200fc), [0x15, 0x1000]);
    system.farReturn(16, 6);
    assert.deepEqual([...where(), r[S.ESP]], [0x1000, 0x15, 0, 0x106]);
    system.farCall(0x3000, 0x20, 32, 0x15);
    assert.deepEqual(stack32(2, 0x20000 + r[S.ESP]!), [0x15, 0x1000]);
    system.farReturn(32, 0);
    assert.equal(r[S.ESP], 0x106);
  });
  it('the stack wraps at 64 KiB and an odd word at its end is #SS', () => {
    r[S.ESP] = 2;
    system.farCall(0x3000, 0x20, 16, 0x15);
    assert.equal(r[S.ESP], 0xfffe);
    r[S.ESP] = 1;
    raises(() => system.farCall(0x3000, 0x20, 16, 0x15), VECTOR.SS, 0);
  });
});

describe('direct far transfers in protected mode', () => {
  beforeEach(protectedMode);
  it('a jump to non-conforming code needs DPL = CPL and RPL <= CPL', () => {
    flat(GATE, RIGHTS.code);
    system.farJump(GATE, 0x1234, 32, 0);
    assert.deepEqual(where(), [GATE, 0x1234, 0]);
    raises(() => system.farJump(SEL.code3, 0, 32, 0), GP, SEL.code3 & ~3);
    ring3();
    system.farJump(SEL.code3 & ~3, 0x777, 32, 0);
    assert.deepEqual(where(), [SEL.code3, 0x777, 3]);
    raises(() => system.farJump(SEL.code0, 0, 32, 0), GP, SEL.code0);
  });
  it('conforming code is entered from outer levels and keeps CPL', () => {
    ring3();
    system.farJump(SEL.conforming, 0x100, 32, 0);
    assert.deepEqual(where(), [SEL.conforming | 3, 0x100, 3]);
    protectedMode();
    flat(GATE, RIGHTS.conforming | dpl(3));
    raises(() => system.farJump(GATE, 0, 32, 0), GP, GATE);
  });
  it('null, outside, data, absent and offsets beyond the limit fault', () => {
    raises(() => system.farJump(0, 0, 32, 0), GP, 0);
    raises(() => system.farJump(0x1000, 0, 32, 0), GP, 0x1000);
    raises(() => system.farJump(SEL.data0, 0, 32, 0), GP, SEL.data0);
    flat(GATE, RIGHTS.code & 0x7f);
    raises(() => system.farJump(GATE, 0, 32, 0), NP, GATE);
    descriptor(GDT + GATE, 0, 0xff, RIGHTS.code, BIG);
    raises(() => system.farJump(GATE, 0x100, 32, 0), GP, 0);
    raises(() => system.farCall(GATE, 0x100, 32, 0), GP, 0);
    assert.deepEqual([...where(), r[S.ESP]], [SEL.code0, 0x5000, 0, 0x8000]);
  });
  it('RET to an outer level loads its stack, releases parameters on both and drops inner segments', () => {
    for (const [n, word] of [0x123, SEL.code3, 0xaaaa, 0x7000, SEL.data3].entries()) put32(0x8000 + 4 * n, word);
    system.loadSegment(ES, SEL.data3);
    system.farReturn(32, 4);
    assert.deepEqual(
      [...where(), SELECTOR(SS), r[S.ESP], SELECTOR(DS), SELECTOR(ES)],
      [SEL.code3, 0x123, 3, SEL.data3, 0x7004, 0, SEL.data3],
    );
  });
  it('RET refuses an inner level', () => {
    ring3();
    put32(0x7000, 0);
    put32(0x7004, SEL.code0);
    raises(() => system.farReturn(32, 0), GP, SEL.code0);
  });
});

describe('call gates', () => {
  beforeEach(() => {
    protectedMode();
    ring3();
  });
  it('a call to an inner level switches stacks and copies the parameters', () => {
    callGate(SEL.code0, 0x6000, RIGHTS.callGate32 | dpl(3), 3);
    for (let n = 0; n < 3; n++) put32(0x7000 + 4 * n, 0x100 + n);
    system.farCall(GATE, 0xdead, 32, 0x5007);
    assert.deepEqual([...where(), SELECTOR(SS), r[S.ESP]], [SEL.code0, 0x6000, 0, SEL.data0, 0x9000 - 28]);
    assert.deepEqual(stack32(7), [0x5007, SEL.code3, 0x100, 0x101, 0x102, 0x7000, SEL.data3]);
    system.farReturn(32, 12);
    assert.deepEqual([...where(), SELECTOR(SS), r[S.ESP]], [SEL.code3, 0x5007, 3, SEL.data3, 0x700c]);
  });
  it('a 16-bit gate uses words', () => {
    callGate(SEL.code0, 0x12346000, RIGHTS.callGate16 | dpl(3), 1);
    put16(0x7000, 0x4321);
    system.farCall(GATE, 0, 32, 0x5007);
    assert.deepEqual([...where(), r[S.ESP]], [SEL.code0, 0x6000, 0, 0x9000 - 10]);
    assert.deepEqual(stack16(5), [0x5007, SEL.code3, 0x4321, 0x7000, SEL.data3]);
    system.farReturn(16, 2);
    assert.deepEqual([...where(), r[S.ESP]], [SEL.code3, 0x5007, 3, 0x7002]);
  });
  it('a call at the same level and into conforming code stays on the stack', () => {
    callGate(SEL.code3);
    system.farCall(GATE, 0, 16, 0x5007);
    assert.deepEqual([...where(), ...stack32(2)], [SEL.code3, 0x6000, 3, 0x5007, SEL.code3]);
    callGate(SEL.conforming);
    system.farCall(GATE, 0, 16, 0x5007);
    assert.deepEqual(where(), [SEL.conforming | 3, 0x6000, 3]);
  });
  it('a jump may not change the level', () => {
    callGate(SEL.code0);
    raises(() => system.farJump(GATE, 0, 32, 0), GP, SEL.code0);
    callGate(SEL.code3);
    system.farJump(GATE, 0, 32, 0);
    assert.deepEqual(where(), [SEL.code3, 0x6000, 3]);
  });
  const wrong: [string, () => void, number, number][] = [
    ['gate of an inner level', () => callGate(SEL.code0, 0, RIGHTS.callGate32), GP, GATE],
    ['gate not present', () => callGate(SEL.code0, 0, (RIGHTS.callGate32 & 0x7f) | dpl(3)), NP, GATE],
    ['null code selector', () => callGate(0), GP, 0],
    ['code selector outside', () => callGate(0x1000), GP, 0x1000],
    ['data', () => callGate(SEL.data0), GP, SEL.data0],
    ['code not present', () => (flat(0x40, RIGHTS.code & 0x7f), callGate(0x40)), NP, 0x40],
    ['offset beyond the limit', () => (descriptor(GDT + 0x40, 0, 0xff, RIGHTS.code, BIG), callGate(0x40)), GP, 0],
    ['TSS too short', () => (callGate(SEL.code0), (r[S.TR_LIMIT] = 8)), TS, SEL.tss],
    ['null stack', () => (callGate(SEL.code0), put32(TSS + 8, 0)), TS, 0],
    ['stack of another level', () => (callGate(SEL.code0), put32(TSS + 8, SEL.data3)), TS, SEL.data3 & ~3],
    ['stack not present', () => (callGate(SEL.code0), flat(0x40, RIGHTS.data & 0x7f), put32(TSS + 8, 0x40)), VECTOR.SS, 0x40],
    [
      'no room on the inner stack',
      () => (callGate(SEL.code0), descriptor(GDT + 0x40, 0, 0xfff, RIGHTS.data, BIG), put32(TSS + 8, 0x40), put32(TSS + 4, 12)),
      VECTOR.SS,
      0x40,
    ],
  ];
  for (const [what, prepare, vector, code] of wrong) {
    it(`${what}: vector ${vector}(${code.toString(16)}), nothing changed`, () => {
      prepare();
      const before = [...r.subarray(0, 80)];
      raises(() => system.farCall(GATE, 0, 32, 0x5007), vector, code);
      assert.deepEqual([...r.subarray(0, 80)], before);
    });
  }
  it("a gate's RPL counts as well as CPL", () => {
    callGate(SEL.code0, 0x6000, RIGHTS.callGate32 | dpl(2));
    protectedMode();
    callGate(SEL.code0, 0x6000, RIGHTS.callGate32 | dpl(2));
    raises(() => system.farCall(GATE | 3, 0, 32, 0), GP, GATE);
    system.farCall(GATE | 2, 0, 32, 0);
  });
});

describe('SYSENTER and SYSEXIT', () => {
  beforeEach(() => {
    protectedMode();
    r[S.SYSENTER_CS] = 0x100;
    r[S.SYSENTER_ESP] = 0x8800;
    r[S.SYSENTER_EIP] = 0x6600;
  });
  it('SYSENTER goes to flat ring 0 without reading a descriptor, IF clear', () => {
    ring3();
    engine.setFlags(0x202);
    system.sysenter();
    assert.deepEqual([...where(), SELECTOR(SS), r[S.ESP], engine.getFlags()], [0x100, 0x6600, 0, 0x108, 0x8800, 2]);
    assert.deepEqual([r[S.SEG_ACCESS + CS], r[S.SEG_ACCESS + SS], r[S.SEG_LIMIT + CS]], [0xc09b, 0xc093, -1]);
  });
  it('SYSEXIT goes to flat ring 3 at EDX with ECX as stack', () => {
    r[S.ECX] = 0x7000;
    r[S.EDX] = 0x5555;
    system.sysexit();
    assert.deepEqual([...where(), SELECTOR(SS), r[S.ESP]], [0x113, 0x5555, 3, 0x11b, 0x7000]);
    raises(() => system.sysexit(), GP, 0);
  });
  it('both need protected mode and a selector', () => {
    r[S.SYSENTER_CS] = 3;
    raises(() => system.sysenter(), GP, 0);
    raises(() => system.sysexit(), GP, 0);
    reset();
    r[S.SYSENTER_CS] = 8;
    raises(() => system.sysenter(), GP, 0);
  });
});
