// Model-specific registers against the SDM (volume 4; volume 3, "Memory Type Range Registers", "Machine-Check Architecture").

import assert from 'node:assert/strict';
import { CPU_MODELS } from '../../src/runtime/cpuModels.ts';
import { MSRS } from '../../src/runtime/msr.ts';
import { S, VECTOR } from '../../src/translator/state.ts';
import { engine, enterProtectedMode, host, r, raises, resetTo, ring3, system } from './machine.ts';

const { GP } = VECTOR;
function begin(cpu = 'max'): void {
  resetTo(cpu);
  enterProtectedMode();
  host.exits = [];
}
function read(number: number): [low: number, high: number] {
  r[S.ECX] = number | 0;
  system.readMsr();
  return [r[S.EAX]! >>> 0, r[S.EDX]! >>> 0];
}
function write(number: number, low: number, high = 0): void {
  r[S.ECX] = number | 0;
  r[S.EAX] = low | 0;
  r[S.EDX] = high | 0;
  system.writeMsr();
}
const refuses = (number: number, low: number, high = 0): void => void raises(() => write(number, low, high), GP, 0);

describe('model-specific registers', () => {
  beforeEach(() => begin());
  it('that do not exist are #GP, and so is any of them outside ring 0', () => {
    raises(() => read(0x1234), GP, 0);
    refuses(0x1234, 0);
    raises(() => read(-1), GP, 0);
    ring3();
    raises(() => read(0x10), GP, 0);
  });
  it("SYSENTER's three hold values", () => {
    for (const n of [0x174, 0x175, 0x176]) {
      write(n, n * 3);
      assert.deepEqual(read(n), [n * 3, 0]);
    }
  });
  it('belong to a model: what CPUID does not announce raises #GP', () => {
    for (const [cpu, numbers] of [
      ['pentium', [0x17, 0x8b, 0x174, 0x1a0, 0x277, 0xfe, 0x200, 0x179, 0x400, 0xc0000080]],
      ['pentium3', [0x1a0, 0xc0000080, 0xc0000103]],
      ['max,-mtrr', [0xfe, 0x2ff, 0x250, 0x20f]],
      ['max,-nx,-rdtscp,-pat,-mca,-sep', [0xc0000080, 0xc0000103, 0x277, 0x179, 0x17a, 0x400, 0x174]],
      ['max,kvm=off', [0x11, 0x12, 0x4b564d00, 0x4b564d01, 0x4b564d03, 0x4b564d05]],
    ] as const) {
      begin(cpu);
      for (const number of numbers) raises(() => read(number), GP, 0);
    }
  });
  it('all read in every model that has them, and what was read can be written back', () => {
    for (const cpu of Object.keys(CPU_MODELS)) {
      begin(cpu);
      for (const [number, row] of MSRS) {
        if (row.in && !row.in(engine.model)) continue;
        const [low, high] = read(number);
        if (row.write) write(number, low, high);
        else refuses(number, low, high);
        if (number !== 0x10 && number !== 0x8b) assert.deepEqual(read(number), [low, high], row.name);
      }
    }
  });
  it('IA32_BIOS_SIGN_ID has the microcode revision in its high half', () => {
    begin('n270');
    write(0x8b, 0);
    assert.deepEqual(read(0x8b), [0, 0x218]);
  });
  it('IA32_EFER takes NXE alone, and drops translations', () => {
    engine.R8(0x5000);
    write(0xc0000080, 0x800);
    assert.deepEqual([read(0xc0000080), engine.tr[5]], [[0x800, 0], 0xfff]);
    for (const bit of [0, 8, 10, 12]) refuses(0xc0000080, 1 << bit);
    refuses(0xc0000080, 0x800, 1);
  });
  it('IA32_PAT begins as the SDM says and takes types that exist', () => {
    assert.deepEqual(read(0x277), [0x00070406, 0x00070406]);
    write(0x277, 0x01040500, 0x06070001);
    assert.deepEqual(read(0x277), [0x01040500, 0x06070001]);
    for (const type of [2, 3, 8, 0x80]) {
      refuses(0x277, type << 16);
      refuses(0x277, 0, type << 8);
    }
  });
  it('MTRRs hold what they may: types, masks, bases within the address width', () => {
    assert.deepEqual(read(0xfe), [0x508, 0]);
    refuses(0xfe, 0x508);
    write(0x2ff, 0xc06);
    for (const low of [0xc02, 0x1000, 0x200, 0x100]) refuses(0x2ff, low);
    refuses(0x2ff, 0, 1);
    assert.deepEqual(read(0x2ff), [0xc06, 0]);
    for (const number of [0x250, 0x258, 0x259, ...Array.from({ length: 8 }, (_, n) => 0x268 + n)]) {
      write(number, 0x06050401, 0x00060600);
      assert.deepEqual(read(number), [0x06050401, 0x00060600]);
    }
  });
  it('variable ranges', () => {
    for (let n = 0; n < 8; n++) {
      write(0x200 + 2 * n, 0xc0000000 | (n * 0x1000), n);
      write(0x201 + 2 * n, 0xffff0800, 15);
    }
    for (let n = 0; n < 8; n++) {
      assert.deepEqual(read(0x200 + 2 * n), [(0xc0000000 | (n * 0x1000)) >>> 0, n]);
      assert.deepEqual(read(0x201 + 2 * n), [0xffff0800, 15]);
    }
    for (const low of [2, 0x100, 0x800]) refuses(0x200, low);
    for (const low of [1, 0x400]) refuses(0x201, low);
    for (const number of [0x200, 0x201]) refuses(number, 0, 16);
    raises(() => read(0x210), GP, 0);
  });
  it('IA32_MISC_ENABLE has fast strings to switch and nothing else', () => {
    assert.deepEqual(read(0x1a0), [0x1801, 0]);
    write(0x1a0, 0);
    assert.deepEqual(read(0x1a0), [0x1800, 0]);
    for (const bit of [3, 16, 18, 22]) refuses(0x1a0, 1 << bit);
    refuses(0x1a0, 0, 4);
  });
  it('machine-check banks are as many as IA32_MCG_CAP says; status can only be cleared', () => {
    const [count] = read(0x179);
    assert.equal(count, 5);
    write(0x400, 0xffffffff, 0xffffffff);
    assert.deepEqual(read(0x400), [0xffffffff, 0xffffffff]);
    write(0x401, 0);
    refuses(0x401, 1);
    raises(() => read(0x400 + 4 * count), GP, 0);
  });
  it('are exits with number and low half', () => {
    read(0xc0000080);
    write(0x10, 5);
    const words = host.exits.map(({ reason, qualification, detail }) => [reason, qualification, detail]);
    assert.deepEqual(words, [
      ['rdmsr', 0xc0000080, 0],
      ['wrmsr', 0x10, 5],
    ]);
  });
});
