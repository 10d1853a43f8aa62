// MMX and SSE integer instructions: arithmetic, comparison, logic, shifts, shuffles (SDM volume 1, "MMX Instruction Set", "SSE
// 64-Bit SIMD Integer Instructions", "SSE2 128-Bit SIMD Integer Instructions", "SSSE3"; volume 2 for each operation). Most exist
// for both register files with one opcode.

import type { Feature } from '../features.ts';
import type { Builder } from '../ir/builder.ts';
import type { Operand } from '../ir/value.ts';
import { S } from '../state.ts';
import * as arrange from '../vector/arrange.ts';
import type { VectorFunction } from '../vector/functions.ts';
import { vectorNumber } from '../vector/functions.ts';
import * as integer from '../vector/integer.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';
import {
  enterMmx,
  immediateOf,
  leaveMmx,
  MMX_WORDS,
  mmxFunction,
  mmxParts,
  mmxWords,
  type Part,
  type WordOperation,
  wordOf,
  XMM_WORDS,
  xmmFunction,
  xmmParts,
  xmmWords,
} from './vectorCommon.ts';

/** One opcode for both register files: 0F map, or 0F 38 and 0F 3A written out. */
function both(
  name: string,
  opcode: string,
  meanings: readonly [Meaning, Meaning],
  mmx: Feature,
  sse: Feature,
  imm = '',
  source = 'Qq',
): void {
  const code = opcode.length === 2 ? `0f ${opcode}` : opcode;
  insn(name, [`np ${code} /r Pq,${source}${imm}`], meanings[0], { feature: mmx, state: 'mmx' });
  insn(name, [`66 ${code} /r Vdq,Wdq${imm}`], meanings[1], { feature: sse, state: 'xmm' });
}
function packed(name: string, opcode: string, f: VectorFunction, mmx: Feature = 'mmx', sse: Feature = 'sse2'): void {
  both(name, opcode, [mmxFunction(f), xmmFunction(f)], mmx, sse);
}
function words(name: string, opcode: string, f: WordOperation): void {
  both(name, opcode, [mmxWords(f), xmmWords(f)], 'mmx', 'sse2');
}

// ---- logic and 32-bit lanes, in micro-ops
words('PAND', 'db', (b, x, y) => b.and(x, y));
words('PANDN', 'df', (b, x, y) => b.and(b.not(x), y));
words('POR', 'eb', (b, x, y) => b.or(x, y));
words('PXOR', 'ef', (b, x, y) => b.xor(x, y));
words('PADDD', 'fe', (b, x, y) => b.add(x, y));
words('PSUBD', 'fa', (b, x, y) => b.sub(x, y));

// ---- arithmetic
packed('PADDB', 'fc', integer.addBytes);
packed('PADDW', 'fd', integer.addShorts);
packed('PADDQ', 'd4', integer.addQuads, 'sse2');
packed('PADDSB', 'ec', integer.addSignedBytes);
packed('PADDSW', 'ed', integer.addSignedShorts);
packed('PADDUSB', 'dc', integer.addUnsignedBytes);
packed('PADDUSW', 'dd', integer.addUnsignedShorts);
packed('PSUBB', 'f8', integer.subtractBytes);
packed('PSUBW', 'f9', integer.subtractShorts);
packed('PSUBQ', 'fb', integer.subtractQuads, 'sse2');
packed('PSUBSB', 'e8', integer.subtractSignedBytes);
packed('PSUBSW', 'e9', integer.subtractSignedShorts);
packed('PSUBUSB', 'd8', integer.subtractUnsignedBytes);
packed('PSUBUSW', 'd9', integer.subtractUnsignedShorts);
packed('PMULLW', 'd5', integer.multiplyLow);
packed('PMULHW', 'e5', integer.multiplyHigh);
packed('PMULHUW', 'e4', integer.multiplyHighUnsigned, 'sse');
packed('PMULUDQ', 'f4', integer.multiplyEvenUnsigned, 'sse2');
packed('PMADDWD', 'f5', integer.multiplyAdd);
packed('PSADBW', 'f6', integer.sumDifferences, 'sse');
packed('PAVGB', 'e0', integer.averageBytes, 'sse');
packed('PAVGW', 'e3', integer.averageShorts, 'sse');
packed('PMINUB', 'da', integer.leastBytes, 'sse');
packed('PMAXUB', 'de', integer.greatestBytes, 'sse');
packed('PMINSW', 'ea', integer.leastSignedShorts, 'sse');
packed('PMAXSW', 'ee', integer.greatestSignedShorts, 'sse');

