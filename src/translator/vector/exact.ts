// Floating-point arithmetic to the last bit and flag, on integers (SDM volume 1, "SIMD Floating-Point Exceptions", "Operating on
// NaNs", "Underflow"; IEEE 754). It serves whatever vector/float.ts cannot do with JavaScript's own doubles: other roundings
// than to nearest, denormals, NaNs, infinities, unmasked exceptions, and whether a result is inexact. 2 to 5 microseconds each.

import { S } from '../state.ts';
import type { VectorFunction, Vectors } from './functions.ts';

/** Exception flags of MXCSR; the masks are 7 bits higher. */
export const IE = 1,
  DE = 2,
  ZE = 4,
  OE = 8,
  UE = 0x10,
  PE = 0x20;
export const DAZ = 0x40,
  FTZ = 0x8000,
  MASK_SHIFT = 7;
/** Rounding control, bits 13 and 14. */
export const NEAREST = 0,
  DOWN = 1,
  UP = 2,
  TRUNCATE = 3;

export interface Format {
  /** State words of a value. */
  readonly words: 1 | 2;
  /** Bits of the significand, the hidden one included. */
  readonly precision: number;
  readonly bias: number;
  readonly signBit: bigint;
  readonly quietBit: bigint;
  readonly infinity: bigint;
}
const format = (words: 1 | 2, precision: number, bias: number): Format => ({
  words,
  precision,
  bias,
  signBit: 1n << BigInt(32 * words - 1),
  quietBit: 1n << BigInt(precision - 2),
  infinity: BigInt(2 * bias + 1) << BigInt(precision - 1),
});
export const SINGLE = format(1, 24, 127),
  DOUBLE = format(2, 53, 1023);

// ---- values in the state block
export function readBits({ words }: Vectors, f: Format, at: number): bigint {
  const low = BigInt(words[at]! >>> 0);
  return f.words === 1 ? low : low | (BigInt(words[at + 1]! >>> 0) << 32n);
}
function writeBits({ words }: Vectors, f: Format, at: number, bits: bigint): void {
  words[at] = Number(BigInt.asIntN(32, bits));
  if (f.words === 2) words[at + 1] = Number(BigInt.asIntN(32, bits >> 32n));
}

/** A value taken apart: magnitude * 2^exponent. */
interface Parts {
  readonly negative: boolean;
  readonly kind: 'finite' | 'infinity' | 'quiet' | 'signalling';
  readonly denormal: boolean;
  readonly magnitude: bigint;
  readonly exponent: number;
}
function partsOf(f: Format, bits: bigint): Parts {
  const width = BigInt(f.precision - 1),
    fraction = bits & ((1n << width) - 1n),
    biased = Number((bits & f.infinity) >> width),
    negative = (bits & f.signBit) !== 0n;
  if (biased === 2 * f.bias + 1) {
    const kind = fraction === 0n ? 'infinity' : (fraction & f.quietBit) !== 0n ? 'quiet' : 'signalling';
    return { negative, kind, denormal: false, magnitude: 0n, exponent: 0 };
  }
  const least = 1 - f.bias - (f.precision - 1);
  if (biased !== 0) return { negative, kind: 'finite', denormal: false, magnitude: fraction | (1n << width), exponent: least + biased - 1 };
  const zero = fraction === 0n || (mxcsr & DAZ) !== 0;
  return { negative, kind: 'finite', denormal: !zero, magnitude: zero ? 0n : fraction, exponent: least };
}
export const isNan = (x: Parts): boolean => x.kind === 'quiet' || x.kind === 'signalling';
/** The value with a denormal made zero when DAZ says so. */
export function flushed(f: Format, bits: bigint): bigint {
  return (mxcsr & DAZ) !== 0 && (bits & f.infinity) === 0n ? bits & f.signBit : bits;
}

// ---- flags of the instruction under way: found before the operation, and with its result
let mxcsr = 0,
  before = 0,
  after = 0;
