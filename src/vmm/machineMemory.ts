// What a machine makes of its guest's slice of the arena besides RAM (runtime/memory.ts): the display adapter's memory, the firmware's
// ROM where it is one of its own, and the areas between 768 KiB and 1 MiB, which the host bridge gives to RAM, to the ROM or to the bus.

import { type GuestMemory, type MemoryWindow, PAGE } from '../runtime/memory.ts';
import type { DeviceContext, VideoMemory } from './device.ts';

const PAGE_BYTES = 4096;
const FOUR_GIB = 0x1_0000_0000,
  ONE_MIB = 0x100000;
/** How much of a ROM's end also ends the first megabyte (82371SB data sheet, XBCS: extended BIOS). */
const LOW_ROM_BYTES = 0x20000;

/** Part of the slice behind the RAM, in bytes from its beginning. */
interface Part {
  readonly first: number;
  readonly bytes: number;
}

/** The display adapter's memory. */
export function createVideoMemory(memory: GuestMemory, { first, bytes }: Part): VideoMemory {
  const start = memory.bytes + first,
    firstPage = start / PAGE_BYTES,
    pages = bytes / PAGE_BYTES;
  return {
    bytes: memory.further.subarray(first, first + bytes),
    window(length) {
      const window = memory.window(length);
      return { place: (base, from) => window.place(base, start + from) };
    },
    written: (from, length) => memory.written(start + from, length),
    takeWritten() {
      const written: number[] = [];
      for (let n = 0; n < pages; n++) if ((memory.pageState[firstPage + n] & PAGE.DIRTY) !== 0) written.push(n);
      if (written.length > 0) memory.setState(firstPage, PAGE.DIRTY, false, pages);
      return written;
    },
  };
}

/** Puts a ROM of whole pages into its part of the slice, and below 4 GiB; gives the shadow areas over it. */
export function installRom(memory: GuestMemory, { first, bytes }: Part, rom: Uint8Array): DeviceContext['shadow'] {
  const start = memory.bytes + first;
  memory.further.set(rom, first);
  memory.setState(start / PAGE_BYTES, PAGE.ROM, true, bytes / PAGE_BYTES);
  memory.window(bytes).place(FOUR_GIB - bytes, start);
  const windows = new Map<number, MemoryWindow>();
  const shadow = createShadow(memory);
  return {
    ...shadow,
    set(address, length, read, write) {
      const end = start + bytes - ONE_MIB + address;
      if (address < ONE_MIB - Math.min(bytes, LOW_ROM_BYTES)) return shadow.set(address, length, read, write);
      let window = windows.get(address);
      if (!window) windows.set(address, (window = memory.window(length)));
      window.place(read ? null : address, end);
      // What the window hides, or no longer hides, is RAM.
      shadow.set(address, length, true, read && write);
    },
  };
}

/** The areas as RAM that can be read, written, or neither. */
export function createShadow(memory: GuestMemory): DeviceContext['shadow'] {
  return {
    set(address, length, read, write) {
      const set = (bit: number, on: boolean): void => memory.setState(address / PAGE_BYTES, bit, on, length / PAGE_BYTES);
      set(PAGE.MMIO, !read);
      set(PAGE.ROM, read && !write);
    },
    write(address, bytes) {
      memory.ram.set(bytes, address);
      memory.written(address, bytes.length);
    },
  };
}
