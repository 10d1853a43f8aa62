// Shuffles, packs, unpacks, blends and extensions of vector lanes (SDM volume 2 for each operation). Where lanes move about,
// the operands are copied first, since source and destination may be one register.

import { clamp, type VectorFunction, type Vectors } from './functions.ts';

const held = new ArrayBuffer(32),
  heldWords = new Int32Array(held),
  heldShorts = new Uint16Array(held),
  heldBytes = new Uint8Array(held);
/** Copies the destination to the first half of `held` and the source to the second. */
function hold({ words: w }: Vectors, d: number, s: number): void {
  for (let n = 0; n < 4; n++) {
    heldWords[n] = w[d + n]!;
    heldWords[4 + n] = w[s + n]!;
  }
}

// ---- interleaving of the low or the high halves (of wider lanes: in micro-ops)
/** Lanes of two words one after the other: the word that the low halves make, and that of the high halves. */
interface Interleaved {
  low(x: number, y: number): number;
  high(x: number, y: number): number;
}
const spread = (x: number): number => (x & 0xff) | ((x & 0xff00) << 8);
const BYTES: Interleaved = {
    low: (x, y) => spread(x) | (spread(y) << 8),
    high: (x, y) => spread(x >>> 16) | (spread(y >>> 16) << 8),
  },
  SHORTS: Interleaved = {
    low: (x, y) => (x & 0xffff) | (y << 16),
    high: (x, y) => (x >>> 16) | (y & 0xffff0000),
  };
// The order of the words is such that none is written before it has been read.
const interleaveLow =
  ({ low, high }: Interleaved): VectorFunction =>
  ({ words: w }, d, s, words) => {
    for (let n = words / 2 - 1; n >= 0; n--) {
      const x = w[d + n]!,
        y = w[s + n]!;
      w[d + 2 * n] = low(x, y);
      w[d + 2 * n + 1] = high(x, y);
    }
    return 0;
  };
const interleaveHigh =
  ({ low, high }: Interleaved): VectorFunction =>
  ({ words: w }, d, s, words) => {
    for (let n = 0; n < words / 2; n++) {
      const x = w[d + words / 2 + n]!,
        y = w[s + words / 2 + n]!;
      w[d + 2 * n] = low(x, y);
      w[d + 2 * n + 1] = high(x, y);
    }
    return 0;
  };
export const interleaveLowBytes = interleaveLow(BYTES),
  interleaveLowShorts = interleaveLow(SHORTS),
  interleaveHighBytes = interleaveHigh(BYTES),
  interleaveHighShorts = interleaveHigh(SHORTS);

// ---- narrowing with saturation: the destination's lanes, then the source's
const packShorts =
  (low: number, high: number): VectorFunction =>
  (v, d, s, words) => {
    const values: number[] = [];
    for (const from of [d, s]) for (let n = 0; n < 2 * words; n++) values.push(clamp(low, high, v.signedShorts[2 * from + n]!));
    v.bytes.set(values, 4 * d);
    return 0;
  };
const packWords =
  (low: number, high: number): VectorFunction =>
  (v, d, s, words) => {
    const values: number[] = [];
    for (const from of [d, s]) for (let n = 0; n < words; n++) values.push(clamp(low, high, v.words[from + n]!));
    v.shorts.set(values, 2 * d);
    return 0;
  };
export const packSignedBytes = packShorts(-0x80, 0x7f),
  packUnsignedBytes = packShorts(0, 0xff),
  packSignedShorts = packWords(-0x8000, 0x7fff),
  packUnsignedShorts = packWords(0, 0xffff);

// ---- shuffles by an immediate, two bits a lane
export const shuffleWords: VectorFunction = (v, d, s, _words, order) => {
  hold(v, d, s);
  for (let n = 0; n < 4; n++) v.words[d + n] = heldWords[4 + ((order >> (2 * n)) & 3)]!;
  return 0;
};
/** Four 16-bit lanes beginning at byte `at`; the other lanes of the operand are copied. */
const shuffleShorts =
  (at: 0 | 8): VectorFunction =>
  (v, d, s, words, order) => {
    hold(v, d, s);
    for (let n = 0; n < words; n++) v.words[d + n] = heldWords[4 + n]!;
    for (let n = 0; n < 4; n++) v.shorts[2 * d + at / 2 + n] = heldShorts[8 + at / 2 + ((order >> (2 * n)) & 3)]!;
    return 0;
  };
export const shuffleLowShorts = shuffleShorts(0),
  shuffleHighShorts = shuffleShorts(8);
