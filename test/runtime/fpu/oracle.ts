// An independent x87: exact rationals of BigInt, rounded by the definitions (SDM volume 1, "Rounding", "Underflow", "Overflow").

import { type Float80, float80 } from '../../../src/runtime/fpu/float80.ts';
import type { Random } from '../../support/random.ts';

/** numerator / denominator, both positive, with a sign. */
export interface Exact {
  readonly sign: number;
  readonly numerator: bigint;
  readonly denominator: bigint;
}
const MIN_EXPONENT = -16382,
  MAX_EXPONENT = 16383;
export const FLAG = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 0x10, PE: 0x20, C1: 0x200 } as const;

export const significandOf = (x: Float80): bigint => (BigInt(x.high >>> 0) << 32n) | BigInt(x.low >>> 0);
export const text = (x: Float80): string =>
  ((x.sign << 15) | x.exponent).toString(16).padStart(4, '0') + significandOf(x).toString(16).padStart(16, '0');
export function parse(hex: string): Float80 {
  const top = Number.parseInt(hex.slice(0, 4), 16);
  return float80(top >> 15, top & 0x7fff, Number.parseInt(hex.slice(4, 12), 16) | 0, Number.parseInt(hex.slice(12), 16) | 0);
}
const power = (n: number): bigint => 1n << BigInt(n);
/** Value of a finite number other than zero. */
export function exact(x: Float80): Exact {
  const e = (x.exponent === 0 ? 1 : x.exponent) - 16383 - 63;
  return e >= 0
    ? { sign: x.sign, numerator: significandOf(x) * power(e), denominator: 1n }
    : { sign: x.sign, numerator: significandOf(x), denominator: power(-e) };
}

/** Largest e with 2^e <= value. */
function exponentOf({ numerator, denominator }: Exact): number {
  const e = numerator.toString(2).length - denominator.toString(2).length;
  return numerator * (e < 0 ? power(-e) : 1n) >= denominator * (e > 0 ? power(e) : 1n) ? e : e - 1;
}
/** value / 2^quantum as an integer, rounded; mode 0 nearest, 1 down, 2 up, 3 to zero. */
export function roundTo(x: Exact, quantum: number, mode: number): { integer: bigint; flags: number } {
  const n = x.numerator * (quantum < 0 ? power(-quantum) : 1n),
    d = x.denominator * (quantum > 0 ? power(quantum) : 1n);
  const whole = n / d,
    twice = 2n * (n - whole * d);
  if (twice === 0n) return { integer: whole, flags: 0 };
  const up = mode === 0 ? twice > d || (twice === d && (whole & 1n) === 1n) : mode === (x.sign === 0 ? 2 : 1);
  return { integer: up ? whole + 1n : whole, flags: FLAG.PE | (up ? FLAG.C1 : 0) };
}
/** The register contents and flags with all exceptions masked. */
export function rounded(x: Exact, control: number): { result: string; flags: number } {
  const bits = [24, 64, 53, 64][(control >> 8) & 3]!,
    mode = (control >> 10) & 3,
    sign = x.sign << 15;
  const at = (exponent: number, significand: bigint): string =>
    (sign | exponent).toString(16).padStart(4, '0') + significand.toString(16).padStart(16, '0');
  const e = exponentOf(x),
    unbounded = roundTo(x, e - bits + 1, mode);
  const over = unbounded.integer === power(bits) ? e + 1 : e;
  if (over > MAX_EXPONENT) {
    if (mode === 0 || mode === (x.sign === 0 ? 2 : 1)) return { result: at(0x7fff, power(63)), flags: FLAG.OE | FLAG.PE | FLAG.C1 };
    return { result: at(0x7ffe, (power(bits) - 1n) << BigInt(64 - bits)), flags: FLAG.OE | FLAG.PE };
  }
  if (e >= MIN_EXPONENT) {
    const significand = unbounded.integer << BigInt(64 - bits);
    return { result: at(over + 16383, over === e ? significand : power(63)), flags: unbounded.flags };
  }
  const bounded = roundTo(x, MIN_EXPONENT - bits + 1, mode),
    significand = bounded.integer << BigInt(64 - bits);
  const tiny = over < MIN_EXPONENT && bounded.flags !== 0 ? FLAG.UE : 0;
  return { result: at(significand >> 63n === 1n ? 1 : 0, significand), flags: bounded.flags | tiny };
}

/** A finite number other than zero: anything, near `near`, or at the ends of the format. */
export function number(random: Random, near: number): Float80 {
  const kind = random.below(6);
  const exponent = Math.min(
    0x7ffe,
    kind === 0
      ? random.below(0x7fff)
      : kind === 1
        ? random.below(70)
        : kind === 2
          ? 0x7ffe - random.below(3)
          : near + random.below(140) - 70,
  );
  let high = random.word() | 0x80000000,
    low = random.below(3) ? random.word() : 0;
  if (random.below(4) === 0) (high = random.below(2) ? -1 : 0x80000000 | 0), (low = random.below(3) - 1);
  if (exponent <= 0) return float80(random.below(2), 0, (high & 0x7fffffff) >>> random.below(31), low | 1);
  return float80(random.below(2), exponent, high | 0, low | 0);
}
