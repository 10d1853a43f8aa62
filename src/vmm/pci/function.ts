// A PCI function: its configuration space ("PCI Local Bus Specification 2.2", chapter 6, type 0 header; interrupt disable and
// status of 2.3). A device declares what is particular to it and this gives the rest: what reads, which bits can be written, base
// addresses that put the device's registers on the bus as the command register says, and the interrupt pin.
//   00h vendor, device   04h command, status   08h revision, class   0Ch cache line, latency, header type
//   10h-27h base addresses   2Ch subsystem   30h expansion ROM   34h first capability   3Ch interrupt line, pin
//   40h-FFh the device's own
// Left out on purpose: 64-bit base addresses, parity and system errors (nothing here has them).

import type { DeviceContext, IrqLine, MovableRange, Placement } from '../device.ts';

/** Bits of the command register. */
export const PCI_COMMAND = { PORTS: 0x0001, MEMORY: 0x0002, MASTER: 0x0004, NO_INTERRUPT: 0x0400 } as const;
const COMMAND_WRITABLE = 0x0507;
const STATUS_INTERRUPT = 0x08,
  STATUS_CAPABILITIES = 0x10;

/** Offsets in the header. */
const AT = {
  vendor: 0x00,
  device: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  classCode: 0x09,
  cacheLine: 0x0c,
  latency: 0x0d,
  headerType: 0x0e,
  bars: 0x10,
  barsEnd: 0x28,
  subsystemVendor: 0x2c,
  subsystem: 0x2e,
  rom: 0x30,
  capabilities: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const;
const SPACE = 256;

/** What QEMU's functions have as subsystem, by which firmware knows where it is. */
export const QEMU = { vendor: 0x1af4, device: 0x1100 } as const;
const ROM_ENABLE = 1,
  LEAST_ROM = 2048;

/** A base address register and the registers behind it: 'port' ranges of at least 4 bytes, 'memory' of at least 16, powers of two. */
export interface PciRegisterBar extends MovableRange {
  readonly index: 0 | 1 | 2 | 3 | 4 | 5;
  readonly prefetchable?: boolean;
}
/** The same with memory that answers without the device. */
interface PciMemoryBar extends Pick<PciRegisterBar, 'index' | 'prefetchable' | 'bytes'> {
  readonly kind: 'memory';
  readonly placement: Placement;
}
type PciBar = PciRegisterBar | PciMemoryBar;

/** A register of the device's own, or one of the header that differs from the usual. */
export interface PciRegister {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4;
  readonly initial?: number;
  /** Bits that can be written. */
  readonly writable?: number;
}

/** An entry of the list of capabilities (section 6.7): where it is, and what follows its identification and the pointer to the next. */
export interface PciCapability {
  readonly id: number;
  /** A multiple of 4 from 40h on. */
  readonly offset: number;
  readonly body: readonly number[];
}

/** A double word of configuration space that is no register: the device carries out what is done to it. */
export interface PciAccess {
  readonly offset: number;
  read(size: 1 | 2 | 4): number;
  write(value: number, size: 1 | 2 | 4): void;
}

export interface PciHeader {
  /** Device number on the bus, 0-31. */
  readonly slot: number;
  /** Function number, 0-7. */
  readonly number: number;
  readonly vendor: number;
  readonly device: number;
  readonly revision?: number;
  /** Base class, sub-class and programming interface: 0x010180. */
  readonly classCode: number;
  readonly subsystem?: { readonly vendor: number; readonly device: number };
  /** The slot has further functions; said in function 0. */
  readonly multifunction?: boolean;
  /** 1-4 for INTA# to INTD#; none when absent. */
  readonly interruptPin?: 1 | 2 | 3 | 4;
  readonly bars?: readonly PciBar[];
  /** What is behind the expansion ROM's base address. */
  readonly rom?: Uint8Array;
  /** In the order of the list. */
  readonly capabilities?: readonly PciCapability[];
  readonly registers?: readonly PciRegister[];
  readonly accesses?: readonly PciAccess[];
}

export class PciFunction {
  readonly header: PciHeader;
  /** The whole configuration space; a device saves it and gives it back to `load`. */
  readonly space = new Uint8Array(SPACE);
  private readonly first = new Uint8Array(SPACE);
  private readonly writable = new Uint8Array(SPACE);
  private readonly view = new DataView(this.space.buffer);
  private readonly bars: { readonly at: number; readonly bar: PciBar; readonly placement: Placement }[];
  private readonly rom: Placement | null;
  private readonly pin: IrqLine | null;
  private readonly changed: (register: number) => void;
  private requested = false;

  /** `changed` is told the double word of configuration space that was written, after it took effect; -1 after reset and load. */
  constructor(context: Pick<DeviceContext, 'map' | 'pci'>, header: PciHeader, changed: (register: number) => void = () => {}) {
    this.header = header;
    this.changed = changed;
    this.describe();
    this.bars = (header.bars ?? []).map((bar) => ({
      at: AT.bars + 4 * bar.index,
      bar,
      placement: 'placement' in bar ? bar.placement : context.map(bar),
    }));
    const { rom } = header;
    this.rom = rom
      ? context.map({
          kind: 'memory',
          bytes: romSize(rom),
          read: (offset, size) =>
            Array.from({ length: size }, (_, n) => rom[offset + n] ?? 0xff).reduceRight((sum, value) => sum * 256 + value),
          write() {},
        })
      : null;
    this.pin = header.interruptPin ? context.pci.pin(header.slot, header.interruptPin) : null;
    this.space.set(this.first);
    context.pci.plug(this);
  }

  private describe(): void {
    const { header } = this,
      { bars = [], capabilities = [], registers = [], subsystem } = header;
    const rows: PciRegister[] = [
      { offset: AT.vendor, bytes: 2, initial: header.vendor },
      { offset: AT.device, bytes: 2, initial: header.device },
      { offset: AT.command, bytes: 2, writable: COMMAND_WRITABLE },
      { offset: AT.revision, bytes: 1, initial: header.revision },
      { offset: AT.classCode, bytes: 1, initial: header.classCode },
      { offset: AT.classCode + 1, bytes: 2, initial: header.classCode >>> 8 },
      { offset: AT.cacheLine, bytes: 1, writable: 0xff },
      { offset: AT.latency, bytes: 1, writable: 0xff },
      { offset: AT.headerType, bytes: 1, initial: header.multifunction ? 0x80 : 0 },
      { offset: AT.subsystemVendor, bytes: 2, initial: subsystem?.vendor },
      { offset: AT.subsystem, bytes: 2, initial: subsystem?.device },
      { offset: AT.interruptLine, bytes: 1, writable: header.interruptPin ? 0xff : 0 },
      { offset: AT.interruptPin, bytes: 1, initial: header.interruptPin },
      { offset: AT.rom, bytes: 4, writable: header.rom ? (-romSize(header.rom) | ROM_ENABLE) >>> 0 : 0 },
      ...bars.map(({ index, kind, prefetchable, bytes }) => ({
        offset: AT.bars + 4 * index,
        bytes: 4 as const,
        initial: kind === 'port' ? 1 : prefetchable ? 8 : 0,
        writable: -bytes >>> 0,
      })),
      ...capabilities.flatMap(({ id, offset, body }, n) =>
        [id, capabilities[n + 1]?.offset ?? 0, ...body].map((initial, at) => ({ offset: offset + at, bytes: 1 as const, initial })),
      ),
      ...registers,
      { offset: AT.capabilities, bytes: 1, initial: capabilities[0]?.offset },
    ];
    for (const { offset, bytes, initial = 0, writable = 0 } of rows) {
      for (let n = 0; n < bytes; n++) {
        this.first[offset + n] = initial >>> (8 * n);
        this.writable[offset + n] = writable >>> (8 * n);
      }
    }
    if (capabilities.length > 0) this.first[AT.status] |= STATUS_CAPABILITIES;
  }

  /** A register's value; inside one double word. */
  read(offset: number, size: 1 | 2 | 4): number {
    const access = this.header.accesses?.find((candidate) => candidate.offset === offset);
    return access ? access.read(size) : this.register(offset, size);
  }
  private register(offset: number, size: 1 | 2 | 4): number {
    return size === 4 ? this.view.getUint32(offset, true) : size === 2 ? this.view.getUint16(offset, true) : this.space[offset];
  }

  write(offset: number, value: number, size: 1 | 2 | 4): void {
    const access = this.header.accesses?.find((candidate) => candidate.offset === offset);
    if (access) return access.write(value, size);
    for (let n = 0; n < size; n++) {
      const at = offset + n,
        mask = this.writable[at];
      this.space[at] = (this.space[at] & ~mask) | ((value >>> (8 * n)) & mask);
    }
    this.takeEffect(offset & ~3);
  }

  /** Whether bits of the command register (PCI_COMMAND) are set. */
  allows(bits: number): boolean {
    return (this.read(AT.command, 2) & bits) === bits;
  }

  /** The device requests an interrupt, or no longer. To be called again after `load`. */
  interrupt(level: boolean): void {
    this.requested = level;
    this.drive();
  }

  reset(): void {
    this.space.set(this.first);
    this.requested = false;
    this.takeEffect(-1);
  }

  /** Takes a saved configuration space; what cannot be written keeps its value. */
  load(space: Uint8Array): void {
    for (let at = 0; at < SPACE; at++) this.space[at] = (this.first[at] & ~this.writable[at]) | (space[at] & this.writable[at]);
    this.takeEffect(-1);
  }

  private takeEffect(register: number): void {
    if (register < AT.barsEnd) {
      for (const { at, bar, placement } of this.bars) {
        const enabled = this.allows(bar.kind === 'port' ? PCI_COMMAND.PORTS : PCI_COMMAND.MEMORY),
          base = this.read(at, 4) - (bar.kind === 'port' ? 1 : bar.prefetchable ? 8 : 0);
        // Zero is what an address reads that nobody has assigned.
        placement.place(enabled && base !== 0 ? base : null);
      }
    }
    if (register < AT.barsEnd || register === AT.rom) {
      const value = this.read(AT.rom, 4),
        shown = (value & ROM_ENABLE) !== 0 && this.allows(PCI_COMMAND.MEMORY);
      this.rom?.place(shown ? (value & ~ROM_ENABLE) >>> 0 : null);
    }
    this.drive();
    this.changed(register);
  }

  private drive(): void {
    if (this.requested) this.space[AT.status] |= STATUS_INTERRUPT;
    else this.space[AT.status] &= ~STATUS_INTERRUPT;
    this.pin?.set(this.requested && !this.allows(PCI_COMMAND.NO_INTERRUPT));
  }
}

/** The power of two that a ROM's addresses take. */
const romSize = (rom: Uint8Array): number => 2 ** Math.ceil(Math.log2(Math.max(LEAST_ROM, rom.length)));
