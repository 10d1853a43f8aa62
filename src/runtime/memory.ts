// Physical memory of one guest: a slice of the worker's arena with one state byte per page. RAM begins at physical address
// 0; A0000h-BFFFFh belongs to the display adapter; the firmware's last 64 KiB below 1 MiB appear again below 4 GiB, where
// the processor starts (SDM volume 3, "First Instruction Executed"). Everything else is a device or nobody.

/** Bits of a page's state byte. */
export const PAGE = {
  /** Holds bytes that have been decoded or translated. */
  CODE: 1,
  /** Written since somebody last cleared the bit. */
  DIRTY: 2,
  /** A debugger wants to see accesses. */
  WATCHED: 4,
  /** Not RAM for the processor: accesses go to the host. */
  MMIO: 8,
  /** Readable and executable, not writable. */
  ROM: 16,
} as const;

/** The guest's own slice of an arena. All page numbers are indexes of 4 KiB RAM pages, as `ramPage` gives them. */
export interface GuestMemory {
  /** First byte in the arena, a multiple of 4096. */
  readonly offset: number;
  /** Bytes of the slice, a multiple of 4096. */
  readonly bytes: number;
  /** One byte per RAM page, bits of PAGE. Change CODE, WATCHED, ROM and MMIO through `setState`. */
  readonly pageState: Uint8Array;
  /** The slice itself. */
  readonly ram: Uint8Array;
  /** RAM page behind a physical page number (address >>> 12), or -1 where no RAM answers. */
  ramPage(physicalPage: number): number;
  /** The same for an address, int32 or unsigned. */
  ramPageAt(physical: number): number;
  /** Sets or clears bits of PAGE for a page or `count` pages; cached translations follow. */
  setState(page: number, bit: number, on: boolean, count?: number): void;
  /** Copies what RAM and ROM hold; stops at the first byte that is neither. No side effects. */
  readBytes(physical: number, length: number): Uint8Array;
  /** Stores to RAM and, for loaders, to ROM; invalidates code; gives the number of bytes stored. */
  writeBytes(physical: number, bytes: Uint8Array): number;
  /** Code cache: bytes of a page with PAGE.CODE have been written. */
  onCodeWrite: (page: number, offset: number, size: number) => void;
  /** Debugger: the guest read or wrote in a page with PAGE.WATCHED. */
  onWatched: (linear: number, size: number, write: boolean) => void;
  /** Translation caches: the state of pages has changed, so that a cached right to access them may be too wide. */
  onStateChange: (page: number, count: number) => void;
}

/** Where physical addresses of 32 bits end: from here on there is nothing. */
export const HIGH = 0x1_0000_0000;

const FIRMWARE_ALIAS = 0xffff0,
  FIRMWARE_PAGE = 0xf0;

/** A guest's memory at `offset` of the arena. Throws RangeError when the slice is not inside it or not page aligned. */
export function createMemory(arena: Uint8Array, offset: number, bytes: number): GuestMemory {
  if (offset % 4096 !== 0 || bytes % 4096 !== 0 || offset < 0 || bytes < 0x100000 || offset + bytes > arena.length) {
    throw new RangeError(
      `guest memory of ${bytes} bytes at ${offset} does not fit the arena of ${arena.length} bytes in whole pages (at least 1 MiB)`,
    );
  }
  const pages = bytes / 4096,
    pageState = new Uint8Array(pages);
  const ram = arena.subarray(offset, offset + bytes);
  pageState.fill(PAGE.MMIO, 0xa0, 0xc0);

  const ramPage = (page: number): number => (page < pages ? page : page >= FIRMWARE_ALIAS ? page - FIRMWARE_ALIAS + FIRMWARE_PAGE : -1);
  const ramPageAt = (physical: number): number => (physical >= HIGH ? -1 : ramPage(physical >>> 12));
  /** RAM page of an address, -1 also for pages that devices hide. */
  const plainPage = (physical: number): number => {
    const page = ramPageAt(physical);
    return page < 0 || (pageState[page]! & PAGE.MMIO) !== 0 ? -1 : page;
  };

  const memory: GuestMemory = {
    offset,
    bytes,
    pageState,
    ram,
    ramPage,
    ramPageAt,
    setState(page, bit, on, count = 1) {
      for (let n = page; n < page + count; n++) pageState[n] = on ? pageState[n]! | bit : pageState[n]! & ~bit;
      // Only less freedom concerns caches: a page that became clean must be seen again when it is written.
      if (on !== (bit === PAGE.DIRTY)) memory.onStateChange(page, count);
    },
    readBytes(physical, length) {
      const out = new Uint8Array(length);
      let done = 0;
      while (done < length && physical + done < HIGH) {
        const at = physical + done,
          page = plainPage(at);
        if (page < 0) break;
        const from = page * 4096 + (at % 4096),
          count = Math.min(length - done, 4096 - (at % 4096));
        out.set(ram.subarray(from, from + count), done);
        done += count;
      }
      return out.subarray(0, done);
    },
    writeBytes(physical, data) {
      let done = 0;
      while (done < data.length && physical + done < HIGH) {
        const at = physical + done,
          page = plainPage(at),
          inPage = at % 4096;
        if (page < 0) break;
        const count = Math.min(data.length - done, 4096 - inPage);
        ram.set(data.subarray(done, done + count), page * 4096 + inPage);
        pageState[page]! |= PAGE.DIRTY;
        if ((pageState[page]! & PAGE.CODE) !== 0) memory.onCodeWrite(page, inPage, count);
        done += count;
      }
      return done;
    },
    onCodeWrite() {},
    onWatched() {},
    onStateChange() {},
  };
  return memory;
}
