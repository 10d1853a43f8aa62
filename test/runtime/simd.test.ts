// What user-mode vectors cannot show of MMX and SSE: control registers that withhold them, faults of memory operands, the image of
// FXSAVE, approximations (SDM volume 3, "System Programming for Instruction Set Extensions and Processor Extended States").

import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { decodeIn } from '../../src/translator/decode.ts';
import { FEATURES, type Feature } from '../../src/translator/features.ts';
import { INVALID, NOT_AVAILABLE, ROWS } from '../../src/translator/instructions/index.ts';
import { MODE } from '../../src/translator/mode.ts';
import { VECTOR } from '../../src/translator/state.ts';
import { isSimd } from '../native/simdCases.ts';
import { emptyHost } from '../support/emptyHost.ts';
import { encodeRow } from '../support/encode.ts';
import { seeded } from '../support/random.ts';

const MIB = 1 << 20;
const CODE = 0x1000,
  DATA = 0x4000,
  HANDLERS = 0x8000;
const CR0 = { MP: 2, EM: 4, TS: 8, NE: 0x20 } as const,
  CR4 = { OSFXSR: 0x200, OSXMMEXCPT: 0x400 } as const;
const host: CpuHost = { ...emptyHost, mmioRead: () => 0x5a5a5a5a };
const processor = createProcessor({ arenaBytes: 4 * MIB });

