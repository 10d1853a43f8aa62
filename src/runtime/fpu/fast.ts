// The commonest x87 instructions on normal numbers, straight on the state block: load, store, add, subtract, multiply, divide, square
// root, sign, compare, examine, exchange. They do what the other files of this folder do, for operands and settings that need no
// special care, and leave everything else to those: PE is masked, rounding is to nearest, precision 64 or 53 bits, results are normal.
// Each says whether it was done; if not, nothing has changed. Memory operands are reached through the TLB, and never fault.

import { S } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { createFastArithmetic, EXPONENT, HIGH, isNormal, LOW, RAISED } from './fastArithmetic.ts';
import { BIAS, MAX_EXPONENT } from './float80.ts';
import { C0, C1, C2, C3, PE, ROUND, roundingOf, TOP, TOP_SHIFT } from './words.ts';

/** Of an instruction on ST(i), or of one with an operand at a linear address. */
export type Fast = (at: number) => boolean;
export interface FastForms {
  arithmetic(operation: number, intoSti: boolean, pops: boolean): Fast;
  arithmeticDouble(operation: number): Fast;
  readonly loadDouble: Fast;
  readonly loadSingle: Fast;
  readonly loadInt32: Fast;
  readonly loadInt64: Fast;
  readonly loadExtended: Fast;
  readonly loadZero: Fast;
  readonly loadOne: Fast;
  readonly loadRegister: Fast;
  storeDouble(pops: boolean): Fast;
  storeSingle(pops: boolean): Fast;
  storeInt32(pops: boolean): Fast;
  storeExtended(pops: boolean): Fast;
  storeRegister(pops: boolean): Fast;
  readonly exchange: Fast;
  readonly squareRoot: Fast;
  /** FCHS, or FABS. */
  sign(clear: boolean): Fast;
  readonly examine: Fast;
  readonly test: Fast;
  /** Condition codes, or the flags into S.SECOND. */
  compare(pops: number, intoFlags: boolean): Fast;
  /** Whether an operand of so many bytes can be read, or written when negative, without a fault. */
  reaches(linear: number, bytes: number): boolean;
}

const TOP_BIT = 0x80000000 | 0,
  CODES = C0 | C1 | C2 | C3;

export function createFastForms(engine: Engine): FastForms {
  const { r, tr, tw, dv } = engine;
  const { result, compute, root } = createFastArithmetic(r);

  const wordOf = (i: number): number => S.FPU_R0 + ((((r[S.FPU_STATUS]! >> TOP_SHIFT) + i) & 7) << 2);
  const holds = (word: number): boolean => ((r[S.FPU_TAGS]! >> ((word - S.FPU_R0) >> 2)) & 1) !== 0;
  const isZero = (word: number): boolean => (r[word]! | r[word + 1]! | (r[word + 2]! & MAX_EXPONENT)) === 0;

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
    loadInt64(linear) {
      const at = placeOf(tr, linear, 8);
      if (at < 0) return false;
      let high = dv.getInt32(at + 4, true),
        low = dv.getInt32(at, true),
        top = BIAS + 63;
      if ((high | low) === 0) return push(0, 0, 0);
      if (high < 0) {
        low = -low | 0;
        high = (~high + (low === 0 ? 1 : 0)) | 0;
        top |= 0x8000;
      }
      if (high === 0) {
        high = low;
        low = 0;
        top -= 32;
      }
      const shift = Math.clz32(high);
      if (shift === 0) return push(high, low, top);
      return push((high << shift) | (low >>> (32 - shift)), low << shift, top - shift);
    },
    loadExtended(linear) {
      const at = placeOf(tr, linear, 10);
      return at >= 0 && push(dv.getInt32(at + 4, true), dv.getInt32(at, true), dv.getUint16(at + 8, true));
    },
    loadZero: () => push(0, 0, 0),
    loadOne: () => push(TOP_BIT, 0, BIAS),
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
    storeExtended: (pops) => (linear) => {
      const word = wordOf(0),
        at = placeOf(tw, linear, 10);
      if (!holds(word) || at < 0) return false;
      dv.setInt32(at, r[word]!, true);
      dv.setInt32(at + 4, r[word + 1]!, true);
      dv.setInt16(at + 8, r[word + 2]!, true);
      return stored(0, pops);
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
    squareRoot() {
      const a = wordOf(0);
      if (!holds(a) || !root(r[a + 1]!, r[a]!, r[a + 2]!)) return false;
      putResult(a);
      return true;
    },
    sign: (clear) => () => {
      const a = wordOf(0);
      if (!holds(a)) return false;
      r[a + 2] = clear ? r[a + 2]! & 0x7fff : r[a + 2]! ^ 0x8000;
      r[S.FPU_STATUS]! &= ~C1;
      return true;
    },
    examine() {
      const a = wordOf(0);
      if (!holds(a)) return false;
      const normal = isNormal(r[a + 1]!, r[a + 2]!);
      if (!normal && !isZero(a)) return false;
      r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~CODES) | (normal ? C2 : C3) | ((r[a + 2]! & 0x8000) !== 0 ? C1 : 0);
      return true;
    },
    test() {
      const a = wordOf(0);
      if (!holds(a)) return false;
      const zero = isZero(a);
      if (!zero && !isNormal(r[a + 1]!, r[a + 2]!)) return false;
      r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~CODES) | (zero ? C3 : (r[a + 2]! & 0x8000) !== 0 ? C0 : 0);
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
      const zeroA = isZero(a),
        zeroB = isZero(b);
      if (!(zeroA || isNormal(ah, at)) || !(zeroB || isNormal(bh, bt))) return false;
      const al = r[a]! >>> 0,
        bl = r[b]! >>> 0,
        ae = at & MAX_EXPONENT,
        be = bt & MAX_EXPONENT;
      let codes: number;
      if (zeroA || zeroB) codes = zeroA && zeroB ? C3 : zeroA === (((zeroA ? bt : at) & 0x8000) !== 0) ? 0 : C0;
      else if (((at ^ bt) & 0x8000) !== 0) codes = (at & 0x8000) !== 0 ? C0 : 0;
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
