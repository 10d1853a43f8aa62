// The commonest x87 instructions on normal numbers, straight on the state block: load, store, add, subtract, multiply, divide,
// compare, exchange. They do what the other files of this folder do, for operands and settings that need no special care, and leave
// everything else to those: PE is masked, rounding is to nearest, precision 64 or 53 bits, results are normal. Each says whether it
// was done; if not, nothing has changed. Memory operands are reached through the TLB, and never fault.

import { S } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { BIAS, MAX_EXPONENT, type Wide, wide } from './float80.ts';
import { divide } from './limbs.ts';
import { OPERATION } from './operations.ts';
import { C0, C1, C2, C3, PE, ROUND, roundingOf, TOP, TOP_SHIFT } from './words.ts';

/** Of an instruction on ST(i), or of one with an operand at a linear address. */
export type Fast = (at: number) => boolean;
export interface FastForms {
  arithmetic(operation: number, intoSti: boolean, pops: boolean): Fast;
  arithmeticDouble(operation: number): Fast;
  readonly loadDouble: Fast;
  readonly loadSingle: Fast;
  readonly loadInt32: Fast;
  readonly loadRegister: Fast;
  storeDouble(pops: boolean): Fast;
  storeSingle(pops: boolean): Fast;
  storeInt32(pops: boolean): Fast;
  storeRegister(pops: boolean): Fast;
  readonly exchange: Fast;
  /** Condition codes, or the flags into S.SECOND. */
  compare(pops: number, intoFlags: boolean): Fast;
  /** Whether an operand of so many bytes can be read, or written when negative, without a fault. */
  reaches(linear: number, bytes: number): boolean;
}

const TOP_BIT = 0x80000000 | 0,
  WORD = 0x100000000,
  CODES = C0 | C1 | C2 | C3;
/** Places of a product's limb. */
const LIMB = 0x200000,
  UNIT = 1 / LIMB;
/** What control must be, PC's low bit aside: PE masked, to nearest, 64 or 53 bits. */
const CONTROL_MASK = 0xe20,
  CONTROL_WANTED = 0x220;
const EXTENDED = 0x100;

