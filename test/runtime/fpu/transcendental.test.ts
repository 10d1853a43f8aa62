import assert from 'node:assert/strict';
import { type Float80, float80 } from '../../../src/runtime/fpu/float80.ts';
import { atan, cos, exp, log, logOfSum, sin, sinCos, tan } from '../../../src/runtime/fpu/transcendental.ts';
import { type Random, seeded } from '../../support/random.ts';
import { type Exact, exact, FLAG, rounded, significandOf, text } from './oracle.ts';
import * as oracle from './transcendentalOracle.ts';

const ROUNDS = 600,
  C2 = 0x400;
const out = float80(),
  second = float80();

/** A number with an exponent from a range and a significand that is random or has few bits. */
function number(random: Random, least: number, greatest: number): Float80 {
  const exponent = Math.max(0, least + random.below(greatest - least + 1)),
    kind = random.below(4);
  const high = kind === 0 ? random.pick([0x80000000, -1, 0xc0000000, 0xc90fdaa2, 0x80000001]) : random.word() | 0x80000000,
    low = kind === 0 ? random.pick([0, 1, -1, 0x2168c235, 0x80000000]) : random.word();
  if (exponent === 0) return float80(random.below(2), 0, (high & 0x7fffffff) >>> random.below(31), low | 1);
  return float80(random.below(2), exponent, high | 0, low | 0);
}
const BIAS = 0x3fff;
/** Exponents of arguments: near 1, as far as they are of interest, anything. */
function argument(random: Random, greatest: number): Float80 {
  const kind = random.below(10);
  if (kind < 5) return number(random, BIAS - 6, Math.min(greatest, BIAS + 3));
  if (kind < 8) return number(random, BIAS - 70, Math.min(greatest, BIAS + 66));
  return kind === 8 ? number(random, 0, greatest) : number(random, 0, 70);
}
const controlWord = (random: Random): number => 0x7f | (random.below(16) << 8);

/** |got - value| in units of the last of 64 places of `value`. */
function error(got: Float80, value: Exact): number {
  const x = exact(got),
    difference =
      (x.sign ? -x.numerator : x.numerator) * value.denominator - (value.sign ? -value.numerator : value.numerator) * x.denominator,
    quantum = Math.max(1, got.exponent) - BIAS - 63;
  const numerator = (difference < 0n ? -difference : difference) << 20n,
    denominator = x.denominator * value.denominator;
  const units = quantum < 0 ? (numerator << BigInt(-quantum)) / denominator : numerator / (denominator << BigInt(quantum));
  return Number(units) / 2 ** 20;
}
/** The masked result of a function against the true value rounded once; PE always. */
function check(name: string, operands: readonly Float80[], control: number, raised: number, got: Float80, value: Exact): void {
  const { result, flags } = rounded(value, control | 0x300),
    denormal = operands.some((x) => x.exponent === 0) ? FLAG.DE : 0;
  const about = `${name} ${operands.map(text).join(' ')} control ${control.toString(16)}`;
  if (got.exponent !== 0x7fff && significandOf(got) !== 0n)
    assert.ok(error(got, value) < 1, `${about}: ${text(got)} is ${error(got, value)} ulp off`);
  assert.deepEqual({ result: text(got), raised }, { result, raised: flags | FLAG.PE | denormal }, about);
}

const ANGLES = [
  ['sin', sin, oracle.sine],
  ['cos', cos, oracle.cosine],
  ['tan', (a: Float80, control: number, result: Float80) => tan(a, control, result, second), oracle.tangent],
] as const;

