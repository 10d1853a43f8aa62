// What all virtio devices have in common, whatever they do and however the driver reaches them ("Virtual I/O Device (VIRTIO) Version
// 1.2", chapter 2 "Basic Facilities of a Virtio Device"): status, negotiation of features, configuration space, queues, and the two
// reasons for an interrupt. A transport (pci.ts, mmio.ts) shows this to the driver; a kind of device is a VirtioType.
// As QEMU's devices these are transitional: a driver that does not accept VERSION_1 gets the legacy interface's rules.

import type { DeviceContext } from '../device.ts';
import { byte, type Field, integer, list, record, type State, word } from '../devices/fields.ts';
import type { Timers } from '../timers.ts';
import { QUEUE, type QueueHost, Virtqueue } from './queue.ts';

/** Bits of the device status (2.1). */
export const STATUS = { ACKNOWLEDGE: 1, DRIVER: 2, DRIVER_OK: 4, FEATURES_OK: 8, NEEDS_RESET: 64, FAILED: 128 } as const;
/** Feature bits that are no device type's own (chapter 6). */
export const FEATURE = { ANY_LAYOUT: 27, INDIRECT_DESC: 28, EVENT_IDX: 29, VERSION_1: 32 } as const;
/** Bits of the interrupt status: a queue has used buffers; the configuration or the status has changed. */
export const INTERRUPT = { QUEUE: 1, CONFIGURATION: 2 } as const;

/** A kind of virtio device (chapter 5), made for one device. */
export interface VirtioType {
  /** Device ID. */
  readonly id: number;
  /** Numbers of its own feature bits. */
  readonly features: readonly number[];
  /** Greatest size of each queue, a power of two. */
  readonly queues: readonly number[];
  /** The configuration space as it is now; always of the same length. */
  readonly configuration: Uint8Array;
  /** The driver writes a byte of the configuration space; without this nothing there can be written. */
  configure?(offset: number, value: number): void;
  /** The driver says that it has made buffers available in a queue. */
  notified(queue: number): void;
  /** Bytes from the peer on the host's side, where the device has one. */
  receive?(bytes: Uint8Array): void;
  /** It expects something of the other end. */
  readonly awaitsPeer?: boolean;
  /** The driver, or the machine, resets the device: forget the driver, and every timer. */
  reset(): void;
  /** What it keeps besides the queues. */
  readonly fields: Field<unknown>;
  readonly saved: unknown;
  /** Takes what `fields` has checked, and arms its timers again. */
  restore(state: unknown): void;
}

/** What a device type may do with its device. */
export interface VirtioCore {
  readonly timers: Timers;
  queue(number: number): Virtqueue;
  /** The driver has accepted this feature. */
  has(feature: number): boolean;
  /** The driver is ready, and the device does not wait for a reset. */
  readonly isRunning: boolean;
  /** The configuration space has changed: tells the driver. */
  configurationChanged(): void;
  /** The driver did what it may not do: nothing goes on before it resets the device. */
  break(): void;
}
/** Makes a device's type; it may ask the core for timers at once, and for the rest later. */
export type CreateType = (core: VirtioCore) => VirtioType;

/** What a device needs of its transport. */
export interface VirtioHost {
  readonly timers: Timers;
  readonly dma: DeviceContext['dma'];
  /** Whether the device can reach memory. */
  readonly reachesMemory: boolean;
  /** The interrupt request's level. */
  interrupt(level: boolean): void;
  /** Sends the message of a queue, or of the configuration (null), where interrupts are messages; false where they are not. */
  message?(queue: number | null): boolean;
  /** The driver, or the machine, has reset the device. */
  reset?(): void;
}

const doubleWord = () => integer(0, 0, 0xffffffff);

/** The state of a device of this type. */
function stateOf(type: VirtioType) {
  return record({
    status: byte(),
    interrupts: integer(0, 0, 3),
    generation: byte(),
    /** What the driver accepts, by halves. */
    accepted: list(2, doubleWord()),
    /** The registers that choose: half of the device's features, of the driver's, a queue. */
    featureSelect: doubleWord(),
    acceptedSelect: doubleWord(),
    queueSelect: word(),
    queues: list(type.queues.length, QUEUE),
    type: type.fields,
  });
}
type Saved = State<ReturnType<typeof stateOf>>;

export class VirtioDevice implements VirtioCore {
  readonly type: VirtioType;
  readonly queues: readonly Virtqueue[];
  readonly fields: Field<Saved>;
  featureSelect = 0;
  acceptedSelect = 0;
  queueSelect = 0;
  private status = 0;
  private interrupts = 0;
  private generation = 0;
  private accepted = [0, 0];
  private readonly offered: readonly number[];
  private readonly host: VirtioHost;

  constructor(host: VirtioHost, create: CreateType) {
    this.host = host;
    this.type = create(this);
    this.offered = words([...this.type.features, ...Object.values(FEATURE)]);
    this.fields = stateOf(this.type);
    const { dma } = host,
      device = this;
    const queueHost: QueueHost = {
      dma,
      get indirect() {
        return device.has(FEATURE.INDIRECT_DESC);
      },
      get eventIndex() {
        return device.has(FEATURE.EVENT_IDX);
      },
      get isRunning() {
        return device.isRunning;
      },
      break: () => this.break(),
      interrupt: (queue) => this.raise(INTERRUPT.QUEUE, queue),
    };
    this.queues = this.type.queues.map((most, number) => new Virtqueue(number, most, queueHost));
  }

