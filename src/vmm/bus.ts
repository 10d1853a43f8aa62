// The I/O and memory bus of a machine: which device answers at which port and guest-physical address. Two devices on one fixed
// address are an error when the machine is built. Ranges that move while it runs (PCI base addresses, relocatable registers) yield
// to fixed ones and to those that were built earlier, so that a guest that puts two on one place gets the same answer every time.
// Where nobody answers, reads give all ones and writes vanish, as on an ISA bus without a card. Accesses wider than a device
// takes, or that reach past its last port, are split as an ISA bus splits them.

import type { Device, MovableRange, Placement } from './device.ts';

export type AccessSize = 1 | 2 | 4;

const PORTS = 0x10000,
  ADDRESSES = 0x1_0000_0000;

/** Who answers: a device at its fixed places, or a movable range at the one where it is. Addresses are absolute. */
interface Target {
  readonly name: string;
  /** Widest port access that it takes whole. */
  readonly width: AccessSize;
  read(address: number, size: AccessSize): number;
  write(address: number, value: number, size: AccessSize): void;
}
interface Mapping {
  first: number;
  last: number;
  readonly target: Target;
}
/** A mapping that is nowhere. */
const NOWHERE = { first: 0, last: -1 };

export class Bus {
  // One byte per port: index into `targets`, 0 where nobody answers. 64 KiB a guest makes the hot path one look-up.
  private readonly owner = new Uint8Array(PORTS);
  private readonly targets: Target[] = [{ name: '', width: 1, read: (_address, size) => allOnes(size), write() {} }];
  /** Ports at which double words have another owner than bytes and words. */
  private readonly doubleWords = new Map<number, Target>();
  /** Fixed ranges, then movable ones. */
  private readonly memory: Mapping[] = [];
  /** Movable port ranges with their indexes in `targets`. */
  private readonly moving: { readonly index: number; readonly mapping: Mapping }[] = [];
  private fixedMemory = 0;

  /** Puts a device on the bus; throws a RangeError when a range is invalid or belongs to another device. */
  add(name: string, device: Device): void {
    for (const { first, last, only } of device.ports ?? []) {
      checkRange(name, 'port', first, last, PORTS - 1);
      if (only) {
        const other = this.doubleWords.get(first);
        if (other) throw new RangeError(`${name}: double word at port ${hex(first)} belongs to ${other.name}`);
        continue;
      }
      for (let port = first; port <= last; port++) {
        if (this.owner[port] !== 0) throw new RangeError(`${name}: port ${hex(port)} belongs to ${this.targets[this.owner[port]].name}`);
      }
    }
    for (const { first, last } of device.memory ?? []) {
      checkRange(name, 'address', first, last, ADDRESSES - 1);
      const other = this.memory.find((mapping) => first <= mapping.last && mapping.first <= last);
      if (other) throw new RangeError(`${name}: memory ${hex(first)}-${hex(last)} overlaps ${other.target.name}`);
    }
    const ports: Target = {
      name,
      width: device.portWidth ?? 1,
      read: (port, size) => (device.portRead ? device.portRead(port, size) >>> 0 : allOnes(size)),
      write: (port, value, size) => device.portWrite?.(port, value, size),
    };
    const memory: Target = {
      name,
      width: 4,
      read: (address, size) => (device.memoryRead ? device.memoryRead(address, size) >>> 0 : allOnes(size)),
      write: (address, value, size) => device.memoryWrite?.(address, value, size),
    };
    const index = this.addTarget(ports);
    for (const { first, last, only } of device.ports ?? []) {
      if (only) this.doubleWords.set(first, ports);
      else this.owner.fill(index, first, last + 1);
    }
    for (const { first, last } of device.memory ?? []) this.memory.splice(this.fixedMemory++, 0, { first, last, target: memory });
  }

