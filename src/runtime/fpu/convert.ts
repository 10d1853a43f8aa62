// Between the register format and single, double and signed integers (SDM volume 1, "Data Types and Addressing in the x87 FPU";
// volume 2, FLD, FST, FILD, FIST). Loads are exact; stores round by the control word and return the exceptions they raised, C1
// among them, leaving the masked answer's bits in `stored`.

import {
  BIAS,
  type Float80,
  KIND,
  kindOf,
  load,
  MAX_EXPONENT,
  roundSignificand,
  set,
  setInfinity,
  setZero,
  shiftRight,
  wide,
} from './float80.ts';
import { C1, DE, IE, OE, PE, ROUND, roundingOf, UE } from './words.ts';

const w = wide();
/** Bits of the last store: 16 and 32 bits in `low`, the two highest bytes of a packed decimal in `top`. */
export const stored = { top: 0, high: 0, low: 0 };
function put(high: number, low: number, raised = 0): number {
  stored.high = high;
  stored.low = low;
  return raised;
}

const QUIET = 0x40000000;
/** A binary interchange format: fraction bits in the significand's upper word, exponent's bias and largest value. */
interface Format {
  readonly bits: 24 | 53;
  readonly bias: number;
  readonly max: number;
}
const SINGLE: Format = { bits: 24, bias: 127, max: 255 },
  DOUBLE: Format = { bits: 53, bias: 1023, max: 2047 };

/**
 * From sign, exponent and fraction with the fraction's first bit at bit 62 of (high, low). Returns IE for a signalling NaN, which
 * stays one, and DE for a denormal, which becomes a normal number.
 */
function widen(f: Format, sign: number, exponent: number, high: number, low: number, out: Float80): number {
  if (exponent === f.max) {
    if ((high | low) === 0) {
      setInfinity(out, sign);
      return 0;
    }
    set(out, sign, MAX_EXPONENT, 0x80000000 | high, low);
    return (high & QUIET) === 0 ? IE : 0;
  }
  if (exponent === 0) {
    if ((high | low) === 0) {
      setZero(out, sign);
      return 0;
    }
    set(out, sign, BIAS - f.bias + 1, high, low);
    load(w, out);
    set(out, sign, w.exponent, w.high, w.low);
    return DE;
  }
  set(out, sign, exponent + BIAS - f.bias, high | 0x80000000, low);
  return 0;
}
export function fromSingle(bits: number, out: Float80): number {
  return widen(SINGLE, bits >>> 31, (bits >>> 23) & 0xff, (bits & 0x7fffff) << 8, 0, out);
}
export function fromDouble(high: number, low: number, out: Float80): number {
  return widen(DOUBLE, high >>> 31, (high >>> 20) & 0x7ff, ((high & 0xfffff) << 11) | (low >>> 21), low << 11, out);
}
/** From a signed integer of 64 bits. */
export function fromInteger(high: number, low: number, out: Float80): void {
  const sign = high >>> 31;
  if (sign !== 0) {
    high = ~high + (low === 0 ? 1 : 0);
    low = -low;
  }
  fromMagnitude(sign, high | 0, low | 0, out);
}
/** From a sign and 64 unsigned bits. */
export function fromMagnitude(sign: number, high: number, low: number, out: Float80): void {
  if ((high | low) === 0) return setZero(out, sign);
  set(out, sign, BIAS + 63, high, low);
  load(w, out);
  set(out, sign, w.exponent, w.high, w.low);
}

/** Sign, exponent and significand (integer bit at bit 63) as the format's bits. */
function place(f: Format, sign: number, exponent: number, high: number, low: number, raised: number): number {
  if (f === SINGLE) return put(0, (sign << 31) | (exponent << 23) | ((high >>> 8) & 0x7fffff), raised);
  return put((sign << 31) | (exponent << 20) | ((high >>> 11) & 0xfffff), (high << 21) | (low >>> 11), raised);
}
function narrow(f: Format, x: Float80, control: number): number {
  const kind = kindOf(x);
  if (kind === KIND.UNSUPPORTED) return place(f, 1, f.max, 0xc0000000, 0, IE);
  if (kind >= KIND.QNAN) return place(f, x.sign, f.max, x.high | QUIET, x.low, kind === KIND.SNAN ? IE : 0);
  if (kind === KIND.INFINITY) return place(f, x.sign, f.max, 0, 0, 0);
  if (kind === KIND.ZERO) return place(f, x.sign, 0, 0, 0, 0);
  const rounding = roundingOf(control);
  load(w, x);
  w.exponent += f.bias - BIAS;
  let raised: number;
  if (w.exponent > 0) {
    raised = roundSignificand(w, f.bits, rounding);
    if (w.exponent < f.max) return place(f, x.sign, w.exponent, w.high, w.low, raised);
    const away = rounding === ROUND.NEAREST || rounding === (x.sign === 0 ? ROUND.UP : ROUND.DOWN);
    if ((control & OE) === 0) return OE;
    return away ? place(f, x.sign, f.max, 0, 0, OE | PE | C1) : place(f, x.sign, f.max - 1, -1, -1, OE | PE);
  }
  const { exponent, high, low } = w;
  raised = roundSignificand(w, f.bits, rounding);
  const tiny = w.exponent <= 0;
  if (tiny && (control & UE) === 0) return UE;
  set(w, x.sign, exponent, high, low);
  w.rest = 0;
  shiftRight(w, 1 - exponent);
  raised = roundSignificand(w, f.bits, rounding);
  return place(f, x.sign, w.high < 0 ? 1 : 0, w.high, w.low, tiny && raised !== 0 ? raised | UE : raised);
}
export const toSingle = (x: Float80, control: number): number => narrow(SINGLE, x, control);
export const toDouble = (x: Float80, control: number): number => narrow(DOUBLE, x, control);

/** Rounds to an integer magnitude in `stored`; returns -1 when it needs more than 64 bits or the operand is no number. */
export function toMagnitude(x: Float80, rounding: number): number {
  const kind = kindOf(x);
  if (kind >= KIND.INFINITY) return -1;
  if (kind === KIND.ZERO) return put(0, 0);
  load(w, x);
  const places = BIAS + 63 - w.exponent;
  if (places < 0) return -1;
  w.exponent = 0;
  shiftRight(w, places);
  const raised = roundSignificand(w, 64, rounding);
  return w.exponent !== 0 ? -1 : put(w.high, w.low, raised);
}
/** To a signed integer of 16, 32 or 64 bits. */
export function toInteger(x: Float80, bits: 16 | 32 | 64, rounding: number): number {
  const raised = toMagnitude(x, rounding);
  if (raised >= 0) {
    const { high, low } = stored,
      negative = x.sign !== 0;
    // The magnitude may reach 2^(bits - 1) when negative.
    const fits =
      bits === 64
        ? high >= 0 || (negative && high === -0x80000000 && low === 0)
        : high === 0 && low >>> 0 < 2 ** (bits - 1) + (negative ? 1 : 0);
    if (fits) return negative ? put(~high + (low === 0 ? 1 : 0), -low, raised) : raised;
  }
  return bits === 64 ? put(0x80000000, 0, IE) : put(0, bits === 32 ? 0x80000000 : 0x8000, IE);
}
