// Special operands of the transcendental functions (SDM volume 2, tables of F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS,
// FSINCOS); numbers go to trigonometry.ts and logarithm.ts. They return what they raised, as fpu/arithmetic.ts does. Rounding
// control governs them, precision control does not. PE is reported for every number other than zero, also where the result happens
// to be exact, as processors do. What the SDM leaves undefined is as on the processor of test/vectors.

import { invalid, nanOf, nanOfOne } from './arithmetic.ts';
import { BIAS, copy, type Float80, KIND, kindOf, load, pack, set, setInfinity, setZero, type Wide, wide } from './float80.ts';
import { exponentialMinusOne, logarithmOfSumTimes, logarithmTimes } from './logarithm.ts';
import { arcTangent, isOutOfRange, sineAndCosine, tangent } from './trigonometry.ts';
import { C1, C2, DE, FULL_PRECISION, PE, ZE } from './words.ts';

const u = wide(),
  v = wide(),
  w = wide(),
  x = wide();
const TOP_BIT = 0x80000000 | 0;
const setOne = (out: Float80): void => set(out, 0, BIAS, TOP_BIT, 0);
const rounded = (value: Wide, control: number, out: Float80): number => pack(value, control | FULL_PRECISION, out) | PE;
const denormal = (kind: number): number => (kind === KIND.DENORMAL ? DE : 0);

/** sin a, cos a or tan a of what is no number other than zero: raised exceptions; -1 for those numbers, which are in `u` then. */
function specialAngle(a: Float80, kind: number, out: Float80): number {
  if (kind >= KIND.QNAN) return nanOfOne(a, kind, out);
  if (kind === KIND.INFINITY) return invalid(out);
  if (kind === KIND.ZERO) {
    copy(out, a);
    return 0;
  }
  load(u, a);
  return -1;
}
/** C2 and nothing else when the angle is out of range: then `out` is not to be stored. */
export function sin(a: Float80, control: number, out: Float80): number {
  const kind = kindOf(a),
    special = specialAngle(a, kind, out);
  if (special >= 0) return special;
  if (isOutOfRange(u.exponent)) return C2;
  sineAndCosine(u, v, undefined);
  return denormal(kind) | rounded(v, control, out);
}
export function cos(a: Float80, control: number, out: Float80): number {
  const kind = kindOf(a),
    special = specialAngle(a, kind, out);
  if (kind === KIND.ZERO) setOne(out);
  if (special >= 0) return special;
  if (isOutOfRange(u.exponent)) return C2;
  sineAndCosine(u, undefined, v);
  return denormal(kind) | rounded(v, control, out);
}
/** The sine into `out`, the cosine into `second`. */
export function sinCos(a: Float80, control: number, out: Float80, second: Float80): number {
  const kind = kindOf(a),
    special = specialAngle(a, kind, out);
  if (special >= 0) {
    if (kind === KIND.ZERO) setOne(second);
    else copy(second, out);
    return special;
  }
  if (isOutOfRange(u.exponent)) return C2;
  sineAndCosine(u, v, w);
  // C1 tells how the sine was rounded.
  return denormal(kind) | (rounded(w, control, second) & ~C1) | rounded(v, control, out);
}
/** The tangent into `out`, 1 into `second`. */
export function tan(a: Float80, control: number, out: Float80, second: Float80): number {
  const kind = kindOf(a),
    special = specialAngle(a, kind, out);
  if (special >= 0 && kind !== KIND.ZERO) copy(second, out);
  else setOne(second);
  if (special >= 0) return special;
  if (isOutOfRange(u.exponent)) return C2;
  tangent(u, v);
  return denormal(kind) | rounded(v, control, out);
}

