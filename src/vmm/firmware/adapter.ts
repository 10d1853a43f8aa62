// The firmware's view of a machine, over its processor and its bus: linear addresses go through the page tables, all addresses
// through the A20 gate, video memory and the registers of the APICs to their devices, everything else to RAM.

import type { VirtualCpu } from '../../runtime/cpu-types.ts';
import type { CpuHost } from '../../runtime/host.ts';
import { type FirmwareDrive, type FirmwareMachine, littleEndian } from './machine.ts';

export interface FirmwareParts {
  readonly cpu: VirtualCpu;
  readonly bus: Pick<CpuHost, 'portRead' | 'portWrite' | 'mmioRead' | 'mmioWrite'>;
  readonly drives: readonly FirmwareDrive[];
  readonly bootOrder: string;
  readonly memory: number;
  readonly virtioDevices: number;
  powerOff(status: number): void;
}

const PAGE_BYTES = 4096,
  PG = 0x80000000;
/** The VGA's window, and the registers of the chip set and the processor below the system ROM. */
const VIDEO_FIRST = 0xa0000,
  VIDEO_END = 0xc0000,
  REGISTERS_FIRST = 0xfec00000;
const isDevice = (address: number) =>
  (address >= VIDEO_FIRST && address < VIDEO_END) || (address >= REGISTERS_FIRST && address < ROM_ALIAS);
/** What stores leave as it is: adapter and system ROMs, which end the first megabyte, and the system ROM below 4 GiB. */
const ROM_END = 0x100000,
  ROM_ALIAS = 0xffff0000;
const isRom = (address: number) => (address >= VIDEO_END && address < ROM_END) || address >= ROM_ALIAS;

/** Width of the next access: double words where they are aligned. */
const widest = (address: number, left: number): 1 | 4 => ((address & 3) === 0 && left >= 4 ? 4 : 1);

/** Builds the view; it holds no state of its own. */
export function createFirmwareMachine(parts: FirmwareParts): FirmwareMachine {
  const { cpu, bus } = parts;
  const number = (name: string) => {
    const value = cpu.get(name);
    return typeof value === 'number' ? value : 0;
  };

  /** Calls `use` for each piece of a range that stays in one page and has one kind of memory; physical null: not mapped. */
  function pieces(
    address: number,
    length: number,
    linear: boolean,
    use: (physical: number | null, offset: number, size: number) => void,
  ): void {
    const paged = linear && number('cr0') >>> 0 >= PG;
    for (let offset = 0; offset < length; ) {
      const at = (address + offset) % 2 ** 32,
        size = Math.min(length - offset, PAGE_BYTES - (at % PAGE_BYTES));
      use(paged ? cpu.translate(at).physical : (at & cpu.addressMask) >>> 0, offset, size);
      offset += size;
    }
  }
  function read(address: number, length: number, linear: boolean): Uint8Array {
    const bytes = new Uint8Array(length).fill(0xff);
    pieces(address, length, linear, (physical, offset, size) => {
      if (physical === null) return;
      if (isDevice(physical)) {
        for (let n = 0; n < size; ) {
          const width = widest(physical + n, size - n),
            value = bus.mmioRead(physical + n, width);
          for (let k = 0; k < width; k++) bytes[offset + n++] = value >> (8 * k);
        }
      } else bytes.set(cpu.readPhysical(physical, size), offset);
    });
    return bytes;
  }
  function write(address: number, bytes: Uint8Array, linear: boolean): void {
    pieces(address, bytes.length, linear, (physical, offset, size) => {
      if (physical === null || isRom(physical)) return;
      if (isDevice(physical)) {
        for (let n = 0; n < size; ) {
          const width = widest(physical + n, size - n);
          bus.mmioWrite(physical + n, littleEndian(bytes.subarray(offset + n, offset + n + width)), width);
          n += width;
        }
      } else cpu.writePhysical(physical, bytes.subarray(offset, offset + size));
    });
  }

  return {
    get: number,
    set: (name, value) => {
      cpu.set(name, value);
    },
    readLinear: (address, length) => read(address, length, true),
    writeLinear: (address, bytes) => {
      write(address, bytes, true);
    },
    readPhysical: (address, length) => read(address, length, false),
    writePhysical: (address, bytes) => {
      write(address, bytes, false);
    },
    portRead: (port, size = 1) => bus.portRead(port, size),
    portWrite: (port, value, size = 1) => {
      bus.portWrite(port, value, size);
    },
    get a20() {
      return cpu.addressMask === -1;
    },
    setMsr: (number, low, high) => void cpu.setMsr(number, low, high),
    drives: parts.drives,
    bootOrder: parts.bootOrder,
    memory: parts.memory,
    virtioDevices: parts.virtioDevices,
    powerOff: (status) => {
      parts.powerOff(status);
    },
  };
}
