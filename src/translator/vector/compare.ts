// Comparisons, least and greatest of floating-point lanes (SDM volume 2, CMPPS, COMISS, UCOMISS, MINPS, MAXPS and their kin).
// Ordinary numbers are compared as JavaScript's; NaNs and denormals by vector/exact.ts.

import { S } from '../state.ts';
import { begin, compare, DOUBLE, exactly, type Format, finish, flushed, type Lane, readBits, UNORDERED } from './exact.ts';
import { ordinaryDoubles, ordinarySingles } from './float.ts';
import type { VectorFunction, Vectors } from './functions.ts';

/** -1, 0 or 1 of two ordinary lanes; undefined when they are not. */
function ordinary(v: Vectors, f: Format, d: number, s: number): number | undefined {
  if (f === DOUBLE) {
    if (!ordinaryDoubles(v, d, s)) return undefined;
    const x = v.doubles[d >> 1]!,
      y = v.doubles[s >> 1]!;
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (!ordinarySingles(v, d, s)) return undefined;
  const x = v.singles[d]!,
    y = v.singles[s]!;
  return x < y ? -1 : x > y ? 1 : 0;
}

// ---- predicates: equal, less, less or equal, unordered, and their opposites
/** Whether the predicate holds for a result of `compare`. */
function holds(predicate: number, order: number): boolean {
  const base = predicate & 3,
    positive = base === 0 ? order === 0 : base === 1 ? order === -1 : base === 2 ? order === -1 || order === 0 : order === UNORDERED;
  return positive !== ((predicate & 4) !== 0);
}
/** Less and less or equal, and their opposites, are invalid for quiet NaNs too. */
const isQuiet = (predicate: number): boolean => (predicate & 3) === 0 || (predicate & 3) === 3;
/** CMPPS and the like: all ones in each lane where the predicate (immediate) holds. */
export function comparison(f: Format, count: number): VectorFunction {
  return (v, d, s, _words, immediate) => {
    const predicate = immediate & 7;
    if (count === 1) {
      const order = ordinary(v, f, d, s);
      if (order !== undefined) {
        v.words.fill(holds(predicate, order) ? -1 : 0, d, d + f.words);
        return 0;
      }
    }
    const lane: Lane = (_f, a, b) => (holds(predicate, compare(f, a, b, isQuiet(predicate))) ? (1n << BigInt(32 * f.words)) - 1n : 0n);
    return exactly(v, f, lane, d, s, count);
  };
}
/** COMISS and the like: ZF, PF and CF at their places in S.OPERAND. */
export function flagsOfComparison(f: Format, quiet: boolean): VectorFunction {
  return (v, d, s) => {
    let order = ordinary(v, f, d, s);
    if (order === undefined) {
      begin(v);
      order = compare(f, readBits(v, f, d), readBits(v, f, s), quiet);
      if (!finish(v)) return 1;
    }
    v.words[S.OPERAND] = order === UNORDERED ? 0x45 : order === 0 ? 0x40 : order < 0 ? 1 : 0;
    return 0;
  };
}

// ---- least and greatest: the second operand when one is a NaN, or both are zeros
const extreme =
  (wanted: -1 | 1): Lane =>
  (f, a, b) =>
    compare(f, a, b, false) === wanted ? flushed(f, a) : flushed(f, b);
function extremes(f: Format, wanted: -1 | 1, count: number): VectorFunction {
  const lane = extreme(wanted);
  return (v, d, s) => {
    if (count === 1) {
      const order = ordinary(v, f, d, s);
      if (order !== undefined) {
        if (order !== wanted) for (let n = 0; n < f.words; n++) v.words[d + n] = v.words[s + n]!;
        return 0;
      }
    }
    return exactly(v, f, lane, d, s, count);
  };
}
export const least = (f: Format, count: number): VectorFunction => extremes(f, -1, count),
  greatest = (f: Format, count: number): VectorFunction => extremes(f, 1, count);
