// Delivery of exceptions and interrupts and IRET, against SDM volume 3, "Interrupt and Exception Handling", and volume 2, INT n, IRET.

import assert from 'node:assert/strict';
import { ACTIVITY, PIN, SHADOW } from '../../src/runtime/events.ts';
import { GuestFault, makesDoubleFault } from '../../src/runtime/faults.ts';
import { CS, DS, ES, FS, GS, S, SS, VECTOR } from '../../src/translator/state.ts';
import {
  BIG,
  descriptor,
  dpl,
  engine,
  flat,
  GDT,
  GRANULAR,
  gate,
  get16,
  get32,
  host,
  IDT,
  interrupts,
  memory,
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

const { GP, NP, PF, DF } = VECTOR;
const SELECTOR = (segment: number): number => r[S.SEG_SELECTOR + segment]!;
function exception(vector: number, errorCode = -1, address = 0, debugStatus = 0): void {
  interrupts.deliverException(Object.assign(new GuestFault(), { vector, errorCode, address, debugStatus }));
}
const HANDLER = 0x6000;
const setGate = (vector: number, selector: number = SEL.code0, access: number = RIGHTS.interruptGate32, offset = HANDLER): void =>
  gate(IDT + 8 * vector, selector, offset, access);
const kinds = (): string[] => host.exits.map((e) => e.reason);

describe('real mode', () => {
  beforeEach(() => {
    reset();
    r[S.IDTR_LIMIT] = 0x3ff;
    system.farJump(0x1000, 0x234, 16, 0);
    system.loadSegment(SS, 0x2000);
    r[S.ESP] = 0x12340100;
    engine.setFlags(0x0302 | 0x40000 | 1);
    put16(4 * 8, 0x5678);
    put16(4 * 8 + 2, 0x3000);
  });
  it('an external interrupt pushes FLAGS, CS, IP as words and clears IF, TF and AC', () => {
    interrupts.deliverInterrupt(8);
    assert.deepEqual([SELECTOR(CS), r[S.EIP], r[S.ESP]], [0x3000, 0x5678, 0x123400fa]);
    assert.deepEqual(stack16(3, 0x200fa), [0x234, 0x1000, 0x303]);
    assert.equal(engine.getFlags(), 3);
    assert.deepEqual(kinds(), ['externalInterrupt']);
  });
  it('an exception pushes no error code', () => {
    put32(13 * 4, 0x30005678);
    exception(GP, 0);
    assert.equal(r[S.ESP]! & 0xffff, 0xfa);
    assert.deepEqual(stack16(1, 0x200fa), [0x234]);
  });
  it('IRET takes them back; the 32-bit form keeps VM, VIF and VIP', () => {
    interrupts.deliverInterrupt(8);
    system.interruptReturn(16, 0);
    assert.deepEqual([SELECTOR(CS), r[S.EIP], r[S.ESP], engine.getFlags()], [0x1000, 0x234, 0x12340100, 0x303]);
    r[S.ESP] = 0x80;
    put32(0x20080, 0x99);
    put32(0x20084, 0x4444);
    put32(0x20088, 0x003f7fd7 | 0);
    system.interruptReturn(32, 0);
    assert.deepEqual([SELECTOR(CS), r[S.EIP], r[S.ESP]], [0x4444, 0x99, 0x8c]);
    assert.equal(engine.getFlags(), 0x257fd7);
  });
  it('a vector beyond the table is #GP, and beyond the table for #DF too, a shutdown', () => {
    r[S.IDTR_LIMIT] = 0x1f;
    interrupts.deliverInterrupt(0x40);
    assert.equal(r[S.ACTIVITY], ACTIVITY.SHUTDOWN);
    assert.deepEqual(kinds(), ['externalInterrupt', 'exception', 'exception', 'tripleFault']);
    assert.deepEqual(
      host.exits.map((e) => e.qualification),
      [0x40, GP, DF, GP],
    );
  });
  it('software interrupts push the next instruction', () => {
    put32(0x21 * 4, 0x30005678);
    system.softwareInterrupt(0x21, 0, 0x236);
    assert.deepEqual(stack16(2, 0x200fa), [0x236, 0x1000]);
  });
});

describe('protected mode, same level', () => {
  beforeEach(() => {
    protectedMode();
    engine.setFlags(0x4302);
  });
  it('an interrupt gate pushes EFLAGS, CS, EIP and clears TF, NT, RF and IF', () => {
    setGate(0x20);
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual([SELECTOR(CS), r[S.EIP], r[S.ESP]], [SEL.code0, HANDLER, 0x7ff4]);
    assert.deepEqual(stack32(3), [0x5000, SEL.code0, 0x4302]);
    assert.equal(engine.getFlags(), 2);
  });
  it('a trap gate leaves IF', () => {
    setGate(0x20, SEL.code0, RIGHTS.trapGate32);
    interrupts.deliverInterrupt(0x20);
    assert.equal(engine.getFlags(), 0x202);
  });
  it('16-bit gates push words and use 16 bits of the offset', () => {
    setGate(0x20, SEL.code0, RIGHTS.interruptGate16, 0x12346000);
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual(stack16(3), [0x5000, SEL.code0, 0x4302]);
    assert.equal(r[S.EIP], 0x6000);
  });
  it('a fault pushes its error code, and EFLAGS with RF', () => {
    setGate(GP);
    exception(GP, 0x1234);
    assert.deepEqual(stack32(4), [0x1234, 0x5000, SEL.code0, 0x14302]);
  });
  it('a page fault loads CR2', () => {
    setGate(PF);
    exception(PF, 2, 0xc0001234 | 0);
    assert.equal(r[S.CR2]! >>> 0, 0xc0001234);
  });
  it('an instruction breakpoint pushes RF as it was; DR6 tells it and GD is cleared', () => {
    setGate(1);
    r[S.DR7] = 0x2400;
    exception(1, -1, 0, 4);
    assert.deepEqual(stack32(3), [0x5000, SEL.code0, 0x4302]);
    assert.equal(r[S.DR6]! & 0xf, 4);
    assert.equal(r[S.DR7], 0x400);
  });
  it("conforming code runs at the caller's level", () => {
    ring3();
    setGate(0x20, SEL.conforming);
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual([SELECTOR(CS), r[S.CPL], r[S.ESP]], [SEL.conforming | 3, 3, 0x6ff4]);
  });
  it('an interrupt ends HLT and the shadow', () => {
    setGate(0x20);
    r[S.ACTIVITY] = ACTIVITY.HALT;
    r[S.SHADOW] = SHADOW.STI;
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual([r[S.ACTIVITY], r[S.SHADOW]], [ACTIVITY.ACTIVE, SHADOW.NONE]);
  });
});

describe('protected mode, inner level', () => {
  beforeEach(() => {
    protectedMode();
    ring3();
    engine.setFlags(0x202);
  });
  it('switches to the stack in the TSS', () => {
    setGate(0x20);
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual([SELECTOR(CS), SELECTOR(SS), r[S.CPL], r[S.ESP]], [SEL.code0, SEL.data0, 0, 0x9000 - 20]);
    assert.deepEqual(stack32(5), [0x5000, SEL.code3, 0x202, 0x7000, SEL.data3]);
    assert.equal(SELECTOR(DS), SEL.data3);
  });
  it('goes to ring 1 as well, and IRET comes back and drops segments of the inner ring', () => {
    setGate(0x20, SEL.code1 & ~3, RIGHTS.interruptGate32 | dpl(3));
    system.softwareInterrupt(0x20, 0, 0x5002);
    assert.deepEqual([SELECTOR(CS), SELECTOR(SS), r[S.CPL], r[S.ESP]], [SEL.code1, SEL.data1, 1, 0x9800 - 20]);
    system.loadSegment(ES, SEL.data1);
    system.interruptReturn(32, 0);
    assert.deepEqual([SELECTOR(CS), SELECTOR(SS), r[S.CPL], r[S.ESP], r[S.EIP]], [SEL.code3, SEL.data3, 3, 0x7000, 0x5002]);
    assert.deepEqual([SELECTOR(ES), SELECTOR(DS)], [0, SEL.data3]);
    // Ring 1 with IOPL 0 may not set IF again.
    assert.equal(engine.getFlags(), 2);
  });
  it('an error code goes on the inner stack', () => {
    setGate(GP);
    exception(GP, 0x18);
    assert.deepEqual(stack32(6), [0x18, 0x5000, SEL.code3, 0x10202, 0x7000, SEL.data3]);
  });
  it('takes the stack from a 16-bit TSS', () => {
    descriptor(GDT + SEL.free, 0xa000, 0x2b, RIGHTS.tss16);
    r[S.CPL] = 0;
    system.loadTr(SEL.free);
    r[S.CPL] = 3;
    put16(0xa002, 0x8800);
    put16(0xa004, SEL.data0);
    setGate(0x20);
    interrupts.deliverInterrupt(0x20);
    assert.equal(r[S.ESP], 0x8800 - 20);
  });

  /** Faults of the delivery itself: [what is wrong, vector and error code of the exception that the guest sees]. */
  const wrong: [string, () => void, number, number][] = [
    ['gate beyond the IDT', () => (r[S.IDTR_LIMIT] = 0x100), GP, 0x20 * 8 + 2],
    ['no gate type', () => setGate(0x20, SEL.code0, 0x8c), GP, 0x20 * 8 + 2],
    ['gate not present', () => setGate(0x20, SEL.code0, RIGHTS.interruptGate32 & 0x7f), NP, 0x20 * 8 + 2],
    ['null code selector', () => setGate(0x20, 0), GP, 0],
    ['code selector beyond the GDT', () => setGate(0x20, 0x1000), GP, 0x1000],
    ['data instead of code', () => setGate(0x20, SEL.data0), GP, SEL.data0],
    ['code not present', () => (flat(SEL.free, RIGHTS.code & 0x7f), setGate(0x20, SEL.free)), NP, SEL.free],
    [
      'handler beyond the limit of its segment',
      () => (descriptor(GDT + SEL.free, 0, 0xff, RIGHTS.code, BIG), setGate(0x20, SEL.free)),
      GP,
      0,
    ],
    ['TSS too short', () => (r[S.TR_LIMIT] = 8), VECTOR.TS, SEL.tss],
    ['null stack selector', () => put32(TSS + 8, 0), VECTOR.TS, 0],
    ['stack selector of another level', () => put32(TSS + 8, SEL.data3), VECTOR.TS, SEL.data3 & ~3],
    ['stack selector beyond the GDT', () => put32(TSS + 8, 0x2000), VECTOR.TS, 0x2000],
    ['read-only stack', () => (flat(SEL.free, RIGHTS.dataReadOnly), put32(TSS + 8, SEL.free)), VECTOR.TS, SEL.free],
    ['stack not present', () => (flat(SEL.free, RIGHTS.data & 0x7f), put32(TSS + 8, SEL.free)), VECTOR.SS, SEL.free],
    [
      'no room on the stack',
      () => (descriptor(GDT + SEL.free, 0, 0xffff, RIGHTS.data, BIG), put32(TSS + 8, SEL.free), put32(TSS + 4, 16)),
      VECTOR.SS,
      SEL.free,
    ],
  ];
  for (const [what, prepare, vector, code] of wrong) {
    it(`${what}: INT raises vector ${vector}(${code.toString(16)}), an external interrupt the same with EXT`, () => {
      setGate(0x20, SEL.code0, RIGHTS.interruptGate32 | dpl(3));
      prepare();
      if (what !== 'gate beyond the IDT') put32(IDT + 0x20 * 8 + 4, get32(IDT + 0x20 * 8 + 4) | 0x6000);
      const before = [...r.subarray(0, 80)];
      raises(() => system.softwareInterrupt(0x20, 0, 0x5002), vector, code);
      assert.deepEqual([...r.subarray(0, 80)], before);
      interrupts.deliverInterrupt(0x20);
      const second = host.exits.find((e) => e.reason === 'exception');
      assert.deepEqual([second?.qualification, second?.detail], [vector, code | 1]);
    });
  }
  it("INT n checks the gate's privilege, exceptions, interrupts and INT1 do not", () => {
    setGate(0x20);
    raises(() => system.softwareInterrupt(0x20, 0, 0x5002), GP, 0x20 * 8 + 2);
    setGate(3);
    raises(() => system.softwareInterrupt(3, 1, 0x5001), GP, 3 * 8 + 2);
    setGate(1);
    system.softwareInterrupt(1, 3, 0x5001);
    assert.equal(r[S.CPL], 0);
  });
  it("a stack that is not mapped raises #PF from the supervisor's write", () => {
    r[S.CPL] = 0;
    for (let n = 0; n < 16; n++) put32(0x20000 + 4 * n, (n * 4096) | 7);
    put32(0x1f000, 0x20007);
    put32(TSS + 4, 0x00400000);
    r[S.CR3] = 0x1f000;
    system.writeControl(0, 0x80000011 | 0);
    r[S.CPL] = 3;
    engine.updateMode();
    setGate(0x20, SEL.code0, RIGHTS.interruptGate32 | dpl(3));
    assert.equal(
      raises(() => system.softwareInterrupt(0x20, 0, 0x5002), PF, 2),
      0x003ffffc,
    );
  });
});

describe('double and triple faults', () => {
  const { DE, TS, NP: notPresent, SS: stackFault, DB, UD, NM } = VECTOR;
  const contributory: number[] = [DE, TS, notPresent, stackFault, GP],
    benign: number[] = [DB, VECTOR.NMI, VECTOR.BP, VECTOR.OF, VECTOR.BR, UD, NM, VECTOR.MF, VECTOR.AC];
  it("classes combine as in the SDM's table", () => {
    for (const first of [...benign, ...contributory, PF]) {
      for (const second of [...benign, ...contributory, PF]) {
        const expected = contributory.includes(first)
          ? contributory.includes(second)
          : first === PF
            ? contributory.includes(second) || second === PF
            : false;
        assert.equal(makesDoubleFault(first, second), expected, `${first} then ${second}`);
      }
    }
  });
  beforeEach(protectedMode);
  it('a fault in delivering #GP is a double fault with error code 0', () => {
    setGate(DF);
    exception(GP, 0x10);
    assert.deepEqual(stack32(4), [0, 0x5000, SEL.code0, 2]);
    assert.deepEqual(
      host.exits.map((e) => [e.qualification, e.detail]),
      [
        [GP, 0x10],
        [DF, 0],
      ],
    );
  });
  it('a fault in delivering a benign exception is delivered by itself, with EXT', () => {
    setGate(GP);
    exception(UD);
    assert.deepEqual(stack32(2), [UD * 8 + 3, 0x5000]);
  });
  it('#PF in delivering #GP is delivered by itself and sets CR2', () => {
    r[S.CR3] = 0x1f000;
    put32(0x1f000, 0x20003);
    for (let n = 0; n < 32; n++) put32(0x20000 + 4 * n, (n * 4096) | 3);
    r[S.CR0]! |= 0x80000000;
    engine.refresh();
    setGate(PF);
    setGate(GP);
    descriptor(GDT + SEL.free, 0x00400000, 0xffff, RIGHTS.code, BIG);
    // The descriptor of the handler's segment lies in an absent page.
    setGate(GP, 0x2000);
    r[S.GDTR_LIMIT] = 0xffff;
    r[S.GDTR_BASE] = GDT;
    put32(0x20000 + 4 * 3, 0);
    engine.tlb.flush();
    exception(GP, 0);
    assert.equal(r[S.CR2], GDT + 0x2000);
    assert.equal(stack32(1)[0], 0);
    assert.deepEqual(
      host.exits.map((e) => e.qualification),
      [GP, PF],
    );
  });
  it('a fault in delivering the double fault shuts down and keeps the machine', () => {
    exception(GP, 0x10);
    assert.deepEqual([r[S.ACTIVITY], r[S.EIP], r[S.ESP]], [ACTIVITY.SHUTDOWN, 0x5000, 0x8000]);
    assert.deepEqual(kinds(), ['exception', 'exception', 'tripleFault']);
  });
});

describe('virtual-8086 mode', () => {
  const enter = (iopl: number): void => {
    protectedMode();
    for (const [n, word] of [0x123, 0x1000, 0x20202 | (iopl << 12), 0x800, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000].entries())
      put32(0x8000 + 4 * n, word);
    system.interruptReturn(32, 0);
  };
  it('IRETD from ring 0 with VM set loads nine words', () => {
    enter(0);
    assert.deepEqual([CS, SS, ES, DS, FS, GS].map(SELECTOR), [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000]);
    assert.deepEqual([r[S.EIP], r[S.ESP], r[S.CPL], r[S.SEG_BASE + GS], engine.getFlags()], [0x123, 0x800, 3, 0x60000, 0x20202]);
  });
  it('an interrupt goes to ring 0, saves the segments and nulls them', () => {
    enter(0);
    setGate(0x20);
    interrupts.deliverInterrupt(0x20);
    assert.deepEqual(stack32(9), [0x123, 0x1000, 0x20202, 0x800, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000]);
    assert.deepEqual([r[S.ESP], r[S.CPL], engine.getFlags(), ...[ES, DS, FS, GS].map(SELECTOR)], [0x9000 - 36, 0, 2, 0, 0, 0, 0]);
    system.interruptReturn(32, 0);
    assert.deepEqual([CS, SS, ES, DS, FS, GS].map(SELECTOR), [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000]);
  });
  it('a handler in another ring than 0 is refused', () => {
    enter(3);
    setGate(0x20, SEL.code1 & ~3, RIGHTS.interruptGate32 | dpl(3));
    raises(() => system.softwareInterrupt(0x20, 0, 0x125), GP, SEL.code1 & ~3);
    setGate(0x20, SEL.conforming, RIGHTS.interruptGate32 | dpl(3));
    raises(() => system.softwareInterrupt(0x20, 0, 0x125), GP, SEL.conforming);
  });
  it('INT n, IRET, PUSHF, POPF, CLI, STI need IOPL 3', () => {
    enter(0);
    setGate(0x20, SEL.code0, RIGHTS.interruptGate32 | dpl(3));
    for (const action of [
      () => system.softwareInterrupt(0x20, 0, 0x125),
      () => system.interruptReturn(16, 0),
      () => system.flagsForPush(16),
      () => system.popFlags(0, 16),
      () => system.clearInterruptFlag(),
      () => system.setInterruptFlag(),
    ])
      raises(action, GP, 0);
    enter(3);
    system.clearInterruptFlag();
    assert.equal(system.flagsForPush(32), 0x3002);
    system.popFlags(0x0203, 16);
    assert.equal(engine.getFlags(), 0x23203);
    put16(0x20800, 0x55);
    put16(0x20802, 0x1111);
    put16(0x20804, 0x0002);
    system.interruptReturn(16, 0);
    assert.deepEqual([r[S.EIP], SELECTOR(CS), r[S.ESP], engine.getFlags()], [0x55, 0x1111, 0x806, 0x23002]);
  });
  it('INT3 does not depend on IOPL', () => {
    enter(0);
    setGate(3, SEL.code0, RIGHTS.interruptGate32 | dpl(3));
    system.softwareInterrupt(3, 1, 0x124);
    assert.equal(r[S.CPL], 0);
  });
});

describe('IRET in protected mode', () => {
  const frame = (...words: number[]): void => {
    for (const [n, word] of words.entries()) put32((r[S.ESP]! >>> 0) + 4 * n, word);
  };
  beforeEach(protectedMode);
  it('refuses null, data, inner and absent code and offsets beyond the limit', () => {
    const cases: [number, number, number, number][] = [
      [0x100, 0, GP, 0],
      [0x100, SEL.data0, GP, SEL.data0],
      [0x100, 0x1000, GP, 0x1000],
      [0x100, SEL.code3 & ~3, GP, SEL.code3 & ~3],
    ];
    for (const [eip, cs, vector, code] of cases) {
      frame(eip, cs, 2);
      raises(() => system.interruptReturn(32, 0), vector, code);
    }
    flat(SEL.free, RIGHTS.code & 0x7f);
    frame(0, SEL.free, 2);
    raises(() => system.interruptReturn(32, 0), NP, SEL.free);
    descriptor(GDT + SEL.free, 0, 0xff, RIGHTS.code, BIG);
    frame(0x100, SEL.free, 2);
    raises(() => system.interruptReturn(32, 0), GP, 0);
    ring3();
    frame(0x100, SEL.code0, 2);
    raises(() => system.interruptReturn(32, 0), GP, SEL.code0);
  });
  it('checks the outer stack', () => {
    const cases: [number, number, number][] = [
      [0, GP, 0],
      [SEL.data0, GP, SEL.data0],
      [SEL.data3 & ~3, GP, SEL.data3 & ~3],
      [SEL.code3, GP, SEL.code3 & ~3],
    ];
    for (const [ss, vector, code] of cases) {
      frame(0x100, SEL.code3, 2, 0x7000, ss);
      raises(() => system.interruptReturn(32, 0), vector, code);
    }
    flat(SEL.free, (RIGHTS.data & 0x7f) | dpl(3));
    frame(0x100, SEL.code3, 2, 0x7000, SEL.free | 3);
    raises(() => system.interruptReturn(32, 0), VECTOR.SS, SEL.free);
  });
  it('changes IOPL in ring 0 only and IF by IOPL', () => {
    frame(0x100, SEL.code3, 0x3202, 0x7000, SEL.data3);
    system.interruptReturn(32, 0);
    assert.equal(engine.getFlags(), 0x3202);
    frame(0x100, SEL.code3, 0x0002);
    system.interruptReturn(32, 0);
    assert.equal(engine.getFlags(), 0x3002);
    protectedMode();
    ring3();
    frame(0x100, SEL.code3, 0x20202);
    system.interruptReturn(32, 0);
    assert.equal(engine.getFlags(), 2);
  });
  it('a frame beyond the stack segment is #SS(0)', () => {
    descriptor(GDT + SEL.free, 0, 0xff, RIGHTS.data, BIG | (GRANULAR & 0));
    system.loadSegment(SS, SEL.free);
    r[S.ESP] = 0xf8;
    raises(() => system.interruptReturn(32, 0), VECTOR.SS, 0);
  });
  it('ends the blocking of NMIs, which the delivery of one began', () => {
    setGate(2);
    r[S.PINS] = PIN.NMI;
    interrupts.deliverNmi();
    assert.equal(r[S.PINS], PIN.NMI_BLOCKED);
    system.interruptReturn(32, 0);
    assert.equal(r[S.PINS], 0);
    assert.deepEqual(kinds(), ['nmi']);
    assert.equal(get16(0), 0);
    assert.equal(memory.ram[0], 0);
  });
});
