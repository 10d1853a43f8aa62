// Sine, cosine, tangent and arc tangent of numbers (SDM volume 2, FSIN, FCOS, FSINCOS, FPTAN, FPATAN). An angle is reduced as Intel
// processors do it, by a pi of 66 bits (SDM volume 1, "Approximation of Pi"), and without any further error: its remainder has at
// most 66 bits. Then the Taylor series of an angle up to pi/4. Special values are fpu/transcendental.ts's.

import { addFixed, divideFixed, fixed, isBelowFixed, multiplyFixed, polynomial, shiftFixed, significandOf, toWide } from './fixed.ts';
import { BIAS, normalize, set, setWide, type Wide, wide } from './float80.ts';
import { divide, isBelow } from './limbs.ts';
import { ARC_TANGENT, ARC_TANGENTS, COSINE, HALF_PI, PI, SINE } from './series.ts';

/** pi / 2 in units of 2^-65, and as a double: three limbs of 24 bits. */
const P2 = 0x3243f,
  P1 = 0x6a8885,
  P0 = 0xa308d3,
  LIMB = 0x1000000,
  P = (P2 * LIMB + P1) * LIMB + P0;
/** Exponents of angles that are tested for a multiple of pi / 2 (1/2 and more), and of those out of range (2^63). */
const REDUCED_FROM = BIAS - 1,
  OUT_OF_RANGE = BIAS + 63;
/** Below 2^-44 sine and tangent are nearer to their argument than anything that is rounded to 64 bits can tell, and cosine to 1. */
const TINY = BIAS - 44;

export const isOutOfRange = (exponent: number): boolean => exponent >= OUT_OF_RANGE;

/** The angle after reduction and its quadrant; its significand and square, 2^-96 the last place of both. */
const angle = wide(),
  significand = fixed(),
  square = fixed(),
  sine = fixed(),
  cosine = fixed(),
  quotient = fixed();
let quadrant = 0;

/** x = quadrant * pi/2 + angle. */
function reduceAngle(x: Wide): void {
  quadrant = 0;
  if (x.exponent < REDUCED_FROM) {
    setWide(angle, x.sign, x.exponent, x.high, x.low, x.rest);
    return;
  }
  let r0 = x.low & 0xffffff,
    r1 = ((x.high & 0xffff) << 8) | (x.low >>> 24),
    r2 = x.high >>> 16;
  // x is this times a power of two: up to 20 places at a time, the nearest multiple of pi/2 taken off each time.
  for (let places = x.exponent - BIAS + 2; places > 0; ) {
    const step = Math.min(places, 20),
      scale = 1 << step;
    const q = Math.round((((r2 * LIMB + r1) * LIMB + r0) * scale) / P);
    const d0 = r0 * scale - q * P0,
      carry0 = Math.floor(d0 / LIMB),
      d1 = r1 * scale - q * P1 + carry0,
      carry1 = Math.floor(d1 / LIMB);
    r0 = d0 - carry0 * LIMB;
    r1 = d1 - carry1 * LIMB;
    r2 = r2 * scale - q * P2 + carry1;
    quadrant = ((quadrant << step) + q) & 3;
    places -= step;
  }
  let sign = x.sign;
  if (sign !== 0) quadrant = -quadrant & 3;
  if (r2 < 0) {
    sign ^= 1;
    r0 = -r0;
    r1 = -r1 + Math.floor(r0 / LIMB);
    r2 = -r2 + Math.floor(r1 / LIMB);
    r0 = r0 < 0 ? r0 + LIMB : r0;
    r1 = r1 < 0 ? r1 + LIMB : r1;
  }
  // 72 bits from 2^6 down.
  setWide(angle, sign, BIAS + 6, (r2 << 8) | (r1 >>> 16), (r1 << 16) | (r0 >>> 8), r0 << 24);
  normalize(angle);
}
function squareAngle(): void {
  significandOf(angle, significand);
  square.set(significand);
  shiftFixed(square, BIAS - 1 - angle.exponent);
  multiplyFixed(square, square, square);
}
function sineTo(out: Wide, sign: number): void {
  if (angle.exponent < TINY) return below(angle, sign, out);
  polynomial(SINE, square, -1, sine);
  multiplyFixed(sine, significand, sine);
  toWide(sine, sign, angle.exponent - BIAS + 1, out);
}
function cosineTo(out: Wide, sign: number): void {
  if (angle.exponent < TINY) return below(ONE, sign, out);
  polynomial(COSINE, square, -1, cosine);
  toWide(cosine, sign, 0, out);
}
const ONE = wide();
set(ONE, 0, BIAS, 0x80000000 | 0, 0);

/** Magnitude of a number of 64 bits with a sign and a trifle less, as rounding sees it. */
function below(x: Wide, sign: number, out: Wide): void {
  const low = (x.low - 1) | 0,
    high = (x.high - (x.low === 0 ? 1 : 0)) | 0;
  // A power of two becomes the largest number below it.
  if (high >= 0) setWide(out, sign, x.exponent - 1, -1, -1, -1);
  else setWide(out, sign, x.exponent, high, low, -1);
}

