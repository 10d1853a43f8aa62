// The device's side of a split virtqueue ("Virtual I/O Device (VIRTIO) Version 1.2", section 2.7; the legacy layout of 2.7.2 is the
// same with other places). The driver makes chains of descriptors available; the device takes them one by one, in order, and gives
// each back used, with the number of bytes that it wrote.
//   descriptor area: 16 bytes each: address (8), length (4), flags (2), next (2)
//   driver area: flags, index, ring of heads, used_event      device area: flags, index, ring of {head, length}, avail_event
// What a driver may not do breaks the device, which then needs a reset (2.1.1): a chain that is longer than the queue, and so one that
// loops; a descriptor outside the table; one for the device to read behind one for it to write; a table of descriptors inside another
// or of no whole number of them; more heads than the queue has places. An address where no RAM is reads as ones, and what is written
// there is lost, as for any other bus master.

import type { DeviceContext } from '../device.ts';
import { flag, integer, list, record, type State, word } from '../devices/fields.ts';

const DESCRIPTOR = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
const DESCRIPTOR_BYTES = 16,
  USED_BYTES = 8;
/** Flag of the driver area: no interrupts please. */
const NO_INTERRUPT = 1;
/** The driver area begins with flags and index, the device area too. */
const RING = 4;
const LEGACY_PAGE = 4096;

const doubleWord = () => integer(0, 0, 0xffffffff);
export const QUEUE = record({
  size: integer(1, 1, 32768),
  enabled: flag(),
  /** Low and high halves of the addresses of descriptor, driver and device area. */
  areas: list(6, doubleWord()),
  /** How many chains have been taken and given back, modulo 2^16; and how many had been given back at the last interrupt. */
  taken: word(),
  used: word(),
  announced: word(),
});

/** Number of an area's low half in `areas`. */
export const AREA = { descriptors: 0, driver: 2, device: 4 } as const;

/** What a queue needs of its device. */
export interface QueueHost {
  readonly dma: DeviceContext['dma'];
  /** Indirect descriptors and event indexes are in use (2.7.5.3, 2.7.7). */
  readonly indirect: boolean;
  readonly eventIndex: boolean;
  /** The driver is ready, and the device does not wait for a reset. */
  readonly isRunning: boolean;
  /** The driver did what it may not do. */
  break(): void;
  /** A queue has given a chain back, and the driver wants to know. */
  interrupt(queue: number): void;
}

interface Piece {
  readonly address: number;
  readonly length: number;
}

/** Buffers that the driver has made available together. They do not have to be given back, but nothing else is lost then either. */
export class Chain {
  readonly head: number;
  /** Bytes for the device to read, and room for it to write; addresses may repeat, so that both can be more than there is memory. */
  readonly readable: number;
  readonly writable: number;
  private readonly dma: DeviceContext['dma'];
  private readonly toRead: readonly Piece[];
  private readonly toWrite: readonly Piece[];

  constructor(dma: DeviceContext['dma'], head: number, toRead: readonly Piece[], toWrite: readonly Piece[]) {
    this.dma = dma;
    this.head = head;
    this.toRead = toRead;
    this.toWrite = toWrite;
    this.readable = total(toRead);
    this.writable = total(toWrite);
  }

  /** At most `length` of the readable bytes from `offset` on. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.readable - offset)));
    within(this.toRead, offset, bytes.length, (address, done, count) => bytes.set(this.dma.read(address, count), done));
    return bytes;
  }
  /** Puts bytes into the writable room from `offset` on; gives how many there was room for. */
  write(offset: number, bytes: Uint8Array): number {
    return within(this.toWrite, offset, bytes.length, (address, done, count) =>
      this.dma.write(address, bytes.subarray(done, done + count)),
    );
  }
}

