// How a model-specific register is written down (SDM volume 4), and the kinds that most of them are. runtime/msr.ts has the
// table; registers of one subject stand in files of their own.

import { VECTOR } from '../translator/state.ts';
import type { CpuModel } from './cpuModels.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';

/** A register: how it reads into EDX:EAX and what a write does with low and high half; no `write` makes it read-only. */
export interface MsrRow {
  readonly name: string;
  /** Whether a model has it; absent: all do. */
  readonly in?: (model: CpuModel) => boolean;
  read(engine: Engine): { low: number; high: number };
  write?(engine: Engine, low: number, high: number): void;
}
export type NumberedMsr = readonly [number: number, row: MsrRow];
type In = MsrRow['in'];

/** A value that the model fixes. */
export const constant = (name: string, low: (model: CpuModel) => number, high: (model: CpuModel) => number, has?: In): MsrRow => ({
  name,
  in: has,
  read: ({ model }) => ({ low: low(model), high: high(model) }),
});
/** The low half is a word of the state; the high one reads 0 and is not looked at. */
export const word = (name: string, at: number, has?: In): MsrRow => ({
  name,
  in: has,
  read: ({ r }) => ({ low: r[at]!, high: 0 }),
  write({ r }, low) {
    r[at] = low;
  },
});
/** Two words of the state, the low half first; a value that `valid` does not like is #GP(0). */
export const stored = (name: string, at: number, has: In, valid: (low: number, high: number, model: CpuModel) => boolean): MsrRow => ({
  name,
  in: has,
  read: ({ r }) => ({ low: r[at]!, high: r[at + 1]! }),
  write({ r, model }, low, high) {
    if (!valid(low, high, model)) fault(VECTOR.GP, 0);
    r[at] = low;
    r[at + 1] = high;
  },
});
/** Only bits of `mask` in the low half can be set, others are #GP(0). */
export const flags = (name: string, at: number, mask: (model: CpuModel) => number, has?: In): MsrRow =>
  stored(name, at, has, (low, high, model) => (low & ~mask(model)) === 0 && high === 0);
