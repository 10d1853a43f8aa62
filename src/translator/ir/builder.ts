// The only vocabulary in which instructions state their meaning. A meaning talks to a Builder, which records micro-ops;
// printing them gives the interpreter's handlers and translated regions, evaluating them gives the oracle of the tests.
//
// The rule that keeps faults exact: an instruction does all its loads, `modify`, `probe`, `raiseIf` and calls first, then
// its stores, then registers and flags. Whatever can fault then happens while the state is still that before the instruction.
// With more than one store, every store but the first must be probed (or modified) before.

import type { CallName } from '../calls.ts';
import { CALLS } from '../calls.ts';
import { FLAGS, rotationWord } from '../flags.ts';
import { CS, S, SS } from '../state.ts';
import type { PureName } from './ops.ts';
import { PURE } from './ops.ts';
import type { AddressParts, ElementLoop, Known, MemoryModel, MemoryOperand, Operand, Value, Width } from './value.ts';

const NONE: Known = 0;
/** The state word `n` after one that may be known only by the record. */
export const wordPast = (word: Known, n: number): Known => (typeof word === 'number' ? word + n : n === 0 ? word : `${word}+${n}`);

export class Builder {
  readonly ops: Value[] = [];
  readonly model: MemoryModel;
  constructor(model: MemoryModel) {
    this.model = model;
  }

  private record(op: Value['op'], k: Known = NONE, w: Width = 32, seg: Known = NONE, a?: Value, b?: Value, c?: Value, d?: Value): Value {
    if (a) a.uses++;
    if (b) b.uses++;
    if (c) c.uses++;
    if (d) d.uses++;
    const value: Value = { op, a, b, c, d, k, w, seg, uses: 0 };
    this.ops.push(value);
    return value;
  }
  private pure(op: PureName, a: Value, b?: Value, c?: Value): Value {
    if (known(a) && (!b || known(b)) && (!c || known(c))) {
      return this.imm(Number(PURE[op].evaluate(a.k as number, (b?.k as number) ?? 0, (c?.k as number) ?? 0)));
    }
    if (b && known(b) && b.k === 0 && NEUTRAL_ZERO.has(op)) return a;
    if (op === 'select' && known(a)) return a.k !== 0 ? b! : c!;
    if (op === 'and' && b && known(b) && b.k === -1) return a;
    return this.record(op, NONE, 32, NONE, a, b, c);
  }

  /** A constant, or the record field of that text. */
  imm(k: Known): Value {
    return this.record('const', k);
  }

  // ---- arithmetic; results are truncated to `w` where a width is given
  trunc(x: Value, w: Width): Value {
    return w === 32 ? x : this.pure('and', x, this.imm(w === 8 ? 0xff : 0xffff));
  }
  /** The value moved to the top of the word: sign in bit 31. */
  top(x: Value, w: Width): Value {
    return w === 32 ? x : this.pure('shl', x, this.imm(32 - w));
  }
  signed(x: Value, w: Width): Value {
    return w === 32 ? x : this.pure('sar', this.top(x, w), this.imm(32 - w));
  }
  add(x: Value, y: Value, w: Width = 32): Value {
    return this.trunc(this.pure('add', x, y), w);
  }
  sub(x: Value, y: Value, w: Width = 32): Value {
    return this.trunc(this.pure('sub', x, y), w);
  }
  and(x: Value, y: Value): Value {
    return this.pure('and', x, y);
  }
  or(x: Value, y: Value): Value {
    return this.pure('or', x, y);
  }
  xor(x: Value, y: Value): Value {
    return this.pure('xor', x, y);
  }
  not(x: Value, w: Width = 32): Value {
    return this.trunc(this.pure('xor', x, this.imm(-1)), w);
  }
  /** Shift counts are used modulo 32. */
  shl(x: Value, n: Value, w: Width = 32): Value {
    return this.trunc(this.pure('shl', x, n), w);
  }
  shr(x: Value, n: Value): Value {
    return this.pure('shr', x, n);
  }
  sar(x: Value, n: Value): Value {
    return this.pure('sar', x, n);
  }
  mul(x: Value, y: Value, w: Width = 32): Value {
    return this.trunc(this.pure('mul', x, y), w);
  }
  /** Any other row of PURE by name. */
  op(name: PureName, x: Value, y?: Value, z?: Value): Value {
    return this.pure(name, x, y, z);
  }
  eq(x: Value, y: Value): Value {
    return this.pure('eq', x, y);
  }
  ne(x: Value, y: Value): Value {
    return this.pure('ne', x, y);
  }
  lt(x: Value, y: Value): Value {
    return this.pure('lt', x, y);
  }
  ltu(x: Value, y: Value): Value {
    return this.pure('ltu', x, y);
  }
  both(x: Value, y: Value): Value {
    return this.pure('both', x, y);
  }
  either(x: Value, y: Value): Value {
    return this.pure('either', x, y);
  }
  negate(c: Value): Value {
    return this.pure('negate', c);
  }
  select(c: Value, x: Value, y: Value): Value {
    return this.pure('select', c, x, y);
  }
  /** 1 or 0 of a condition. */
  bit(c: Value): Value {
    return this.select(c, this.imm(1), this.imm(0));
  }

