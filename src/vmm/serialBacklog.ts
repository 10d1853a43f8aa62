// Serial input that the UART has no room for yet: a pasted text is longer than any queue. The rest waits here and is offered
// again in virtual time, so that when it arrives does not depend on the host.

import { CYCLES_PER_SECOND, type Timer, type Timers } from './timers.ts';

/** A receiver that may be full. */
export interface Receiver {
  /** false: the byte was not taken. */
  receive(byte: number): boolean;
}

/** Cycles after which a full receiver is tried again: 1 ms. */
const RETRY = CYCLES_PER_SECOND / 1000;
/** Most bytes kept: what comes on top is lost, as on a line without flow control. */
const LIMIT = 16 << 20;

export class SerialBacklog {
  readonly #receiver: Receiver;
  readonly #timers: Timers;
  readonly #retry: Timer;
  #chunks: Uint8Array[] = [];
  #offset = 0;
  #length = 0;

  constructor(name: string, receiver: Receiver, timers: Timers) {
    this.#receiver = receiver;
    this.#timers = timers;
    this.#retry = timers.create(name, () => this.#drain());
  }

  /** Gives bytes to the receiver, now or when it has room. */
  add(bytes: Uint8Array): void {
    const taken = bytes.subarray(0, LIMIT - this.#length);
    if (taken.length === 0) return;
    this.#chunks.push(taken);
    this.#length += taken.length;
    if (this.#retry.deadline === Infinity) this.#drain();
  }

  #drain(): void {
    for (;;) {
      const [chunk] = this.#chunks;
      if (!chunk) return;
      while (this.#offset < chunk.length) {
        if (!this.#receiver.receive(chunk[this.#offset])) return this.#retry.at(this.#timers.now() + RETRY);
        this.#offset++;
        this.#length--;
      }
      this.#chunks.shift();
      this.#offset = 0;
    }
  }
}
