// The same single MMX or SSE instruction on the virtual processor: user mode, the runner's layout, one tick, in either tier.

import { GuestFault } from '../../src/runtime/faults.ts';
import { resetState } from '../../src/runtime/reset.ts';
import { decode } from '../../src/translator/decode.ts';
import { CS, S } from '../../src/translator/state.ts';
import { evaluate } from '../support/evaluate.ts';
import { createVectorProcessor } from './processor.ts';
import { PLACE, type SimdInput, type SimdOutput, WORD } from './simdRecord.ts';

const { CODE, DATA, AT, OPERAND } = PLACE;
const { engine, translation, executor, cache, evaluated } = createVectorProcessor(),
  { r, u8, dv } = engine;

function load({ words, code }: SimdInput): void {
  resetState(r, engine.model.signature);
  r[S.CR0] = 0x21;
  r[S.CR4] = 0x600;
  r[S.CPL] = 3;
  for (let s = 0; s < 6; s++) {
    r[S.SEG_SELECTOR + s] = s === CS ? 0xf : 0x17;
    r[S.SEG_BASE + s] = 0;
    r[S.SEG_LIMIT + s] = -1;
    r[S.SEG_ACCESS + s] = (s === CS ? 0xfb : 0xf3) | 0xc000;
  }
  u8.fill(0xcc, CODE + AT, CODE + AT + 32);
  u8.set(code, CODE + AT);
  for (let n = 0; n < 16; n++) dv.setInt32(DATA + OPERAND + 4 * n, words[WORD.DATA + n]!, true);
  for (let n = 0; n < 8; n++) r[n] = words[n]!;
  r[S.EIP] = CODE + AT;
  engine.refresh();
  engine.storeFlags(words[WORD.EFLAGS]! | 0x202);
  r[S.MXCSR] = words[WORD.MXCSR]!;
  r[S.FPU_CONTROL] = words[WORD.FCW]!;
  r[S.FPU_STATUS] = words[WORD.FSW]!;
  r[S.FPU_TAGS] = words[WORD.TAGS]!;
  for (let n = 0; n < 8; n++) {
    for (let k = 0; k < 3; k++) r[S.FPU_R0 + 4 * n + k] = words[WORD.PHYSICAL + 3 * n + k]!;
    for (let k = 0; k < 4; k++) r[S.XMM0 + 4 * n + k] = words[WORD.XMM + 4 * n + k]!;
  }
  engine.refresh();
  executor.flush();
}
function read(): Int32Array {
  const words = new Int32Array(WORD.COUNT);
  words.set(r.subarray(0, 8));
  words[WORD.EFLAGS] = engine.getFlags() & 0xcd5;
  words[WORD.MXCSR] = r[S.MXCSR]!;
  words[WORD.FCW] = r[S.FPU_CONTROL]!;
  words[WORD.FSW] = r[S.FPU_STATUS]!;
  words[WORD.TAGS] = r[S.FPU_TAGS]!;
  for (let n = 0; n < 8; n++) {
    for (let k = 0; k < 3; k++) words[WORD.PHYSICAL + 3 * n + k] = r[S.FPU_R0 + 4 * n + k]!;
    for (let k = 0; k < 4; k++) words[WORD.XMM + 4 * n + k] = r[S.XMM0 + 4 * n + k]!;
  }
  for (let n = 0; n < 16; n++) words[WORD.DATA + n] = dv.getInt32(DATA + OPERAND + 4 * n, true);
  return words;
}

/** The instruction that code memory holds, and for which tier it has been prepared. */
let loaded = '';

/** Runs one instruction; in the translated tier the region is used when the instruction can be translated. */
export function runSimd(v: SimdInput, tier: 'interpret' | 'translate' | 'evaluate'): SimdOutput {
  const key = `${tier} ${v.code.join()}`;
  if (key !== loaded) cache.clear();
  load(v);
  translation.tier = 'interpret';
  let trap = 0;
  try {
    if (tier === 'translate' && key !== loaded) {
      const page = cache.find((CODE + AT) >>> 12, r[S.MODE]!);
      cache.decodeBlock(page, AT, CODE & ~0xfff);
      translation.translate(page, AT);
    }
    loaded = key;
    r[S.BUDGET] = 1;
    if (tier === 'evaluate')
      evaluate(
        evaluated,
        decode((n) => v.code[n] ?? 0xcc, 0, true),
        r[S.EIP]!,
      );
    else executor.executeOne();
  } catch (caught) {
    if (!(caught instanceof GuestFault)) throw caught;
    trap = caught.vector;
  }
  return { words: read(), trap };
}
