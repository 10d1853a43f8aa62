// Reads what a Multiboot 2 kernel was told out of memory, whoever loaded it.

import type { LoadedImage } from '../../../src/vmm/boot/image.ts';

export type ReadMemory = (address: number, length: number) => Uint8Array;

/** Memory as a loaded guest sees it. */
export function memoryOf(loaded: LoadedImage): ReadMemory {
  return (address, length) => {
    const bytes = new Uint8Array(length);
    for (const write of loaded.writes) {
      const from = Math.max(address, write.address),
        to = Math.min(address + length, write.address + write.length);
      for (let at = from; at < to; at++) bytes[at - address] = write.bytes[at - write.address] ?? 0;
    }
    return bytes;
  };
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
const words = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >>> 2 }, (_, n) => view.getUint32(4 * n, true));
};

/** Tags of the information at an address, without their type and size. */
export function readInformation(read: ReadMemory, address: number) {
  const [total] = words(read(address, 4)),
    bytes = read(address, total);
  const tags: { type: number; body: Uint8Array }[] = [];
  for (let at = 8; ; ) {
    const [type, size] = words(bytes.slice(at, at + 8));
    if (type === 0) break;
    tags.push({ type, body: bytes.slice(at + 8, at + size) });
    at += (size + 7) & ~7;
  }
  const body = (type: number): Uint8Array | undefined => tags.find((tag) => tag.type === type)?.body;
  return {
    body,
    words: (type: number): number[] => words(body(type) ?? new Uint8Array(0)),
    text: (type: number): string => text(body(type) ?? Uint8Array.of(0)),
    modules: () =>
      tags
        .filter(({ type }) => type === 3)
        .map((tag) => ({ start: words(tag.body)[0], end: words(tag.body)[1], text: text(tag.body.subarray(8)) })),
    /** First address and length of each piece of RAM. */
    ram(): [number, number][] {
      const map = body(6) ?? new Uint8Array(0),
        [size] = words(map),
        found: [number, number][] = [];
      for (let at = 8; at < map.length; at += size) {
        const [base, , length, , type] = words(map.slice(at, at + size));
        if (type === 1) found.push([base, length]);
      }
      return found;
    },
    /** Section headers: type, address in memory, size. */
    sections() {
      const [count, size] = words(body(9) ?? new Uint8Array(0));
      return Array.from({ length: count ?? 0 }, (_, n) => {
        const row = words((body(9) ?? new Uint8Array(0)).slice(12 + n * size, 12 + (n + 1) * size));
        return { type: row[1], address: row[3], size: row[5] };
      });
    },
  };
}