  get timers(): Timers {
    return this.host.timers;
  }
  queue(number: number): Virtqueue {
    return this.queues[number];
  }
  has(feature: number): boolean {
    const half = feature >> 5;
    return ((this.accepted[half] & this.offered[half]) >>> (feature & 31)) % 2 === 1;
  }
  private get isLegacy(): boolean {
    return !this.has(FEATURE.VERSION_1);
  }
  /** Legacy drivers use queues before they are ready (3.1.2), and old ones do not turn bus mastering on. */
  get isRunning(): boolean {
    if ((this.status & STATUS.NEEDS_RESET) !== 0) return false;
    return this.isLegacy || ((this.status & STATUS.DRIVER_OK) !== 0 && this.host.reachesMemory);
  }

  configurationChanged(): void {
    this.generation = (this.generation + 1) & 0xff;
    if ((this.status & STATUS.DRIVER_OK) !== 0) this.raise(INTERRUPT.CONFIGURATION, null);
  }
  break(): void {
    this.status |= STATUS.NEEDS_RESET;
    if ((this.status & STATUS.DRIVER_OK) !== 0) this.raise(INTERRUPT.CONFIGURATION, null);
  }

  // What transports show.

  get deviceStatus(): number {
    return this.status;
  }
  set deviceStatus(value: number) {
    if (value === 0) {
      this.reset();
      return;
    }
    const refused = [0, 1].some((half) => (this.accepted[half] & ~this.offered[half]) !== 0);
    // The driver cannot take NEEDS_RESET back, and cannot go on with features that are not there (6.1).
    const allowed = (this.status & STATUS.FEATURES_OK) !== 0 || (!refused && !this.isLegacy) ? 0xff : 0xff & ~STATUS.FEATURES_OK;
    this.status = (value & allowed & ~STATUS.NEEDS_RESET) | (this.status & STATUS.NEEDS_RESET);
  }

  /** Half of the offered features that is selected; the legacy interface shows the low one with ANY_LAYOUT, which others reserve. */
  offeredFeatures(legacy: boolean): number {
    if (legacy) return this.offered[0];
    const half = this.offered[this.featureSelect] ?? 0;
    return (this.featureSelect === 0 ? half & ~(1 << FEATURE.ANY_LAYOUT) : half) >>> 0;
  }
  get acceptedFeatures(): number {
    return this.accepted[this.acceptedSelect] ?? 0;
  }
  set acceptedFeatures(bits: number) {
    if ((this.status & STATUS.FEATURES_OK) === 0 && this.acceptedSelect < 2) this.accepted[this.acceptedSelect] = bits >>> 0;
  }
  /** The low half, which is all that the legacy interface has. */
  get legacyFeatures(): number {
    return this.accepted[0];
  }
  set legacyFeatures(bits: number) {
    this.accepted[0] = bits >>> 0;
  }

  get selectedQueue(): Virtqueue | undefined {
    return this.queues[this.queueSelect];
  }
  get configurationGeneration(): number {
    return this.generation;
  }
  readConfiguration(offset: number, size: number): number {
    const { configuration } = this.type;
    let value = 0;
    for (let n = 0; n < size; n++) value |= (configuration[offset + n] ?? 0xff) << (8 * n);
    return value >>> 0;
  }
  writeConfiguration(offset: number, value: number, size: number): void {
    const { length } = this.type.configuration;
    for (let n = 0; n < size && offset + n < length; n++) this.type.configure?.(offset + n, (value >>> (8 * n)) & 0xff);
  }

  /** The driver's notification (2.9). */
  notify(queue: number): void {
    if (this.isRunning && this.queues[queue]?.isEnabled) this.type.notified(queue);
  }

  get interruptStatus(): number {
    return this.interrupts;
  }
  acknowledge(bits: number): void {
    this.interrupts &= ~bits;
    this.host.interrupt(this.interrupts !== 0);
  }
  private raise(bit: number, queue: number | null): void {
    if (this.host.message?.(queue)) return;
    this.interrupts |= bit;
    this.host.interrupt(true);
  }

  reset(): void {
    this.status = 0;
    this.accepted = [0, 0];
    this.featureSelect = 0;
    this.acceptedSelect = 0;
    this.queueSelect = 0;
    for (const queue of this.queues) queue.reset();
    this.type.reset();
    this.host.reset?.();
    this.acknowledge(0xff);
  }
  get saved(): Saved {
    const { status, interrupts, generation, accepted, featureSelect, acceptedSelect, queueSelect } = this;
    return {
      ...{ status, interrupts, generation, accepted, featureSelect, acceptedSelect, queueSelect },
      queues: this.queues.map(({ state }) => state),
      type: this.type.saved,
    };
  }
  /** Takes a state, of which it becomes the owner. */
  restore(state: Saved): void {
    this.status = state.status;
    this.interrupts = state.interrupts;
    this.generation = state.generation;
    this.accepted = state.accepted;
    this.featureSelect = state.featureSelect;
    this.acceptedSelect = state.acceptedSelect;
    this.queueSelect = state.queueSelect;
    for (const [n, queue] of this.queues.entries()) queue.state = state.queues[n];
    this.type.restore(state.type);
    this.host.interrupt(this.interrupts !== 0);
  }
}

/** Bit numbers as two double words. */
function words(bits: readonly number[]): number[] {
  return [0, 1].map((half) => bits.filter((bit) => bit >> 5 === half).reduce((word, bit) => word | (1 << (bit & 31)), 0) >>> 0);
}
