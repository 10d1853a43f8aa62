// Physical memory of one guest: a slice of the worker's arena with one state byte per page. RAM begins at physical address
// 0; A0000h-BFFFFh belongs to the display adapter; the firmware's last 64 KiB below 1 MiB appear again below 4 GiB, where
// the processor starts (SDM volume 3, "First Instruction Executed"). Behind the RAM the slice may have further memory, ROM and
// a frame buffer, which windows show at physical addresses that change. Everything else is a device or nobody.

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

/** Shows a part of the slice at a physical address. In the first MiB it hides the RAM there, above RAM goes before it. */
export interface MemoryWindow {
  /**
   * Moves it to this address, a multiple of 4096, where it shows the slice from byte `first` (whole pages) on. Null, or an address
   * that it does not fit to, takes it away.
   */
  place(physical: number | null, first: number): void;
}

/** The guest's own slice of an arena. All page numbers are indexes of 4 KiB pages of the slice, as `ramPage` gives them. */
export interface GuestMemory {
  /** First byte in the arena, a multiple of 4096. */
  readonly offset: number;
  /** Bytes of RAM, with which the slice begins; a multiple of 4096. */
  readonly bytes: number;
  /** One byte per page of the slice, bits of PAGE. Change CODE, WATCHED, ROM and MMIO through `setState`. */
  readonly pageState: Uint8Array;
  /** The RAM itself. */
  readonly ram: Uint8Array;
  /** The memory behind it. */
  readonly further: Uint8Array;
  /** A window of so many bytes, whole pages; it is nowhere yet. */
  window(bytes: number): MemoryWindow;
  /** Page of the slice behind a physical page number (address >>> 12), or -1 where no memory answers. */
  ramPage(physicalPage: number): number;
  /** The same for an address, int32 or unsigned. */
  ramPageAt(physical: number): number;
  /** A physical address, int32, at which the processor finds a byte of the slice that it sees. */
  physicalOf(byte: number): number;
  /** Sets or clears bits of PAGE for a page or `count` pages; cached translations follow. */
  setState(page: number, bit: number, on: boolean, count?: number): void;
  /** Copies what RAM and ROM hold; stops at the first byte that is neither. No side effects. */
  readBytes(physical: number, length: number): Uint8Array;
  /**
   * Stores to RAM and, for loaders, to ROM; unless `rom`, what would go to ROM is lost. Stops at the first byte that is neither;
   * invalidates code; gives the number of bytes stored or lost.
   */
  writeBytes(physical: number, bytes: Uint8Array, rom?: boolean): number;
  /** Bytes of the slice have been changed through `ram` or `further`. */
  written(first: number, bytes: number): void;
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
/** Pages of the first MiB, and page numbers of 32-bit addresses. */
const LOW_PAGES = 0x100,
  PHYSICAL_PAGES = 0x100000;

/**
 * A guest's memory at `offset` of the arena: `bytes` of RAM, then `further` bytes. Throws RangeError when the slice is not inside
 * it or not page aligned.
 */
export function createMemory(arena: Uint8Array, offset: number, bytes: number, further = 0): GuestMemory {
  const all = bytes + further;
  if (offset % 4096 !== 0 || bytes % 4096 !== 0 || further % 4096 !== 0 || offset < 0 || bytes < 0x100000 || offset + all > arena.length) {
    throw new RangeError(
      `guest memory of ${all} bytes at ${offset} does not fit the arena of ${arena.length} bytes in whole pages (at least 1 MiB)`,
    );
  }
  const pages = bytes / 4096,
    pageState = new Uint8Array(all / 4096);
  const slice = arena.subarray(offset, offset + all),
    ram = slice.subarray(0, bytes);
  pageState.fill(PAGE.MMIO, 0xa0, 0xc0);

  /** Windows in the order in which they were made, the earlier before the later; `first` -1: nowhere. */
  const windows: { page: number; readonly count: number; first: number }[] = [];
  /** Page behind each of the first MiB's; windows elsewhere that are shown. */
  const low = Uint32Array.from({ length: LOW_PAGES }, (_, n) => n);
  let high: typeof windows = [];
  function arrange(): void {
    for (let page = 0; page < LOW_PAGES; page++) low[page] = page;
    for (const { page, count, first } of windows.toReversed()) {
      for (let n = 0; n < count && first >= 0 && first + n < LOW_PAGES; n++) low[first + n] = page + n;
    }
    high = windows.filter(({ first, count }) => first >= 0 && first + count > pages);
    memory.onStateChange(0, pageState.length);
  }
  function windowPage(physicalPage: number): number {
    for (const { page, count, first } of high) {
      if (physicalPage >= first && physicalPage < first + count) return page + physicalPage - first;
    }
    return physicalPage >= FIRMWARE_ALIAS ? physicalPage - FIRMWARE_ALIAS + FIRMWARE_PAGE : -1;
  }
  const ramPage = (page: number): number => (page < LOW_PAGES ? low[page]! : page < pages ? page : windowPage(page));
  const ramPageAt = (physical: number): number => (physical >= HIGH ? -1 : ramPage(physical >>> 12));
  /** RAM page of an address, -1 also for pages that devices hide. */
  const plainPage = (physical: number): number => {
    const page = ramPageAt(physical);
    return page < 0 || (pageState[page]! & PAGE.MMIO) !== 0 ? -1 : page;
  };

  function changed(page: number, inPage: number, count: number): void {
    pageState[page]! |= PAGE.DIRTY;
    if ((pageState[page]! & PAGE.CODE) !== 0) memory.onCodeWrite(page, inPage, count);
  }

  const memory: GuestMemory = {
    offset,
    bytes,
    pageState,
    ram,
    further: slice.subarray(bytes),
    window(length) {
      const window = { page: 0, count: length / 4096, first: -1 };
      windows.push(window);
      return {
        place(physical, first) {
          if (first % 4096 !== 0 || first < 0 || first + length > all)
            throw new RangeError(`no pages of the slice: ${length} bytes at ${first}`);
          const page = first / 4096,
            at = physical === null || physical % 4096 !== 0 ? -1 : physical / 4096,
            to = at + window.count <= PHYSICAL_PAGES ? at : -1;
          if (to === window.first && page === window.page) return;
          window.page = page;
          window.first = to;
          arrange();
        },
      };
    },
    ramPage,
    ramPageAt,
    physicalOf(byte) {
      const page = byte >>> 12;
      if (page < pages) return byte;
      const shown = windows.find(({ page: from, count, first }) => first >= 0 && page >= from && page < from + count);
      return shown ? ((shown.first + page - shown.page) << 12) | (byte & 0xfff) : byte;
    },
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
        out.set(slice.subarray(from, from + count), done);
        done += count;
      }
      return out.subarray(0, done);
    },
    writeBytes(physical, data, rom = true) {
      let done = 0;
      while (done < data.length && physical + done < HIGH) {
        const at = physical + done,
          page = plainPage(at),
          inPage = at % 4096;
        if (page < 0) break;
        const count = Math.min(data.length - done, 4096 - inPage);
        if (rom || (pageState[page]! & PAGE.ROM) === 0) {
          slice.set(data.subarray(done, done + count), page * 4096 + inPage);
          changed(page, inPage, count);
        }
        done += count;
      }
      return done;
    },
    written(first, length) {
      for (let at = first; at < first + length; at += 4096 - (at % 4096)) {
        changed(Math.floor(at / 4096), at % 4096, Math.min(first + length - at, 4096 - (at % 4096)));
      }
    },
    onCodeWrite() {},
    onWatched() {},
    onStateChange() {},
  };
  return memory;
}
