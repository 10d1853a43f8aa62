// Floating-point instructions of SSE, SSE2, SSE3 and SSE4.1 (SDM volume 1, "SSE Packed Arithmetic Instructions", "SSE2 Packed
// and Scalar Double-Precision", "SSE3 Horizontal Arithmetic", "SSE4.1 Rounding", "Dot Product"; volume 2 for each operation).
// RCPPS and RSQRTPS give the value rounded to nearest, which is closer than the 1.5 * 2^-12 that the SDM promises.

import type { Feature } from '../features.ts';
import { S } from '../state.ts';
import { shuffleDoubles, shuffleSingles } from '../vector/arrange.ts';
import * as compare from '../vector/compare.ts';
import * as convert from '../vector/convert.ts';
import * as exact from '../vector/exact.ts';
import { DOUBLE, type Format, type Lane, SINGLE } from '../vector/exact.ts';
import * as float from '../vector/float.ts';
import { type VectorFunction, vectorNumber } from '../vector/functions.ts';
import type { Meaning, RowOptions } from './notation.ts';
import { insn } from './notation.ts';
import { enterMmx, immediateOf, leaveMmx, raising, sourceOf, wordOf, XMM_WORDS, xmmFunction, xmmParts, xmmWords } from './vectorCommon.ts';

const option = (feature: Feature): RowOptions => ({ feature, state: 'xmm' });
const SSE = option('sse'),
  SSE2 = option('sse2');

/** destination := f(destination, source, words, immediate), with the exceptions of floating point. */
function rounding(f: VectorFunction): Meaning {
  const n = vectorNumber(f);
  return (b, _i, d, s, t) => raising(b, n, wordOf(d), sourceOf(b, s), XMM_WORDS, immediateOf(t));
}
/** Packed and scalar, single and double: PS, SS, PD, SD. */
const FORMS = [
  { suffix: 'PS', prefix: 'np', f: SINGLE, count: 4, options: SSE },
  { suffix: 'SS', prefix: 'f3', f: SINGLE, count: 1, options: SSE },
  { suffix: 'PD', prefix: '66', f: DOUBLE, count: 2, options: SSE2 },
  { suffix: 'SD', prefix: 'f2', f: DOUBLE, count: 1, options: SSE2 },
] as const;
function fourForms(name: string, opcode: string, of: (f: Format, count: number) => VectorFunction, immediate = ''): void {
  for (const { suffix, prefix, f, count, options } of FORMS) {
    const size = suffix.toLowerCase();
    insn(name + suffix, [`${prefix} 0f ${opcode} /r V${size},W${size}${immediate}`], rounding(of(f, count)), options);
  }
}
/** Arithmetic with a fast function for one lane of each format. */
function arithmetic(name: string, opcode: string, lane: Lane, single: VectorFunction, double: VectorFunction): void {
  fourForms(name, opcode, (f, count) => {
    const one = f === SINGLE ? single : double;
    return count === 1 ? one : float.allLanes(one, f, lane);
  });
}

// ---- arithmetic
arithmetic('SQRT', '51', exact.squareRoot, float.squareRootSingle, float.squareRootDouble);
arithmetic('ADD', '58', exact.add, float.addSingle, float.addDouble);
arithmetic('MUL', '59', exact.multiply, float.multiplySingle, float.multiplyDouble);
arithmetic('SUB', '5c', exact.subtract, float.subtractSingle, float.subtractDouble);
arithmetic('DIV', '5e', exact.divide, float.divideSingle, float.divideDouble);
fourForms('MIN', '5d', compare.least);
fourForms('MAX', '5f', compare.greatest);
for (const [name, opcode, root] of [
  ['RCP', '53', false],
  ['RSQRT', '52', true],
] as const) {
  insn(`${name}PS`, [`np 0f ${opcode} /r Vps,Wps`], xmmFunction(convert.approximations(root, 4)), SSE);
  insn(`${name}SS`, [`f3 0f ${opcode} /r Vss,Wss`], xmmFunction(convert.approximations(root, 1)), SSE);
}
for (const [name, opcode, lane] of [
  ['HADD', '7c', exact.add],
  ['HSUB', '7d', exact.subtract],
] as const) {
  insn(`${name}PD`, [`66 0f ${opcode} /r Vpd,Wpd`], rounding(convert.neighbours(DOUBLE, lane)), option('pni'));
  insn(`${name}PS`, [`f2 0f ${opcode} /r Vps,Wps`], rounding(convert.neighbours(SINGLE, lane)), option('pni'));
}
insn('ADDSUBPD', ['66 0f d0 /r Vpd,Wpd'], rounding(exact.exactFunction(DOUBLE, convert.alternate, 2)), option('pni'));
insn('ADDSUBPS', ['f2 0f d0 /r Vps,Wps'], rounding(exact.exactFunction(SINGLE, convert.alternate, 4)), option('pni'));

