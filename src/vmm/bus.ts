// The I/O and memory bus of a machine: which device answers at which port and guest-physical address. Two devices on one address
// are an error when the machine is built. Where nobody answers, reads give all ones and writes vanish, as on an ISA bus without
// a card. Accesses wider than a device takes, or that reach past its last port, are split as an ISA bus splits them.

import type { Device } from './device.ts';

export type AccessSize = 1 | 2 | 4;

const PORTS = 0x10000;

interface Mapping {
  readonly first: number;
  readonly last: number;
  readonly name: string;
  readonly device: Device;
}

export class Bus {
  // One byte per port: index into `devices`, 0 where nobody answers. 64 KiB a guest makes the hot path one look-up.
  private readonly owner = new Uint8Array(PORTS);
  private readonly devices: (Device | null)[] = [null];
  private readonly names: string[] = [''];
  private readonly memory: Mapping[] = [];

  /** Puts a device on the bus; throws a RangeError when a range is invalid or belongs to another device. */
  add(name: string, device: Device): void {
    const index = this.devices.length;
    if (index > 0xff) throw new RangeError(`${name}: more than 255 devices`);
    for (const { first, last } of device.ports ?? []) {
      checkRange(name, 'port', first, last, PORTS - 1);
      for (let port = first; port <= last; port++) {
        if (this.owner[port] !== 0) {
          throw new RangeError(`${name}: port ${hex(port)} belongs to ${this.names[this.owner[port]] ?? name}`);
        }
      }
    }
    for (const { first, last } of device.memory ?? []) {
      checkRange(name, 'address', first, last, 0xffffffff);
      const other = this.memory.find((mapping) => first <= mapping.last && mapping.first <= last);
      if (other) throw new RangeError(`${name}: memory ${hex(first)}-${hex(last)} overlaps ${other.name}`);
    }
    for (const { first, last } of device.ports ?? []) this.owner.fill(index, first, last + 1);
    for (const { first, last } of device.memory ?? []) this.memory.push({ first, last, name, device });
    this.devices.push(device);
    this.names.push(name);
  }

  /** Name of the device at a port, or null. */
  portOwner(port: number): string | null {
    return this.names[this.owner[port] ?? 0] || null;
  }

  /** Name of the device at a guest-physical address, or null. */
  memoryOwner(address: number): string | null {
    return this.mappingAt(address)?.name ?? null;
  }

  portRead(port: number, size: AccessSize): number {
    const device = this.devices[this.owner[port] ?? 0];
    if (size === 1) return device?.portRead ? device.portRead(port, 1) & 0xff : 0xff;
    if (device && this.takesWhole(device, port, size)) return device.portRead ? device.portRead(port, size) >>> 0 : allOnes(size);
    if (size === 2) return this.portRead(port, 1) | (this.portRead(port + 1, 1) << 8);
    return (this.portRead(port, 2) | (this.portRead(port + 2, 2) << 16)) >>> 0;
  }

  portWrite(port: number, value: number, size: AccessSize): void {
    const device = this.devices[this.owner[port] ?? 0];
    if (size === 1) device?.portWrite?.(port, value & 0xff, 1);
    else if (device && this.takesWhole(device, port, size)) device.portWrite?.(port, size === 2 ? value & 0xffff : value >>> 0, size);
    else {
      const half = size === 4 ? 2 : 1;
      this.portWrite(port, value, half);
      this.portWrite(port + half, value >>> (half * 8), half);
    }
  }

  memoryRead(address: number, size: AccessSize): number {
    const mapping = this.mappingAt(address);
    if (size === 1) return mapping?.device.memoryRead ? mapping.device.memoryRead(address, 1) & 0xff : 0xff;
    if (mapping?.device.memoryRead && address + size - 1 <= mapping.last) return mapping.device.memoryRead(address, size) >>> 0;
    if (size === 2) return this.memoryRead(address, 1) | (this.memoryRead(address + 1, 1) << 8);
    return (this.memoryRead(address, 2) | (this.memoryRead(address + 2, 2) << 16)) >>> 0;
  }

  memoryWrite(address: number, value: number, size: AccessSize): void {
    const mapping = this.mappingAt(address);
    if (size === 1) mapping?.device.memoryWrite?.(address, value & 0xff, 1);
    else if (mapping && address + size - 1 <= mapping.last) {
      mapping.device.memoryWrite?.(address, size === 2 ? value & 0xffff : value >>> 0, size);
    } else {
      const half = size === 4 ? 2 : 1;
      this.memoryWrite(address, value, half);
      this.memoryWrite(address + half, value >>> (half * 8), half);
    }
  }

  private takesWhole(device: Device, port: number, size: AccessSize): boolean {
    return (device.portWidth ?? 1) >= size && this.devices[this.owner[port + size - 1] ?? 0] === device;
  }

  private mappingAt(address: number): Mapping | undefined {
    for (const mapping of this.memory) {
      if (address >= mapping.first && address <= mapping.last) return mapping;
    }
    return undefined;
  }
}

function allOnes(size: AccessSize): number {
  return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
}

function checkRange(name: string, what: string, first: number, last: number, limit: number): void {
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last < first || last > limit) {
    throw new RangeError(`${name}: ${what} range ${first}-${last} is not valid`);
  }
}

function hex(value: number): string {
  return `${value.toString(16).toUpperCase()}h`;
}
