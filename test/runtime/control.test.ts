// Control and debug registers, flags, ports, MSRs and CPUID against the SDM, and the exits they report.

import assert from 'node:assert/strict';
import { ACTIVITY, EVENT, PIN, SHADOW } from '../../src/runtime/events.ts';
import { MODE } from '../../src/translator/mode.ts';
import { AC, S, VECTOR } from '../../src/translator/state.ts';
import {
  BIG,
  descriptor,
  engine,
  enterProtectedMode,
  GDT,
  host,
  protectedMode,
  put16,
  put32,
  RIGHTS,
  r,
  raises,
  reset,
  resetTo,
  ring3,
  SEL,
  system,
  TSS,
} from './machine.ts';

const { GP, UD, DB, NM } = VECTOR;
const exits = (): [string, number, number][] => host.exits.map((e) => [e.reason, e.qualification >>> 0, e.detail]);

describe('control registers', () => {
  beforeEach(protectedMode);
  it('PG without PE and NW without CD are refused; ET stays set, undefined bits stay clear', () => {
    raises(() => system.writeControl(0, 0x80000000 | 0), GP, 0);
    raises(() => system.writeControl(0, 0x20000001), GP, 0);
    system.writeControl(0, 0x7ffffff1);
    assert.equal(r[S.CR0]! >>> 0, 0x60050031);
  });
  it('CR4 takes the bits of announced features only', () => {
    system.writeControl(4, 0x79c);
    assert.equal(system.readControl(4), 0x79c);
    for (const bit of [0, 1, 12, 13, 14, 16, 17, 19, 22, 31]) raises(() => system.writeControl(4, 1 << bit), GP, 0);
  });
  it("every access is an exit with the SDM's qualification", () => {
    system.writeControl(3, 0x1f000);
    system.readControl(3);
    system.clearTaskSwitched();
    system.loadMachineStatus(0x000b);
    assert.deepEqual(exits(), [
      ['crAccess', 3, 0x1f000],
      ['crAccess', 0x13, 0x1f000],
      ['crAccess', 0x20, 0x11],
      ['crAccess', 0x000b0030, 0x1b],
    ]);
  });
  it('LMSW sets PE and never clears it', () => {
    system.loadMachineStatus(0);
    assert.equal(r[S.CR0]! & 15, 1);
    reset();
    system.loadMachineStatus(1);
    assert.ok(r[S.MODE]! & MODE.PROTECTED);
  });
  it('TS and EM show in the mode word; ESC and WAIT raise #NM by them', () => {
    system.writeControl(0, 0x19);
    assert.ok(r[S.MODE]! & MODE.NO_FPU);
    raises(() => system.escape(0, -1, 0, 32), NM);
    system.wait();
    system.writeControl(0, 0x1b);
    raises(() => system.wait(), NM);
    system.writeControl(0, 0x15);
    raises(() => system.escape(0, -1, 0, 32), NM);
    system.writeControl(0, 0x13);
    system.wait();
  });
  it('registers that do not exist are undefined', () => {
    for (const n of [1, 5, 6, 7]) {
      raises(() => system.readControl(n), UD);
      raises(() => system.writeControl(n, 0), UD);
    }
  });
  it('ring 3 may do none of it', () => {
    ring3();
    const privileged = [
      () => system.readControl(0),
      () => system.writeControl(3, 0),
      () => system.supervisorOnly(),
      () => system.clearTaskSwitched(),
      () => system.halt(),
      () => system.invalidatePage(0),
      () => system.writeBackInvalidate(),
      () => system.invalidateCaches(),
      () => system.readMsr(),
      () => system.writeMsr(),
      () => system.readDebug(0),
      () => system.writeDebug(7, 0),
      () => system.readPmc(),
    ];
    for (const action of privileged) raises(action, GP, 0);
    assert.deepEqual(exits(), []);
  });
  it('a change of paging, protection or CR4.PSE drops cached translations', () => {
    for (const change of [
      () => system.writeControl(0, 0x10011),
      () => system.writeControl(0, 0x10),
      () => system.writeControl(4, 0x10),
      () => system.writeControl(4, 0x80),
    ]) {
      protectedMode();
      engine.R8(0x5000);
      change();
      assert.equal(engine.tr[5], 0xfff);
    }
  });
});

