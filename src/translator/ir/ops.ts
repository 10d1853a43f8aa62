// The pure micro-ops: one row each, with how to compute it now (`evaluate`: constant folding, and the oracle of the tests)
// and how to write it in JavaScript (`js`). All values are int32; narrow values are kept zero-extended. Comparisons yield a
// condition: a JavaScript boolean, 0 or 1 when evaluated. Width is never part of an op: the builder masks and extends.

/** High 32 bits of the unsigned product, by 16-bit limbs (about 8 ns; through doubles or BigInt 3 to 5 times that). */
export function mulHighU(x: number, y: number): number {
  const xl = x & 0xffff,
    xh = x >>> 16,
    yl = y & 0xffff,
    yh = y >>> 16;
  const low = xl * yl,
    mid1 = xh * yl + (low >>> 16),
    mid2 = xl * yh + (mid1 & 0xffff);
  return (xh * yh + Math.floor(mid1 / 65536) + Math.floor(mid2 / 65536)) | 0;
}
/** High 32 bits of the signed product. */
export function mulHighS(x: number, y: number): number {
  return (mulHighU(x, y) - (x < 0 ? y : 0) - (y < 0 ? x : 0)) | 0;
}

/** Whether hi:lo / y does not fit 32 bits unsigned (also for y = 0). */
export function divOverflows(hi: number, y: number): boolean {
  return hi >>> 0 >= y >>> 0;
}
/** Quotient of the unsigned 64-bit hi:lo by y, when it fits. Exact: two steps of 16 bits, each below 2^53. */
export function divQuotient(hi: number, lo: number, y: number): number {
  const d = y >>> 0,
    high = (hi >>> 0) * 65536 + (lo >>> 16),
    q1 = Math.floor(high / d);
  const q0 = Math.floor(((high - q1 * d) * 65536 + (lo & 0xffff)) / d);
  return (q1 * 65536 + q0) | 0;
}
/** Remainder of the same division. */
export function divRemainder(hi: number, lo: number, y: number): number {
  return (lo - Math.imul(divQuotient(hi, lo, y), y)) | 0;
}
/** Whether the signed 64-bit hi:lo / y does not fit 32 bits signed (also for y = 0). */
export function idivOverflows(hi: number, lo: number, y: number): boolean {
  if (y === 0) return true;
  const negative = hi < 0,
    positive = y > 0;
  const mlo = negative ? -lo | 0 : lo,
    mhi = negative ? (~hi + (lo === 0 ? 1 : 0)) | 0 : hi,
    d = positive ? y : -y | 0;
  if (divOverflows(mhi, d)) return true;
  const q = divQuotient(mhi, mlo, d) >>> 0;
  return negative === positive ? q > 0x80000000 : q > 0x7fffffff;
}
/** Quotient of the signed division, truncated toward zero, when it fits. */
export function idivQuotient(hi: number, lo: number, y: number): number {
  const negative = hi < 0,
    d = y > 0 ? y : -y | 0;
  const mlo = negative ? -lo | 0 : lo,
    mhi = negative ? (~hi + (lo === 0 ? 1 : 0)) | 0 : hi;
  const q = divQuotient(mhi, mlo, d);
  return negative === y > 0 ? -q | 0 : q;
}
/** Remainder of the signed division: it has the dividend's sign. */
export function idivRemainder(hi: number, lo: number, y: number): number {
  return (lo - Math.imul(idivQuotient(hi, lo, y), y)) | 0;
}
/** Number of trailing zero bits; 32 for zero. */
export function countTrailingZeros(x: number): number {
  return x === 0 ? 32 : 31 - Math.clz32(x & -x);
}

export interface PureRow {
  readonly evaluate: (x: number, y: number, z: number) => number | boolean;
  readonly js: (x: string, y: string, z: string) => string;
  /** Yields a condition. */
  readonly condition?: true;
}

/** Operand texts arrive as primary expressions: a name, a number, a call, or in parentheses. */
export const PURE = {
  add: { evaluate: (x, y) => (x + y) | 0, js: (x, y) => `${x}+${y}|0` },
  sub: { evaluate: (x, y) => (x - y) | 0, js: (x, y) => `${x}-${y}|0` },
  and: { evaluate: (x, y) => x & y, js: (x, y) => `${x}&${y}` },
  or: { evaluate: (x, y) => x | y, js: (x, y) => `${x}|${y}` },
  xor: { evaluate: (x, y) => x ^ y, js: (x, y) => `${x}^${y}` },
  shl: { evaluate: (x, y) => x << y, js: (x, y) => `${x}<<${y}` },
  shr: { evaluate: (x, y) => (x >>> y) | 0, js: (x, y) => `${x}>>>${y}|0` },
  sar: { evaluate: (x, y) => x >> y, js: (x, y) => `${x}>>${y}` },
  mul: { evaluate: (x, y) => Math.imul(x, y), js: (x, y) => `Math.imul(${x},${y})` },
  mulHighU: { evaluate: mulHighU, js: (x, y) => `mulHighU(${x},${y})` },
  mulHighS: { evaluate: mulHighS, js: (x, y) => `mulHighS(${x},${y})` },
  divOverflows: { evaluate: divOverflows, js: (x, y) => `divOverflows(${x},${y})`, condition: true },
  divQuotient: { evaluate: divQuotient, js: (x, y, z) => `divQuotient(${x},${y},${z})` },
  divRemainder: { evaluate: divRemainder, js: (x, y, z) => `divRemainder(${x},${y},${z})` },
  idivOverflows: { evaluate: idivOverflows, js: (x, y, z) => `idivOverflows(${x},${y},${z})`, condition: true },
  idivQuotient: { evaluate: idivQuotient, js: (x, y, z) => `idivQuotient(${x},${y},${z})` },
  idivRemainder: { evaluate: idivRemainder, js: (x, y, z) => `idivRemainder(${x},${y},${z})` },
  countLeadingZeros: { evaluate: (x) => Math.clz32(x), js: (x) => `Math.clz32(${x})` },
  countTrailingZeros: { evaluate: countTrailingZeros, js: (x) => `countTrailingZeros(${x})` },
  eq: { evaluate: (x, y) => x === y, js: (x, y) => `${x}===${y}`, condition: true },
  ne: { evaluate: (x, y) => x !== y, js: (x, y) => `${x}!==${y}`, condition: true },
  lt: { evaluate: (x, y) => x < y, js: (x, y) => `${x}<${y}`, condition: true },
  ltu: { evaluate: (x, y) => x >>> 0 < y >>> 0, js: (x, y) => `${x}>>>0<${y}>>>0`, condition: true },
  both: { evaluate: (x, y) => x !== 0 && y !== 0, js: (x, y) => `${x}&&${y}`, condition: true },
  either: { evaluate: (x, y) => x !== 0 || y !== 0, js: (x, y) => `${x}||${y}`, condition: true },
  negate: { evaluate: (x) => x === 0, js: (x) => `!${x}`, condition: true },
  select: { evaluate: (c, x, y) => (c !== 0 ? x : y), js: (c, x, y) => `${c}?${x}:${y}` },
} as const satisfies Record<string, PureRow>;
export type PureName = keyof typeof PURE;
