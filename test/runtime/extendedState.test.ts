// XGETBV, XSETBV, XSAVE and XRSTOR against the SDM (volume 1, "Managing State Using the XSAVE Feature Set").

import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import { cpuModel } from '../../src/runtime/cpuModels.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { VECTOR } from '../../src/translator/state.ts';
import { emptyHost } from '../support/emptyHost.ts';

const MIB = 1 << 20;
const CODE = 0x1000,
  AREA = 0x4000,
  HANDLERS = 0x8000;
const CR0 = { TS: 8, NE: 0x20 } as const,
  CR4 = { OSFXSR: 0x200, OSXSAVE: 0x40000 } as const;
const XGETBV = '0f 01 d0',
  XSETBV = '0f 01 d1',
  XSAVE = '0f ae 26 00 40',
  XRSTOR = '0f ae 2e 00 40';
const X87 = 1,
  SSE = 2,
  BOTH = 3;
const NONE = '00000000000000000000',
  ONE = '3fff8000000000000000',
  ZERO_XMM = '0'.repeat(32),
  SOME_XMM = '00112233445566778899aabbccddeeff';
const HEADER = 512;

const processor = createProcessor({ arenaBytes: 4 * MIB });
const exits: string[] = [];
const host = {
  ...emptyHost,
  exit: (name: string, qualification: number, detail: number) => void exits.push(`${name} ${qualification} ${detail}`),
};

