// What is known of one physical page as code under one mode word: pre-decoded records for the interpreter and translated
// regions, both by page offset and independent of the linear address at which the page is mapped.

import { RECORD } from '../translator/forms.ts';
import type { Region } from '../translator/region.ts';

/**
 * A region's function: (entry number, EIP of the page's first byte) -> 0 when EIP is set to where execution goes on, 1 when
 * the instruction at EIP must be interpreted first, SEPARATE when that is so because several accesses were checked together.
 */
export type RegionFunction = (entry: number, codeBase: number) => number;

/** Regions of a page get numbers 1 to 255, their entries 0 to 255: an `entries` word is region << 8 | entry. */
export const MAX_REGIONS = 255;

export interface CodePage {
  /** RAM page of the guest, and where it begins in the arena. */
  readonly page: number;
  readonly arena: number;
  readonly mode: number;
  /** Records, RECORD.WORDS words each, and how many words are used. */
  code: Int32Array;
  used: number;
  /** Offset -> index of its record / RECORD.WORDS + 1; 0 = not decoded. */
  readonly map: Uint16Array;
  /** How often the interpreter arrived at an offset by a jump. */
  readonly arrivals: Uint16Array;
  /** Offset -> region << 8 | entry, 0 = none. */
  readonly entries: Uint16Array;
  /** Region functions by number; [0] is unused. */
  readonly regions: RegionFunction[];
  readonly sources: Region[];
  /** How often a region returned SEPARATE, by number. */
  readonly separations: number[];
  /** Records of instructions that reach into the next page, by offset. */
  readonly crossings: Map<number, Crossing>;
  /** Invalidated: nothing may be added. */
  dead: boolean;
  /** About how much of the host's memory it takes, and when it was last looked up (runtime/codeCache.ts counts both). */
  bytes: number;
  lastUse: number;
}
/** A decoded page-crossing instruction and what it was decoded from. */
export interface Crossing {
  readonly code: Int32Array;
  readonly next: number;
  readonly version: number;
}

export function createCodePage(page: number, arena: number, mode: number): CodePage {
  return {
    page,
    arena,
    mode,
    code: new Int32Array(64 * RECORD.WORDS),
    used: 0,
    map: new Uint16Array(4096),
    arrivals: new Uint16Array(4096),
    entries: new Uint16Array(4096),
    regions: [NO_REGION],
    sources: [],
    separations: [],
    crossings: new Map(),
    dead: false,
    bytes: 0,
    lastUse: 0,
  };
}
const NO_REGION: RegionFunction = () => 1;
