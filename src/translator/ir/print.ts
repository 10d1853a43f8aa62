// Micro-ops of one instruction -> JavaScript statements. One printer for both tiers; a Target says where registers live, how
// memory is reached and how the code leaves. A value used once is printed where it is used; everything that could change
// under it is settled into a temporary first. No value outlives its instruction, so temporaries are numbered afresh for each.

import type { CallName } from '../calls.ts';
import { CALLS } from '../calls.ts';
import type { FlagNames } from '../flags.ts';
import { conditionText } from '../flags.ts';
import type { PureName } from './ops.ts';
import { PURE } from './ops.ts';
import type { Known, Value, Width } from './value.ts';

/** Where a memory access finds its host address. */
export interface Place {
  /** Statements that compute it (checks included). */
  readonly before: string;
  /** Text of the linear address: a name or a number. */
  readonly linear: string;
}

export interface Target {
  readonly flags: FlagNames;
  /** CF and OF := those of a rotation (flags.ts) with this result; the others stay. */
  flagsRotate(rotation: number, result: string): string;
  /** Statements after which the three words alone hold the flags, when no setter is known to have run last. */
  settleFlags(): string;
  /** Statements that go with every setter. */
  readonly afterFlags: string;
  gpr(n: Known, w: Width): string;
  setGpr(n: Known, w: Width, value: string): string;
  state(word: Known): string;
  setState(word: Known, value: string): string;
  /** EIP of the following instruction, of this one. */
  next(): string;
  self(): string;
  /** Effective address found in the record. */
  offset(): string;
  /** Segment arithmetic: from offset to linear address, with limit check unless flat; `held` is a temporary it may use. */
  place(seg: Known, offset: string, w: number, write: boolean, held: string): Place;
  /** Memory accesses of `access.w` bits. `entry` is the name of a temporary for the TLB entry. */
  load(access: Value, into: string, linear: string): string;
  modify(access: Value, into: string, entry: string, linear: string): string;
  store(access: Value, linear: string, value: string): string;
  /** `modified` is the access before. */
  storeModified(modified: Value, entry: string, linear: string, value: string): string;
  probe(access: Value, linear: string): string;
  /** State words from `word` on := memory, and the reverse; `words` at once. */
  loadWords(word: Known, linear: string, words: number): string;
  storeWords(word: Known, linear: string, words: number): string;
  /** Builder.elements: `into` := iterations done, paid for. The arguments are names or numbers. */
  elements(v: Value, into: string, count: string, source: string, destination: string, step: string): string;
  call(name: CallName, args: string[]): string;
  /** Builder.attempt: an x87 instruction done at once, or the whole of it by CALLS.escape and nothing after it. */
  attempt(opcode: string, offset: string, seg: Known, w: Width): string;
  raise(vector: number, errorCode: number): string;
  raiseIf(condition: string, vector: number, errorCode: number): string;
  jump(target: string): string;
  branch(condition: string, target: string): string;
}

export interface Printed {
  readonly text: string;
  /** Temporaries t0..t(n-1) used. */
  readonly temps: number;
  /** Flags kind word known after it, undefined when not. */
  readonly kind: number | undefined;
  /** Ends in an unconditional jump or raise. */
  readonly ended: boolean;
}

const SIMPLE = /^(?:[A-Za-z_$][\w$]*|\d+)$/;
const PRIMARY = /^(?:[A-Za-z_$][\w$]*|\d+|[\w$.]+\[[^[\]]*(?:\[[^[\]]*\][^[\]]*)?\]|[\w$.]+\([^()]*\))$/;
/** Text usable as an operand of any operator. */
export function primary(text: string): string {
  return PRIMARY.test(text) ? text : `(${text})`;
}

interface Pending {
  text: string;
  readonly reads: ReadonlySet<string>;
}

