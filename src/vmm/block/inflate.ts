// Decompression of raw deflate streams (RFC 1951), for the compressed clusters of qcow2. Bounded by the size that the caller
// expects; a stream of anything else throws a RangeError.

/** Base lengths and extra bits of length codes 257-285 (section 3.2.5). */
const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const MOST_BITS = 15;
const END_OF_BLOCK = 256;
/** Order in which the lengths of the code length codes are stored (section 3.2.7). */
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Codes of up to so many bits are found at once. */
const SHORT_BITS = 9;

/**
 * A canonical Huffman code (section 3.2.2): how many codes there are of each length, the symbols in order of their codes, and
 * for each value of the next bits that begins with a short code its symbol * 16 + length, else 0.
 */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
  readonly short: Uint16Array;
}

function createCode(lengths: ArrayLike<number>): Code {
  const counts = new Uint16Array(MOST_BITS + 1),
    starts = new Uint16Array(MOST_BITS + 2),
    symbols = new Uint16Array(lengths.length);
  for (let n = 0; n < lengths.length; n++) counts[lengths[n]]++;
  counts[0] = 0;
  let left = 1;
  for (let bits = 1; bits <= MOST_BITS; bits++) {
    left = left * 2 - counts[bits];
    if (left < 0) throw new RangeError('deflate: more codes than fit');
    starts[bits + 1] = starts[bits] + counts[bits];
  }
  for (let n = 0; n < lengths.length; n++) if (lengths[n] !== 0) symbols[starts[lengths[n]]++] = n;
  return { counts, symbols, short: shortCodes(counts, symbols) };
}

/** The first bit of a code is its highest, and the lowest of the bits to come. */
function shortCodes(counts: Uint16Array, symbols: Uint16Array): Uint16Array {
  const short = new Uint16Array(1 << SHORT_BITS);
  for (let length = 1, code = 0, index = 0; length <= SHORT_BITS; length++, code <<= 1) {
    for (let n = 0; n < counts[length]; n++, code++, index++) {
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let at = reversed; at < short.length; at += 1 << length) short[at] = symbols[index] * 16 + length;
    }
  }
  return short;
}

let fixed: { readonly literals: Code; readonly distances: Code } | null = null;
/** The codes of section 3.2.6. */
function fixedCodes(): { readonly literals: Code; readonly distances: Code } {
  fixed ??= {
    literals: createCode(Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8))),
    distances: createCode(new Uint8Array(30).fill(5)),
  };
  return fixed;
}

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  /** Up to 15 further bits are at hand, as far as there are any. */
  #fill(): void {
    while (this.#count < MOST_BITS && this.#at < this.#bytes.length) {
      this.#held |= this.#bytes[this.#at++] << this.#count;
      this.#count += 8;
    }
  }
  /** `count` bits, at most 15, the first one lowest. */
  bits(count: number): number {
    this.#fill();
    if (this.#count < count) throw new RangeError('deflate: the stream is cut short');
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#count -= count;
    return value;
  }
  symbol({ counts, symbols, short }: Code): number {
    this.#fill();
    const found = short[this.#held & ((1 << SHORT_BITS) - 1)];
    if (found !== 0) {
      this.bits(found & 15);
      return found >> 4;
    }
    let code = 0,
      first = 0,
      index = 0;
    for (let length = 1; length <= MOST_BITS; length++) {
      code |= this.bits(1);
      const count = counts[length];
      if (code - first < count) return symbols[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new RangeError('deflate: no such code');
  }
  /** Whole bytes from the next byte boundary on. */
  stored(length: number): Uint8Array {
    this.#at -= this.#count >> 3;
    this.#held = this.#count = 0;
    if (this.#at + length > this.#bytes.length) throw new RangeError('deflate: the stream is cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** Decompresses the beginning of `bytes` to exactly `size` bytes; what follows the end of the stream is not looked at. */
export function inflate(bytes: Uint8Array, size: number): Uint8Array {
  const input = new BitReader(bytes),
    output = new Uint8Array(size);
  let filled = 0,
    last = false;
  while (!last) {
    last = input.bits(1) === 1;
    const type = input.bits(2);
    if (type === 0) filled = copyStored(input, output, filled);
    else if (type === 1) filled = decodeBlock(input, output, filled, fixedCodes());
    else if (type === 2) filled = decodeBlock(input, output, filled, readCodes(input));
    else throw new RangeError('deflate: no such block type');
  }
  if (filled !== size) throw new RangeError(`deflate: ${filled} bytes instead of ${size}`);
  return output;
}

function copyStored(input: BitReader, output: Uint8Array, filled: number): number {
  const header = input.stored(4),
    length = header[0] | (header[1] << 8);
  if (length !== (~(header[2] | (header[3] << 8)) & 0xffff)) throw new RangeError('deflate: the length of a stored block is wrong');
  if (filled + length > output.length) throw new RangeError(`deflate: more than ${output.length} bytes`);
  output.set(input.stored(length), filled);
  return filled + length;
}

/** The codes at the beginning of a dynamic block (section 3.2.7). */
function readCodes(input: BitReader): { readonly literals: Code; readonly distances: Code } {
  const literals = input.bits(5) + 257,
    distances = input.bits(5) + 1,
    codes = input.bits(4) + 4;
  if (literals > 286 || distances > 30) throw new RangeError('deflate: more codes than there are');
  const order = new Uint8Array(CODE_ORDER.length);
  for (let n = 0; n < codes; n++) order[CODE_ORDER[n]] = input.bits(3);
  const lengthCode = createCode(order),
    lengths = new Uint8Array(literals + distances);
  for (let n = 0; n < lengths.length; ) {
    const symbol = input.symbol(lengthCode);
    if (symbol < 16) {
      lengths[n++] = symbol;
      continue;
    }
    if (symbol === 16 && n === 0) throw new RangeError('deflate: nothing to repeat');
    const value = symbol === 16 ? lengths[n - 1] : 0,
      repeat = symbol === 16 ? 3 + input.bits(2) : symbol === 17 ? 3 + input.bits(3) : 11 + input.bits(7);
    if (n + repeat > lengths.length) throw new RangeError('deflate: more code lengths than codes');
    lengths.fill(value, n, n + repeat);
    n += repeat;
  }
  return { literals: createCode(lengths.subarray(0, literals)), distances: createCode(lengths.subarray(literals)) };
}

function decodeBlock(input: BitReader, output: Uint8Array, start: number, codes: { literals: Code; distances: Code }): number {
  let filled = start;
  for (;;) {
    const symbol = input.symbol(codes.literals);
    if (symbol === END_OF_BLOCK) return filled;
    if (symbol < END_OF_BLOCK) {
      if (filled === output.length) throw new RangeError(`deflate: more than ${output.length} bytes`);
      output[filled++] = symbol;
      continue;
    }
    const row = symbol - END_OF_BLOCK - 1;
    if (row >= LENGTH_BASE.length) throw new RangeError('deflate: no such length');
    const length = LENGTH_BASE[row] + input.bits(LENGTH_BITS[row]),
      distanceRow = input.symbol(codes.distances),
      bits = distanceRow < 2 ? 0 : (distanceRow >> 1) - 1,
      distance = 1 + (distanceRow < 2 ? distanceRow : (2 + (distanceRow & 1)) << bits) + input.bits(bits);
    if (distance > filled) throw new RangeError('deflate: a distance before the beginning');
    if (filled + length > output.length) throw new RangeError(`deflate: more than ${output.length} bytes`);
    // The source may overlap what is being written: byte by byte.
    for (let n = 0; n < length; n++, filled++) output[filled] = output[filled - distance];
  }
}
