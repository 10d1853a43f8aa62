// A machine for tests of the system functions: an engine, one guest in the middle of the arena, a host that remembers what it
// is asked, and builders of descriptors and tables. No instruction is decoded here; the functions are called as semantics do.

import assert from 'node:assert/strict';
import { cpuModel } from '../../src/runtime/cpuModels.ts';
import { createEngine } from '../../src/runtime/engine.ts';
import type { ExitName } from '../../src/runtime/exits.ts';
import { GuestFault } from '../../src/runtime/faults.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { createMemory } from '../../src/runtime/memory.ts';
import { resetState } from '../../src/runtime/reset.ts';
import { createSystem } from '../../src/runtime/system.ts';
import { CS, S, SS } from '../../src/translator/state.ts';

export const MIB = 0x100000;
/** The guest's slice: neighbours on both sides hold CANARY. */
export const SLICE = { offset: 2 * MIB, bytes: 4 * MIB } as const;
export const ARENA = 8 * MIB;
export const CANARY = 0xc7;

export interface Access {
  readonly what: 'read' | 'write' | 'in' | 'out';
  readonly at: number;
  readonly size: number;
  readonly value: number;
}

export const host = {
  accesses: [] as Access[],
  exits: [] as { reason: ExitName; qualification: number; detail: number }[],
  time: 0,
  vector: 0x20,
  /** The machine's model-specific registers; it refuses values whose high half is negative. */
  msrs: new Map<number, { low: number; high: number }>(),
  ferr: false,
};
const cpuHost: CpuHost = {
  portRead(at, size) {
    const value = size === 4 ? 0x44332211 : size === 2 ? 0x2211 : 0x11;
    host.accesses.push({ what: 'in', at, size, value });
    return value;
  },
  portWrite: (at, value, size) => void host.accesses.push({ what: 'out', at, size, value }),
  // A device's byte is the low byte of its address, so that a split access can be told from a shifted one.
  mmioRead(at, size) {
    let value = 0;
    for (let n = size - 1; n >= 0; n--) value = value * 256 + ((at + n) & 0xff);
    host.accesses.push({ what: 'read', at, size, value });
    return value;
  },
  mmioWrite: (at, value, size) => void host.accesses.push({ what: 'write', at, size, value }),
  readMsr: (msr) => host.msrs.get(msr) ?? { low: 0, high: 0 },
  writeMsr(msr, low, high) {
    host.msrs.set(msr, { low, high });
    return high >= 0;
  },
  acknowledgeInterrupt: () => host.vector,
  ferr: (level) => void (host.ferr = level),
  vmcall: () => false,
  cycles: () => host.time,
  exit: (reason, qualification, detail) => void host.exits.push({ reason, qualification, detail }),
};

export const engine = createEngine({ arenaBytes: ARENA });
export const { r } = engine;
export const { system, interrupts } = createSystem(engine);
export let memory = createMemory(engine.u8, SLICE.offset, SLICE.bytes);

/** State after RESET#, empty memory with canaries around it. */
export const reset = (): void => resetTo('max');
/** The same with another processor, as `-cpu` says it. */
export function resetTo(cpu: string): void {
  const model = cpuModel(cpu);
  engine.u8.fill(CANARY);
  engine.u8.fill(0, SLICE.offset, SLICE.offset + SLICE.bytes);
  memory = createMemory(engine.u8, SLICE.offset, SLICE.bytes);
  resetState(r, model.signature);
  engine.attach(memory, cpuHost, model);
  engine.refresh();
  host.accesses = [];
  host.exits = [];
  host.msrs.clear();
  host.time = 0;
}
export function canariesIntact(): boolean {
  return engine.u8.every((byte, at) => (at >= SLICE.offset && at < SLICE.offset + SLICE.bytes) || byte === CANARY);
}

const view = (): DataView => new DataView(engine.u8.buffer, SLICE.offset, SLICE.bytes);
export const put32 = (at: number, value: number): void => view().setInt32(at, value, true);
export const put16 = (at: number, value: number): void => view().setInt16(at, value, true);
export const get32 = (at: number): number => view().getUint32(at, true);
export const get16 = (at: number): number => view().getUint16(at, true);
export const get8 = (at: number): number => view().getUint8(at);

/** Asserts that the action raises the exception with this error code (-1 none); gives the fault's address. */
export function raises(action: () => unknown, vector: number, errorCode = -1): number {
  try {
    action();
  } catch (caught) {
    assert.ok(caught instanceof GuestFault, String(caught));
    assert.deepEqual({ vector: caught.vector, errorCode: caught.errorCode }, { vector, errorCode });
    return caught.address >>> 0;
  }
  return assert.fail(`vector ${vector} was not raised`);
}

