// Source lines and linear addresses of a guest's assembly code, from any number of placed listings.

import type { Listing, Piece } from './listing.ts';
import { baseName, beside, normalizePath } from './paths.ts';
import { firstAbove } from './symbolTable.ts';

/** A piece of a listing where it is (or will be) in linear memory. */
export interface PlacedPiece {
  readonly address: number;
  readonly path: string;
  readonly piece: Piece;
}

/** Lines searched below a line without code for one that has some. */
const MOVE_LIMIT = 50;

export class SourceMap {
  readonly #byFile = new Map<string, { path: string; byLine: Map<number, PlacedPiece[]>; byBody: Map<number, PlacedPiece[]> }>();
  #sorted: PlacedPiece[] = [];

  /**
   * Adds a listing.
   * @param places linear address of each section's first byte, several when it is in memory twice; sections not in it are left out.
   * @param source path of the assembled file; included files are looked for beside it.
   */
  add(listing: Listing, places: ReadonlyMap<string, readonly number[]>, source: string): void {
    const body: [number, string, PlacedPiece][] = [];
    for (const piece of listing.pieces) {
      for (const base of places.get(piece.section) ?? []) {
        const path = piece.file === '' ? source : beside(source, piece.file);
        const placed: PlacedPiece = { address: (base + piece.offset) >>> 0, path, piece };
        this.#sorted.push(placed);
        const file = this.#file(path);
        push(file.byLine, piece.line, placed);
        if (piece.bodyLine > 0) body.push([piece.bodyLine, piece.text, placed]);
      }
    }
    // A macro's body line belongs to the assembled file when that line reads the same there.
    for (const [line, text, placed] of body) if (listing.texts.get(line) === text) push(this.#file(source).byBody, line, placed);
    this.#sorted.sort((a, b) => a.address - b.address);
  }

  clear(): void {
    this.#byFile.clear();
    this.#sorted = [];
  }

  /** Paths of all sources. */
  paths(): string[] {
    return [...this.#byFile.values()].map((file) => file.path);
  }

  /** The pieces that cover an address; more than one when listings overlap. */
  at(address: number): PlacedPiece[] {
    const sorted = this.#sorted;
    const low = firstAbove(sorted, address);
    const found: PlacedPiece[] = [];
    // Pieces are short, but a padding line may cover much: look back over a few in case two listings interleave.
    for (let n = low - 1; n >= Math.max(0, low - 64) && found.length < 4; n--) {
      const placed = sorted[n];
      if (placed && address < placed.address + placed.piece.length) found.push(placed);
    }
    return found;
  }

  /** Addresses within [first, end) where a line's bytes begin, ascending. */
  between(first: number, end: number): number[] {
    return this.#sorted.slice(firstAbove(this.#sorted, first - 1), firstAbove(this.#sorted, end - 1)).map((placed) => placed.address);
  }

  /** true when a source of this path is known. */
  has(path: string): boolean {
    return this.#byFile.has(normalizePath(path));
  }

  /**
   * The code of a line: the first piece at each place it was emitted to (a macro's body line has one for each expansion), and
   * the line it was found on, which may be below. Empty when there is none.
   */
  code(path: string, line: number): { line: number; pieces: PlacedPiece[] } {
    const file = this.#byFile.get(normalizePath(path));
    for (let at = line; file && at <= line + MOVE_LIMIT; at++) {
      const pieces = file.byLine.get(at);
      if (pieces) return { line: at, pieces: starts(pieces) };
      const expanded = file.byBody.get(at);
      if (expanded) return { line: at, pieces: expanded };
    }
    return { line, pieces: [] };
  }

  /** Lines of a source within [first, last] that have code. */
  lines(path: string, first: number, last: number): number[] {
    const file = this.#byFile.get(normalizePath(path));
    const lines = new Set([...(file?.byLine.keys() ?? []), ...(file?.byBody.keys() ?? [])].filter((line) => line >= first && line <= last));
    return [...lines].sort((a, b) => a - b);
  }

  /** First address and end of what one line emitted in one go around `placed`: all of a macro's expansion. */
  extent(placed: PlacedPiece): { first: number; end: number } {
    let first = placed.address;
    let end = placed.address + placed.piece.length;
    const belongs = (other: PlacedPiece | undefined): other is PlacedPiece =>
      other !== undefined && other.piece.bodyLine > 0 && other.piece.line === placed.piece.line && other.path === placed.path;
    if (placed.piece.bodyLine > 0) {
      const here = this.#sorted.indexOf(placed);
      for (
        let n = here - 1, other = this.#sorted[n];
        belongs(other) && other.address + other.piece.length === first;
        other = this.#sorted[--n]
      )
        first = other.address;
      for (let n = here + 1, other = this.#sorted[n]; belongs(other) && other.address === end; other = this.#sorted[++n])
        end += other.piece.length;
    }
    return { first, end };
  }

  #file(path: string): { path: string; byLine: Map<number, PlacedPiece[]>; byBody: Map<number, PlacedPiece[]> } {
    const key = normalizePath(path);
    let file = this.#byFile.get(key);
    if (!file) this.#byFile.set(key, (file = { path, byLine: new Map(), byBody: new Map() }));
    return file;
  }
}

/** A DAP source for a path. */
export function sourceOf(path: string): { name: string; path: string } {
  return { name: baseName(path), path };
}

function push(map: Map<number, PlacedPiece[]>, line: number, placed: PlacedPiece): void {
  const list = map.get(line);
  if (list) list.push(placed);
  else map.set(line, [placed]);
}

/** Without the pieces of macro expansions that only continue the one before them. */
function starts(pieces: readonly PlacedPiece[]): PlacedPiece[] {
  const ends = new Set(pieces.map((placed) => placed.address + placed.piece.length));
  const found = pieces.filter((placed) => placed.piece.bodyLine === 0 || !ends.has(placed.address));
  return found.length > 0 ? found : [...pieces];
}
