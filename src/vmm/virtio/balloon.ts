// Traditional memory balloon ("Virtual I/O Device (VIRTIO) Version 1.2", section 5.5): the driver gives pages up and takes them back, to
// come to the number that it is asked for.
//   queue 0: pages given up, queue 1: taken back; buffers of page numbers of 4 bytes      configuration: 0 asked for, 4 what the driver has
// A page that was given up reads as zeros. The host gets no memory back: a guest's RAM is a fixed slice. Left out on purpose:
// statistics, free page hints and reports.

import type { DeviceContext } from '../device.ts';
import { integer, list, record, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import type { VirtioCore, VirtioType } from './device.ts';

const INFLATE = 0,
  QUEUE_SIZE = 128;
const CONFIGURATION_BYTES = 8,
  ACTUAL = 4;
const PAGE = 4096;
/** Pages of one buffer that are looked at: drivers give 256 at once. */
const MOST_PAGES = 4096;
/** Cycles for a buffer, and for a page that is given up: as if a bus master cleared it. */
const BUFFER_TIME = CYCLES_PER_SECOND / 50_000,
  PAGE_TIME = PAGE / 2;
/** Bytes of a message from outside. */
const MESSAGE_BYTES = 4;

/** The message for a guest that shall keep so many bytes of its memory: the number of pages that the driver shall give up. */
export function balloonMessage(memory: number, left: number): Uint8Array {
  if (!Number.isInteger(left) || left < 0 || left > memory)
    throw new RangeError(`Memory of ${left} bytes: a guest with ${memory} can be left none to all of it.`);
  const message = new Uint8Array(MESSAGE_BYTES);
  new DataView(message.buffer).setUint32(0, Math.floor((memory - left) / PAGE), true);
  return message;
}

const doubleWord = () => integer(0, 0, 0xffffffff);
const STATE = record({ asked: doubleWord(), actual: doubleWord(), deadlines: list(2, time()) });

export class VirtioBalloon implements VirtioType {
  readonly id = 5;
  readonly features = [];
  readonly queues = [QUEUE_SIZE, QUEUE_SIZE];
  readonly fields = STATE;
  private state = STATE.initial();
  private readonly core: VirtioCore;
  private readonly dma: DeviceContext['dma'];
  private readonly timers: readonly Timer[];

  constructor(core: VirtioCore, dma: DeviceContext['dma']) {
    this.core = core;
    this.dma = dma;
    this.timers = this.queues.map((_, queue) => core.timers.create(`virtio-balloon ${queue}`, () => this.next(queue)));
  }

  get configuration(): Uint8Array {
    const bytes = new Uint8Array(CONFIGURATION_BYTES),
      view = new DataView(bytes.buffer);
    view.setUint32(0, this.state.asked, true);
    view.setUint32(ACTUAL, this.state.actual, true);
    return bytes;
  }
  configure(offset: number, value: number): void {
    if (offset < ACTUAL) return;
    const shift = 8 * (offset - ACTUAL);
    this.state.actual = ((this.state.actual & ~(0xff << shift)) | (value << shift)) >>> 0;
  }

  /** Somebody outside asks for a number of pages (4 bytes). */
  receive(message: Uint8Array): void {
    if (message.length !== MESSAGE_BYTES) throw new RangeError(`virtio-balloon: ${message.length} bytes are no number of pages`);
    this.state.asked = new DataView(message.buffer, message.byteOffset).getUint32(0, true);
    this.core.configurationChanged();
  }

  notified(queue: number): void {
    if (this.state.deadlines[queue] < 0) this.nextAt(queue, this.core.timers.now() + BUFFER_TIME);
  }
  private nextAt(queue: number, cycle: number): void {
    this.state.deadlines[queue] = cycle;
    this.timers[queue].at(cycle);
  }

  private next(number: number): void {
    this.state.deadlines[number] = -1;
    const queue = this.core.queue(number),
      chain = queue.take();
    if (!chain) return;
    let given = 0;
    if (number === INFLATE) {
      const numbers = chain.read(0, 4 * MOST_PAGES),
        view = new DataView(numbers.buffer),
        zeros = new Uint8Array(PAGE);
      for (; 4 * given + 4 <= numbers.length; given++) this.dma.write(view.getUint32(4 * given, true) * PAGE, zeros);
    }
    queue.complete(chain, 0);
    this.nextAt(number, this.core.timers.now() + BUFFER_TIME + given * PAGE_TIME);
  }

  /** What is asked for stays: it is nothing that the driver knows. */
  reset(): void {
    this.state = { ...STATE.initial(), asked: this.state.asked };
    for (const timer of this.timers) timer.cancel();
  }
  get saved() {
    return this.state;
  }
  restore(state: ReturnType<typeof STATE.initial>): void {
    this.reset();
    this.state = state;
    for (const [queue, deadline] of state.deadlines.entries()) if (deadline >= 0) this.nextAt(queue, deadline);
  }
}
