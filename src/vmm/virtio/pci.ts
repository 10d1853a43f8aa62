// Virtio over PCI ("Virtual I/O Device (VIRTIO) Version 1.2", section 4.1), laid out as QEMU's transitional devices are:
//   base address 0 (ports)   legacy registers (4.1.4.10): 00h device features, 04h driver features, 08h page of the queue, 0Ch its size,
//                            0Eh queue, 10h notify, 12h status, 13h interrupt status, 14h device configuration; while MSI-X is on
//                            14h vector of the configuration, 16h of the queue, 18h device configuration
//   base address 1 (memory)  MSI-X (pci/msix.ts)
//   base address 4 (memory)  0000h common configuration (4.1.4.3), 1000h interrupt status, 2000h device configuration,
//                            3000h notification, 4 bytes for each queue
//   capabilities             98h MSI-X, 40h common, 50h interrupt status, 60h device, 70h notification, 84h access through configuration space
// The interrupt is pin A's, or messages: one for each queue and one for the configuration. Left out on purpose: resets of single
// queues, shared memory.

import type { Device, DeviceContext, SavedState } from '../device.ts';
import { bytes, record } from '../devices/fields.ts';
import { PCI_COMMAND, type PciBar, PciFunction, type PciHeader } from '../pci/function.ts';
import { Msix } from '../pci/msix.ts';
import { type CreateType, VirtioDevice } from './device.ts';
import { MessageVectors } from './messageVectors.ts';
import { AREA } from './queue.ts';

const VENDOR = 0x1af4,
  PIN_A = 1;
/** A device without the legacy interface: its ID is the virtio one above this, its revision and its subsystem. */
const FIRST_MODERN = 0x1040,
  MODERN_REVISION = 1,
  MODERN_SUBSYSTEM = 0x1100;
/** PCI device IDs of transitional devices, by virtio device ID (4.1.2.1 and table of 5), and class codes as QEMU has them. */
const IDENTITY: { readonly [id: number]: { readonly device: number; readonly classCode: number } } = {
  1: { device: 0x1000, classCode: 0x020000 },
  2: { device: 0x1001, classCode: 0x010000 },
  3: { device: 0x1003, classCode: 0x078000 },
  4: { device: 0x1005, classCode: 0x00ff00 },
  5: { device: 0x1002, classCode: 0x00ff00 },
  9: { device: 0x1009, classCode: 0x000200 },
};

/** Offsets in the legacy registers. */
const LEGACY = {
  deviceFeatures: 0x00,
  driverFeatures: 0x04,
  queuePage: 0x08,
  queueSize: 0x0c,
  queueSelect: 0x0e,
  notify: 0x10,
  status: 0x12,
  interruptStatus: 0x13,
  configurationVector: 0x14,
  queueVector: 0x16,
} as const;
/** Device configuration behind them. */
const LEGACY_CONFIGURATION = 0x14,
  LEGACY_CONFIGURATION_WITH_MSIX = 0x18;

/** Structures in memory (4.1.4): their type, place, length, and where their capability is. */
const MEMORY_BAR = 4,
  MEMORY_BYTES = 0x4000,
  PART = 0x1000;
const COMMON = 0x0000,
  INTERRUPT_STATUS = 0x1000,
  CONFIGURATION = 0x2000,
  NOTIFICATION = 0x3000,
  NOTIFY_MULTIPLIER = 4;
const MSIX_CAPABILITY = 0x98,
  MSIX_BAR = 1;
const VENDOR_SPECIFIC = 0x09;
const CONFIGURATION_ACCESS = 0x84,
  ACCESS_BAR = CONFIGURATION_ACCESS + 4,
  ACCESS_OFFSET = CONFIGURATION_ACCESS + 8,
  ACCESS_LENGTH = CONFIGURATION_ACCESS + 12,
  ACCESS_DATA = CONFIGURATION_ACCESS + 16;

