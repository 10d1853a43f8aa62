import assert from 'node:assert/strict';
import { add, div, mul, sqrt } from '../../../src/runtime/fpu/arithmetic.ts';
import { fromDouble, stored, toDouble } from '../../../src/runtime/fpu/convert.ts';
import { type Float80, float80 } from '../../../src/runtime/fpu/float80.ts';
import { seeded } from '../../support/random.ts';
import { type Exact, exact, FLAG, number, parse, rounded, significandOf, text } from './oracle.ts';

const ROUNDS = 3000,
  DENORMAL = FLAG.DE;
const random = seeded(87);
const out = float80();
const isDenormal = (x: Float80): boolean => x.exponent === 0;
const controlWord = (): number => 0x7f | (random.below(16) << 8);

function check(
  what: string,
  operands: readonly Float80[],
  control: number,
  raised: number,
  expected: { result: string; flags: number },
): void {
  const denormal = operands.some(isDenormal) ? DENORMAL : 0;
  assert.deepEqual(
    { result: text(out), flags: raised },
    { result: expected.result, flags: expected.flags | denormal },
    `${what} ${operands.map(text).join(' ')} control ${control.toString(16)}`,
  );
}
function sum(a: Exact, b: Exact, control: number): { result: string; flags: number } {
  const total = (a.sign ? -a.numerator : a.numerator) * b.denominator + (b.sign ? -b.numerator : b.numerator) * a.denominator;
  if (total === 0n) return { result: ((control >> 10) & 3) === 1 ? `8${'0'.repeat(19)}` : '0'.repeat(20), flags: 0 };
  return rounded({ sign: total < 0n ? 1 : 0, numerator: total < 0n ? -total : total, denominator: a.denominator * b.denominator }, control);
}
/** Largest r with r * r <= n. */
function root(n: bigint): bigint {
  let r = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (r + n / r) >> 1n;
    if (next >= r) return r;
    r = next;
  }
}