export function raiseBefore(flags: number): void {
  before |= flags;
}
export function raiseAfter(flags: number): void {
  after |= flags;
}
export function begin({ words }: Vectors): void {
  mxcsr = words[S.MXCSR]!;
  before = after = 0;
}
/** Sets the flags; false when one of them is unmasked: then no result is stored, and what comes later is not reported. */
export function finish({ words }: Vectors): boolean {
  const unmasked = ~(mxcsr >> MASK_SHIFT) & 0x3f,
    stops = (before & unmasked) !== 0;
  words[S.MXCSR] = mxcsr | before | (stops ? 0 : after);
  return !stops && (after & unmasked) === 0;
}

/** One lane of an operation: its operands as bits. */
export type Lane = (f: Format, a: bigint, b: bigint, n: number) => bigint;
/** `count` lanes of destination and source; 1 when an exception is unmasked. */
export function exactly(v: Vectors, f: Format, lane: Lane, d: number, s: number, count: number): number {
  begin(v);
  const results = Array.from({ length: count }, (_, n) => lane(f, readBits(v, f, d + n * f.words), readBits(v, f, s + n * f.words), n));
  return store(v, f, d, results);
}
/** Stores what lanes gave, unless an exception is unmasked. */
export function store(v: Vectors, f: Format, d: number, results: readonly bigint[]): number {
  if (!finish(v)) return 1;
  results.forEach((bits, n) => {
    writeBits(v, f, d + n * f.words, bits);
  });
  return 0;
}
/** A function of the table that does all its lanes exactly. */
export const exactFunction =
  (f: Format, lane: Lane, count: number): VectorFunction =>
  (v, d, s) =>
    exactly(v, f, lane, d, s, count);

// ---- rounding
const bitLength = (x: bigint): number => {
  const text = x.toString(16);
  return 4 * text.length - Math.clz32(Number.parseInt(text[0]!, 16)) + 28;
};
/** magnitude / 2^shift rounded to an integer, and whether something was lost. */
export function roundedShift(magnitude: bigint, shift: number, negative: boolean, rounding: number): { value: bigint; inexact: boolean } {
  if (shift <= 0) return { value: magnitude << BigInt(-shift), inexact: false };
  const places = BigInt(shift),
    value = magnitude >> places,
    rest = magnitude - (value << places);
  if (rest === 0n) return { value, inexact: false };
  const half = 1n << (places - 1n);
  const up = rounding === NEAREST ? rest > half || (rest === half && (value & 1n) !== 0n) : rounding === (negative ? DOWN : UP);
  return { value: up ? value + 1n : value, inexact: true };
}
const roundingOf = (word: number): number => (word >> 13) & 3;
/** magnitude * 2^exponent, not zero, as a value of the format; `sticky`: it is a little more than that. */
export function round(f: Format, negative: boolean, exactMagnitude: bigint, exactExponent: number, sticky = false): bigint {
  const magnitude = (exactMagnitude << 1n) | (sticky ? 1n : 0n),
    exponent = exactExponent - 1,
    rounding = roundingOf(mxcsr),
    sign = negative ? f.signBit : 0n,
    least = 1 - f.bias - (f.precision - 1);
  const places = bitLength(magnitude) - f.precision;
  let { value, inexact } = roundedShift(magnitude, places, negative, rounding),
    at = exponent + places;
  if (bitLength(value) > f.precision) {
    value >>= 1n;
    at++;
  }
  if (at < least) {
    // Tiny: below the normal numbers after rounding with an unbounded exponent.
    const masked = (mxcsr & (UE << MASK_SHIFT)) !== 0;
    if (masked && (mxcsr & FTZ) !== 0) {
      raiseAfter(UE | PE);
      return sign;
    }
    if (!masked) {
      raiseAfter(inexact ? UE | PE : UE);
      return sign;
    }
    const small = roundedShift(magnitude, least - exponent, negative, rounding);
    if (small.inexact) raiseAfter(UE | PE);
    return sign | small.value;
  }
  const biased = at - least + 1;
  if (biased > 2 * f.bias) {
    raiseAfter(inexact || (mxcsr & (OE << MASK_SHIFT)) !== 0 ? OE | PE : OE);
    const infinite = rounding === NEAREST || rounding === (negative ? DOWN : UP);
    return sign | (infinite ? f.infinity : f.infinity - 1n);
  }
  if (inexact) raiseAfter(PE);
  return sign | ((BigInt(biased) << BigInt(f.precision - 1)) + (value - (1n << BigInt(f.precision - 1))));
}

