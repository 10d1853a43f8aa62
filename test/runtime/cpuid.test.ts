// Leaves of CPUID against the SDM (volume 2, CPUID).

import assert from 'node:assert/strict';
import { type CpuidState, cpuidLeaf } from '../../src/runtime/cpuid.ts';
import { CPU_MODELS, cpuModel } from '../../src/runtime/cpuModels.ts';

const text = (...words: number[]): string =>
  words
    .map((w) => String.fromCharCode(w & 255, (w >> 8) & 255, (w >> 16) & 255, w >>> 24))
    .join('')
    .replace(/\0+$/, '');
const STATE: CpuidState = { osxsave: false, apic: true };
const leaf = (cpu: string, number: number, subleaf = 0, state = STATE) => cpuidLeaf(cpuModel(cpu), number, subleaf, state);

describe('CPUID', () => {
  it('gives vendor, highest leaf and signature of every model', () => {
    for (const cpu of Object.keys(CPU_MODELS)) {
      const [highest, b, c, d] = leaf(cpu, 0);
      assert.equal(highest, cpuModel(cpu).level);
      assert.equal(text(b, d, c), 'GenuineIntel');
      assert.equal(leaf(cpu, 1)[0], cpuModel(cpu).signature);
    }
  });
  it('has the features at their bits', () => {
    assert.deepEqual(leaf('486', 1), [0x480, 0, 1 << 31, 1]);
    const [, , , edx] = leaf('pentium3', 1);
    // FPU, DE, PSE, TSC, MSR, CX8, SEP, PGE, CMOV.
    assert.equal(edx & 0xa93d, 0xa93d);
    assert.equal(leaf('max,-nonstop_tsc', 0x80000007)[3], 0);
    assert.equal(leaf('max', 0x80000007)[3], 1 << 8);
  });
  it('shows CR4.OSXSAVE, and no APIC while that is switched off', () => {
    const [, , ecx, edx] = leaf('max', 1),
      [, , ecxEnabled, edxOff] = leaf('max', 1, 0, { osxsave: true, apic: false });
    assert.deepEqual([ecx ^ ecxEnabled, edx ^ edxOff], [1 << 27, 1 << 9]);
    assert.equal(ecx & (1 << 26), 1 << 26);
  });
  it('leaf 0Dh gives the components that XSAVE can save and the size of their area', () => {
    assert.deepEqual(leaf('max', 13), [3, 576, 576, 0]);
    assert.deepEqual(leaf('max', 13, 1), [0, 0, 0, 0]);
    assert.deepEqual(leaf('max', 13, 2), [0, 0, 0, 0]);
    assert.deepEqual(leaf('n270,+xsave', 13), [3, 576, 576, 0]);
    assert.deepEqual(leaf('n270', 13), leaf('n270', 10));
  });
  it("above the highest leaf gives the highest basic leaf's data", () => {
    assert.deepEqual(leaf('pentium', 2), leaf('pentium', 1));
    assert.deepEqual(leaf('486', 0x80000000), leaf('486', 1));
    assert.deepEqual(leaf('n270', 0x80000009), leaf('n270', 10));
    assert.deepEqual(leaf('n270,-hypervisor', 0x40000000), leaf('n270', 10));
  });
  it('leaf 2 counts one call and has no byte twice', () => {
    const words = leaf('pentium3', 2);
    const bytes = words.flatMap((w) => [w & 255, (w >> 8) & 255, (w >> 16) & 255, w >>> 24]);
    assert.deepEqual(bytes.slice(0, 8), [1, 0x01, 0x02, 0x03, 0x08, 0x04, 0x0c, 0x82]);
    assert.ok(bytes.slice(8).every((byte) => byte === 0));
  });
  it('leaf 4 describes the caches by sub-leaf, leaf 80000006h the second level', () => {
    const size = (n: number): number => {
      const [, ebx, ecx] = leaf('n270', 4, n);
      return ((ebx & 0xfff) + 1) * ((ebx >>> 22) + 1) * (ecx + 1);
    };
    assert.deepEqual(
      [0, 1, 2].map((n) => [leaf('n270', 4, n)[0] & 31, size(n)]),
      [
        [1, 24 << 10],
        [2, 32 << 10],
        [3, 512 << 10],
      ],
    );
    assert.deepEqual(leaf('n270', 4, 3), [0, 0, 0, 0]);
    assert.deepEqual(leaf('n270', 0x80000006), [0, 0, 0x2006040, 0]);
  });
  it('has brand string and address sizes where the model has extended leaves', () => {
    assert.equal(leaf('qemu32', 0x80000000)[0] >>> 0, 0x80000004);
    assert.equal(text(...[2, 3, 4].flatMap((n) => leaf('qemu32', 0x80000000 + n))), 'QEMU Virtual CPU version 2.5+');
    assert.equal(leaf('n270', 0x80000008)[0], 0x2024);
    for (const [cpu, { brand }] of Object.entries(CPU_MODELS)) assert.ok(brand.length < 48, cpu);
  });
  it("names the hypervisor at 40000000h when KVM's interface is off", () => {
    const [, ...name] = leaf('max,kvm=off', 0x40000000);
    assert.equal(text(...name), 'CP/86CP/86CP');
  });
});