const total = (pieces: readonly Piece[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** The parts of `length` bytes from `offset` on of pieces that lie behind each other; gives how many bytes there were. */
function within(
  pieces: readonly Piece[],
  offset: number,
  length: number,
  use: (address: number, done: number, count: number) => void,
): number {
  let done = 0,
    skip = offset;
  for (const { address, length: size } of pieces) {
    if (done === length) break;
    if (skip >= size) {
      skip -= size;
      continue;
    }
    const count = Math.min(size - skip, length - done);
    use(address + skip, done, count);
    done += count;
    skip = 0;
  }
  return done;
}

export class Virtqueue {
  /** Greatest size, and the one after reset. */
  readonly most: number;
  private readonly number: number;
  state: State<typeof QUEUE>;
  private readonly host: QueueHost;

  constructor(number: number, most: number, host: QueueHost) {
    this.number = number;
    this.most = most;
    this.host = host;
    this.state = this.initial();
  }
  private initial(): State<typeof QUEUE> {
    return { ...QUEUE.initial(), size: this.most };
  }
  reset(): void {
    this.state = this.initial();
  }

  /** The driver chooses a size; one that the queue cannot have is ignored, as is everything while it is enabled. */
  set size(size: number) {
    if (!this.state.enabled && size > 0 && size <= this.most && (size & (size - 1)) === 0) this.state.size = size;
  }
  get size(): number {
    return this.state.size;
  }
  /** Half of an area's address: AREA's number, plus one for the high half. */
  setArea(half: number, value: number): void {
    if (!this.state.enabled) this.state.areas[half] = value;
  }
  enable(): void {
    this.state.enabled = true;
  }
  get isEnabled(): boolean {
    return this.state.enabled;
  }

  /** The legacy layout (2.7.2): all three areas from one page on; 0 when it is not enabled. */
  get legacyPage(): number {
    return this.isEnabled ? Math.floor(this.area(AREA.descriptors) / LEGACY_PAGE) : 0;
  }
  placeLegacy(page: number): void {
    const descriptors = page * LEGACY_PAGE,
      driver = descriptors + DESCRIPTOR_BYTES * this.most,
      device = Math.ceil((driver + RING + 2 * this.most + 2) / LEGACY_PAGE) * LEGACY_PAGE;
    this.state = {
      ...this.initial(),
      enabled: true,
      areas: [descriptors, driver, device].flatMap((at) => [at >>> 0, Math.floor(at / 2 ** 32)]),
    };
  }

  /** The next chain that the driver has made available, or null; then the driver will say when there is one. */
  take(): Chain | null {
    const { state, host } = this;
    if (!state.enabled || !host.isRunning) return null;
    const driver = this.area(AREA.driver),
      waiting = (this.read16(driver + 2) - state.taken) & 0xffff;
    if (waiting === 0) {
      if (host.eventIndex) this.write(this.area(AREA.device) + RING + USED_BYTES * state.size, state.taken, 2);
      return null;
    }
    const chain = waiting <= state.size ? this.walk(this.read16(driver + RING + 2 * (state.taken % state.size))) : null;
    if (chain) state.taken = (state.taken + 1) & 0xffff;
    else host.break();
    return chain;
  }

  /** The chain that was taken last has not been taken. */
  putBack(): void {
    this.state.taken = (this.state.taken - 1) & 0xffff;
  }

  /** Gives a chain back; `written`: how many bytes from the start of its room hold something new. */
  complete(chain: Chain, written: number): void {
    const { state, host } = this,
      driver = this.area(AREA.driver),
      device = this.area(AREA.device);
    const entry = device + RING + USED_BYTES * (state.used % state.size);
    this.write(entry, chain.head, 4);
    this.write(entry + 4, Math.min(written, chain.writable, 0xffffffff), 4);
    state.used = (state.used + 1) & 0xffff;
    this.write(device + 2, state.used, 2);
    if (host.eventIndex) {
      const event = this.read16(driver + RING + 2 * state.size);
      if (((state.used - event - 1) & 0xffff) >= ((state.used - state.announced) & 0xffff)) return;
    } else if ((this.read16(driver) & NO_INTERRUPT) !== 0) return;
    state.announced = state.used;
    host.interrupt(this.number);
  }

  /** Follows a chain; null when it is none. */
  private walk(head: number): Chain | null {
    const toRead: Piece[] = [],
      toWrite: Piece[] = [];
    let table = this.area(AREA.descriptors),
      entries = this.state.size,
      isIndirect = false,
      index = head;
    for (let steps = 0; steps < this.state.size && index < entries; ) {
      const bytes = this.host.dma.read(table + DESCRIPTOR_BYTES * index, DESCRIPTOR_BYTES),
        view = new DataView(bytes.buffer, bytes.byteOffset, DESCRIPTOR_BYTES);
      const address = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32,
        length = view.getUint32(8, true),
        flags = view.getUint16(12, true);
      if ((flags & DESCRIPTOR.INDIRECT) !== 0) {
        if (isIndirect || !this.host.indirect || (flags & DESCRIPTOR.NEXT) !== 0 || length % DESCRIPTOR_BYTES !== 0) return null;
        table = address;
        entries = length / DESCRIPTOR_BYTES;
        isIndirect = true;
        index = 0;
        continue;
      }
      steps++;
      if ((flags & DESCRIPTOR.WRITE) !== 0) toWrite.push({ address, length });
      else if (toWrite.length > 0) return null;
      else toRead.push({ address, length });
      if ((flags & DESCRIPTOR.NEXT) === 0) return new Chain(this.host.dma, head, toRead, toWrite);
      index = view.getUint16(14, true);
    }
    return null;
  }

  private area(low: number): number {
    return this.state.areas[low] + this.state.areas[low + 1] * 2 ** 32;
  }
  private read16(address: number): number {
    const [low, high] = this.host.dma.read(address, 2);
    return low | (high << 8);
  }
  private write(address: number, value: number, bytes: 2 | 4): void {
    this.host.dma.write(
      address,
      Uint8Array.from({ length: bytes }, (_, n) => value >>> (8 * n)),
    );
  }
}