/** Access bytes (P, DPL, S, type) of descriptors, and flags for bits 20-23 as `descriptor` takes them. */
export const RIGHTS = {
  data: 0x92,
  dataReadOnly: 0x90,
  dataDown: 0x96,
  code: 0x9a,
  codeExecuteOnly: 0x98,
  conforming: 0x9e,
  ldt: 0x82,
  tss16: 0x81,
  tss32: 0x89,
  callGate16: 0x84,
  taskGate: 0x85,
  interruptGate16: 0x86,
  trapGate16: 0x87,
  callGate32: 0x8c,
  interruptGate32: 0x8e,
  trapGate32: 0x8f,
} as const;
export const dpl = (level: number): number => level << 5;
export const BIG = 4,
  GRANULAR = 8;

export const GDT = 0x1000,
  IDT = 0x2000,
  LDT = 0x3000;

export function descriptor(at: number, base: number, limit: number, access: number, flags = 0): void {
  put32(at, (limit & 0xffff) | (base << 16));
  put32(at + 4, ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000));
}
export function gate(at: number, selector: number, offset: number, access: number, parameters = 0): void {
  put32(at, (offset & 0xffff) | (selector << 16));
  put32(at + 4, (offset & 0xffff0000) | (access << 8) | parameters);
}
/** Flat segment of a level in the GDT. */
export function flat(selector: number, access: number): void {
  descriptor(GDT + (selector & 0xfff8), 0, 0xfffff, access, BIG | GRANULAR);
}

/** Selectors of the standard GDT of `protectedMode`. */
export const SEL = {
  code0: 0x08,
  data0: 0x10,
  code3: 0x1b,
  data3: 0x23,
  tss: 0x28,
  ldt: 0x30,
  free: 0x38,
  code1: 0x69,
  data1: 0x71,
  conforming: 0x78,
} as const;
export const TSS = 0x4000;

/** Flat 32-bit protected mode at CPL 0 with a GDT, an IDT without gates, and a 32-bit TSS with stacks for rings 0 and 1. */
export function protectedMode(): void {
  reset();
  enterProtectedMode();
}
/** The same after a `resetTo` of another model. */
export function enterProtectedMode(): void {
  flat(SEL.code0, RIGHTS.code);
  flat(SEL.data0, RIGHTS.data);
  flat(SEL.code3, RIGHTS.code | dpl(3));
  flat(SEL.data3, RIGHTS.data | dpl(3));
  flat(SEL.code1, RIGHTS.code | dpl(1));
  flat(SEL.data1, RIGHTS.data | dpl(1));
  flat(SEL.conforming, RIGHTS.conforming);
  descriptor(GDT + SEL.tss, TSS, 0x67, RIGHTS.tss32);
  descriptor(GDT + SEL.ldt, LDT, 0xff, RIGHTS.ldt);
  put32(TSS + 4, 0x9000);
  put32(TSS + 8, SEL.data0);
  put32(TSS + 12, 0x9800);
  put32(TSS + 16, SEL.data1);
  system.loadGdtr(GDT, 0xfff);
  system.loadIdtr(IDT, 0x7ff);
  system.writeControl(0, 0x11);
  system.farJump(SEL.code0, 0x5000, 32, 0);
  for (const segment of [0, 2, 3, 4, 5]) system.loadSegment(segment, SEL.data0);
  system.loadTr(SEL.tss);
  r[S.ESP] = 0x8000;
  r[S.EIP] = 0x5000;
  host.exits = [];
}
/** From `protectedMode` to ring 3, as IRET would. */
export function ring3(): void {
  r[S.CPL] = 3;
  engine.segments.setCache(CS, SEL.code3, get32(GDT + 0x18), get32(GDT + 0x1c) | 0);
  engine.segments.setCache(SS, SEL.data3, get32(GDT + 0x20), get32(GDT + 0x24) | 0);
  for (const segment of [0, 3, 4, 5]) engine.segments.setCache(segment, SEL.data3, get32(GDT + 0x20), get32(GDT + 0x24) | 0);
  r[S.ESP] = 0x7000;
  engine.updateMode();
  engine.updateEvents();
}
/** The dwords (or words) on top of a stack in linear memory. */
export const stack32 = (count: number, at = r[S.ESP]! >>> 0): number[] => Array.from({ length: count }, (_, n) => get32(at + 4 * n));
export const stack16 = (count: number, at = r[S.ESP]! & 0xffff): number[] => Array.from({ length: count }, (_, n) => get16(at + 2 * n));