/** sin x and cos x into what is given; x is a finite number other than zero below 2^63. */
export function sineAndCosine(x: Wide, sin: Wide | undefined, cos: Wide | undefined): void {
  reduceAngle(x);
  squareAngle();
  const swapped = (quadrant & 1) !== 0;
  if (sin !== undefined) {
    const sign = quadrant >> 1;
    if (swapped) cosineTo(sin, sign);
    else sineTo(sin, sign ^ angle.sign);
  }
  if (cos !== undefined) {
    const sign = ((quadrant + 1) >> 1) & 1;
    if (swapped) sineTo(cos, sign ^ angle.sign);
    else cosineTo(cos, sign);
  }
}

/** tan x; x is a finite number other than zero below 2^63. */
export function tangent(x: Wide, out: Wide): void {
  reduceAngle(x);
  const inverse = (quadrant & 1) !== 0;
  if (angle.exponent < TINY) {
    if (inverse) {
      // Few bits are left of such an angle.
      setWide(out, 1, BIAS, ONE.high, 0, 0);
      divide(out, angle);
      if (out.rest === 0) below(out, out.sign, out);
    } else setWide(out, angle.sign, angle.exponent, angle.high, angle.low, angle.rest | 1);
    return;
  }
  squareAngle();
  polynomial(SINE, square, -1, sine);
  polynomial(COSINE, square, -1, cosine);
  multiplyFixed(sine, significand, sine);
  const places = angle.exponent - BIAS + 1;
  if (inverse) {
    // The sine over the power of two may be anything from 0.45 to 1.
    addFixed(sine, sine, 1, sine);
    divideFixed(cosine, sine, quotient);
    toWide(quotient, angle.sign ^ 1, 1 - places, out);
  } else {
    divideFixed(sine, cosine, quotient);
    toWide(quotient, angle.sign, places, out);
  }
}

const numerator = fixed(),
  denominator = fixed(),
  eighths = fixed(),
  least = fixed(),
  greatest = fixed();
/** Ratios below 2^-44 are nearer to their arc tangent than can be told. */
const TINY_RATIO = 44;

/** The angle of the point (x, y), -pi to pi; both are finite numbers other than zero. y and x are spent. */
export function arcTangent(y: Wide, x: Wide, out: Wide): void {
  const steep = y.exponent === x.exponent ? isBelow(x.high, x.low, y.high, y.low) : y.exponent > x.exponent,
    less = steep ? x : y,
    more = steep ? y : x,
    sign = y.sign,
    left = x.sign !== 0;
  const places = more.exponent - less.exponent;
  if (places > TINY_RATIO && !steep && !left) {
    divide(less, more);
    if (less.rest === 0) below(less, sign, out);
    else setWide(out, sign, less.exponent, less.high, less.low, less.rest);
    return;
  }
  significandOf(less, least);
  significandOf(more, greatest);
  const near = nearestEighth(places);
  let power = 0;
  if (near === 0) {
    // The ratio's significand keeps all its places.
    divideFixed(least, greatest, quotient);
    power = -places;
    arcTangentSeries(places);
    multiplyFixed(sine, quotient, quotient);
  } else {
    // arctan(less / more) = arctan(k/8) + arctan((less - more k/8) / (more + less k/8)), the numerator exact
    shiftFixed(least, places);
    eighths[0] = near << 21;
    multiplyFixed(greatest, eighths, numerator);
    const negative = isBelowFixed(least, numerator);
    if (negative) addFixed(numerator, least, -1, numerator);
    else addFixed(least, numerator, -1, numerator);
    multiplyFixed(least, eighths, denominator);
    addFixed(greatest, denominator, 1, denominator);
    divideFixed(numerator, denominator, quotient);
    arcTangentSeries(0);
    multiplyFixed(sine, quotient, quotient);
    addFixed(ARC_TANGENTS[near]!, quotient, negative ? -1 : 1, quotient);
  }
  if (steep || left) {
    shiftFixed(quotient, -power);
    power = 0;
    if (steep) addFixed(HALF_PI, quotient, left ? 1 : -1, quotient);
    else addFixed(PI, quotient, -1, quotient);
  }
  toWide(quotient, sign, power, out);
}
/** Nearest k of k/8 to least / greatest / 2^places. */
function nearestEighth(places: number): number {
  return places > 4 ? 0 : Math.round((8 * least[0]!) / (greatest[0]! * (1 << places)));
}
/** arctan(q) / q into `sine`, q = `quotient` / 2^places. */
function arcTangentSeries(places: number): void {
  square.set(quotient);
  shiftFixed(square, places);
  multiplyFixed(square, square, square);
  polynomial(ARC_TANGENT, square, -1, sine);
}