describe('halting and time', () => {
  beforeEach(protectedMode);
  it('HLT makes the processor inactive', () => {
    system.halt();
    assert.deepEqual([r[S.ACTIVITY], r[S.EVENTS]! & EVENT.INACTIVE], [ACTIVITY.HALT, EVENT.INACTIVE]);
  });
  it('RDTSC counts virtual cycles in 64 bits; before the Pentium M WRMSR sets the low half and clears the high one', () => {
    resetTo('pentium3');
    enterProtectedMode();
    host.time = 0x3_fffffff0;
    system.readTsc();
    assert.deepEqual([r[S.EAX]! >>> 0, r[S.EDX]], [0xfffffff0, 3]);
    r[S.ECX] = 0x10;
    r[S.EAX] = 0x80000000 | 0;
    r[S.EDX] = 99;
    system.writeMsr();
    host.time += 0x8000_0005;
    system.readTsc();
    assert.deepEqual([r[S.EAX], r[S.EDX]], [5, 1]);
    system.readMsr();
    assert.deepEqual([r[S.EAX], r[S.EDX]], [5, 1]);
  });
  it('WRMSR sets all of the counter on later processors', () => {
    host.time = 0x3_fffffff0;
    r[S.ECX] = 0x10;
    r[S.EAX] = 7;
    r[S.EDX] = 99;
    system.writeMsr();
    host.time += 0x1_0000_0000;
    system.readTsc();
    assert.deepEqual([r[S.EAX], r[S.EDX]], [7, 100]);
  });
  it('RDTSCP also gives IA32_TSC_AUX, and CR4.TSD governs it too', () => {
    host.time = 0x2_00000005;
    r[S.ECX] = 0xc0000103 | 0;
    r[S.EAX] = 0x1234;
    r[S.EDX] = 0;
    system.writeMsr();
    system.readTscAndAux();
    assert.deepEqual([r[S.EAX], r[S.EDX], r[S.ECX]], [5, 2, 0x1234]);
    system.writeControl(4, 4);
    ring3();
    raises(() => system.readTscAndAux(), GP, 0);
  });
  it('CR4.TSD and CR4.PCE govern RDTSC and RDPMC outside ring 0', () => {
    system.writeControl(4, 4);
    ring3();
    raises(() => system.readTsc(), GP, 0);
    r[S.CR4] = 0x100;
    system.readTsc();
    r[S.ECX] = 1;
    system.readPmc();
    r[S.ECX] = 2;
    raises(() => system.readPmc(), GP, 0);
  });
  it('CPUID gives four registers and is an exit with leaf and subleaf', () => {
    r[S.EAX] = 4;
    r[S.ECX] = 1;
    system.cpuid();
    assert.deepEqual([r[S.EAX], r[S.EBX], r[S.ECX], r[S.EDX], ...exits()], [0x122, 0x01c0003f, 63, 0, ['cpuid', 4, 1]]);
  });
});

describe('flags', () => {
  beforeEach(protectedMode);
  it('POPF in ring 0 changes all but VM and RF; the 16-bit form leaves the high half', () => {
    engine.setFlags(0x200002);
    system.popFlags(-1, 32);
    assert.equal(engine.getFlags(), 0x247fd7);
    engine.setFlags(0x240002);
    system.popFlags(0, 16);
    assert.equal(engine.getFlags(), 0x240002);
  });
  it('POPF in ring 3 keeps IOPL, and IF unless IOPL is 3', () => {
    ring3();
    engine.setFlags(0x202);
    system.popFlags(0x3000, 32);
    assert.equal(engine.getFlags(), 0x202);
    engine.setFlags(0x3202);
    system.popFlags(0, 32);
    assert.equal(engine.getFlags(), 0x3002);
  });
  it('PUSHF hides VM and RF', () => {
    engine.setFlags(0x10246);
    assert.equal(system.flagsForPush(32), 0x246);
  });
  it('CLI and STI need CPL <= IOPL; STI casts a shadow when IF was clear', () => {
    system.setInterruptFlag();
    assert.deepEqual([engine.getFlags() & 0x200, r[S.SHADOW]], [0x200, SHADOW.STI]);
    r[S.SHADOW] = 0;
    system.setInterruptFlag();
    assert.equal(r[S.SHADOW], 0);
    system.clearInterruptFlag();
    assert.equal(engine.getFlags() & 0x200, 0);
    ring3();
    raises(() => system.setInterruptFlag(), GP, 0);
    raises(() => system.clearInterruptFlag(), GP, 0);
    engine.setFlags(0x3002);
    system.setInterruptFlag();
  });
  it('STAC and CLAC change AC alone, and are undefined outside ring 0', () => {
    engine.setFlags(0x10202);
    system.setAccessFlag(AC);
    assert.equal(engine.getFlags(), 0x10202 | AC);
    system.setAccessFlag(0);
    assert.equal(engine.getFlags(), 0x10202);
    ring3();
    raises(() => system.setAccessFlag(AC), UD);
  });
  it('an interrupt that waited makes the window an exit', () => {
    r[S.PINS] = PIN.INTR;
    engine.updateEvents();
    system.setInterruptFlag();
    system.setInterruptFlag();
    assert.deepEqual(exits(), [['interruptWindow', 0, 0]]);
  });
});

