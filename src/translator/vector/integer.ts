// Packed integer arithmetic on lanes of 8, 16, 32 and 64 bits (SDM volume 1, "MMX Instruction Set", "SSE2 128-Bit SIMD Integer
// Instructions", "SSSE3", "SSE4.1"; volume 2 for each operation). A function's first number is how many words its operands
// have. Additions and comparisons of bytes, which string functions live on, work on four lanes of a word at once; the others
// take lane after lane.

import { clamp, type VectorFunction, type Vectors } from './functions.ts';

type Lanes = 'bytes' | 'signedBytes' | 'shorts' | 'signedShorts' | 'words';
const PER_WORD: Readonly<Record<Lanes, number>> = { bytes: 4, signedBytes: 4, shorts: 2, signedShorts: 2, words: 1 };

/** d[n] := f(d[n], s[n]) for every lane. */
function each(type: Lanes, f: (x: number, y: number) => number): VectorFunction {
  const per = PER_WORD[type];
  return (v, d, s, words) => {
    const lanes: { [n: number]: number } = v[type];
    for (let n = 0; n < words * per; n++) lanes[d * per + n] = f(lanes[d * per + n]!, lanes[s * per + n]!);
    return 0;
  };
}
/** d[n] := f(s[n]) for every lane. */
const eachOf = (type: Lanes, f: (x: number) => number): VectorFunction => each(type, (_x, y) => f(y));
/** d word := f(d word, s word). */
const eachWord = (f: (x: number, y: number) => number): VectorFunction => each('words', f);

const signedByte = (x: number): number => clamp(-0x80, 0x7f, x),
  signedShort = (x: number): number => clamp(-0x8000, 0x7fff, x);

// ---- addition and subtraction; in a word, each lane's top bit apart, so that no carry leaves a lane
const TOPS8 = 0x80808080 | 0,
  TOPS16 = 0x80008000 | 0;
const sumOf = (tops: number, x: number, y: number): number => (((x & ~tops) + (y & ~tops)) | 0) ^ ((x ^ y) & tops),
  differenceOf = (tops: number, x: number, y: number): number => (((x | tops) - (y & ~tops)) | 0) ^ ((x ^ ~y) & tops);
const addLanes = (tops: number): VectorFunction => eachWord((x, y) => sumOf(tops, x, y)),
  subtractLanes = (tops: number): VectorFunction => eachWord((x, y) => differenceOf(tops, x, y));
export const addBytes = addLanes(TOPS8),
  addShorts = addLanes(TOPS16),
  subtractBytes = subtractLanes(TOPS8),
  subtractShorts = subtractLanes(TOPS16);
export const addQuads: VectorFunction = ({ words: w }, d, s, count) => {
  for (let n = 0; n < count; n += 2) {
    const low = (w[d + n]! + w[s + n]!) | 0,
      carry = low >>> 0 < w[s + n]! >>> 0 ? 1 : 0;
    w[d + n + 1] = w[d + n + 1]! + w[s + n + 1]! + carry;
    w[d + n] = low;
  }
  return 0;
};
export const subtractQuads: VectorFunction = ({ words: w }, d, s, count) => {
  for (let n = 0; n < count; n += 2) {
    const borrow = w[d + n]! >>> 0 < w[s + n]! >>> 0 ? 1 : 0;
    w[d + n + 1] = w[d + n + 1]! - w[s + n + 1]! - borrow;
    w[d + n] = w[d + n]! - w[s + n]!;
  }
  return 0;
};
export const addSignedBytes = each('signedBytes', (x, y) => signedByte(x + y)),
  addSignedShorts = each('signedShorts', (x, y) => signedShort(x + y)),
  subtractSignedBytes = each('signedBytes', (x, y) => signedByte(x - y)),
  subtractSignedShorts = each('signedShorts', (x, y) => signedShort(x - y));

// Unsigned lanes of a word: what was carried or borrowed out of a lane fills a mask of it.
const carried = (x: number, y: number, sum: number): number => (x & y) | ((x | y) & ~sum),
  borrowed = (x: number, y: number, difference: number): number => (~x & y) | ((~x | y) & difference);
