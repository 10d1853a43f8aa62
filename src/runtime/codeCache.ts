// The code cache of one guest: decodes pages on demand, keeps them until their bytes change. A bitmap of decoded bytes per
// page lets writes beside the code pass (a boot sector's stack, a .com file's data). Self-modifying code: SDM volume 3,
// "Handling Self- and Cross-Modifying Code".

import type { Instruction } from '../translator/decode.ts';
import { decodeIn } from '../translator/decode.ts';
import type { Feature } from '../translator/features.ts';
import { PSEUDO, RECORD, writeRecords } from '../translator/forms.ts';
import { callsOf } from '../translator/ir/print.ts';
import type { MemoryModel } from '../translator/ir/value.ts';
import { meaningOps } from '../translator/meaning.ts';
import { S } from '../translator/state.ts';
import { type CodePage, createCodePage } from './codePage.ts';
import type { Engine } from './engine.ts';
import { type GuestMemory, PAGE } from './memory.ts';

/** Longest instruction (SDM volume 2, "Instruction Format"). */
const LONGEST = 15;
/** Invalidations of a page after which only the changed instructions are dropped. */
const OFTEN = 4;
/** Writes to bytes that were code once before the page is decoded afresh. */
const MOST_IDLE = 1000;
/**
 * Arrivals without a change after which an instruction that kept being changed is translated again: interpreting the code
 * behind it has then cost as much as a translation does, about a millisecond. Each change after a recovery doubles the number,
 * since a page has room for few translations.
 */
const CALM = 16_000;
/** Words of records at which a page that is patched in place is decoded afresh. */
const MOST_WORDS = 1 << 16;

/**
 * Most of the host's memory, in bytes, that one guest's code may take. Past it the pages that were looked up least lately are
 * forgotten, until LEFT_BYTES are left: a guest that runs code everywhere in its RAM must not use up the worker's memory.
 */
const MOST_BYTES = 256 << 20,
  LEFT_BYTES = MOST_BYTES / 2;
/** A code page without records. */
const PAGE_BYTES = 25 << 10;

export interface CodeCacheStats {
  pages: number;
  instructions: number;
  invalidations: number;
  invalidatedPages: number;
  /** About how much of the host's memory pages, records and regions take, and pages forgotten because that was too much. */
  bytes: number;
  forgottenPages: number;
}

export interface CodeCache {
  /** Of the guest's processor; absent: all. They never change, so code that has been decoded stays right. */
  readonly features?: ReadonlySet<Feature>;
  readonly stats: CodeCacheStats;
  /** The page's code under the current mode word, created empty when new. */
  find(page: number, mode: number): CodePage;
  /** Decodes from `offset` to the end of the block; returns the index of its first record. */
  decodeBlock(page: CodePage, offset: number, linear: number): number;
  /** Decodes one instruction that crosses, or that cannot be cached; gives its records. */
  decodeOne(linear: number, mode: number): Int32Array;
  /** Number of times the page's code has been invalidated. */
  version(page: number): number;
  /** Whether the instruction at an offset keeps being changed: it is better interpreted. */
  keepsChanging(page: number, offset: number): boolean;
  /** Execution has arrived so many times more at an offset: what has not changed for long counts as settled. */
  arrived(page: number, offset: number, arrivals: number): void;
  /** Marks bytes of a page as code, so that writes to them are noticed. */
  mark(page: number, offset: number, length: number): void;
  /** A page has come to take so many bytes more of the host's memory. */
  charge(page: CodePage, bytes: number): void;
  /** Page offsets at which a breakpoint record is put before the instruction. */
  setBreakpointOffsets(offsets: ReadonlySet<number>): void;
  breakpointOffsets(): ReadonlySet<number>;
  /** Told of every instruction that is decoded: linear address and length; null: nobody. */
  onDecode: ((linear: number, length: number) => void) | null;
  /** Everything decoded and translated so far is forgotten. */
  clear(): void;
}

