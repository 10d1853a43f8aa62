// The symbols of a Linux kernel out of the guest's memory: the tables that the kernel itself names addresses by (Linux,
// scripts/kallsyms.c and kernel/kallsyms.c, from 2.6.10 on). They are found by their shape, and believed only when the guest's
// own page tables map them where they say that the kernel is; a kernel that was moved (KASLR) tells its place by that. Memory
// is hostile: every number is checked, and the work is bounded.

/** Symbols in order of address. */
export interface KernelSymbols {
  /** Names, each behind nm's letter for its type and ended by a line feed: 'T_text\n'. */
  readonly names: string;
  readonly addresses: Uint32Array;
}

const TOKENS = 256;
const LONGEST_NAME = 512;
/** A kernel has thousands of symbols; the limits above are against memory made to exhaust the reader. */
const FEWEST_SYMBOLS = 1000,
  MOST_SYMBOLS = 500_000,
  MOST_TEXT = 32 << 20,
  MOST_WORK = 50_000_000;
/** Symbols for each entry of kallsyms_markers. */
const GROUP = 256;
/** Farther apart than this are no two symbols of one kernel; kernels are not below the first address. */
const KERNEL_REACH = 1 << 30,
  LOWEST_KERNEL = 0x40000000;
/** First offset from kallsyms_relative_base: the base is the first symbol or near it. */
const BASE_REACH = 1 << 24;

/** Linear address to physical, null when it is not mapped. */
export type Translate = (linear: number) => number | null;

/** The symbols of the kernel that is mapped now, or null when there is none, or none with such tables. */
export function findKallsyms(ram: Uint8Array, translate: Translate): KernelSymbols | null {
  const search = new Search(ram, translate);
  for (let index = search.tokenIndex(0); index >= 0; index = search.tokenIndex(index + 4)) {
    const found = search.symbols(index);
    if (found) return found;
  }
  return null;
}

/** The tables of one kernel: physical addresses. */
interface Tables {
  readonly count: number;
  readonly names: number;
  readonly tokenTable: number;
  readonly tokenIndex: number;
  /** Whether lengths of 128 and more take two bytes (since 6.1). */
  readonly longLengths: boolean;
}

class Search {
  readonly #ram: Uint8Array;
  readonly #words: Int32Array;
  readonly #translate: Translate;
  #work = MOST_WORK;

  constructor(ram: Uint8Array, translate: Translate) {
    this.#ram = ram;
    this.#words = new Int32Array(ram.buffer, ram.byteOffset, ram.length >>> 2);
    this.#translate = translate;
  }

  /** The next place from `at` on that looks like kallsyms_token_index: 256 ascending offsets of short texts; -1 when there is none. */
  tokenIndex(at: number): number {
    const words = this.#words,
      end = words.length - TOKENS / 2;
    for (let n = at >>> 2; n <= end; n++) {
      const word = words[n];
      // Nearly all words end here: this is done for all of the memory.
      if ((word & 0xffff) !== 0 || word === 0) continue;
      if (word >>> 16 <= LONGEST_NAME && this.#ascends(n)) return n * 4;
    }
    return -1;
  }

  #ascends(first: number): boolean {
    let last = -1;
    for (let n = first; n < first + TOKENS / 2; n++) {
      for (const offset of [this.#words[n] & 0xffff, this.#words[n] >>> 16]) {
        if (last >= 0 && (offset < last + 2 || offset > last + LONGEST_NAME)) return false;
        last = offset;
      }
    }
    return true;
  }

  symbols(tokenIndex: number): KernelSymbols | null {
    const tables = this.#tables(tokenIndex),
      addresses = tables && this.#addresses(tables);
    return tables && addresses && this.#expand(tables, addresses);
  }

  /** Everything before kallsyms_token_index, backwards: token table, perhaps kallsyms_seqs_of_names, markers, names, their number. */
  #tables(tokenIndex: number): Tables | null {
    const tokenTable = this.#tokenTable(tokenIndex);
    if (tokenTable < 0) return null;
    const last = tokenTable >>> 2,
      first = Math.max(0, last - MOST_SYMBOLS - MOST_SYMBOLS / GROUP);
    for (let markers = last - 1; markers >= first && this.#may(1); markers--) {
      if (this.#words[markers] !== 0) continue;
      const groups = this.#groups(markers, last);
      if (groups * GROUP < FEWEST_SYMBOLS) continue;
      // Behind the markers are the token table, or (6.2 and 6.3) three or four bytes for each symbol.
      const between = tokenTable - (markers + groups) * 4;
      if (between > 0 && (between < 3 * (groups - 1) * GROUP || between > 4 * groups * GROUP)) continue;
      const found = this.#names(markers, groups);
      if (found) return { ...found, tokenTable, tokenIndex };
    }
    return null;
  }

  /** 256 texts that end at each other's beginnings; what aligns the index is between. */
  #tokenTable(tokenIndex: number): number {
    const last = this.#offset(tokenIndex, TOKENS - 1);
    for (
      let at = (tokenIndex - last - 2) & ~3;
      at >= 0 && at > tokenIndex - last - LONGEST_NAME && this.#may(TOKENS + LONGEST_NAME);
      at -= 4
    ) {
      let end = at + last;
      while (end < tokenIndex && this.#ram[end] !== 0) end++;
      let whole = end < tokenIndex && tokenIndex - end <= 8;
      for (let n = 1; whole && n < TOKENS; n++) whole = this.#ram[at + this.#offset(tokenIndex, n) - 1] === 0;
      if (whole) return at;
    }
    return -1;
  }

  #offset(tokenIndex: number, token: number): number {
    const at = tokenIndex + 2 * token;
    return this.#ram[at] | (this.#ram[at + 1] << 8);
  }

