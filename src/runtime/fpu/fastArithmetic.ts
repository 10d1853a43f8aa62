// Sum, product and quotient of two normal numbers, rounded to nearest at 64 or 53 bits: what fpu/fast.ts does at once. The same as
// fpu/arithmetic.ts, on words instead of objects, and only where the result is normal, too.

import { S } from '../../translator/state.ts';
import { BIAS, MAX_EXPONENT, type Wide, wide } from './float80.ts';
import { divide, squareRoot } from './limbs.ts';
import { OPERATION } from './operations.ts';
import { C1, PE } from './words.ts';

/** Words of a result: significand, sign and exponent, PE and C1. */
export const HIGH = 0,
  LOW = 1,
  EXPONENT = 2,
  RAISED = 3;
export interface FastArithmetic {
  /** What was computed last. */
  readonly result: Int32Array;
  /** a op b, each as upper word, lower word, sign and exponent; false when that takes more care. */
  compute(operation: number, ah: number, al: number, at: number, bh: number, bl: number, bt: number): boolean;
  /** Square root in the same way. */
  root(ah: number, al: number, at: number): boolean;
}

const TOP_BIT = 0x80000000 | 0,
  WORD = 0x100000000;
/** Places of a product's limb. */
const LIMB = 0x200000,
  UNIT = 1 / LIMB;
/** What control must be, PC's low bit aside: PE masked, to nearest, 64 or 53 bits. */
const CONTROL_MASK = 0xe20,
  CONTROL_WANTED = 0x220;
const EXTENDED = 0x100;

export const isNormal = (high: number, top: number): boolean => high < 0 && ((top & MAX_EXPONENT) - 1) >>> 0 < MAX_EXPONENT - 1;

