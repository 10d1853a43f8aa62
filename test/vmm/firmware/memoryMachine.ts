// A FirmwareMachine for tests of single services: flat memory, registers in a map, and ports that keep what was written, with
// the index and data pairs of CRTC, sequencer, graphics controller and CMOS kept by index.

import { initialise, romImage } from '../../../src/vmm/firmware/bios.ts';
import { type FirmwareDrive, type FirmwareMachine, ServiceCall } from '../../../src/vmm/firmware/machine.ts';
import { ROM_ADDRESS } from '../../../src/vmm/firmware/symbols.ts';

export interface MemoryMachine extends FirmwareMachine {
  readonly bytes: Uint8Array;
  readonly call: ServiceCall;
  /** Registers behind an index port: CRTC 3D4h, sequencer 3C4h, graphics 3CEh, CMOS 70h. */
  indexed(port: number): Map<number, number>;
  /** Every port write in order. */
  readonly writes: [number, number][];
  /** Last exit status of powerOff. */
  status: number | undefined;
  /** Calls a service as the ROM's stub does, with FLAGS on the stack; returns the FLAGS image that IRET would load. */
  invoke(service: (call: ServiceCall) => void, registers?: { readonly [name: string]: number }): number;
  /** Text of a row of the screen. */
  row(index: number): string;
}

const STACK = 0x7000,
  PAIRS = [0x3d4, 0x3c4, 0x3ce, 0x70];

/** A drive over bytes. */
export function byteDrive(
  kind: FirmwareDrive['kind'],
  index: number,
  bytes: Uint8Array,
  readOnly = false,
): FirmwareDrive & { readonly bytes: Uint8Array } {
  return {
    interface: 'ide',
    kind,
    index,
    size: bytes.length,
    readOnly,
    bytes,
    read: (offset, length) => bytes.slice(offset, offset + length),
    write: (offset, data) => {
      bytes.set(data, offset);
    },
  };
}

/** A machine after power-on, with 16 MiB unless told otherwise. */
export function createMemoryMachine({
  memory = 16 << 20,
  drives = [],
  bootOrder = 'ac',
}: {
  memory?: number;
  drives?: readonly FirmwareDrive[];
  bootOrder?: string;
} = {}): MemoryMachine {
  const bytes = new Uint8Array(Math.min(memory, 4 << 20)),
    registers = new Map<string, number>([
      ['cr0', 0x10],
      ['eflags', 2],
      ['ss_access', 0x93],
    ]);
  const ports = new Map<number, number>(),
    files = new Map<number, Map<number, number>>(PAIRS.map((port) => [port, new Map()])),
    writes: [number, number][] = [];
  const inside = (address: number, length: number) => Math.max(0, Math.min(length, bytes.length - address));
  const machine: MemoryMachine = {
    bytes,
    writes,
    drives,
    get a20() {
      return ((ports.get(0x92) ?? 2) & 2) !== 0;
    },
    bootOrder,
    memory,
    virtioDevices: 0,
    status: undefined,
    get: (name) => (registers.get(name) ?? 0) >>> 0,
    set(name, value) {
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RangeError(`${name} = ${value}`);
      registers.set(name, value);
    },
    readLinear(address, length) {
      const result = new Uint8Array(length).fill(0xff);
      result.set(bytes.subarray(address, address + inside(address, length)));
      return result;
    },
    writeLinear(address, data) {
      bytes.set(data.subarray(0, inside(address, data.length)), Math.min(address, bytes.length));
    },
    readPhysical: (address, length) => machine.readLinear(address, length),
    writePhysical: (address, data) => {
      machine.writeLinear(address, data);
    },
    portRead(port, size = 1) {
      const file = files.get(port - 1);
      if (file) return file.get((ports.get(port - 1) ?? 0) & 0x7f) ?? 0;
      if (port === 0x64) return 0; // keyboard controller: nothing to read
      if (port === 0x3fd) return 0x60; // transmitter empty
      return (ports.get(port) ?? 0) % 256 ** size;
    },
    setMsr() {},
    portWrite(port, value, size = 1) {
      if (!Number.isInteger(value) || value < 0 || value >= 256 ** size) throw new RangeError(`port ${port} = ${value}`);
      writes.push([port, value]);
      const file = files.get(port - 1);
      if (file) file.set((ports.get(port - 1) ?? 0) & 0x7f, value);
      ports.set(port, value);
    },
    powerOff(status) {
      machine.status = status;
    },
    indexed: (port) => files.get(port)!,
    get call() {
      return new ServiceCall(machine);
    },
    invoke(service, values = {}) {
      for (const [name, value] of Object.entries(values)) machine.set(name, value);
      machine.set('esp', STACK - 6);
      bytes.set([0, 0, 0, 0, 0x02, 0x02], STACK - 6); // IP, CS, FLAGS with IF
      service(new ServiceCall(machine));
      return bytes[STACK - 2] | (bytes[STACK - 1] << 8);
    },
    row: (index) =>
      Array.from({ length: 80 }, (_, column) => String.fromCharCode(bytes[0xb8000 + (index * 80 + column) * 2]))
        .join('')
        .trimEnd(),
  };
  bytes.set(romImage({ memory, virtioDevices: 0, localApic: true }), ROM_ADDRESS);
  initialise(machine);
  return machine;
}
