import assert from 'node:assert/strict';
import type { Instruction } from '../../src/translator/decode.ts';
import { buildTables, decode, OPCODE_MAPS, parseEncoding } from '../../src/translator/decode.ts';
import { format } from '../../src/translator/format.ts';
import { INVALID, ROWS, TOO_LONG } from '../../src/translator/instructions/index.ts';
import { requireTool } from '../support/tools.ts';
import { common, fromAtt, fromIntel, objdump } from './objdump.ts';

const hexBytes = (text: string): number[] => text.split(' ').map((byte) => Number.parseInt(byte, 16));
function decodeHex(text: string, code32 = true): Instruction {
  const bytes = hexBytes(text);
  return decode(
    (index) => {
      if (index >= bytes.length) throw new Error(`byte ${index} is not needed`);
      return bytes[index]!;
    },
    0,
    code32,
  );
}

/** A stream of random instructions, each padded with NOPs so that both decoders meet again. */
function randomCode(seed: number, samples: number): Uint8Array {
  let state = seed;
  const random = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % limit;
  };
  const bytes: number[] = [],
    prefixes = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65];
  for (let n = 0; n < samples; n++) {
    while (random(4) === 0) bytes.push(prefixes[random(prefixes.length)]!);
    if (random(3) === 0) {
      if (random(2) === 0) bytes.push([0x66, 0xf2, 0xf3][random(3)]!);
      bytes.push(0x0f, ...[[], [], [0x38], [0x3a]][random(4)]!);
    }
    for (let k = 0; k < 10; k++) bytes.push(random(256));
    for (let k = 0; k < 15; k++) bytes.push(0x90);
  }
  return Uint8Array.from(bytes);
}

/**
 * Where objdump may see something else, and why. The rest of an instruction's bytes without prefixes is matched.
 *   9b: objdump joins FWAIT to the x87 instruction after it.
 *   d6: SALC is not in its tables; nor are the x87 aliases of D9 D8, DC D0, DD C8, DE D0, DF C8, DF D0.
 *   0f 0d, 0f 1a-1e: NOPs of the Pentium Pro that later became prefetches, MPX, CET.
 *   0f ae e9-ef, f1-f7, f9-ff: the fences, whatever r/m says.
 *   90 behind 66: XCHG of the accumulator with itself.
 *   0f bc, 0f bd, 0f 09 behind F2, F3 or 66: later instructions; the Pentium Pro ignores the prefix.
 */
const SEEN_OTHERWISE = /^(?:9b|d6|d9 d[89a-f]|dc d|dd c[89a-f]|de d[0-7]|df [cd]|0f 0d|0f 1[a-e]|0f bc|0f bd|0f 09|0f ae [ef][1-79-f]|90$)/;
const PREFIX = /^(?:(?:66|67|f[023]|26|2e|36|3e|64|65) )+/;

/** Encodings of known names that are none here: CR1 and CR5-CR7, the 386's test registers, segment registers 6, 7 and CS as destination. */
const NOT_HERE = /[?]|\bcr[1567]\b|\btr[0-7]\b|^mov cs,|\(bad\)/;

/** What LOCK may stand before (SDM volume 2, "LOCK"). */
const LOCKABLE = /^lock (?:add|adc|and|btc|btr|bts|cmpxchg8b|cmpxchg|dec|inc|neg|not|or|sbb|sub|xor|xadd|xchg) [A-Z]+ PTR /;

