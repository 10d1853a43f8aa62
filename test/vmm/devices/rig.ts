// A machine of devices only: a clock that tests move by hand, pins that write down what happened, and the bus.

import type { Drive } from '../../../src/vmm/block/drive.ts';
import type { Bus } from '../../../src/vmm/bus.ts';
import type { DeviceContext } from '../../../src/vmm/device.ts';
import type { Card } from '../../../src/vmm/devices/cards.ts';
import { createDevices, type DeviceSet } from '../../../src/vmm/devices/index.ts';
import type { PciBus } from '../../../src/vmm/pci/bus.ts';
import type { CardConfig } from '../../../src/vmm/protocol.ts';
import { CYCLES_PER_SECOND, createTimers, type MachineTimers } from '../../../src/vmm/timers.ts';

export const MICROSECOND = CYCLES_PER_SECOND / 1_000_000;
export const MILLISECOND = CYCLES_PER_SECOND / 1000;
export const SECOND = CYCLES_PER_SECOND;

export interface Rig {
  readonly devices: DeviceSet;
  readonly bus: Bus;
  readonly pci: PciBus;
  readonly timers: MachineTimers;
  /** Add-in cards by name, and what they sent to their peers. */
  readonly cards: ReadonlyMap<string, Card>;
  readonly peers: readonly { readonly card: string; readonly bytes: Uint8Array }[];
  /** Pins that moved, in order: 'reset', 'a20 open', 'a20 closed', 'power off 3'. */
  readonly pins: string[];
  /** Bytes that devices sent, by channel. */
  readonly sent: { readonly [channel: string]: number[] };
  /** The first MiB of RAM as devices reach it. */
  readonly ram: Uint8Array;
  /** The display adapter's memory, and where its windows are: 'address: first byte', by their length. */
  readonly video: Uint8Array;
  readonly windows: Map<number, string>;
  /** Attributes of the areas of C0000h-FFFFFh by address: 'r- 4000' is readable, not writable, 4000h bytes. */
  readonly shadows: ReadonlyMap<number, string>;
  /** Level of INTR at the processor, its acknowledge cycle, and whether no device can raise it. */
  acknowledge(): number;
  interruptsMasked(): boolean;
  intr: boolean;
  now: number;
  in(port: number): number;
  out(port: number, ...values: number[]): void;
  /** Lets time pass, stopping at every event as the machine does. */
  run(cycles: number): void;
  /** Lets time pass in one jump, so that events come late. */
  jump(cycles: number): void;
}

export interface RigOptions {
  drives?: readonly Drive[];
  startOfTime?: number;
  debugExit?: DeviceContext['debugExit'];
  now?: number;
  cards?: readonly CardConfig[];
  hasLocalApic?: boolean;
}

export function createRig({
  startOfTime = Date.UTC(2024, 1, 28, 23, 59, 50),
  debugExit = null,
  now = 0,
  drives = [],
  cards: cardConfigs = [],
  hasLocalApic = true,
}: RigOptions = {}): Rig {
  const pins: string[] = [],
    peers: Rig['peers'][number][] = [];
  const sent: { [channel: string]: number[] } = { serial0: [], serial1: [], debugcon: [], virtconsole: [] };
  const ram = new Uint8Array(1 << 20),
    video = new Uint8Array(1 << 20),
    written = new Set<number>(),
    windows = new Map<number, string>(),
    shadows = new Map<number, string>();
  const timers = createTimers(() => rig.now);
  const rig = { now, intr: false, timers, pins, sent, ram, video, windows, shadows, peers } as unknown as {
    -readonly [K in keyof Rig]: Rig[K];
  };
  const { devices, cards, bus, pci, acknowledge, interruptsMasked } = createDevices({
    timers,
    hasLocalApic,
    startOfTime,
    debugExit,
    ram,
    drives,
    cards: cardConfigs,
    send: (card, bytes) => void peers.push({ card, bytes }),
    rom: new Uint8Array(0x10000).fill(0x90),
    videoMemory: {
      bytes: video,
      window: (length) => ({
        place(base, first) {
          if (base === null) windows.delete(length);
          else windows.set(length, `${base.toString(16)}: ${first.toString(16)}`);
        },
      }),
      written(first, length) {
        for (let page = first >> 12; page << 12 < first + length; page++) written.add(page);
      },
      takeWritten() {
        const pages = [...written].sort((a, b) => a - b);
        written.clear();
        return pages;
      },
    },
    dma: {
      read(address, length) {
        const bytes = new Uint8Array(length).fill(0xff);
        bytes.set(ram.subarray(address, address + length));
        return bytes;
      },
      write: (address, bytes) => ram.set(bytes.subarray(0, Math.max(0, ram.length - address)), Math.min(address, ram.length)),
    },
    shadow: {
      set: (address, length, read, write) => void shadows.set(address, `${read ? 'r' : '-'}${write ? 'w' : '-'} ${length.toString(16)}`),
      write: (address, bytes) => ram.set(bytes, address),
    },
    romIsShadowed: true,
    firmwareItems: { ram: 1 << 20, files: new Map([['etc/test', Uint8Array.of(1, 2, 3)]]) },
    videoRom: null,
    debugconPort: null,
    channel: (name) => ({ write: (value) => void sent[name].push(value) }),
    pins: {
      reset: () => void pins.push('reset'),
      a20: (open) => void pins.push(open ? 'a20 open' : 'a20 closed'),
      powerOff: (status) => void pins.push(status === null ? 'power off' : `power off ${status}`),
      nmi: () => void pins.push('nmi'),
      ignne: (level) => void pins.push(level ? 'ignne on' : 'ignne off'),
      intr: (level) => {
        rig.intr = level;
      },
    },
  });
  rig.devices = devices;
  rig.cards = cards;
  rig.bus = bus;
  rig.pci = pci;
  rig.acknowledge = acknowledge;
  rig.interruptsMasked = interruptsMasked;
  // As firmware leaves the local APIC: on, with the interrupt controllers at LINT0.
  bus.memoryWrite(0xfee000f0, 0x1ff, 4);
  bus.memoryWrite(0xfee00350, 0x700, 4);
  rig.in = (port) => bus.portRead(port, 1);
  rig.out = (port, ...values) => {
    for (const value of values) bus.portWrite(port, value, 1);
  };
  rig.run = (cycles) => {
    const end = rig.now + cycles;
    for (let next = timers.nextDeadline(); next <= end; next = timers.nextDeadline()) {
      rig.now = Math.max(rig.now, next);
      timers.runDue();
    }
    rig.now = end;
  };
  rig.jump = (cycles) => {
    rig.now += cycles;
    timers.runDue();
  };
  return rig;
}

/** Programs the interrupt controllers as a PC's firmware does: vectors 08h and 70h, everything masked but `enabled`. */
export function setUpPic(rig: Rig, enabled: readonly number[] = []): void {
  rig.out(0x20, 0x11);
  rig.out(0x21, 0x08, 0x04, 0x01);
  rig.out(0xa0, 0x11);
  rig.out(0xa1, 0x70, 0x02, 0x01);
  const lines = enabled.some((line) => line > 7) ? [...enabled, 2] : enabled;
  const mask = lines.reduce((bits, line) => bits & ~(1 << line), 0xffff);
  rig.out(0x21, mask & 0xff);
  rig.out(0xa1, mask >> 8);
}
