// The clock a guest sees. Virtual cycles are ticks run plus idle cycles skipped, so that with `clock: instructions` time is a
// pure function of what the guest executed. With `clock: host` the host's time is sampled between slices; a sample only says
// how far the guest may skip ahead, and where it skips is again a function of ticks and deadlines, so that the samples in the
// journal are enough to replay a run.

import { CYCLES_PER_SECOND } from './timers.ts';

/** Milliseconds since 1970 at which the clock of a guest with counted time starts, unless another date is asked for: the same in every run. */
export const FIXED_START = Date.UTC(2026, 0, 1);
/** Virtual cycles in a millisecond of host time. */
export const CYCLES_PER_MILLISECOND = CYCLES_PER_SECOND / 1000;

/** Ticks a running guest gets between two skips, so that it can take the interrupt of the first before the second comes. */
const TICKS_BETWEEN_SKIPS = 4096;

export class Clock {
  readonly #ticks: () => number;
  #idle = 0;
  #target = 0;
  #lastSkip = 0;

  /** `ticks` is the processor's count; it never goes back. */
  constructor(ticks: () => number) {
    this.#ticks = ticks;
  }

  /** Virtual cycles since power-on. */
  now(): number {
    return this.#ticks() + this.#idle;
  }

  /** Cycles skipped so far. */
  get idle(): number {
    return this.#idle;
  }

  /** Moves time forward without running, to an absolute cycle; a cycle in the past is a caller's error. */
  skipTo(cycle: number): void {
    const skipped = cycle - this.now();
    if (!(skipped >= 0)) throw new RangeError(`The clock cannot go back from cycle ${this.now()} to ${cycle}.`);
    this.#idle += skipped;
    this.#lastSkip = this.#ticks();
  }

  /** A sample of the host's clock: cycles since power-on by wall time. Older samples than the newest are ignored. */
  sample(cycle: number): void {
    if (cycle > this.#target) this.#target = cycle;
  }

  /** The newest sample. */
  get target(): number {
    return this.#target;
  }

  /**
   * How far the guest may skip at this point to follow the host's samples: an absolute cycle, or null when it should run.
   * A skip never passes `deadline` (the next timer), so that every timer interrupt can be taken on its own.
   */
  followHost(deadline: number, halted: boolean): number | null {
    const now = this.now();
    if (this.#target <= now) return null;
    if (!halted && this.#ticks() - this.#lastSkip < TICKS_BETWEEN_SKIPS) return null;
    return Math.min(this.#target, Math.max(deadline, now));
  }

  /** Ticks until followHost may answer something else than now; Infinity when no sample lies ahead. */
  ticksUntilSkip(): number {
    if (this.#target <= this.now()) return Infinity;
    return Math.max(1, this.#lastSkip + TICKS_BETWEEN_SKIPS - this.#ticks());
  }

  save(): { idle: number; target: number; lastSkip: number } {
    return { idle: this.#idle, target: this.#target, lastSkip: this.#lastSkip };
  }
}