export function createFastArithmetic(r: Int32Array): FastArithmetic {
  const result = new Int32Array(4),
    u: Wide = wide(),
    v: Wide = wide();

  /** Rounds to nearest even at 64 or 53 bits into `result`; false when the exponent leaves the normal numbers. */
  function round(sign: number, exponent: number, high: number, low: number, rest: number): boolean {
    let raised = 0;
    if ((r[S.FPU_CONTROL]! & EXTENDED) === 0) {
      rest = (low << 21) | (rest !== 0 ? 1 : 0);
      low &= ~0x7ff;
      if (rest !== 0) {
        raised = PE;
        if (rest < 0 && (rest !== TOP_BIT || (low & 0x800) !== 0)) {
          raised = PE | C1;
          low = (low + 0x800) | 0;
          if (low === 0 && (high = (high + 1) | 0) === 0) (high = TOP_BIT), exponent++;
        }
      }
    } else if (rest !== 0) {
      raised = PE;
      if (rest < 0 && (rest !== TOP_BIT || (low & 1) !== 0)) {
        raised = PE | C1;
        low = (low + 1) | 0;
        if (low === 0 && (high = (high + 1) | 0) === 0) (high = TOP_BIT), exponent++;
      }
    }
    if (exponent <= 0 || exponent >= MAX_EXPONENT) return false;
    result[HIGH] = high;
    result[LOW] = low;
    result[EXPONENT] = (sign << 15) | exponent;
    result[RAISED] = raised;
    return true;
  }
  /** Sum of two normal numbers; the top words hold sign and exponent. False also for a difference of zero. */
  function add(ah: number, al: number, at: number, bh: number, bl: number, bt: number): boolean {
    let places = (at & MAX_EXPONENT) - (bt & MAX_EXPONENT);
    if (places < 0) {
      let swap = ah;
      ah = bh;
      bh = swap;
      swap = al;
      al = bl;
      bl = swap;
      swap = at;
      at = bt;
      bt = swap;
      places = -places;
    }
    let rest = 0;
    if (places >= 32) {
      if (places >= 64) return false;
      rest = bl;
      bl = bh;
      bh = 0;
      places -= 32;
      if (places > 0) {
        rest = (rest >>> places) | (bl << (32 - places)) | (rest << (32 - places) !== 0 ? 1 : 0);
        bl >>>= places;
      }
    } else if (places > 0) {
      rest = bl << (32 - places);
      bl = (bl >>> places) | (bh << (32 - places));
      bh >>>= places;
    }
    let sign = at >> 15,
      exponent = at & MAX_EXPONENT;
    if (((at ^ bt) & 0x8000) === 0) {
      const low = (al >>> 0) + (bl >>> 0),
        high = (ah >>> 0) + (bh >>> 0) + (low >= WORD ? 1 : 0);
      if (high < WORD) return round(sign, exponent, high | 0, low | 0, rest);
      return round(sign, exponent + 1, (high >>> 1) | TOP_BIT, (low >>> 1) | (high << 31), (rest >>> 1) | (rest & 1) | (low << 31));
    }
    const low = (al >>> 0) - (bl >>> 0) - (rest !== 0 ? 1 : 0),
      high = (ah >>> 0) - (bh >>> 0) - (low < 0 ? 1 : 0);
    let h = high | 0,
      l = low | 0;
    rest = -rest | 0;
    if (high < 0) {
      // Only where the exponents were equal: nothing is below.
      sign ^= 1;
      l = -l | 0;
      h = ~h + (l === 0 ? 1 : 0);
    }
    if (h === 0) {
      if (l === 0) return false;
      h = l;
      l = rest;
      rest = 0;
      exponent -= 32;
    }
    const shift = Math.clz32(h);
    if (shift > 0) {
      h = (h << shift) | (l >>> (32 - shift));
      l = (l << shift) | (rest >>> (32 - shift));
      rest <<= shift;
      exponent -= shift;
    }
    return round(sign, exponent, h, l, rest);
  }
  /** Product: limbs of 21 bits, whose products' sums a double holds. */
  function multiply(ah: number, al: number, at: number, bh: number, bl: number, bt: number): boolean {
    const a2 = ah >>> 10,
      a1 = ((ah & 0x3ff) << 11) | (al >>> 21),
      a0 = al & 0x1fffff,
      b2 = bh >>> 10,
      b1 = ((bh & 0x3ff) << 11) | (bl >>> 21),
      b0 = bl & 0x1fffff;
    const p0 = a0 * b0,
      p1 = a0 * b1 + a1 * b0 + Math.floor(p0 * UNIT),
      p2 = a0 * b2 + a1 * b1 + a2 * b0 + Math.floor(p1 * UNIT),
      p3 = a1 * b2 + a2 * b1 + Math.floor(p2 * UNIT),
      p4 = a2 * b2 + Math.floor(p3 * UNIT),
      d5 = Math.floor(p4 * UNIT);
    const d4 = p4 - d5 * LIMB,
      d3 = p3 & 0x1fffff,
      d2 = p2 & 0x1fffff,
      d1 = p1 & 0x1fffff;
    let high = (d5 << 9) | (d4 >> 12),
      low = (d4 << 20) | (d3 >> 1),
      rest = (d3 << 31) | (d2 << 10) | (d1 >> 11) | ((d1 & 0x7ff) !== 0 || (p0 & 0x1fffff) !== 0 ? 1 : 0),
      exponent = (at & MAX_EXPONENT) + (bt & MAX_EXPONENT) - BIAS + 1;
    if (high >= 0) {
      high = (high << 1) | (low >>> 31);
      low = (low << 1) | (rest >>> 31);
      rest <<= 1;
      exponent--;
    }
    return round(((at ^ bt) >> 15) & 1, exponent, high, low, rest);
  }
  function quotient(ah: number, al: number, at: number, bh: number, bl: number, bt: number): boolean {
    u.high = ah;
    u.low = al;
    u.exponent = at & MAX_EXPONENT;
    v.high = bh;
    v.low = bl;
    v.exponent = bt & MAX_EXPONENT;
    divide(u, v);
    return round(((at ^ bt) >> 15) & 1, u.exponent, u.high, u.low, u.rest);
  }
  function root(ah: number, al: number, at: number): boolean {
    if ((r[S.FPU_CONTROL]! & CONTROL_MASK) !== CONTROL_WANTED || !isNormal(ah, at) || at > MAX_EXPONENT) return false;
    u.high = ah;
    u.low = al;
    u.exponent = at;
    squareRoot(u);
    return round(0, u.exponent, u.high, u.low, u.rest);
  }
  function compute(operation: number, ah: number, al: number, at: number, bh: number, bl: number, bt: number): boolean {
    if ((r[S.FPU_CONTROL]! & CONTROL_MASK) !== CONTROL_WANTED || !isNormal(ah, at) || !isNormal(bh, bt)) return false;
    switch (operation) {
      case OPERATION.ADD:
        return add(ah, al, at, bh, bl, bt);
      case OPERATION.SUB:
        return add(ah, al, at, bh, bl, bt ^ 0x8000);
      case OPERATION.SUBR:
        return add(ah, al, at ^ 0x8000, bh, bl, bt);
      case OPERATION.MUL:
        return multiply(ah, al, at, bh, bl, bt);
      case OPERATION.DIV:
        return quotient(ah, al, at, bh, bl, bt);
      default:
        return quotient(bh, bl, bt, ah, al, at);
    }
  }
  return { result, compute, root };
}
