// The oracle of the tiers' tests: an instruction's micro-ops carried out one by one on the state block, with the slow paths
// of the engine for every access. About six times slower than the interpreter's handlers, and made of nothing they share but
// the micro-ops' own rows.

import { fault } from '../../src/runtime/faults.ts';
import type { CallName } from '../../src/translator/calls.ts';
import type { Instruction } from '../../src/translator/decode.ts';
import { condition, FLAGS, flagsOf, flagsRotated } from '../../src/translator/flags.ts';
import type { PureName, PureRow } from '../../src/translator/ir/ops.ts';
import { PURE } from '../../src/translator/ir/ops.ts';
import type { Value, Width } from '../../src/translator/ir/value.ts';
import { meaningOps } from '../../src/translator/meaning.ts';
import { S } from '../../src/translator/state.ts';
import { VECTOR_FUNCTIONS, type Vectors } from '../../src/translator/vector/functions.ts';

/** The engine's members that an evaluation uses. */
export interface EvaluatedMachine {
  readonly r: Int32Array;
  readonly r8: Uint8Array;
  readonly r16: Uint16Array;
  readonly vs: Vectors;
  R8(a: number): number;
  R16(a: number): number;
  R32(a: number): number;
  M8(a: number): number;
  M16(a: number): number;
  M32(a: number): number;
  W8(a: number, v: number): void;
  W16(a: number, v: number): void;
  W32(a: number, v: number): void;
  RV(word: number, linear: number, words: number): void;
  WV(word: number, linear: number, words: number): void;
  LR(segment: number, offset: number, size: number): number;
  LW(segment: number, offset: number, size: number): number;
  readonly system: { readonly [N in CallName]?: (...args: number[]) => number | void };
}

/** Runs one instruction at `base` (EIP of the offset `i.at` counts from); EIP is advanced. Throws what it faults with. */
export function evaluate(m: EvaluatedMachine, i: Instruction, base: number): void {
  const { r, r8, r16 } = m,
    values = new Map<Value, number>();
  const next = (base + i.at + i.length) | 0,
    self = (base + i.at) | 0;
  const ops = meaningOps(i, undefined, (offset) => ({ kind: 'imm', w: 32, value: (base + offset) | 0 }));
  const get = (v: Value | undefined): number => (v === undefined ? 0 : values.get(v)!);
  const byte = (n: number): number => (n < 4 ? n * 4 : (n - 4) * 4 + 1);
  const readAt = (a: number, w: Width): number => (w === 8 ? m.R8(a) : w === 16 ? m.R16(a) : m.R32(a));
  const modifyAt = (a: number, w: Width): number => (w === 8 ? m.M8(a) : w === 16 ? m.M16(a) : m.M32(a));
  const writeAt = (a: number, v: number, w: Width): void => (w === 8 ? m.W8(a, v) : w === 16 ? m.W16(a, v) : m.W32(a, v));
  const places = new Map<Value, number>();
  let eip: number | undefined = next;
  r[S.EIP] = self;

  for (let n = 0; n < ops.length; n++) {
    const v = ops[n]!,
      k = v.k as number,
      segment = v.seg as number;
    const skip = (stop: ReadonlySet<string>): void => {
      for (let depth = 0; ; ) {
        const op = ops[++n]!.op;
        if (op === 'if') depth++;
        else if (depth === 0 && stop.has(op)) return;
        else if (op === 'end') depth--;
      }
    };
    if (v.op in PURE) {
      const row: PureRow = PURE[v.op as PureName];
      values.set(v, Number(row.evaluate(get(v.a), get(v.b), get(v.c))));
      continue;
    }
    switch (v.op) {
      case 'const':
        values.set(v, k | 0);
        break;
      case 'gpr':
        values.set(v, v.w === 32 ? r[k]! : v.w === 16 ? r16[k * 2]! : r8[byte(k)]!);
        break;
      case 'setGpr':
        if (v.w === 32) r[k] = get(v.a);
        else if (v.w === 16) r16[k * 2] = get(v.a);
        else r8[byte(k)] = get(v.a);
        break;
      case 'state':
        values.set(v, r[k]!);
        break;
      case 'setState':
        r[k] = get(v.a);
        break;
      case 'next':
        values.set(v, next);
        break;
      case 'self':
        values.set(v, self);
        break;
      case 'second':
        values.set(v, r[S.SECOND]!);
        break;
      case 'load':
        values.set(v, readAt(m.LR(segment, get(v.a), v.w >> 3), v.w));
        break;
      case 'modify': {
        const at = m.LW(segment, get(v.a), v.w >> 3);
        places.set(v, at);
        values.set(v, modifyAt(at, v.w));
        break;
      }
      case 'store':
        writeAt(m.LW(segment, get(v.a), v.w >> 3), get(v.b), v.w);
        break;
      case 'storeModified':
        writeAt(places.get(v.a!)!, get(v.b), v.w);
        break;
      case 'probe':
        modifyAt(m.LW(segment, get(v.a), v.w >> 3), v.w);
        break;
      case 'elements':
        values.set(v, 0);
        break;
      case 'loadWords':
        m.RV(k, m.LR(segment, get(v.a), 4 * v.words!), v.words!);
        break;
      case 'storeWords':
        m.WV(k, m.LW(segment, get(v.a), 4 * v.words!), v.words!);
        break;
      case 'vector':
        values.set(v, VECTOR_FUNCTIONS[k]!(m.vs, get(v.a), get(v.b), get(v.c), get(v.d)));
        break;
      case 'flags': {
        const a = get(v.a),
          b = get(v.b);
        r[S.FLAGS_KIND] = k;
        r[S.FLAGS_A] = a;
        r[S.FLAGS_B] = b;
        break;
      }
      case 'flagsRotate':
        r[S.FLAGS_B] = flagsRotated(k, get(v.a), r[S.FLAGS_KIND]!, r[S.FLAGS_A]!, r[S.FLAGS_B]!);
        r[S.FLAGS_KIND] = FLAGS.ALL;
        break;
      case 'condition':
        values.set(v, Number(condition(k, r[S.FLAGS_KIND]!, r[S.FLAGS_A]!, r[S.FLAGS_B]!)));
        break;
      case 'arithmeticFlags':
        values.set(v, flagsOf(r[S.FLAGS_KIND]!, r[S.FLAGS_A]!, r[S.FLAGS_B]!));
        break;
      case 'if':
        if (get(v.a) === 0) skip(ELSE_OR_END);
        break;
      case 'else':
        skip(END);
        break;
      case 'end':
        break;
      case 'call': {
        const f = m.system[v.k as CallName];
        if (!f) throw new Error(`the test's machine has no ${v.k}`);
        values.set(v, Number(f(get(v.a), get(v.b), get(v.c), get(v.d)) ?? 0));
        if (r[S.EIP] !== self) eip = undefined;
        break;
      }
      case 'attempt':
        m.system.escape!(get(v.a), segment, get(v.b), v.w);
        n = ops.length;
        break;
      case 'raise':
        return fault(k, segment);
      case 'raiseIf':
        if (get(v.a) !== 0) return fault(k, segment);
        break;
      case 'jump':
        r[S.EIP] = get(v.a);
        return;
      case 'branch':
        if (get(v.a) !== 0) {
          r[S.EIP] = get(v.b);
          return;
        }
        break;
      case 'offset':
        throw new Error('a concrete instruction has its address');
    }
  }
  if (eip !== undefined) r[S.EIP] = eip;
}
const ELSE_OR_END: ReadonlySet<string> = new Set(['else', 'end']),
  END: ReadonlySet<string> = new Set(['end']);
