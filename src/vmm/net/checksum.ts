// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.

/** Sum of bytes as big-endian words, added to `sum`; not yet folded. An odd last byte is the high half of a word. */
export function addWords(bytes: Uint8Array, sum = 0): number {
  const even = bytes.length & ~1;
  for (let n = 0; n < even; n += 2) sum += (bytes[n] << 8) | bytes[n + 1];
  return even === bytes.length ? sum : sum + (bytes[even] << 8);
}

/** The checksum of a sum; 0 when the words summed include a right checksum. */
export function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The sum of the pseudo-header of UDP and TCP (RFC 768, RFC 9293 section 3.1). */
export const pseudoHeader = (source: number, destination: number, protocol: number, length: number): number =>
  (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
