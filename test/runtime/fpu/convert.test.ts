import assert from 'node:assert/strict';
import { fromBcd, toBcd } from '../../../src/runtime/fpu/bcd.ts';
import { fromDouble, fromInteger, fromSingle, stored, toDouble, toInteger, toSingle } from '../../../src/runtime/fpu/convert.ts';
import { float80 } from '../../../src/runtime/fpu/float80.ts';
import { seeded } from '../../support/random.ts';
import { exact, FLAG, number, parse, roundTo, text } from './oracle.ts';

const ROUNDS = 3000;
const random = seeded(80);
const x = float80(),
  view = new DataView(new ArrayBuffer(8));

describe('x87 conversions', () => {
  it('load every double and store it back', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const high = random.edgy(),
        low = random.edgy();
      view.setInt32(0, high);
      view.setInt32(4, low);
      if (Number.isNaN(view.getFloat64(0))) continue;
      const denormal = (high & 0x7ff00000) === 0 && ((high & 0xfffff) | low) !== 0;
      assert.equal(fromDouble(high, low, x), denormal ? FLAG.DE : 0);
      assert.equal(toDouble(x, 0x37f), 0);
      assert.deepEqual([stored.high | 0, stored.low | 0], [high, low]);
    }
  });
  it('round to single as Math.fround does', () => {
    for (let n = 0; n < ROUNDS; n++) {
      view.setInt32(0, random.word() & (random.below(3) ? 0xc7ffffff : -1));
      view.setInt32(4, random.word());
      const value = view.getFloat64(0);
      if (Number.isNaN(value)) continue;
      fromDouble(view.getInt32(0), view.getInt32(4), x);
      const inexact = (toSingle(x, 0x37f) & FLAG.PE) !== 0;
      assert.equal(inexact, Math.fround(value) !== value);
      view.setInt32(0, stored.low);
      assert.ok(Object.is(view.getFloat32(0), Math.fround(value)), String(value));
      assert.equal(fromSingle(view.getInt32(0), x) & FLAG.IE, 0);
    }
  });
  it('say how a store rounded: upwards in C1, tiny and inexact as underflow', () => {
    assert.equal(toSingle(parse('3fff8000008000000001'), 0x37f), FLAG.PE | FLAG.C1);
    assert.equal(toSingle(parse('3fff8000008000000000'), 0x37f), FLAG.PE);
    assert.equal(toSingle(parse('3f698000000000000001'), 0x37f), FLAG.PE | FLAG.UE | FLAG.C1);
    assert.equal(stored.low, 1);
    assert.equal(toSingle(parse('3f808000000000000000'), 0x37f), 0, 'denormal but exact');
    assert.equal(toSingle(parse('407f8000000000000000'), 0x37f), FLAG.OE | FLAG.PE | FLAG.C1);
    assert.equal(stored.low, 0x7f800000);
    assert.equal(toSingle(parse('407f8000000000000000'), 0xf7f), FLAG.OE | FLAG.PE);
    assert.equal(stored.low, 0x7f7fffff);
    assert.equal(toSingle(parse('7fff8000000000000001'), 0x37f), FLAG.IE);
    assert.equal(stored.low, 0x7fc00000);
  });
  it('load and store integers of 64 bits exactly', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const high = random.edgy(),
        low = random.edgy();
      fromInteger(high, low, x);
      const value = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
      if (value !== 0n) {
        const { sign, numerator, denominator } = exact(x);
        assert.equal((sign ? -numerator : numerator) / denominator, value);
      }
      assert.equal(toInteger(x, 64, 0), 0);
      assert.deepEqual([stored.high | 0, stored.low | 0], [high, low]);
    }
  });
  it('round to integers of every width and give the indefinite when out of range', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const a = number(random, 0x3fff),
        mode = random.below(4),
        bits = random.pick([16, 32, 64] as const);
      if (random.below(2)) a.exponent = 0x3fff + bits - 1 - random.below(3);
      if (a.exponent !== 0) a.high |= 0x80000000;
      if (a.exponent > 0x4080 || (a.exponent < 0x3f00 && a.exponent > 0)) continue;
      const { integer, flags } = roundTo(exact(a), 0, mode),
        value = a.sign ? -integer : integer;
      const fits = value === BigInt.asIntN(bits, value),
        raised = toInteger(a, bits, mode);
      const got = BigInt.asIntN(bits, (BigInt(stored.high) << 32n) | BigInt(stored.low >>> 0));
      assert.deepEqual([raised, got], fits ? [flags, value] : [FLAG.IE, -(1n << BigInt(bits - 1))], `${text(a)} ${bits} ${mode}`);
    }
    assert.equal(toInteger(parse('7fffc000000000000000'), 32, 0), FLAG.IE);
    assert.equal(toInteger(parse('80000000000000000000'), 32, 0), 0);
  });
  it('carry 18 decimal digits and their sign', () => {
    for (let n = 0; n < ROUNDS; n++) {
      const digits = Array.from({ length: 18 }, () => random.below(10)).join(''),
        sign = random.below(2);
      const top = (sign << 15) | Number.parseInt(digits.slice(0, 2), 16),
        high = Number.parseInt(digits.slice(2, 10), 16),
        low = Number.parseInt(digits.slice(10), 16);
      fromBcd(top, high | 0, low | 0, x);
      if (BigInt(digits) !== 0n) {
        const { numerator, denominator } = exact(x);
        assert.equal(numerator / denominator, BigInt(digits));
        assert.equal(x.sign, sign);
      }
      assert.equal(toBcd(x, 0), 0);
      assert.deepEqual([stored.top, stored.high >>> 0, stored.low >>> 0], [top, high, low]);
    }
  });
  it('store no decimal of 19 digits', () => {
    assert.equal(toBcd(parse('403ade0b6b3a76400000'), 0), FLAG.IE);
    assert.deepEqual([stored.top, stored.high | 0, stored.low | 0], [0xffff, 0xc0000000 | 0, 0]);
    assert.equal(toBcd(parse('c03ade0b6b3a763ffff0'), 0), 0);
    assert.deepEqual([stored.top, stored.high >>> 0, stored.low >>> 0], [0x8099, 0x99999999, 0x99999999]);
    assert.equal(toBcd(parse('3ffec000000000000000'), 0), FLAG.PE | FLAG.C1);
    assert.deepEqual([stored.top, stored.high, stored.low], [0, 0, 1]);
  });
});
