// When and how hot code becomes JavaScript: asks the translator for a region around a hot offset of a code page, compiles it
// and enters it in the page's table.

import { translateRegion } from '../translator/region.ts';
import type { CodeCache } from './codeCache.ts';
import { type CodePage, MAX_REGIONS, type RegionFunction } from './codePage.ts';
import type { TierPolicy } from './executor.ts';
import type { GeneratedCodeScope } from './scope.ts';
import { type SiteRunner, siteRecords } from './sites.ts';

/**
 * Arrivals at an offset before it is translated. Compiling a region and its first cold runs cost about a millisecond, some
 * 80,000 interpreted instructions; a loop of a dozen instructions has run as many after this number.
 */
const HOT = 1000;

/**
 * Times that a region has left for no other reason than that it checks accesses together, after which it is translated without.
 * Each costs the interpretation of what is left of the way, about a microsecond; the translation about as much as all of them.
 */
const SEPARATIONS = 1000;

/**
 * Regions of at most this many blocks are taken into a larger one that reaches them: an outer loop takes in its inner one. But
 * one with sites, which loads and stores all its variables around them, leaves those without alone: fib took 97 ms in the
 * region of the loop around it, which reads a port, and 77 by itself.
 */
const SMALL = 12;
function staysForItself(page: CodePage, offset: number, withSites: boolean): boolean {
  const entry = page.entries[offset]!;
  if (entry === 0) return false;
  const { blocks, sites } = page.sources[(entry >> 8) - 1]!;
  return blocks > SMALL || (withSites && sites.length === 0);
}

/** Arrivals that make an offset a likely target of an indirect jump. */
const OFTEN = 16;
function oftenArrivedAt({ arrivals }: CodePage): number[] {
  const offsets: number[] = [];
  for (let at = 0; at < 4096; at++) if (arrivals[at]! >= OFTEN) offsets.push(at);
  return offsets.sort((a, b) => arrivals[b]! - arrivals[a]!);
}

/**
 * About how many bytes V8 keeps for a character of emitted text: syntax, bytecode, feedback, machine code. Measured: 11 after a whole
 * Debian has booted, most of whose regions are never optimised, 27 where all are. With 32 the cache forgot 10,504 pages during that
 * boot, which took 100 s; with 12 it forgets 3,316 and takes 72.
 */
const BYTES_PER_CHARACTER = 12;

export type Tier = 'mixed' | 'interpret' | 'translate';
const THRESHOLD: { readonly [T in Tier]: number } = { mixed: HOT, translate: 1, interpret: 0x10000 };

export interface Translation extends TierPolicy {
  tier: Tier;
  /** Takes another guest's cache. */
  use(cache: CodeCache): void;
  readonly stats: { regions: number; regionBlocks: number; sourceBytes: number; refused: number };
}

export function createTranslation(scope: GeneratedCodeScope, u8: Uint8Array, runSite: SiteRunner): Translation {
  const stats = { regions: 0, regionBlocks: 0, sourceBytes: 0, refused: 0 };
  let serial = 0,
    tier: Tier = 'mixed',
    cache: CodeCache;
  const policy: Translation = {
    stats,
    get tier() {
      return tier;
    },
    set tier(value) {
      tier = value;
      policy.threshold = THRESHOLD[value];
    },
    use(next) {
      cache = next;
    },
    threshold: HOT,
    translate(page, offset) {
      cache.arrived(page.page, offset, policy.threshold);
      if (cache.keepsChanging(page.page, offset)) stats.refused++;
      else translate(page, offset, false);
    },
    separate(page, number) {
      const count = (page.separations[number] ?? 0) + 1;
      page.separations[number] = count;
      // Where there is no room for another region, one that leaves is better than none.
      if (count !== SEPARATIONS || page.sources.length >= MAX_REGIONS) return;
      const { entries } = page.sources[number - 1]!;
      for (const at of entries) if (at >= 0 && page.entries[at]! >> 8 === number) page.entries[at] = 0;
      translate(page, entries[0]!, true);
    },
  };
  function translate(page: CodePage, offset: number, separate: boolean): void {
    if (page.dead || page.sources.length >= MAX_REGIONS) return;
    const region = translateRegion({
      byte: (at) => u8[page.arena + at]!,
      mode: page.mode,
      features: cache.features,
      entry: offset,
      executed: (at) => page.map[at] !== 0 && !cache.keepsChanging(page.page, at),
      arrivals: () => oftenArrivedAt(page),
      taken: (at, withSites) => staysForItself(page, at, withSites),
      breakpoints: cache.breakpointOffsets(),
      separate,
    });
    if (!region) {
      stats.refused++;
      return;
    }
    install(page, region);
  }
  function install(page: CodePage, region: NonNullable<ReturnType<typeof translateRegion>>): void {
    const number = page.sources.length + 1;
    // The unique name also keeps V8 from sharing one function literal between closures, which stops it folding constants.
    const name = `//# sourceURL=cp86/page-${page.page.toString(16)}-${page.mode.toString(16)}-${++serial}`;
    const make = new Function('E', 'P', 'M', 'C', 'X', `${region.source}\n${name}`) as (
      scope: GeneratedCodeScope,
      entries: Uint16Array,
      number: number,
      records: Int32Array,
      run: SiteRunner,
    ) => RegionFunction;
    page.regions[number] = make(scope, page.entries, number << 8, siteRecords(region.sites, page.mode), runSite);
    page.sources.push(region);
    cache.charge(page, region.source.length * BYTES_PER_CHARACTER);
    region.entries.forEach((at, n) => {
      if (at >= 0 && !staysForItself(page, at, region.sites.length > 0)) page.entries[at] = (number << 8) | n;
    });
    stats.regions++;
    stats.regionBlocks += region.blocks;
    stats.sourceBytes += region.source.length;
  }
  return policy;
}
