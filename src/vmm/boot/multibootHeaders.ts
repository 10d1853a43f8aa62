// Where the headers of Multiboot kernels are ("Multiboot Specification version 0.6.96" and "Multiboot2 Specification version 2.0",
// "The magic fields"). The loaders read what is in them.

const MULTIBOOT1 = { magic: 0x1badb002, words: 3, alignment: 4 },
  MULTIBOOT2 = { magic: 0xe85250d6, words: 4, alignment: 8 };
/** Bytes of a file in which its whole header must be. */
export const MULTIBOOT1_SEARCHED = 8192,
  MULTIBOOT2_SEARCHED = 32768;

/** Offset of a Multiboot 1 header, or -1. */
export const findMultiboot1Header = (image: Uint8Array): number => find(image, MULTIBOOT1, MULTIBOOT1_SEARCHED);
/** Offset of a Multiboot 2 header, or -1. */
export const findMultiboot2Header = (image: Uint8Array): number => find(image, MULTIBOOT2, MULTIBOOT2_SEARCHED);

/** A magic number and what else makes the words add up to zero. */
function find(image: Uint8Array, { magic, words, alignment }: typeof MULTIBOOT1, searched: number): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength),
    end = Math.min(searched, image.length) - words * 4;
  for (let at = 0; at <= end; at += alignment) {
    if (view.getUint32(at, true) !== magic) continue;
    let sum = 0;
    for (let n = 0; n < words; n++) sum = (sum + view.getUint32(at + 4 * n, true)) >>> 0;
    if (sum === 0) return at;
  }
  return -1;
}
