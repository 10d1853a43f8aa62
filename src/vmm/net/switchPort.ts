// A card's way to a port of a switch (switch.ts), which is outside the machine: frames go out as they are, and what comes is
// acknowledged, so that no more frames wait for a guest that stands still than it can hold.

import { record } from '../devices/fields.ts';
import { type FrameSink, LONGEST_FRAME, readFrame } from './ethernet.ts';

/** What a card tells its port: a frame follows, or one of those that came has arrived. */
export const PORT_MESSAGE = { FRAME: 0, ARRIVED: 1 } as const;

export class SwitchPort {
  readonly awaitsHost = false;
  readonly fields = record({});
  readonly saved = {};
  private readonly output: FrameSink;
  private readonly outside: (message: Uint8Array) => void;

  constructor(output: FrameSink, outside: (message: Uint8Array) => void) {
    this.output = output;
    this.outside = outside;
  }

  receive(frame: Uint8Array): void {
    if (!readFrame(frame)) return;
    const message = new Uint8Array(1 + frame.length);
    message[0] = PORT_MESSAGE.FRAME;
    message.set(frame, 1);
    this.outside(message);
  }
  hear(frame: Uint8Array): void {
    if (frame.length <= LONGEST_FRAME) this.output(frame.slice());
    this.outside(Uint8Array.of(PORT_MESSAGE.ARRIVED));
  }
  restore(): void {}
}
