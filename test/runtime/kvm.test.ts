// KVM's paravirtual interface as Linux describes it (Documentation/virt/kvm/x86: cpuid.rst, msr.rst; pvclock's algorithm).

import assert from 'node:assert/strict';
import { type CpuidState, cpuidLeaf } from '../../src/runtime/cpuid.ts';
import { cpuModel, TSC_HERTZ } from '../../src/runtime/cpuModels.ts';
import { S, VECTOR } from '../../src/translator/state.ts';
import { engine, enterProtectedMode, get32, host, memory, put32, r, raises, reset, resetTo, ring3, system } from './machine.ts';

const CLOCK = 0x6000,
  WALL = 0x6100,
  STEAL = 0x6200;
function write(number: number, low: number, high = 0): void {
  r[S.ECX] = number;
  r[S.EAX] = low;
  r[S.EDX] = high;
  system.writeMsr();
}
const get64 = (at: number): bigint => BigInt(get32(at)) | (BigInt(get32(at + 4)) << 32n);
/** Nanoseconds as a guest computes them from the structure and the time-stamp counter. */
function nanoseconds(): bigint {
  system.readTsc();
  const now = BigInt(r[S.EAX]! >>> 0) | (BigInt(r[S.EDX]! >>> 0) << 32n),
    shift = BigInt(memory.ram[CLOCK + 28]!),
    delta = now - get64(CLOCK + 8);
  return get64(CLOCK + 16) + (((delta << shift) * BigInt(get32(CLOCK + 24))) >> 32n);
}
const seconds = (count: number): bigint => BigInt(count) * 1_000_000_000n;

const STATE: CpuidState = { osxsave: false, apic: true };

describe("KVM's interface", () => {
  beforeEach(() => {
    reset();
    enterProtectedMode();
  });
  it('shows its signature, features and frequencies in CPUID', () => {
    const model = cpuModel('n270'),
      [highest, ...name] = cpuidLeaf(model, 0x40000000, 0, STATE);
    assert.equal(highest, 0x40000010);
    assert.deepEqual(name, [0x4b4d564b, 0x564b4d56, 0x4d]);
    assert.deepEqual(cpuidLeaf(model, 0x40000001, 0, STATE), [0x0100106b, 0, 0, 0]);
    assert.deepEqual(cpuidLeaf(model, 0x40000010, 0, STATE).slice(0, 1), [TSC_HERTZ / 1000]);
    assert.deepEqual(cpuidLeaf(cpuModel('n270,kvm=off'), 0x40000001, 0, STATE), [0, 0, 0, 0]);
  });
  it('the clock gives nanoseconds since power-on, whenever it was switched on', () => {
    host.time = 7 * TSC_HERTZ;
    write(0x4b564d01, CLOCK | 1);
    assert.equal(nanoseconds(), seconds(7));
    host.time = 5000 * TSC_HERTZ + TSC_HERTZ / 4;
    assert.equal(nanoseconds(), seconds(5000) + 250_000_000n);
  });
  it('the clock goes on when the guest sets its time-stamp counter', () => {
    host.time = 2 * TSC_HERTZ;
    write(0x4b564d01, CLOCK | 1);
    const version = get32(CLOCK);
    write(0x10, 12345, 9);
    assert.equal(nanoseconds(), seconds(2));
    host.time += TSC_HERTZ;
    assert.equal(nanoseconds(), seconds(3));
    assert.ok(get32(CLOCK) % 2 === 0 && get32(CLOCK) !== version);
  });
  it('says that the counter is stable, and writes nothing once switched off', () => {
    write(0x4b564d01, CLOCK | 1);
    assert.equal(memory.ram[CLOCK + 29], 1);
    put32(CLOCK + 8, 0x77);
    write(0x4b564d01, CLOCK);
    write(0x10, 0);
    assert.equal(get32(CLOCK + 8), 0x77);
  });
  it('the older numbers are the same registers', () => {
    write(0x12, CLOCK | 1);
    r[S.ECX] = 0x4b564d01;
    system.readMsr();
    assert.deepEqual([r[S.EAX], nanoseconds()], [CLOCK | 1, 0n]);
  });
  it('the wall clock is the time of day at cycle 0', () => {
    engine.startOfTime = 1_767_225_600_250;
    host.time = 99 * TSC_HERTZ;
    write(0x4b564d00, WALL);
    assert.deepEqual([get32(WALL) % 2, get32(WALL + 4), get32(WALL + 8)], [0, 1_767_225_600, 250_000_000]);
  });
  it('has no hypercalls: ENOSYS for the system, EPERM for programs, #UD without the interface', () => {
    r[S.EAX] = 9;
    system.vmcall();
    assert.equal(r[S.EAX], -1000);
    ring3();
    system.vmcall();
    assert.equal(r[S.EAX], -1);
    resetTo('max,kvm=off');
    enterProtectedMode();
    raises(() => system.vmcall(), VECTOR.UD);
  });
  it('nothing is stolen from virtual time', () => {
    for (let at = STEAL; at < STEAL + 64; at += 4) put32(at, -1);
    write(0x4b564d03, STEAL | 1);
    for (let at = STEAL; at < STEAL + 64; at += 4) assert.equal(get32(at), 0);
  });
  it('addresses where there is no memory take nothing and harm nothing', () => {
    for (const [low, high] of [
      [0xfffffff1 | 0, 0],
      [0x7ffffff1, 0],
      [1, 0x10],
      [-1, -1],
    ] as const)
      for (const number of [0x4b564d00, 0x4b564d01, 0x4b564d03]) write(number, low, high);
  });
});
