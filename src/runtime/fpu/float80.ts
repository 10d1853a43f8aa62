// The double extended-precision format: contents of a register, kinds of values, and an exact intermediate result with its
// rounding (SDM volume 1, "Double Extended-Precision Floating-Point", "Rounding", "Underflow", "Overflow"). Significands are
// int32 limbs; nothing is allocated on the way of an operation.

import { C1, OE, PE, precisionOf, ROUND, roundingOf, UE } from './words.ts';

/** A register's contents taken apart; any bit pattern, supported or not. */
export interface Float80 {
  /** 0 or 1. */
  sign: number;
  /** Biased by 16383, 0 to 7FFFh. */
  exponent: number;
  /** Significand, integer bit first, as two int32. */
  high: number;
  low: number;
}
export const BIAS = 0x3fff,
  MAX_EXPONENT = 0x7fff;
const TOP_BIT = 0x80000000 | 0,
  QUIET = 0x40000000;

export const float80 = (sign = 0, exponent = 0, high = 0, low = 0): Float80 => ({ sign, exponent, high, low });
export function set(x: Float80, sign: number, exponent: number, high: number, low: number): void {
  x.sign = sign;
  x.exponent = exponent;
  x.high = high;
  x.low = low;
}
export const copy = (x: Float80, from: Float80): void => set(x, from.sign, from.exponent, from.high, from.low);
export const setZero = (x: Float80, sign: number): void => set(x, sign, 0, 0, 0);
export const setInfinity = (x: Float80, sign: number): void => set(x, sign, MAX_EXPONENT, TOP_BIT, 0);
/** The QNaN floating-point indefinite: the masked answer to an invalid operation. */
export const setIndefinite = (x: Float80): void => set(x, 1, MAX_EXPONENT, TOP_BIT | QUIET, 0);
export function setQuiet(x: Float80, from: Float80): void {
  set(x, from.sign, from.exponent, from.high | QUIET, from.low);
}

/** Kinds in such an order that what needs a NaN rule comes last. */
export const KIND = { NORMAL: 0, ZERO: 1, DENORMAL: 2, INFINITY: 3, QNAN: 4, SNAN: 5, UNSUPPORTED: 6 } as const;
/** A pseudo-denormal counts as denormal; unnormals, pseudo-NaNs and pseudo-infinities are unsupported. */
export function kindOf(x: Float80): number {
  if (x.exponent === 0) return (x.high | x.low) === 0 ? KIND.ZERO : KIND.DENORMAL;
  if (x.high >= 0) return KIND.UNSUPPORTED;
  if (x.exponent !== MAX_EXPONENT) return KIND.NORMAL;
  if (((x.high & 0x7fffffff) | x.low) === 0) return KIND.INFINITY;
  return (x.high & QUIET) !== 0 ? KIND.QNAN : KIND.SNAN;
}

/** An intermediate result: exponent of any size and 32 bits below the significand, the last of them sticky. */
export interface Wide extends Float80 {
  rest: number;
}
export const wide = (): Wide => ({ sign: 0, exponent: 0, high: 0, low: 0, rest: 0 });
export function setWide(w: Wide, sign: number, exponent: number, high: number, low: number, rest: number): void {
  set(w, sign, exponent, high, low);
  w.rest = rest;
}
/** A finite number other than zero with its integer bit set, the exponent made to fit. */
export function load(w: Wide, x: Float80): void {
  setWide(w, x.sign, x.exponent === 0 ? 1 : x.exponent, x.high, x.low, 0);
  if (w.high >= 0) normalize(w);
}
/** Shifts left until the integer bit is set. The number must not be zero. */
export function normalize(w: Wide): void {
  while (w.high === 0) {
    w.high = w.low;
    w.low = w.rest;
    w.rest = 0;
    w.exponent -= 32;
  }
  const n = Math.clz32(w.high);
  if (n === 0) return;
  w.high = (w.high << n) | (w.low >>> (32 - n));
  w.low = (w.low << n) | (w.rest >>> (32 - n));
  w.rest <<= n;
  w.exponent -= n;
}
/** Shifts significand and rest right; what falls out stays as the sticky bit. The exponent is the caller's. */
export function shiftRight(w: Wide, count: number): void {
  if (count >= 96) {
    w.rest = (w.high | w.low | w.rest) !== 0 ? 1 : 0;
    w.high = w.low = 0;
    return;
  }
  let n = count;
  for (; n >= 32; n -= 32) {
    w.rest = w.low | (w.rest !== 0 ? 1 : 0);
    w.low = w.high;
    w.high = 0;
  }
  if (n === 0) return;
  const lost = w.rest << (32 - n);
  w.rest = (w.rest >>> n) | (w.low << (32 - n)) | (lost !== 0 ? 1 : 0);
  w.low = (w.low >>> n) | (w.high << (32 - n));
  w.high >>>= n;
}