// ---- logic, shuffles
for (const [name, opcode, f] of [
  ['AND', '54', (b, x, y) => b.and(x, y)],
  ['ANDN', '55', (b, x, y) => b.and(b.not(x), y)],
  ['OR', '56', (b, x, y) => b.or(x, y)],
  ['XOR', '57', (b, x, y) => b.xor(x, y)],
] as const satisfies readonly (readonly [string, string, Parameters<typeof xmmWords>[0]])[]) {
  insn(`${name}PS`, [`np 0f ${opcode} /r Vps,Wps`], xmmWords(f), SSE);
  insn(`${name}PD`, [`66 0f ${opcode} /r Vpd,Wpd`], xmmWords(f), SSE2);
}
insn('UNPCKLPS', ['np 0f 14 /r Vps,Wps'], xmmParts('d0', 's0', 'd1', 's1'), SSE);
insn('UNPCKHPS', ['np 0f 15 /r Vps,Wps'], xmmParts('d2', 's2', 'd3', 's3'), SSE);
insn('UNPCKLPD', ['66 0f 14 /r Vpd,Wpd'], xmmParts('d0', 'd1', 's0', 's1'), SSE2);
insn('UNPCKHPD', ['66 0f 15 /r Vpd,Wpd'], xmmParts('d2', 'd3', 's2', 's3'), SSE2);
insn('SHUFPS', ['np 0f c6 /r Vps,Wps,Ib'], xmmFunction(shuffleSingles), SSE);
insn('SHUFPD', ['66 0f c6 /r Vpd,Wpd,Ib'], xmmFunction(shuffleDoubles), SSE2);

// ---- comparison
fourForms('CMP', 'c2', compare.comparison, ',Ib');
for (const [name, opcode, quiet] of [
  ['UCOMI', '2e', true],
  ['COMI', '2f', false],
] as const) {
  for (const { suffix, f, options } of FORMS.filter(({ count }) => count === 1)) {
    const size = suffix.toLowerCase(),
      n = vectorNumber(compare.flagsOfComparison(f, quiet));
    insn(
      name + suffix,
      [`${f === SINGLE ? 'np' : '66'} 0f ${opcode} /r V${size},W${size}`],
      (b, _i, d, s) => {
        raising(b, n, wordOf(d), sourceOf(b, s));
        b.flagsAll(b.state(S.OPERAND));
      },
      options,
    );
  }
}

// ---- conversion to and from integers
for (const [name, opcode, truncates] of [
  ['CVT', '2d', false],
  ['CVTT', '2c', true],
] as const) {
  for (const [source, prefix, f, options] of [
    ['ss', 'f3', SINGLE, SSE],
    ['sd', 'f2', DOUBLE, SSE2],
  ] as const) {
    const n = vectorNumber(convert.integerOf(f, truncates));
    insn(
      `${name}${source.toUpperCase()}2SI`,
      [`${prefix} 0f ${opcode} /r Gd,W${source}`],
      (b, _i, d, s) => {
        raising(b, n, S.OPERAND, sourceOf(b, s));
        b.write(d, b.state(S.OPERAND));
      },
      options,
    );
  }
  for (const [source, prefix, code, f, options] of [
    ['PS', 'np', 'q', SINGLE, SSE],
    ['PD', '66', 'pd', DOUBLE, SSE2],
  ] as const) {
    const n = vectorNumber(convert.integersOf(f, 2, 2, truncates));
    insn(
      `${name}${source}2PI`,
      [`${prefix} 0f ${opcode} /r Pq,W${code}`],
      (b, _i, d, s) => {
        enterMmx(b);
        raising(b, n, wordOf(d), sourceOf(b, s));
        leaveMmx(b, wordOf(d));
      },
      options,
    );
  }
}
/** A general register or memory to a scalar. */
function fromInteger(f: VectorFunction, raises: boolean): Meaning {
  const n = vectorNumber(f);
  return (b, _i, d, s) => {
    b.setState(S.OPERAND, b.read(s));
    if (raises) raising(b, n, wordOf(d), S.OPERAND);
    else b.vector(n, wordOf(d), S.OPERAND);
  };
}
insn('CVTSI2SS', ['f3 0f 2a /r Vss,Ed'], fromInteger(convert.singlesOfIntegers(1), true), SSE);
insn('CVTSI2SD', ['f2 0f 2a /r Vsd,Ed'], fromInteger(convert.doubleOfInteger, false), SSE2);
// The MMX state is not touched where the integers come from memory. (The SDM says so of CVTPI2PD only; the processor that the
// vectors come from does it in both.)
const singlesOfTwo = vectorNumber(convert.singlesOfIntegers(2)),
  doublesOfTwo = vectorNumber(convert.doublesOfIntegers);
