// SSE4.1 integer instructions, blends and single lanes, and POPCNT (SDM volume 1, "SSE4.1 Instruction Set"; volume 2 for each
// operation). Those that round are in sseFloat.ts.

import { S, ZF } from '../state.ts';
import * as arrange from '../vector/arrange.ts';
import { vectorNumber } from '../vector/functions.ts';
import * as integer from '../vector/integer.ts';
import type { RowOptions } from './notation.ts';
import { insn } from './notation.ts';
import { immediateOf, sourceOf, wordOf, XMM_WORDS, xmmFunction } from './vectorCommon.ts';

const SSE41 = { feature: 'sse4_1', state: 'xmm' } as const satisfies RowOptions;

for (const [name, opcode, f] of [
  ['PMULDQ', '28', integer.multiplyEvenSigned],
  ['PCMPEQQ', '29', integer.equalQuads],
  ['PACKUSDW', '2b', arrange.packUnsignedShorts],
  ['PMINSB', '38', integer.leastSignedBytes],
  ['PMINSD', '39', integer.leastSignedWords],
  ['PMINUW', '3a', integer.leastShorts],
  ['PMINUD', '3b', integer.leastWords],
  ['PMAXSB', '3c', integer.greatestSignedBytes],
  ['PMAXSD', '3d', integer.greatestSignedWords],
  ['PMAXUW', '3e', integer.greatestShorts],
  ['PMAXUD', '3f', integer.greatestWords],
  ['PMULLD', '40', integer.multiplyLowWords],
  ['PHMINPOSUW', '41', integer.leastPosition],
] as const) {
  insn(name, [`66 0f 38 ${opcode} /r Vdq,Wdq`], xmmFunction(f), SSE41);
}
for (const [name, opcode, source, f] of [
  ['PMOVSXBW', '20', 'Wq', arrange.extendBytesToShorts],
  ['PMOVSXBD', '21', 'Wd', arrange.extendBytesToWords],
  ['PMOVSXBQ', '22', 'Ww', arrange.extendBytesToQuads],
  ['PMOVSXWD', '23', 'Wq', arrange.extendShortsToWords],
  ['PMOVSXWQ', '24', 'Wd', arrange.extendShortsToQuads],
  ['PMOVSXDQ', '25', 'Wq', arrange.extendWordsToQuads],
  ['PMOVZXBW', '30', 'Wq', arrange.widenBytesToShorts],
  ['PMOVZXBD', '31', 'Wd', arrange.widenBytesToWords],
  ['PMOVZXBQ', '32', 'Ww', arrange.widenBytesToQuads],
  ['PMOVZXWD', '33', 'Wq', arrange.widenShortsToWords],
  ['PMOVZXWQ', '34', 'Wd', arrange.widenShortsToQuads],
  ['PMOVZXDQ', '35', 'Wq', arrange.widenWordsToQuads],
] as const) {
  insn(name, [`66 0f 38 ${opcode} /r Vdq,${source}`], xmmFunction(f), SSE41);
}

// ---- blends: by an immediate, by XMM0
for (const [name, opcode, f] of [
  ['BLENDPS', '0c', arrange.blendSingles],
  ['BLENDPD', '0d', arrange.blendDoubles],
  ['PBLENDW', '0e', arrange.blendShorts],
  ['MPSADBW', '42', integer.sumsOfDifferences],
] as const) {
  insn(name, [`66 0f 3a ${opcode} /r Vdq,Wdq,Ib`], xmmFunction(f), SSE41);
}
for (const [name, opcode, f] of [
  ['PBLENDVB', '10', arrange.blendBytesBySign],
  ['BLENDVPS', '14', arrange.blendSinglesBySign],
  ['BLENDVPD', '15', arrange.blendDoublesBySign],
] as const) {
  const n = vectorNumber(f);
  insn(
    name,
    [`66 0f 38 ${opcode} /r Vdq,Wdq,XMM0`],
    (b, _i, d, s, t) => {
      b.vector(n, wordOf(d), sourceOf(b, s), XMM_WORDS, wordOf(t));
    },
    SSE41,
  );
}

// ---- single lanes
for (const [name, opcode, memory, f] of [
  ['PINSRB', '20', 'Mb', arrange.insertByte],
  ['PINSRD', '22', 'Md', arrange.insertWord],
] as const) {
  const n = vectorNumber(f);
  insn(
    name,
    [`66 0f 3a ${opcode} /r Vdq,${memory},Ib`, `66 0f 3a ${opcode} /r Vdq,Rd,Ib`],
    (b, _i, d, s, t) => {
      b.setState(S.OPERAND, b.read(s));
      b.vector(n, wordOf(d), S.OPERAND, XMM_WORDS, immediateOf(t));
    },
    SSE41,
  );
}
for (const [name, opcode, memory, f] of [
  ['PEXTRB', '14', 'Mb', arrange.extractByte],
  ['PEXTRW', '15', 'Mw', arrange.extractShort],
  ['PEXTRD', '16', 'Md', arrange.extractWord],
  ['EXTRACTPS', '17', 'Md', arrange.extractWord],
] as const) {
  const n = vectorNumber(f);
  insn(
    name,
    [`66 0f 3a ${opcode} /r ${memory},Vdq,Ib`, `66 0f 3a ${opcode} /r Rd,Vdq,Ib`],
    (b, _i, d, s, t) => b.write(d, b.vector(n, S.ZERO, wordOf(s), XMM_WORDS, immediateOf(t))),
    SSE41,
  );
}
const insertSingle = vectorNumber(arrange.insertSingle);
insn(
  'INSERTPS',
  ['66 0f 3a 21 /r Vps,Md,Ib', '66 0f 3a 21 /r Vps,Ups,Ib'],
  (b, _i, d, s, t) => {
    if (s.kind === 'vector') {
      b.vector(insertSingle, wordOf(d), wordOf(s), XMM_WORDS, immediateOf(t));
      return;
    }
    // of memory there is one lane only, whatever lane is asked for
    const value = b.read(s);
    for (let n = 0; n < XMM_WORDS; n++) b.setState(S.OPERAND + n, value);
    b.vector(insertSingle, wordOf(d), S.OPERAND, XMM_WORDS, immediateOf(t));
  },
  SSE41,
);

// ---- flags and bits
const test = vectorNumber(arrange.test);
insn('PTEST', ['66 0f 38 17 /r Vdq,Wdq'], (b, _i, d, s) => b.flagsAll(b.vector(test, wordOf(d), sourceOf(b, s))), SSE41);
insn(
  'POPCNT',
  ['f3 0f b8 /r Gv,Ev'],
  (b, _i, d, s) => {
    const x = b.read(s),
      mask = (bits: number) => b.imm(bits);
    const pairs = b.sub(x, b.and(b.shr(x, b.imm(1)), mask(0x55555555))),
      fours = b.add(b.and(pairs, mask(0x33333333)), b.and(b.shr(pairs, b.imm(2)), mask(0x33333333))),
      bytes = b.and(b.add(fours, b.shr(fours, b.imm(4))), mask(0x0f0f0f0f));
    b.write(d, b.shr(b.mul(bytes, b.imm(0x01010101)), b.imm(24)));
    b.flagsAll(b.select(b.eq(x, b.imm(0)), b.imm(ZF), b.imm(0)));
  },
  { feature: 'popcnt' },
);
