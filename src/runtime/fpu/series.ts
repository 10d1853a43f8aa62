// Coefficients and constants of the transcendental functions, made exactly when the program starts: Taylor series, which need no
// table of magic numbers, summed in integers of 160 bits and rounded once to the 96 of fixed.ts. The whole takes under a
// millisecond. How many terms a series gets: as many as are above 2^-98 at the end of its range.

import { type Fixed, fixed } from './fixed.ts';

const BITS = 160n,
  UNIT = 1n << BITS;

/** value / 2^160 as limbs, into `out` at `at`. */
function put(value: bigint, out: Float64Array, at: number): void {
  const rounded = (value + (1n << (BITS - 97n))) >> (BITS - 96n);
  for (let n = 0; n < 4; n++) out[at + n] = Number(n === 0 ? rounded >> 72n : (rounded >> BigInt(72 - 24 * n)) & 0xffffffn);
}
function limbs(value: bigint): Fixed {
  const out = fixed();
  put(value, out, 0);
  return out;
}
/** Coefficients of `terms` powers as polynomial() takes them: the highest first. */
function series(terms: number, coefficient: (n: bigint) => bigint): Float64Array {
  const out = new Float64Array(4 * terms);
  for (let n = 0; n < terms; n++) put(coefficient(BigInt(n)), out, 4 * (terms - 1 - n));
  return out;
}
function factorial(n: bigint): bigint {
  let product = 1n;
  for (let k = 2n; k <= n; k++) product *= k;
  return product;
}
/** x - s x^3/3 + x^5/5 - s ..., x = p / q: the arc tangent with s = 1, the area hyperbolic tangent with s = -1. */
function arc(p: bigint, q: bigint, s: bigint): bigint {
  let power = (UNIT * p) / q,
    sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (-s * power * p * p) / (q * q);
  }
  return sum;
}
/** Machin's formula; ln 2 = 2 artanh(1/3). */
const PI_BITS = 16n * arc(1n, 5n, 1n) - 4n * arc(1n, 239n, 1n),
  LN2 = 2n * arc(1n, 3n, -1n);
function powerOfLn2(n: bigint): bigint {
  let power = UNIT;
  for (let k = 0n; k < n; k++) power = (power * LN2) >> BITS;
  return power;
}

export const PI = limbs(PI_BITS),
  HALF_PI = limbs(PI_BITS / 2n),
  ONE = limbs(UNIT);
/** sin(x) / x and cos(x) in x^2, up to pi/4; terms alternate. */
export const SINE = series(14, (n) => UNIT / factorial(2n * n + 1n)),
  COSINE = series(15, (n) => UNIT / factorial(2n * n));
/** arctan(x) / x in x^2, up to 1/16; terms alternate. */
export const ARC_TANGENT = series(13, (n) => UNIT / (2n * n + 1n));
/** arctan(k / 8). */
export const ARC_TANGENTS: readonly Fixed[] = Array.from({ length: 9 }, (_, k) => limbs(k === 8 ? PI_BITS / 4n : arc(BigInt(k), 8n, 1n)));
/** log2((1 + x) / (1 - x)) / x in x^2, up to 3 - sqrt(8). */
export const LOGARITHM = series(20, (n) => (2n * UNIT * UNIT) / (LN2 * (2n * n + 1n)));
/** (2^x - 1) / x in x, up to 1. */
export const EXPONENTIAL = series(26, (n) => powerOfLn2(n + 1n) / factorial(n + 1n));
