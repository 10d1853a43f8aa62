// Packed decimal integers: 18 digits and a sign in ten bytes (SDM volume 1, "BCD and Packed BCD Integers"; volume 2, FBLD,
// FBSTP).

import { fromMagnitude, stored, toMagnitude } from './convert.ts';
import type { Float80 } from './float80.ts';
import { isBelow, multiplyWords, productHigh } from './limbs.ts';
import { IE } from './words.ts';

const WORD = 0x100000000;
/** 10^9, and 10^18 in two words. */
const BILLION = 1_000_000_000,
  LIMIT_HIGH = 0x0de0b6b3,
  LIMIT_LOW = 0xa7640000;
/** The packed decimal indefinite. */
const INDEFINITE_TOP = 0xffff,
  INDEFINITE_HIGH = 0xc0000000;

/** Value of `digits` decimal digits; digits above 9 count as they are. */
function value(bcd: number, digits: number): number {
  let sum = 0;
  for (let n = digits - 1; n >= 0; n--) sum = sum * 10 + ((bcd >>> (4 * n)) & 15);
  return sum;
}
/** Eight digits of a number below 10^8. */
function packed(number: number): number {
  let bcd = 0;
  for (let n = 0, rest = number; n < 8; n++, rest = Math.floor(rest / 10)) bcd |= (rest % 10) << (4 * n);
  return bcd;
}

/** From the upper two bytes and the lower eight. */
export function fromBcd(top: number, high: number, low: number, out: Float80): void {
  // digits 9 to 17 and 0 to 8
  const upper = value(top & 0xff, 2) * 10_000_000 + value(high >>> 4, 7),
    lower = (high & 15) * 100_000_000 + value(low, 8);
  const sum = multiplyWords(upper, BILLION) + lower;
  fromMagnitude(top >> 15, (productHigh + Math.floor(sum / WORD)) | 0, sum | 0, out);
}
/** To `stored`; returns IE, or PE and C1. */
export function toBcd(x: Float80, rounding: number): number {
  const raised = toMagnitude(x, rounding);
  if (raised < 0 || !isBelow(stored.high, stored.low, LIMIT_HIGH, LIMIT_LOW)) {
    stored.top = INDEFINITE_TOP;
    stored.high = INDEFINITE_HIGH;
    stored.low = 0;
    return IE;
  }
  const [upper, lower] = splitByBillion(stored.high >>> 0, stored.low >>> 0);
  stored.top = (x.sign << 15) | packed(Math.floor(upper / 10_000_000));
  stored.high = (packed(upper % 10_000_000) << 4) | Math.floor(lower / 100_000_000);
  stored.low = packed(lower % 100_000_000);
  return raised;
}
/** Quotient and remainder of a number below 10^18 by 10^9, in 16-bit steps that a double holds. */
function splitByBillion(high: number, low: number): readonly [number, number] {
  const first = high * 0x10000 + (low >>> 16),
    second = (first % BILLION) * 0x10000 + (low & 0xffff);
  return [Math.floor(first / BILLION) * 0x10000 + Math.floor(second / BILLION), second % BILLION];
}
