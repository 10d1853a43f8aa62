// The paravirtual interface of KVM (Linux, Documentation/virt/kvm/x86: cpuid.rst, msr.rst, hypercalls.rst, and the structures that those name):
// what the leaves from 40000000h on say, and clock and steal time in the guest's memory. All values follow from virtual time:
// the time-stamp counter never changes its rate, so a clock's structure is right until the counter is set, and nothing is ever
// stolen from a guest's virtual time.

import { S } from '../translator/state.ts';
import { timeStamp } from './control.ts';
import { type CpuModel, TSC_HERTZ } from './cpuModels.ts';
import type { Engine } from './engine.ts';
import { HIGH } from './memory.ts';
import { type MsrRow, type NumberedMsr, word } from './msrRow.ts';

/**
 * Bits of EAX of leaf 40000001h: clock at its first and its later MSRs, no delay after ports, steal time, polling, stable clock; and
 * with a local APIC the end of an interrupt in memory.
 */
const FEATURES = (1 << 0) | (1 << 3) | (1 << 1) | (1 << 5) | (1 << 12) | (1 << 24),
  PV_EOI = 1 << 6;
/** Counts of the local APIC's timer in a second, undivided. */
const BUS_HERTZ = TSC_HERTZ;

/** Highest leaf, then the signature in EBX, ECX, EDX. */
export const KVM_SIGNATURE = { highest: 0x40000010, text: 'KVMKVMKVM\0\0\0' } as const;
/** EAX to EDX of the leaves behind it. */
export function kvmLeaf({ has }: CpuModel, leaf: number): readonly [number, number, number, number] {
  if (leaf === 0x40000001) return [FEATURES | (has.has('apic') ? PV_EOI : 0), 0, 0, 0];
  return leaf === 0x40000010 ? [TSC_HERTZ / 1000, BUS_HERTZ / 1000, 0, 0] : [0, 0, 0, 0];
}

const NANOSECONDS = 1e9;
/** Nanoseconds are (cycles << SHIFT) * MULTIPLIER >> 32. */
const SHIFT = Math.max(0, Math.floor(Math.log2(NANOSECONDS / TSC_HERTZ)) + 1),
  MULTIPLIER = Math.floor((NANOSECONDS * HIGH) / (TSC_HERTZ * 2 ** SHIFT));
const TSC_STABLE = 1;

/** What VMCALL gives in EAX: there are no hypercalls, and outside ring 0 they are not permitted. */
const NO_SUCH_CALL = -1000,
  NOT_PERMITTED = -1;
export function hypercall({ r }: Engine): void {
  r[S.EAX] = r[S.CPL] === 0 ? NO_SUCH_CALL : NOT_PERMITTED;
}

/** Where a structure is that two words of the state name, bit 0 of the first switching it on; -1: off. */
function place({ r }: Engine, at: number): number {
  return (r[at]! & 1) === 0 ? -1 : ((r[at]! & ~1) >>> 0) + (r[at + 1]! >>> 0) * HIGH;
}
/** pvclock_vcpu_time_info: 32 bytes; `version` is even while nobody writes, and every writing makes it another. */
export function writeSystemTime(engine: Engine): void {
  const address = place(engine, S.KVM_SYSTEM_TIME);
  if (address < 0) return;
  const before = engine.memory.readBytes(address, 4),
    view = new DataView(new ArrayBuffer(32)),
    { low, high } = timeStamp(engine);
  if (before.length === 4) view.setInt32(0, (new DataView(before.buffer).getInt32(0, true) + 2) & ~1, true);
  view.setInt32(8, low, true);
  view.setInt32(12, high, true);
  view.setBigUint64(16, (BigInt(engine.host.cycles()) * BigInt(NANOSECONDS)) / BigInt(TSC_HERTZ), true);
  view.setUint32(24, MULTIPLIER, true);
  view.setInt8(28, SHIFT);
  view.setUint8(29, TSC_STABLE);
  engine.memory.writeBytes(address, new Uint8Array(view.buffer));
}
/** pvclock_wall_clock: the time of day at cycle 0, in seconds and nanoseconds. */
function writeWallClock(engine: Engine, address: number): void {
  const view = new DataView(new ArrayBuffer(12)),
    milliseconds = engine.startOfTime;
  view.setUint32(0, 2, true);
  view.setUint32(4, Math.floor(milliseconds / 1000), true);
  view.setUint32(8, (milliseconds % 1000) * 1e6, true);
  engine.memory.writeBytes(address, new Uint8Array(view.buffer));
}

const has = (model: CpuModel): boolean => model.kvm;
/** A register of two words that is told to `then` after a write. */
const told = (name: string, at: number, then: (engine: Engine) => void): MsrRow => ({
  name,
  in: has,
  read: ({ r }) => ({ low: r[at]!, high: r[at + 1]! }),
  write(engine, low, high) {
    engine.r[at] = low;
    engine.r[at + 1] = high;
    then(engine);
  },
});
const wallClock = (name: string): MsrRow =>
  told(name, S.KVM_WALL_CLOCK, (engine) => {
    const { r } = engine;
    writeWallClock(engine, (r[S.KVM_WALL_CLOCK]! >>> 0) + (r[S.KVM_WALL_CLOCK + 1]! >>> 0) * HIGH);
  });
/** kvm_steal_time: 64 bytes, all of them zero. */
const stealTime = told('MSR_KVM_STEAL_TIME', S.KVM_STEAL_TIME, (engine) => {
  const address = place(engine, S.KVM_STEAL_TIME);
  if (address >= 0) engine.memory.writeBytes(address, new Uint8Array(64));
});

export const KVM_MSRS: readonly NumberedMsr[] = [
  [0x11, wallClock('MSR_KVM_WALL_CLOCK')],
  [0x12, told('MSR_KVM_SYSTEM_TIME', S.KVM_SYSTEM_TIME, writeSystemTime)],
  [0x4b564d00, wallClock('MSR_KVM_WALL_CLOCK_NEW')],
  [0x4b564d01, told('MSR_KVM_SYSTEM_TIME_NEW', S.KVM_SYSTEM_TIME, writeSystemTime)],
  [0x4b564d03, stealTime],
  // Whether the host shall wait a little before it takes the processor away in HLT: it never does.
  [0x4b564d05, word('MSR_KVM_POLL_CONTROL', S.KVM_POLL_CONTROL, has)],
];