export function printInstruction(ops: readonly Value[], target: Target, kindBefore: number | undefined): Printed {
  const out: string[] = [];
  const texts = new Map<Value, Pending>();
  const pending = new Set<Value>();
  const left = new Map<Value, number>();
  const entries = new Map<Value, { entry: string; linear: string }>();
  const outer: { kind: number | undefined; kindOfThen?: number | undefined; hasElse: boolean }[] = [];
  let temps = 0,
    kind = kindBefore,
    ended = false;
  const temp = (): string => `t${temps++}`;
  const NOTHING: ReadonlySet<string> = new Set();

  const use = (v: Value): Pending => {
    const found = texts.get(v);
    if (!found) throw new Error(`${v.op} is used before it is printed`);
    const remaining = left.get(v)! - 1;
    left.set(v, remaining);
    if (remaining === 0) pending.delete(v);
    return found;
  };
  const hold = (v: Value): void => {
    const t = temp();
    out.push(`${t}=${texts.get(v)!.text};`);
    texts.set(v, { text: t, reads: NOTHING });
    pending.delete(v);
  };
  /** Values that read what is about to change are computed now. */
  const settle = (changes: (key: string) => boolean): void => {
    for (const v of [...pending]) if ([...texts.get(v)!.reads].some((r) => r !== 'constant' && changes(r))) hold(v);
  };
  const define = (v: Value, text: string, reads: ReadonlySet<string>): void => {
    if (v.uses === 0) return;
    texts.set(v, { text, reads });
    left.set(v, v.uses);
    if (reads.size > 0) pending.add(v);
    if (v.uses > 1 && !SIMPLE.test(text)) hold(v);
  };
  const gprKey = (n: Known, w: Width): string => (typeof n === 'number' ? `gpr${w === 8 ? n & 3 : n}` : 'gpr?');
  const simplified = (text: string): string => {
    if (SIMPLE.test(text)) return text;
    const t = temp();
    out.push(`${t}=${text};`);
    return t;
  };
  const place = (v: Value, write: boolean): string => {
    const offset = use(v.a!).text;
    const p = target.place(v.seg, offset, v.words === undefined ? v.w : v.words * 32, write, temp());
    out.push(p.before);
    return p.linear;
  };

  for (const v of ops) {
    if (v.op in PURE) {
      const row = PURE[v.op as PureName],
        reads = new Set<string>();
      if (v.uses === 0) {
        for (const x of [v.a, v.b, v.c]) if (x) use(x);
        continue;
      }
      const operand = (x?: Value): string => {
        if (!x) return '';
        const p = use(x);
        for (const key of p.reads) reads.add(key);
        return primary(p.text);
      };
      const x = operand(v.a),
        y = operand(v.b),
        z = operand(v.c);
      define(v, row.js(x, y, z), reads.size ? reads : CONSTANT_READS);
      continue;
    }
    switch (v.op) {
      case 'const':
        define(v, typeof v.k === 'number' ? String(v.k) : v.k, NOTHING);
        break;
      case 'gpr':
        define(v, target.gpr(v.k, v.w), new Set([gprKey(v.k, v.w)]));
        break;
      case 'state':
        define(v, target.state(v.k), new Set(['state']));
        break;
      case 'next':
        define(v, target.next(), CONSTANT_READS);
        break;
      case 'self':
        define(v, target.self(), CONSTANT_READS);
        break;
      case 'offset':
        define(v, target.offset(), new Set(['gpr?']));
        break;
      case 'condition':
        if (kind === undefined) out.push(target.settleFlags());
        define(v, conditionText(v.k as number, kind, target.flags), new Set(['flags']));
        break;
      case 'arithmeticFlags':
        if (kind === undefined) out.push(target.settleFlags());
        define(v, `flagsOf(${target.flags.kind},${target.flags.a},${target.flags.b})`, new Set(['flags']));
        break;
      case 'second':
        define(v, target.state(15), new Set(['state']));
        break;
      case 'setGpr': {
        const key = gprKey(v.k, v.w),
          value = use(v.a!).text;
        settle((r) => r === key || r === 'gpr?' || (key === 'gpr?' && r.startsWith('gpr')));
        out.push(target.setGpr(v.k, v.w, value));
        break;
      }
      case 'setState': {
        const value = use(v.a!).text;
        settle((r) => r === 'state');
        out.push(target.setState(v.k, value));
        break;
      }
      case 'load': {
        const linear = place(v, false),
          t = temp();
        out.push(target.load(v, t, linear));
        define(v, t, NOTHING);
        break;
      }
      case 'modify': {
        const linear = simplified(place(v, true)),
          entry = temp(),
          t = temp();
        out.push(target.modify(v, t, entry, linear));
        entries.set(v, { entry, linear });
        define(v, t, NOTHING);
        break;
      }
      case 'store': {
        const linear = place(v, true);
        out.push(target.store(v, linear, use(v.b!).text));
        break;
      }
      case 'storeModified': {
        use(v.a!);
        const { entry, linear } = entries.get(v.a!)!;
        out.push(target.storeModified(v.a!, entry, linear, use(v.b!).text));
        break;
      }
      case 'probe':
        out.push(target.probe(v, place(v, true)));
        break;
      case 'elements': {
        const [count, source, destination, step] = [v.a!, v.b!, v.c!, v.d!].map((x) => simplified(use(x).text)),
          t = temp();
        out.push(target.elements(v, t, count!, source!, destination!, step!));
        define(v, t, NOTHING);
        break;
      }
      case 'loadWords': {
        const linear = place(v, false);
        settle((r) => r === 'state');
        out.push(target.loadWords(v.k, simplified(linear), v.words!));
        break;
      }
      case 'storeWords':
        out.push(target.storeWords(v.k, simplified(place(v, true)), v.words!));
        break;
      case 'vector': {
        const args = [v.a!, v.b!, v.c!, v.d!].map((x) => use(x).text);
        settle((r) => r === 'state');
        const text = `vf[${v.k}](vs,${args.join(',')})`;
        if (v.uses > 0) {
          const t = temp();
          out.push(`${t}=${text};`);
          define(v, t, NOTHING);
        } else out.push(`${text};`);
        break;
      }
      case 'flags': {
        const x = use(v.a!),
          y = use(v.b!);
        settle((r) => r === 'flags');
        const { kind: fk, a: fa, b: fb } = target.flags;
        if (x.reads.has('flags') || y.reads.has('flags')) {
          const tx = temp(),
            ty = temp();
          out.push(`${tx}=${x.text};${ty}=${y.text};${fk}=${v.k};${fa}=${tx};${fb}=${ty};${target.afterFlags}`);
        } else out.push(`${fk}=${v.k};${fa}=${x.text};${fb}=${y.text};${target.afterFlags}`);
        kind = v.k as number;
        break;
      }
      case 'flagsRotate': {
        const result = use(v.a!).text;
        settle((r) => r === 'flags');
        out.push(target.flagsRotate(v.k as number, result));
        kind = undefined;
        break;
      }
      case 'if': {
        const c = use(v.a!).text;
        settle(() => true);
        outer.push({ kind, hasElse: false });
        out.push(`if(${c}){`);
        break;
      }
      case 'else': {
        settle(() => true);
        const frame = outer[outer.length - 1]!;
        frame.kindOfThen = kind;
        frame.hasElse = true;
        kind = frame.kind;
        ended = false;
        out.push('}else{');
        break;
      }
      case 'end': {
        settle(() => true);
        const frame = outer.pop()!;
        if ((frame.hasElse ? frame.kindOfThen : frame.kind) !== kind) kind = undefined;
        ended = false;
        out.push('}');
        break;
      }
      case 'call': {
        const args = [v.a, v.b, v.c, v.d].filter((x) => x !== undefined).map((x) => use(x).text);
        settle(() => true);
        const text = target.call(v.k as CallName, args);
        if (v.uses > 0) {
          const t = temp();
          out.push(`${t}=${text};`);
          define(v, t, NOTHING);
        } else out.push(`${text};`);
        kind = undefined;
        break;
      }
      case 'attempt': {
        const opcode = use(v.a!).text,
          offset = simplified(use(v.b!).text);
        settle(() => true);
        out.push(target.attempt(opcode, offset, v.seg, v.w));
        break;
      }
      case 'raise':
        out.push(target.raise(v.k as number, v.seg as number));
        ended = outer.length === 0;
        break;
      case 'raiseIf':
        out.push(target.raiseIf(use(v.a!).text, v.k as number, v.seg as number));
        break;
      case 'jump':
        out.push(target.jump(use(v.a!).text));
        ended = outer.length === 0;
        break;
      case 'branch': {
        const c = use(v.a!).text,
          to = use(v.b!).text;
        settle(() => true);
        out.push(target.branch(c, to));
        break;
      }
    }
  }
  return { text: out.join(''), temps, kind, ended };
}
/** Marks a text that reads nothing that changes, but is no bare constant: it is not settled, yet counts as pending text. */
const CONSTANT_READS: ReadonlySet<string> = new Set(['constant']);

