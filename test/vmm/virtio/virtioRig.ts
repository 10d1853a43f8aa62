// The guest's side of virtio: a machine of one device with a driver for it, over each transport. The driver follows "Virtual I/O Device
// (VIRTIO) Version 1.2", sections 3.1 (initialisation) and 2.7 (split virtqueues); its rings and buffers are in 1 MiB of RAM.

import { strict as assert } from 'node:assert';
import { Bus } from '../../../src/vmm/bus.ts';
import type { Device, DeviceContext } from '../../../src/vmm/device.ts';
import { PciBus, pciWire } from '../../../src/vmm/pci/bus.ts';
import { createTimers, type MachineTimers } from '../../../src/vmm/timers.ts';
import { type CreateType, FEATURE, STATUS } from '../../../src/vmm/virtio/device.ts';
import { VirtioMmio } from '../../../src/vmm/virtio/mmio.ts';
import { VirtioPci } from '../../../src/vmm/virtio/pci.ts';

export const TRANSPORTS = ['pci', 'legacy pci', 'mmio'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

export const RAM = 1 << 20;
const SLOT = 3,
  CONFIGURATION = 0x80000000 | (SLOT << 11);
export const PORTS = 0xc000,
  MEMORY = 0xe0000000,
  MSIX = 0xe0008000,
  MMIO = 0xfeb00000;

export interface VirtioRig {
  readonly device: Device & (VirtioPci | VirtioMmio);
  readonly bus: Bus;
  readonly pci: PciBus;
  readonly ram: Uint8Array;
  readonly view: DataView;
  readonly timers: MachineTimers;
  readonly transport: Transport;
  /** Level of the interrupt request. */
  irq(): boolean;
  now: number;
  run(cycles: number): void;
}

/** Registers that every transport has in some way. */
interface Transport {
  status: number;
  /** The low 32 bits of the offered features, and the high ones. */
  features(half: 0 | 1): number;
  accept(half: 0 | 1, bits: number): void;
  /** Chooses a queue, and gives its greatest size. */
  select(queue: number): number;
  /** Size and addresses of the chosen queue; then it is enabled. */
  place(size: number, descriptors: number, driver: number, device: number): void;
  notify(queue: number): void;
  /** Reads the interrupt status and acknowledges it. */
  interruptStatus(): number;
  readonly configuration: { read(offset: number, size: 1 | 2 | 4): number; write(offset: number, value: number, size: 1 | 2 | 4): void };
  readonly isLegacy: boolean;
}

export function virtioRig(name: TransportName, create: CreateType): VirtioRig {
  const bus = new Bus(),
    pci = new PciBus(),
    ram = new Uint8Array(RAM);
  let level = false;
  const timers = createTimers(() => rig.now);
  const context: Pick<DeviceContext, 'map' | 'pci' | 'timers' | 'dma'> = {
    timers,
    pci,
    map: (range) => bus.movable('virtio', range),
    dma: {
      read(address, length) {
        const bytes = new Uint8Array(length).fill(0xff);
        bytes.set(ram.subarray(address, address + length));
        return bytes;
      },
      write: (address, bytes) => {
        if (address < RAM) ram.set(bytes.subarray(0, RAM - address), address);
      },
    },
  };
  const device =
    name === 'mmio'
      ? new VirtioMmio(context, MMIO, { set: (value) => void (level = value) }, create)
      : new VirtioPci(context, SLOT, create);
  bus.add('virtio', device);
  if (name !== 'mmio') {
    pci.write(CONFIGURATION | 0x10, PORTS, 4);
    pci.write(CONFIGURATION | 0x14, MSIX, 4);
    pci.write(CONFIGURATION | 0x20, MEMORY, 4);
    pci.write(CONFIGURATION | 0x04, 7, 2);
  }
  const rig: VirtioRig = {
    device,
    bus,
    pci,
    ram,
    view: new DataView(ram.buffer),
    timers,
    transport: name === 'mmio' ? overMmio(bus) : name === 'pci' ? overPci(bus) : overLegacyPci(bus),
    irq: () => (name === 'mmio' ? level : pci.level(pciWire(SLOT, 1))),
    now: 0,
    run(cycles) {
      const end = rig.now + cycles;
      for (let next = timers.nextDeadline(); next <= end; next = timers.nextDeadline()) {
        rig.now = Math.max(rig.now, next);
        timers.runDue();
      }
      rig.now = end;
    },
  };
  return rig;
}

const memory = (bus: Bus, base: number) => ({
  read: (offset: number, size: 1 | 2 | 4) => bus.memoryRead(base + offset, size),
  write: (offset: number, value: number, size: 1 | 2 | 4) => bus.memoryWrite(base + offset, value, size),
});

function overPci(bus: Bus): Transport {
  const { read, write } = memory(bus, MEMORY);
  return {
    isLegacy: false,
    get status() {
      return read(0x14, 1);
    },
    set status(value) {
      write(0x14, value, 1);
    },
    features(half) {
      write(0x00, half, 4);
      return read(0x04, 4);
    },
    accept(half, bits) {
      write(0x08, half, 4);
      write(0x0c, bits, 4);
    },
    select(queue) {
      write(0x16, queue, 2);
      return read(0x18, 2);
    },
    place(size, ...areas) {
      write(0x18, size, 2);
      areas.forEach((area, n) => {
        write(0x20 + 8 * n, area, 4);
        write(0x24 + 8 * n, 0, 4);
      });
      write(0x1c, 1, 2);
    },
    notify: (queue) => write(0x3000 + 4 * queue, queue, 2),
    interruptStatus: () => read(0x1000, 1),
    configuration: memory(bus, MEMORY + 0x2000),
  };
}

function overLegacyPci(bus: Bus): Transport {
  const read = (offset: number, size: 1 | 2 | 4) => bus.portRead(PORTS + offset, size),
    write = (offset: number, value: number, size: 1 | 2 | 4) => bus.portWrite(PORTS + offset, value, size);
  return {
    isLegacy: true,
    get status() {
      return read(0x12, 1);
    },
    set status(value) {
      write(0x12, value, 1);
    },
    features: (half) => (half === 0 ? read(0x00, 4) : 0),
    accept: (half, bits) => half === 0 && write(0x04, bits, 4),
    select(queue) {
      write(0x0e, queue, 2);
      return read(0x0c, 2);
    },
    place: (_, descriptors) => write(0x08, descriptors / 4096, 4),
    notify: (queue) => write(0x10, queue, 2),
    interruptStatus: () => read(0x13, 1),
    configuration: { read: (offset, size) => read(0x14 + offset, size), write: (offset, value, size) => write(0x14 + offset, value, size) },
  };
}

function overMmio(bus: Bus): Transport {
  const { read, write } = memory(bus, MMIO);
  return {
    isLegacy: false,
    get status() {
      return read(0x70, 4);
    },
    set status(value) {
      write(0x70, value, 4);
    },
    features(half) {
      write(0x14, half, 4);
      return read(0x10, 4);
    },
    accept(half, bits) {
      write(0x24, half, 4);
      write(0x20, bits, 4);
    },
    select(queue) {
      write(0x30, queue, 4);
      return read(0x34, 4);
    },
    place(size, ...areas) {
      write(0x38, size, 4);
      areas.forEach((area, n) => {
        write(0x80 + 16 * n, area, 4);
        write(0x84 + 16 * n, 0, 4);
      });
      write(0x44, 1, 4);
    },
    notify: (queue) => write(0x50, queue, 4),
    interruptStatus() {
      const status = read(0x60, 4);
      write(0x64, status, 4);
      return status;
    },
    configuration: memory(bus, MMIO + 0x100),
  };
}

export const DESCRIPTOR = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
/** A page for the rings of each queue, and buffers behind them. */
const FIRST_RING = 0x10000,
  RING_BYTES = 0x10000,
  FIRST_BUFFER = 0x80000;

/** One queue as its driver sees it. */
export class DriverQueue {
  readonly size: number;
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
  private readonly rig: VirtioRig;
  private readonly number: number;
  private nextDescriptor = 0;
  private nextBuffer: number;
  private seen = 0;

  constructor(rig: VirtioRig, number: number, size: number) {
    this.rig = rig;
    this.number = number;
    this.size = size;
    this.descriptors = FIRST_RING + number * RING_BYTES;
    this.driver = this.descriptors + 16 * size;
    this.device = Math.ceil((this.driver + 6 + 2 * size) / 4096) * 4096;
    this.nextBuffer = FIRST_BUFFER + number * RING_BYTES;
  }

  describe(index: number, address: number, length: number, flags: number, next = 0, table = this.descriptors): void {
    const { view } = this.rig,
      at = table + 16 * index;
    view.setBigUint64(at, BigInt(address), true);
    view.setUint32(at + 8, length, true);
    view.setUint16(at + 12, flags, true);
    view.setUint16(at + 14, next, true);
  }

  /** Puts a head into the ring of available chains. */
  offer(head: number): void {
    const { view } = this.rig,
      index = view.getUint16(this.driver + 2, true);
    view.setUint16(this.driver + 4 + 2 * (index % this.size), head, true);
    view.setUint16(this.driver + 2, index + 1, true);
  }
  notify(): void {
    this.rig.transport.notify(this.number);
  }

  /** Makes a chain of these bytes and of room for so many bytes available; gives the addresses of all its buffers. */
  add(readable: readonly Uint8Array[], writable: readonly number[] = []): number[] {
    const lengths = [...readable.map(({ length }) => length), ...writable],
      head = this.nextDescriptor % this.size,
      addresses: number[] = [];
    lengths.forEach((length, n) => {
      const index = (head + n) % this.size,
        isLast = n === lengths.length - 1;
      const flags = (n < readable.length ? 0 : DESCRIPTOR.WRITE) | (isLast ? 0 : DESCRIPTOR.NEXT);
      if (n < readable.length) this.rig.ram.set(readable[n]!, this.nextBuffer);
      this.describe(index, this.nextBuffer, length, flags, (index + 1) % this.size);
      addresses.push(this.nextBuffer);
      this.nextBuffer += Math.ceil(length / 16) * 16;
    });
    this.nextDescriptor += lengths.length;
    this.offer(head);
    return addresses;
  }

  /** What has been given back since the last look: heads with lengths. */
  used(): { head: number; length: number }[] {
    const { view } = this.rig,
      found: { head: number; length: number }[] = [];
    for (const end = view.getUint16(this.device + 2, true); this.seen !== end; this.seen = (this.seen + 1) & 0xffff) {
      const at = this.device + 4 + 8 * (this.seen % this.size);
      found.push({ head: view.getUint32(at, true), length: view.getUint32(at + 4, true) });
    }
    return found;
  }
}

/** Initialises the device with these of its features; gives its queues. */
export function startDriver(rig: VirtioRig, features: readonly number[] = []): DriverQueue[] {
  const { transport } = rig;
  transport.status = 0;
  transport.status = STATUS.ACKNOWLEDGE;
  transport.status = STATUS.ACKNOWLEDGE | STATUS.DRIVER;
  const wanted = transport.isLegacy ? features : [...features, FEATURE.VERSION_1];
  for (const half of [0, 1] as const) {
    const bits = wanted.filter((bit) => bit >> 5 === half).reduce((word, bit) => word | (1 << (bit & 31)), 0);
    assert.equal(transport.features(half) & bits, bits, 'the features are there');
    transport.accept(half, bits);
  }
  let status: number = STATUS.ACKNOWLEDGE | STATUS.DRIVER;
  if (!transport.isLegacy) {
    status |= STATUS.FEATURES_OK;
    transport.status = status;
    assert.equal(transport.status, status, 'the features are accepted');
  }
  const queues: DriverQueue[] = [];
  for (let size = transport.select(0); size > 0; size = transport.select(queues.length)) {
    const queue = new DriverQueue(rig, queues.length, size);
    transport.place(size, queue.descriptors, queue.driver, queue.device);
    queues.push(queue);
  }
  transport.status = status | STATUS.DRIVER_OK;
  return queues;
}