  // ---- registers and state words
  gpr(n: Known, w: Width = 32): Value {
    return this.record('gpr', n, w);
  }
  setGpr(n: Known, v: Value, w: Width = 32): void {
    this.record('setGpr', n, w, NONE, v);
  }
  /** A word of the state block (translator/state.ts) that is no general register. */
  state(word: Known): Value {
    return this.record('state', word);
  }
  setState(word: Known, v: Value): void {
    this.record('setState', word, 32, NONE, v);
  }
  /** A state word and those after it, of an operand whose first word may be known only by the record. */
  stateAt(word: Known, n: number): Value {
    return this.state(wordPast(word, n));
  }
  setStateAt(word: Known, n: number, v: Value): void {
    this.setState(wordPast(word, n), v);
  }
  /** EIP of the following instruction, and of this one. */
  next(): Value {
    return this.record('next');
  }
  self(): Value {
    return this.record('self');
  }

  // ---- operands
  read(o: Operand): Value {
    switch (o.kind) {
      case 'imm':
        return this.imm(o.value);
      case 'reg':
        return this.gpr(o.n, o.w);
      case 'sreg':
        return this.state(typeof o.n === 'number' ? S.SEG_SELECTOR + o.n : `${S.SEG_SELECTOR}+${o.n}`);
      case 'mem':
        return this.load(o.seg, this.offset(o), o.w);
      case 'vector':
        throw new Error('a vector is no single value');
    }
  }
  /** Read with the intent to write: what cannot be written faults here, before anything has changed. */
  modify(o: Operand): Value {
    if (o.kind !== 'mem') return this.read(o);
    const value = this.record('modify', NONE, o.w, o.seg, this.offset(o));
    this.modified.set(o, value);
    return value;
  }
  /** Writes an operand; after `modify` of the same operand it cannot fault. */
  write(o: Operand, v: Value): void {
    switch (o.kind) {
      case 'reg':
        return this.setGpr(o.n, v, o.w);
      case 'sreg':
        this.call('loadSegment', this.imm(o.n), v);
        return;
      case 'imm':
      case 'vector':
        throw new Error('an immediate cannot be written, nor a vector as a single value');
      case 'mem': {
        const before = this.modified.get(o);
        if (before) this.record('storeModified', NONE, o.w, o.seg, before, v);
        else this.store(o.seg, this.offset(o), v, o.w);
      }
    }
  }
  private readonly modified = new Map<Operand, Value>();
  private readonly offsets = new Map<Operand, Value>();
  /** Effective address of a memory operand, without segment; computed once. */
  offset(o: Operand): Value {
    if (o.kind !== 'mem') throw new Error('only a memory operand has an offset');
    if (o.offset) return o.offset;
    let value = this.offsets.get(o);
    if (!value) this.offsets.set(o, (value = o.address ? this.effectiveAddress(o.address) : this.record('offset')));
    return value;
  }
  private effectiveAddress({ base, index, shift, disp, width }: AddressParts): Value {
    let sum: Value | undefined;
    const plus = (v: Value): void => {
      sum = sum ? this.pure('add', sum, v) : v;
    };
    if (base >= 0) plus(this.gpr(base));
    if (index >= 0) plus(this.pure('shl', this.gpr(index), this.imm(shift)));
    if (disp !== 0 || !sum) plus(this.imm(disp));
    return this.trunc(sum!, width);
  }
  /** A memory operand at a computed offset. */
  memory(seg: Known, offset: Value, w: Width): MemoryOperand {
    return { kind: 'mem', w, seg, offset };
  }
  /** The same place `bytes` further on (far pointers, double words of 64-bit operands). */
  beyond(o: Operand, bytes: number, w: Width, address: 16 | 32): MemoryOperand {
    if (o.kind !== 'mem') throw new Error('only memory has a place beyond it');
    return this.memory(o.seg, this.add(this.offset(o), this.imm(bytes), address), w);
  }

