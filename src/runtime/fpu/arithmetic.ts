// Addition, subtraction, multiplication, division and square root with their special values (SDM volume 1, "Rules for Handling
// NaNs"; volume 2, tables of FADD, FSUB, FMUL, FDIV, FSQRT). Each returns the exceptions it raised and C1, and puts the masked
// answer into `out`; whether it is stored is the caller's (fpu/state.ts). PC governs these five and nothing else.

import { copy, type Float80, KIND, kindOf, load, pack, setIndefinite, setInfinity, setQuiet, setZero, wide } from './float80.ts';
import { addMagnitudes, divide, isBelow, multiply, squareRoot, subtractMagnitudes } from './limbs.ts';
import { DE, IE, ROUND, roundingOf, ZE } from './words.ts';

const u = wide(),
  v = wide();
export function invalid(out: Float80): number {
  setIndefinite(out);
  return IE;
}
/** Answer to a NaN or an unsupported operand among two. */
export function nanOf(a: Float80, ka: number, b: Float80, kb: number, out: Float80): number {
  if (ka === KIND.UNSUPPORTED || kb === KIND.UNSUPPORTED) return invalid(out);
  const raised = ka === KIND.SNAN || kb === KIND.SNAN ? IE : 0;
  let from = a;
  if (ka < KIND.QNAN) from = b;
  else if (kb >= KIND.QNAN) {
    // Two of a sort: the larger significand, then the positive one. Of a quiet and a signalling one the quiet.
    if (ka !== kb) from = ka === KIND.QNAN ? a : b;
    else if (a.high === b.high && a.low === b.low) from = a.sign === 0 ? a : b;
    else if (isBelow(a.high, a.low, b.high, b.low)) from = b;
  }
  setQuiet(out, from);
  return raised;
}
/** The same for one operand. */
export function nanOfOne(a: Float80, kind: number, out: Float80): number {
  if (kind === KIND.UNSUPPORTED) return invalid(out);
  setQuiet(out, a);
  return kind === KIND.SNAN ? IE : 0;
}
const denormals = (ka: number, kb: number): number => (ka === KIND.DENORMAL || kb === KIND.DENORMAL ? DE : 0);

/** a + b, or a - b with `minus` 1. */
export function add(a: Float80, b: Float80, minus: number, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b);
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  const raised = denormals(ka, kb),
    signB = b.sign ^ minus;
  if (ka === KIND.INFINITY) {
    if (kb === KIND.INFINITY && a.sign !== signB) return invalid(out);
    copy(out, a);
    return raised;
  }
  if (kb === KIND.INFINITY) {
    setInfinity(out, signB);
    return raised;
  }
  const zeroSign = roundingOf(control) === ROUND.DOWN ? 1 : 0;
  if (ka === KIND.ZERO) {
    if (kb === KIND.ZERO) {
      setZero(out, a.sign === signB ? signB : zeroSign);
      return 0;
    }
    load(u, b);
    u.sign = signB;
  } else {
    load(u, a);
    if (kb !== KIND.ZERO) {
      load(v, b);
      if (a.sign === signB) addMagnitudes(u, v);
      else if (!subtractMagnitudes(u, v)) {
        setZero(out, zeroSign);
        return raised;
      }
    }
  }
  return raised | pack(u, control, out);
}

export function mul(a: Float80, b: Float80, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b),
    sign = a.sign ^ b.sign;
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  const raised = denormals(ka, kb);
  if (ka === KIND.INFINITY || kb === KIND.INFINITY) {
    if (ka === KIND.ZERO || kb === KIND.ZERO) return invalid(out);
    setInfinity(out, sign);
    return raised;
  }
  if (ka === KIND.ZERO || kb === KIND.ZERO) {
    setZero(out, sign);
    return raised;
  }
  load(u, a);
  load(v, b);
  multiply(u, v);
  return raised | pack(u, control, out);
}

/** a / b. */
export function div(a: Float80, b: Float80, control: number, out: Float80): number {
  const ka = kindOf(a),
    kb = kindOf(b),
    sign = a.sign ^ b.sign;
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) return nanOf(a, ka, b, kb, out);
  const raised = denormals(ka, kb);
  if (ka === KIND.INFINITY) {
    if (kb === KIND.INFINITY) return invalid(out);
    setInfinity(out, sign);
    return raised;
  }
  if (kb === KIND.ZERO) {
    if (ka === KIND.ZERO) return invalid(out);
    setInfinity(out, sign);
    return ZE;
  }
  if (ka === KIND.ZERO || kb === KIND.INFINITY) {
    setZero(out, sign);
    return raised;
  }
  load(u, a);
  load(v, b);
  divide(u, v);
  return raised | pack(u, control, out);
}

export function sqrt(a: Float80, control: number, out: Float80): number {
  const kind = kindOf(a);
  if (kind >= KIND.QNAN) return nanOfOne(a, kind, out);
  if (kind === KIND.ZERO) {
    copy(out, a);
    return 0;
  }
  if (a.sign !== 0) return invalid(out);
  if (kind === KIND.INFINITY) {
    copy(out, a);
    return 0;
  }
  load(u, a);
  squareRoot(u);
  return (kind === KIND.DENORMAL ? DE : 0) | pack(u, control, out);
}