describe('ports', () => {
  beforeEach(protectedMode);
  it("reach the host with the SDM's qualification", () => {
    assert.equal(system.portIn(0x60, 8), 0x11);
    assert.equal(system.portIn(0xcf8, 32), 0x44332211);
    system.portOut(0x80, 0x12345678, 16);
    assert.deepEqual(exits(), [
      ['ioInstruction', 0x600008, 0x11],
      ['ioInstruction', 0xcf8000b, 0x44332211],
      ['ioInstruction', 0x800001, 0x5678],
    ]);
    assert.deepEqual(host.accesses.at(-1), { what: 'out', at: 0x80, size: 2, value: 0x5678 });
  });
  it("beyond IOPL the TSS's bit map decides for every byte of the access", () => {
    descriptor(GDT + SEL.tss, TSS, 0x88, RIGHTS.tss32, BIG);
    system.loadTr(SEL.tss);
    put16(TSS + 102, 0x68);
    put32(TSS + 0x68, 0xfffff10f | 0);
    ring3();
    system.portIn(4, 32);
    raises(() => system.portIn(3, 8), GP, 0);
    raises(() => system.portIn(3, 16), GP, 0);
    system.portIn(9, 16);
    raises(() => system.portIn(10, 32), GP, 0);
    // Two bytes of the map are read: the last byte below the limit is not enough.
    for (let n = 0x69; n <= 0x88; n++) put16(TSS + n, 0);
    system.portIn((0x87 - 0x68) * 8 + 7, 8);
    raises(() => system.portIn((0x88 - 0x68) * 8, 8), GP, 0);
    raises(() => system.portIn(0xffff, 8), GP, 0);
    engine.setFlags(0x3002);
    system.portIn(3, 8);
    assert.equal(host.accesses.length, 4);
  });
  it('a 16-bit TSS has no map, and virtual-8086 mode always asks it', () => {
    ring3();
    r[S.TR_ACCESS] = 0x83;
    raises(() => system.portOut(0x80, 0, 8), GP, 0);
    engine.setFlags(0x23002);
    raises(() => system.portOut(0x80, 0, 8), GP, 0);
  });
});

describe('debug registers', () => {
  beforeEach(protectedMode);
  it('DR4 and DR5 are DR6 and DR7 unless CR4.DE is set', () => {
    system.writeDebug(5, ~0x2000);
    assert.equal(system.readDebug(7)! >>> 0, 0xffff07ff);
    r[S.DR7] = 0x400;
    system.writeDebug(4, 0);
    assert.equal(system.readDebug(6)! >>> 0, 0xffff0ff0);
    system.writeControl(4, 8);
    raises(() => system.readDebug(4), UD);
    raises(() => system.writeDebug(5, 0), UD);
  });
  it('GD makes an access #DB with BD', () => {
    system.writeDebug(7, 0x2000);
    raises(() => system.readDebug(0), DB);
  });
  it('accesses are exits with number and direction', () => {
    system.writeDebug(2, 0x1234);
    system.readDebug(2);
    assert.deepEqual(exits(), [
      ['drAccess', 2, 0x1234],
      ['drAccess', 0x12, 0x1234],
    ]);
  });
});