export function createFastForms(engine: Engine): FastForms {
  const { r, tr, tw, dv } = engine;
  /** The result under way: significand, sign and exponent, PE and C1. */
  const result = new Int32Array(4),
    HIGH = 0,
    LOW = 1,
    EXPONENT = 2,
    RAISED = 3;
  const u: Wide = wide(),
    v: Wide = wide();

  const wordOf = (i: number): number => S.FPU_R0 + ((((r[S.FPU_STATUS]! >> TOP_SHIFT) + i) & 7) << 2);
  const holds = (word: number): boolean => ((r[S.FPU_TAGS]! >> ((word - S.FPU_R0) >> 2)) & 1) !== 0;
  const isNormal = (high: number, top: number): boolean => high < 0 && ((top & MAX_EXPONENT) - 1) >>> 0 < MAX_EXPONENT - 1;

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
  function putResult(word: number): void {
    r[word] = result[LOW]!;
    r[word + 1] = result[HIGH]!;
    r[word + 2] = result[EXPONENT]!;
    r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~C1) | result[RAISED]!;
  }
  function pop(): void {
    const status = r[S.FPU_STATUS]!;
    r[S.FPU_TAGS]! &= ~(1 << ((status >> TOP_SHIFT) & 7));
    r[S.FPU_STATUS] = (status & ~TOP) | ((status + (1 << TOP_SHIFT)) & TOP);
  }
  /** Pushes; false when the stack is full. */
  function push(high: number, low: number, top: number): boolean {
    const status = r[S.FPU_STATUS]!,
      n = ((status >> TOP_SHIFT) - 1) & 7;
    if ((r[S.FPU_TAGS]! & (1 << n)) !== 0) return false;
    const word = S.FPU_R0 + 4 * n;
    r[word] = low;
    r[word + 1] = high;
    r[word + 2] = top;
    r[S.FPU_TAGS]! |= 1 << n;
    r[S.FPU_STATUS] = (status & ~(TOP | C1)) | (n << TOP_SHIFT);
    return true;
  }

  /** Place in the arena of `size` bytes at a linear address, or -1. */
  function placeOf(table: Int32Array, linear: number, size: number): number {
    const entry = table[(linear >>> 12) | r[S.USER_TLB]!]!;
    return ((entry | linear) & 4095) < 4097 - size ? entry ^ linear : -1;
  }
  /** A double as a register's words in `result`; false for what is not normal, but zero when `zeros`. */
  function widenDouble(high: number, low: number, zeros: boolean): boolean {
    const exponent = (high >>> 20) & 0x7ff;
    if (exponent === 0 || exponent === 0x7ff) {
      if (!zeros || ((high << 1) | low) !== 0) return false;
      result[HIGH] = result[LOW] = 0;
      result[EXPONENT] = (high >>> 31) << 15;
      return true;
    }
    result[HIGH] = TOP_BIT | ((high & 0xfffff) << 11) | (low >>> 21);
    result[LOW] = low << 11;
    result[EXPONENT] = ((high >>> 31) << 15) | (exponent + BIAS - 1023);
    return true;
  }
  /** Whether ST(0) is a normal number and is rounded to nearest. */
  function storable(word: number): boolean {
    return holds(word) && (r[S.FPU_CONTROL]! & 0xc20) === 0x20 && isNormal(r[word + 1]!, r[word + 2]!);
  }
  function stored(raised: number, pops: boolean): true {
    r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~C1) | raised;
    if (pops) pop();
    return true;
  }

  return {
    arithmetic: (operation, intoSti, pops) => (i) => {
      const a = wordOf(0),
        b = wordOf(i);
      if (!holds(a) || !holds(b)) return false;
      if (!compute(operation, r[a + 1]!, r[a]!, r[a + 2]!, r[b + 1]!, r[b]!, r[b + 2]!)) return false;
      putResult(intoSti ? b : a);
      if (pops) pop();
      return true;
    },
    arithmeticDouble: (operation) => (linear) => {
      const a = wordOf(0),
        at = placeOf(tr, linear, 8);
      if (at < 0 || !holds(a) || !widenDouble(dv.getInt32(at + 4, true), dv.getInt32(at, true), false)) return false;
      if (!compute(operation, r[a + 1]!, r[a]!, r[a + 2]!, result[HIGH]!, result[LOW]!, result[EXPONENT]!)) return false;
      putResult(a);
      return true;
    },
    loadDouble(linear) {
      const at = placeOf(tr, linear, 8);
      return (
        at >= 0 &&
        widenDouble(dv.getInt32(at + 4, true), dv.getInt32(at, true), true) &&
        push(result[HIGH]!, result[LOW]!, result[EXPONENT]!)
      );
    },
    loadSingle(linear) {
      const at = placeOf(tr, linear, 4);
      if (at < 0) return false;
      const bits = dv.getInt32(at, true),
        exponent = (bits >>> 23) & 0xff,
        sign = (bits >>> 31) << 15;
      if (exponent === 0 || exponent === 0xff) return bits << 1 === 0 && push(0, 0, sign);
      return push(TOP_BIT | (bits << 8), 0, sign | (exponent + BIAS - 127));
    },
    loadInt32(linear) {
      const at = placeOf(tr, linear, 4);
      if (at < 0) return false;
      const value = dv.getInt32(at, true);
      if (value === 0) return push(0, 0, 0);
      const magnitude = value < 0 ? -value | 0 : value,
        shift = Math.clz32(magnitude);
      return push(magnitude << shift, 0, (value < 0 ? 0x8000 : 0) | (BIAS + 31 - shift));
    },
    loadRegister(i) {
      const word = wordOf(i);
      return holds(word) && push(r[word + 1]!, r[word]!, r[word + 2]!);
    },
    storeDouble: (pops) => (linear) => {
      const word = wordOf(0);
      if (!storable(word)) return false;
      let high = r[word + 1]!,
        low = r[word]!,
        exponent = (r[word + 2]! & MAX_EXPONENT) - BIAS + 1023,
        raised = 0;
      const rest = low << 21;
      low &= ~0x7ff;
      if (rest !== 0) {
        raised = PE;
        if (rest < 0 && (rest !== TOP_BIT || (low & 0x800) !== 0)) {
          raised = PE | C1;
          low = (low + 0x800) | 0;
          if (low === 0 && (high = (high + 1) | 0) === 0) (high = TOP_BIT), exponent++;
        }
      }
      if (exponent <= 0 || exponent >= 0x7ff) return false;
      const at = placeOf(tw, linear, 8);
      if (at < 0) return false;
      dv.setInt32(at, (high << 21) | (low >>> 11), true);
      dv.setInt32(at + 4, ((r[word + 2]! & 0x8000) << 16) | (exponent << 20) | ((high >>> 11) & 0xfffff), true);
      return stored(raised, pops);
    },
    storeSingle: (pops) => (linear) => {
      const word = wordOf(0);
      if (!storable(word)) return false;
      let high = r[word + 1]!,
        exponent = (r[word + 2]! & MAX_EXPONENT) - BIAS + 127,
        raised = 0;
      const rest = (high << 24) | (r[word] !== 0 ? 1 : 0);
      high &= ~0xff;
      if (rest !== 0) {
        raised = PE;
        if (rest < 0 && (rest !== TOP_BIT || (high & 0x100) !== 0)) {
          raised = PE | C1;
          high = (high + 0x100) | 0;
          if (high === 0) (high = TOP_BIT), exponent++;
        }
      }
      if (exponent <= 0 || exponent >= 0xff) return false;
      const at = placeOf(tw, linear, 4);
      if (at < 0) return false;
      dv.setInt32(at, ((r[word + 2]! & 0x8000) << 16) | (exponent << 23) | ((high >>> 8) & 0x7fffff), true);
      return stored(raised, pops);
    },
    storeInt32: (pops) => (linear) => {
      const word = wordOf(0);
      if (!holds(word) || (r[S.FPU_CONTROL]! & 0x20) === 0) return false;
      const top = r[word + 2]!,
        high = r[word + 1]!,
        places = BIAS + 31 - (top & MAX_EXPONENT);
      // From 1 to 2^31: what is cut off stands at the top of `rest`.
      if (places <= 0 || places > 31 || high >= 0) return false;
      const rest = (high << (32 - places)) | (r[word] !== 0 ? 1 : 0),
        sign = top >> 15,
        rounding = roundingOf(r[S.FPU_CONTROL]!);
      let magnitude = high >>> places,
        raised = 0;
      if (rest !== 0) {
        const tie = rest === TOP_BIT;
        const up =
          rounding === ROUND.NEAREST ? rest < 0 && (!tie || (magnitude & 1) !== 0) : rounding === (sign === 0 ? ROUND.UP : ROUND.DOWN);
        raised = up ? PE | C1 : PE;
        if (up) magnitude++;
      }
      if (magnitude > 0x7fffffff) return false;
      const at = placeOf(tw, linear, 4);
      if (at < 0) return false;
      dv.setInt32(at, sign === 0 ? magnitude : -magnitude, true);
      return stored(raised, pops);
    },
    storeRegister: (pops) => (i) => {
      const word = wordOf(0),
        to = wordOf(i);
      if (!holds(word)) return false;
      r[to] = r[word]!;
      r[to + 1] = r[word + 1]!;
      r[to + 2] = r[word + 2]!;
      r[S.FPU_TAGS]! |= 1 << ((to - S.FPU_R0) >> 2);
      return stored(0, pops);
    },
    exchange(i) {
      const a = wordOf(0),
        b = wordOf(i);
      if (!holds(a) || !holds(b)) return false;
      for (let n = 0; n < 3; n++) {
        const word = r[a + n]!;
        r[a + n] = r[b + n]!;
        r[b + n] = word;
      }
      r[S.FPU_STATUS]! &= ~C1;
      return true;
    },
    compare: (pops, intoFlags) => (i) => {
      const a = wordOf(0),
        b = wordOf(i);
      if (!holds(a) || !holds(b)) return false;
      const ah = r[a + 1]!,
        bh = r[b + 1]!,
        at = r[a + 2]!,
        bt = r[b + 2]!;
      if (!isNormal(ah, at) || !isNormal(bh, bt)) return false;
      const al = r[a]! >>> 0,
        bl = r[b]! >>> 0,
        ae = at & MAX_EXPONENT,
        be = bt & MAX_EXPONENT;
      let codes: number;
      if (((at ^ bt) & 0x8000) !== 0) codes = (at & 0x8000) !== 0 ? C0 : 0;
      else if (ae === be && ah === bh && al === bl) codes = C3;
      else {
        const smaller = ae !== be ? ae < be : ah !== bh ? ah >>> 0 < bh >>> 0 : al < bl;
        codes = smaller !== ((at & 0x8000) !== 0) ? C0 : 0;
      }
      if (intoFlags) {
        // ZF and CF; C1 stays.
        r[S.SECOND] = (codes === C3 ? 0x40 : 0) | (codes === C0 ? 1 : 0);
      } else r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~CODES) | codes;
      for (let n = 0; n < pops; n++) pop();
      return true;
    },
    reaches: (linear, bytes) => placeOf(bytes < 0 ? tw : tr, linear, Math.abs(bytes)) >= 0,
  };
}
