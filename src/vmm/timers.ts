// Virtual-time event queue: devices ask to be called at a virtual cycle. Time is a count of cycles (CYCLES_PER_SECOND), a pure
// function of the ticks run and the idle time skipped, so the same guest gets the same events at the same ticks. The queue saves
// nothing: a device saves the cycles it waits for and arms its timers again when it is loaded.

import { TSC_HERTZ } from '../runtime/cpuModels.ts';

/** Virtual processor frequency: one cycle per tick while running; 250 MHz keeps PIT, RTC and TSC ratios integral enough. */
export const CYCLES_PER_SECOND = TSC_HERTZ;

export interface Timer {
  /** Fire once at this absolute cycle (now or later); replaces an earlier setting. */
  at(cycle: number): void;
  cancel(): void;
  /** Absolute cycle it is set to, or Infinity. */
  readonly deadline: number;
}
export interface Timers {
  /** Virtual cycles since power-on. */
  now(): number;
  /** A timer with a fixed place in the order: timers due at the same cycle fire in order of creation. */
  create(name: string, fire: () => void): Timer;
}

/** The machine's side of the queue. */
export interface MachineTimers extends Timers {
  /** Earliest cycle at which a timer is due, or Infinity. */
  nextDeadline(): number;
  /** Fires every timer whose deadline is not after now(): by deadline, then by order of creation. */
  runDue(): void;
}

// A device that arms itself again without letting time pass would hang the worker; no guest can cause so many events at once.
const MOST_EVENTS_AT_ONCE = 100_000;

/** An empty queue on this clock (virtual cycles since power-on, never going back). */
export function createTimers(now: () => number): MachineTimers {
  const queue: QueuedTimer[] = [];
  let earliest = Infinity;

  function findEarliest(): void {
    earliest = Infinity;
    for (const timer of queue) {
      if (timer.deadline < earliest) earliest = timer.deadline;
    }
  }

  class QueuedTimer implements Timer {
    deadline = Infinity;
    readonly name: string;
    readonly fire: () => void;
    constructor(name: string, fire: () => void) {
      this.name = name;
      this.fire = fire;
    }
    at(cycle: number): void {
      if (!Number.isFinite(cycle)) throw new RangeError(`timer ${this.name}: ${cycle} is not a cycle`);
      const wasEarliest = this.deadline === earliest;
      this.deadline = cycle;
      if (cycle <= earliest) earliest = cycle;
      else if (wasEarliest) findEarliest();
    }
    cancel(): void {
      if (this.deadline === Infinity) return;
      const wasEarliest = this.deadline === earliest;
      this.deadline = Infinity;
      if (wasEarliest) findEarliest();
    }
  }

  return {
    now,
    create(name, fire) {
      const timer = new QueuedTimer(name, fire);
      queue.push(timer);
      return timer;
    },
    nextDeadline: () => earliest,
    runDue() {
      for (let fired = 0; earliest <= now(); fired++) {
        const timer = queue.find((candidate) => candidate.deadline === earliest);
        if (timer === undefined) throw new Error('timer queue: the earliest deadline belongs to no timer');
        if (fired === MOST_EVENTS_AT_ONCE) throw new Error(`timer ${timer.name}: armed again and again without time passing`);
        timer.cancel();
        timer.fire();
      }
    },
  };
}

/** A clock of another frequency that runs from virtual time without drift. */
export interface DerivedClock {
  /** Whole ticks of this clock at a virtual cycle. */
  ticks(cycle: number): number;
  /** First virtual cycle at which this clock has made so many ticks. */
  cycle(ticks: number): number;
}

/** A clock of this frequency in hertz (an integer); exact for every cycle below 2^53. */
export function derivedClock(hertz: number): DerivedClock {
  const divisor = greatestCommonDivisor(hertz, CYCLES_PER_SECOND);
  // `per` ticks take exactly `cycles` cycles; every product below is exact because the remainders are less than these two.
  const per = hertz / divisor;
  const cycles = CYCLES_PER_SECOND / divisor;
  if (!Number.isSafeInteger(per) || !Number.isSafeInteger(per * cycles)) throw new RangeError(`no exact clock of ${hertz} Hz`);
  return {
    ticks(cycle) {
      const whole = Math.floor(cycle / cycles);
      return whole * per + Math.floor(((cycle - whole * cycles) * per) / cycles);
    },
    cycle(ticks) {
      const whole = Math.floor(ticks / per);
      return whole * cycles + Math.ceil(((ticks - whole * per) * cycles) / per);
    },
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