describe('MMX and SSE', () => {
  for (const tier of ['interpret', 'translate'] as const) {
    describe(tier === 'interpret' ? 'interpreted' : 'translated', () => {
      let cpu: Cpu;
      /** Real mode, every vector with a handler of its own. */
      beforeEach(() => {
        cpu = processor.createCpu({ host, offset: 0, bytes: MIB, tier });
        cpu.reset();
        for (const segment of ['cs', 'ds', 'es', 'ss']) {
          cpu.set(segment, 0);
          cpu.set(`${segment}_base`, 0);
        }
        cpu.set('cr0', CR0.NE);
        cpu.set('cr4', CR4.OSFXSR | CR4.OSXMMEXCPT);
        cpu.set('esp', 0x3000);
        const vectors = new DataView(new ArrayBuffer(0x80));
        for (let n = 0; n < 0x20; n++) vectors.setUint32(4 * n, HANDLERS + 16 * n, true);
        cpu.writePhysical(0, new Uint8Array(vectors.buffer));
      });
      afterEach(() => cpu.dispose());

      /** Runs one instruction of 16-bit code; the vector of the exception that it raised, or undefined. */
      function run(code: string): number | undefined {
        const bytes = Uint8Array.from(code.split(' '), (byte) => Number.parseInt(byte, 16));
        cpu.writePhysical(CODE, bytes);
        cpu.set('eip', CODE);
        cpu.run(1);
        const eip = Number(cpu.get('eip'));
        if (eip === CODE + bytes.length) return undefined;
        assert.ok(eip >= HANDLERS && eip < HANDLERS + 0x200, `${code}: eip ${eip.toString(16)}`);
        return (eip - HANDLERS) / 16;
      }
      function fill(address: number, words: readonly number[]): void {
        const view = new DataView(new ArrayBuffer(4 * words.length));
        words.forEach((word, n) => {
          view.setUint32(4 * n, word, true);
        });
        cpu.writePhysical(address, new Uint8Array(view.buffer));
      }
      function words(address: number, count: number): number[] {
        const bytes = cpu.readPhysical(address, 4 * count),
          view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        return Array.from({ length: count }, (_, n) => view.getUint32(4 * n, true));
      }

      const ADDPS = '0f 58 ca',
        PADDB = '0f fc ca',
        FXSAVE = '0f ae 06 00 40',
        FXRSTOR = '0f ae 0e 00 40',
        LFENCE = '0f ae e8',
        MOVNTI = '0f c3 06 00 40';
      it('need CR4.OSFXSR for XMM registers, not for MMX, fences and FXSAVE', () => {
        cpu.set('cr4', 0);
        assert.equal(run(ADDPS), VECTOR.UD);
        assert.equal(run('0f ae 1e 00 40'), VECTOR.UD);
        assert.equal(run(PADDB), undefined);
        assert.equal(run(LFENCE), undefined);
        assert.equal(run(FXSAVE), undefined);
      });
      it('raise #NM while CR0.TS is set, and #UD with CR0.EM', () => {
        cpu.set('cr0', CR0.NE | CR0.TS);
        for (const code of [ADDPS, PADDB, FXSAVE, FXRSTOR, '0f ae 1e 00 40', '0f 77']) assert.equal(run(code), VECTOR.NM, code);
        cpu.set('cr0', CR0.NE | CR0.EM | CR0.TS);
        for (const code of [ADDPS, PADDB, '0f ae 1e 00 40', '0f 77']) assert.equal(run(code), VECTOR.UD, code);
        for (const code of [FXSAVE, FXRSTOR]) assert.equal(run(code), VECTOR.NM, code);
        assert.equal(run(LFENCE), undefined);
        assert.equal(run('0f 18 06 00 40'), undefined);
      });
      it('raise #XM for an unmasked exception, #UD where CR4.OSXMMEXCPT is clear, and leave the operands', () => {
        cpu.set('xmm1', '3f8000003f8000003f8000003f800000');
        cpu.set('xmm2', '00000000000000000000000000000000');
        cpu.set('mxcsr', 0x1d80);
        assert.equal(run('0f 5e ca'), VECTOR.XM);
        assert.equal(cpu.get('mxcsr'), 0x1d84);
        assert.equal(cpu.get('xmm1'), '3f8000003f8000003f8000003f800000');
        cpu.set('cr4', CR4.OSFXSR);
        assert.equal(run('0f 5e ca'), VECTOR.UD);
        cpu.set('mxcsr', 0x1f80);
        assert.equal(run('0f 5e ca'), undefined);
        assert.equal(cpu.get('xmm1'), '7f8000007f8000007f8000007f800000');
      });
      it('report an x87 exception that waits before an MMX instruction, when CR0.NE lets it be one', () => {
        cpu.set('fctrl', 0x37e);
        cpu.set('fstat', 0x8081);
        assert.equal(run(PADDB), VECTOR.MF);
        cpu.set('cr0', 0);
        assert.equal(run(PADDB), undefined);
        assert.equal(run(ADDPS), undefined);
      });
      it('want 16-byte operands aligned, but those of unaligned moves', () => {
        assert.equal(run('0f 28 0e 08 40'), VECTOR.GP);
        assert.equal(run('0f 58 0e 08 40'), VECTOR.GP);
        assert.equal(run('0f 29 0e 04 40'), VECTOR.GP);
        assert.equal(run('0f ae 06 08 40'), VECTOR.GP);
        assert.equal(run('0f 10 0e 07 40'), undefined);
        assert.equal(run('0f 11 0e 07 40'), undefined);
        assert.equal(run('f3 0f 58 0e 07 40'), undefined);
      });
      it('aligned by the linear address, not the offset', () => {
        cpu.set('ds_base', 8);
        assert.equal(run('0f 28 0e 08 40'), undefined);
        assert.equal(run('0f 28 0e 00 40'), VECTOR.GP);
      });
      it('move 16 bytes across a page, to and from a device, and nothing when a part is out of reach', () => {
        fill(DATA + 0xff8, [1, 2, 3, 4]);
        assert.equal(run('0f 10 0e f8 4f'), undefined);
        assert.equal(cpu.get('xmm1'), '00000004000000030000000200000001');
        assert.equal(run('0f 11 0e f6 5f'), undefined);
        assert.deepEqual(words(0x5ff6, 4), [1, 2, 3, 4]);
        cpu.set('ds_base', 0xa0000);
        assert.equal(run('0f 10 16 00 00'), undefined);
        assert.equal(cpu.get('xmm2'), '5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a');
        cpu.set('ds_base', 0);
        cpu.set('ds_limit', 0x5fff);
        const before = words(0x5ff0, 8);
        assert.equal(run('0f 11 0e f4 5f'), VECTOR.GP);
        assert.deepEqual(words(0x5ff0, 8), before);
      });
      it('refuse reserved bits of MXCSR', () => {
        fill(DATA, [0x10000]);
        assert.equal(run('0f ae 16 00 40'), VECTOR.GP);
        fill(DATA, [0xffff]);
        assert.equal(run('0f ae 16 00 40'), undefined);
        assert.equal(cpu.get('mxcsr'), 0xffff);
        fill(DATA + 24, [0x10000]);
        assert.equal(run(FXRSTOR), VECTOR.GP);
      });
      it('save and restore both register files in the layout of FXSAVE', () => {
        cpu.set('fctrl', 0x27f);
        cpu.set('fstat', 0x3800);
        cpu.set('ftag', 0x80);
        cpu.set('fop', 0x123);
        cpu.set('fioff', 0x11223344);
        cpu.set('r7', '40008000000000000001');
        cpu.set('xmm7', '00112233445566778899aabbccddeeff');
        cpu.set('mxcsr', 0x1fa0);
        fill(DATA, new Array(128).fill(0xeeeeeeee));
        assert.equal(run(FXSAVE), undefined);
        const image = words(DATA, 128);
        assert.deepEqual(image.slice(0, 3), [0x3800027f, 0x01230080, 0x11223344]);
        assert.deepEqual(image.slice(6, 8), [0x1fa0, 0xffff]);
        assert.deepEqual(image.slice(8, 12), [1, 0x80000000, 0x4000, 0]);
        assert.deepEqual(image.slice(68, 72), [0xccddeeff, 0x8899aabb, 0x44556677, 0x00112233]);
        assert.deepEqual(image.slice(72), new Array(56).fill(0xeeeeeeee));
        const registers = ['fctrl', 'fstat', 'ftag', 'fop', 'fioff', 'r7', 'xmm7', 'mxcsr'];
        const saved = registers.map((name) => cpu.get(name));
        for (const [name, value] of [
          ['fctrl', 0x37f],
          ['fstat', 0],
          ['ftag', 0],
          ['r7', '00000000000000000000'],
          ['xmm7', '00000000000000000000000000000000'],
          ['mxcsr', 0x1f80],
        ] as const)
          cpu.set(name, value);
        assert.equal(run(FXRSTOR), undefined);
        assert.deepEqual(
          registers.map((name) => cpu.get(name)),
          saved,
        );
      });
      it('leave XMM registers out of the image until CR4.OSFXSR is set', () => {
        cpu.set('cr4', 0);
        cpu.set('xmm0', '00112233445566778899aabbccddeeff');
        fill(DATA, new Array(128).fill(0));
        assert.equal(run(FXSAVE), undefined);
        assert.deepEqual(words(DATA + 160, 4), [0, 0, 0, 0]);
      });
      it('store a general register with MOVNTI and a byte mask with MASKMOVDQU', () => {
        cpu.set('eax', 0x12345678);
        assert.equal(run(MOVNTI), undefined);
        assert.deepEqual(words(DATA, 1), [0x12345678]);
        cpu.set('xmm0', 'ffeeddccbbaa99887766554433221100');
        cpu.set('xmm1', '80000000000000000000000000008000');
        cpu.set('edi', DATA + 0x100);
        fill(DATA + 0x100, [0, 0, 0, 0]);
        assert.equal(run('66 0f f7 c1'), undefined);
        assert.deepEqual(words(DATA + 0x100, 4), [0x1100, 0, 0, 0xff000000]);
      });
      it('approximate reciprocals within 1.5 * 2^-12', () => {
        const random = seeded(5),
          single = new Float32Array(1),
          bits = new Int32Array(single.buffer);
        const value = (register: string): number => {
          bits[0] = Number.parseInt(String(cpu.get(register)).slice(24), 16);
          return single[0]!;
        };
        for (let n = 0; n < 300; n++) {
          bits[0] = ((random.below(250) + 2) << 23) | random.below(1 << 23);
          const x = single[0]!;
          cpu.set('xmm2', bits[0]!.toString(16).padStart(32, '0'));
          assert.equal(run('f3 0f 53 ca'), undefined);
          assert.equal(run('f3 0f 52 da'), undefined);
          if (1 / x > 2 ** -126) assert.ok(Math.abs(value('xmm1') * x - 1) <= 1.5 * 2 ** -12, `1 / ${x} = ${value('xmm1')}`);
          assert.ok(Math.abs(value('xmm3') * Math.sqrt(x) - 1) <= 1.5 * 2 ** -12, `1 / sqrt(${x}) = ${value('xmm3')}`);
        }
        for (const [operand, reciprocal, root] of [
          ['00000000', '7f800000', '7f800000'],
          ['80000001', 'ff800000', 'ff800000'],
          ['7f800000', '00000000', '00000000'],
          ['bf800000', 'bf800000', 'ffc00000'],
          ['7fa00000', '7fe00000', '7fe00000'],
        ] as const) {
          cpu.set('xmm2', operand.padStart(32, '0'));
          run('f3 0f 53 ca');
          run('f3 0f 52 da');
          assert.equal(String(cpu.get('xmm1')).slice(24), reciprocal, operand);
          assert.equal(String(cpu.get('xmm3')).slice(24), root, operand);
        }
        // A result that would be denormal is zero.
        cpu.set('xmm2', '7f000001'.padStart(32, '0'));
        run('f3 0f 53 ca');
        assert.equal(String(cpu.get('xmm1')).slice(24), '00000000');
        assert.equal(cpu.get('mxcsr'), 0x1f80);
      });
    });
  }

  it('are undefined on a processor without the feature, and ask for the state that they use', () => {
    const random = seeded(3),
      usable = MODE.CODE32 | MODE.OSFXSR,
      all = new Set(Object.keys(FEATURES) as Feature[]);
    for (const row of ROWS) {
      const { feature } = row;
      if (feature === undefined || !isSimd(row)) continue;
      const { bytes } = encodeRow(row, random, { code32: true })!;
      const inMode = (mode: number, features: ReadonlySet<Feature>) => decodeIn((n) => bytes[n] ?? 0, 0, mode, features).row;
      const others = new Set(all);
      others.delete(feature);
      assert.equal(inMode(usable, all), row, row.name);
      assert.equal(inMode(usable, new Set([feature])), row, row.name);
      assert.equal(inMode(usable, others), INVALID, row.name);
      if (row.state) assert.equal(inMode(usable | MODE.NO_FPU, all), NOT_AVAILABLE, row.name);
    }
  });
});