  /** Makes room for registers that move; they are nowhere at first. */
  movable(name: string, range: MovableRange): Placement {
    const mapping: Mapping = {
      ...NOWHERE,
      target: {
        name,
        width: range.width ?? 1,
        read: (address, size) => range.read(address - mapping.first, size) >>> 0,
        write: (address, value, size) => range.write(address - mapping.first, value, size),
      },
    };
    const end = range.kind === 'port' ? PORTS : ADDRESSES;
    if (range.kind === 'port') this.moving.push({ index: this.addTarget(mapping.target), mapping });
    else this.memory.push(mapping);
    return {
      place: (base) => {
        const fits = base !== null && base >= 0 && base + range.bytes <= end;
        const { first, last } = fits ? { first: base, last: base + range.bytes - 1 } : NOWHERE;
        if (first === mapping.first && last === mapping.last) return;
        if (range.kind === 'port') this.takePorts();
        mapping.first = first;
        mapping.last = last;
        if (range.kind === 'port') this.givePorts();
      },
    };
  }

  private addTarget(target: Target): number {
    const index = this.targets.push(target) - 1;
    if (index > 0xff) throw new RangeError(`${target.name}: more than 255 devices`);
    return index;
  }
  /** Takes all movable ranges off their ports. */
  private takePorts(): void {
    for (const { index, mapping } of this.moving) {
      for (let port = mapping.first; port <= mapping.last; port++) if (this.owner[port] === index) this.owner[port] = 0;
    }
  }
  /** Gives the movable ranges the ports that nobody before them has. */
  private givePorts(): void {
    for (const { index, mapping } of this.moving) {
      for (let port = mapping.first; port <= mapping.last; port++) if (this.owner[port] === 0) this.owner[port] = index;
    }
  }

  /** Name of the device at a port, or null. */
  portOwner(port: number): string | null {
    return this.targets[this.owner[port] ?? 0].name || null;
  }

  /** Name of the device at a guest-physical address, or null. */
  memoryOwner(address: number): string | null {
    return this.mappingAt(address)?.target.name ?? null;
  }

  portRead(port: number, size: AccessSize): number {
    const target = this.portTarget(port, size);
    if (size === 1) return target.read(port, 1) & 0xff;
    if (this.takesWhole(target, port, size)) return size === 2 ? target.read(port, 2) & 0xffff : target.read(port, 4);
    if (size === 2) return this.portRead(port, 1) | (this.portRead(port + 1, 1) << 8);
    return (this.portRead(port, 2) | (this.portRead(port + 2, 2) << 16)) >>> 0;
  }

  portWrite(port: number, value: number, size: AccessSize): void {
    const target = this.portTarget(port, size);
    if (size === 1) target.write(port, value & 0xff, 1);
    else if (this.takesWhole(target, port, size)) target.write(port, size === 2 ? value & 0xffff : value >>> 0, size);
    else {
      const half = size === 4 ? 2 : 1;
      this.portWrite(port, value, half);
      this.portWrite(port + half, value >>> (half * 8), half);
    }
  }

  memoryRead(address: number, size: AccessSize): number {
    const mapping = this.mappingAt(address);
    if (size === 1) return mapping ? mapping.target.read(address, 1) & 0xff : 0xff;
    if (mapping && address + size - 1 <= mapping.last) return mapping.target.read(address, size);
    if (size === 2) return this.memoryRead(address, 1) | (this.memoryRead(address + 1, 1) << 8);
    return (this.memoryRead(address, 2) | (this.memoryRead(address + 2, 2) << 16)) >>> 0;
  }

  memoryWrite(address: number, value: number, size: AccessSize): void {
    const mapping = this.mappingAt(address);
    if (size === 1) mapping?.target.write(address, value & 0xff, 1);
    else if (mapping && address + size - 1 <= mapping.last) {
      mapping.target.write(address, size === 2 ? value & 0xffff : value >>> 0, size);
    } else {
      const half = size === 4 ? 2 : 1;
      this.memoryWrite(address, value, half);
      this.memoryWrite(address + half, value >>> (half * 8), half);
    }
  }

  private portTarget(port: number, size: AccessSize): Target {
    const whole = size === 4 ? this.doubleWords.get(port) : undefined;
    return whole ?? this.targets[this.owner[port] ?? 0];
  }
  private takesWhole(target: Target, port: number, size: AccessSize): boolean {
    if (target.width < size) return false;
    return this.targets[this.owner[port + size - 1] ?? 0] === target || (size === 4 && this.doubleWords.get(port) === target);
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