insn(
  'CVTPI2PS',
  ['np 0f 2a /r Vps,Qq'],
  (b, _i, d, s) => {
    if (s.kind !== 'mem') enterMmx(b);
    raising(b, singlesOfTwo, wordOf(d), sourceOf(b, s));
    if (s.kind !== 'mem') leaveMmx(b);
  },
  SSE,
);
insn(
  'CVTPI2PD',
  ['66 0f 2a /r Vpd,Qq'],
  (b, _i, d, s) => {
    if (s.kind !== 'mem') enterMmx(b);
    b.vector(doublesOfTwo, wordOf(d), sourceOf(b, s));
    if (s.kind !== 'mem') leaveMmx(b);
  },
  SSE2,
);
insn('CVTDQ2PS', ['np 0f 5b /r Vps,Wdq'], rounding(convert.singlesOfIntegers(4)), SSE2);
insn('CVTDQ2PD', ['f3 0f e6 /r Vpd,Wq'], xmmFunction(convert.doublesOfIntegers), SSE2);
insn('CVTPS2DQ', ['66 0f 5b /r Vdq,Wps'], rounding(convert.integersOf(SINGLE, 4, 4, false)), SSE2);
insn('CVTTPS2DQ', ['f3 0f 5b /r Vdq,Wps'], rounding(convert.integersOf(SINGLE, 4, 4, true)), SSE2);
insn('CVTPD2DQ', ['f2 0f e6 /r Vdq,Wpd'], rounding(convert.integersOf(DOUBLE, 2, 4, false)), SSE2);
insn('CVTTPD2DQ', ['66 0f e6 /r Vdq,Wpd'], rounding(convert.integersOf(DOUBLE, 2, 4, true)), SSE2);

// ---- conversion between the formats
insn('CVTSS2SD', ['f3 0f 5a /r Vsd,Wss'], rounding(convert.converted(SINGLE, DOUBLE, 1, 2)), SSE2);
insn('CVTSD2SS', ['f2 0f 5a /r Vss,Wsd'], rounding(convert.converted(DOUBLE, SINGLE, 1, 1)), SSE2);
insn('CVTPS2PD', ['np 0f 5a /r Vpd,Wq'], rounding(convert.converted(SINGLE, DOUBLE, 2, 4)), SSE2);
insn('CVTPD2PS', ['66 0f 5a /r Vps,Wpd'], rounding(convert.converted(DOUBLE, SINGLE, 2, 4)), SSE2);

// ---- SSE4.1: rounding and dot products
for (const [name, opcode, f, count, size] of [
  ['ROUNDPS', '08', SINGLE, 4, 'ps'],
  ['ROUNDPD', '09', DOUBLE, 2, 'pd'],
  ['ROUNDSS', '0a', SINGLE, 1, 'ss'],
  ['ROUNDSD', '0b', DOUBLE, 1, 'sd'],
] as const) {
  insn(name, [`66 0f 3a ${opcode} /r V${size},W${size},Ib`], rounding(convert.integral(f, count)), option('sse4_1'));
}
insn('DPPS', ['66 0f 3a 40 /r Vps,Wps,Ib'], rounding(convert.dotProduct(SINGLE)), option('sse4_1'));
insn('DPPD', ['66 0f 3a 41 /r Vpd,Wpd,Ib'], rounding(convert.dotProduct(DOUBLE)), option('sse4_1'));