const fillBytes = (tops: number): number => Math.imul((tops & TOPS8) >>> 7, 0xff),
  fillShorts = (tops: number): number => Math.imul((tops & TOPS16) >>> 15, 0xffff);
export const addUnsignedBytes = eachWord((x, y) => {
  const sum = sumOf(TOPS8, x, y);
  return sum | fillBytes(carried(x, y, sum));
});
export const addUnsignedShorts = eachWord((x, y) => {
  const sum = sumOf(TOPS16, x, y);
  return sum | fillShorts(carried(x, y, sum));
});
export const subtractUnsignedBytes = eachWord((x, y) => {
  const difference = differenceOf(TOPS8, x, y);
  return difference & ~fillBytes(borrowed(x, y, difference));
});
export const subtractUnsignedShorts = eachWord((x, y) => {
  const difference = differenceOf(TOPS16, x, y);
  return difference & ~fillShorts(borrowed(x, y, difference));
});
/** All ones in the bytes of x that are below those of y. */
const bytesBelow = (x: number, y: number): number => fillBytes(borrowed(x, y, differenceOf(TOPS8, x, y)));
export const leastBytes = eachWord((x, y) => y ^ ((x ^ y) & bytesBelow(x, y))),
  greatestBytes = eachWord((x, y) => x ^ ((x ^ y) & bytesBelow(x, y)));

// ---- multiplication
export const multiplyLow: VectorFunction = ({ signedShorts: h }, d, s, words) => {
  for (let n = 0; n < 2 * words; n++) h[2 * d + n] = Math.imul(h[2 * d + n]!, h[2 * s + n]!);
  return 0;
};
export const multiplyHigh: VectorFunction = ({ signedShorts: h }, d, s, words) => {
  for (let n = 0; n < 2 * words; n++) h[2 * d + n] = Math.imul(h[2 * d + n]!, h[2 * s + n]!) >> 16;
  return 0;
};
export const multiplyHighUnsigned = each('shorts', (x, y) => Math.imul(x, y) >>> 16),
  multiplyHighRounded = each('signedShorts', (x, y) => ((Math.imul(x, y) >> 14) + 1) >> 1),
  multiplyLowWords = eachWord(Math.imul);
/** Sums of two products of signed 16-bit lanes. */
export const multiplyAdd: VectorFunction = ({ signedShorts: h, words: w }, d, s, count) => {
  for (let n = 0; n < count; n++)
    w[d + n] = Math.imul(h[2 * (d + n)]!, h[2 * (s + n)]!) + Math.imul(h[2 * (d + n) + 1]!, h[2 * (s + n) + 1]!);
  return 0;
};
/** Sums of two products of unsigned by signed bytes, saturated. */
export const multiplyAddBytes: VectorFunction = (v, d, s, count) => {
  const { bytes, signedBytes, signedShorts } = v;
  for (let n = 0; n < 2 * count; n++) {
    const x = 4 * d + 2 * n,
      y = 4 * s + 2 * n;
    signedShorts[2 * d + n] = signedShort(bytes[x]! * signedBytes[y]! + bytes[x + 1]! * signedBytes[y + 1]!);
  }
  return 0;
};
/** 64-bit products of the even 32-bit lanes. */
const multiplyEven =
  (signed: boolean): VectorFunction =>
  ({ words: w }, d, s, count) => {
    for (let n = 0; n < count; n += 2) {
      const x = w[d + n]!,
        y = w[s + n]!;
      const product = signed ? BigInt(x) * BigInt(y) : BigInt(x >>> 0) * BigInt(y >>> 0);
      w[d + n] = Number(BigInt.asIntN(32, product));
      w[d + n + 1] = Number(BigInt.asIntN(32, product >> 32n));
    }
    return 0;
  };
export const multiplyEvenUnsigned = multiplyEven(false),
  multiplyEvenSigned = multiplyEven(true);