// ---- comparison
packed('PCMPEQB', '74', integer.equalBytes);
packed('PCMPEQW', '75', integer.equalShorts);
packed('PCMPEQD', '76', integer.equalWords);
packed('PCMPGTB', '64', integer.greaterBytes);
packed('PCMPGTW', '65', integer.greaterShorts);
packed('PCMPGTD', '66', integer.greaterWords);

// ---- shifts: by a register or memory, by an immediate
function shift(name: string, opcode: string, immediate: string, { byRegister, byImmediate }: integer.ShiftPair): void {
  packed(name, opcode, byRegister);
  const n = vectorNumber(byImmediate);
  insn(
    name,
    [`np 0f ${immediate} Nq,Ib`],
    (b, _i, d, s) => {
      enterMmx(b);
      b.vector(n, wordOf(d), S.ZERO, MMX_WORDS, immediateOf(s));
      leaveMmx(b, wordOf(d));
    },
    { feature: 'mmx', state: 'mmx' },
  );
  shiftImmediate(name, immediate, byImmediate);
}
function shiftImmediate(name: string, immediate: string, f: VectorFunction): void {
  const n = vectorNumber(f);
  const meaning: Meaning = (b, _i, d, s) => {
    b.vector(n, wordOf(d), S.ZERO, XMM_WORDS, immediateOf(s));
  };
  insn(name, [`66 0f ${immediate} Udq,Ib`], meaning, { feature: 'sse2', state: 'xmm' });
}
shift('PSRLW', 'd1', '71 /2', integer.rightShorts);
shift('PSRLD', 'd2', '72 /2', integer.rightWords);
shift('PSRLQ', 'd3', '73 /2', integer.rightQuads);
shift('PSRAW', 'e1', '71 /4', integer.arithmeticShorts);
shift('PSRAD', 'e2', '72 /4', integer.arithmeticWords);
shift('PSLLW', 'f1', '71 /6', integer.leftShorts);
shift('PSLLD', 'f2', '72 /6', integer.leftWords);
shift('PSLLQ', 'f3', '73 /6', integer.leftQuads);
shiftImmediate('PSRLDQ', '73 /3', arrange.rightBytes);
shiftImmediate('PSLLDQ', '73 /7', arrange.leftBytes);

// ---- packs and unpacks
packed('PACKSSWB', '63', arrange.packSignedBytes);
packed('PACKSSDW', '6b', arrange.packSignedShorts);
packed('PACKUSWB', '67', arrange.packUnsignedBytes);
const LOW = 'Qd'; // the low halves of MMX registers are 4 bytes of memory
both('PUNPCKLBW', '60', [mmxFunction(arrange.interleaveLowBytes), xmmFunction(arrange.interleaveLowBytes)], 'mmx', 'sse2', '', LOW);
both('PUNPCKLWD', '61', [mmxFunction(arrange.interleaveLowShorts), xmmFunction(arrange.interleaveLowShorts)], 'mmx', 'sse2', '', LOW);
both('PUNPCKLDQ', '62', [mmxParts('d0', 's0'), xmmParts('d0', 's0', 'd1', 's1')], 'mmx', 'sse2', '', LOW);
packed('PUNPCKHBW', '68', arrange.interleaveHighBytes);
packed('PUNPCKHWD', '69', arrange.interleaveHighShorts);
both('PUNPCKHDQ', '6a', [mmxParts('d1', 's1'), xmmParts('d2', 's2', 'd3', 's3')], 'mmx', 'sse2');
const quads: readonly [string, string, readonly Part[]][] = [
  ['PUNPCKLQDQ', '6c', ['d0', 'd1', 's0', 's1']],
  ['PUNPCKHQDQ', '6d', ['d2', 'd3', 's2', 's3']],
];
for (const [name, opcode, parts] of quads)
  insn(name, [`66 0f ${opcode} /r Vdq,Wdq`], xmmParts(...parts), { feature: 'sse2', state: 'xmm' });