  load(seg: Known, offset: Value, w: Width): Value {
    return this.record('load', NONE, w, seg, offset);
  }
  store(seg: Known, offset: Value, v: Value, w: Width): void {
    this.record('store', NONE, w, seg, offset, v);
  }
  /** Faults now if a later store of `w` there would; for the second and further stores of an instruction. */
  probe(seg: Known, offset: Value, w: Width): void {
    this.record('probe', NONE, w, seg, offset);
  }

  /**
   * Does iterations of a repeated string instruction at once: as many as nothing can tell from doing them one by one, fewer than `count`
   * and than what may still run. They are paid for. `source` is ESI or the element in the accumulator, `destination` EDI, `step` what
   * an iteration adds to them; the segments are flat. Yields how many.
   */
  elements(loop: ElementLoop, count: Value, source: Value, destination: Value, step: Value, w: Width): Value {
    return this.record('elements', loop, w, NONE, count, source, destination, step);
  }

  // ---- vectors (translator/vector): operands are state words, in registers or in S.OPERAND
  /** State words := memory, all of them or none; one fault for the whole. */
  loadWords(word: Known, words: number, seg: Known, offset: Value): void {
    this.recordWords('loadWords', word, words, seg, offset);
  }
  /** Memory := state words, all of them or none. */
  storeWords(word: Known, words: number, seg: Known, offset: Value): void {
    this.recordWords('storeWords', word, words, seg, offset);
  }
  private recordWords(op: 'loadWords' | 'storeWords', word: Known, words: number, seg: Known, offset: Value): void {
    offset.uses++;
    this.ops.push({ op, a: offset, k: word, w: 32, seg, words, uses: 0 });
  }
  /** Calls a function of the vector table by its number: on state words (S.ZERO: no destination), and up to two numbers. */
  vector(n: number, destination: Known, source: Known, x: Known = 0, y: Known = 0): Value {
    return this.record('vector', n, 32, NONE, this.imm(destination), this.imm(source), this.imm(x), this.imm(y));
  }

  // ---- stack (SS, 16 or 32 bits as SS.B says)
  /** Offset of the stack top plus `delta` bytes. */
  stackOffset(delta: number): Value {
    return this.maskStack(this.pure('add', this.gpr(4), this.imm(delta)));
  }
  maskStack(offset: Value): Value {
    const mask = this.model.stackMask;
    return this.pure('and', offset, mask === undefined ? this.state(S.STACK_MASK) : this.imm(mask));
  }
  /** ESP or SP := offset (already masked); upper half of ESP kept on a 16-bit stack. */
  setStack(offset: Value): void {
    const mask = this.model.stackMask;
    if (mask === -1) this.setGpr(4, offset);
    else if (mask === 0xffff) this.setGpr(4, offset, 16);
    else this.setGpr(4, this.or(this.and(this.gpr(4), this.not(this.state(S.STACK_MASK))), offset));
  }
  /** Store, then stack pointer. */
  push(v: Value, w: Width): void {
    const top = this.stackOffset(-(w >> 3));
    this.store(SS, top, v, w);
    this.setStack(top);
  }
  /** The value at `delta` bytes above the stack top; the pointer stays. */
  peek(delta: number, w: Width): Value {
    return this.load(SS, this.stackOffset(delta), w);
  }
  /** Moves the stack pointer by `delta` bytes. */
  moveStack(delta: number): void {
    this.setStack(this.stackOffset(delta));
  }