/** A field of the common configuration; what is not written keeps its value. */
interface Register {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4;
  read(device: VirtioDevice, vectors: MessageVectors): number;
  write?(device: VirtioDevice, value: number, vectors: MessageVectors): void;
}
const area = (offset: number, half: number): Register => ({
  offset,
  bytes: 4,
  read: ({ selectedQueue }) => selectedQueue?.state.areas[half] ?? 0,
  write: ({ selectedQueue }, value) => selectedQueue?.setArea(half, value),
});
const COMMON_REGISTERS: readonly Register[] = [
  { offset: 0x00, bytes: 4, read: (device) => device.featureSelect, write: (device, value) => void (device.featureSelect = value) },
  { offset: 0x04, bytes: 4, read: (device) => device.offeredFeatures(false) },
  { offset: 0x08, bytes: 4, read: (device) => device.acceptedSelect, write: (device, value) => void (device.acceptedSelect = value) },
  { offset: 0x0c, bytes: 4, read: (device) => device.acceptedFeatures, write: (device, value) => void (device.acceptedFeatures = value) },
  {
    offset: 0x10,
    bytes: 2,
    read: (_, vectors) => vectors.configuration,
    write: (_, value, vectors) => void (vectors.configuration = value),
  },
  { offset: 0x12, bytes: 2, read: (device) => device.queues.length },
  { offset: 0x14, bytes: 1, read: (device) => device.deviceStatus, write: (device, value) => void (device.deviceStatus = value) },
  { offset: 0x15, bytes: 1, read: (device) => device.configurationGeneration },
  { offset: 0x16, bytes: 2, read: (device) => device.queueSelect, write: (device, value) => void (device.queueSelect = value) },
  {
    offset: 0x18,
    bytes: 2,
    read: ({ selectedQueue }) => selectedQueue?.size ?? 0,
    write({ selectedQueue }, value) {
      if (selectedQueue) selectedQueue.size = value;
    },
  },
  { offset: 0x1a, bytes: 2, read: (_, vectors) => vectors.queue, write: (_, value, vectors) => void (vectors.queue = value) },
  {
    offset: 0x1c,
    bytes: 2,
    read: ({ selectedQueue }) => (selectedQueue?.isEnabled ? 1 : 0),
    // Zero is not for the driver to write (4.1.4.3.2).
    write: ({ selectedQueue }, value) => value === 1 && selectedQueue?.enable(),
  },
  { offset: 0x1e, bytes: 2, read: (device) => (device.selectedQueue ? device.queueSelect : 0) },
  area(0x20, AREA.descriptors),
  area(0x24, AREA.descriptors + 1),
  area(0x28, AREA.driver),
  area(0x2c, AREA.driver + 1),
  area(0x30, AREA.device),
  area(0x34, AREA.device + 1),
];
const COMMON_BYTES = 0x38;

type Size = 1 | 2 | 4;
const bits = (size: Size): number => (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff);

export class VirtioPci implements Device {
  readonly virtio: VirtioDevice;
  private readonly pci: PciFunction;
  private readonly msix: Msix;
  private readonly fields;
  private readonly vectors: MessageVectors;

  /** `slot`: device number on the bus; `modern`: without the legacy interface. */
  constructor(context: Pick<DeviceContext, 'map' | 'pci' | 'timers' | 'dma'>, slot: number, create: CreateType, modern = false) {
    const isMaster = (): boolean => this.pci.allows(PCI_COMMAND.MASTER);
    this.virtio = new VirtioDevice(
      {
        timers: context.timers,
        dma: context.dma,
        get reachesMemory() {
          return isMaster();
        },
        interrupt: (level) => this.pci.interrupt(level && !this.msix.isOn),
        message: (queue) => this.vectors.send(queue),
        reset: () => this.vectors.reset(),
      },
      create,
    );
    this.msix = new Msix(context.pci, this.virtio.queues.length + 1, MSIX_CAPABILITY, MSIX_BAR);
    this.vectors = new MessageVectors(this.virtio, this.msix);
    this.pci = new PciFunction(context, this.header(slot, modern), (register) => {
      if (register < 0 || register === MSIX_CAPABILITY) this.switchMessages();
    });
    this.msix.connect(this.pci);
    this.fields = record({
      pci: bytes(256),
      virtio: this.virtio.fields,
      vectors: this.vectors.fields,
      msix: this.msix.fields,
    });
  }

