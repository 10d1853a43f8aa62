// Arithmetic on significands of two 32-bit limbs, exact: product, quotient with sticky remainder, square root. Limbs are int32;
// sums and products of limbs are doubles below 2^53, so nothing is lost.

import { BIAS, normalize, setWide, shiftRight, type Wide } from './float80.ts';

const WORD = 0x100000000;

/** High half of the last `multiplyWords`. */
export let productHigh = 0;
/** Low half of the product of two unsigned words as uint32; the high half in `productHigh`. */
export function multiplyWords(x: number, y: number): number {
  const xl = x & 0xffff,
    xh = x >>> 16,
    yl = y & 0xffff,
    yh = y >>> 16;
  const ll = xl * yl,
    lh = xl * yh,
    hl = xh * yl;
  const middle = (ll >>> 16) + (lh & 0xffff) + (hl & 0xffff);
  productHigh = xh * yh + (lh >>> 16) + (hl >>> 16) + (middle >>> 16);
  return ((ll & 0xffff) | (middle << 16)) >>> 0;
}
/** Whether the unsigned number (ah, al) is below (bh, bl). */
export const isBelow = (ah: number, al: number, bh: number, bl: number): boolean => (ah === bh ? al >>> 0 < bl >>> 0 : ah >>> 0 < bh >>> 0);

/** a + b of equal signs into a; b is spent. */
export function addMagnitudes(a: Wide, b: Wide): void {
  const apart = a.exponent - b.exponent;
  if (apart >= 0) shiftRight(b, apart);
  else {
    shiftRight(a, -apart);
    a.exponent = b.exponent;
  }
  const rest = (a.rest >>> 0) + (b.rest >>> 0),
    low = (a.low >>> 0) + (b.low >>> 0) + (rest >= WORD ? 1 : 0),
    high = (a.high >>> 0) + (b.high >>> 0) + (low >= WORD ? 1 : 0);
  setWide(a, a.sign, a.exponent, high | 0, low | 0, rest | 0);
  if (high < WORD) return;
  shiftRight(a, 1);
  a.high |= 0x80000000;
  a.exponent++;
}
/** a - b of equal signs into a, normalized; false when the difference is zero. b is spent. */
export function subtractMagnitudes(a: Wide, b: Wide): boolean {
  const apart = a.exponent - b.exponent;
  if (apart > 0) shiftRight(b, apart);
  else if (apart < 0) {
    shiftRight(a, -apart);
    a.exponent = b.exponent;
  }
  const less = a.high === b.high && a.low === b.low ? a.rest >>> 0 < b.rest >>> 0 : isBelow(a.high, a.low, b.high, b.low);
  const x = less ? b : a,
    y = less ? a : b;
  const rest = (x.rest >>> 0) - (y.rest >>> 0),
    low = (x.low >>> 0) - (y.low >>> 0) - (rest < 0 ? 1 : 0),
    high = (x.high >>> 0) - (y.high >>> 0) - (low < 0 ? 1 : 0);
  setWide(a, a.sign ^ (less ? 1 : 0), a.exponent, high | 0, low | 0, rest | 0);
  if ((a.high | a.low | a.rest) === 0) return false;
  normalize(a);
  return true;
}

/** a * b into a. */
export function multiply(a: Wide, b: Wide): void {
  const lowest = multiplyWords(a.low, b.low);
  let first = productHigh;
  first += multiplyWords(a.high, b.low);
  let second = productHigh;
  first += multiplyWords(a.low, b.high);
  second += productHigh;
  second += multiplyWords(a.high, b.high) + Math.floor(first / WORD);
  const third = productHigh + Math.floor(second / WORD);
  setWide(a, a.sign ^ b.sign, a.exponent + b.exponent - BIAS + 1, third | 0, second | 0, first | (lowest !== 0 ? 1 : 0));
  if (a.high >= 0) normalize(a);
}

/** Remainder of the division under way. */
let remainderHigh = 0,
  remainderLow = 0;