describe('x87 transcendental functions', () => {
  for (const [name, ours, theirs] of ANGLES) {
    it(`${name}: angles up to 2^63, reduced by a pi of 66 bits`, () => {
      const random = seeded(name.charCodeAt(0));
      for (let n = 0; n < ROUNDS; n++) {
        const a = argument(random, BIAS + 62),
          control = controlWord(random);
        if (a.exponent > BIAS + 62) a.exponent = BIAS + 62;
        check(name, [a], control, ours(a, control, out), out, theirs(exact(a)));
      }
    });
    it(`${name}: angles next to multiples of pi/2`, () => {
      const random = seeded(66);
      for (let n = 1; n < ROUNDS; n++) {
        // The number of 64 bits nearest to n pi/2.
        const multiple = BigInt(n % 3 ? n : random.word() >>> 0) * 0xc90fdaa22168c234cn,
          places = multiple.toString(2).length - 64,
          nearest = (multiple + (1n << BigInt(places - 1))) >> BigInt(places);
        const a = float80(random.below(2), BIAS + places - 67 + 63, Number(nearest >> 32n) | 0, Number(nearest & 0xffffffffn) | 0),
          control = controlWord(random);
        if (a.high >= 0) continue;
        check(name, [a], control, ours(a, control, out), out, theirs(exact(a)));
      }
    });
  }
  it('sin and cos together are those alone, C1 that of the sine', () => {
    const random = seeded(3);
    for (let n = 0; n < ROUNDS; n++) {
      const a = argument(random, BIAS + 66),
        control = controlWord(random),
        both = sinCos(a, control, out, second),
        pair = [text(out), text(second)];
      const flags = sin(a, control, out);
      if ((flags & C2) !== 0) {
        assert.equal(both, C2);
        continue;
      }
      assert.equal(both & ~FLAG.UE, flags & ~FLAG.UE);
      const sine = text(out);
      cos(a, control, out);
      assert.deepEqual(pair, [sine, text(out)]);
    }
  });
  it('atan: every ratio, every quadrant', () => {
    const random = seeded(4);
    for (let n = 0; n < 2 * ROUNDS; n++) {
      const a = argument(random, 0x7ffe),
        b = random.below(2) ? argument(random, 0x7ffe) : number(random, Math.max(1, a.exponent - 50), Math.min(0x7ffe, a.exponent + 50)),
        control = controlWord(random);
      if (random.below(8) === 0) (b.high = a.high), (b.low = a.low);
      if (a.exponent === 0 || b.exponent === 0) (a.high &= 0x7fffffff), (b.high |= b.exponent ? 0x80000000 : 0);
      if (a.exponent !== 0) a.high |= 0x80000000;
      if (b.exponent === 0) b.high &= 0x7fffffff;
      check('atan', [a, b], control, atan(a, b, control, out), out, oracle.arcTangent(exact(b), exact(a)));
    }
  });
  it('2^x - 1 between -1 and 1', () => {
    const random = seeded(5);
    for (let n = 0; n < 2 * ROUNDS; n++) {
      const a = argument(random, BIAS - 1),
        control = controlWord(random);
      check('exp', [a], control, exp(a, control, out), out, oracle.exponentialMinusOne(exact(a)));
    }
  });
  it('y log2 x', () => {
    const random = seeded(6);
    for (let n = 0; n < 2 * ROUNDS; n++) {
      const a = random.below(3) ? argument(random, 0x7ffe) : number(random, BIAS - 1, BIAS),
        b = random.below(4) ? number(random, BIAS - 3, BIAS + 3) : argument(random, 0x7ffe),
        control = controlWord(random);
      a.sign = 0;
      // Next to 1.
      if (random.below(6) === 0)
        (a.high = a.exponent === BIAS ? 0x80000000 | 0 : -1), (a.low = random.below(2) ? random.word() : a.exponent === BIAS ? 1 : -1);
      if (a.exponent === BIAS && a.high === -0x80000000 && a.low === 0) continue;
      check('log', [a, b], control, log(a, b, control, out), out, oracle.logarithmTimes(exact(b), exact(a)));
    }
  });
  it('y log2(x + 1)', () => {
    const random = seeded(7);
    for (let n = 0; n < 2 * ROUNDS; n++) {
      const a = argument(random, 0x7ffe),
        b = random.below(4) ? number(random, BIAS - 3, BIAS + 3) : argument(random, 0x7ffe),
        control = controlWord(random);
      if (a.exponent >= BIAS) a.sign = 0;
      check('logOfSum', [a, b], control, logOfSum(a, b, control, out), out, oracle.logarithmOfSumTimes(exact(b), exact(a)));
    }
  });
});