/**
 * Rounds the significand to `bits` (24, 53 or 64) places and clears what was below. A carry out of the integer bit goes to the
 * exponent. Returns PE when inexact, and C1 when rounded away from zero.
 */
export function roundSignificand(w: Wide, bits: number, rounding: number): number {
  let rest = w.rest,
    odd: number;
  if (bits === 64) odd = w.low & 1;
  else if (bits === 53) {
    rest = (w.low << 21) | (rest !== 0 ? 1 : 0);
    w.low &= ~0x7ff;
    odd = w.low & 0x800;
  } else {
    rest = (w.high << 24) | ((w.low | rest) !== 0 ? 1 : 0);
    w.high &= ~0xff;
    w.low = 0;
    odd = w.high & 0x100;
  }
  w.rest = 0;
  if (rest === 0) return 0;
  const up = rounding === ROUND.NEAREST ? rest < 0 && (odd !== 0 || rest << 1 !== 0) : rounding === (w.sign === 0 ? ROUND.UP : ROUND.DOWN);
  if (!up) return PE;
  const before = w.high;
  if (bits === 24) w.high = (w.high + 0x100) | 0;
  else {
    const unit = bits === 64 ? 1 : 0x800;
    w.low = (w.low + unit) | 0;
    if (w.low >>> 0 < unit) w.high = (w.high + 1) | 0;
  }
  if (before < 0 && w.high >= 0) {
    w.high = TOP_BIT;
    w.exponent++;
  }
  return PE | C1;
}

/** Exponent offset of an unmasked overflow or underflow into a register. */
const WRAP = 0x6000;

/** Rounds by the control word and stores as a register's contents; returns OE, UE, PE and C1. */
export function pack(w: Wide, control: number, out: Float80): number {
  const bits = precisionOf(control),
    rounding = roundingOf(control);
  if (w.exponent <= 0) return packTiny(w, bits, rounding, control, out);
  const raised = roundSignificand(w, bits, rounding);
  if (w.exponent >= MAX_EXPONENT) return packHuge(w, bits, rounding, control, raised, out);
  copy(out, w);
  return raised;
}
function packTiny(w: Wide, bits: number, rounding: number, control: number, out: Float80): number {
  const { exponent, high, low, rest } = w;
  let raised = roundSignificand(w, bits, rounding);
  // Tiny is what lies below the normal numbers after rounding with an unbounded exponent.
  const tiny = w.exponent <= 0;
  if (tiny && (control & UE) === 0) {
    w.exponent += WRAP;
    if (w.exponent > 0) {
      copy(out, w);
      return raised | UE;
    }
    // Only FSCALE gets so far that the offset does not suffice.
    setZero(out, w.sign);
    return UE | PE;
  }
  setWide(w, w.sign, exponent, high, low, rest);
  shiftRight(w, 1 - exponent);
  raised = roundSignificand(w, bits, rounding);
  set(out, w.sign, w.high < 0 ? 1 : 0, w.high, w.low);
  return tiny && raised !== 0 ? raised | UE : raised;
}
function packHuge(w: Wide, bits: number, rounding: number, control: number, raised: number, out: Float80): number {
  if ((control & OE) === 0) {
    w.exponent -= WRAP;
    if (w.exponent < MAX_EXPONENT) {
      copy(out, w);
      return raised | OE;
    }
    setInfinity(out, w.sign);
    return OE | PE | C1;
  }
  if (rounding === ROUND.NEAREST || rounding === (w.sign === 0 ? ROUND.UP : ROUND.DOWN)) {
    setInfinity(out, w.sign);
    return OE | PE | C1;
  }
  set(out, w.sign, MAX_EXPONENT - 1, bits === 24 ? ~0xff : -1, bits === 24 ? 0 : bits === 53 ? ~0x7ff : -1);
  return OE | PE;
}
