// Virtio over MMIO ("Virtual I/O Device (VIRTIO) Version 1.2", section 4.2), register layout version 2: 512 bytes with an interrupt line.
//   000h "virt"   004h version   008h device ID   00Ch vendor ID   010h device features, 014h which half   020h driver features, 024h
//   which half   030h queue, 034h its greatest size, 038h size, 044h ready   050h notify   060h interrupt status, 064h acknowledge
//   070h status   080h, 090h, 0A0h areas of the queue   0FCh configuration generation   100h- device configuration
// Registers are double words; other accesses to them read zero and write nothing. There is no shared memory, and no legacy layout.

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { record } from '../devices/fields.ts';
import { type CreateType, VirtioDevice } from './device.ts';
import { AREA } from './queue.ts';

const BYTES = 0x200;
/** Places of devices, as on QEMU's microvm; and their interrupt lines by turns, which are level-triggered where there are any. */
const FIRST_ADDRESS = 0xfeb00000;
export const MMIO_LINES: readonly number[] = [5, 7];
/** The lines that so many devices have. */
export const mmioLines = (devices: number): readonly number[] => MMIO_LINES.slice(0, devices);
/** Address, bytes and interrupt request line of the nth device. */
export const mmioPlace = (n: number): { readonly address: number; readonly bytes: number; readonly line: number } => ({
  address: FIRST_ADDRESS + n * BYTES,
  bytes: BYTES,
  line: MMIO_LINES[n % MMIO_LINES.length],
});

const MAGIC = 0x74726976,
  VERSION = 2,
  VENDOR = 0x1af4;
const CONFIGURATION = 0x100;
const REGISTER = {
  magic: 0x000,
  version: 0x004,
  device: 0x008,
  vendor: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSelect: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSelect: 0x024,
  queueSelect: 0x030,
  queueSizeMost: 0x034,
  queueSize: 0x038,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAcknowledge: 0x064,
  status: 0x070,
  sharedMemoryLength: 0x0b0,
  sharedMemoryEnd: 0x0c0,
  configurationGeneration: 0x0fc,
} as const;
/** Halves of the areas' addresses by their registers. */
const AREAS: { readonly [offset: number]: number } = {
  0x080: AREA.descriptors,
  0x084: AREA.descriptors + 1,
  0x090: AREA.driver,
  0x094: AREA.driver + 1,
  0x0a0: AREA.device,
  0x0a4: AREA.device + 1,
};

export class VirtioMmio implements Device {
  readonly memory;
  readonly virtio: VirtioDevice;
  private readonly address: number;
  private readonly fields;

  /** `address`: of the first register. */
  constructor(context: Pick<DeviceContext, 'timers' | 'dma'>, address: number, irq: IrqLine, create: CreateType) {
    this.address = address;
    this.memory = [{ first: address, last: address + BYTES - 1 }];
    this.virtio = new VirtioDevice(
      { timers: context.timers, dma: context.dma, reachesMemory: true, interrupt: (level) => irq.set(level) },
      create,
    );
    this.fields = record({ virtio: this.virtio.fields });
  }

  memoryRead(address: number, size: 1 | 2 | 4): number {
    const offset = address - this.address,
      { virtio } = this,
      { selectedQueue } = virtio;
    if (offset >= CONFIGURATION) return virtio.readConfiguration(offset - CONFIGURATION, size);
    if (size !== 4) return 0;
    // A region of shared memory that is not there has length and address of all ones.
    if (offset >= REGISTER.sharedMemoryLength && offset < REGISTER.sharedMemoryEnd) return 0xffffffff;
    switch (offset) {
      case REGISTER.magic:
        return MAGIC;
      case REGISTER.version:
        return VERSION;
      case REGISTER.device:
        return virtio.type.id;
      case REGISTER.vendor:
        return VENDOR;
      case REGISTER.deviceFeatures:
        return virtio.offeredFeatures(false);
      case REGISTER.queueSizeMost:
        return selectedQueue?.most ?? 0;
      case REGISTER.queueReady:
        return selectedQueue?.isEnabled ? 1 : 0;
      case REGISTER.interruptStatus:
        return virtio.interruptStatus;
      case REGISTER.status:
        return virtio.deviceStatus;
      case REGISTER.configurationGeneration:
        return virtio.configurationGeneration;
      default:
        return 0;
    }
  }

  memoryWrite(address: number, value: number, size: 1 | 2 | 4): void {
    const offset = address - this.address,
      { virtio } = this,
      { selectedQueue } = virtio;
    if (offset >= CONFIGURATION) return virtio.writeConfiguration(offset - CONFIGURATION, value, size);
    if (size !== 4) return;
    if (offset in AREAS) return selectedQueue?.setArea(AREAS[offset], value);
    switch (offset) {
      case REGISTER.deviceFeaturesSelect:
        virtio.featureSelect = value;
        return;
      case REGISTER.driverFeatures:
        virtio.acceptedFeatures = value;
        return;
      case REGISTER.driverFeaturesSelect:
        virtio.acceptedSelect = value;
        return;
      case REGISTER.queueSelect:
        virtio.queueSelect = value & 0xffff;
        return;
      case REGISTER.queueSize:
        if (selectedQueue) selectedQueue.size = value;
        return;
      case REGISTER.queueReady:
        return value === 0 ? selectedQueue?.reset() : selectedQueue?.enable();
      case REGISTER.queueNotify:
        return virtio.notify(value);
      case REGISTER.interruptAcknowledge:
        return virtio.acknowledge(value);
      case REGISTER.status:
        virtio.deviceStatus = value & 0xff;
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
    this.virtio.reset();
  }
  save(): SavedState {
    return this.fields.save({ virtio: this.virtio.saved });
  }
  load(state: SavedState): void {
    this.virtio.restore(this.fields.load(state, 'virtio').virtio);
  }
}