for (const tier of ['interpret', 'translate'] as const) {
  describe(`the XSAVE feature set, ${tier === 'interpret' ? 'interpreted' : 'translated'}`, () => {
    let cpu: Cpu;
    /** Real mode, every vector with a handler of its own. */
    function create(model = 'max'): void {
      cpu = processor.createCpu({ host, offset: 0, bytes: MIB, tier, model: cpuModel(model) });
      cpu.reset();
      for (const segment of ['cs', 'ds', 'es', 'ss']) {
        cpu.set(segment, 0);
        cpu.set(`${segment}_base`, 0);
      }
      cpu.set('cr0', CR0.NE);
      cpu.set('cr4', CR4.OSFXSR | CR4.OSXSAVE);
      cpu.set('esp', 0x3000);
      const vectors = new DataView(new ArrayBuffer(0x80));
      for (let n = 0; n < 0x20; n++) vectors.setUint32(4 * n, HANDLERS + 16 * n, true);
      cpu.writePhysical(0, new Uint8Array(vectors.buffer));
      exits.length = 0;
    }
    beforeEach(() => create());
    afterEach(() => cpu.dispose());

    /** Runs one instruction of 16-bit code; the vector of the exception that it raised, or undefined. */
    function run(code: string, eax = 0, edx = 0, ecx = 0): number | undefined {
      const bytes = Uint8Array.from(code.split(' '), (byte) => Number.parseInt(byte, 16));
      cpu.writePhysical(CODE, bytes);
      cpu.set('eip', CODE);
      cpu.set('eax', eax);
      cpu.set('edx', edx);
      cpu.set('ecx', ecx);
      cpu.run(1);
      const eip = Number(cpu.get('eip'));
      if (eip === CODE + bytes.length) return undefined;
      assert.ok(eip >= HANDLERS && eip < HANDLERS + 0x200, `${code}: eip ${eip.toString(16)}`);
      return (eip - HANDLERS) / 16;
    }
    function enable(components: number): void {
      assert.equal(run(XSETBV, components), undefined);
    }
    const word = (offset: number): number => new DataView(cpu.readPhysical(AREA + offset, 4).slice().buffer).getUint32(0, true);
    function put(offset: number, value: number): void {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value, true);
      cpu.writePhysical(AREA + offset, bytes);
    }
    const clearArea = (byte = 0): void => void cpu.writePhysical(AREA, new Uint8Array(1024).fill(byte));
    /** Both components as after FNINIT and with zeros in every register. */
    function initialise(): void {
      cpu.set('fctrl', 0x37f);
      cpu.set('fstat', 0);
      cpu.set('ftag', 0);
      for (let n = 0; n < 8; n++) {
        cpu.set(`r${n}`, NONE);
        cpu.set(`xmm${n}`, ZERO_XMM);
      }
    }
    function change(): void {
      cpu.set('fctrl', 0x27f);
      cpu.set('fstat', 0x3800);
      cpu.set('ftag', 0x80);
      cpu.set('r7', ONE);
      cpu.set('xmm1', SOME_XMM);
      cpu.set('mxcsr', 0x1fa0);
    }
    const x87 = (): unknown[] => ['fctrl', 'fstat', 'ftag', 'r7'].map((name) => cpu.get(name));

    it('is undefined until CR4.OSXSAVE is set, and on models without it', () => {
      cpu.set('cr4', CR4.OSFXSR);
      for (const code of [XGETBV, XSETBV, XSAVE, XRSTOR]) assert.equal(run(code, BOTH), VECTOR.UD, code);
      cpu.dispose();
      create('n270');
      for (const code of [XGETBV, XSETBV, XSAVE, XRSTOR]) assert.equal(run(code, BOTH), VECTOR.UD, code);
    });

    it('begins with the x87 component alone, and XSETBV takes what there is', () => {
      assert.equal(run(XGETBV, 9, 9), undefined);
      assert.deepEqual([cpu.get('eax'), cpu.get('edx')], [X87, 0]);
      enable(BOTH);
      run(XGETBV);
      assert.equal(cpu.get('eax'), BOTH);
      for (const [eax, edx, ecx] of [
        [2, 0, 0],
        [0, 0, 0],
        [7, 0, 0],
        [3, 1, 0],
        [3, 0, 1],
      ])
        assert.equal(run(XSETBV, eax, edx, ecx), VECTOR.GP);
      assert.equal(run(XGETBV, 0, 0, 1), VECTOR.GP);
      run(XGETBV);
      assert.equal(cpu.get('eax'), BOTH);
      assert.deepEqual(
        exits.filter((text) => text.startsWith('xsetbv')),
        ['xsetbv 0 3'],
      );
    });

    it('faults with #NM by CR0.TS, and with #GP off a 64-byte boundary', () => {
      enable(BOTH);
      for (const code of ['0f ae 26 20 40', '0f ae 2e 10 40']) assert.equal(run(code, BOTH), VECTOR.GP);
      cpu.set('cr0', CR0.NE | CR0.TS);
      for (const code of [XSAVE, XRSTOR, '0f ae 26 20 40']) assert.equal(run(code, BOTH), VECTOR.NM);
    });

    it('saves what is enabled and asked for, and says in the header what is not as after initialisation', () => {
      enable(BOTH);
      initialise();
      clearArea();
      assert.equal(run(XSAVE, BOTH), undefined);
      assert.deepEqual([word(HEADER), word(0), word(24), word(28)], [0, 0x37f, 0x1f80, 0xffff]);
      change();
      for (const [asked, bv] of [
        [X87, X87],
        [SSE, SSE],
        [BOTH, BOTH],
        [0xffffffff, BOTH],
        [0, 0],
      ]) {
        clearArea();
        assert.equal(run(XSAVE, asked), undefined);
        assert.equal(word(HEADER), bv);
        assert.equal(word(0), bv & X87 ? 0x3800027f : 0);
        assert.equal(word(24), bv & SSE ? 0x1fa0 : 0);
        assert.equal(word(176), bv & SSE ? 0xccddeeff : 0);
      }
    });

    it('leaves the bits of the header that were not asked for, and the bytes that belong to nobody', () => {
      enable(BOTH);
      change();
      clearArea(0xee);
      put(HEADER, 0x80000002);
      assert.equal(run(XSAVE, X87), undefined);
      assert.equal(word(HEADER), 0x80000003);
      for (const offset of [24, 160, 288, 400, 508, HEADER + 4, HEADER + 60, HEADER + 64]) assert.equal(word(offset), 0xeeeeeeee);
    });

    it('saves no component that XCR0 has not', () => {
      change();
      clearArea();
      assert.equal(run(XSAVE, BOTH), undefined);
      assert.deepEqual([word(HEADER), word(24), word(160)], [X87, 0, 0]);
    });

    it('restores what it saved', () => {
      enable(BOTH);
      change();
      clearArea();
      run(XSAVE, BOTH);
      const saved = [x87(), cpu.get('xmm1'), cpu.get('mxcsr')];
      initialise();
      cpu.set('mxcsr', 0x1f80);
      assert.equal(run(XRSTOR, BOTH), undefined);
      assert.deepEqual([x87(), cpu.get('xmm1'), cpu.get('mxcsr')], saved);
    });

    it('initialises what the header says was initial, but loads MXCSR', () => {
      enable(BOTH);
      change();
      clearArea();
      run(XSAVE, BOTH);
      put(HEADER, 0);
      put(24, 0x1f00);
      assert.equal(run(XRSTOR, BOTH), undefined);
      assert.deepEqual(x87(), [0x37f, 0, 0, NONE]);
      assert.deepEqual([cpu.get('xmm1'), cpu.get('mxcsr')], [ZERO_XMM, 0x1f00]);
    });

    it('restores only what is asked for', () => {
      enable(BOTH);
      initialise();
      clearArea();
      run(XSAVE, BOTH);
      change();
      const before = x87();
      assert.equal(run(XRSTOR, SSE), undefined);
      assert.deepEqual([x87(), cpu.get('xmm1')], [before, ZERO_XMM]);
      cpu.set('xmm1', SOME_XMM);
      cpu.set('mxcsr', 0x1f80);
      put(24, 0x1fff);
      assert.equal(run(XRSTOR, X87), undefined);
      assert.deepEqual([cpu.get('fctrl'), cpu.get('xmm1'), cpu.get('mxcsr')], [0x37f, SOME_XMM, 0x1f80]);
    });

    it('refuses a header with components that are not enabled, the compacted format, and bits of MXCSR that do not exist', () => {
      enable(BOTH);
      change();
      const before = [x87(), cpu.get('xmm1')];
      for (const [offset, value] of [
        [HEADER, 4],
        [HEADER + 4, 1],
        [HEADER + 8, 1],
        [HEADER + 12, 0x80000000],
        [HEADER + 16, 1],
        [HEADER + 20, 1],
        [24, 0x10000],
      ]) {
        clearArea();
        put(offset, value);
        assert.equal(run(XRSTOR, BOTH), VECTOR.GP, `${offset}`);
        assert.deepEqual([x87(), cpu.get('xmm1')], before);
      }
      clearArea();
      put(HEADER + 24, 1);
      assert.equal(run(XRSTOR, BOTH), undefined);
    });
  });
}
