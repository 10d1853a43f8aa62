// Comparison and classification (SDM volume 2, FCOM, FUCOM, FCOMI, FTST, FXAM): results as condition codes.

import { type Float80, KIND, kindOf, load, wide } from './float80.ts';
import { isBelow } from './limbs.ts';
import { C0, C1, C2, C3, DE, IE } from './words.ts';

const u = wide(),
  v = wide();
/** Condition codes: greater, less, equal, unordered. */
export const GREATER = 0,
  LESS = C0,
  EQUAL = C3,
  UNORDERED = C0 | C2 | C3;

/** Condition codes of a compared with b in C0, C2, C3, with IE or DE raised. `quiet`: a QNaN raises nothing. */
export function compare(a: Float80, b: Float80, quiet: boolean): number {
  const ka = kindOf(a),
    kb = kindOf(b);
  if (ka >= KIND.QNAN || kb >= KIND.QNAN) {
    return quiet && Math.max(ka, kb) === KIND.QNAN ? UNORDERED : UNORDERED | IE;
  }
  const raised = ka === KIND.DENORMAL || kb === KIND.DENORMAL ? DE : 0;
  if (ka === KIND.ZERO && kb === KIND.ZERO) return EQUAL;
  const negativeA = ka !== KIND.ZERO && a.sign !== 0,
    negativeB = kb !== KIND.ZERO && b.sign !== 0;
  if (ka === KIND.ZERO) return raised | (negativeB ? GREATER : LESS);
  if (kb === KIND.ZERO) return raised | (negativeA ? LESS : GREATER);
  if (negativeA !== negativeB) return raised | (negativeA ? LESS : GREATER);
  load(u, a);
  load(v, b);
  if (u.exponent === v.exponent && u.high === v.high && u.low === v.low) return raised | EQUAL;
  const smaller = u.exponent === v.exponent ? isBelow(u.high, u.low, v.high, v.low) : u.exponent < v.exponent;
  return raised | (smaller !== negativeA ? LESS : GREATER);
}

/** Class of a register's contents as FXAM reports it in C0, C2, C3, and the sign in C1. */
export function examine(a: Float80, empty: boolean): number {
  return (a.sign !== 0 ? C1 : 0) | (empty ? C3 | C0 : CLASSES[kindOf(a)]!);
}
const CLASSES: readonly number[] = [
  /* normal */ C2,
  /* zero */ C3,
  /* denormal */ C3 | C2,
  /* infinity */ C2 | C0,
  /* QNaN */ C0,
  /* SNaN */ C0,
  /* unsupported */ 0,
];
