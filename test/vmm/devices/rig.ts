// A machine of devices only: a clock that tests move by hand, pins that write down what happened, and the bus.

import type { Bus } from '../../../src/vmm/bus.ts';
import type { DeviceContext } from '../../../src/vmm/device.ts';
import { createDevices, type DeviceSet } from '../../../src/vmm/devices/index.ts';
import { CYCLES_PER_SECOND, createTimers, type MachineTimers } from '../../../src/vmm/timers.ts';

export const MICROSECOND = CYCLES_PER_SECOND / 1_000_000;
export const MILLISECOND = CYCLES_PER_SECOND / 1000;
export const SECOND = CYCLES_PER_SECOND;

export interface Rig {
  readonly devices: DeviceSet;
  readonly bus: Bus;
  readonly timers: MachineTimers;
  /** Pins that moved, in order: 'reset', 'a20 open', 'a20 closed', 'power off 3'. */
  readonly pins: string[];
  /** Bytes that devices sent, by channel. */
  readonly sent: { readonly [channel: string]: number[] };
  /** Level of INTR. */
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
  startOfTime?: number;
  debugExit?: DeviceContext['debugExit'];
  now?: number;
}

export function createRig({ startOfTime = Date.UTC(2024, 1, 28, 23, 59, 50), debugExit = null, now = 0 }: RigOptions = {}): Rig {
  const pins: string[] = [];
  const sent: { [channel: string]: number[] } = { serial0: [], serial1: [], debugcon: [] };
  const timers = createTimers(() => rig.now);
  const rig = { now, intr: false, timers, pins, sent } as unknown as { -readonly [K in keyof Rig]: Rig[K] };
  const { devices, bus } = createDevices({
    timers,
    startOfTime,
    debugExit,
    ram: new Uint8Array(0),
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
  rig.bus = bus;
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
