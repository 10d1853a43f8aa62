// qcow2 images, read and written ("QCOW2 image format", sections "Host cluster management" and "Cluster mapping"). A guest
// address leads through the L1 and an L2 table to a cluster of the file, to compressed bytes, to zeros, or to the backing
// file. Left out on purpose: writing to images with internal snapshots, so that a cluster of data has one owner.

import { type Block, BlockError, checkRange, hex } from './block.ts';
import { inflate } from './inflate.ts';
import { type Qcow2Header, readHeader } from './qcow2Header.ts';
import { Refcounts } from './qcow2Refcounts.ts';

/** Bits of table entries; offsets are in bits 9 to 55. */
const OFFSET_HIGH = 0x00ffffff,
  OFFSET_LOW = 0xfffffe00;
const COPIED = 0x80000000,
  COMPRESSED = 0x40000000,
  ZERO = 1;
const SECTOR = 512;
/** Bytes of L2 tables, and decompressed clusters, that are kept. */
const TABLE_CACHE = 16 << 20,
  CLUSTER_CACHE = 4;

/** An L2 entry: where a cluster's bytes are. */
type Place =
  | { readonly kind: 'file'; readonly offset: number }
  | { readonly kind: 'compressed'; readonly offset: number; readonly length: number }
  | { readonly kind: 'zero' /** An allocated cluster behind the zeros, or 0. */; readonly offset: number }
  | { readonly kind: 'backing' };

export class Qcow2 implements Block {
  readonly header: Qcow2Header;
  readonly #name: string;
  readonly #file: Block;
  readonly #backing: Block | null;
  readonly #cluster: number;
  /** log2 of an L2 table's entries. */
  readonly #l2Bits: number;
  readonly #l1: DataView;
  readonly #tables = new Map<number, DataView>();
  readonly #inflated = new Map<number, Uint8Array>();
  #refcounts: Refcounts | null = null;

  /** `openBacking` gets the name and the format in the header. `name` goes into messages. */
  constructor(name: string, file: Block, openBacking: (name: string, format: string | undefined) => Block) {
    this.#name = name;
    this.#file = file;
    this.header = readHeader(name, file);
    const { clusterBits, l1, backing } = this.header;
    this.#cluster = 2 ** clusterBits;
    this.#l2Bits = clusterBits - 3;
    const table = file.read(l1.offset, l1.entries * 8);
    this.#l1 = new DataView(table.buffer, table.byteOffset, table.length);
    this.#backing = backing === null ? null : openBacking(backing.name, backing.format);
  }

  get size(): number {
    return this.header.size;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.#name, offset, length, this.size);
    const bytes = new Uint8Array(length);
    this.#pieces(offset, length, (cluster, within, at, count) => this.#readPiece(cluster, within, bytes.subarray(at, at + count)));
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    checkRange(this.#name, offset, bytes.length, this.size);
    if (this.header.readOnly) throw new BlockError(`${this.#name}: cannot be written, because ${this.header.readOnly}`);
    this.#refcounts ??= new Refcounts(this.#name, this.#file, this.header);
    const refcounts = this.#refcounts;
    this.#pieces(offset, bytes.length, (cluster, within, at, count) =>
      this.#writePiece(refcounts, cluster, within, bytes.subarray(at, at + count)),
    );
  }

  flush(): void {
    this.#file.flush();
  }
  close(): void {
    this.#file.close();
    this.#backing?.close();
  }

