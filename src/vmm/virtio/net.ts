// Network device ("Virtual I/O Device (VIRTIO) Version 1.2", section 5.1): a receive queue and a transmit queue of frames, each behind
// a header. Buffers of the receive queue can be merged. Every frame on the cable is received: without a control queue there is no
// filter (5.1.6.5). Left out on purpose: control queue, several pairs of queues, checksums and segmentation by the device.

import { bytes, record, time } from '../devices/fields.ts';
import { Cable, type CableContext } from '../net/cable.ts';
import { LONGEST_FRAME, MAC_BYTES } from '../net/ethernet.ts';
import { CYCLES_PER_BYTE } from '../net/frameQueue.ts';
import type { Timer } from '../timers.ts';
import { FEATURE, type VirtioCore, type VirtioType } from './device.ts';
import type { Chain } from './queue.ts';

const MAC = 5,
  MERGED_BUFFERS = 15,
  STATUS = 16;
const RECEIVE = 0,
  TRANSMIT = 1,
  QUEUE_SIZE = 256;
/** The header, which ends with the number of buffers only where it means something; that number's place. */
const LEGACY_HEADER = 10,
  HEADER = 12,
  BUFFER_COUNT = 10;
const LINK_UP = 1;

export class VirtioNet implements VirtioType {
  readonly id = 1;
  readonly features = [MAC, MERGED_BUFFERS, STATUS];
  readonly queues = [QUEUE_SIZE, QUEUE_SIZE];
  readonly fields;
  private mac: Uint8Array;
  private deadline = -1;
  private readonly ownMac: Uint8Array;
  private readonly core: VirtioCore;
  private readonly timer: Timer;
  private readonly cable: Cable;

  constructor(core: VirtioCore, context: CableContext, mac: Uint8Array) {
    this.core = core;
    this.mac = mac.slice();
    this.ownMac = mac;
    this.timer = core.timers.create(`${context.name} transmit`, () => this.transmit());
    this.cable = new Cable(context, (frame) => this.take(frame));
    this.fields = record({ mac: bytes(MAC_BYTES), deadline: time(), cable: this.cable.fields });
  }

  get configuration(): Uint8Array {
    return Uint8Array.of(...this.mac, LINK_UP, 0);
  }
  /** A legacy driver writes its address (5.1.4.1). */
  configure(offset: number, value: number): void {
    if (offset < MAC_BYTES) this.mac[offset] = value;
  }

  notified(queue: number): void {
    if (queue === TRANSMIT && this.deadline < 0) this.transmitAt(this.core.timers.now() + LONGEST_FRAME * CYCLES_PER_BYTE);
  }
  private transmitAt(cycle: number): void {
    this.deadline = Math.ceil(cycle);
    this.timer.at(this.deadline);
  }

  /** Sends what is in the queue: no more than it holds. What is no frame goes nowhere. */
  private transmit(): void {
    const queue = this.core.queue(TRANSMIT);
    this.deadline = -1;
    for (let n = 0; n < QUEUE_SIZE; n++) {
      const chain = queue.take();
      if (!chain) return;
      const length = chain.readable - this.header;
      if (length > 0 && length <= LONGEST_FRAME) this.cable.transmit(chain.read(this.header, length));
      queue.complete(chain, 0);
    }
    this.notified(TRANSMIT);
  }

  private get header(): number {
    return this.core.has(FEATURE.VERSION_1) || this.core.has(MERGED_BUFFERS) ? HEADER : LEGACY_HEADER;
  }

  /** A frame from the cable; false when it has to wait for buffers. */
  private take(frame: Uint8Array): boolean {
    const queue = this.core.queue(RECEIVE),
      { header } = this;
    if (!this.core.isRunning || !queue.isEnabled) return true;
    const whole = new Uint8Array(header + frame.length),
      chains: Chain[] = [];
    whole.set(frame, header);
    let room = 0;
    while (room < whole.length) {
      const chain = queue.take();
      if (!chain) {
        for (const _ of chains) queue.putBack();
        return !this.core.isRunning;
      }
      chains.push(chain);
      room += chain.writable;
      // A frame that does not fit into the one buffer that it can have is lost.
      if (!this.core.has(MERGED_BUFFERS) && room < whole.length) break;
      if (chains.length === QUEUE_SIZE) break;
    }
    if (header === HEADER) whole[BUFFER_COUNT] = chains.length;
    let written = 0;
    for (const chain of chains) {
      const count = room < whole.length ? 0 : chain.write(0, whole.subarray(written));
      written += count;
      queue.complete(chain, count);
    }
    return true;
  }

  receive(message: Uint8Array): void {
    this.cable.hear(message);
  }
  get awaitsPeer(): boolean {
    return this.cable.awaitsHost;
  }

  /** The cable and what is at its end go on. */
  reset(): void {
    this.mac = this.ownMac.slice();
    this.deadline = -1;
    this.timer.cancel();
  }
  get saved() {
    return { mac: this.mac, deadline: this.deadline, cable: this.cable.saved };
  }
  restore({ mac, deadline, cable }: VirtioNet['saved']): void {
    this.reset();
    this.mac = mac;
    this.cable.restore(cable);
    if (deadline >= 0) this.transmitAt(deadline);
  }
}
