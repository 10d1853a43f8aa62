// Fills a target's source map and symbols from the files that explain its code: listings and ELF symbol tables.

import { readElfSymbols } from '../../src/vmm/boot/symbols.ts';
import { ROM_SYMBOLS } from '../../src/vmm/firmware/symbols.ts';
import { messageOf } from './fields.ts';
import { type GuestPlan, isElf, type ReadFile, readNamed } from './guestConfig.ts';
import { kernelImage } from './kernelSymbols.ts';
import type { CommonArguments, ListingFile } from './launchArguments.ts';
import { type Listing, parseListing, placeSections } from './listing.ts';
import { hex32, wrap } from './memory.ts';
import { baseName, withExtension } from './paths.ts';
import type { Target } from './target.ts';

/** What was found, for the modules view. */
export interface Explanation {
  readonly path: string;
  readonly about: string;
  readonly symbols: boolean;
}

/** Stale lines named in one warning. */
const STALE_SHOWN = 3;

/**
 * Loads symbols and listings. Unreadable files that the user named are errors; everything doubtful is told through `warn`.
 * @param plan the guest's program, absent when attached.
 * @param comBase linear address of a .com program's first byte.
 */
export async function explain(
  target: Target,
  args: CommonArguments,
  plan: GuestPlan | undefined,
  comBase: number | undefined,
  readFile: ReadFile,
  warn: (text: string) => void,
): Promise<Explanation[]> {
  const found: Explanation[] = [];
  const kernel = plan?.config.boot.kind === 'kernel' ? plan.config.boot.image : undefined;
  const image = plan ? kernel : args.program === undefined ? undefined : await readNamed(readFile, 'program', args.program);
  const { symbols } = args;
  // Files with debug information are large: only what is needed of them is read.
  const readElf =
    symbols !== undefined
      ? (offset: number, length: number) => readNamed(readFile, 'symbols', symbols, length, offset)
      : image && isElf(image)
        ? async (offset: number, length: number) => image.subarray(offset, offset + length)
        : undefined;
  if (readElf) {
    try {
      const all = await readElfSymbols(readElf);
      const kernelSymbols = kernelImage(all);
      if (kernelSymbols) target.kernelImage = kernelSymbols;
      else for (const { name, address, size, kind } of all) target.symbols.add(name, address, size, kind === 'function');
    } catch (error) {
      if (args.symbols !== undefined) throw new Error(`symbols: ${args.symbols}: ${messageOf(error)}`);
      warn(`The symbols of ${args.program ?? 'the kernel'} cannot be read: ${messageOf(error)}`);
    }
    found.push({
      path: args.symbols ?? args.program ?? args.name,
      about: `${target.symbols.size + target.symbols.kernelSize} symbols`,
      symbols: target.symbols.size + target.symbols.kernelSize > 0,
    });
  } else if (args.program !== undefined) found.push({ path: args.program, about: 'no symbol table', symbols: false });
  for (const [n, file] of (await listingFiles(args, readFile)).entries()) {
    const bytes = await readNamed(readFile, 'listing', file.file);
    let listing: Listing;
    try {
      listing = parseListing(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new Error(`listing: ${file.file}: ${messageOf(error)}`);
    }
    const source = file.source ?? withExtension(file.file, '.asm');
    const flat = n === 0 ? plan?.image : undefined;
    const base = file.address ?? (n === 0 ? (comBase ?? plan?.address) : undefined) ?? (readElf ? undefined : listing.org);
    const places = base === undefined ? placesBySymbols(listing, target) : placesByAddress(listing, base, flat);
    if (places.size === 0) {
      warn(`listing: where the code of ${baseName(file.file)} is in memory is not known; give it as { "file": ..., "address": ... }.`);
      continue;
    }
    target.sources.add(listing, places, source);
    for (const label of listing.labels) {
      const address = places.get(label.section)?.[0];
      if (address !== undefined) target.symbols.add(label.name, wrap(address + label.offset));
    }
    await checkSource(listing, source, readFile, warn);
    const at = places.values().next().value?.[0];
    found.push({
      path: file.file,
      about: `listing of ${baseName(source)}${at === undefined ? '' : ` at ${hex32(at)}`}`,
      symbols: listing.labels.length > 0,
    });
  }
  // Last, so that the guest's own names come first.
  for (const { name, address, size } of ROM_SYMBOLS) target.symbols.add(name, address, size);
  return found;
}

async function listingFiles(args: CommonArguments, readFile: ReadFile): Promise<readonly ListingFile[]> {
  if (args.listings.length > 0 || args.program === undefined) return args.listings;
  const file = withExtension(args.program, '.lst');
  try {
    const text = new TextDecoder().decode(await readFile(file));
    parseListing(text);
    return [{ file }];
  } catch {
    // Nothing was asked for: another kind of file may have that name, or none.
    return [];
  }
}

function placesByAddress(listing: Listing, base: number, image: Uint8Array | undefined): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [name, offset] of placeSections(listing, image)) {
    const vstart = listing.sections.find((section) => section.name === name)?.vstart;
    const moved = vstart === undefined ? [] : [wrap(base - (listing.org ?? 0) + vstart)];
    places.set(name, [...new Set([...moved, wrap(base + offset)])]);
  }
  return places;
}

/** For code that was linked: a section is where the symbols say that its labels are. */
function placesBySymbols(listing: Listing, target: Target): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const label of listing.labels) {
    const symbol = target.symbols.find(label.name);
    if (symbol && !places.has(label.section)) places.set(label.section, [wrap(symbol.address - label.offset)]);
  }
  return places;
}

/** Says so when the source is not the one that was listed. */
async function checkSource(listing: Listing, source: string, readFile: ReadFile, warn: (text: string) => void): Promise<void> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readFile(source));
  } catch {
    warn(`The source ${source} of the listing cannot be read; give its path as source.`);
    return;
  }
  const lines = text.split(/\r?\n/);
  const plain = (line: string): string => line.replace(/\s+/g, ' ').trim();
  const stale = [...listing.texts].filter(([number, listed]) => plain(lines[number - 1] ?? '') !== plain(listed)).map(([number]) => number);
  if (stale.length > 0)
    warn(
      `${baseName(source)} differs from its listing at line ${stale.slice(0, STALE_SHOWN).join(', ')}${stale.length > STALE_SHOWN ? '...' : ''}: assemble it again, or lines and breakpoints will be off.`,
    );
}
