// Frames on their way to a card: one after the other at the speed of the cable, held while the card has no room. Bounded; what
// comes when it is full is lost, as in a switch.

import { bytesUpTo, listUpTo, record, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND, type Timer, type Timers } from '../timers.ts';
import { LONGEST_FRAME } from './ethernet.ts';

/** Cycles that a byte takes on a cable of 1 Gbit/s. */
export const CYCLES_PER_BYTE = (8 * CYCLES_PER_SECOND) / 1e9;
/** Cycles between a frame's last bit and what answers it. */
const LATENCY = CYCLES_PER_SECOND / 50_000;
/** Cycles until a card without room is asked again. */
const PATIENCE = CYCLES_PER_SECOND / 10_000;
const MOST_FRAMES = 512;

export const FRAME_QUEUE = record({ frames: listUpTo(MOST_FRAMES, bytesUpTo(LONGEST_FRAME)), due: time() });

/** What frames go to: takes one, or says that it has no room for it now. */
export type FrameReceiver = (frame: Uint8Array) => boolean;

export class FrameQueue {
  private state = FRAME_QUEUE.initial();
  private readonly timers: Timers;
  private readonly timer: Timer;
  private readonly receiver: FrameReceiver;

  constructor(name: string, timers: Timers, receiver: FrameReceiver) {
    this.timers = timers;
    this.receiver = receiver;
    this.timer = timers.create(name, () => this.deliver());
  }

  add(frame: Uint8Array): void {
    if (this.state.frames.length === MOST_FRAMES || frame.length > LONGEST_FRAME) return;
    if (this.state.frames.push(frame) === 1) this.arm(LATENCY + frame.length * CYCLES_PER_BYTE);
  }

  private arm(cycles: number): void {
    this.state.due = this.timers.now() + Math.ceil(cycles);
    this.timer.at(this.state.due);
  }

  private deliver(): void {
    this.state.due = -1;
    const [frame] = this.state.frames;
    if (!this.receiver(frame)) return this.arm(PATIENCE);
    this.state.frames.shift();
    const [next] = this.state.frames;
    if (next) this.arm(next.length * CYCLES_PER_BYTE);
  }

  get saved(): typeof this.state {
    return this.state;
  }
  restore(state: typeof this.state): void {
    this.state = state;
    this.timer.cancel();
    if (state.frames.length > 0) this.timer.at(Math.max(state.due, 0));
  }
}