describe('x87 arithmetic', () => {
  it('adds and subtracts as exact numbers rounded once, in every precision and rounding', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const near = random.below(2) ? 0x3fff : random.below(0x7fff),
        a = number(random, near),
        b = number(random, near),
        control = controlWord(),
        minus = random.below(2);
      if (random.below(3) === 0) b.exponent = a.exponent === 0 || b.exponent === 0 ? b.exponent : a.exponent;
      const expected = sum(exact(a), { ...exact(b), sign: b.sign ^ minus }, control);
      check(minus ? 'sub' : 'add', [a, b], control, add(a, b, minus, control, out), expected);
    }
  });
  it('multiplies and divides so', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const a = number(random, 0x3fff),
        b = number(random, random.below(2) ? 0x3fff : 0x7fff - a.exponent),
        control = controlWord(),
        x = exact(a),
        y = exact(b),
        sign = a.sign ^ b.sign;
      const product = rounded({ sign, numerator: x.numerator * y.numerator, denominator: x.denominator * y.denominator }, control);
      check('mul', [a, b], control, mul(a, b, control, out), product);
      const quotient = rounded({ sign, numerator: x.numerator * y.denominator, denominator: x.denominator * y.numerator }, control);
      check('div', [a, b], control, div(a, b, control, out), quotient);
    }
  });
  it('divides where the estimate of a quotient digit is furthest off', () => {
    for (const low of [0, 1, -1, 0x7fffffff, -0x80000000]) {
      for (const [a, b] of [
        [float80(0, 0x3fff, -1, low), float80(0, 0x3fff, -0x80000000, -1)],
        [float80(0, 0x3fff, -0x80000000, low), float80(0, 0x3fff, -0x80000000, -1)],
        [float80(0, 0x3fff, -0x7fffffff, low), float80(0, 0x3fff, -0x7fffffff, -1)],
        [float80(0, 0x3fff, -2, low), float80(0, 0x3fff, -1, -1)],
      ] as const) {
        const x = exact(a),
          y = exact(b);
        const expected = rounded({ sign: 0, numerator: x.numerator * y.denominator, denominator: x.denominator * y.numerator }, 0x37f);
        check('div', [a, b], 0x37f, div(a, b, 0x37f, out), expected);
      }
    }
  });
  it('takes square roots so', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const a = number(random, 0x3fff),
        control = controlWord();
      a.sign = 0;
      // m * 2^e with even e; 140 more places than any precision asks for, and one that tells of the rest.
      let e = (a.exponent === 0 ? 1 : a.exponent) - 16383 - 63,
        m = significandOf(a);
      if (e & 1) (m *= 2n), e--;
      const wide = m << 280n,
        r = root(wide),
        sticky = r * r === wide ? 0n : 1n;
      const places = e / 2 - 141,
        numerator = 2n * r + sticky;
      const expected = rounded(
        places >= 0
          ? { sign: 0, numerator: numerator << BigInt(places), denominator: 1n }
          : { sign: 0, numerator, denominator: 1n << BigInt(-places) },
        control,
      );
      check('sqrt', [a], control, sqrt(a, control, out), expected);
    }
  });
  it('has JavaScript numbers as results when precision control says 53 bits', () => {
    const view = new DataView(new ArrayBuffer(8)),
      a = float80(),
      b = float80();
    const from = (value: number, x: Float80): void => {
      view.setFloat64(0, value);
      fromDouble(view.getInt32(0), view.getInt32(4), x);
    };
    const back = (): number => {
      assert.equal(toDouble(out, 0x37f) & FLAG.PE, 0);
      view.setInt32(0, stored.high);
      view.setInt32(4, stored.low);
      return view.getFloat64(0);
    };
    for (let n = 0; n < ROUNDS; n++) {
      const x = (random.word() / 3) * 2 ** (random.below(60) - 30),
        y = (random.word() / 7) * 2 ** (random.below(60) - 30);
      from(x, a);
      from(y, b);
      add(a, b, 0, 0x27f, out);
      assert.equal(back(), x + y);
      mul(a, b, 0x27f, out);
      assert.equal(back(), x * y);
      div(a, b, 0x27f, out);
      assert.equal(back(), x / y);
      from(Math.abs(x), a);
      sqrt(a, 0x27f, out);
      assert.equal(back(), Math.sqrt(Math.abs(x)));
    }
  });
  it('moves the exponent of an unmasked overflow or underflow by 24576', () => {
    const huge = parse('7ffe8000000000000000'),
      two = parse('40008000000000000000');
    assert.equal(mul(huge, two, 0x377, out), FLAG.OE);
    assert.equal(text(out), '1fff8000000000000000');
    const small = parse('00018000000000000000');
    assert.equal(div(small, two, 0x36f, out), FLAG.UE);
    assert.equal(text(out), '60008000000000000000');
    assert.equal(div(small, two, 0x37f, out), 0, 'exact and masked: no underflow');
    assert.equal(text(out), '00004000000000000000');
  });
  it('answers invalid operations with the indefinite QNaN', () => {
    const infinity = parse('7fff8000000000000000'),
      zero = parse('80000000000000000000'),
      unnormal = parse('3fff4000000000000000'),
      one = parse('3fff8000000000000000'),
      minusOne = parse('bfff8000000000000000');
    for (const [name, raised] of [
      ['inf - inf', () => add(infinity, infinity, 1, 0x37f, out)],
      ['inf * 0', () => mul(infinity, zero, 0x37f, out)],
      ['inf / inf', () => div(infinity, infinity, 0x37f, out)],
      ['0 / 0', () => div(zero, zero, 0x37f, out)],
      ['unnormal + 1', () => add(unnormal, one, 0, 0x37f, out)],
      ['sqrt -1', () => sqrt(minusOne, 0x37f, out)],
    ] as const) {
      assert.equal(raised(), FLAG.IE, name);
      assert.equal(text(out), 'ffffc000000000000000', name);
    }
    assert.equal(div(one, zero, 0x37f, out), FLAG.ZE);
    assert.equal(text(out), 'ffff8000000000000000');
    assert.equal(sqrt(zero, 0x37f, out), 0);
    assert.equal(text(out), '80000000000000000000');
  });
  it('chooses among NaNs by the larger significand, and the quiet one of a quiet and a signalling one', () => {
    const q1 = parse('7fffc000000000000001'),
      q2 = parse('ffffc000000000000002'),
      s1 = parse('7fff8000000000000009'),
      s2 = parse('ffffa000000000000000'),
      one = parse('3fff8000000000000000');
    for (const [a, b, raised, result] of [
      [q1, q2, 0, 'ffffc000000000000002'],
      [q2, q1, 0, 'ffffc000000000000002'],
      [s1, q1, FLAG.IE, '7fffc000000000000001'],
      [q1, s2, FLAG.IE, '7fffc000000000000001'],
      [s1, s2, FLAG.IE, 'ffffe000000000000000'],
      [one, s1, FLAG.IE, '7fffc000000000000009'],
      [one, q2, 0, 'ffffc000000000000002'],
    ] as const) {
      assert.equal(mul(a, b, 0x37f, out), raised);
      assert.equal(text(out), result);
    }
  });
});
