// Reads the listing file of NASM (`nasm -l`; NASM manual, "The -l Option: Generating a Listing File"): which source line put
// which bytes at which offset of which section. Columns: line number in its file, offset, bytes as hexadecimal text, nesting
// level of macros and includes as <n>, source text. Bytes wider than the column go on in rows that end with '-' before;
// [] and () hold bytes that relocation changes, <rep nh>, <bin nh>, <res nh> stand for repeated, included and reserved ones.

import { parseNumber } from './fields.ts';

/** Consecutive bytes that one source line emitted. */
export interface Piece {
  readonly section: string;
  readonly offset: number;
  /** Bytes occupied, also those not spelled out. */
  readonly length: number;
  /** The first bytes as spelled out; -1 where relocation decides. */
  readonly bytes: readonly number[];
  /** '' for the file that was assembled, else the name in %include. */
  readonly file: string;
  /** Line of that file; for macro expansions the line of the outermost invocation. */
  readonly line: number;
  /** Line of the macro's body in the same numbering, 0 outside macros. */
  readonly bodyLine: number;
  /** Text of the body line, to tell in which file the macro was written. */
  readonly text: string;
  /** BITS in force, 0 before the first such directive. */
  readonly bits: 0 | 16 | 32;
}
export interface Label {
  readonly name: string;
  readonly section: string;
  readonly offset: number;
}
export interface Section {
  readonly name: string;
  readonly length: number;
  /** false: reserves space only, nothing of it is in the file. */
  readonly stored: boolean;
  readonly align: number;
  readonly start?: number;
  readonly vstart?: number;
}
export interface Listing {
  readonly pieces: readonly Piece[];
  readonly labels: readonly Label[];
  /** In order of appearance. */
  readonly sections: readonly Section[];
  readonly org?: number;
  /** Text of the lines of the assembled file, by line number. */
  readonly texts: ReadonlyMap<number, string>;
}

const MAX_TEXT = 16 << 20;
const ROW =
  /^ *(\d{1,9}) (?:([0-9A-F]{8,16}) ((?:[0-9A-F]{2}|\?\?|[[\]()]|<[a-z]+(?: [0-9A-F]{1,8}h)?>)+-?))?\s*(?:<(\d{1,2})>(?: |$))?(.*)$/s;
