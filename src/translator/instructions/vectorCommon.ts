// Steps that MMX and SSE instructions share: operands, alignment, the MMX state, calls of vector functions (SDM volume 1,
// "The MMX State and MMX Register Set", "Memory Alignment"; volume 3, "Effect of MMX Instructions on Pending x87
// Floating-Point Exceptions").

import type { Builder } from '../ir/builder.ts';
import type { Known, MemoryOperand, Operand, Value } from '../ir/value.ts';
import { S, VECTOR } from '../state.ts';
import { type VectorFunction, vectorNumber } from '../vector/functions.ts';
import { segmentBase } from './common.ts';
import type { Meaning } from './notation.ts';

/** First state word of a vector register. */
export function wordOf(o: Operand): Known {
  if (o.kind !== 'vector') throw new Error('a vector register is needed');
  return o.word;
}
/** Value of an immediate; 0 when there is no such operand. */
export function immediateOf(o: Operand | undefined): Known {
  return o?.kind === 'imm' ? o.value : 0;
}

/** #GP(0) when a 16-byte operand is not aligned. */
export function requireAligned(b: Builder, o: MemoryOperand): void {
  const offset = b.offset(o),
    linear = b.model.flat(o.seg) ? offset : b.add(segmentBase(b, o.seg), offset);
  b.raiseIf(b.ne(b.and(linear, b.imm(15)), b.imm(0)), VECTOR.GP, 0);
}
/** First state word of a source: a register's own, or S.OPERAND with what memory holds. */
export function sourceOf(b: Builder, o: Operand): Known {
  if (o.kind === 'vector') return o.word;
  if (o.kind !== 'mem') throw new Error('a vector register or memory is needed');
  const bytes = o.bytes!;
  if (bytes === 16) requireAligned(b, o);
  if (bytes >= 8) b.loadWords(S.OPERAND, bytes >> 2, o.seg, b.offset(o));
  else b.setState(S.OPERAND, b.load(o.seg, b.offset(o), bytes === 2 ? 16 : 32));
  return S.OPERAND;
}

const STATUS_ES = 0x80,
  STATUS_TOP = 0x3800,
  CR0_NE = 0x20,
  CR4_OSXMMEXCPT = 0x400;
/** Before an MMX instruction: an x87 exception that waits is reported. */
export function enterMmx(b: Builder): void {
  const set = (word: number, bit: number): Value => b.ne(b.and(b.state(word), b.imm(bit)), b.imm(0));
  b.raiseIf(b.both(set(S.FPU_STATUS, STATUS_ES), set(S.CR0, CR0_NE)), VECTOR.MF);
}
/** After one: TOP is 0, no register is empty, and the one that was written has all ones for sign and exponent. */
export function leaveMmx(b: Builder, written?: Known): void {
  b.setState(S.FPU_STATUS, b.and(b.state(S.FPU_STATUS), b.imm(~STATUS_TOP)));
  b.setState(S.FPU_TAGS, b.imm(0xff));
  if (written !== undefined) b.setStateAt(written, 2, b.imm(0xffff));
}

/** A vector function that reports an unmasked exception: #XM, or #UD where the operating system has not enabled it. */
export function raising(b: Builder, f: number, destination: Known, source: Known, x: Known = 0, y: Known = 0): void {
  const failed = b.ne(b.vector(f, destination, source, x, y), b.imm(0)),
    enabled = b.ne(b.and(b.state(S.CR4), b.imm(CR4_OSXMMEXCPT)), b.imm(0));
  b.if(failed, () => {
    b.raiseIf(enabled, VECTOR.XM);
    b.raiseIf(b.negate(enabled), VECTOR.UD);
  });
}

/** Words of an MMX and an XMM register. */
export const MMX_WORDS = 2,
  XMM_WORDS = 4;
/** destination := f(destination, source, words, immediate) of MMX registers. */
export function mmxFunction(f: VectorFunction): Meaning {
  const n = vectorNumber(f);
  return (b, _i, d, s, t) => {
    enterMmx(b);
    b.vector(n, wordOf(d), sourceOf(b, s), MMX_WORDS, immediateOf(t));
    leaveMmx(b, wordOf(d));
  };
}
/** The same of XMM registers. */
export function xmmFunction(f: VectorFunction): Meaning {
  const n = vectorNumber(f);
  return (b, _i, d, s, t) => {
    b.vector(n, wordOf(d), sourceOf(b, s), XMM_WORDS, immediateOf(t));
  };
}

/** destination word := f(its own, the source's) for each word, in micro-ops. */
export type WordOperation = (b: Builder, x: Value, y: Value) => Value;
function eachWord(b: Builder, f: WordOperation, d: Known, s: Known, words: number): void {
  for (let n = 0; n < words; n++) b.setStateAt(d, n, f(b, b.stateAt(d, n), b.stateAt(s, n)));
}
export const mmxWords =
  (f: WordOperation): Meaning =>
  (b, _i, d, s) => {
    enterMmx(b);
    eachWord(b, f, wordOf(d), sourceOf(b, s), MMX_WORDS);
    leaveMmx(b, wordOf(d));
  };
export const xmmWords =
  (f: WordOperation): Meaning =>
  (b, _i, d, s) =>
    eachWord(b, f, wordOf(d), sourceOf(b, s), XMM_WORDS);

/** A word of destination (d) or source (s). */
export type Part = `${'d' | 's'}${0 | 1 | 2 | 3}`;
/** destination words := parts of both operands. */
function rearrange(b: Builder, d: Known, s: Known, parts: readonly Part[]): void {
  const values = parts.map((part, n) => (part === `d${n}` ? undefined : b.stateAt(part[0] === 'd' ? d : s, Number(part[1]))));
  values.forEach((value, n) => {
    if (value) b.setStateAt(d, n, value);
  });
}
export const mmxParts =
  (...parts: readonly Part[]): Meaning =>
  (b, _i, d, s) => {
    enterMmx(b);
    rearrange(b, wordOf(d), sourceOf(b, s), parts);
    leaveMmx(b, wordOf(d));
  };
export const xmmParts =
  (...parts: readonly Part[]): Meaning =>
  (b, _i, d, s) =>
    rearrange(b, wordOf(d), sourceOf(b, s), parts);

/** destination words := source words. */
export function copyWords(b: Builder, d: Known, s: Known, words: number): void {
  const values = Array.from({ length: words }, (_, n) => b.stateAt(s, n));
  values.forEach((value, n) => {
    b.setStateAt(d, n, value);
  });
}
/** Words from `from` up to an XMM register's end := 0. */
export function clearWords(b: Builder, d: Known, from: number): void {
  for (let n = from; n < XMM_WORDS; n++) b.setStateAt(d, n, b.imm(0));
}
