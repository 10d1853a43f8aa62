// What a device is to the rest of the machine. A device sees offsets, interrupt lines, a clock and a backend on the host's
// side; never the guest, the CPU or another device. devices/index.ts is the only list of them.

import type { Drive } from './block/drive.ts';
import type { PciBus } from './pci/bus.ts';
import type { Timers } from './timers.ts';

/** A level on an interrupt request line (edge- or level-triggered as the controller says). */
export interface IrqLine {
  set(level: boolean): void;
}

/** Plain JSON-like state plus byte arrays: what save() gives and load() takes. */
export type SavedValue = number | string | boolean | null | Uint8Array | SavedValue[] | { [key: string]: SavedValue };
export type SavedState = { [key: string]: SavedValue };

/** A character channel of the host: a terminal, a file, standard output. Bytes, no encoding. */
export interface CharacterBackend {
  /** A byte that the guest sent. */
  write(byte: number): void;
}

/** A device's side of a channel of the ISA DMA controllers. */
export interface IsaDma {
  /** Bytes for memory: how many were taken, and whether the channel has reached its count. */
  toMemory(bytes: Uint8Array): { readonly moved: number; readonly terminal: boolean };
  /** Bytes from memory, at most `length`. */
  fromMemory(length: number): { readonly bytes: Uint8Array; readonly terminal: boolean };
}

/** A display adapter's own memory, which the processor reaches as it does RAM, without the device, wherever a window shows it. */
export interface VideoMemory {
  readonly bytes: Uint8Array;
  /** A window of so many bytes (whole pages); it shows the memory from byte `first` on. */
  window(bytes: number): { place(base: number | null, first: number): void };
  /** The device itself has changed bytes. */
  written(first: number, bytes: number): void;
  /** Pages of 4 KiB that anybody has written since the last call, in order. */
  takeWritten(): readonly number[];
}

/** What a machine hands to a device it builds. */
export interface DeviceContext {
  /** ISA interrupt request line 0-15. */
  irq(line: number): IrqLine;
  readonly timers: Timers;
  /** Ask the machine to do something that a pin would do. */
  readonly pins: {
    /** CPU reset (8042 pulse, port 92h, CF9h). */
    reset(): void;
    /** A20 gate. */
    a20(open: boolean): void;
    /** Power off with QEMU's exit status (isa-debug-exit) or null for a clean power-off. */
    powerOff(status: number | null): void;
    nmi(): void;
    /** IGNNE#: the processor goes on with x87 instructions while an exception waits. */
    ignne(level: boolean): void;
    /** INTR, the output of the master interrupt controller. */
    intr(level: boolean): void;
  };
  /** Channel that receives what the device sends, by name ('serial0', 'serial1', 'debugcon', 'virtconsole'). */
  channel(name: string): CharacterBackend;
  /** Guest RAM seen by device (DMA, frame buffers): a view of the guest's own slice only. */
  readonly ram: Uint8Array;
  /** Guest-physical memory as a bus master reaches it: RAM only, and code that is overwritten is forgotten. */
  readonly dma: {
    /** Bytes from an address; where no RAM answers, FFh. */
    read(address: number, length: number): Uint8Array;
    /** What goes to no RAM is lost. */
    write(address: number, bytes: Uint8Array): void;
  };
  /** A byte channel (0-3) of the ISA DMA controllers. */
  isaDma(channel: number): IsaDma;
  /** Puts registers on the bus whose place changes while the machine runs. They are nowhere until `place` is called. */
  map(range: MovableRange): Placement;
  /** The drives that controllers connect; each finds its own by kind and index. */
  readonly drives: readonly Drive[];
  /** The PCI bus: where functions are plugged in and interrupt pins come together. */
  readonly pci: PciBus;
  /** RAM in a part of C0000h-FFFFFh (whole pages), where the host bridge decides who is there. */
  readonly shadow: {
    /** What the processor finds: RAM for reading, for writing, or what is on the bus. */
    set(address: number, bytes: number, read: boolean, write: boolean): void;
    /** Writes to that RAM whatever the processor finds. */
    write(address: number, bytes: Uint8Array): void;
  };
  /** The firmware's ROM, which ends below 1 MiB and again below 4 GiB. */
  readonly rom: Uint8Array;
  /** Whether that RAM holds the ROM, and cannot be written, when the processor begins: what the own firmware leaves. */
  readonly romIsShadowed: boolean;
  /** What QEMU's firmware configuration device tells of the machine, null when there is none. */
  readonly firmwareItems: { readonly ram: number; readonly files: ReadonlyMap<string, Uint8Array> } | null;
  /** The processor has a local APIC. */
  readonly hasLocalApic: boolean;
  /** Wall-clock at power-on in milliseconds since 1970 UTC, recorded in the journal; the RTC starts from it. */
  readonly startOfTime: number;
  /** The display adapter's memory, null when the machine has no adapter. */
  readonly videoMemory: VideoMemory | null;
  /** Its firmware, for an expansion ROM. */
  readonly videoRom: Uint8Array | null;
  /** Further port of the debug console, or null. */
  readonly debugconPort: number | null;
  /** isa-debug-exit's first port and its size in bytes, or null when the machine has none. */
  readonly debugExit: { readonly port: number; readonly size: number } | null;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
  /** Only accesses of this size that begin at `first` are the device's; others see who else is there. */
  readonly only?: 4;
}
export interface MemoryRange {
  readonly first: number;
  readonly last: number;
}

/** Registers that can be anywhere: what a PCI base address points to, or a block with a base register of its own. */
export interface MovableRange {
  readonly kind: 'port' | 'memory';
  readonly bytes: number;
  /** Widest port access that is taken whole; default 1: the bus splits wider ones. Memory accesses are always given whole. */
  readonly width?: 1 | 2 | 4;
  read(offset: number, size: 1 | 2 | 4): number;
  write(offset: number, value: number, size: 1 | 2 | 4): void;
}
export interface Placement {
  /** Moves the range to this port or address; null takes it off the bus. A place that it does not fit into counts as null. */
  place(base: number | null): void;
}

export interface Device {
  readonly ports?: readonly PortRange[];
  readonly memory?: readonly MemoryRange[];
  /** Access by absolute port; size in bytes. A device that only has byte registers gets wider accesses split by the bus. */
  portRead?(port: number, size: 1 | 2 | 4): number;
  portWrite?(port: number, value: number, size: 1 | 2 | 4): void;
  /** Widest port access the device takes itself; default 1: the bus splits wider ones into bytes. */
  readonly portWidth?: 1 | 2 | 4;
  memoryRead?(address: number, size: 1 | 2 | 4): number;
  memoryWrite?(address: number, value: number, size: 1 | 2 | 4): void;
  reset(): void;
  save(): SavedState;
  /** Restores what save() gave; throws a RangeError or TypeError with a clear message on anything else. Re-arms its timers. */
  load(state: SavedState): void;
}

/** A row of devices/index.ts. */
export interface DeviceKind {
  /** Name used in save files and panels, for example 'serial0'. */
  readonly name: string;
  /** What a person calls it, with the part's name: '16550A UART (COM1)'. */
  readonly title: string;
  create(context: DeviceContext): Device;
}
