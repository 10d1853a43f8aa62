// Figures from the samples of the kernels: cold and warm times, ratios, and the target.

import { EMULATORS, type Emulator, type Samples } from './rounds.ts';
import { median, table } from './statistics.ts';

/** What noise may make of a steady state that is as fast as v86's. */
export const TOLERANCE = 0.05;

export interface Figure {
  readonly kernel: string;
  readonly emulator: Emulator;
  /** Milliseconds of the first round: the median of the passes. */
  readonly cold: number;
  /** Milliseconds in steady state: the median, over the passes, of each pass's median of the second half of its rounds. */
  readonly warm: number;
  /** The least and the greatest of the passes' medians. */
  readonly spread: readonly [number, number];
  /** Millions of guest instructions a second in steady state. */
  readonly mips: number;
}

export function figures(samples: readonly Samples[]): Figure[] {
  const kernels = [...new Set(samples.map(({ kernel }) => kernel))];
  return kernels.flatMap((kernel) => {
    const all = samples.filter((sample) => sample.kernel === kernel);
    const ticks = all.find((sample) => sample.ticks !== null)?.ticks ?? Number.NaN;
    return EMULATORS.filter((name) => all.some(({ emulator }) => emulator === name)).map((emulator) => {
      const passes = all.filter((sample) => sample.emulator === emulator).map(({ milliseconds }) => milliseconds);
      const medians = passes.map((rounds) => median(rounds.slice(Math.max(1, rounds.length >> 1))));
      const warm = median(medians);
      return {
        kernel,
        emulator,
        cold: median(passes.map((rounds) => rounds[0]!)),
        warm,
        spread: [Math.min(...medians), Math.max(...medians)],
        mips: ticks / warm / 1000,
      };
    });
  });
}

const find = (all: readonly Figure[], kernel: string, emulator: Emulator): Figure | undefined =>
  all.find((f) => f.kernel === kernel && f.emulator === emulator);
/** Times of this figure per time of another emulator's: below 1 is faster. */
const ratio = (all: readonly Figure[], { kernel, warm }: Figure, to: Emulator): number =>
  warm / (find(all, kernel, to)?.warm ?? Number.NaN);

export function figuresTable(all: readonly Figure[]): string {
  const number = (value: number, digits: number): string => (Number.isNaN(value) ? '-' : value.toFixed(digits));
  return table([
    ['kernel on emulator', 'cold ms', 'warm ms', 'passes', 'MIPS', '/ v86', '/ qemu'],
    ...all.map((figure) => [
      `${figure.kernel.padEnd(11)} ${figure.emulator}`,
      number(figure.cold, 1),
      number(figure.warm, 1),
      figure.spread.map((v) => v.toFixed(1)).join('-'),
      number(figure.mips, 0),
      number(ratio(all, figure, 'v86'), 2),
      number(ratio(all, figure, 'qemu'), 2),
    ]),
  ]);
}

/** Kernels that are slower than v86 in steady state, in words. */
export function slowerThanV86(all: readonly Figure[]): string[] {
  return all
    .filter((figure) => figure.emulator === 'mixed' && ratio(all, figure, 'v86') > 1 + TOLERANCE)
    .map((figure) => `${figure.kernel}: ${figure.warm.toFixed(1)} ms, ${ratio(all, figure, 'v86').toFixed(2)} times v86's`);
}