// ---- comparison; all ones where it holds
export const equalWords = eachWord((x, y) => (x === y ? -1 : 0)),
  greaterWords = eachWord((x, y) => (x > y ? -1 : 0)),
  equalShorts = each('shorts', (x, y) => (x === y ? 0xffff : 0)),
  greaterShorts = each('signedShorts', (x, y) => (x > y ? -1 : 0)),
  greaterBytes = each('signedBytes', (x, y) => (x > y ? -1 : 0));
export const equalBytes: VectorFunction = ({ words: w }, d, s, count) => {
  for (let n = 0; n < count; n++) {
    const x = w[d + n]! ^ w[s + n]!;
    // The top bit of each byte that is zero, spread over the byte.
    const zero = ~(((x & ~TOPS8) + ~TOPS8) | x | ~TOPS8);
    w[d + n] = (zero >>> 7) * 0xff;
  }
  return 0;
};
export const equalQuads: VectorFunction = ({ words: w }, d, s, count) => {
  for (let n = 0; n < count; n += 2) w[d + n] = w[d + n + 1] = w[d + n] === w[s + n] && w[d + n + 1] === w[s + n + 1] ? -1 : 0;
  return 0;
};
export const leastSignedBytes = each('signedBytes', Math.min),
  greatestSignedBytes = each('signedBytes', Math.max),
  leastShorts = each('shorts', Math.min),
  greatestShorts = each('shorts', Math.max),
  leastSignedShorts = each('signedShorts', Math.min),
  greatestSignedShorts = each('signedShorts', Math.max),
  leastSignedWords = eachWord(Math.min),
  greatestSignedWords = eachWord(Math.max),
  leastWords = eachWord((x, y) => (x >>> 0 < y >>> 0 ? x : y)),
  greatestWords = eachWord((x, y) => (x >>> 0 > y >>> 0 ? x : y));

// ---- averages, absolute values, signs, sums
export const averageBytes = each('bytes', (x, y) => (x + y + 1) >> 1),
  averageShorts = each('shorts', (x, y) => (x + y + 1) >> 1),
  absoluteBytes = eachOf('signedBytes', Math.abs),
  absoluteShorts = eachOf('signedShorts', Math.abs),
  absoluteWords = eachOf('words', Math.abs);
const signed = (x: number, y: number): number => (y < 0 ? -x : y === 0 ? 0 : x);
export const signBytes = each('signedBytes', signed),
  signShorts = each('signedShorts', signed),
  signWords = eachWord(signed);
/** Sum of the absolute differences of each eight bytes. */
export const sumDifferences: VectorFunction = ({ bytes, words: w }, d, s, count) => {
  for (let n = 0; n < count; n += 2) {
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += Math.abs(bytes[4 * (d + n) + k]! - bytes[4 * (s + n) + k]!);
    w[d + n] = sum;
    w[d + n + 1] = 0;
  }
  return 0;
};
/** Neighbouring lanes of the destination, then of the source, put together two by two. */
function horizontal(type: 'signedShorts' | 'words', f: (x: number, y: number) => number): VectorFunction {
  const per = PER_WORD[type];
  return (v, d, s, count) => {
    const lanes: { [n: number]: number } = v[type],
      half = (count * per) / 2;
    const pairs = (from: number): number[] =>
      Array.from({ length: half }, (_, n) => f(lanes[from * per + 2 * n]!, lanes[from * per + 2 * n + 1]!));
    [...pairs(d), ...pairs(s)].forEach((value, n) => {
      lanes[d * per + n] = value;
    });
    return 0;
  };
}
export const addPairsOfShorts = horizontal('signedShorts', (x, y) => x + y),
  addPairsOfWords = horizontal('words', (x, y) => x + y),
  addPairsSaturated = horizontal('signedShorts', (x, y) => signedShort(x + y)),
  subtractPairsOfShorts = horizontal('signedShorts', (x, y) => x - y),
  subtractPairsOfWords = horizontal('words', (x, y) => x - y),
  subtractPairsSaturated = horizontal('signedShorts', (x, y) => signedShort(x - y));
