// MMX and SSE data transfer, cacheability control and state management (SDM volume 1, "MMX Data Transfer Instructions", "SSE
// Data Transfer Instructions", "SSE2 Data Movement Instructions", "SSE3", "Cacheability Control", "MXCSR State Management
// Instructions"; volume 2 for each operation). Moves are words of the state block copied; non-temporal stores are stores.

import { wordPast } from '../ir/builder.ts';
import { MXCSR_MASK, S, VECTOR } from '../state.ts';
import { EAX, EDI, memory } from './common.ts';
import type { Meaning, RowOptions } from './notation.ts';
import { insn } from './notation.ts';
import { clearWords, copyWords, enterMmx, leaveMmx, MMX_WORDS, requireAligned, wordOf, XMM_WORDS, xmmParts } from './vectorCommon.ts';

const MMX = { feature: 'mmx', state: 'mmx' } as const satisfies RowOptions,
  SSE = { feature: 'sse', state: 'xmm' } as const satisfies RowOptions,
  SSE2 = { feature: 'sse2', state: 'xmm' } as const satisfies RowOptions,
  SSE3 = { feature: 'pni', state: 'xmm' } as const satisfies RowOptions;

// ---- whole XMM registers
const loadAll =
  (aligned: boolean): Meaning =>
  (b, _i, d, s) => {
    if (s.kind !== 'mem') return copyWords(b, wordOf(d), wordOf(s), XMM_WORDS);
    if (aligned) requireAligned(b, s);
    b.loadWords(wordOf(d), XMM_WORDS, s.seg, b.offset(s));
  };
const storeAll =
  (aligned: boolean): Meaning =>
  (b, _i, d, s) => {
    if (d.kind !== 'mem') return copyWords(b, wordOf(d), wordOf(s), XMM_WORDS);
    if (aligned) requireAligned(b, d);
    b.storeWords(wordOf(s), XMM_WORDS, d.seg, b.offset(d));
  };
insn('MOVAPS', ['np 0f 28 /r Vps,Wps'], loadAll(true), SSE);
insn('MOVAPS', ['np 0f 29 /r Wps,Vps'], storeAll(true), SSE);
insn('MOVAPD', ['66 0f 28 /r Vpd,Wpd'], loadAll(true), SSE2);
insn('MOVAPD', ['66 0f 29 /r Wpd,Vpd'], storeAll(true), SSE2);
insn('MOVUPS', ['np 0f 10 /r Vps,Wps'], loadAll(false), SSE);
insn('MOVUPS', ['np 0f 11 /r Wps,Vps'], storeAll(false), SSE);
insn('MOVUPD', ['66 0f 10 /r Vpd,Wpd'], loadAll(false), SSE2);
insn('MOVUPD', ['66 0f 11 /r Wpd,Vpd'], storeAll(false), SSE2);
insn('MOVDQA', ['66 0f 6f /r Vdq,Wdq'], loadAll(true), SSE2);
insn('MOVDQA', ['66 0f 7f /r Wdq,Vdq'], storeAll(true), SSE2);
insn('MOVDQU', ['f3 0f 6f /r Vdq,Wdq'], loadAll(false), SSE2);
insn('MOVDQU', ['f3 0f 7f /r Wdq,Vdq'], storeAll(false), SSE2);
insn('LDDQU', ['f2 0f f0 /r Vdq,M'], loadAll(false), SSE3);
insn('MOVNTPS', ['np 0f 2b /r Mps,Vps'], storeAll(true), SSE);
insn('MOVNTPD', ['66 0f 2b /r Mpd,Vpd'], storeAll(true), SSE2);
insn('MOVNTDQ', ['66 0f e7 /r Mdq,Vdq'], storeAll(true), SSE2);
insn('MOVNTDQA', ['66 0f 38 2a /r Vdq,Mdq'], loadAll(true), { feature: 'sse4_1', state: 'xmm' });

// ---- parts of XMM registers; a load of a scalar clears what is above it, a move between registers leaves it
const moveScalar =
  (words: number): Meaning =>
  (b, _i, d, s) => {
    if (d.kind === 'mem') return b.storeWords(wordOf(s), words, d.seg, b.offset(d));
    if (s.kind !== 'mem') return copyWords(b, wordOf(d), wordOf(s), words);
    b.loadWords(wordOf(d), words, s.seg, b.offset(s));
    clearWords(b, wordOf(d), words);
  };
