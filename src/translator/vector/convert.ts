// Conversions between integers, singles and doubles, rounding to integral values, and the arithmetic across lanes (SDM volume 2,
// CVTxx2xx, ROUNDxx, HADDxx, HSUBxx, ADDSUBxx, DPPS, DPPD, RCPxx, RSQRTxx).

import { S } from '../state.ts';
import {
  add,
  begin,
  convert,
  DOUBLE,
  exactly,
  type Format,
  finish,
  fromInteger,
  type Lane,
  multiply,
  PE,
  readBits,
  SINGLE,
  store,
  subtract,
  TRUNCATE,
  toInteger,
  toIntegral,
} from './exact.ts';
import type { VectorFunction } from './functions.ts';

const PRECISION_MASKED = 0x1000;

// ---- floating point to integers
/** One lane to an integer in S.OPERAND. */
export function integerOf(f: Format, truncates: boolean): VectorFunction {
  return (v, _d, s) => {
    const { words } = v,
      x = f === DOUBLE ? v.doubles[s >> 1]! : v.singles[s]!,
      mxcsr = words[S.MXCSR]!;
    // An integer already, or one whose fraction has only to be cut off when PE stands and is masked.
    const cut = x | 0;
    if (cut === x || (truncates && (mxcsr & PE) !== 0 && (mxcsr & PRECISION_MASKED) !== 0 && Math.abs(x) < 0x7fffffff)) {
      words[S.OPERAND] = cut;
      return 0;
    }
    begin(v);
    const result = toInteger(f, readBits(v, f, s), truncates ? TRUNCATE : undefined);
    if (!finish(v)) return 1;
    words[S.OPERAND] = result;
    return 0;
  };
}
/** `count` lanes to integers, in the destination's words from the first; those above are cleared up to `width` words. */
export function integersOf(f: Format, count: number, width: number, truncates: boolean): VectorFunction {
  return (v, d, s) => {
    begin(v);
    const results = Array.from({ length: count }, (_, n) =>
      toInteger(f, readBits(v, f, s + n * f.words), truncates ? TRUNCATE : undefined),
    );
    if (!finish(v)) return 1;
    for (let n = 0; n < width; n++) v.words[d + n] = results[n] ?? 0;
    return 0;
  };
}

// ---- integers to floating point; a double holds every integer of 32 bits
export const doubleOfInteger: VectorFunction = ({ doubles, words }, d, s) => {
  doubles[d >> 1] = words[s]!;
  return 0;
};
export const doublesOfIntegers: VectorFunction = ({ doubles, words }, d, s) => {
  const low = words[s]!,
    high = words[s + 1]!;
  doubles[d >> 1] = low;
  doubles[(d >> 1) + 1] = high;
  return 0;
};
export function singlesOfIntegers(count: number): VectorFunction {
  return (v, d, s) => {
    const { words, singles } = v;
    if (count === 1 && Math.fround(words[s]!) === words[s]!) {
      singles[d] = words[s]!;
      return 0;
    }
    begin(v);
    return store(
      v,
      SINGLE,
      d,
      Array.from({ length: count }, (_, n) => fromInteger(SINGLE, words[s + n]!)),
    );
  };
}

// ---- between the formats
/** `count` lanes of one format to the other; words above them are cleared up to `width`. */
export function converted(from: Format, to: Format, count: number, width: number): VectorFunction {
  return (v, d, s) => {
    begin(v);
    const results = Array.from({ length: count }, (_, n) => convert(from, to, readBits(v, from, s + n * from.words)));
    if (store(v, to, d, results) !== 0) return 1;
    v.words.fill(0, d + count * to.words, Math.max(d + width, d + count * to.words));
    return 0;
  };
}

// ---- integral values; the immediate says how
export const integral =
  (f: Format, count: number): VectorFunction =>
  (v, d, s, _words, mode) =>
    exactly(v, f, (format, _a, b) => toIntegral(format, b, mode), d, s, count);

// ---- across lanes
/** ADDSUBPS: even lanes subtracted, odd lanes added. */
export const alternate: Lane = (f, a, b, n) => ((n & 1) === 0 ? subtract(f, a, b, n) : add(f, a, b, n));
/** Neighbours of the destination, then of the source, put together. */
export function neighbours(f: Format, lane: Lane): VectorFunction {
  const half = 2 / f.words;
  return (v, d, s) => {
    begin(v);
    const pairs = (from: number): bigint[] =>
      Array.from({ length: half }, (_, n) =>
        lane(f, readBits(v, f, from + 2 * n * f.words), readBits(v, f, from + (2 * n + 1) * f.words), n),
      );
    return store(v, f, d, [...pairs(d), ...pairs(s)]);
  };
}
/**
 * DPPS, DPPD: products of the lanes that the immediate's upper half names, their sum to the lanes that the lower half names.
 * Products, sums of two and the sum of those are steps of their own: an unmasked exception in one stops the next.
 */
export function dotProduct(f: Format): VectorFunction {
  const count = 4 / f.words;
  return (v, d, s, _words, choice) => {
    begin(v);
    let values = Array.from({ length: count }, (_, n) =>
      (choice >> (4 + n)) & 1 ? multiply(f, readBits(v, f, d + n * f.words), readBits(v, f, s + n * f.words), n) : 0n,
    );
    if (!finish(v)) return 1;
    while (values.length > 1) {
      begin(v);
      values = Array.from({ length: values.length / 2 }, (_, n) => add(f, values[2 * n]!, values[2 * n + 1]!, n));
      if (!finish(v)) return 1;
    }
    begin(v);
    return store(
      v,
      f,
      d,
      Array.from({ length: count }, (_, n) => ((choice >> n) & 1 ? values[0]! : 0n)),
    );
  };
}

// ---- approximations, which raise nothing: here the result rounded to nearest, of denormals as of zeros
const approximation = (x: number, root: boolean): number => Math.fround(1 / (root ? Math.sqrt(x) : x));
export function approximations(root: boolean, count: number): VectorFunction {
  return (v, d, s) => {
    const { words, singles } = v;
    for (let n = 0; n < count; n++) {
      const bits = words[s + n]!,
        sign = bits & (1 << 31),
        exponent = (bits >> 23) & 0xff;
      if (exponent === 0) words[d + n] = sign | 0x7f800000;
      else if (exponent === 0xff && (bits & 0x7fffff) !== 0) words[d + n] = bits | 0x400000;
      else if (root && sign !== 0) words[d + n] = 0xffc00000;
      else {
        singles[d + n] = approximation(singles[s + n]!, root);
        if ((words[d + n]! & 0x7f800000) === 0) words[d + n] = sign;
      }
    }
    return 0;
  };
}
