// Floating-point arithmetic of SSE (SDM volume 1, "SSE Single-Precision Floating-Point Instructions", "SSE2 ..."). The common
// case is JavaScript's own arithmetic: all exceptions masked, rounding to nearest, operands and result normal numbers or exact
// zeros. Then only PE can come of it, and once PE is set nothing has to be found out. Everything else is vector/exact.ts.
// A single is the double operation rounded once more, which is innocuous: 53 bits are more than 2 * 24 + 2.

import { S } from '../state.ts';
import * as exact from './exact.ts';
import { DOUBLE, exactly, type Format, type Lane, PE, SINGLE } from './exact.ts';
import type { VectorFunction, Vectors } from './functions.ts';

/** Mask bits of all six exceptions; with rounding control: what is set, and what clear, in the common case. */
const ALL_MASKED = 0x1f80,
  COMMON_BITS = 0x7f80;

const LEAST_DOUBLE = 2.2250738585072014e-308,
  MOST_DOUBLE = Number.MAX_VALUE,
  LEAST_SINGLE = 1.1754943508222875e-38,
  MOST_SINGLE = 3.4028234663852886e38;
/** Larger than the least normal number and finite; a result as small as that might be a denormal rounded up. */
const normalDouble = (x: number): boolean => {
  const size = Math.abs(x);
  return size > LEAST_DOUBLE && size <= MOST_DOUBLE;
};
const normalSingle = (x: number): boolean => {
  const size = Math.abs(x);
  return size > LEAST_SINGLE && size <= MOST_SINGLE;
};

const ordinaryDouble = (x: number): boolean => normalDouble(x) || x === 0,
  ordinarySingle = (x: number): boolean => normalSingle(x) || x === 0;

// ---- whether a result of doubles was rounded: error-free transformations (Dekker; Knuth)
const SPLITTER = 134217729;
/** x * y - product, exactly, for numbers well inside the range. */
function productError(x: number, y: number, product: number): number {
  const xs = SPLITTER * x,
    xh = xs - (xs - x),
    xl = x - xh,
    ys = SPLITTER * y,
    yh = ys - (ys - y),
    yl = y - yh;
  return xl * yl - (product - xh * yh - xl * yh - xh * yl);
}
function sumRounded(x: number, y: number, sum: number): boolean {
  const z = sum - x;
  return x - (sum - z) + (y - z) !== 0;
}
/** Far enough from both ends of the range for the products of productError. */
const inside = (x: number): boolean => {
  const size = Math.abs(x);
  return size > 1e-140 && size < 1e140;
};
function notePrecision(words: Int32Array, mxcsr: number): void {
  words[S.MXCSR] = mxcsr | PE;
}

// ---- double precision, one lane; `s` and `d` are even words
export const addDouble: VectorFunction = (v, d, s) => {
  const { doubles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = doubles[d >> 1]!,
    y = doubles[s >> 1]!,
    result = x + y;
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ordinaryDouble(x) && ordinaryDouble(y) && ordinaryDouble(result)) {
    if ((mxcsr & PE) === 0 && sumRounded(x, y, result)) notePrecision(words, mxcsr);
    doubles[d >> 1] = result;
    return 0;
  }
  return exactly(v, DOUBLE, exact.add, d, s, 1);
};
export const subtractDouble: VectorFunction = (v, d, s) => {
  const { doubles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = doubles[d >> 1]!,
    y = doubles[s >> 1]!,
    result = x - y;
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ordinaryDouble(x) && ordinaryDouble(y) && ordinaryDouble(result)) {
    if ((mxcsr & PE) === 0 && sumRounded(x, -y, result)) notePrecision(words, mxcsr);
    doubles[d >> 1] = result;
    return 0;
  }
  return exactly(v, DOUBLE, exact.subtract, d, s, 1);
};
export const multiplyDouble: VectorFunction = (v, d, s) => {
  const { doubles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = doubles[d >> 1]!,
    y = doubles[s >> 1]!,
    result = x * y;
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ordinaryDouble(x) && ordinaryDouble(y) && (normalDouble(result) || x === 0 || y === 0)) {
    if ((mxcsr & PE) === 0 && x !== 0 && y !== 0) {
      if (!inside(x) || !inside(y)) return exactly(v, DOUBLE, exact.multiply, d, s, 1);
      if (productError(x, y, result) !== 0) notePrecision(words, mxcsr);
    }
    doubles[d >> 1] = result;
    return 0;
  }
  return exactly(v, DOUBLE, exact.multiply, d, s, 1);
};
export const divideDouble: VectorFunction = (v, d, s) => {
  const { doubles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = doubles[d >> 1]!,
    y = doubles[s >> 1]!,
    result = x / y;
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && normalDouble(y) && ((normalDouble(x) && normalDouble(result)) || x === 0)) {
    if ((mxcsr & PE) === 0 && x !== 0) {
      if (!inside(x) || !inside(y) || !inside(result)) return exactly(v, DOUBLE, exact.divide, d, s, 1);
      const product = result * y;
      if (product !== x || productError(result, y, product) !== 0) notePrecision(words, mxcsr);
    }
    doubles[d >> 1] = result;
    return 0;
  }
  return exactly(v, DOUBLE, exact.divide, d, s, 1);
};
export const squareRootDouble: VectorFunction = (v, d, s) => {
  const { doubles, words } = v,
    mxcsr = words[S.MXCSR]!,
    y = doubles[s >> 1]!,
    result = Math.sqrt(y);
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ((normalDouble(y) && y > 0) || y === 0)) {
    if ((mxcsr & PE) === 0 && y !== 0) {
      if (!inside(y)) return exactly(v, DOUBLE, exact.squareRoot, d, s, 1);
      const product = result * result;
      if (product !== y || productError(result, result, product) !== 0) notePrecision(words, mxcsr);
    }
    doubles[d >> 1] = result;
    return 0;
  }
  return exactly(v, DOUBLE, exact.squareRoot, d, s, 1);
};