describe('decoder and disassembler', () => {
  for (const bits of [16, 32] as const) {
    for (const syntax of ['intel', 'att'] as const) {
      it(`must read random bytes as objdump does: ${bits}-bit code, ${syntax} syntax`, function () {
        const program = requireTool(this, 'objdump');
        const code = randomCode(bits * 7919 + syntax.length, syntax === 'intel' ? 8000 : 5000),
          lines = objdump(program, code, bits, syntax);
        const ours = new Set(ROWS.flatMap((row) => row.names ?? [row.name]).map((name) => name.toLowerCase()));
        const simd = new Set(ROWS.filter((row) => row.feature).map((row) => row.name.toLowerCase()));
        const differences: string[] = [];
        let compared = 0,
          refused = 0;
        for (let at = 0; at < code.length; ) {
          const i = decode((index) => code[index] ?? 0x90, at, bits === 32),
            line = lines.get(at);
          const bytes = [...code.subarray(at, at + i.length)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
          at += i.length;
          if (!line) continue;
          const text = format(i, { base: 0, syntax }),
            core = bytes.replace(PREFIX, '');
          const theirs = (syntax === 'intel' ? fromIntel : fromAtt)(line.text, text);
          if (i.row === INVALID) {
            refused++;
            // refused only what objdump refuses, what came after the Pentium Pro, LOCK where illegal, CR1 and CR5-CR7
            const known = ours.has(theirs.split(' ')[0]!) && !NOT_HERE.test(theirs);
            // A repeat prefix that is no part of the encoding, which objdump passes over; the SDM's NP does not allow it.
            if (simd.has(theirs.split(' ')[0]!) && /\brepn?z /.test(line.text)) continue;
            if (syntax === 'intel' && (known || LOCKABLE.test(theirs))) differences.push(`${bytes}: refused, objdump ${line.text}`);
            continue;
          }
          compared++;
          if (/^lock /.test(text) && syntax === 'intel') assert.match(text, LOCKABLE);
          const cut = i.row.operands[0]?.[0] === 'J' && i.w === 16; // objdump lets targets grow beyond 64 KiB
          const expected = cut ? theirs.replace(/0x[0-9a-f]+$/, (target) => `0x${(Number(target) & 0xffff).toString(16)}`) : theirs;
          if ((line.length === i.length && common(text) === expected) || SEEN_OTHERWISE.test(core)) continue;
          differences.push(`${bytes}: ${text} (${i.length}), objdump ${line.text} (${line.length})`);
        }
        assert.deepEqual(differences.slice(0, 20), [], `${differences.length} of ${compared}`);
        assert.ok(compared > 40000 && refused > 300, `${compared} compared, ${refused} refused`);
      });
    }
  }

  it('must fetch bytes in order, none beyond the instruction, and pass a fetch fault on', () => {
    const code = randomCode(1, 400);
    for (const code32 of [false, true]) {
      for (let at = 0; at < code.length; ) {
        const fetched: number[] = [];
        const i = decode((index) => code[fetched.push(index) && index] ?? 0x90, at, code32);
        assert.deepEqual(
          fetched,
          Array.from({ length: i.length }, (_, n) => at + n),
        );
        const missing = at + i.length - 1,
          fault = new Error('page fault');
        const fetch = (index: number): number => {
          if (index === missing) throw fault;
          return code[index]!;
        };
        assert.throws(
          () => decode(fetch, at, code32),
          (error) => error === fault,
        );
        at += i.length;
      }
    }
  });

  it('must refuse more than 15 bytes and accept 15', () => {
    const nop = (prefixes: number): Instruction => decodeHex([...new Array(prefixes).fill('66'), '90'].join(' '));
    assert.equal(nop(14).row.name, 'NOP');
    assert.equal(nop(14).length, 15);
    assert.equal(nop(15).row, TOO_LONG);
    assert.equal(decodeHex('2e 2e 2e 2e 2e 2e 2e 81 84 24 00 00 00 00 01').row, TOO_LONG);
  });

  it('must let the last prefix of a group win', () => {
    assert.equal(format(decodeHex('2e 64 65 8b 00'), { base: 0 }), 'mov eax,DWORD PTR gs:[eax]');
    assert.equal(format(decodeHex('f3 f2 a6'), { base: 0 }), 'repnz cmps BYTE PTR ds:[esi],BYTE PTR es:[edi]');
  });

  it('must use SS for addresses with BP or SP as base', () => {
    for (const [code, seg] of [
      ['8b 45 00', 2],
      ['8b 04 24', 2],
      ['8b 04 28', 3],
      ['8b 44 05 00', 2],
      ['8b 00', 3],
      ['3e 8b 45 00', 3],
    ] as const) {
      const [, source] = decodeHex(code).operands;
      assert.equal(source!.kind === 'mem' && source!.seg, seg, code);
    }
  });

  it('must give relative targets uncut and far pointers as two operands', () => {
    assert.deepEqual(decodeHex('eb fe').operands, [{ kind: 'imm', w: 32, value: 0 }]);
    assert.deepEqual(decodeHex('eb 80', false).operands, [{ kind: 'imm', w: 16, value: -126 }]);
    assert.deepEqual(decodeHex('ea 34 12 00 f0', false).operands, [
      { kind: 'imm', w: 16, value: 0x1234 },
      { kind: 'imm', w: 16, value: 0xf000 },
    ]);
  });

  it('must address POP to memory by the incremented stack pointer and print what was written', () => {
    const i = decodeHex('8f 44 24 08');
    assert.equal(i.operands[0]!.kind === 'mem' && i.operands[0].address!.disp, 12);
    assert.equal(format(i, { base: 0 }), 'pop DWORD PTR [esp+0x8]');
  });
});

describe('instruction table', () => {
  const coded = ROWS.filter((row) => row.code !== '');

  it('must number its rows', () => {
    for (const [n, row] of ROWS.entries()) assert.equal(row.id, n);
  });

  it('must reach every row by its encoding', () => {
    for (const row of coded) {
      const { prefix, opcode, count, modrm } = parseEncoding(row);
      const head = [...(prefix ? [prefix] : []), ...OPCODE_MAPS[opcode >> 8]!];
      let reached = 0,
        tried = 0;
      for (let n = opcode; n < opcode + count; n++) {
        for (const place of modrm ?? [-1]) {
          const bytes = [...head, n & 0xff, ...(place < 0 ? [] : [place < 8 ? place * 8 : place + 0xb8])];
          const { row: found } = decode((index) => bytes[index] ?? 0, 0, true);
          tried++;
          if (found === row) reached++;
        }
      }
      // 90 is NOP's own
      assert.equal(reached, row.code === '90+r' ? tried - 1 : tried, `${row.name} ${row.code}`);
    }
  });

  it('must refuse rows that claim the same bytes, and encodings that are none', () => {
    const [add] = coded;
    const other = (code: string, operands: string[] = []) => ({ ...add!, code, operands });
    assert.ok(buildTables(ROWS));
    for (const code of ['f4', '0f 31', '50+r', '70+cc', '80 /0', '0f 01 c1', 'd8 c1', 'f3 90', '88']) {
      assert.throws(() => buildTables([...ROWS, other(code)]), /overlaps/, code);
    }
    assert.throws(() => buildTables([other('d8 /r', ['Md']), other('d8 /3', ['Md'])]), /overlaps/);
    assert.doesNotThrow(() => buildTables([other('8c /r', ['Mw']), other('8c /r', ['Rv'])]));
    for (const code of ['zz', '80 /8', '0f', '66 /r', '00 01']) assert.throws(() => buildTables([other(code)]), /not understood/, code);
  });
});
