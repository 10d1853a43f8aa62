// Rounding to an integer, scaling, taking apart, partial remainders (SDM volume 2, FRNDINT, FSCALE, FXTRACT, FPREM, FPREM1).
// Precision control does not govern these. They return what they raised, as fpu/arithmetic.ts does.

import { invalid, nanOf, nanOfOne } from './arithmetic.ts';
import { fromInteger, stored, toInteger } from './convert.ts';
import {
  BIAS,
  copy,
  type Float80,
  KIND,
  kindOf,
  load,
  normalize,
  pack,
  roundSignificand,
  set,
  setInfinity,
  setWide,
  setZero,
  shiftRight,
  wide,
} from './float80.ts';
import { isBelow } from './limbs.ts';
import { C0, C1, C2, C3, DE, FULL_PRECISION, ROUND, roundingOf, ZE } from './words.ts';

const WORD = 0x100000000;
const u = wide(),
  v = wide();

export function roundToInteger(a: Float80, control: number, out: Float80): number {
  const kind = kindOf(a);
  if (kind >= KIND.QNAN) return nanOfOne(a, kind, out);
  copy(out, a);
  if (kind === KIND.ZERO || kind === KIND.INFINITY) return 0;
  load(u, a);
  const places = BIAS + 63 - u.exponent;
  if (places <= 0) return 0;
  u.exponent = BIAS + 63;
  shiftRight(u, places);
  const raised = (kind === KIND.DENORMAL ? DE : 0) | roundSignificand(u, 64, roundingOf(control));
  if ((u.high | u.low) === 0) setZero(out, a.sign);
  else {
    normalize(u);
    copy(out, u);
  }
  return raised;
}

/** a * 2^trunc(b). */
export function scale(a: Float80, b: Float80, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b);
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  const raised = ka === KIND.DENORMAL || kb === KIND.DENORMAL ? DE : 0;
  if (kb === KIND.INFINITY) {
    if (ka === (b.sign === 0 ? KIND.ZERO : KIND.INFINITY)) return invalid(out);
    if (b.sign === 0) setInfinity(out, a.sign);
    else setZero(out, a.sign);
    return raised;
  }
  copy(out, a);
  if (ka === KIND.INFINITY || ka === KIND.ZERO) return raised;
  load(u, a);
  // Further than any exponent reaches is far enough.
  const inexact = toInteger(b, 32, ROUND.ZERO),
    far = (inexact & 1) !== 0 || Math.abs(stored.low | 0) > FAR;
  u.exponent += far ? (b.sign !== 0 ? -FAR : FAR) : stored.low | 0;
  return raised | pack(u, control | FULL_PRECISION, out);
}
const FAR = 0x20000;

/** Significand of a into `significand`, its exponent as a number into `exponent`. */
export function extract(a: Float80, exponent: Float80, significand: Float80): number {
  const kind = kindOf(a);
  if (kind >= KIND.QNAN) {
    const raised = nanOfOne(a, kind, exponent);
    copy(significand, exponent);
    return raised;
  }
  copy(significand, a);
  if (kind === KIND.INFINITY) {
    setInfinity(exponent, 0);
    return 0;
  }
  if (kind === KIND.ZERO) {
    setInfinity(exponent, 1);
    return ZE;
  }
  load(u, a);
  const e = u.exponent - BIAS;
  fromInteger(e >> 31, e, exponent);
  set(significand, u.sign, BIAS, u.high, u.low);
  return kind === KIND.DENORMAL ? DE : 0;
}

/**
 * Remainder of a by b, the quotient cut off (FPREM) or rounded to nearest even (FPREM1). Returns exceptions with condition
 * codes: C2 when the reduction is partial, otherwise the quotient's bits 2, 1, 0 in C0, C3, C1.
 */
export function remainder(a: Float80, b: Float80, nearest: boolean, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b);
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  if (ka === KIND.INFINITY || kb === KIND.ZERO) return invalid(out);
  const raised = ka === KIND.DENORMAL || kb === KIND.DENORMAL ? DE : 0;
  copy(out, a);
  if (ka === KIND.ZERO) return raised;
  load(u, a);
  if (kb === KIND.INFINITY) return raised | pack(u, control | FULL_PRECISION, out);
  load(v, b);
  const apart = u.exponent - v.exponent;
  if (apart >= 64) {
    // Partial: between 32 and 63 places at a time.
    const step = (apart & 31) | 32;
    reduce(step);
    const left = apart - step;
    if ((u.high | u.low) === 0) {
      setZero(out, a.sign);
      return raised | C2;
    }
    u.exponent = v.exponent + left;
    normalize(u);
    return raised | C2 | pack(u, control | FULL_PRECISION, out);
  }
  let quotient = 0;
  if (apart >= 0) {
    quotient = reduce(apart);
    u.exponent = v.exponent;
  }
  if (nearest && apart >= -1 && (u.high | u.low) !== 0) {
    // Above half of b, or half of it with an odd quotient.
    const half = twiceAgainst(apart < 0);
    if (half > 0 || (half === 0 && (quotient & 1) !== 0)) {
      complement(apart < 0);
      quotient++;
    }
  }
  const codes = ((quotient & 4) !== 0 ? C0 : 0) | ((quotient & 2) !== 0 ? C3 : 0) | ((quotient & 1) !== 0 ? C1 : 0);
  if ((u.high | u.low | u.rest) === 0) {
    setZero(out, a.sign);
    return raised | codes;
  }
  normalize(u);
  return raised | codes | pack(u, control | FULL_PRECISION, out);
}
/** u mod v with u's significand shifted left by `places`; returns the quotient's low bits. */
function reduce(places: number): number {
  let { high, low } = u,
    quotient = 0,
    carry = 0;
  for (let n = places; ; n--) {
    quotient <<= 1;
    if (carry !== 0 || !isBelow(high, low, v.high, v.low)) {
      const difference = (low >>> 0) - (v.low >>> 0);
      high = ((high >>> 0) - (v.high >>> 0) - (difference < 0 ? 1 : 0)) | 0;
      low = difference | 0;
      quotient |= 1;
    }
    if (n === 0) break;
    carry = high >>> 31;
    high = (high << 1) | (low >>> 31);
    low <<= 1;
  }
  setWide(u, u.sign, u.exponent, high, low, 0);
  return quotient;
}
/** Sign of 2u - v, where u has v's exponent, or one less when `lower`. */
function twiceAgainst(lower: boolean): number {
  if (!lower && u.high < 0) return 1;
  const high = lower ? u.high : (u.high << 1) | (u.low >>> 31),
    low = lower ? u.low : u.low << 1;
  if (high === v.high && low === v.low) return 0;
  return isBelow(high, low, v.high, v.low) ? -1 : 1;
}
/** u := u - v, which is negative: the sign turns. With `lower` u's exponent is one less than v's. */
function complement(lower: boolean): void {
  if (lower) {
    shiftRight(u, 1);
    u.exponent = v.exponent;
  }
  const rest = u.rest === 0 ? 0 : WORD - (u.rest >>> 0),
    low = (v.low >>> 0) - (u.low >>> 0) - (rest !== 0 ? 1 : 0),
    high = (v.high >>> 0) - (u.high >>> 0) - (low < 0 ? 1 : 0);
  setWide(u, u.sign ^ 1, u.exponent, high | 0, low | 0, rest | 0);
}
