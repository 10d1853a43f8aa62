// What is done at once against what is done with all care: the same instruction on the same state, both ways.

import assert from 'node:assert/strict';
import { createFpu } from '../../../src/runtime/fpu/index.ts';
import { ROWS } from '../../../src/translator/instructions/index.ts';
import { DS, S } from '../../../src/translator/state.ts';
import { seeded } from '../../support/random.ts';
import { engine, r, reset } from '../machine.ts';

const AT = 0x1000,
  EIP = 0x7c00,
  ROUNDS = 500;
const fpu = createFpu(engine);
const random = seeded(386);

/** Registers near 1 with bits that make ties, and now and then something else. */
function fillRegisters(): void {
  const near = random.below(4) ? 0x3fff : random.pick([0x3c01, 0x3f81, 0x43fe, 0x407e, 1, 0x7ffe]);
  for (let n = 0; n < 8; n++) {
    const word = S.FPU_R0 + 4 * n,
      kind = random.below(12);
    r[word] = random.pick([random.word(), 0, -1, 0x400, 0xc00, random.word() & ~0x7ff, random.word() | 0x7ff, -0x80000000]);
    r[word + 1] = random.pick([random.word(), 0, -1, 0x80, random.word() & ~0xff]) | (kind === 0 ? 0 : 0x80000000);
    const exponent = kind === 1 ? random.pick([0, 0x7fff]) : near + random.below(kind < 4 ? 140 : 8) - (kind < 4 ? 70 : 4);
    r[word + 2] = (random.below(2) << 15) | Math.max(0, Math.min(0x7fff, exponent));
    if (random.below(10) === 0) r[word] = r[word + 1] = r[word + 2] = 0;
  }
  r[S.FPU_TAGS] = random.below(4) ? 0xff ^ (1 << random.below(8)) : random.word() & 0xff;
  r[S.FPU_STATUS] = (random.below(8) << 11) | (random.word() & 0x4700);
  r[S.FPU_CONTROL] = 0x40 | (random.below(4) ? 0x3f : 0x20 | (random.word() & 0x3f)) | (random.below(3) ? 0x300 : random.below(16) << 8);
  r[S.SECOND] = 0;
}
function fillMemory(): void {
  const view = new DataView(engine.u8.buffer, engine.memory.offset + AT),
    exponent = random.pick([0, 1, 0x7ff, 1023 + random.below(9) - 4]);
  view.setInt32(0, random.pick([random.word(), 0, -1]), true);
  view.setInt32(4, (random.below(2) << 31) | (exponent << 20) | (random.below(8) ? random.word() & 0xfffff : 0), true);
  if (random.below(3) === 0)
    view.setInt32(0, (random.below(2) << 31) | (random.pick([0, 1, 0xff, 120 + random.below(12)]) << 23) | random.below(1 << 20), true);
  view.setInt16(8, 0x3fff, true);
}
/** Words that the instruction may change, and memory. */
const outcome = (): unknown => [
  [...r.subarray(S.FPU_CONTROL, S.FPU_R0 + 32)],
  [...engine.u8.subarray(engine.memory.offset + AT, engine.memory.offset + AT + 16)],
];

/** What the escape call gets of each row with no call in its meaning: low bits of the opcode and ModRM byte. */
const forms = new Map<string, number[]>();
for (const { name, code } of ROWS) {
  const [first, second] = code.split(' '),
    low = (Number.parseInt(first!, 16) & 7) << 8;
  if (!/^d[89a-f]$/.test(first!) || /^F(N[CDEIS]|CMOV|LDCW|LDENV|RSTOR|NS)/.test(name)) continue;
  const numbers = second!.startsWith('/')
    ? [low | (Number(second![1]) << 3) | 5]
    : Array.from({ length: second!.endsWith('+i') ? 8 : 1 }, (_, i) => low | (Number.parseInt(second!, 16) + i));
  forms.set(name, [...(forms.get(name) ?? []), ...numbers]);
}

describe('x87 instructions done at once', () => {
  let done = 0,
    tried = 0;
  for (const [name, opcodes] of forms) {
    it(`${name}: as with all care`, () => {
      reset();
      r[S.CR0]! |= 0x20;
      r[S.EIP] = EIP;
      // Into the TLB.
      engine.W32(AT, 0);
      engine.R32(AT);
      for (let n = 0; n < ROUNDS; n++) {
        const opcode = random.pick(opcodes),
          inMemory = (opcode & 0xc0) !== 0xc0;
        fillRegisters();
        fillMemory();
        const state = r.slice(),
          memory = engine.u8.slice(engine.memory.offset + AT, engine.memory.offset + AT + 16);
        const context = `${opcode.toString(16)} control ${r[S.FPU_CONTROL]!.toString(16)} status ${r[S.FPU_STATUS]!.toString(16)} tags ${r[S.FPU_TAGS]!.toString(16)} ${outcome()}`;
        tried++;
        if (!fpu.attempt(opcode, inMemory ? AT : 0, EIP, inMemory ? DS : -1)) {
          assert.deepEqual(r, state, `nothing changes: ${context}`);
          continue;
        }
        done++;
        const flags = r[S.SECOND]!,
          ours = outcome();
        r.set(state);
        engine.u8.set(memory, engine.memory.offset + AT);
        fpu.escape(opcode, inMemory ? DS : -1, inMemory ? AT : 0, 32);
        assert.deepEqual(ours, outcome(), context);
        if (/COMI/.test(name)) assert.equal(flags, engine.getFlags() & 0x8d5, context);
      }
    });
  }
  it('are most of them', () => assert.ok(done > tried / 2, `${done} of ${tried}`));

  it('are left alone while an exception waits, after CLTS has not come, and where memory is out of reach', () => {
    reset();
    r[S.FPU_TAGS] = 0;
    r[S.FPU_CONTROL] = 0x37f;
    const FLD1 = 0x1e8,
      FLD = 0x505;
    assert.ok(fpu.attempt(FLD1, 0, EIP, -1));
    r[S.FPU_STATUS]! |= 0x80;
    assert.ok(!fpu.attempt(FLD1, 0, EIP, -1));
    r[S.FPU_STATUS]! &= ~0x80;
    r[S.CR0]! |= 8;
    assert.ok(!fpu.attempt(FLD1, 0, EIP, -1));
    r[S.CR0]! &= ~8;
    engine.R32(AT);
    assert.ok(fpu.attempt(FLD, AT, EIP, DS));
    assert.ok(!fpu.attempt(FLD, AT + 0xffc, EIP, DS), 'across the page');
    assert.ok(!fpu.attempt(FLD, AT + 0x5000, EIP, DS), 'not in the TLB');
  });
});
