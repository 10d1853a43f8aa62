// Timer of the local APIC (SDM volume 3, "APIC Timer", "TSC-Deadline Mode"): counts down from the initial count once or
// periodically, or waits for a value of the time-stamp counter. It counts virtual cycles divided by 1 to 128. Nothing is stepped: the
// count is computed from the time when somebody looks at it.

import type { Timer, Timers } from '../timers.ts';
import { flag, integer, record, type State, time } from './fields.ts';

/** Modes in the timer's entry of the local vector table, bits 18-17. */
const MODE = { ONE_SHOT: 0, PERIODIC: 1, DEADLINE: 2 } as const;
const MODE_SHIFT = 17,
  MASKED = 0x10000;
const DIVIDE_BITS = 0x0b;

export const TIMER = record({
  initial: integer(0, 0, 0xffffffff),
  divide: integer(0, 0, DIVIDE_BITS),
  /** Cycle at which the count was `from`, or -1: it does not count. */
  started: time(),
  from: integer(0, 0, 0xffffffff),
  /** Cycle of the deadline, or -1. */
  deadline: time(),
  mode: integer(0, 0, 3),
  masked: flag(true),
});

export class ApicTimer {
  private state = TIMER.initial();
  private readonly timer: Timer;
  private readonly timers: Timers;
  private readonly expired: () => void;

  /** `expired` requests the interrupt. */
  constructor(timers: Timers, expired: () => void) {
    this.timers = timers;
    this.expired = expired;
    this.timer = timers.create('local APIC timer', () => this.fire());
  }

  /** The entry of the local vector table has been written. Another mode stops the timer. */
  configure(entry: number): void {
    const { state } = this,
      mode = (entry >>> MODE_SHIFT) & 3;
    if (mode !== state.mode) {
      // One-shot and periodic mode share the count.
      if (mode === MODE.DEADLINE || state.mode === MODE.DEADLINE) state.started = state.deadline = -1;
      state.mode = mode;
    }
    state.masked = (entry & MASKED) !== 0;
    this.arm();
  }

  get initialCount(): number {
    return this.state.initial;
  }
  set initialCount(value: number) {
    if (this.state.mode === MODE.DEADLINE) return;
    this.state.initial = value >>> 0;
    this.count(this.state.initial);
  }
  get currentCount(): number {
    const { initial, started, from, mode } = this.state;
    if (started < 0) return 0;
    const left = from - Math.floor((this.timers.now() - started) / this.divisor);
    if (left > 0) return left;
    return mode === MODE.PERIODIC ? initial - (-left % initial) : 0;
  }
  get divide(): number {
    return this.state.divide;
  }
  /** A new divisor begins with the count that has been reached. */
  set divide(value: number) {
    const left = this.currentCount;
    this.state.divide = value & DIVIDE_BITS;
    this.count(left);
  }

  /** Cycle of the deadline, 0 when none is set: IA32_TSC_DEADLINE without the time-stamp counter's offset. */
  get deadline(): number {
    return Math.max(0, this.state.deadline);
  }
  set deadline(cycle: number) {
    if (this.state.mode !== MODE.DEADLINE) return;
    this.state.deadline = cycle === 0 ? -1 : cycle;
    this.arm();
  }

  /** Counts on from here; 0 stops. */
  private count(from: number): void {
    this.state.from = from;
    this.state.started = from === 0 ? -1 : this.timers.now();
    this.arm();
  }
  private get divisor(): number {
    const code = (this.state.divide & 3) | ((this.state.divide >> 1) & 4);
    return code === 7 ? 1 : 2 << code;
  }

  private arm(): void {
    const { initial, started, from, deadline, mode, masked } = this.state,
      now = this.timers.now();
    this.timer.cancel();
    if (mode === MODE.DEADLINE) {
      if (deadline >= 0) this.timer.at(Math.max(now, deadline));
    } else if (started >= 0 && !masked) {
      const period = initial * this.divisor,
        end = started + from * this.divisor;
      // An end that has passed, while the entry was masked or time went on in one step, is lost.
      if (now < end) this.timer.at(end);
      else if (mode === MODE.PERIODIC) this.timer.at(end + (Math.floor((now - end) / period) + 1) * period);
    }
  }
  private fire(): void {
    const { state } = this;
    if (state.mode === MODE.DEADLINE) state.deadline = -1;
    else this.arm();
    if (!state.masked) this.expired();
  }

  reset(): void {
    this.state = TIMER.initial();
    this.timer.cancel();
  }
  save(): State<typeof TIMER> {
    return { ...this.state };
  }
  /** A state that TIMER has checked; throws a RangeError when its count begins after now. */
  load(state: State<typeof TIMER>): void {
    if (state.started > this.timers.now()) throw new RangeError('localApic.timer.started is later than the machine');
    // Nothing counts from or to zero.
    this.state = { ...state, started: state.initial === 0 || state.from === 0 ? -1 : state.started };
    this.arm();
  }
}
