// Segment loads, limits and descriptor instructions against SDM volume 2 (MOV, LLDT, LTR, LAR, LSL, VERR) and volume 3, "Protection".

import assert from 'node:assert/strict';
import { MODE } from '../../src/translator/mode.ts';
import { CS, DS, ES, FS, S, SS, VECTOR } from '../../src/translator/state.ts';
import {
  BIG,
  descriptor,
  dpl,
  engine,
  flat,
  GDT,
  GRANULAR,
  get8,
  get32,
  host,
  LDT,
  protectedMode,
  RIGHTS,
  r,
  raises,
  reset,
  ring3,
  SEL,
  system,
  TSS,
} from './machine.ts';

const { GP, NP, UD } = VECTOR;
const at = GDT + SEL.free;
const load = (segment: number, selector: number): void => void system.loadSegment(segment, selector);

describe('segment loads in protected mode', () => {
  beforeEach(protectedMode);

  // [access, DPL, RPL, CPL, fault or 0] for DS, ES, FS, GS.
  const DATA: [number, number, number, 0 | 3, number][] = [
    [RIGHTS.data, 0, 0, 0, 0],
    [RIGHTS.data, 3, 3, 0, 0],
    [RIGHTS.data, 0, 3, 0, GP],
    [RIGHTS.data, 2, 3, 0, GP],
    [RIGHTS.data, 2, 2, 0, 0],
    [RIGHTS.data, 0, 0, 3, GP],
    [RIGHTS.data, 3, 0, 3, 0],
    [RIGHTS.dataReadOnly, 0, 0, 0, 0],
    [RIGHTS.dataDown, 0, 0, 0, 0],
    [RIGHTS.code, 0, 0, 0, 0],
    [RIGHTS.code, 0, 3, 0, GP],
    [RIGHTS.codeExecuteOnly, 0, 0, 0, GP],
    [RIGHTS.conforming, 0, 3, 3, 0],
    [RIGHTS.conforming, 3, 0, 0, 0],
    [RIGHTS.ldt, 0, 0, 0, GP],
    [RIGHTS.callGate32, 0, 0, 0, GP],
    [RIGHTS.data & 0x7f, 0, 0, 0, NP],
    [RIGHTS.data & 0x7f, 0, 3, 0, GP],
  ];
  for (const [access, level, rpl, cpl, expected] of DATA) {
    it(`DS: access ${access.toString(16)}, DPL ${level}, RPL ${rpl}, CPL ${cpl}: ${expected ? `vector ${expected}` : 'loads'}`, () => {
      descriptor(at, 0x12345, 0x6789, access | dpl(level));
      if (cpl === 3) ring3();
      const before = r[S.SEG_SELECTOR + FS];
      if (expected) {
        raises(() => load(FS, SEL.free | rpl), expected, SEL.free);
        assert.equal(r[S.SEG_SELECTOR + FS], before);
        assert.equal(get8(at + 5) & 1, 0);
      } else {
        load(FS, SEL.free | rpl);
        assert.equal(r[S.SEG_SELECTOR + FS], SEL.free | rpl);
        assert.equal(r[S.SEG_BASE + FS], 0x12345);
        assert.equal(r[S.SEG_LIMIT + FS], 0x6789);
        assert.equal(get8(at + 5) & 1, 1, 'accessed bit');
      }
    });
  }
  const STACK: [number, number, number, number][] = [
    [RIGHTS.data, 0, 0, 0],
    [RIGHTS.dataDown, 0, 0, 0],
    [RIGHTS.data, 3, 0, GP],
    [RIGHTS.data, 0, 3, GP],
    [RIGHTS.data, 3, 3, GP],
    [RIGHTS.dataReadOnly, 0, 0, GP],
    [RIGHTS.code, 0, 0, GP],
    [RIGHTS.data & 0x7f, 0, 0, VECTOR.SS],
  ];
  for (const [access, level, rpl, expected] of STACK) {
    it(`SS: access ${access.toString(16)}, DPL ${level}, RPL ${rpl}: ${expected ? `vector ${expected}` : 'loads'}`, () => {
      descriptor(at, 0, 0xffff, access | dpl(level));
      if (expected) raises(() => load(SS, SEL.free | rpl), expected, SEL.free);
      else {
        load(SS, SEL.free | rpl);
        assert.equal(r[S.STACK_MASK], 0xffff);
        assert.equal(r[S.MODE]! & MODE.STACK32, 0);
      }
    });
  }
  it('a null selector disables DS and is refused for SS', () => {
    load(DS, 3);
    raises(() => engine.LR(DS, 0, 1), GP, 0);
    raises(() => engine.LW(DS, 0, 1), GP, 0);
    assert.equal(r[S.MODE]! & MODE.FLAT_DS, 0);
    raises(() => load(SS, 0), GP, 0);
  });
  it('a selector outside its table is refused with its index as error code', () => {
    raises(() => load(DS, 0x1000), GP, 0x1000);
    raises(() => load(DS, 0x0c), GP, 0x0c);
    system.loadLdtr(SEL.ldt);
    descriptor(LDT + 8, 0x777, 0xff, RIGHTS.data);
    load(DS, 0x0c);
    assert.equal(r[S.SEG_BASE + DS], 0x777);
    raises(() => load(DS, 0x104), GP, 0x104);
  });
  it("the descriptor's bytes may straddle the table's limit: then it is outside", () => {
    system.loadGdtr(GDT, SEL.free + 6);
    raises(() => load(DS, SEL.free), GP, SEL.free);
  });
  it('sets the flat bits of the mode word for segments of 4 GiB only', () => {
    assert.equal(
      r[S.MODE]! & (MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.FLAT_CS),
      MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.FLAT_CS,
    );
    descriptor(at, 0, 0xffffe, RIGHTS.data, BIG | GRANULAR);
    load(ES, SEL.free);
    assert.equal(r[S.MODE]! & MODE.FLAT_ES, 0);
    flat(SEL.free, RIGHTS.dataReadOnly);
    load(ES, SEL.free);
    assert.equal(r[S.MODE]! & MODE.FLAT_ES, 0);
  });
});