export function createCodeCache(
  engine: Engine,
  memory: GuestMemory,
  onInvalidated: (page: number, offset: number, size: number) => void,
  features?: ReadonlySet<Feature>,
): CodeCache {
  const byPage: (CodePage[] | undefined)[] = [];
  const bitmaps: (Uint8Array | undefined)[] = [];
  const versions = new Uint32Array(memory.pageState.length);
  /** By offset the instructions that have been changed: arrivals until they count as settled, and where that begins after a change. */
  const patched: (Map<number, { left: number; calm: number }> | undefined)[] = [];
  const idle = new Uint16Array(memory.pageState.length);
  const stats: CodeCacheStats = { pages: 0, instructions: 0, invalidations: 0, invalidatedPages: 0, bytes: 0, forgottenPages: 0 };
  const { u8 } = engine;
  let breakpoints: ReadonlySet<number> = new Set(),
    uses = 0;

  function kill(p: CodePage): void {
    p.dead = true;
    stats.bytes -= p.bytes;
    p.bytes = 0;
    for (let n = 0; n < p.used; n += RECORD.WORDS) p.code[n] = PSEUDO.UNDECODED;
    p.map.fill(0);
    p.entries.fill(0);
    p.crossings.clear();
    // Whoever still holds the page must not keep its functions alive.
    p.regions.length = 1;
    p.sources.length = 0;
    stats.pages--;
    stats.invalidatedPages++;
  }
  function invalidate(page: number): void {
    const pages = byPage[page];
    byPage[page] = undefined;
    bitmaps[page] = undefined;
    versions[page]!++;
    memory.setState(page, PAGE.CODE, false);
    if (pages) for (const p of pages) kill(p);
    engine.onFlush();
  }
  function charge(p: CodePage, bytes: number): void {
    if (p.dead) return;
    p.bytes += bytes;
    stats.bytes += bytes;
    // Only between pages can any be forgotten: makes the next one be looked up.
    if (stats.bytes > MOST_BYTES) engine.onFlush();
  }
  /** Forgets the pages used least lately. */
  function forget(): void {
    const pages = byPage.flatMap((list) => list ?? []).sort((a, b) => a.lastUse - b.lastUse);
    for (const p of pages) {
      if (stats.bytes <= LEFT_BYTES) break;
      const left = byPage[p.page]!.filter((other) => other !== p);
      stats.forgottenPages++;
      if (left.length === 0) {
        patched[p.page] = undefined;
        invalidate(p.page);
      } else {
        byPage[p.page] = left;
        kill(p);
      }
    }
    engine.onFlush();
  }
  /**
   * Drops only the instructions that a write changed, in the records and in the regions that hold them: for pages that are
   * written again and again (a far jump whose operand is patched before each use). True when there were any.
   */
  function dropChanged(page: number, offset: number, size: number): boolean {
    let dropped = false;
    for (const p of byPage[page] ?? []) {
      for (let at = Math.max(0, offset - LONGEST + 1); at < offset + size && at < 4096; at++) {
        const index = p.map[at]!;
        if (index === 0 || endOf(p, (index - 1) * RECORD.WORDS) <= offset) continue;
        p.code[(index - 1) * RECORD.WORDS] = PSEUDO.UNDECODED;
        p.map[at] = 0;
        p.crossings.delete(at);
        const known = patched[page]!.get(at);
        if (!known) patched[page]!.set(at, { left: CALM, calm: CALM });
        else {
          if (known.left <= 0) known.calm *= 2;
          known.left = known.calm;
        }
        p.sources.forEach((region, n) => {
          if (!region.offsets.has(at)) return;
          for (const entry of region.entries) if (entry >= 0 && p.entries[entry]! >> 8 === n + 1) p.entries[entry] = 0;
        });
        dropped = true;
      }
      if (p.used > MOST_WORDS) idle[page] = MOST_IDLE;
    }
    if (!dropped) return false;
    versions[page]!++;
    // A region that is inside one of its sites must look again, too.
    engine.r[S.CODE_EPOCH]!++;
    return true;
  }
  memory.onCodeWrite = (page, offset, size) => {
    const bitmap = bitmaps[page];
    if (!bitmap || !overlaps(bitmap, offset, size)) return;
    stats.invalidations++;
    if (versions[page]! >= OFTEN && byPage[page] !== undefined) {
      patched[page] ??= new Map();
      if (dropChanged(page, offset, size) && idle[page]! < MOST_IDLE) idle[page] = 0;
      // What was code may have become data: then the page's bytes are forgotten after a while.
      else if (++idle[page]! < MOST_IDLE) return;
      else {
        idle[page] = 0;
        invalidate(page);
      }
    } else invalidate(page);
    onInvalidated(page, offset, size);
  };
  function mark(page: number, offset: number, length: number): void {
    let bitmap = bitmaps[page];
    if (!bitmap) {
      bitmaps[page] = bitmap = new Uint8Array(512);
      memory.setState(page, PAGE.CODE, true);
    }
    for (let at = offset; at < offset + length && at < 4096; at++) bitmap[at >> 3]! |= 1 << (at & 7);
  }
  function reserve(p: CodePage, words: number): void {
    if (p.used + words <= p.code.length) return;
    const bigger = new Int32Array(p.code.length * 2);
    bigger.set(p.code);
    charge(p, bigger.byteLength - p.code.byteLength);
    p.code = bigger;
  }
  function pseudo(p: CodePage, form: number, offset: number): void {
    reserve(p, RECORD.WORDS);
    p.code.fill(0, p.used, p.used + RECORD.WORDS);
    p.code[p.used] = form;
    p.code[p.used + RECORD.SELF] = p.code[p.used + RECORD.NEXT] = p.code[p.used + RECORD.IMMEDIATE] = offset;
    p.used += RECORD.WORDS;
  }

  const codeCache: CodeCache = {
    features,
    onDecode: null,
    stats,
    find(page, mode) {
      if (stats.bytes > MOST_BYTES) forget();
      const pages = (byPage[page] ??= []);
      uses++;
      for (const p of pages) {
        if (p.mode !== mode) continue;
        p.lastUse = uses;
        return p;
      }
      const made = createCodePage(page, memory.offset + page * 4096, mode);
      made.lastUse = uses;
      pages.push(made);
      stats.pages++;
      charge(made, PAGE_BYTES);
      return made;
    },
    decodeBlock(p, offset, linear) {
      const arena = p.arena;
      const byte = (at: number): number => (at < 4096 ? u8[arena + at]! : engine.fetchByte((linear + at) | 0));
      // The block before ended in "nothing decoded here" for this very offset: go on in its place.
      const last = p.used - RECORD.WORDS;
      if (last >= 0 && p.code[last] === PSEUDO.UNDECODED && p.code[last + RECORD.SELF] === offset) p.used = last;
      const first = p.used;
      for (let at = offset; ; ) {
        if (at >= 4096 || (p.map[at] !== 0 && at !== offset)) {
          pseudo(p, PSEUDO.LINK, at);
          return first;
        }
        if (at > 4096 - LONGEST && at !== offset) {
          // Near the page's end a fetch may fault; that must wait until the instruction is really next.
          pseudo(p, PSEUDO.UNDECODED, at);
          return first;
        }
        const i = decodeIn(byte, at, p.mode, features);
        p.map[at] = p.used / RECORD.WORDS + 1;
        if (breakpoints.has(at)) pseudo(p, PSEUDO.BREAKPOINT, at);
        if (at + i.length > 4096) {
          mark(p.page, at, 4096 - at);
          pseudo(p, PSEUDO.CROSSING, at);
          return first;
        }
        reserve(p, 2 * RECORD.WORDS);
        mark(p.page, at, i.length);
        p.used = writeRecords(i, p.mode, p.code, p.used);
        stats.instructions++;
        codeCache.onDecode?.((linear + at) >>> 0, i.length);
        at += i.length;
        if (endsBlock(i)) {
          pseudo(p, PSEUDO.UNDECODED, at);
          return first;
        }
      }
    },
    decodeOne(linear, mode) {
      const at = linear & 0xfff,
        page = linear & ~0xfff;
      const i = decodeIn((n) => engine.fetchByte((page + n) | 0), at, mode, features);
      codeCache.onDecode?.(linear >>> 0, i.length);
      const code = new Int32Array(3 * RECORD.WORDS),
        end = writeRecords(i, mode, code, 0);
      code[end] = PSEUDO.UNDECODED;
      code[end + RECORD.SELF] = code[end + RECORD.NEXT] = at + i.length;
      return code;
    },
    version: (page) => versions[page]!,
    keepsChanging: (page, offset) => (patched[page]?.get(offset)?.left ?? 0) > 0,
    arrived(page, offset, arrivals) {
      const known = patched[page]?.get(offset);
      if (known) known.left -= arrivals;
    },
    mark,
    charge,
    setBreakpointOffsets(offsets) {
      const before = breakpoints;
      breakpoints = offsets;
      const changed = [...before].filter((o) => !offsets.has(o)).concat([...offsets].filter((o) => !before.has(o)));
      byPage.forEach((pages, page) => {
        if (pages?.some((p) => changed.some((o) => p.map[o] !== 0))) invalidate(page);
      });
    },
    breakpointOffsets: () => breakpoints,
    clear() {
      patched.length = 0;
      byPage.forEach((pages, page) => {
        if (pages) invalidate(page);
      });
    },
  };
  return codeCache;
}

function overlaps(bitmap: Uint8Array, offset: number, size: number): boolean {
  for (let at = offset; at < offset + size && at < 4096; at++) if ((bitmap[at >> 3]! & (1 << (at & 7))) !== 0) return true;
  return false;
}
/** Page offset after the instruction whose first record is at `p`. */
function endOf({ code }: CodePage, p: number): number {
  while (code[p] === PSEUDO.BREAKPOINT) p += RECORD.WORDS;
  return code[p] === PSEUDO.CROSSING ? 4096 : code[p + RECORD.NEXT]!;
}

/** Where the fewest instructions need a call. */
const FLAT: MemoryModel = { flat: () => true, stackMask: -1 };
/** Whether decoding stops after it: whatever may go elsewhere is decoded on only when it has fallen through. */
function endsBlock(i: Instruction): boolean {
  let known = blockEnds.get(i.row.id);
  if (known === undefined) {
    const ops = meaningOps(i, FLAT);
    blockEnds.set(i.row.id, (known = callsOf(ops).ends || ops.some((v) => v.op === 'jump' || v.op === 'branch' || v.op === 'raise')));
  }
  return known;
}
const blockEnds = new Map<number, boolean>();
