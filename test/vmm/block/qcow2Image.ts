// qcow2 images for tests: a small one made here, byte by byte, for machines without qemu-img and for hostile headers.

import { deflateRawSync } from 'node:zlib';

export const CLUSTER = 4096;

/** Numbers of a header, by the offsets of the specification. */
export const HEADER = {
  version: 4,
  backingOffset: 8,
  backingSize: 16,
  clusterBits: 20,
  size: 24,
  cryptMethod: 32,
  l1Size: 36,
  l1Offset: 40,
  refcountTableOffset: 48,
  refcountTableClusters: 56,
  snapshots: 60,
  incompatible: 72,
  refcountOrder: 96,
  headerLength: 100,
} as const;

export interface SmallImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

/**
 * Version 3, clusters of 4 KiB, five of them: data, zeros, compressed data, zeros with a cluster behind them, and one from
 * the backing file. In the file: header, refcount table, refcount block, L1, L2, data, compressed, behind the zeros.
 */
export function smallImage(backing = ''): SmallImage {
  const bytes = new Uint8Array(8 * CLUSTER),
    view = new DataView(bytes.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(HEADER.version, 3);
  view.setUint32(HEADER.clusterBits, 12);
  view.setUint32(HEADER.size + 4, 5 * CLUSTER - 512);
  view.setUint32(HEADER.l1Size, 1);
  view.setUint32(HEADER.l1Offset + 4, 3 * CLUSTER);
  view.setUint32(HEADER.refcountTableOffset + 4, CLUSTER);
  view.setUint32(HEADER.refcountTableClusters, 1);
  view.setUint32(HEADER.refcountOrder, 4);
  view.setUint32(HEADER.headerLength, 104);
  if (backing) {
    const name = new TextEncoder().encode(backing);
    bytes.set(name, 512);
    view.setUint32(HEADER.backingOffset + 4, 512);
    view.setUint32(HEADER.backingSize, name.length);
  }
  view.setUint32(CLUSTER + 4, 2 * CLUSTER);
  for (let n = 0; n < 8; n++) view.setUint16(2 * CLUSTER + n * 2, 1);
  const entry = (at: number, high: number, low: number): void => {
    view.setUint32(at, high);
    view.setUint32(at + 4, low);
  };
  entry(3 * CLUSTER, 0x80000000, 4 * CLUSTER);
  const l2 = 4 * CLUSTER;
  entry(l2, 0x80000000, 5 * CLUSTER);
  entry(l2 + 8, 0, 1);
  const packed = deflateRawSync(expectedCluster(2));
  // 58 bits of offset, then the sectors behind the first.
  entry(l2 + 16, (0x40000000 | (Math.floor((packed.length - 1 + 100) / 512) << 26)) >>> 0, 6 * CLUSTER + 100);
  entry(l2 + 24, 0x80000000, (7 * CLUSTER) | 1);
  bytes.set(expectedCluster(0), 5 * CLUSTER);
  bytes.set(packed, 6 * CLUSTER + 100);
  bytes.fill(0xee, 7 * CLUSTER);
  return { bytes, view };
}

/** What a guest reads from the image's clusters; the last one comes from the backing file. */
export function expectedCluster(n: number): Uint8Array {
  const bytes = new Uint8Array(CLUSTER);
  if (n === 0) for (let at = 0; at < CLUSTER; at++) bytes[at] = (at * 7) & 0xff;
  if (n === 2) for (let at = 0; at < CLUSTER; at++) bytes[at] = at >> 6;
  return bytes;
}
