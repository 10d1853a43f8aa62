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
  // A remainder of doubles is a call into the C library: this took a third of a division.
  const carry = Math.floor(p1 / WORD);
  let d0 = next - p0,
    d1 = remainderLow - (p1 - carry * WORD),
    d2 = remainderHigh - productHigh - carry;
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
    low = quotientWord(0, vh, vl);
  // Of what is below, rounding asks for no more than whether it is nothing, below a half, a half or above.
  const doubledLow = 2 * remainderLow,
    carry = doubledLow >= WORD ? 1 : 0,
    above = 2 * remainderHigh + carry - vh || doubledLow - carry * WORD - vl;
  const rest = remainderHigh + remainderLow === 0 ? 0 : above < 0 ? 0x40000000 : above === 0 ? 0x80000000 | 0 : 0xc0000000 | 0;
  setWide(a, a.sign ^ b.sign, exponent, high | 0, low | 0, rest);
}

/** Square root of a positive number into itself: two digits of 32 bits, each estimated in double precision and then made exact. */
export function squareRoot(a: Wide): void {
  const odd = (a.exponent - BIAS) & 1;
  // The radicand's words from the top, a zero behind them: shifted right by one place unless the exponent is odd.
  const m3 = (odd !== 0 ? a.high : a.high >>> 1) >>> 0,
    m2 = (odd !== 0 ? a.low : (a.low >>> 1) | (a.high << 31)) >>> 0,
    m1 = (odd !== 0 ? 0 : a.low << 31) >>> 0;
  let high = Math.min(WORD - 1, Math.floor(Math.sqrt(m3 * WORD + m2)));
  // remainder = (m3, m2) - high * high
  const square = multiplyWords(high, high);
  let remainder = (m3 - productHigh) * WORD + (m2 - square);
  for (; remainder < 0; high--) remainder += 2 * high - 1;
  for (; remainder > 2 * high; high++) remainder -= 2 * high + 1;

  let low = Math.min(WORD - 1, Math.floor((remainder * WORD + m1) / (2 * high)));
  // What is left of (remainder, m1, 0) when 2 * high * low * WORD and low * low are taken off, in units of WORD and of 1.
  const product = 2 * multiplyWords(low, high);
  let over = (remainder - 2 * productHigh) * WORD + (m1 - product);
  const last = multiplyWords(low, low);
  over -= productHigh;
  let under = -last;
  if (under < 0) (under += WORD), over--;
  while (over < 0) {
    under += 2 * low - 1;
    over += 2 * high;
    low--;
    while (under >= WORD) (under -= WORD), over++;
    if (under < 0) (under += WORD), over--;
  }
  // While the remainder is above twice the root, the root is too small.
  while (isAbove(over, under, high, low)) {
    under -= 2 * low + 1;
    over -= 2 * high;
    low++;
    while (under < 0) (under += WORD), over--;
  }
  // A remainder above the root means more than one half; one half exactly cannot be.
  const above = over > high || (over === high && under > low),
    rest = over === 0 && under === 0 ? 0 : above ? 0xc0000000 | 0 : 0x40000000;
  setWide(a, 0, ((a.exponent - BIAS - odd) >> 1) + BIAS, high | 0, low | 0, rest);
}
/** Whether (over, under) is above twice (high, low). */
function isAbove(over: number, under: number, high: number, low: number): boolean {
  const doubledLow = 2 * low,
    carry = doubledLow >= WORD ? 1 : 0,
    doubled = 2 * high + carry;
  return over > doubled || (over === doubled && under > doubledLow - carry * WORD);
}