  // ---- flags (translator/flags.ts: kinds)
  private flags(kind: number, a: Value, b: Value, w: Width): void {
    this.record('flags', kind | ((32 - w) << 3), w, NONE, a, b);
  }
  /** All six flags of x - y. */
  flagsSub(x: Value, y: Value, w: Width): void {
    this.flags(FLAGS.SUB, this.top(x, w), this.top(y, w), w);
  }
  /** All six flags of an addition with result r and addend y. */
  flagsAdd(r: Value, y: Value, w: Width): void {
    this.flags(FLAGS.ADD, this.top(r, w), this.top(y, w), w);
  }
  /** SF ZF PF of r, CF = OF = AF = 0. */
  flagsLogic(r: Value, w: Width): void {
    this.flags(FLAGS.SUB, this.top(r, w), this.imm(0), w);
  }
  /** Flags of r = x + 1 and r = x - 1; CF stays. */
  flagsInc(r: Value, w: Width): void {
    this.flags(FLAGS.INC, this.top(r, w), this.carry(), w);
  }
  flagsDec(r: Value, w: Width): void {
    this.flags(FLAGS.DEC, this.top(r, w), this.carry(), w);
  }
  /** SHL: r and the operand shifted by count - 1 (its top bit is CF). */
  flagsShl(r: Value, before: Value, w: Width): void {
    this.flags(FLAGS.SHL, this.top(r, w), this.top(before, w), w);
  }
  /** SHR, SAR: r and the operand shifted by count - 1 (its bit 0 is CF). */
  flagsShr(r: Value, before: Value, w: Width): void {
    this.flags(FLAGS.SHR, this.top(r, w), this.top(before, w), w);
  }
  /** SF ZF PF of r; CF, AF and OF as the bits given (at their EFLAGS places). */
  flagsResult(r: Value, bits: Value, w: Width): void {
    this.flags(FLAGS.RESULT, this.top(r, w), bits, w);
  }
  /** ROL, ROR: CF and OF of the result r, the other flags stay. */
  flagsRotate(left: boolean, r: Value, w: Width): void {
    this.record('flagsRotate', rotationWord(left, w), w, NONE, this.top(r, w));
  }
  /** All six flags as they stand in `bits`. */
  flagsAll(bits: Value): void {
    this.flags(FLAGS.ALL, this.imm(0), bits, 32);
  }
  /** Condition code 0-15 (SDM volume 1, "EFLAGS Condition Codes"). */
  condition(cc: number): Value {
    return this.record('condition', cc);
  }
  /** CF as 0 or 1. */
  carry(): Value {
    return this.bit(this.condition(2));
  }
  /** The six arithmetic flags at their EFLAGS places, other bits 0. */
  arithmeticFlags(): Value {
    return this.record('arithmeticFlags');
  }

  // ---- control inside the instruction
  if(c: Value, then: () => void, otherwise?: () => void): void {
    if (known(c)) {
      if (c.k !== 0) then();
      else otherwise?.();
      return;
    }
    this.record('if', NONE, 32, NONE, c);
    then();
    if (otherwise) {
      this.record('else');
      otherwise();
    }
    this.record('end');
  }
  /** Calls a runtime function of calls.ts; it may fault. `second()` is its other result (S.SECOND). */
  call(name: CallName, ...args: Value[]): Value {
    if (args.length !== CALLS[name].args) throw new Error(`${name} takes ${CALLS[name].args} arguments`);
    return this.record('call', name, 32, NONE, args[0], args[1], args[2], args[3]);
  }
  /**
   * An x87 instruction on ST(i) (`seg` -1) or with an operand in a flat segment. What it cannot do at once is done by the call
   * `escape` and ends the instruction there; ops after it see what it left in S.SECOND.
   */
  attempt(opcode: Value, seg: Known, offset: Value, w: Width): void {
    this.record('attempt', NONE, w, seg, opcode, offset);
  }
  second(): Value {
    return this.record('second');
  }
  /** Faults with this exception; `errorCode` undefined = none. */
  raise(vector: number, errorCode?: number): void {
    this.record('raise', vector, 32, errorCode ?? -1);
  }
  raiseIf(c: Value, vector: number, errorCode?: number): void {
    this.record('raiseIf', vector, 32, errorCode ?? -1, c);
  }

  // ---- the end of the instruction
  /** A near branch target: faults with #GP(0) if it is beyond CS's limit. Call it before anything is stored. */
  target(eip: Value): Value {
    if (!this.model.flat(CS)) this.raiseIf(this.ltu(this.state(S.SEG_LIMIT + CS), eip), 13, 0);
    return eip;
  }
  /** EIP := target (from `target`). */
  jump(target: Value): void {
    this.record('jump', NONE, 32, NONE, target);
  }
  branch(c: Value, target: Value): void {
    this.record('branch', NONE, 32, NONE, c, target);
  }
}

const NEUTRAL_ZERO: ReadonlySet<PureName> = new Set(['add', 'sub', 'or', 'xor', 'shl', 'sar']);
/** A constant known now. */
export function known(v: Value): boolean {
  return v.op === 'const' && typeof v.k === 'number';
}
