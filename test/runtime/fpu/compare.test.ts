import assert from 'node:assert/strict';
import { compare, EQUAL, examine, GREATER, LESS, UNORDERED } from '../../../src/runtime/fpu/compare.ts';
import { FLAG, parse } from './oracle.ts';

/** In ascending order; both zeros are equal, and so is a pseudo-denormal with the smallest normal number. */
const ASCENDING = [
  ['ffff8000000000000000'],
  ['fffeffffffffffffffff'],
  ['bfff8000000000000001'],
  ['bfff8000000000000000'],
  ['80018000000000000000', '80008000000000000000'],
  ['80000000000000000001'],
  ['80000000000000000000', '00000000000000000000'],
  ['00000000000000000001'],
  ['00000000000000000002'],
  ['00007fffffffffffffff'],
  ['00008000000000000000', '00018000000000000000'],
  ['3fff8000000000000000'],
  ['40008000000000000000'],
  ['7fff8000000000000000'],
];
const isDenormal = (hex: string): boolean => /^[08]000/.test(hex) && !/^[08]0{19}$/.test(hex);

describe('x87 comparison', () => {
  it('orders all numbers and reports denormal ones', () => {
    for (const [n, list] of ASCENDING.entries()) {
      for (const [m, others] of ASCENDING.entries()) {
        for (const a of list) {
          for (const b of others) {
            const expected = (n < m ? LESS : n > m ? GREATER : EQUAL) | (isDenormal(a) || isDenormal(b) ? FLAG.DE : 0);
            assert.equal(compare(parse(a), parse(b), false), expected, `${a} ${b}`);
          }
        }
      }
    }
  });
  it('finds NaNs and unsupported values unordered; quiet comparison accepts a QNaN', () => {
    const one = parse('3fff8000000000000000');
    for (const [hex, quiet] of [
      ['7fffc000000000000000', 0],
      ['7fff8000000000000001', FLAG.IE],
      ['3fff0000000000000000', FLAG.IE],
      ['7fff0000000000000000', FLAG.IE],
    ] as const) {
      assert.equal(compare(one, parse(hex), false), UNORDERED | FLAG.IE, hex);
      assert.equal(compare(parse(hex), one, true), UNORDERED | quiet, hex);
    }
  });
  it('examines: class in C3, C2, C0, sign in C1', () => {
    const C0 = 0x100,
      C1 = 0x200,
      C2 = 0x400,
      C3 = 0x4000;
    for (const [hex, codes] of [
      ['3fff0000000000000000', 0],
      ['7fffc000000000000000', C0],
      ['ffff8000000000000001', C0 | C1],
      ['bfff8000000000000000', C2 | C1],
      ['7fff8000000000000000', C2 | C0],
      ['80000000000000000000', C3 | C1],
      ['00000000000000000001', C3 | C2],
    ] as const) {
      assert.equal(examine(parse(hex), false), codes, hex);
      assert.equal(examine(parse(hex), true), C3 | C0 | (codes & C1), `${hex}, empty`);
    }
  });
});
