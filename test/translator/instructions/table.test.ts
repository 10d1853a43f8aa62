import assert from 'node:assert/strict';
import { CALLS } from '../../../src/translator/calls.ts';
import type { Instruction } from '../../../src/translator/decode.ts';
import { decode, OPCODE_MAPS, parseEncoding } from '../../../src/translator/decode.ts';
import { ROWS } from '../../../src/translator/instructions/index.ts';
import { Builder } from '../../../src/translator/ir/builder.ts';
import type { MemoryModel, Operand, Value } from '../../../src/translator/ir/value.ts';
import { ARITHMETIC_FLAGS, S } from '../../../src/translator/state.ts';

/** An instruction of every row, opcode, operand and address size, with register and memory operand where it takes both. */
function* instructions(): Generator<Instruction> {
  for (const row of ROWS) {
    if (row.code === '') continue;
    const { prefix, table, opcode, count, modrm } = parseEncoding(row);
    const places = modrm
      ? [modrm.find((place) => place < 8), modrm.find((place) => place >= 8)].filter((place) => place !== undefined)
      : [-1];
    for (const place of places) {
      for (const sizes of [[], [0x66], [0x67], [0x66, 0x67]]) {
        for (const repeat of row.string ? [0, 0xf2, 0xf3] : [prefix]) {
          const second = place < 0 ? [] : [place < 8 ? place * 8 + 3 : place + 0xb8];
          if (sizes.includes(0x66) && table === 'np') continue;
          const code = [
            ...sizes,
            ...(repeat && !sizes.includes(repeat) ? [repeat] : []),
            ...OPCODE_MAPS[opcode >> 8]!,
            (opcode + count - 1) & 0xff,
            ...second,
          ];
          const i = decode((index) => code[index] ?? 3, 0, true);
          assert.equal(i.row, row);
          yield i;
        }
      }
    }
  }
}

const MODELS: readonly MemoryModel[] = [
  { flat: () => true, stackMask: -1 },
  { flat: () => false, stackMask: 0xffff },
  { flat: () => false, stackMask: undefined },
];
/** Operands as the interpreter's handlers have them: what varies is the text of a record field. */
function symbolic(o: Operand, n: number): Operand {
  if (o.kind === 'mem') return { kind: 'mem', w: o.w, seg: `c[${n}]`, bytes: o.bytes };
  if (o.kind === 'vector') return { ...o, word: `c[${n}]` };
  return o.kind === 'imm' ? { ...o, value: `c[${n}]` } : { ...o, n: `c[${n}]` };
}
function* meanings(): Generator<[Instruction, readonly Value[]]> {
  for (const i of instructions()) {
    for (const model of MODELS) {
      for (const operands of [i.operands, i.operands.map(symbolic)]) {
        const b = new Builder(model),
          [d, s, t] = operands;
        i.row.meaning(b, i, d!, s!, t!);
        yield [i, b.ops];
      }
    }
  }
}

/** The same text for values computed in the same way. */
function shape(v: Value | undefined): string {
  return v ? `${v.op}.${v.k}.${v.w}(${[v.a, v.b, v.c].map(shape).join()})` : '';
}
/** Calls that change nothing the processor can see, and the one that cannot fault. */
const HARMLESS = new Set<unknown>([
  'protectedOnly',
  'supervisorOnly',
  'flagsForPush',
  'storeLdtr',
  'storeTr',
  'verifyRead',
  'verifyWrite',
  'loadAccessRights',
  'loadSegmentLimit',
  'readControl',
  'readDebug',
  'checkPort',
  'mayStoreTables',
]);
const NEVER_FAULTS = new Set<unknown>(['shadowSs']);

const ofElements = (v: Value | undefined): boolean => v !== undefined && (v.op === 'elements' || [v.a, v.b, v.c].some(ofElements));

