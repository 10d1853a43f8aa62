// Models by name and what their features mean: instructions that are there or undefined, bits of CR4, in every tier.

import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import { BUILT, CPU_MODELS, cpuModel } from '../../src/runtime/cpuModels.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { FEATURES } from '../../src/translator/features.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import { S, VECTOR } from '../../src/translator/state.ts';
import { emptyHost } from '../support/emptyHost.ts';
import { enterProtectedMode, r, raises, resetTo, system } from './machine.ts';

const MIB = 0x100000;
/** 0:7C00 in real mode; every exception's handler is a HLT of its own: its vector is the offset of where the guest halts. */
function load(cpu: Cpu, code: readonly number[]): void {
  for (let vector = 0; vector < 32; vector++) {
    cpu.writePhysical(4 * vector, Uint8Array.of(vector, 6, 0, 0));
    cpu.writePhysical(0x600 + vector, Uint8Array.of(0xf4));
  }
  cpu.writePhysical(0x7c00, Uint8Array.from(code));
  for (const [name, value] of Object.entries({ cs: 0, cs_base: 0, eip: 0x7c00, esp: 0x7000 })) cpu.set(name, value);
}
/** Vector of the exception that ended it, -1: it came to its own HLT. */
function run(cpu: Cpu): number {
  assert.equal(cpu.run(100_000), 'halt');
  const eip = Number(cpu.get('eip'));
  return eip > 0x600 && eip <= 0x620 ? eip - 0x601 : -1;
}
/** A loop of 3000 rounds around an instruction, then HLT. */
const looped = (...bytes: number[]): number[] => [0xbe, 0xb8, 0x0b, ...bytes, 0x4e, 0x75, 256 - 3 - bytes.length, 0xf4];

describe('processor models', () => {
  it('name family, model and stepping', () => {
    const signatures = Object.keys(CPU_MODELS).map((name) => [name, cpuModel(name).signature.toString(16)]);
    assert.deepEqual(Object.fromEntries(signatures), {
      486: '480',
      pentium: '543',
      pentium3: '683',
      qemu32: '663',
      n270: '106c2',
      max: '106c2',
    });
  });
  it('an unknown model or feature is an error that lists those there are', () => {
    assert.throws(() => cpuModel('nehalem'), /486, pentium, pentium3, qemu32, n270, max/);
    for (const text of ['max,+vmx', 'max,fast', 'max,+cmov=on', 'max,', 'max,+kvm', ',max', '__proto__', 'max,+__proto__'])
      assert.throws(() => cpuModel(text), RangeError, text);
  });
  it('take features and give them away, in every form of QEMU', () => {
    assert.ok(!cpuModel('max,-cmov').has.has('cmov'));
    assert.ok(!cpuModel('max,cmov=off').has.has('cmov'));
    for (const text of ['486,+cmov', '486,cmov=on', '486,cmov']) assert.ok(cpuModel(text).has.has('cmov'), text);
    assert.ok(cpuModel('pentium3,+invtsc').has.has('nonstop_tsc'));
    assert.equal(cpuModel('pentium3,+invtsc').extendedLevel, 0x80000007);
  });
  it("announce KVM's interface unless it is switched off or cannot be used", () => {
    assert.deepEqual(
      ['max', 'max,kvm=off', 'max,-hypervisor', '486', 'max,-msr'].map((text) => cpuModel(text).kvm),
      [true, false, false, false, false],
    );
  });
  it('only what is built is announced, and a row names no feature beyond the table', () => {
    for (const { feature } of ROWS) if (feature) assert.ok(feature in FEATURES && BUILT.has(feature));
    for (const name of Object.keys(CPU_MODELS))
      for (const feature of cpuModel(name).has) assert.ok(BUILT.has(feature), `${name} ${feature}`);
    assert.deepEqual([...cpuModel('max').has].sort(), [...BUILT].sort());
  });
  it('features decide which bits of CR4 can be set', () => {
    for (const [cpu, bits] of [
      ['486', 0],
      ['pentium,-mce', 0x11c],
      ['max,-pge,-pae,-mce', 0x11c],
    ] as const) {
      resetTo(cpu);
      enterProtectedMode();
      for (let bit = 0; bit < 9; bit++) {
        if (bits & (1 << bit)) system.writeControl(4, 1 << bit);
        else raises(() => system.writeControl(4, 1 << bit), VECTOR.GP, 0);
      }
    }
  });
  it('EDX after a reset has the signature', () => {
    resetTo('pentium3');
    assert.equal(r[S.EDX], 0x683);
  });
});

describe('instructions of features', () => {
  const RDTSC = [0x0f, 0x31],
    CMOVZ = [0x0f, 0x44, 0xc3],
    CMPXCHG8B = [0x0f, 0xc7, 0x0e, 0x00, 0x50],
    FCOMI = [0xdb, 0xf1],
    RDMSR = [0xb9, 0x10, 0x00, 0x0f, 0x32],
    NOPW = [0x0f, 0x1f, 0x00],
    RDPMC = [0x0f, 0x33];
  const CASES: [name: string, bytes: number[], feature: string][] = [
    ['RDTSC', RDTSC, 'tsc'],
    ['CMOV', CMOVZ, 'cmov'],
    ['CMPXCHG8B', CMPXCHG8B, 'cx8'],
    ['FCOMI', FCOMI, 'cmov'],
    ['RDMSR', RDMSR, 'msr'],
    ['long NOP', NOPW, 'nopl'],
    ['RDPMC', RDPMC, 'pmc'],
  ];
  for (const tier of ['interpret', 'mixed', 'translate'] as const) {
    it(`${tier}: are undefined without the feature, though another guest of the worker has it`, () => {
      const processor = createProcessor({ arenaBytes: 2 * MIB });
      for (const [name, bytes, feature] of CASES) {
        const rich = processor.createCpu({ host: emptyHost, offset: 0, bytes: MIB, tier, model: cpuModel('max') }),
          poor = processor.createCpu({ host: emptyHost, offset: MIB, bytes: MIB, tier, model: cpuModel(`max,-${feature}`) });
        // RDPMC needs a counter that exists, RDMSR sets CX itself.
        for (const cpu of [rich, poor]) {
          cpu.set('ecx', 0);
          load(cpu, looped(...bytes));
        }
        assert.deepEqual([run(rich), run(poor)], [-1, VECTOR.UD], name);
        assert.equal(poor.get('esi'), 3000, name);
      }
    });
  }
  it('a 486 has CPUID and none of the others', () => {
    const processor = createProcessor({ arenaBytes: MIB });
    const vectors = [[0x0f, 0xa2], ...CASES.map(([, bytes]) => bytes)].map((bytes) => {
      const cpu = processor.createCpu({ host: emptyHost, offset: 0, bytes: MIB, tier: 'mixed', model: cpuModel('486') });
      load(cpu, [...bytes, 0xf4]);
      return run(cpu);
    });
    assert.deepEqual(vectors, [-1, ...CASES.map(() => VECTOR.UD)]);
  });
});
