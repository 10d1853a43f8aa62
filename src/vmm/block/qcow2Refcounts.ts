// Allocation of clusters in a qcow2 file ("QCOW2 image format", section "Host cluster management"): how often each cluster of
// the file is used stands in refcount blocks, which a table lists. New clusters are taken at the end of the file.

import { type Block, BlockError, hex } from './block.ts';
import { type Qcow2Header, REFCOUNT_TABLE_AT } from './qcow2Header.ts';

export class Refcounts {
  readonly #name: string;
  readonly #file: Block;
  readonly #cluster: number;
  readonly #order: number;
  /** Counts in a block. */
  readonly #perBlock: number;
  #tableOffset: number;
  #table: DataView;
  /** The first cluster behind everything. */
  #end: number;

  constructor(name: string, file: Block, { clusterBits, refcounts }: Qcow2Header) {
    this.#name = name;
    this.#file = file;
    this.#cluster = 2 ** clusterBits;
    this.#order = refcounts.order;
    this.#perBlock = (this.#cluster * 8) / 2 ** refcounts.order;
    this.#tableOffset = refcounts.tableOffset;
    const length = refcounts.tableClusters * this.#cluster;
    if (this.#tableOffset + length > file.size)
      throw new BlockError(`${name}: the refcount table at ${hex(this.#tableOffset)} reaches beyond the end of the file`);
    this.#table = viewOf(file.read(this.#tableOffset, length));
    this.#end = Math.ceil(file.size / this.#cluster);
  }

  /** Offset of a new cluster with one user; the caller writes it whole. */
  allocate(): number {
    const cluster = this.#end++;
    this.#change(cluster, 1);
    return cluster * this.#cluster;
  }

  /** Bytes of the file are used by one less. */
  release(offset: number, length: number): void {
    const last = Math.floor((offset + length - 1) / this.#cluster);
    for (let cluster = Math.floor(offset / this.#cluster); cluster <= last; cluster++) this.#change(cluster, -1);
  }

  #change(cluster: number, by: 1 | -1): void {
    const block = this.#blockOf(cluster),
      bits = 2 ** this.#order,
      index = cluster % this.#perBlock;
    if (bits < 8) {
      const at = block + Math.floor((index * bits) / 8),
        shift = (index * bits) % 8,
        mask = (1 << bits) - 1,
        [byte] = this.#file.read(at, 1),
        count = this.#checked(((byte >> shift) & mask) + by, mask, cluster);
      return this.#file.write(at, Uint8Array.of((byte & ~(mask << shift)) | (count << shift)));
    }
    const at = block + (index * bits) / 8,
      bytes = this.#file.read(at, bits / 8);
    const value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    const count = this.#checked(Number(value) + by, 2 ** Math.min(bits, 53) - 1, cluster);
    for (let n = bytes.length - 1, rest = count; n >= 0; n--, rest = Math.floor(rest / 256)) bytes[n] = rest % 256;
    this.#file.write(at, bytes);
  }

  #checked(count: number, most: number, cluster: number): number {
    if (count >= 0 && count <= most) return count;
    throw new BlockError(`${this.#name}: the reference count of the cluster at ${hex(cluster * this.#cluster)} is wrong`);
  }

  /** Offset of the refcount block for a cluster, made when there is none. */
  #blockOf(cluster: number): number {
    const index = Math.floor(cluster / this.#perBlock);
    if (index * 8 >= this.#table.byteLength) this.#growTable(index);
    const offset = this.#table.getUint32(index * 8) * 2 ** 32 + this.#table.getUint32(index * 8 + 4);
    if (offset !== 0) {
      if (offset % this.#cluster !== 0 || offset + this.#cluster > this.#file.size)
        throw new BlockError(
          `${this.#name}: a refcount block cannot be at ${hex(offset)} (refcount table entry at ${hex(this.#tableOffset + index * 8)})`,
        );
      return offset;
    }
    const block = this.#end++;
    this.#file.write(block * this.#cluster, new Uint8Array(this.#cluster));
    this.#setEntry(index, block * this.#cluster);
    // The block may well hold its own count.
    this.#change(block, 1);
    return block * this.#cluster;
  }

  /** Moves the table to the end of the file, with room for twice as much. */
  #growTable(index: number): void {
    const clusters = Math.ceil((Math.max(index + 1, this.#table.byteLength / 4) * 8) / this.#cluster),
      bytes = new Uint8Array(clusters * this.#cluster),
      old = { offset: this.#tableOffset, length: this.#table.byteLength },
      first = this.#end;
    bytes.set(new Uint8Array(this.#table.buffer, this.#table.byteOffset, this.#table.byteLength));
    this.#end += clusters;
    this.#table = viewOf(bytes);
    this.#tableOffset = first * this.#cluster;
    this.#file.write(this.#tableOffset, bytes);
    for (let cluster = first; cluster < first + clusters; cluster++) this.#change(cluster, 1);
    const header = viewOf(new Uint8Array(12));
    header.setUint32(0, Math.floor(this.#tableOffset / 2 ** 32));
    header.setUint32(4, this.#tableOffset % 2 ** 32);
    header.setUint32(8, clusters);
    this.#file.write(REFCOUNT_TABLE_AT, new Uint8Array(header.buffer));
    this.release(old.offset, old.length);
  }

  #setEntry(index: number, offset: number): void {
    this.#table.setUint32(index * 8, Math.floor(offset / 2 ** 32));
    this.#table.setUint32(index * 8 + 4, offset % 2 ** 32);
    this.#file.write(this.#tableOffset + index * 8, new Uint8Array(this.#table.buffer, this.#table.byteOffset + index * 8, 8));
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
