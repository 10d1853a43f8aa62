import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { flatMode } from '../../src/vmm/boot/registers.ts';
import { emptyHost } from '../support/emptyHost.ts';

const MIB = 1 << 20,
  CODE = 0x10000,
  STACK = 0x20000;

describe('translation', () => {
  const processor = createProcessor({ arenaBytes: 2 * MIB });
  // loop: push eax; push ecx; pop edx; pop ebx; inc eax; jmp loop
  const LOOP = Uint8Array.of(0x50, 0x51, 0x5a, 0x5b, 0x40, 0xeb, 0xf9),
    TICKS = 6;

  function looping(esp: number): Cpu {
    const cpu = processor.createCpu({ host: emptyHost, offset: 0, bytes: 2 * MIB, tier: 'mixed' });
    cpu.memory.writeBytes(CODE, LOOP);
    for (const [name, value] of Object.entries(flatMode(CODE, 8, 16, 0))) cpu.set(name, value);
    cpu.set('esp', esp);
    cpu.set('ecx', 7);
    return cpu;
  }
  const leavesPerRound = (cpu: Cpu, rounds: number): number => {
    const before = cpu.stats().leaves!;
    cpu.run(rounds * TICKS);
    return (cpu.stats().leaves! - before) / rounds;
  };

  it('checks a stack frame in one page as a whole, for good', () => {
    const cpu = looping(STACK + 0x800);
    cpu.run(10_000 * TICKS);
    assert.equal(cpu.stats().regions, 1);
    assert.ok(leavesPerRound(cpu, 10_000) < 0.01);
    cpu.dispose();
  });

  it('leaves a store through CS to the interpreter, which raises #GP in protected mode', () => {
    const cpu = processor.createCpu({ host: emptyHost, offset: 0, bytes: 2 * MIB, tier: 'translate' });
    // loop: mov [ebx], ecx; mov eax, cs:[edx]; mov cs:[ebx], eax; jmp loop
    cpu.memory.writeBytes(CODE, Uint8Array.of(0x89, 0x0b, 0x2e, 0x8b, 0x02, 0x2e, 0x89, 0x03, 0xeb, 0xf6));
    for (const [name, value] of Object.entries(flatMode(CODE, 8, 16, 0))) cpu.set(name, value);
    cpu.set('edx', STACK);
    cpu.set('ebx', STACK + 0x100);
    cpu.writePhysical(STACK, Uint8Array.of(1, 2, 3, 4));
    cpu.setExceptionBreaks([13]);
    // The second time both instructions have run and are translated.
    for (let n = 0; n < 3; n++) {
      cpu.set('eip', CODE);
      cpu.set('eax', 0);
      assert.equal(cpu.run(100), 'exception');
      assert.deepEqual([cpu.get('eip'), cpu.get('eax')], [CODE + 5, 0x04030201]);
      assert.deepEqual(cpu.readPhysical(STACK + 0x100, 4), Uint8Array.of(0, 0, 0, 0));
    }
    cpu.dispose();
  });

  it('gives up checking a frame as a whole that lies across two pages', () => {
    const cpu = looping(STACK + 4);
    cpu.run(1500 * TICKS);
    const { regions } = cpu.stats();
    assert.ok(leavesPerRound(cpu, 100) > 0.9, 'the whole is checked at first');
    cpu.run(2000 * TICKS);
    assert.equal(cpu.stats().regions, regions! + 1);
    assert.ok(leavesPerRound(cpu, 10_000) < 0.01);
    assert.deepEqual([cpu.get('eax'), cpu.get('ebx'), cpu.get('edx'), cpu.get('esp')], [13_600, 13_599, 7, STACK + 4]);
    cpu.dispose();
  });
});