const SECTION = /^\[?\s*(?:section|segment)\s+([^\s\];]+)([^\];]*)/i;
const LABEL = /^([A-Za-z_?.@$][\w?.@$#~]*)\s*(?::|(?=\s(?:d[bwdqt]|res[bwdqt]|times|incbin)\b))\s*(.*)$/i;

interface SectionState {
  name: string;
  length: number;
  stored: boolean;
  align: number;
  start?: number;
  vstart?: number;
}
interface Context {
  file: string;
  line: number;
  text: string;
  include: boolean;
}
interface OpenPiece {
  section: SectionState;
  offset: number;
  bytes: number[];
  length: number;
  open: boolean;
  fields: Omit<Piece, 'section' | 'offset' | 'length' | 'bytes'>;
}

/** Parses a listing. Throws when the text is no NASM listing (no row with code in it); rows in other forms are skipped. */
export function parseListing(text: string): Listing {
  if (text.length > MAX_TEXT) throw new Error(`the listing is larger than ${MAX_TEXT >> 20} MiB`);
  const reader = new ListingReader();
  for (const row of text.split(/\r?\n/)) reader.row(row);
  return reader.finish();
}

class ListingReader {
  readonly #done: OpenPiece[] = [];
  readonly #labels: Label[] = [];
  readonly #sections = new Map<string, SectionState>();
  readonly #texts = new Map<number, string>();
  readonly #contexts: Context[] = [];
  #section = this.#enter('.text', '');
  #resume = this.#section;
  #absolute = false;
  #bits: 0 | 16 | 32 = 0;
  #org: number | undefined;
  #macroDepth = 0;
  #global = '';
  #waiting: string[] = [];
  #open: OpenPiece | undefined;

  row(text: string): void {
    const match = ROW.exec(text);
    if (!match) return;
    const [, number = '', offset, data, level, rest = ''] = match;
    const line = Number(number);
    const at = offset === undefined ? undefined : Number.parseInt(offset, 16);
    if (this.#open?.open && data !== undefined) return this.#bytes(data);
    this.#open = undefined;
    const source = rest.trim();
    if (/^\*{8,}/.test(source)) return;
    const context = this.#place(line, level === undefined ? 0 : Number(level), source);
    if (!context) return;
    this.#directive(source);
    if (at !== undefined && data !== undefined && !this.#absolute && at <= 0xffffffff) {
      for (const name of this.#waiting) this.#labels.push({ name, section: this.#section.name, offset: at });
      this.#waiting = [];
      const inMacro = context.line !== line || context.file !== (this.#contexts[Number(level ?? 0)]?.file ?? '');
      this.#open = {
        section: this.#section,
        offset: at,
        bytes: [],
        length: 0,
        open: true,
        fields: { file: context.file, line: context.line, bodyLine: inMacro ? line : 0, text: source, bits: this.#bits },
      };
      this.#done.push(this.#open);
      this.#bytes(data);
    }
  }

  finish(): Listing {
    if (this.#done.length === 0) throw new Error('this is no NASM listing: no row has an offset and bytes (make one with nasm -l FILE)');
    this.#closeOldForms();
    return {
      pieces: this.#done
        .filter((piece) => piece.length > 0)
        .map((piece) => ({ section: piece.section.name, offset: piece.offset, length: piece.length, bytes: piece.bytes, ...piece.fields })),
      labels: this.#labels,
      sections: [...this.#sections.values()].filter((section) => section.length > 0),
      org: this.#org,
      texts: this.#texts,
    };
  }

  /** Where a row belongs: includes have a file of their own, expansions count for the line that invoked them. */
  #place(line: number, level: number, source: string): Context | undefined {
    const parent = this.#contexts[level - 1];
    if (level > 0 && !parent) return undefined;
    let context: Context;
    if (!parent) {
      context = { file: '', line, text: source, include: true };
      if (!this.#texts.has(line)) this.#texts.set(line, source);
    } else {
      const included = /^%\s*include\s+["'`]([^"'`]+)["'`]/i.exec(parent.text)?.[1];
      if (included !== undefined && parent.include) context = { file: included, line, text: source, include: true };
      // The body of %rep is written in place: its lines count for themselves.
      else if (/^%\s*endrep\b/i.test(parent.text) && parent.include) context = { file: parent.file, line, text: source, include: false };
      else context = { file: parent.file, line: parent.line, text: source, include: false };
    }
    this.#contexts.length = level;
    this.#contexts[level] = context;
    return context;
  }

  #directive(source: string): void {
    const code = source.replace(/;.*$/, '').trim();
    if (/^%\s*[ir]?macro\b/i.test(code)) this.#macroDepth++;
    else if (/^%\s*endm(acro)?\b/i.test(code)) this.#macroDepth = Math.max(0, this.#macroDepth - 1);
    if (this.#macroDepth > 0 || code === '') return;
    const section = SECTION.exec(code);
    if (section?.[1]) {
      this.#flushLabels();
      this.#section = this.#enter(section[1], section[2] ?? '');
      this.#absolute = false;
      return;
    }
    if (/^\[?\s*absolute\b/i.test(code) || /^struc\b/i.test(code)) {
      this.#resume = this.#section;
      this.#absolute = true;
      return;
    }
    if (/^endstruc\b/i.test(code)) {
      this.#section = this.#resume;
      this.#absolute = false;
      return;
    }
    const bits = /^\[?\s*(?:bits\s+|use)(16|32)\b/i.exec(code)?.[1];
    if (bits) this.#bits = bits === '16' ? 16 : 32;
    const org = parseNumber(/^\[?\s*org\s+([^\s\]]+)/i.exec(code)?.[1] ?? '');
    if (org >= 0) this.#org ??= org;
    if (!this.#absolute) this.#label(code);
  }

  #label(code: string): void {
    const match = LABEL.exec(code);
    const name = match?.[1];
    if (!name || /^equ\b/i.test(match[2] ?? '')) return;
    if (!name.startsWith('.')) this.#global = name;
    this.#waiting.push(name.startsWith('.') && !name.startsWith('..') ? this.#global + name : name);
  }

  #enter(name: string, attributes: string): SectionState {
    const attribute = (key: string): number | undefined => {
      const value = parseNumber(new RegExp(`\\b${key}\\s*=\\s*([0-9a-fx]+h?)`, 'i').exec(attributes)?.[1] ?? '');
      return value >= 0 && value <= 0xffffffff ? value : undefined;
    };
    const found = this.#sections.get(name);
    if (found) return found;
    const state: SectionState = {
      name,
      length: 0,
      stored: false,
      align: attribute('align') || (name === '.text' ? 1 : 4),
      start: attribute('start'),
      vstart: attribute('vstart'),
    };
    this.#sections.set(name, state);
    return state;
  }

  #bytes(data: string): void {
    const piece = this.#open;
    if (!piece) return;
    let relocated = 0;
    for (const [item] of data.matchAll(/[0-9A-F]{2}|\?\?|[[\]()]|<[^>]*>/g)) {
      if (item === '[' || item === '(') relocated++;
      else if (item === ']' || item === ')') relocated--;
      else if (!item.startsWith('<')) {
        piece.bytes.push(relocated > 0 || item === '??' ? -1 : Number.parseInt(item, 16));
        piece.length++;
        piece.section.stored ||= item !== '??';
      } else {
        const count = Number.parseInt(/ ([0-9A-F]+)h/.exec(item)?.[1] ?? '', 16);
        // Older versions print <rept> and <incbin> without a count: -1 until the next offset is known.
        piece.length = Number.isNaN(count) ? -1 : item.startsWith('<rep') ? piece.length * count : piece.length + count;
        piece.section.stored ||= !item.startsWith('<res');
      }
    }
    piece.open = data.endsWith('-');
    if (piece.length > 0) piece.section.length = Math.max(piece.section.length, piece.offset + piece.length);
  }

  #closeOldForms(): void {
    const next = new Map<string, number>();
    for (const piece of this.#done.toReversed()) {
      const { section, offset } = piece;
      if (piece.length < 0) piece.length = Math.max(piece.bytes.length, (next.get(section.name) ?? offset + 1) - offset);
      section.length = Math.max(section.length, offset + piece.length);
      next.set(section.name, offset);
    }
    this.#flushLabels();
  }

  /** Labels that still wait for bytes stand at the end of the section. */
  #flushLabels(): void {
    for (const name of this.#waiting) this.#labels.push({ name, section: this.#section.name, offset: this.#section.length });
    this.#waiting = [];
  }
}

/** true when memory holds what the listing says; bytes that relocation changes match anything. */
export function matches(piece: Piece, memory: Uint8Array): boolean {
  return memory.length >= piece.bytes.length && piece.bytes.every((byte, n) => byte < 0 || byte === memory[n]);
}

/**
 * Offset of each stored section in a flat binary (NASM manual, "Multisection Support for the bin Format"): .text first, the
 * others after it in order of appearance, aligned. Where the image disagrees, the only place that matches is taken.
 */
export function placeSections(listing: Listing, image: Uint8Array | undefined): Map<string, number> {
  const stored = listing.sections.filter((section) => section.stored);
  const ordered = [...stored.filter((section) => section.name === '.text'), ...stored.filter((section) => section.name !== '.text')];
  const places = new Map<string, number>();
  let end = 0;
  for (const section of ordered) {
    const align = Math.max(1, section.align);
    let place = section.start !== undefined ? section.start - (listing.org ?? 0) : Math.ceil(end / align) * align;
    if (image && !matchesAt(listing, section.name, image, place)) place = searchSection(listing, section.name, image) ?? place;
    places.set(section.name, place);
    end = place + section.length;
  }
  for (const section of listing.sections) {
    if (section.stored) continue;
    places.set(section.name, Math.ceil(end / section.align) * section.align);
    end = Math.ceil(end / section.align) * section.align + section.length;
  }
  return places;
}

function matchesAt(listing: Listing, section: string, image: Uint8Array, place: number): boolean {
  return listing.pieces.every(
    (piece) => piece.section !== section || matches(piece, image.subarray(place + piece.offset, place + piece.offset + piece.bytes.length)),
  );
}

/** The only place of a section in an image, judged by its first bytes; undefined when there is none or more than one. */
function searchSection(listing: Listing, section: string, image: Uint8Array): number | undefined {
  const first = listing.pieces.find((piece) => piece.section === section && piece.bytes.length > 0 && (piece.bytes[0] ?? -1) >= 0);
  if (!first) return undefined;
  let found: number | undefined;
  let tries = 0;
  for (let at = image.indexOf(first.bytes[0] ?? 0); at >= 0 && tries < 100_000; at = image.indexOf(first.bytes[0] ?? 0, at + 1)) {
    tries++;
    if (!matches(first, image.subarray(at, at + first.bytes.length)) || !matchesAt(listing, section, image, at - first.offset)) continue;
    if (found !== undefined) return undefined;
    found = at - first.offset;
  }
  return found;
}
