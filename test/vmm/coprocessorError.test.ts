// A guest with CR0.NE clear and an unmasked x87 exception: FERR#, IRQ 13, port F0h, IGNNE#, in every tier.

import assert from 'node:assert/strict';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { floppyConfig, type Run, startRun, TIERS } from './lockstep.ts';

const build = createMachineBuilder({ arenaBytes: 16 << 20 });
/** Interrupts as they are: STI or CLI before the division. */
const STI = 0xfb,
  CLI = 0xfa;
const RESULTS = 0x500,
  HANDLER = 0x40;

/** Divides 1 by 0, the exception unmasked, then waits; the handler looks, tells port F0h, uses the x87 and clears the exception. */
function image(interrupts: number): Uint8Array {
  const sector = new Uint8Array(1440 * 1024);
  sector.set([
    ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c], // xor ax,ax; mov ds,ax; mov ss,ax; mov sp,7c00h
    ...[0xc7, 0x06, 0xd4, 0x01, HANDLER, 0x7c, 0xa3, 0xd6, 0x01], // mov word [75h*4],handler; mov [75h*4+2],ax
    ...[0xa3, 0x00, 0x05], // mov [500h],ax
    ...[0xdb, 0xe3, 0xc7, 0x06, 0x08, 0x05, 0x7b, 0x03, 0xd9, 0x2e, 0x08, 0x05], // fninit; mov word [508h],37bh; fldcw [508h]
    ...[0xd9, 0xe8, 0xd9, 0xee, interrupts, 0xde, 0xf9], // fld1; fldz; sti or cli; fdivp
    ...[0x9b, 0xf4, 0xeb, 0xfd], // fwait; hlt; jmp to it
  ]);
  sector.set(
    [
      ...[0xff, 0x06, 0x00, 0x05], // inc word [500h]
      ...[0xdf, 0xe0, 0xa3, 0x02, 0x05], // fnstsw ax; mov [502h],ax
      ...[0xe6, 0xf0, 0xd9, 0xe8], // out f0h,al; fld1, which does not wait now
      ...[0xdf, 0xe0, 0xa3, 0x04, 0x05], // fnstsw ax; mov [504h],ax
      ...[0xdb, 0xe2, 0xdf, 0xe0, 0xa3, 0x06, 0x05], // fnclex; fnstsw ax; mov [506h],ax
      ...[0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0xcf], // mov al,20h; out a0h,al; out 20h,al; iret
    ],
    HANDLER,
  );
  sector.set([0x55, 0xaa], 510);
  return sector;
}
const FWAIT = 0x7c00 + 9 + 9 + 3 + 12 + 7;

/** Boots, and lets it run or wait for some turns. */
function boot(tier: GuestConfig['tier'], interrupts: number): { run: Run; goOn(): void } {
  const run = startRun(build, { ...floppyConfig(image(interrupts), 2 << 20), tier });
  run.execution.go({ kind: 'free' });
  return {
    run,
    goOn() {
      for (let n = 0; n < TURNS; n++) {
        const result = run.execution.turn(20_000);
        if (result.kind === 'wait') run.platform.advance(Math.min(1, result.milliseconds));
      }
    },
  };
}
const TURNS = 60;

describe('an x87 exception with CR0.NE clear', () => {
  for (const tier of TIERS) {
    it(`interrupts by IRQ 13, and the handler may use the x87 once it has written to F0h (${tier})`, () => {
      const { run, goOn } = boot(tier, STI);
      goOn();
      const bytes = run.guest.cpu.readPhysical(RESULTS, 8),
        word = (n: number): number => bytes[n]! | (bytes[n + 1]! << 8);
      assert.equal(word(0), 1, 'handled once');
      assert.equal(word(2), 0xb084, 'ES, B and ZE are set in the handler');
      assert.equal(word(4), 0xa884, 'FLD1 was done with the exception waiting');
      assert.equal(word(6), 0x2800);
      run.guest.dispose();
    });
    it(`stops the processor at the next waiting instruction while interrupts are off (${tier})`, () => {
      const { run, goOn } = boot(tier, CLI),
        { cpu } = run.guest;
      goOn();
      const { ticks } = cpu;
      assert.equal(cpu.get('eip'), FWAIT);
      goOn();
      assert.equal(cpu.get('eip'), FWAIT);
      assert.equal(cpu.ticks, ticks);
      // Somebody turns interrupts on.
      cpu.set('eflags', Number(cpu.get('eflags')) | 0x200);
      run.guest.signals.wake = true;
      goOn();
      assert.equal(cpu.readPhysical(RESULTS, 1)[0], 1);
      assert.equal(cpu.get('eip'), FWAIT + 2);
      run.guest.dispose();
    });
  }
});