insn('MOVSS', ['f3 0f 10 /r Vss,Wss', 'f3 0f 11 /r Wss,Vss'], moveScalar(1), SSE);
insn('MOVSD', ['f2 0f 10 /r Vsd,Wsd', 'f2 0f 11 /r Wsd,Vsd'], moveScalar(2), SSE2);
const loadLow: Meaning = (b, _i, d, s) => b.loadWords(wordOf(d), 2, memory(s).seg, b.offset(s));
const loadHigh: Meaning = (b, _i, d, s) => b.loadWords(wordPast(wordOf(d), 2), 2, memory(s).seg, b.offset(s));
const storeLow: Meaning = (b, _i, d, s) => b.storeWords(wordOf(s), 2, memory(d).seg, b.offset(d));
const storeHigh: Meaning = (b, _i, d, s) => b.storeWords(wordPast(wordOf(s), 2), 2, memory(d).seg, b.offset(d));
insn('MOVLPS', ['np 0f 12 /r Vq,Mq'], loadLow, SSE);
insn('MOVLPS', ['np 0f 13 /r Mq,Vq'], storeLow, SSE);
insn('MOVLPD', ['66 0f 12 /r Vq,Mq'], loadLow, SSE2);
insn('MOVLPD', ['66 0f 13 /r Mq,Vq'], storeLow, SSE2);
insn('MOVHPS', ['np 0f 16 /r Vq,Mq'], loadHigh, SSE);
insn('MOVHPS', ['np 0f 17 /r Mq,Vq'], storeHigh, SSE);
insn('MOVHPD', ['66 0f 16 /r Vq,Mq'], loadHigh, SSE2);
insn('MOVHPD', ['66 0f 17 /r Mq,Vq'], storeHigh, SSE2);
insn('MOVHLPS', ['np 0f 12 /r Vq,Uq'], xmmParts('s2', 's3', 'd2', 'd3'), SSE);
insn('MOVLHPS', ['np 0f 16 /r Vq,Uq'], xmmParts('d0', 'd1', 's0', 's1'), SSE);
insn('MOVSLDUP', ['f3 0f 12 /r Vps,Wps'], xmmParts('s0', 's0', 's2', 's2'), SSE3);
insn('MOVSHDUP', ['f3 0f 16 /r Vps,Wps'], xmmParts('s1', 's1', 's3', 's3'), SSE3);
insn('MOVDDUP', ['f2 0f 12 /r Vq,Wq'], xmmParts('s0', 's1', 's0', 's1'), SSE3);
insn('MOVMSKPS', ['np 0f 50 /r Gd,Ups'], signs([0, 1, 2, 3]), SSE);
insn('MOVMSKPD', ['66 0f 50 /r Gd,Upd'], signs([1, 3]), SSE2);
/** Sign bits of some words, the first word's lowest. */
function signs(words: readonly number[]): Meaning {
  return (b, _i, d, s) => {
    const bits = words.map((word, n) => b.shl(b.shr(b.stateAt(wordOf(s), word), b.imm(31)), b.imm(n)));
    b.write(
      d,
      bits.reduce((x, y) => b.or(x, y)),
    );
  };
}

// ---- MMX registers, and between the register files
insn(
  'MOVD',
  ['np 0f 6e /r Pd,Ed'],
  (b, _i, d, s) => {
    enterMmx(b);
    b.setStateAt(wordOf(d), 0, b.read(s));
    b.setStateAt(wordOf(d), 1, b.imm(0));
    leaveMmx(b, wordOf(d));
  },
  MMX,
);
insn(
  'MOVD',
  ['np 0f 7e /r Ed,Pd'],
  (b, _i, d, s) => {
    enterMmx(b);
    b.write(d, b.stateAt(wordOf(s), 0));
    leaveMmx(b);
  },
  MMX,
);
insn(
  'MOVD',
  ['66 0f 6e /r Vd,Ed'],
  (b, _i, d, s) => {
    b.setStateAt(wordOf(d), 0, b.read(s));
    clearWords(b, wordOf(d), 1);
  },
  SSE2,
);
insn('MOVD', ['66 0f 7e /r Ed,Vd'], (b, _i, d, s) => b.write(d, b.stateAt(wordOf(s), 0)), SSE2);
insn(
  'MOVQ',
  ['np 0f 6f /r Pq,Qq'],
  (b, _i, d, s) => {
    enterMmx(b);
    if (s.kind === 'mem') b.loadWords(wordOf(d), MMX_WORDS, s.seg, b.offset(s));
    else copyWords(b, wordOf(d), wordOf(s), MMX_WORDS);
    leaveMmx(b, wordOf(d));
  },
  MMX,
);
const storeMmx: Meaning = (b, _i, d, s) => {
  enterMmx(b);
  if (d.kind === 'mem') b.storeWords(wordOf(s), MMX_WORDS, d.seg, b.offset(d));
  else copyWords(b, wordOf(d), wordOf(s), MMX_WORDS);
  leaveMmx(b, d.kind === 'mem' ? undefined : wordOf(d));
};
insn('MOVQ', ['np 0f 7f /r Qq,Pq'], storeMmx, MMX);
insn('MOVNTQ', ['np 0f e7 /r Mq,Pq'], storeMmx, { feature: 'sse', state: 'mmx' });
const moveQuad: Meaning = (b, _i, d, s) => {
  if (d.kind === 'mem') return b.storeWords(wordOf(s), 2, d.seg, b.offset(d));
  if (s.kind === 'mem') b.loadWords(wordOf(d), 2, s.seg, b.offset(s));
  else copyWords(b, wordOf(d), wordOf(s), 2);
  clearWords(b, wordOf(d), 2);
};
insn('MOVQ', ['f3 0f 7e /r Vq,Wq', '66 0f d6 /r Wq,Vq'], moveQuad, SSE2);
insn(
  'MOVQ2DQ',
  ['f3 0f d6 /r Vq,Nq'],
  (b, _i, d, s) => {
    enterMmx(b);
    copyWords(b, wordOf(d), wordOf(s), 2);
    clearWords(b, wordOf(d), 2);
    leaveMmx(b);
  },
  SSE2,
);
insn(
  'MOVDQ2Q',
  ['f2 0f d6 /r Pq,Uq'],
  (b, _i, d, s) => {
    enterMmx(b);
    copyWords(b, wordOf(d), wordOf(s), 2);
    leaveMmx(b, wordOf(d));
  },
  SSE2,
);
insn(
  'EMMS',
  ['np 0f 77'],
  (b) => {
    enterMmx(b);
    leaveMmx(b);
    b.setState(S.FPU_TAGS, b.imm(0));
  },
  MMX,
);

