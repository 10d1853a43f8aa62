// What every part of the virtual CPU shares: the arrays that generated code closes over and the guest that is attached.
// The parts (paging, segmentation, interrupts ...) are built on it in layers by runtime/engine.ts.

import { STATE_WORDS } from '../translator/state.ts';
import { type Vectors, vectorViews } from '../translator/vector/functions.ts';
import { type CpuModel, cpuModel } from './cpuModels.ts';
import type { CpuHost } from './host.ts';
import { createMemory, type GuestMemory } from './memory.ts';

/** Slots of a TLB table: 2^20 linear pages for each part, see runtime/tlb.ts. */
export const TLB_SLOTS = 3 << 20;
/** Value of a TLB slot that cannot be used. */
export const NO_ENTRY = 0xfff;

export interface Core {
  /** Active state block, words of translator/state.ts, and its byte and word views. */
  readonly r: Int32Array;
  readonly r8: Uint8Array;
  readonly r16: Uint16Array;
  /** Views of it for vector functions. */
  readonly vs: Vectors;
  /** The arena with every guest's RAM. */
  readonly u8: Uint8Array;
  readonly dv: DataView;
  /** TLBs for reading and writing: (arena offset ^ linear address) of a page, or NO_ENTRY. */
  readonly tr: Int32Array;
  readonly tw: Int32Array;
  /** Exclusive ends of what may be accessed without a check through each segment: [0..5] reading, [8..13] writing. */
  readonly ends: Float64Array;
  /** The attached guest. */
  memory: GuestMemory;
  host: CpuHost;
  model: CpuModel;
  /** Milliseconds since 1970 UTC at cycle 0. */
  startOfTime: number;
  /** A debug condition was put into S.DEBUG_PENDING. */
  onDebugPending: () => void;
  /** INT3, INTO or INT1 is about to enter its handler; may throw to have the instruction not begin. */
  onSoftwareException: (vector: number) => void;
  /** Called after cached translations were dropped: code that relied on them must look again. */
  onFlush: () => void;
  /** DR7 has a data or I/O breakpoint armed. */
  dataBreakpoints: boolean;
}

const NO_HOST: CpuHost = {
  portRead: (_port, size) => (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
  portWrite() {},
  mmioRead: (_address, size) => (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
  mmioWrite() {},
  readMsr: () => ({ low: 0, high: 0 }),
  writeMsr: () => false,
  acknowledgeInterrupt: () => 0xff,
  ferr() {},
  vmcall: () => false,
  cycles: () => 0,
  exit() {},
};

/** Arrays for one worker; `arenaBytes` (at least 1 MiB, whole pages, at most 2 GiB) holds the RAM of all its guests. */
export function createCore(arenaBytes: number): Core {
  const state = new ArrayBuffer(STATE_WORDS * 4),
    arena = new ArrayBuffer(arenaBytes),
    u8 = new Uint8Array(arena);
  return {
    r: new Int32Array(state),
    r8: new Uint8Array(state),
    r16: new Uint16Array(state),
    vs: vectorViews(state),
    u8,
    dv: new DataView(arena),
    tr: new Int32Array(TLB_SLOTS).fill(NO_ENTRY),
    tw: new Int32Array(TLB_SLOTS).fill(NO_ENTRY),
    ends: new Float64Array(16),
    memory: createMemory(u8, 0, 0x100000),
    host: NO_HOST,
    model: cpuModel('max'),
    startOfTime: 0,
    onDebugPending() {},
    onSoftwareException() {},
    onFlush() {},
    dataBreakpoints: false,
  };
}
