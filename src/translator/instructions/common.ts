// Steps that meanings of several groups share.

import type { Builder } from '../ir/builder.ts';
import type { Known, Operand, Value, Width } from '../ir/value.ts';
import { CS, S, VECTOR, ZF } from '../state.ts';

export const EAX = 0,
  ECX = 1,
  EDX = 2,
  EBX = 3,
  ESP = 4,
  EBP = 5,
  ESI = 6,
  EDI = 7;
/** AH as an 8-bit register number. */
export const AH = 4;

/** Bit `from` of x moved to bit `to`, all others 0. */
export function moveBit(b: Builder, x: Value, from: number, to: number): Value {
  const mask = b.imm(1 << to);
  return b.and(from >= to ? b.shr(x, b.imm(from - to)) : b.shl(x, b.imm(to - from)), mask);
}

/** Value if the condition holds, else 0. */
export function when(b: Builder, condition: Value, value: number): Value {
  return b.select(condition, b.imm(value), b.imm(0));
}

/** Replaces some arithmetic flags by `bits` (at their EFLAGS places) and keeps the others. */
export function changeFlags(b: Builder, mask: number, bits: Value): void {
  b.flagsAll(b.or(b.and(b.arithmeticFlags(), b.imm(~mask)), bits));
}

/** ZF := condition; the other flags stay. */
export function zeroFlag(b: Builder, condition: Value): void {
  changeFlags(b, ZF, when(b, condition, ZF));
}

/** CF, AF and OF of an addition or subtraction of width w out of its vector of carries (bit n: carry out of bit n). */
export function carryFlags(b: Builder, carries: Value, w: Width): Value {
  const top = moveBit(b, b.xor(carries, b.shl(carries, b.imm(1))), w - 1, 11);
  return b.or(b.or(moveBit(b, carries, w - 1, 0), moveBit(b, carries, 3, 4)), top);
}

/** An operand that must be in memory, as the decoder guarantees for M codes. */
export function memory(o: Operand): Extract<Operand, { kind: 'mem' }> {
  if (o.kind !== 'mem') throw new Error('a memory operand is needed');
  return o;
}

/** Base of a segment whose number may be known only by the record. */
export function segmentBase(b: Builder, seg: Known): Value {
  return b.state(typeof seg === 'number' ? S.SEG_BASE + seg : `${S.SEG_BASE}+${seg}`);
}

/** EIP := target, cut to the operand size, if the condition holds; #GP(0) when it then lies beyond CS's limit. */
export function branchTo(b: Builder, w: 16 | 32, condition: Value, target: Value): () => void {
  const eip = b.trunc(target, w);
  if (!b.model.flat(CS)) b.raiseIf(b.both(condition, b.ltu(b.state(S.SEG_LIMIT + CS), eip)), VECTOR.GP, 0);
  return () => b.branch(condition, eip);
}

/** ESP after adding `delta` bytes (a value, not masked) to the stack pointer. */
export function stackPlus(b: Builder, delta: Value): Value {
  return b.maskStack(b.add(b.gpr(ESP), delta));
}