// ---- NaNs
export const indefinite = (f: Format): bigint => f.signBit | f.infinity | f.quietBit;
function invalid(f: Format): bigint {
  raiseBefore(IE);
  return indefinite(f);
}
/** The first operand that is a NaN, made quiet; IE when one of the two is signalling. */
function nanOf(f: Format, a: bigint, b: bigint, x: Parts, y: Parts): bigint {
  if (x.kind === 'signalling' || y.kind === 'signalling') raiseBefore(IE);
  return (isNan(x) ? a : b) | f.quietBit;
}

// ---- operations
const zero = (f: Format, negative: boolean): bigint => (negative ? f.signBit : 0n);
const infinity = (f: Format, negative: boolean): bigint => zero(f, negative) | f.infinity;
function denormals(...operands: readonly Parts[]): void {
  if (operands.some((x) => x.denormal)) raiseBefore(DE);
}
function sum(f: Format, a: bigint, b: bigint, y: Parts): bigint {
  const x = partsOf(f, a);
  if (isNan(x) || isNan(y)) return nanOf(f, a, b, x, y);
  if (x.kind === 'infinity' && y.kind === 'infinity' && x.negative !== y.negative) return invalid(f);
  denormals(x, y);
  if (x.kind === 'infinity') return infinity(f, x.negative);
  if (y.kind === 'infinity') return infinity(f, y.negative);
  const least = Math.min(x.exponent, y.exponent),
    placed = ({ negative, magnitude, exponent }: Parts): bigint => (negative ? -1n : 1n) * (magnitude << BigInt(exponent - least));
  const total = placed(x) + placed(y);
  if (total === 0n) {
    // Zeros of one sign keep it; what cancels is positive but when rounding down.
    const same = x.magnitude === 0n && y.magnitude === 0n && x.negative === y.negative;
    return zero(f, same ? x.negative : roundingOf(mxcsr) === DOWN);
  }
  return round(f, total < 0n, total < 0n ? -total : total, least);
}
export const add: Lane = (f, a, b) => sum(f, a, b, partsOf(f, b));
export const subtract: Lane = (f, a, b) => {
  const y = partsOf(f, b);
  return sum(f, a, b, isNan(y) ? y : { ...y, negative: !y.negative });
};
export const multiply: Lane = (f, a, b) => {
  const x = partsOf(f, a),
    y = partsOf(f, b),
    negative = x.negative !== y.negative;
  if (isNan(x) || isNan(y)) return nanOf(f, a, b, x, y);
  const infinite = x.kind === 'infinity' || y.kind === 'infinity',
    none = (x.kind === 'finite' && x.magnitude === 0n) || (y.kind === 'finite' && y.magnitude === 0n);
  if (infinite && none) return invalid(f);
  denormals(x, y);
  if (infinite) return infinity(f, negative);
  return none ? zero(f, negative) : round(f, negative, x.magnitude * y.magnitude, x.exponent + y.exponent);
};
export const divide: Lane = (f, a, b) => {
  const x = partsOf(f, a),
    y = partsOf(f, b),
    negative = x.negative !== y.negative;
  if (isNan(x) || isNan(y)) return nanOf(f, a, b, x, y);
  const byZero = y.kind === 'finite' && y.magnitude === 0n;
  if (x.kind === y.kind && (x.kind === 'infinity' || (byZero && x.magnitude === 0n))) return invalid(f);
  // A division by zero is found before a denormal dividend is.
  if (byZero && x.kind === 'finite') {
    raiseBefore(ZE);
    return infinity(f, negative);
  }
  denormals(x, y);
  if (x.kind === 'infinity') return infinity(f, negative);
  if (y.kind === 'infinity' || x.magnitude === 0n) return zero(f, negative);
  // Two bits more than the precision whatever the operands are, and the remainder as sticky bit.
  const places = 2 * f.precision + 2,
    dividend = x.magnitude << BigInt(places),
    quotient = dividend / y.magnitude;
  return round(f, negative, quotient, x.exponent - y.exponent - places, quotient * y.magnitude !== dividend);
};
/** Of the second operand. */
export const squareRoot: Lane = (f, _a, b) => {
  const y = partsOf(f, b);
  if (isNan(y)) return nanOf(f, b, b, y, y);
  if (y.kind === 'finite' && y.magnitude === 0n) return zero(f, y.negative);
  if (y.negative) return invalid(f);
  denormals(y);
  if (y.kind === 'infinity') return infinity(f, false);
  const odd = y.exponent & 1,
    places = 2 * f.precision + 2,
    radicand = y.magnitude << BigInt(places + odd);
  const root = integerRoot(radicand);
  return round(f, false, root, (y.exponent - odd - places) / 2, root * root !== radicand);
};
function integerRoot(x: bigint): bigint {
  let root = 1n << BigInt((bitLength(x) + 1) >> 1);
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

// ---- comparison
export const UNORDERED = 3;
/** -1, 0, 1 or UNORDERED; IE for signalling NaNs, or for every NaN. */
export function compare(f: Format, a: bigint, b: bigint, quiet: boolean): number {
  const x = partsOf(f, a),
    y = partsOf(f, b);
  if (isNan(x) || isNan(y)) {
    if (!quiet || x.kind === 'signalling' || y.kind === 'signalling') raiseBefore(IE);
    return UNORDERED;
  }
  denormals(x, y);
  const value = (p: Parts, bits: bigint): bigint => {
    const size = p.kind === 'finite' && p.magnitude === 0n ? 0n : bits & ~f.signBit;
    return p.negative ? -size : size;
  };
  const p = value(x, a),
    q = value(y, b);
  return p < q ? -1 : p > q ? 1 : 0;
}

// ---- conversion
/** A value of one format in the other. */
export function convert(from: Format, to: Format, bits: bigint): bigint {
  const x = partsOf(from, bits),
    sign = x.negative ? to.signBit : 0n;
  if (isNan(x)) {
    if (x.kind === 'signalling') raiseBefore(IE);
    const shift = to.precision - from.precision,
      fraction = bits & ((1n << BigInt(from.precision - 1)) - 1n);
    return sign | to.infinity | to.quietBit | (shift >= 0 ? fraction << BigInt(shift) : fraction >> BigInt(-shift));
  }
  denormals(x);
  if (x.kind === 'infinity') return sign | to.infinity;
  return x.magnitude === 0n ? sign : round(to, x.negative, x.magnitude, x.exponent);
}
/** An integer of 32 bits as a value of the format. */
export const fromInteger = (f: Format, x: number): bigint => (x === 0 ? 0n : round(f, x < 0, BigInt(Math.abs(x)), 0));
/** A value rounded to an integer of 32 bits; the integer indefinite when it does not fit. */
export function toInteger(f: Format, bits: bigint, rounding = roundingOf(mxcsr)): number {
  const x = partsOf(f, bits);
  if (x.kind === 'finite') {
    const { value, inexact } = roundedShift(x.magnitude, -x.exponent, x.negative, rounding),
      integer = x.negative ? -value : value;
    if (integer === BigInt.asIntN(32, integer)) {
      if (inexact) raiseAfter(PE);
      return Number(integer);
    }
  }
  raiseBefore(IE);
  return -0x80000000;
}
/** ROUNDPS and the like: bits 0-1 rounding, bit 2 MXCSR's instead, bit 3 no PE. */
export function toIntegral(f: Format, bits: bigint, mode: number): bigint {
  const x = partsOf(f, bits);
  if (isNan(x)) return nanOf(f, bits, bits, x, x);
  if (x.kind === 'infinity' || (x.exponent >= 0 && x.magnitude !== 0n)) return bits;
  const rounding = (mode & 4) !== 0 ? roundingOf(mxcsr) : mode & 3;
  const { value, inexact } = roundedShift(x.magnitude, -x.exponent, x.negative, rounding);
  if (inexact && (mode & 8) === 0) raiseAfter(PE);
  return value === 0n ? zero(f, x.negative) : round(f, x.negative, value, 0);
}