// ---- stores of chosen bytes to DS:(E)DI, and of a general register
insn(
  'MASKMOVQ',
  ['np 0f f7 /r Pq,Nq'],
  (b, i, d, s) => {
    enterMmx(b);
    b.call('maskedStore', b.imm(i.seg), b.trunc(b.gpr(EDI), i.address), b.imm(wordOf(d)), b.imm(wordOf(s)));
    leaveMmx(b);
  },
  { feature: 'sse', state: 'mmx', addressSized: true },
);
insn(
  'MASKMOVDQU',
  ['66 0f f7 /r Vdq,Udq'],
  (b, i, d, s) => {
    b.call('maskedStore', b.imm(i.seg), b.trunc(b.gpr(EDI), i.address), b.imm(wordOf(d)), b.imm(wordOf(s)));
  },
  { ...SSE2, addressSized: true },
);
insn('MOVNTI', ['np 0f c3 /r Md,Gd'], (b, _i, d, s) => b.write(d, b.read(s)), { feature: 'sse2' });

// ---- control and status, the image of both register files, caches and fences
insn(
  'LDMXCSR',
  ['np 0f ae /2 Md'],
  (b, _i, d) => {
    const value = b.read(d);
    b.raiseIf(b.ne(b.and(value, b.imm(~MXCSR_MASK)), b.imm(0)), VECTOR.GP, 0);
    b.setState(S.MXCSR, value);
  },
  SSE,
);
insn('STMXCSR', ['np 0f ae /3 Md'], (b, _i, d) => b.write(d, b.state(S.MXCSR)), SSE);
for (const [name, code, call] of [
  ['FXSAVE', 'np 0f ae /0 M', 'saveImage'],
  ['FXRSTOR', 'np 0f ae /1 M', 'restoreImage'],
] as const) {
  insn(
    name,
    [code],
    (b, _i, d) => {
      requireAligned(b, memory(d));
      b.call(call, b.imm(memory(d).seg), b.offset(d));
    },
    { feature: 'fxsr', state: 'image' },
  );
}
for (const [name, code, call] of [
  ['XSAVE', 'np 0f ae /4 M', 'saveExtended'],
  ['XRSTOR', 'np 0f ae /5 M', 'restoreExtended'],
] as const) {
  insn(name, [code], (b, _i, d) => void b.call(call, b.imm(memory(d).seg), b.offset(d), b.gpr(EAX)), { feature: 'xsave' });
}
// CLFLUSH may touch what can be read, so it faults as a load does
insn('CLFLUSH', ['np 0f ae /7 Mb'], (b, _i, d) => void b.read(d), { feature: 'clflush' });
const fence: Meaning = () => {};
insn('LFENCE', ['np 0f ae e8+i'], fence, { feature: 'sse2' });
insn('MFENCE', ['np 0f ae f0+i'], fence, { feature: 'sse2' });
insn('SFENCE', ['np 0f ae f8+i'], fence, { feature: 'sse' });