  /** Messages are on or off, or masked otherwise, than before. */
  private switchMessages(): void {
    this.msix.update();
    this.pci.interrupt(this.virtio.interruptStatus !== 0 && !this.msix.isOn);
  }
  private header(slot: number, modern: boolean): PciHeader {
    const { type } = this.virtio,
      { device, classCode } = IDENTITY[type.id];
    const structure = (kind: number, offset: number, place: number, length: number, ...more: readonly number[]) => ({
      id: VENDOR_SPECIFIC,
      offset,
      body: [16 + 4 * more.length, kind, MEMORY_BAR, 0, 0, 0, ...[place, length, ...more].flatMap(littleEndian)],
    });
    return {
      slot,
      number: 0,
      vendor: VENDOR,
      device: modern ? FIRST_MODERN + type.id : device,
      revision: modern ? MODERN_REVISION : 0,
      classCode,
      subsystem: { vendor: VENDOR, device: modern ? MODERN_SUBSYSTEM : type.id },
      interruptPin: PIN_A,
      bars: [
        ...(modern ? [] : [this.legacyBar()]),
        this.msix.bar,
        {
          index: MEMORY_BAR,
          kind: 'memory',
          prefetchable: true,
          bytes: MEMORY_BYTES,
          read: (offset, size) => this.readMemory(offset, size),
          write: (offset, value, size) => this.writeMemory(offset, value, size),
        },
      ],
      capabilities: [
        this.msix.capability,
        { id: VENDOR_SPECIFIC, offset: CONFIGURATION_ACCESS, body: [20, 5, ...Array.from({ length: 16 }, () => 0)] },
        structure(2, 0x70, NOTIFICATION, PART, NOTIFY_MULTIPLIER),
        structure(4, 0x60, CONFIGURATION, PART),
        structure(3, 0x50, INTERRUPT_STATUS, PART),
        structure(1, 0x40, COMMON, PART),
      ],
      registers: [
        ...this.msix.registers,
        { offset: ACCESS_BAR, bytes: 1, writable: 0xff },
        { offset: ACCESS_OFFSET, bytes: 4, writable: 0xffffffff },
        { offset: ACCESS_LENGTH, bytes: 4, writable: 0xffffffff },
      ],
      accesses: [
        {
          offset: ACCESS_DATA,
          read: () => (this.accessIsAllowed ? this.readMemory(this.accessOffset, this.accessSize) : 0),
          write: (value) => this.accessIsAllowed && this.writeMemory(this.accessOffset, value & bits(this.accessSize), this.accessSize),
        },
      ],
    };
  }

  private legacyBar(): PciBar {
    return {
      index: 0,
      kind: 'port',
      bytes: powerOfTwo(LEGACY_CONFIGURATION_WITH_MSIX + this.virtio.type.configuration.length),
      width: 4,
      read: (offset, size) => this.readLegacy(offset, size),
      write: (offset, value, size) => this.writeLegacy(offset, value, size),
    };
  }

  // Access through configuration space (4.1.4.9): for whoever cannot reach memory, such as a BIOS.

  private get accessOffset(): number {
    return this.pci.read(ACCESS_OFFSET, 4);
  }
  private get accessSize(): Size {
    return this.pci.read(ACCESS_LENGTH, 4) as Size;
  }
  private get accessIsAllowed(): boolean {
    const { accessOffset: offset, accessSize: size } = this;
    return [1, 2, 4].includes(size) && this.pci.space[ACCESS_BAR] === MEMORY_BAR && offset % size === 0 && offset < MEMORY_BYTES;
  }

  private interruptStatus(): number {
    const { interruptStatus } = this.virtio;
    this.virtio.acknowledge(interruptStatus);
    return interruptStatus;
  }