/** Next 32 bits of the quotient: (remainder, next) / (vh, vl), where remainder < divisor and the divisor's top bit is set. */
function quotientWord(next: number, vh: number, vl: number): number {
  // Off by at most three: from ignoring vl, and from the double's 53 bits.
  let q = Math.min(WORD - 1, Math.floor((remainderHigh * WORD + remainderLow) / vh));
  const p0 = multiplyWords(q, vl);
  let p1 = productHigh;
  p1 += multiplyWords(q, vh);
  const p2 = productHigh + Math.floor(p1 / WORD);
  let d0 = next - p0,
    d1 = remainderLow - (p1 % WORD),
    d2 = remainderHigh - p2;
  if (d0 < 0) (d0 += WORD), d1--;
  if (d1 < 0) (d1 += WORD), d2--;
  while (d2 < 0) {
    q--;
    d0 += vl;
    d1 += vh;
    if (d0 >= WORD) (d0 -= WORD), d1++;
    if (d1 >= WORD) (d1 -= WORD), d2++;
  }
  while (d2 > 0 || d1 > vh || (d1 === vh && d0 >= vl)) {
    q++;
    d0 -= vl;
    d1 -= vh;
    if (d0 < 0) (d0 += WORD), d1--;
    if (d1 < 0) (d1 += WORD), d2--;
  }
  remainderHigh = d1;
  remainderLow = d0;
  return q;
}
/** a / b into a. */
export function divide(a: Wide, b: Wide): void {
  const vh = b.high >>> 0,
    vl = b.low >>> 0;
  let exponent = a.exponent - b.exponent + BIAS,
    next = 0;
  if (isBelow(a.high, a.low, b.high, b.low)) {
    exponent--;
    remainderHigh = a.high >>> 0;
    remainderLow = a.low >>> 0;
  } else {
    remainderHigh = a.high >>> 1;
    remainderLow = ((a.low >>> 1) | (a.high << 31)) >>> 0;
    next = (a.low << 31) >>> 0;
  }
  const high = quotientWord(next, vh, vl),
    low = quotientWord(0, vh, vl),
    rest = quotientWord(0, vh, vl);
  setWide(a, a.sign ^ b.sign, exponent, high | 0, low | 0, rest | (remainderHigh + remainderLow !== 0 ? 1 : 0));
}

/** Square root of a positive number into itself, digit by digit. */
export function squareRoot(a: Wide): void {
  const odd = (a.exponent - BIAS) & 1;
  // The radicand's bits from the top: a shifted right by one place unless the exponent is odd.
  let m2 = odd !== 0 ? a.high : a.high >>> 1,
    m1 = odd !== 0 ? a.low : (a.low >>> 1) | (a.high << 31),
    m0 = odd !== 0 ? 0 : a.low << 31;
  let rootHigh = 0,
    rootLow = 0,
    r2 = 0,
    r1 = 0,
    r0 = 0;
  for (let n = 0; n < 64; n++) {
    r2 = (r2 << 2) | (r1 >>> 30);
    r1 = (r1 << 2) | (r0 >>> 30);
    r0 = (r0 << 2) | (m2 >>> 30);
    m2 = (m2 << 2) | (m1 >>> 30);
    m1 = (m1 << 2) | (m0 >>> 30);
    m0 <<= 2;
    const t2 = rootHigh >>> 30,
      t1 = (rootHigh << 2) | (rootLow >>> 30),
      t0 = (rootLow << 2) | 1;
    rootHigh = (rootHigh << 1) | (rootLow >>> 31);
    rootLow <<= 1;
    if (r2 === t2 ? isBelow(r1, r0, t1, t0) : r2 < t2) continue;
    rootLow |= 1;
    const d0 = (r0 >>> 0) - (t0 >>> 0),
      d1 = (r1 >>> 0) - (t1 >>> 0) - (d0 < 0 ? 1 : 0);
    r2 = r2 - t2 - (d1 < 0 ? 1 : 0);
    r1 = d1 | 0;
    r0 = d0 | 0;
  }
  // A remainder above the root means more than one half; one half exactly cannot be.
  const above = r2 !== 0 || isBelow(rootHigh, rootLow, r1, r0),
    rest = (r2 | r1 | r0) === 0 ? 0 : above ? 0xc0000000 | 0 : 0x40000000;
  setWide(a, 0, ((a.exponent - BIAS - odd) >> 1) + BIAS, rootHigh, rootLow, rest);
}
