// Transcendental functions of exact rationals, to 300 bits and by other ways than src/runtime/fpu goes: arguments are halved or
// their roots taken before a series begins. A result is an exact rational that rounds as the true value does.

import type { Exact } from './oracle.ts';

const BITS = 320n,
  ONE = 1n << BITS;
/** What stands for a power of an argument that is below the last place: small, but not nothing. */
const TRIFLE = 1n << 12n;

const magnitude = (n: bigint): bigint => (n < 0n ? -n : n);
const signed = ({ sign, numerator }: Exact): bigint => (sign === 0 ? numerator : -numerator);
/** x in fixed point, with its sign. */
const fixed = (x: Exact): bigint => (signed(x) * ONE) / x.denominator;
const times = (a: bigint, b: bigint): bigint => (a * b) >> BITS;
export function ratio(numerator: bigint, denominator: bigint): Exact {
  return { sign: numerator < 0n !== denominator < 0n ? 1 : 0, numerator: magnitude(numerator), denominator: magnitude(denominator) };
}
const product = (a: Exact, b: Exact): Exact => ({
  sign: a.sign ^ b.sign,
  numerator: a.numerator * b.numerator,
  denominator: a.denominator * b.denominator,
});
const real = (value: bigint): Exact => ratio(value, ONE);
function squareRoot(value: bigint): bigint {
  const n = value << BITS;
  let r = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (r + n / r) >> 1n;
    if (next >= r) return r;
    r = next;
  }
}
/** c0 + c1 z + c2 z^2 + ... until the terms vanish. */
function series(z: bigint, coefficient: (n: bigint) => bigint): bigint {
  let sum = 0n,
    power = ONE;
  for (let n = 0n; ; n++) {
    const term = times(power, coefficient(n));
    if (magnitude(term) <= 1n) return sum;
    sum += term;
    power = times(power, z);
  }
}
function factorial(n: bigint): bigint {
  return n < 2n ? 1n : n * factorial(n - 1n);
}

/** arctan(x) / x in fixed point for x^2 = z below 1. */
const arcTangentOver = (z: bigint): bigint => series(-z, (n) => ONE / (2n * n + 1n));
const ofUnit = (n: bigint): bigint => arcTangentOver(ONE / (n * n)) / n;
/** Störmer's formula. */
const PI = 24n * ofUnit(8n) + 8n * ofUnit(57n) + 4n * ofUnit(239n);
/** The sum of 1 / (n 2^n). */
const LN2 = ((): bigint => {
  let sum = 0n;
  for (let n = 1n; n < BITS + 1n; n++) sum += ONE / (n << n);
  return sum;
})();

/** pi / 2 of 66 bits (SDM volume 1, "Approximation of Pi"). */
const HALF_PI = { numerator: 0xc90fdaa22168c234cn, denominator: 1n << 67n };
/** x = quadrant * pi/2 + rest. */
function reduce(x: Exact): { quadrant: number; rest: Exact } {
  if (2n * x.numerator < x.denominator) return { quadrant: 0, rest: x };
  const n = signed(x) * HALF_PI.denominator,
    d = x.denominator * HALF_PI.numerator;
  let q = (2n * magnitude(n) + d) / (2n * d);
  if (n < 0n) q = -q;
  return {
    quadrant: Number(((q % 4n) + 4n) % 4n),
    rest: ratio(n - q * d, x.denominator * HALF_PI.denominator),
  };
}
function seriesOf(x: Exact): { quadrant: number; sine: Exact; cosine: Exact } {
  const { quadrant, rest } = reduce(x),
    r = fixed(rest);
  let z = times(r, r);
  if (z < TRIFLE) z = TRIFLE;
  return {
    quadrant,
    sine: product(rest, real(series(-z, (n) => ONE / factorial(2n * n + 1n)))),
    cosine: real(series(-z, (n) => ONE / factorial(2n * n))),
  };
}
const negative = (x: Exact): Exact => ({ ...x, sign: x.sign ^ 1 });
export function sine(x: Exact): Exact {
  const { quadrant, sine: s, cosine: c } = seriesOf(x),
    value = quadrant & 1 ? c : s;
  return quadrant & 2 ? negative(value) : value;
}
export function cosine(x: Exact): Exact {
  const { quadrant, sine: s, cosine: c } = seriesOf(x);
  return [c, negative(s), negative(c), s][quadrant]!;
}
export function tangent(x: Exact): Exact {
  const { quadrant, sine: s, cosine: c } = seriesOf(x);
  return quadrant & 1
    ? ratio(-signed(c) * s.denominator, c.denominator * signed(s))
    : ratio(signed(s) * c.denominator, s.denominator * signed(c));
}

/** arctan(p / q) for 0 < p <= q. */
function firstOctant(p: bigint, q: bigint): Exact {
  let t = (p * ONE) / q;
  if (t < ONE >> 4n) {
    const z = times(t, t);
    return product(ratio(p, q), real(arcTangentOver(z < TRIFLE ? TRIFLE : z)));
  }
  // arctan t = 2 arctan(t / (1 + sqrt(1 + t^2)))
  for (let n = 0; n < 4; n++) t = (t * ONE) / (ONE + squareRoot(ONE + times(t, t)));
  return real(16n * times(t, arcTangentOver(times(t, t))));
}
export function arcTangent(y: Exact, x: Exact): Exact {
  const p = y.numerator * x.denominator,
    q = x.numerator * y.denominator;
  const steep = p > q,
    angle = steep ? firstOctant(q, p) : firstOctant(p, q);
  if (!steep && x.sign === 0) return { ...angle, sign: y.sign };
  let value = fixed(angle);
  if (value === 0n) value = TRIFLE;
  if (steep) value = PI / 2n - value;
  if (x.sign !== 0) value = PI - value;
  return { ...real(value), sign: y.sign };
}

/** log2(1 + x), x above -1 and not zero. */
function logOfSum(x: Exact): Exact {
  const f = fixed(x);
  if (magnitude(f) < ONE >> 4n) {
    const z = magnitude(f) < TRIFLE ? (x.sign === 0 ? TRIFLE : -TRIFLE) : f;
    return product(
      x,
      ratio(
        series(-z, (n) => ONE / (n + 1n)),
        LN2,
      ),
    );
  }
  // 1 + x = m 2^e; the logarithm of the 256th root of m
  let n = x.denominator + signed(x),
    d = x.denominator,
    e = n.toString(2).length - d.toString(2).length;
  if (e > 0) d <<= BigInt(e);
  else n <<= BigInt(-e);
  let m = (n * ONE) / d;
  if (m < ONE) (m <<= 1n), e--;
  for (let k = 0; k < 8; k++) m = squareRoot(m);
  m -= ONE;
  const ln =
    256n *
    times(
      m,
      series(-m, (k) => ONE / (k + 1n)),
    );
  return ratio((ln * ONE) / LN2 + BigInt(e) * ONE, ONE);
}
export const logarithmOfSumTimes = (y: Exact, x: Exact): Exact => product(y, logOfSum(x));
export function logarithmTimes(y: Exact, x: Exact): Exact {
  return logarithmOfSumTimes(y, ratio(x.numerator - x.denominator, x.denominator));
}
/** 2^x - 1, x between -1 and 1. */
export function exponentialMinusOne(x: Exact): Exact {
  let t = times(fixed(x), LN2);
  if (magnitude(t) < TRIFLE) t = x.sign === 0 ? TRIFLE : -TRIFLE;
  return product(product(x, real(LN2)), real(series(t, (n) => ONE / factorial(n + 1n))));
}