// ---- shuffles, single lanes
insn('PSHUFW', ['np 0f 70 /r Pq,Qq,Ib'], mmxFunction(arrange.shuffleLowShorts), { feature: 'sse', state: 'mmx' });
for (const [name, prefix, f] of [
  ['PSHUFD', '66', arrange.shuffleWords],
  ['PSHUFLW', 'f2', arrange.shuffleLowShorts],
  ['PSHUFHW', 'f3', arrange.shuffleHighShorts],
] as const) {
  insn(name, [`${prefix} 0f 70 /r Vdq,Wdq,Ib`], xmmFunction(f), { feature: 'sse2', state: 'xmm' });
}
const insertShort = vectorNumber(arrange.insertShort),
  extractShort = vectorNumber(arrange.extractShort),
  signMask = vectorNumber(integer.signMask);
insn(
  'PINSRW',
  ['np 0f c4 /r Pq,Mw,Ib', 'np 0f c4 /r Pq,Rd,Ib'],
  (b, _i, d, s, t) => {
    enterMmx(b);
    insertShortOf(b, d, s, t, MMX_WORDS);
    leaveMmx(b, wordOf(d));
  },
  { feature: 'sse', state: 'mmx' },
);
insn('PINSRW', ['66 0f c4 /r Vdq,Mw,Ib', '66 0f c4 /r Vdq,Rd,Ib'], (b, _i, d, s, t) => insertShortOf(b, d, s, t, XMM_WORDS), {
  feature: 'sse2',
  state: 'xmm',
});
function insertShortOf(b: Builder, d: Operand, s: Operand, t: Operand, count: number): void {
  b.setState(S.OPERAND, b.read(s));
  b.vector(insertShort, wordOf(d), S.OPERAND, count, immediateOf(t));
}
/** A general register := what a function finds in a vector register. */
function extracted(f: number, count: number): Meaning {
  return (b, _i, d, s, t) => {
    const mmx = count === MMX_WORDS;
    if (mmx) enterMmx(b);
    b.write(d, b.vector(f, S.ZERO, wordOf(s), count, immediateOf(t)));
    if (mmx) leaveMmx(b);
  };
}
insn('PEXTRW', ['np 0f c5 /r Gd,Nq,Ib'], extracted(extractShort, MMX_WORDS), { feature: 'sse', state: 'mmx' });
insn('PEXTRW', ['66 0f c5 /r Gd,Udq,Ib'], extracted(extractShort, XMM_WORDS), { feature: 'sse2', state: 'xmm' });
insn('PMOVMSKB', ['np 0f d7 /r Gd,Nq'], extracted(signMask, MMX_WORDS), { feature: 'sse', state: 'mmx' });
insn('PMOVMSKB', ['66 0f d7 /r Gd,Udq'], extracted(signMask, XMM_WORDS), { feature: 'sse2', state: 'xmm' });

// ---- SSSE3
for (const [name, opcode, f] of [
  ['PSHUFB', '00', arrange.shuffleBytes],
  ['PHADDW', '01', integer.addPairsOfShorts],
  ['PHADDD', '02', integer.addPairsOfWords],
  ['PHADDSW', '03', integer.addPairsSaturated],
  ['PMADDUBSW', '04', integer.multiplyAddBytes],
  ['PHSUBW', '05', integer.subtractPairsOfShorts],
  ['PHSUBD', '06', integer.subtractPairsOfWords],
  ['PHSUBSW', '07', integer.subtractPairsSaturated],
  ['PSIGNB', '08', integer.signBytes],
  ['PSIGNW', '09', integer.signShorts],
  ['PSIGND', '0a', integer.signWords],
  ['PMULHRSW', '0b', integer.multiplyHighRounded],
  ['PABSB', '1c', integer.absoluteBytes],
  ['PABSW', '1d', integer.absoluteShorts],
  ['PABSD', '1e', integer.absoluteWords],
] as const) {
  packed(name, `0f 38 ${opcode}`, f, 'ssse3', 'ssse3');
}
both('PALIGNR', '0f 3a 0f', [mmxFunction(arrange.alignRight), xmmFunction(arrange.alignRight)], 'ssse3', 'ssse3', ',Ib');