describe('segment limits', () => {
  beforeEach(protectedMode);
  const check = (offset: number, size: number, ok: boolean, segment = DS): void => {
    const fits = (offset >>> 0) + size <= engine.ends[segment]!;
    if (ok) assert.equal(engine.LR(segment, offset, size) >>> 0, (r[S.SEG_BASE + segment]! + offset) >>> 0);
    else {
      raises(() => engine.LR(segment, offset, size), segment === SS ? VECTOR.SS : GP, 0);
      assert.equal(fits, false);
    }
  };
  it('expand-up: the last byte must not lie above the limit', () => {
    descriptor(at, 0x1000, 0x10, RIGHTS.data);
    load(DS, SEL.free);
    check(0x10, 1, true);
    check(0x11, 1, false);
    check(0xd, 4, true);
    check(0xe, 4, false);
    check(-1, 4, false);
  });
  it('granularity counts pages', () => {
    descriptor(at, 0, 0, RIGHTS.data, GRANULAR);
    load(DS, SEL.free);
    check(0xfff, 1, true);
    check(0x1000, 1, false);
  });
  it('expand-down: only what lies above the limit, up to 64 KiB or 4 GiB by B', () => {
    descriptor(at, 0, 0x0fff, RIGHTS.dataDown);
    load(DS, SEL.free);
    check(0xfff, 1, false);
    check(0x1000, 4, true);
    check(0xfffc, 4, true);
    check(0xfffd, 4, false);
    check(0x10000, 1, false);
    descriptor(at, 0, 0x0fff, RIGHTS.dataDown, BIG);
    load(DS, SEL.free);
    check(-4, 4, true);
    check(-3, 4, false);
    check(0xffe, 4, false);
  });
  it('a stack-segment violation is #SS(0)', () => {
    descriptor(at, 0, 0xff, RIGHTS.data, BIG);
    load(SS, SEL.free);
    check(0x100, 1, false, SS);
  });
  it('read-only data and code cannot be written, execute-only code not read', () => {
    flat(SEL.free, RIGHTS.dataReadOnly);
    load(DS, SEL.free);
    engine.LR(DS, 0, 4);
    raises(() => engine.LW(DS, 0, 4), GP, 0);
    raises(() => engine.LW(CS, 0, 4), GP, 0);
    engine.LR(CS, 0, 4);
    engine.segments.setCache(CS, SEL.code0, 0xffff, 0xcf9800);
    raises(() => engine.LR(CS, 0, 4), GP, 0);
  });
});

describe('real mode and virtual-8086 mode', () => {
  it('a load sets base and selector and keeps a limit that protected mode left (unreal mode)', () => {
    protectedMode();
    system.writeControl(0, 0x10);
    load(DS, 0x1234);
    assert.equal(r[S.SEG_BASE + DS], 0x12340);
    assert.equal(engine.LW(DS, 0x3000000, 4), 0x3012340);
    assert.equal(r[S.MODE]! & MODE.PROTECTED, 0);
  });
  it('after reset a segment ends at 64 KiB', () => {
    reset();
    load(ES, 0xffff);
    assert.equal(engine.LR(ES, 0xfffc, 4), 0xffff0 + 0xfffc);
    raises(() => engine.LR(ES, 0xffff, 2), GP, 0);
    raises(() => engine.LR(SS, 0xfffd, 4), VECTOR.SS, 0);
  });
  it('code can be written in real mode', () => {
    reset();
    assert.equal(engine.LW(CS, 0, 4) >>> 0, 0xffff0000);
  });
  it('virtual-8086 loads are 64 KiB data of ring 3', () => {
    protectedMode();
    r[S.CPL] = 3;
    engine.setFlags(0x20002);
    load(DS, 0x100);
    assert.equal(r[S.SEG_BASE + DS], 0x1000);
    assert.equal(r[S.SEG_LIMIT + DS], 0xffff);
    assert.equal(r[S.SEG_ACCESS + DS], 0xf3);
    assert.ok(r[S.MODE]! & MODE.VM86);
  });
});