/** Whether an instruction's micro-ops call a runtime function, and whether one of those ends the block. */
export function callsOf(ops: readonly Value[]): { calls: boolean; ends: boolean; transfers: boolean } {
  const names = ops.filter((v) => v.op === 'call').map((v) => v.k as CallName);
  return { calls: names.length > 0, ends: names.some((name) => CALLS[name].ends), transfers: names.some((name) => CALLS[name].transfers) };
}

/**
 * Drops values nobody reads and, last first, flag setters overwritten before anything can look at them. `flagsLive` says
 * whether flags are read after these ops, `quiet` at which accesses and jumps nobody can look at them. Returns the remaining
 * ops and whether flags are live before them.
 */
export function sweep(
  ops: readonly Value[],
  flagsLive: boolean,
  quiet: (v: Value) => boolean = () => false,
): { ops: Value[]; flagsLive: boolean } {
  const kept: Value[] = [];
  let live = flagsLive,
    depth = 0;
  for (let n = ops.length - 1; n >= 0; n--) {
    const v = ops[n]!;
    let drop = false;
    if (v.op === 'end') depth++;
    else if (v.op === 'if') depth--;
    else if (v.op === 'flags') {
      if (!live) drop = true;
      else if (depth === 0) live = false;
    } else if (v.op === 'flagsRotate') drop = !live;
    else if (v.op === 'condition' || v.op === 'arithmeticFlags') {
      if (v.uses === 0) drop = true;
      else live = true;
    } else if (v.op in PURE || PASSIVE.has(v.op)) drop = v.uses === 0;
    else if (!SILENT.has(v.op) && !quiet(v)) live = true;
    if (drop)
      for (const x of [v.a, v.b, v.c, v.d]) {
        if (x) x.uses--;
      }
    else kept.push(v);
  }
  return { ops: kept.reverse(), flagsLive: live };
}
const PASSIVE: ReadonlySet<string> = new Set(['const', 'gpr', 'state', 'next', 'self', 'offset', 'second']);
/** Effects after which nobody can look at the flags: the instruction cannot end there. */
const SILENT: ReadonlySet<string> = new Set(['setGpr', 'setState', 'vector', 'else', 'storeModified']);
