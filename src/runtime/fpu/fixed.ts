// Fixed-point numbers of the transcendental functions: four limbs of 24 bits below the binary point, held in doubles. Products of
// limbs and their sums stay below 2^53, so every step is exact integer arithmetic and the same on every host. An operation is
// off by a few units of 2^-96 at most; results are wanted to 2^-64.

import { BIAS, setWide, type Wide } from './float80.ts';

/** Limbs, most significant first. Those behind the first are below 2^24; the first has the integer part above its 24 bits. */
export type Fixed = Float64Array;
export const fixed = (): Fixed => new Float64Array(4);

const LIMB = 0x1000000,
  UNIT = 1 / LIMB;

/** out := a * b, both below 16. `out` may be one of them. */
export function multiplyFixed(a: Fixed, b: Fixed, out: Fixed): void {
  const a0 = a[0]!,
    a1 = a[1]!,
    a2 = a[2]!,
    a3 = a[3]!,
    b0 = b[0]!,
    b1 = b[1]!,
    b2 = b[2]!,
    b3 = b[3]!;
  const below = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + Math.floor((a1 * b3 + a2 * b2 + a3 * b1) * UNIT),
    third = a0 * b2 + a1 * b1 + a2 * b0 + Math.floor(below * UNIT),
    carry2 = Math.floor(third * UNIT),
    second = a0 * b1 + a1 * b0 + carry2,
    carry1 = Math.floor(second * UNIT),
    first = a0 * b0 + carry1,
    carry0 = Math.floor(first * UNIT);
  out[0] = carry0;
  out[1] = first - carry0 * LIMB;
  out[2] = second - carry1 * LIMB;
  out[3] = third - carry2 * LIMB;
}

/**
 * out := c0 + s z (c1 + s z (c2 + ...)), s = 1 or -1, with four limbs for each coefficient, that of the highest power first. All
 * partial sums must lie between 0 and 8, and z below 1. `out` may be z.
 */
export function polynomial(coefficients: Float64Array, z: Fixed, s: number, out: Fixed): void {
  const z0 = z[0]!,
    z1 = z[1]!,
    z2 = z[2]!,
    z3 = z[3]!;
  let p0 = coefficients[0]!,
    p1 = coefficients[1]!,
    p2 = coefficients[2]!,
    p3 = coefficients[3]!;
  for (let n = 4; n < coefficients.length; n += 4) {
    const below = p0 * z3 + p1 * z2 + p2 * z1 + p3 * z0,
      third = coefficients[n + 3]! + s * (p0 * z2 + p1 * z1 + p2 * z0 + Math.floor(below * UNIT)),
      carry2 = Math.floor(third * UNIT),
      second = coefficients[n + 2]! + s * (p0 * z1 + p1 * z0) + carry2,
      carry1 = Math.floor(second * UNIT),
      first = coefficients[n + 1]! + s * p0 * z0 + carry1,
      carry0 = Math.floor(first * UNIT);
    p0 = coefficients[n]! + carry0;
    p1 = first - carry0 * LIMB;
    p2 = second - carry1 * LIMB;
    p3 = third - carry2 * LIMB;
  }
  out[0] = p0;
  out[1] = p1;
  out[2] = p2;
  out[3] = p3;
}

/** out := a + s b, s = 1 or -1; the result must not be negative. `out` may be one of them. */
export function addFixed(a: Fixed, b: Fixed, s: number, out: Fixed): void {
  const third = a[3]! + s * b[3]!,
    carry2 = Math.floor(third * UNIT),
    second = a[2]! + s * b[2]! + carry2,
    carry1 = Math.floor(second * UNIT),
    first = a[1]! + s * b[1]! + carry1,
    carry0 = Math.floor(first * UNIT);
  out[0] = a[0]! + s * b[0]! + carry0;
  out[1] = first - carry0 * LIMB;
  out[2] = second - carry1 * LIMB;
  out[3] = third - carry2 * LIMB;
}
/** Whether a < b. */
export function isBelowFixed(a: Fixed, b: Fixed): boolean {
  for (let n = 0; n < 3; n++) if (a[n] !== b[n]) return a[n]! < b[n]!;
  return a[3]! < b[3]!;
}
/** a := a / 2^places; what falls out is lost. */
export function shiftFixed(a: Fixed, places: number): void {
  let left = places;
  for (; left >= 24; left -= 24) {
    if (left >= 24 * 5) {
      a.fill(0);
      return;
    }
    const whole = Math.floor(a[0]! * UNIT);
    a[3] = a[2]!;
    a[2] = a[1]!;
    a[1] = a[0]! - whole * LIMB;
    a[0] = whole;
  }
  if (left === 0) return;
  const step = 1 << left,
    top = 1 << (24 - left);
  let lost = 0;
  for (let n = 0; n < 4; n++) {
    const limb = a[n]!,
      whole = Math.floor(limb / step);
    a[n] = whole + lost * top;
    lost = limb - whole * step;
  }
}

/** 1 - 2^-46. */
const BELOW_ONE = 1 - UNIT / 0x400000;
const estimate = fixed(),
  product = fixed(),
  remainder = fixed();
/** out := a / b with b from 1/2 to 2 and a below 2. */
export function divideFixed(a: Fixed, b: Fixed, out: Fixed): void {
  // 46 bits of 1 / b, never too many; the quotient they give is corrected once by its remainder.
  const reciprocal = (BELOW_ONE * LIMB * LIMB) / (b[0]! + b[1]! * UNIT),
    high = Math.floor(reciprocal);
  estimate[0] = high;
  estimate[1] = Math.floor((reciprocal - high) * LIMB);
  multiplyFixed(a, estimate, out);
  multiplyFixed(out, b, product);
  addFixed(a, product, -1, remainder);
  multiplyFixed(remainder, estimate, remainder);
  addFixed(out, remainder, 1, out);
}

/** The significand of a normalized number, 1/2 to 1. */
export function significandOf(w: Wide, out: Fixed): void {
  out[0] = w.high >>> 8;
  out[1] = ((w.high & 0xff) << 16) | (w.low >>> 16);
  out[2] = ((w.low & 0xffff) << 8) | (w.rest >>> 24);
  out[3] = w.rest & 0xffffff;
}
/** a * 2^exponent as a normalized number with a sign; a must not be zero. The number counts as inexact. */
export function toWide(a: Fixed, sign: number, exponent: number, w: Wide): void {
  const whole = Math.floor(a[0]! * UNIT);
  let high = whole,
    low = ((a[0]! - whole * LIMB) << 8) | (a[1]! >>> 16),
    rest = (a[1]! << 16) | (a[2]! >>> 8),
    last = (a[2]! << 24) | a[3]!,
    e = BIAS + 31 + exponent;
  while (high === 0) {
    high = low;
    low = rest;
    rest = last;
    last = 0;
    e -= 32;
  }
  const n = Math.clz32(high);
  if (n > 0) {
    high = (high << n) | (low >>> (32 - n));
    low = (low << n) | (rest >>> (32 - n));
    rest = (rest << n) | (last >>> (32 - n));
  }
  setWide(w, sign, e - n, high | 0, low | 0, rest | 1);
}