// ---- single precision, one lane; products and quotients of singles can be looked at in doubles
export const addSingle: VectorFunction = (v, d, s) => {
  const { singles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = singles[d]!,
    y = singles[s]!,
    sum = x + y,
    result = Math.fround(sum);
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ordinarySingle(x) && ordinarySingle(y) && ordinarySingle(result)) {
    if ((mxcsr & PE) === 0 && (result !== sum || sumRounded(x, y, sum))) notePrecision(words, mxcsr);
    singles[d] = result;
    return 0;
  }
  return exactly(v, SINGLE, exact.add, d, s, 1);
};
export const subtractSingle: VectorFunction = (v, d, s) => {
  const { singles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = singles[d]!,
    y = singles[s]!,
    sum = x - y,
    result = Math.fround(sum);
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ordinarySingle(x) && ordinarySingle(y) && ordinarySingle(result)) {
    if ((mxcsr & PE) === 0 && (result !== sum || sumRounded(x, -y, sum))) notePrecision(words, mxcsr);
    singles[d] = result;
    return 0;
  }
  return exactly(v, SINGLE, exact.subtract, d, s, 1);
};
export const multiplySingle: VectorFunction = (v, d, s) => {
  const { singles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = singles[d]!,
    y = singles[s]!,
    product = x * y,
    result = Math.fround(product);
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ordinarySingle(x) && ordinarySingle(y) && (normalSingle(result) || x === 0 || y === 0)) {
    if ((mxcsr & PE) === 0 && result !== product) notePrecision(words, mxcsr);
    singles[d] = result;
    return 0;
  }
  return exactly(v, SINGLE, exact.multiply, d, s, 1);
};
export const divideSingle: VectorFunction = (v, d, s) => {
  const { singles, words } = v,
    mxcsr = words[S.MXCSR]!,
    x = singles[d]!,
    y = singles[s]!,
    result = Math.fround(x / y);
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && normalSingle(y) && ((normalSingle(x) && normalSingle(result)) || x === 0)) {
    if ((mxcsr & PE) === 0 && result * y !== x) notePrecision(words, mxcsr);
    singles[d] = result;
    return 0;
  }
  return exactly(v, SINGLE, exact.divide, d, s, 1);
};
export const squareRootSingle: VectorFunction = (v, d, s) => {
  const { singles, words } = v,
    mxcsr = words[S.MXCSR]!,
    y = singles[s]!,
    result = Math.fround(Math.sqrt(y));
  if ((mxcsr & COMMON_BITS) === ALL_MASKED && ((normalSingle(y) && y > 0) || y === 0)) {
    if ((mxcsr & PE) === 0 && result * result !== y) notePrecision(words, mxcsr);
    singles[d] = result;
    return 0;
  }
  return exactly(v, SINGLE, exact.squareRoot, d, s, 1);
};

// ---- several lanes: with every exception masked they do not concern each other
/** All lanes of a register by the function of one, or exactly where the lanes' exceptions must be weighed together. */
export function allLanes(one: VectorFunction, f: Format, lane: Lane): VectorFunction {
  const count = 4 / f.words;
  return (v, d, s) => {
    if ((v.words[S.MXCSR]! & ALL_MASKED) !== ALL_MASKED) return exactly(v, f, lane, d, s, count);
    for (let n = 0; n < 4; n += f.words) one(v, d + n, s + n, 0, 0);
    return 0;
  };
}

// ---- comparison, least and greatest
/** Both operands normal numbers or zeros: nothing can be raised. */
export const ordinaryDoubles = ({ doubles }: Vectors, d: number, s: number): boolean =>
  ordinaryDouble(doubles[d >> 1]!) && ordinaryDouble(doubles[s >> 1]!);
export const ordinarySingles = ({ singles }: Vectors, d: number, s: number): boolean =>
  ordinarySingle(singles[d]!) && ordinarySingle(singles[s]!);