  /** Calls for each cluster of a range: its number, where in it, where in the range, and how many bytes. */
  #pieces(offset: number, length: number, use: (cluster: number, within: number, at: number, count: number) => void): void {
    for (let at = 0; at < length; ) {
      const within = (offset + at) % this.#cluster,
        count = Math.min(length - at, this.#cluster - within);
      use(Math.floor((offset + at) / this.#cluster), within, at, count);
      at += count;
    }
  }

  #readPiece(cluster: number, within: number, bytes: Uint8Array): void {
    const place = this.#place(cluster);
    switch (place.kind) {
      case 'file':
        return bytes.set(this.#fileBytes(place.offset + within, bytes.length));
      case 'compressed':
        return bytes.set(this.#decompressed(place).subarray(within, within + bytes.length));
      case 'zero':
        return;
      case 'backing': {
        const start = cluster * this.#cluster + within,
          inside = Math.min(bytes.length, (this.#backing?.size ?? 0) - start);
        if (this.#backing && inside > 0) bytes.set(this.#backing.read(start, inside));
      }
    }
  }

  #writePiece(refcounts: Refcounts, cluster: number, within: number, bytes: Uint8Array): void {
    const place = this.#place(cluster);
    if (place.kind === 'file') return this.#file.write(place.offset + within, bytes);
    const whole = new Uint8Array(this.#cluster);
    if (bytes.length < whole.length)
      this.#readPiece(cluster, 0, whole.subarray(0, Math.min(whole.length, this.size - cluster * this.#cluster)));
    whole.set(bytes, within);
    const table = this.#tableForWriting(refcounts, cluster);
    const offset = place.kind === 'zero' && place.offset !== 0 ? place.offset : refcounts.allocate();
    this.#file.write(offset, whole);
    this.#setEntry(table, this.#tableOffset(cluster), cluster % 2 ** this.#l2Bits, offset);
    if (place.kind === 'compressed') refcounts.release(place.offset, place.length);
  }

  /** Where the bytes of a guest cluster are. */
  #place(cluster: number): Place {
    const tableOffset = this.#tableOffset(cluster);
    if (tableOffset === 0) return { kind: 'backing' };
    const table = this.#table(tableOffset),
      at = (cluster % 2 ** this.#l2Bits) * 8,
      high = table.getUint32(at),
      low = table.getUint32(at + 4);
    const bad = (what: string): never => {
      throw new BlockError(`${this.#name}: ${what} (L2 entry at ${hex(tableOffset + at)})`);
    };
    if (high & COMPRESSED) {
      // Bits 0 to x-1: offset; x to 61: further sectors of 512 bytes behind the first.
      const x = 62 - (this.header.clusterBits - 8),
        entry = (BigInt(high & 0x3fffffff) << 32n) | BigInt(low),
        offset = Number(entry & ((1n << BigInt(x)) - 1n)),
        length = (Number(entry >> BigInt(x)) + 1) * SECTOR - (offset % SECTOR);
      if (offset >= this.#file.size) bad(`a compressed cluster at ${hex(offset)} is beyond the end of the file`);
      return { kind: 'compressed', offset, length };
    }
    const offset = offsetOf(high, low);
    if (offset % this.#cluster !== 0) bad(`a cluster at ${hex(offset)} is not aligned`);
    if (offset >= this.#file.size && offset !== 0) bad(`a cluster at ${hex(offset)} is beyond the end of the file`);
    if (this.header.version === 3 && low & ZERO) return { kind: 'zero', offset };
    return offset === 0 ? { kind: 'backing' } : { kind: 'file', offset };
  }

  /** Offset of the L2 table for a guest cluster; 0 when there is none. */
  #tableOffset(cluster: number): number {
    const at = Math.floor(cluster / 2 ** this.#l2Bits) * 8,
      offset = offsetOf(this.#l1.getUint32(at), this.#l1.getUint32(at + 4));
    if (offset % this.#cluster !== 0 || offset + this.#cluster > this.#file.size)
      throw new BlockError(`${this.#name}: an L2 table cannot be at ${hex(offset)} (L1 entry at ${hex(this.header.l1.offset + at)})`);
    return offset;
  }

  #table(offset: number): DataView {
    const known = this.#tables.get(offset);
    if (known) return known;
    const bytes = this.#file.read(offset, this.#cluster),
      table = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    keep(this.#tables, offset, table, Math.max(2, TABLE_CACHE / this.#cluster));
    return table;
  }

  #tableForWriting(refcounts: Refcounts, cluster: number): DataView {
    const offset = this.#tableOffset(cluster);
    if (offset !== 0) return this.#table(offset);
    const fresh = refcounts.allocate();
    this.#file.write(fresh, new Uint8Array(this.#cluster));
    this.#setEntry(this.#l1, this.header.l1.offset, Math.floor(cluster / 2 ** this.#l2Bits), fresh);
    return this.#table(fresh);
  }

  /** Sets an entry of a table, in memory and in the file. */
  #setEntry(table: DataView, tableOffset: number, index: number, offset: number): void {
    table.setUint32(index * 8, (COPIED | Math.floor(offset / 2 ** 32)) >>> 0);
    table.setUint32(index * 8 + 4, offset % 2 ** 32);
    this.#file.write(tableOffset + index * 8, new Uint8Array(table.buffer, table.byteOffset + index * 8, 8));
  }

  /** Bytes of the file; the last cluster may be cut short, what it lacks is zeros. */
  #fileBytes(offset: number, length: number): Uint8Array {
    const inside = Math.max(0, Math.min(length, this.#file.size - offset));
    if (inside === length) return this.#file.read(offset, length);
    const bytes = new Uint8Array(length);
    if (inside > 0) bytes.set(this.#file.read(offset, inside));
    return bytes;
  }

  #decompressed({ offset, length }: { readonly offset: number; readonly length: number }): Uint8Array {
    const known = this.#inflated.get(offset);
    if (known) return known;
    let bytes: Uint8Array;
    try {
      bytes = inflate(this.#fileBytes(offset, length), this.#cluster);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new BlockError(`${this.#name}: compressed cluster at ${hex(offset)}: ${error.message}`);
    }
    keep(this.#inflated, offset, bytes, CLUSTER_CACHE);
    return bytes;
  }
}

/** Adds to a cache; the oldest goes when there are too many. */
function keep<T>(cache: Map<number, T>, key: number, value: T, most: number): void {
  for (const oldest of cache.keys()) {
    if (cache.size < most) break;
    cache.delete(oldest);
  }
  cache.set(key, value);
}

const offsetOf = (high: number, low: number): number => (high & OFFSET_HIGH) * 2 ** 32 + ((low & OFFSET_LOW) >>> 0);
