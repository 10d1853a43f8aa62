import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { flatMode } from '../../src/vmm/boot/registers.ts';
import { emptyHost } from '../support/emptyHost.ts';

const MIB = 1 << 20,
  FIRST = MIB,
  MEMORY = 64 * MIB;
/** What the cache of one guest may take. */
const MOST_BYTES = 256 * MIB;

describe('code cache', () => {
  const processor = createProcessor({ arenaBytes: MEMORY });
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

  /** A guest whose every page from FIRST on counts in ECX and goes to the next; the last one to the first. */
  function everywhere(tier: 'interpret' | 'mixed' | 'translate'): Cpu {
    const cpu = processor.createCpu({ host: emptyHost, offset: 0, bytes: MEMORY, tier });
    for (let at = FIRST; at < MEMORY; at += 4096) {
      const next = at + 4096 < MEMORY ? at + 4096 : FIRST;
      cpu.memory.writeBytes(at, Uint8Array.of(0x41, 0xb8, ...word(next), 0xff, 0xe0)); // inc ecx; mov eax, next; jmp eax
    }
    for (const [name, value] of Object.entries(flatMode(FIRST, 8, 16, 0))) cpu.set(name, value);
    return cpu;
  }

  for (const tier of ['interpret', 'translate'] as const) {
    it(`forgets pages when a guest runs code everywhere, and goes on running it, tier ${tier}`, () => {
      const cpu = everywhere(tier),
        pages = (MEMORY - FIRST) / 4096;
      let most = 0;
      for (let n = 1; n <= 8; n++) {
        assert.equal(cpu.run((3 * pages) / 8), 'budget');
        most = Math.max(most, cpu.stats().bytes);
      }
      assert.equal(cpu.get('ecx'), pages);
      assert.equal(cpu.get('eip'), FIRST);
      assert.ok(cpu.stats().forgottenPages > 0, JSON.stringify(cpu.stats()));
      assert.ok(most <= MOST_BYTES * 1.01, `${most} bytes`);
      assert.ok(cpu.stats().pages < pages);
      cpu.run(3 * pages);
      assert.equal(cpu.get('ecx'), 2 * pages);
    });
  }

  it('notices a write to code that it has forgotten and decoded again', () => {
    const cpu = everywhere('mixed'),
      pages = (MEMORY - FIRST) / 4096;
    cpu.run(3 * pages);
    cpu.writePhysical(FIRST, Uint8Array.of(0x49)); // dec ecx
    cpu.writePhysical(MEMORY - 4096, Uint8Array.of(0x49));
    cpu.run(3 * pages);
    assert.equal(cpu.get('ecx'), 2 * pages - 4);
  });

  describe('code that is patched', () => {
    const PATCHED = FIRST + 0x20,
      PATCHES = 20,
      ROUND = 6;
    /** A loop that stores its counter in the operand of an instruction of its own, so many times, and adds the operand to EDX. */
    function patching(tier: 'interpret' | 'mixed'): Cpu {
      const cpu = processor.createCpu({ host: emptyHost, offset: 0, bytes: 2 * MIB, tier });
      // cmp ecx, PATCHES; jae +6; mov [PATCHED + 1], ecx; jmp PATCHED
      cpu.writePhysical(
        FIRST,
        Uint8Array.of(0x83, 0xf9, PATCHES, 0x73, 0x06, 0x89, 0x0d, ...word(PATCHED + 1), 0xeb, PATCHED - FIRST - 13),
      );
      // mov eax, 1; add edx, eax; inc ecx; jmp FIRST
      cpu.writePhysical(PATCHED, Uint8Array.of(0xb8, ...word(1), 0x01, 0xc2, 0x41, 0xeb, 256 - (PATCHED - FIRST) - 10));
      for (const [name, value] of Object.entries(flatMode(FIRST, 8, 16, 0))) cpu.set(name, value);
      return cpu;
    }
    const patch = (cpu: Cpu, value: number): void => void cpu.writePhysical(PATCHED + 1, Uint8Array.of(...word(value)));
    const rounds = (cpu: Cpu, count: number): void => {
      assert.equal(cpu.run(count * ROUND), 'budget');
    };

    it('is interpreted while it changes, and translated again when it has long been left alone', () => {
      const cpu = patching('mixed');
      rounds(cpu, 10_000);
      assert.equal(cpu.translation(PATCHED), null);
      rounds(cpu, 30_000);
      assert.notEqual(cpu.translation(PATCHED), null);
    });

    it('takes twice as long after it was translated too early', () => {
      const cpu = patching('mixed');
      rounds(cpu, 40_000);
      patch(cpu, 5);
      rounds(cpu, 25_000);
      assert.equal(cpu.translation(PATCHED), null);
      rounds(cpu, 25_000);
      assert.notEqual(cpu.translation(PATCHED), null);
    });

    it('does what it says at every time', () => {
      const [interpreted, mixed] = (['interpret', 'mixed'] as const).map((tier) => {
        const cpu = patching(tier);
        return [7, 11, 13].map((value) => {
          rounds(cpu, 40_000);
          patch(cpu, value);
          return cpu.get('edx');
        });
      });
      assert.deepEqual(mixed, interpreted);
    });
  });

  it('in a page that is often patched, an instruction of a region that overwrites the following one is followed by the new one', () => {
    const cpu = processor.createCpu({ host: emptyHost, offset: 0, bytes: 2 * MIB, tier: 'translate' }),
      START = FIRST + 0x0d,
      SPIN = [0xeb, 0xfe];
    for (const [name, value] of Object.entries(flatMode(FIRST, 8, 16, 0))) cpu.set(name, value);
    cpu.set('cr4', 0x200);
    function run(eip: number, ebx = FIRST + 0x800): void {
      cpu.set('eip', eip);
      cpu.set('ebx', ebx);
      assert.equal(cpu.run(100), 'budget');
    }
    for (let n = 0; n < 6; n++) {
      cpu.writePhysical(FIRST + 0x400, Uint8Array.of(0x40 + (n & 3), ...SPIN));
      run(FIRST + 0x400);
    }
    for (const name of ['ecx', 'edx']) cpu.set(name, 0);
    cpu.writePhysical(START, Uint8Array.of(0x0f, 0xae, 0x03, 0x41, ...SPIN)); // fxsave [ebx]; inc ecx; jmp $
    for (let n = 0; n < 3; n++) run(START);
    assert.notEqual(cpu.translation(START), null);
    // XMM0 comes to where the INC is.
    cpu.set('xmm0', `${'0'.repeat(26)}feeb42`);
    run(START, START + 3 - 160);
    assert.deepEqual([cpu.get('ecx'), cpu.get('edx')], [3, 1]);
  });

  it('holds nothing when it has been cleared', () => {
    const cpu = everywhere('translate');
    cpu.run(3000);
    assert.ok(cpu.stats().bytes! > 0);
    cpu.dispose();
    assert.equal(cpu.stats().bytes, 0);
    assert.equal(cpu.stats().pages, 0);
  });
});
