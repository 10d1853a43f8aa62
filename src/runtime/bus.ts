// Physical accesses of the processor: RAM, ROM, devices and nothing (SDM volume 3, "Memory Management"; A20M# as in volume 3,
// "Compatibility with ... A20M#"). An access never crosses a page here; devices see aligned 1, 2 and 4 byte accesses only.

import { S } from '../translator/state.ts';
import type { Core } from './core.ts';
import { HIGH, PAGE } from './memory.ts';

export interface Bus {
  /** Value at a physical address (int32, or beyond 32 bits where nothing answers; the value is int32: its high half may be negative), zero-extended for sizes 1 and 2. */
  read(physical: number, size: 1 | 2 | 4): number;
  /** ROM is left as it is and the host told, as for devices; a page with code informs the code cache. */
  write(physical: number, value: number, size: 1 | 2 | 4): void;
}

export function createBus(core: Core): Bus {
  const { r, u8, dv } = core;

  function deviceRead(address: number, size: number): number {
    let value = 0;
    for (let done = 0; done < size; ) {
      const at = (address + done) >>> 0,
        width = aligned(at, size - done);
      value |= core.host.mmioRead(at, width) << (done * 8);
      done += width;
    }
    return value;
  }
  function deviceWrite(address: number, value: number, size: number): void {
    for (let done = 0; done < size; ) {
      const at = (address + done) >>> 0,
        width = aligned(at, size - done),
        part = value >>> (done * 8);
      core.host.mmioWrite(at, width === 1 ? part & 0xff : width === 2 ? part & 0xffff : part >>> 0, width);
      done += width;
    }
  }

  return {
    read(physical, size) {
      if (physical >= HIGH) return core.host.mmioRead(physical, size) | 0;
      const masked = physical & r[S.A20_MASK]!,
        memory = core.memory,
        page = memory.ramPage(masked >>> 12);
      if (page < 0 || (memory.pageState[page]! & PAGE.MMIO) !== 0) return deviceRead(masked >>> 0, size);
      const at = memory.offset + page * 4096 + (masked & 0xfff);
      return size === 4 ? dv.getInt32(at, true) : size === 2 ? dv.getUint16(at, true) : u8[at]!;
    },
    write(physical, value, size) {
      if (physical >= HIGH) return core.host.mmioWrite(physical, size === 4 ? value >>> 0 : value, size);
      const masked = physical & r[S.A20_MASK]!,
        memory = core.memory,
        page = memory.ramPage(masked >>> 12);
      const state = page < 0 ? PAGE.MMIO : memory.pageState[page]!;
      if ((state & (PAGE.MMIO | PAGE.ROM)) !== 0) {
        deviceWrite(masked >>> 0, value, size);
        return;
      }
      const inPage = masked & 0xfff,
        at = memory.offset + page * 4096 + inPage;
      if (size === 4) dv.setInt32(at, value, true);
      else if (size === 2) dv.setInt16(at, value, true);
      else u8[at] = value;
      memory.pageState[page] = state | PAGE.DIRTY;
      if ((state & PAGE.CODE) !== 0) memory.onCodeWrite(page, inPage, size);
    },
  };
}

/** Widest aligned access at an address that does not exceed `left` bytes. */
function aligned(address: number, left: number): 1 | 2 | 4 {
  if (left >= 4 && (address & 3) === 0) return 4;
  return left >= 2 && (address & 1) === 0 ? 2 : 1;
}