/** SHUFPS: two lanes of the destination, two of the source. */
export const shuffleSingles: VectorFunction = (v, d, s, _words, order) => {
  hold(v, d, s);
  for (let n = 0; n < 4; n++) v.words[d + n] = heldWords[(n & 2) * 2 + ((order >> (2 * n)) & 3)]!;
  return 0;
};
export const shuffleDoubles: VectorFunction = (v, d, s, _words, order) => {
  hold(v, d, s);
  for (let n = 0; n < 4; n++) v.words[d + n] = heldWords[(n & 2) * 2 + ((order >> (n >> 1)) & 1) * 2 + (n & 1)]!;
  return 0;
};
/** PSHUFB: each byte by the source's byte at its place, or 0. */
export const shuffleBytes: VectorFunction = (v, d, s, words) => {
  hold(v, d, s);
  for (let n = 0; n < 4 * words; n++) {
    const choice = heldBytes[16 + n]!;
    v.bytes[4 * d + n] = choice & 0x80 ? 0 : heldBytes[choice & (4 * words - 1)]!;
  }
  return 0;
};
/** PALIGNR: bytes from `places` on of destination and source in a row, the source lower. */
export const alignRight: VectorFunction = (v, d, s, words, places) => {
  hold(v, d, s);
  const size = 4 * words;
  for (let n = 0; n < size; n++) {
    const at = n + places;
    v.bytes[4 * d + n] = at < size ? heldBytes[16 + at]! : at < 2 * size ? heldBytes[at - size]! : 0;
  }
  return 0;
};
const moveBytes =
  (left: boolean): VectorFunction =>
  (v, d, _s, words, places) => {
    hold(v, d, d);
    for (let n = 0; n < 4 * words; n++) {
      const at = left ? n - places : n + places;
      v.bytes[4 * d + n] = at >= 0 && at < 4 * words ? heldBytes[at]! : 0;
    }
    return 0;
  };
export const leftBytes = moveBytes(true),
  rightBytes = moveBytes(false);

// ---- blends: lanes of the source where the immediate, or the top bits of XMM0, say so
const blend =
  (shorts: 1 | 2 | 4): VectorFunction =>
  (v, d, s, _words, mask) => {
    for (let n = 0; n < 8; n++) if ((mask >> Math.floor(n / shorts)) & 1) v.shorts[2 * d + n] = v.shorts[2 * s + n]!;
    return 0;
  };
export const blendShorts = blend(1),
  blendSingles = blend(2),
  blendDoubles = blend(4);
const blendBySign =
  (bytes: 1 | 4 | 8): VectorFunction =>
  (v, d, s, _words, mask) => {
    hold(v, d, mask);
    for (let n = 0; n < 16; n++) {
      const top = heldBytes[16 + n - (n % bytes) + bytes - 1]!;
      if (top & 0x80) v.bytes[4 * d + n] = v.bytes[4 * s + n]!;
    }
    return 0;
  };
export const blendBytesBySign = blendBySign(1),
  blendSinglesBySign = blendBySign(4),
  blendDoublesBySign = blendBySign(8);

// ---- extension of narrow lanes to wider ones
const extend =
  (from: 'bytes' | 'signedBytes' | 'shorts' | 'signedShorts' | 'words', to: 2 | 4 | 8, signed: boolean): VectorFunction =>
  (v, d, s) => {
    const lanes: { [n: number]: number } = v[from],
      first = from === 'words' ? s : from.endsWith('ytes') ? 4 * s : 2 * s;
    const values = Array.from({ length: 16 / to }, (_, n) => lanes[first + n]!);
    if (to === 2) v.shorts.set(values, 2 * d);
    else if (to === 4) v.words.set(values, d);
    else
      v.words.set(
        values.flatMap((x) => [x, signed ? x >> 31 : 0]),
        d,
      );
    return 0;
  };
export const extendBytesToShorts = extend('signedBytes', 2, true),
  extendBytesToWords = extend('signedBytes', 4, true),
  extendBytesToQuads = extend('signedBytes', 8, true),
  extendShortsToWords = extend('signedShorts', 4, true),
  extendShortsToQuads = extend('signedShorts', 8, true),
  extendWordsToQuads = extend('words', 8, true),
  widenBytesToShorts = extend('bytes', 2, false),
  widenBytesToWords = extend('bytes', 4, false),
  widenBytesToQuads = extend('bytes', 8, false),
  widenShortsToWords = extend('shorts', 4, false),
  widenShortsToQuads = extend('shorts', 8, false),
  widenWordsToQuads = extend('words', 8, false);

// ---- single lanes; the number is the lane
export const insertByte: VectorFunction = (v, d, s, _words, n) => {
  v.bytes[4 * d + (n & 15)] = v.words[s]!;
  return 0;
};
export const insertShort: VectorFunction = (v, d, s, words, n) => {
  v.shorts[2 * d + (n & (2 * words - 1))] = v.words[s]!;
  return 0;
};
export const insertWord: VectorFunction = (v, d, s, _words, n) => {
  v.words[d + (n & 3)] = v.words[s]!;
  return 0;
};
export const extractByte: VectorFunction = (v, _d, s, _words, n) => v.bytes[4 * s + (n & 15)]!;
export const extractShort: VectorFunction = (v, _d, s, words, n) => v.shorts[2 * s + (n & (2 * words - 1))]!;
export const extractWord: VectorFunction = (v, _d, s, _words, n) => v.words[s + (n & 3)]!;
/** INSERTPS: source lane (of a register), destination lane, lanes to clear. */
export const insertSingle: VectorFunction = (v, d, s, _words, choice) => {
  v.words[d + ((choice >> 4) & 3)] = v.words[s + (choice >> 6)]!;
  for (let n = 0; n < 4; n++) if ((choice >> n) & 1) v.words[d + n] = 0;
  return 0;
};

/** PTEST: ZF in bit 6 when no bit is in both, CF in bit 0 when the source has none outside the destination. */
export const test: VectorFunction = ({ words: w }, d, s) => {
  let both = 0,
    outside = 0;
  for (let n = 0; n < 4; n++) {
    both |= w[d + n]! & w[s + n]!;
    outside |= ~w[d + n]! & w[s + n]!;
  }
  return (both === 0 ? 0x40 : 0) | (outside === 0 ? 1 : 0);
};