  /** How many words from here on are kallsyms_markers: offsets of every 256th name. */
  #groups(markers: number, end: number): number {
    let n = markers + 1;
    for (; n < end && this.#may(1); n++) {
      const step = this.#words[n] - this.#words[n - 1];
      if (step < 2 * GROUP || step > (LONGEST_NAME + 2) * GROUP) break;
    }
    return n - markers;
  }

  /** kallsyms_num_syms and kallsyms_names before the markers: as many names as the number says, with every 256th where its marker is. */
  #names(markers: number, groups: number): Pick<Tables, 'count' | 'names' | 'longLengths'> | null {
    const lastMarker = this.#words[markers + groups - 1],
      first = Math.max(1, ((markers * 4 - lastMarker) >> 2) - (GROUP * (LONGEST_NAME + 2)) / 4);
    for (let n = (markers * 4 - lastMarker - 2) >> 2; n >= first && this.#may(1); n--) {
      const count = this.#words[n - 1];
      if (count < FEWEST_SYMBOLS || count > MOST_SYMBOLS || Math.ceil(count / GROUP) !== groups) continue;
      for (const longLengths of [true, false])
        if (this.#fits(n * 4, count, markers, longLengths)) return { count, names: n * 4, longLengths };
    }
    return null;
  }

  #fits(names: number, count: number, markers: number, longLengths: boolean): boolean {
    let at = names;
    for (let n = 0; n < count; n++) {
      if (n % GROUP === 0 && (at - names !== this.#words[markers + n / GROUP] || !this.#may(GROUP))) return false;
      const [length, body] = this.#length(at, longLengths);
      at = body + length;
      if (length === 0 || at > markers * 4) return false;
    }
    return markers * 4 - at < 8;
  }

  /** Length of a name in tokens and where they begin. */
  #length(at: number, longLengths: boolean): readonly [number, number] {
    const length = this.#ram[at];
    return longLengths && length >= 0x80 ? [(length & 0x7f) | (this.#ram[at + 1] << 7), at + 2] : [length, at + 1];
  }

  /** Addresses: before the number of symbols, or behind the token index (since 6.4); in full, or from a base that follows them (since 4.6). */
  #addresses({ count, names, tokenTable, tokenIndex }: Tables): Uint32Array | null {
    const before = names / 4 - 1,
      behind = tokenIndex / 4 + TOKENS / 2;
    const places = [
      { first: before - 1 - count, base: before - 1 },
      { first: before - count, base: -1 },
      { first: behind, base: behind + count },
      { first: behind, base: -1 },
    ];
    for (const { first, base } of places) {
      if (first < 0 || Math.max(first + count, base + 1) > this.#words.length || !this.#may(count)) continue;
      const addresses = this.#ascending(first, count, base < 0 ? null : this.#words[base] >>> 0);
      if (addresses && this.#mapped(addresses[0], tokenTable)) return addresses;
    }
    return null;
  }

  #ascending(first: number, count: number, base: number | null): Uint32Array | null {
    if (base !== null && Math.abs(this.#words[first]) > BASE_REACH) return null;
    const addresses = new Uint32Array(count);
    for (let n = 0; n < count; n++) {
      addresses[n] = this.#words[first + n] + (base ?? 0);
      if (n > 0 && addresses[n] < addresses[n - 1]) return null;
    }
    return addresses[0] >= LOWEST_KERNEL && addresses[count - 1] - addresses[0] < KERNEL_REACH ? addresses : null;
  }

  /** A kernel is in one piece: where its first symbol and the tables are must agree in linear and in physical memory. */
  #mapped(address: number, tokenTable: number): boolean {
    const physical = this.#translate(address);
    return physical !== null && this.#translate((address + tokenTable - physical) >>> 0) === tokenTable;
  }

  #expand({ count, names, tokenTable, tokenIndex, longLengths }: Tables, addresses: Uint32Array): KernelSymbols | null {
    const tokens = Array.from({ length: TOKENS }, (_, n) => this.#text(tokenTable + this.#offset(tokenIndex, n)));
    let text = '',
      at = names;
    for (let n = 0; n < count; n++) {
      const [length, body] = this.#length(at, longLengths);
      at = body + length;
      if (!this.#may(length)) return null;
      for (let token = body; token < at; token++) text += tokens[this.#ram[token]];
      text += '\n';
      if (text.length > MOST_TEXT) return null;
    }
    return { names: text, addresses };
  }

  /** A token; characters that no symbol has, so that lines stay lines, become '?'. */
  #text(at: number): string {
    let text = '';
    for (; this.#ram[at] !== 0; at++) text += this.#ram[at] > 0x20 && this.#ram[at] < 0x7f ? String.fromCharCode(this.#ram[at]) : '?';
    return text;
  }

  /** Whether so much more work may be done. */
  #may(work: number): boolean {
    this.#work -= work;
    return this.#work > 0;
  }
}
