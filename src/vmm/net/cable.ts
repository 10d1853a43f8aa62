// A network card's cable and what is at its other end, as far as that is part of the machine: a user network, the way to a port of
// a switch outside, or nothing. Frames for the card come one by one (frameQueue.ts).

import { type Field, record } from '../devices/fields.ts';
import type { Timers } from '../timers.ts';
import type { FrameSink } from './ethernet.ts';
import { userNetworkConfig } from './forwards.ts';
import { FRAME_QUEUE, FrameQueue, type FrameReceiver } from './frameQueue.ts';
import { SwitchPort } from './switchPort.ts';
import { UserNetwork } from './userNetwork.ts';

/** What is at the other end. */
export interface FarEnd {
  /** A frame that the card sent. */
  receive(frame: Uint8Array): void;
  /** Bytes from outside the machine. */
  hear(bytes: Uint8Array): void;
  /** Somebody outside is being waited for. */
  readonly awaitsHost: boolean;
  readonly fields: Field<unknown>;
  readonly saved: unknown;
  /** Takes what `fields` has checked. */
  restore(state: unknown): void;
}

export interface CableContext {
  readonly name: string;
  readonly timers: Timers;
  /** Type and values of the back end. */
  readonly backend: { readonly type: string; readonly values: { readonly [name: string]: string } } | null;
  send(bytes: Uint8Array): void;
}

/** The kinds of far ends by their names as back ends. */
const FAR_ENDS: { readonly [type: string]: (context: CableContext, output: FrameSink) => FarEnd } = {
  user: ({ timers, backend, send }, output) => new UserNetwork(userNetworkConfig(backend?.values ?? {}), timers, output, send),
  switch: ({ send }, output) => new SwitchPort(output, send),
};
const NOTHING: FarEnd = { receive() {}, hear() {}, awaitsHost: false, fields: record({}), saved: {}, restore() {} };

export class Cable {
  readonly fields;
  private readonly queue: FrameQueue;
  private readonly far: FarEnd;

  constructor(context: CableContext, receiver: FrameReceiver) {
    const { name, timers, backend } = context;
    this.queue = new FrameQueue(`${name} cable`, timers, receiver);
    this.far = backend ? FAR_ENDS[backend.type](context, (frame) => this.queue.add(frame)) : NOTHING;
    this.fields = record({ queue: FRAME_QUEUE, far: this.far.fields });
  }

  /** A frame that the card sends. */
  transmit(frame: Uint8Array): void {
    this.far.receive(frame);
  }
  /** What the card's peer outside the machine said. */
  hear(bytes: Uint8Array): void {
    this.far.hear(bytes);
  }
  get awaitsHost(): boolean {
    return this.far.awaitsHost;
  }

  get saved() {
    return { queue: this.queue.saved, far: this.far.saved };
  }
  restore({ queue, far }: Cable['saved']): void {
    this.queue.restore(queue);
    this.far.restore(far);
  }
}