/** The first op that could fault although something has already changed. */
function misplaced(ops: readonly Value[]): Value | undefined {
  const checked = new Set<string>();
  let changed = false,
    raises = -1;
  for (const [n, v] of ops.entries()) {
    const place = `${v.seg} ${shape(v.a)}`;
    switch (v.op) {
      case 'setState':
      case 'loadWords':
        if (v.op === 'loadWords' && changed) return v;
        if (v.k !== S.OPERAND) changed = true; // scratch
        break;
      case 'setGpr':
        // Iterations done at once are whole instructions before this one.
        if (!ofElements(v)) changed = true;
        break;
      case 'flags':
        changed = true;
        break;
      case 'vector':
        // One that raises has changed nothing then: what is asked after it is whether it has.
        if (ops.some((after) => after.op === 'ne' && after.a === v)) {
          if (changed) return v;
          raises = ops.findLastIndex((after) => after.op === 'raiseIf');
        }
        if (v.a!.k !== S.ZERO) changed = true;
        break;
      case 'storeWords':
        if (changed) return v;
        changed = true;
        break;
      case 'raise':
      case 'raiseIf':
        if (changed && n > raises) return v;
        break;
      case 'load':
      case 'probe':
      case 'modify':
        if (changed && !checked.has(`${v.op} ${place}`)) return v;
        checked.add(`${v.op} ${place}`);
        break;
      case 'store':
        if (changed && !checked.has(`probe ${place}`)) return v;
        changed = true;
        break;
      case 'call':
        if (changed && !NEVER_FAULTS.has(v.k)) return v;
        if (!HARMLESS.has(v.k)) changed = true;
    }
  }
  return undefined;
}

describe('instruction meanings', () => {
  it('must do everything that can fault before anything changes', () => {
    let told = 0;
    for (const [i, ops] of meanings()) {
      told++;
      const at = misplaced(ops);
      assert.equal(at, undefined, `${i.row.name} ${i.row.code}: ${at?.op} ${at?.k} comes too late`);
    }
    assert.ok(told > 8000, `${told}`);
  });

  it('must notice an op that comes too late', () => {
    const b = new Builder(MODELS[0]!),
      offset = b.gpr(3);
    b.setGpr(0, b.imm(1));
    b.load(3, offset, 32);
    assert.equal(misplaced(b.ops)?.op, 'load');
    const stores = new Builder(MODELS[0]!);
    stores.push(stores.imm(1), 32);
    stores.store(3, stores.gpr(3), stores.imm(1), 32);
    assert.equal(misplaced(stores.ops)?.op, 'store');
  });

  it('must declare what depends on operand and address size', () => {
    const told = (i: Instruction, w: 16 | 32, address: 16 | 32): string => {
      const b = new Builder(MODELS[2]!),
        [d, s, t] = i.operands;
      i.row.meaning(b, { ...i, w, address }, d!, s!, t!);
      return b.ops.map((v) => `${v.seg}${shape(v)}`).join(';');
    };
    for (const i of instructions()) {
      const { row } = i,
        shows = row.operands.some((code) => /^(?:eAX|.[vz]|Ibs|M[pas])$/.test(code)),
        memory = i.operands.some((o) => o.kind === 'mem');
      if (!row.operandSized && !shows)
        assert.equal(told(i, 16, i.address), told(i, 32, i.address), `${row.name} ${row.code}: operandSized`);
      if (!row.addressSized && !memory) assert.equal(told(i, i.w, 16), told(i, i.w, 32), `${row.name} ${row.code}: addressSized`);
    }
  });

  it('must say that nothing follows exactly where EIP is set without condition', () => {
    for (const [i, ops] of meanings()) {
      let depth = 0,
        leaves = false;
      for (const v of ops) {
        if (v.op === 'if') depth++;
        else if (v.op === 'end') depth--;
        else if (depth === 0 && (v.op === 'jump' || v.op === 'raise' || (v.op === 'call' && CALLS[v.k as keyof typeof CALLS].transfers)))
          leaves = true;
      }
      assert.equal(leaves, i.row.transfers === true, `${i.row.name} ${i.row.code}`);
    }
  });

  it('must use every runtime function', () => {
    const used = new Set<unknown>();
    for (const [, ops] of meanings()) for (const v of ops) if (v.op === 'call') used.add(v.k);
    assert.deepEqual(
      Object.keys(CALLS).filter((name) => !used.has(name)),
      [],
    );
  });

  it('must leave only arithmetic flags undefined', () => {
    for (const row of ROWS) {
      for (const w of [8, 16, 32]) {
        for (const count of [0, 1, 2, 8, 16, 17, 31, 33]) {
          const mask = typeof row.undefined === 'function' ? row.undefined(w, count) : (row.undefined ?? 0);
          assert.equal(mask & ~ARITHMETIC_FLAGS, 0, row.name);
        }
      }
    }
  });
});