describe('descriptor instructions', () => {
  beforeEach(protectedMode);
  it('LLDT and LTR check type, table, presence and level', () => {
    raises(() => system.loadLdtr(SEL.tss), GP, SEL.tss);
    raises(() => system.loadLdtr(SEL.ldt | 4), GP, SEL.ldt | 4);
    descriptor(GDT + SEL.ldt, LDT, 0xff, RIGHTS.ldt & 0x7f);
    raises(() => system.loadLdtr(SEL.ldt), NP, SEL.ldt);
    system.loadLdtr(0);
    raises(() => load(DS, 0x0c), GP, 0x0c);
    raises(() => system.loadTr(0), GP, 0);
    raises(() => system.loadTr(SEL.tss), GP, SEL.tss);
    assert.equal(get8(GDT + SEL.tss + 5), 0x8b);
    descriptor(GDT + SEL.tss, TSS, 0x67, RIGHTS.tss32 & 0x7f);
    raises(() => system.loadTr(SEL.tss), NP, SEL.tss);
    system.supervisorOnly();
    ring3();
    raises(() => system.supervisorOnly(), GP, 0);
  });
  it('SLDT, STR, and what calls protectedOnly, are undefined outside protected mode', () => {
    reset();
    raises(() => system.storeLdtr(), UD);
    raises(() => system.storeTr(), UD);
    raises(() => system.protectedOnly(), UD);
  });
  it('LAR knows system types 1-5, 9, 11, 12; LSL 1-3, 9, 11; both all code and data', () => {
    for (let type = 0; type < 32; type++) {
      descriptor(at, 0, 0x12345, 0x80 | type, GRANULAR);
      const segment = type >= 16,
        lar = segment || [1, 2, 3, 4, 5, 9, 11, 12].includes(type),
        lsl = segment || [1, 2, 3, 9, 11].includes(type);
      assert.equal(system.loadAccessRights(SEL.free), lar ? 1 : 0, `LAR of type ${type}`);
      if (lar) assert.equal(r[S.SECOND]! & 0xf0ff00, 0x808000 | (type << 8));
      assert.equal(system.loadSegmentLimit(SEL.free), lsl ? 1 : 0, `LSL of type ${type}`);
      if (lsl) assert.equal(r[S.SECOND], 0x12345fff);
    }
    assert.equal(system.loadAccessRights(0), 0);
    assert.equal(system.loadAccessRights(0xfff8), 0);
  });
  it('LAR, LSL, VERR, VERW hide what RPL or CPL may not see, conforming code excepted', () => {
    flat(SEL.free, RIGHTS.data | dpl(2));
    for (const [rpl, seen] of [
      [0, 1],
      [2, 1],
      [3, 0],
    ] as const) {
      assert.equal(system.loadAccessRights(SEL.free | rpl), seen);
      assert.equal(system.loadSegmentLimit(SEL.free | rpl), seen);
      assert.equal(system.verifyRead(SEL.free | rpl), seen);
      assert.equal(system.verifyWrite(SEL.free | rpl), seen);
    }
    flat(SEL.free, RIGHTS.conforming);
    assert.equal(system.verifyRead(SEL.free | 3), 1);
    assert.equal(system.verifyWrite(SEL.free), 0);
    flat(SEL.free, RIGHTS.codeExecuteOnly);
    assert.equal(system.verifyRead(SEL.free), 0);
    flat(SEL.free, RIGHTS.dataReadOnly);
    assert.equal(system.verifyRead(SEL.free), 1);
    assert.equal(system.verifyWrite(SEL.free), 0);
  });
  it('table loads are exits', () => {
    system.loadGdtr(0x123000, 0x1ff);
    system.loadLdtr(SEL.ldt & 0);
    assert.deepEqual(host.exits, [
      { reason: 'descriptorTable', qualification: 2, detail: 0x123000 },
      { reason: 'localDescriptorTable', qualification: 2, detail: 0 },
    ]);
    assert.equal(get32(GDT), 0);
  });
});
