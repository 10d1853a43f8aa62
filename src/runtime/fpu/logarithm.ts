// 2^x - 1 and logarithms of base 2 of numbers (SDM volume 2, F2XM1, FYL2X, FYL2XP1), by Taylor series: that of the exponential
// function up to 1, that of the area hyperbolic tangent for logarithms of 1/sqrt(2) to sqrt(2). Special values are
// fpu/transcendental.ts's.

import { addFixed, divideFixed, fixed, multiplyFixed, polynomial, shiftFixed, significandOf, toWide } from './fixed.ts';
import { BIAS, set, setWide, type Wide, wide } from './float80.ts';
import { addMagnitudes, multiply, subtractMagnitudes } from './limbs.ts';
import { EXPONENTIAL, LOGARITHM, ONE } from './series.ts';

const significand = fixed(),
  x = fixed(),
  quotient = fixed(),
  square = fixed(),
  sum = fixed();
const one = wide(),
  logarithm = wide();

/** 2^a - 1; a is between -1 and 1 and not zero. */
export function exponentialMinusOne(a: Wide, out: Wide): void {
  significandOf(a, significand);
  x.set(significand);
  shiftFixed(x, BIAS - 1 - a.exponent);
  polynomial(EXPONENTIAL, x, a.sign === 0 ? 1 : -1, sum);
  multiplyFixed(sum, significand, sum);
  toWide(sum, a.sign, a.exponent - BIAS + 1, out);
}

/** sqrt(2) as an upper word of a significand, about. */
const SQRT2 = 0xb504f334 | 0;

/** y log2(a) for a positive a; both are numbers other than zero, a other than 1. Spends y. */
export function logarithmTimes(y: Wide, a: Wide, out: Wide): void {
  let exponent = a.exponent - BIAS;
  if (a.high === TOP_BIT && (a.low | a.rest) === 0) {
    // Of a power of two it is a whole number, and the product exact.
    setInteger(exponent, out);
    multiply(out, y);
    return;
  }
  significandOf(a, significand);
  // a = m 2^exponent, m from 1/sqrt(2) to sqrt(2)
  const above = a.high >>> 0 < SQRT2 >>> 0;
  if (above) addFixed(significand, significand, 1, significand);
  else exponent++;
  if (above) addFixed(significand, ONE, -1, x);
  else addFixed(ONE, significand, -1, x);
  // (m - 1) / (m + 1): numerator with all its places, half the denominator.
  toWide(x, 0, 0, logarithm);
  significandOf(logarithm, x);
  const places = BIAS - 1 - logarithm.exponent;
  addFixed(significand, ONE, 1, significand);
  shiftFixed(significand, 1);
  areaTangent(places + 1);
  if (exponent === 0) toWide(sum, above ? 0 : 1, -places - 1, logarithm);
  else {
    shiftFixed(sum, places + 1);
    x[0] = Math.abs(exponent) * LIMB;
    x[1] = x[2] = x[3] = 0;
    addFixed(x, sum, exponent > 0 === above ? 1 : -1, sum);
    toWide(sum, exponent < 0 ? 1 : 0, 0, logarithm);
  }
  times(y, out);
}
const TOP_BIT = 0x80000000 | 0,
  LIMB = 0x1000000;

/** y log2(1 + a); both are numbers other than zero, a above -1. Spends y and a. */
export function logarithmOfSumTimes(y: Wide, a: Wide, out: Wide): void {
  if (a.exponent >= BIAS - 2) {
    set(one, 0, BIAS, TOP_BIT, 0);
    one.rest = 0;
    if (a.sign === 0) addMagnitudes(one, a);
    else {
      a.sign = 0;
      subtractMagnitudes(one, a);
    }
    logarithmTimes(y, one, out);
    return;
  }
  // a / (2 + a), the denominator halved
  significandOf(a, x);
  const places = BIAS - 1 - a.exponent;
  significand.set(x);
  shiftFixed(significand, places + 1);
  addFixed(ONE, significand, a.sign === 0 ? 1 : -1, significand);
  areaTangent(places + 1);
  toWide(sum, a.sign, -places - 1, logarithm);
  times(y, out);
}

/** log2((1 + s) / (1 - s)) into `sum`, times 2^places; s = x / `significand` / 2^places. */
function areaTangent(places: number): void {
  divideFixed(x, significand, quotient);
  square.set(quotient);
  shiftFixed(square, places);
  multiplyFixed(square, square, square);
  polynomial(LOGARITHM, square, 1, sum);
  multiplyFixed(sum, quotient, sum);
}
/** y * `logarithm`. */
function times(y: Wide, out: Wide): void {
  significandOf(y, significand);
  significandOf(logarithm, x);
  multiplyFixed(significand, x, x);
  toWide(x, y.sign ^ logarithm.sign, y.exponent + logarithm.exponent - 2 * BIAS + 2, out);
}
function setInteger(n: number, w: Wide): void {
  const magnitude = Math.abs(n),
    places = Math.clz32(magnitude);
  setWide(w, n < 0 ? 1 : 0, BIAS + 31 - places, magnitude << places, 0, 0);
}