  private readMemory(offset: number, size: Size): number {
    const at = offset % PART;
    switch (offset - at) {
      case COMMON:
        return ((findRegister(at)?.read(this.virtio, this.vectors) ?? 0) & bits(size)) >>> 0;
      case INTERRUPT_STATUS:
        return at === 0 ? this.interruptStatus() : 0;
      case CONFIGURATION:
        return this.virtio.readConfiguration(at, size);
      default:
        return 0;
    }
  }
  private writeMemory(offset: number, value: number, size: Size): void {
    const at = offset % PART;
    switch (offset - at) {
      case COMMON: {
        const register = findRegister(at);
        if (register?.bytes === size) register.write?.(this.virtio, value, this.vectors);
        return;
      }
      case CONFIGURATION:
        return this.virtio.writeConfiguration(at, value, size);
      case NOTIFICATION:
        return this.virtio.notify(Math.floor(at / NOTIFY_MULTIPLIER));
    }
  }

  private get legacyConfiguration(): number {
    return this.msix.isOn ? LEGACY_CONFIGURATION_WITH_MSIX : LEGACY_CONFIGURATION;
  }
  private readLegacy(offset: number, size: Size): number {
    const { virtio } = this;
    const { legacyConfiguration } = this;
    if (offset >= legacyConfiguration) return virtio.readConfiguration(offset - legacyConfiguration, size);
    const value = ((): number => {
      switch (offset) {
        case LEGACY.deviceFeatures:
          return virtio.offeredFeatures(true);
        case LEGACY.driverFeatures:
          return virtio.legacyFeatures;
        case LEGACY.queuePage:
          return virtio.selectedQueue?.legacyPage ?? 0;
        case LEGACY.queueSize:
          return virtio.selectedQueue?.most ?? 0;
        case LEGACY.queueSelect:
          return virtio.queueSelect;
        case LEGACY.status:
          return virtio.deviceStatus;
        case LEGACY.interruptStatus:
          return this.interruptStatus();
        case LEGACY.configurationVector:
          return this.vectors.configuration;
        case LEGACY.queueVector:
          return this.vectors.queue;
        default:
          return 0;
      }
    })();
    return (value & bits(size)) >>> 0;
  }
  private writeLegacy(offset: number, value: number, size: Size): void {
    const { virtio } = this;
    const { legacyConfiguration } = this;
    if (offset >= legacyConfiguration) return virtio.writeConfiguration(offset - legacyConfiguration, value, size);
    switch (offset) {
      case LEGACY.driverFeatures:
        virtio.legacyFeatures = value;
        return;
      case LEGACY.queuePage:
        return virtio.selectedQueue?.placeLegacy(value);
      case LEGACY.queueSelect:
        virtio.queueSelect = value & 0xffff;
        return;
      case LEGACY.notify:
        return virtio.notify(value & 0xffff);
      case LEGACY.status:
        virtio.deviceStatus = value & 0xff;
        return;
      case LEGACY.configurationVector:
        this.vectors.configuration = value & 0xffff;
        return;
      case LEGACY.queueVector:
        this.vectors.queue = value & 0xffff;
        return;
    }
  }

  receive(bytes: Uint8Array): void {
    this.virtio.type.receive?.(bytes);
  }
  get awaitsPeer(): boolean {
    return this.virtio.type.awaitsPeer ?? false;
  }
  reset(): void {
    // The device first: it then requests no interrupt when the wire is its way again.
    this.virtio.reset();
    this.msix.reset();
    this.pci.reset();
  }
  save(): SavedState {
    return this.fields.save({ pci: this.pci.space, virtio: this.virtio.saved, vectors: this.vectors.saved, msix: this.msix.saved });
  }
  load(state: SavedState): void {
    const { pci, virtio, vectors, msix } = this.fields.load(state, 'virtio');
    this.vectors.restore(vectors);
    this.msix.restore(msix);
    this.pci.load(pci);
    this.virtio.restore(virtio);
  }
}

const findRegister = (offset: number): Register | undefined =>
  offset < COMMON_BYTES ? COMMON_REGISTERS.find((register) => register.offset === offset) : undefined;

const littleEndian = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(least));