/** PHMINPOSUW: the least unsigned 16-bit lane and its place. */
export const leastPosition: VectorFunction = ({ shorts, words: w }, d, s) => {
  let place = 0;
  for (let n = 1; n < 8; n++) if (shorts[2 * s + n]! < shorts[2 * s + place]!) place = n;
  w[d] = shorts[2 * s + place]! | (place << 16);
  w[d + 1] = w[d + 2] = w[d + 3] = 0;
  return 0;
};
/** MPSADBW: eight sums of absolute differences of four bytes; the immediate chooses where both begin. */
export const sumsOfDifferences: VectorFunction = ({ bytes, shorts }, d, s, _count, choice) => {
  const x = 4 * d + (choice & 4),
    y = 4 * s + 4 * (choice & 3);
  const sums = Array.from({ length: 8 }, (_, n) => {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += Math.abs(bytes[x + n + k]! - bytes[y + k]!);
    return sum;
  });
  shorts.set(sums, 2 * d);
  return 0;
};

// ---- shifts; a count beyond the lane's width empties it, or fills it with the sign
type Shift = (v: Vectors, d: number, words: number, count: number) => void;
const shifts =
  (type: Lanes, f: (x: number, n: number) => number, most: number, beyond: 'empty' | 'most'): Shift =>
  (v, d, words, count) => {
    const per = PER_WORD[type],
      lanes: { [n: number]: number } = v[type];
    for (let n = d * per; n < (d + words) * per; n++)
      lanes[n] = count <= most ? f(lanes[n]!, count) : beyond === 'empty' ? 0 : f(lanes[n]!, most);
  };
const shiftQuads =
  (left: boolean): Shift =>
  ({ words: w }, d, words, count) => {
    for (let n = d; n < d + words; n += 2) {
      const low = w[n]!,
        high = w[n + 1]!;
      if (count > 63) w[n] = w[n + 1] = 0;
      else if (count === 0) continue;
      else if (left) {
        w[n + 1] = count >= 32 ? low << (count - 32) : (high << count) | (low >>> (32 - count));
        w[n] = count >= 32 ? 0 : low << count;
      } else {
        w[n] = count >= 32 ? high >>> (count - 32) : (low >>> count) | (high << (32 - count));
        w[n + 1] = count >= 32 ? 0 : high >>> count;
      }
    }
  };
/** By the source's low 64 bits, and by the immediate. */
export interface ShiftPair {
  readonly byRegister: VectorFunction;
  readonly byImmediate: VectorFunction;
}
const pair = (shift: Shift): ShiftPair => ({
  byRegister(v, d, s, words) {
    shift(v, d, words, v.words[s + 1] !== 0 || v.words[s]! >>> 0 > 0xff ? 0xff : v.words[s]!);
    return 0;
  },
  byImmediate(v, d, _s, words, count) {
    shift(v, d, words, count);
    return 0;
  },
});
const left = (x: number, n: number): number => x << n,
  right = (x: number, n: number): number => x >>> n,
  arithmetic = (x: number, n: number): number => x >> n;
export const leftShorts = pair(shifts('shorts', left, 15, 'empty')),
  leftWords = pair(shifts('words', left, 31, 'empty')),
  leftQuads = pair(shiftQuads(true)),
  rightShorts = pair(shifts('shorts', right, 15, 'empty')),
  rightWords = pair(shifts('words', right, 31, 'empty')),
  rightQuads = pair(shiftQuads(false)),
  arithmeticShorts = pair(shifts('signedShorts', arithmetic, 15, 'most')),
  arithmeticWords = pair(shifts('words', arithmetic, 31, 'most'));

/** PMOVMSKB: the top bits of the bytes. */
export const signMask: VectorFunction = ({ words: w }, _d, s, count) => {
  let mask = 0;
  for (let n = 0; n < count; n++) mask |= ((Math.imul((w[s + n]! & TOPS8) >>> 7, 0x10204080) >>> 28) & 15) << (4 * n);
  return mask;
};