/** arctan(b / a), the angle of the point (a, b). */
export function atan(a: Float80, b: Float80, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b);
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  const raised = denormal(ka) | denormal(kb);
  // On an axis or a diagonal that infinities define: a point of the same angle.
  if (ka === KIND.INFINITY || kb === KIND.INFINITY) {
    if (ka === KIND.INFINITY && kb !== KIND.INFINITY) return raised | axis(a.sign, b.sign, control, out);
    set(u, b.sign, BIAS, TOP_BIT, 0);
    set(v, a.sign, ka === kb ? BIAS : FAR_BELOW, TOP_BIT, 0);
  } else if (kb === KIND.ZERO) return raised | axis(a.sign, b.sign, control, out);
  else {
    load(u, b);
    if (ka === KIND.ZERO) set(v, a.sign, FAR_BELOW, TOP_BIT, 0);
    else load(v, a);
  }
  u.rest = v.rest = 0;
  arcTangent(u, v, w);
  return raised | rounded(w, control, out);
}
/** An exponent that is nothing beside that of any register. */
const FAR_BELOW = -0x10000;
/** The angle of a point on the x axis: 0 or pi with the sign of y. */
function axis(left: number, sign: number, control: number, out: Float80): number {
  if (left === 0) {
    setZero(out, sign);
    return 0;
  }
  set(u, sign, FAR_BELOW, TOP_BIT, 0);
  set(v, 1, BIAS, TOP_BIT, 0);
  u.rest = v.rest = 0;
  arcTangent(u, v, w);
  return rounded(w, control, out);
}

/** 2^a - 1. */
export function exp(a: Float80, control: number, out: Float80): number {
  const kind = kindOf(a);
  if (kind >= KIND.QNAN) return nanOfOne(a, kind, out);
  copy(out, a);
  if (kind === KIND.ZERO) return 0;
  if (kind === KIND.INFINITY) {
    if (a.sign !== 0) set(out, 1, BIAS, TOP_BIT, 0);
    return 0;
  }
  if (a.exponent >= BIAS) {
    // 1 and -1 are exact; of anything beyond the SDM promises nothing.
    if (a.sign !== 0 && a.exponent === BIAS && a.high === TOP_BIT && a.low === 0) out.exponent--;
    return PE;
  }
  load(u, a);
  exponentialMinusOne(u, v);
  return denormal(kind) | rounded(v, control, out);
}

/** b log2 a. */
export function log(a: Float80, b: Float80, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b);
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  if (ka === KIND.ZERO) {
    if (kb === KIND.ZERO) return invalid(out);
    setInfinity(out, b.sign ^ 1);
    return kb === KIND.INFINITY ? 0 : ZE;
  }
  if (a.sign !== 0) return invalid(out);
  const raised = denormal(ka) | denormal(kb),
    one = a.exponent === BIAS && a.high === TOP_BIT && a.low === 0 && ka === KIND.NORMAL,
    sign = b.sign ^ (a.exponent < BIAS ? 1 : 0);
  if (ka === KIND.INFINITY || kb === KIND.INFINITY) {
    if (kb === KIND.ZERO || one) return invalid(out);
    setInfinity(out, sign);
    return raised;
  }
  if (one || kb === KIND.ZERO) {
    setZero(out, sign);
    return raised;
  }
  load(u, b);
  load(v, a);
  logarithmTimes(u, v, w);
  return raised | rounded(w, control, out);
}
/** b log2(1 + a). */
export function logOfSum(a: Float80, b: Float80, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b),
    sign = a.sign ^ b.sign;
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  const raised = denormal(ka) | denormal(kb);
  if (ka === KIND.INFINITY && (a.sign !== 0 || kb === KIND.ZERO)) return invalid(out);
  if (kb === KIND.INFINITY && ka === KIND.ZERO) return invalid(out);
  if (ka === KIND.INFINITY || kb === KIND.INFINITY) {
    setInfinity(out, sign);
    return raised;
  }
  if (ka === KIND.ZERO || kb === KIND.ZERO) {
    setZero(out, sign);
    return raised;
  }
  if (a.sign !== 0 && a.exponent >= BIAS) {
    // No logarithm: the SDM promises nothing.
    copy(out, a);
    return raised | PE;
  }
  load(u, b);
  load(x, a);
  logarithmOfSumTimes(u, x, w);
  return raised | rounded(w, control, out);
}
