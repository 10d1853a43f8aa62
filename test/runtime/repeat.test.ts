// Repeated string instructions between their iterations (SDM volume 2, REP; volume 3, "Instruction-Breakpoint Exception
// Condition": what comes after any iteration but the last pushes RF). In every tier, at every tick.

import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { emptyHost } from '../support/emptyHost.ts';
import { seeded } from '../support/random.ts';

const MEMORY = 1 << 20,
  GDT = 0x1000,
  IDT = 0x2000,
  CODE = 0x5000,
  HANDLER = 0x6000,
  STACK = 0x9000,
  DATA = 0x20000;
const COUNT = 5,
  RF = 0x10000,
  VECTOR = 0x20;
const host: CpuHost = { ...emptyHost, acknowledgeInterrupt: () => VECTOR };
const processor = createProcessor({ arenaBytes: 4 * MEMORY });

/** Flat ring 0 with an interrupt gate, before `code`. */
function prepare(cpu: Cpu, code: readonly number[]): void {
  cpu.reset();
  cpu.writePhysical(0, new Uint8Array(MEMORY));
  const put = (at: number, ...words: number[]): void => void cpu.writePhysical(at, new Uint8Array(Uint32Array.from(words).buffer));
  put(GDT + 8, 0xffff, 0xcf9b00, 0xffff, 0xcf9300);
  put(IDT + 8 * VECTOR, (8 << 16) | HANDLER, 0x8e00);
  cpu.writePhysical(CODE, Uint8Array.from([...code, 0xeb, 0xfe]));
  cpu.writePhysical(HANDLER, Uint8Array.of(0xcf));
  for (const [name, value] of Object.entries({ gdtr_base: GDT, gdtr_limit: 0x17, idtr_base: IDT, idtr_limit: 0x7ff, cr0: 0x11 }))
    cpu.set(name, value);
  for (const name of ['cs', 'ss', 'ds', 'es']) {
    for (const [part, value] of [
      ['', name === 'cs' ? 8 : 16],
      ['_base', 0],
      ['_limit', 0xffffffff],
      ['_access', name === 'cs' ? 0xc09b : 0xc093],
    ] as const)
      cpu.set(name + part, value);
  }
  for (const [name, value] of Object.entries({ eip: CODE, esp: STACK, eflags: 0x202, ecx: COUNT, esi: DATA, edi: DATA + 0x1000 }))
    cpu.set(name, value);
}
const word = (cpu: Cpu, at: number): number => new DataView(cpu.readPhysical(at, 4).slice().buffer).getUint32(0, true);

describe('an interrupt at a repeated string instruction', () => {
  (['interpret', 'mixed', 'translate'] as const).forEach((tier, slot) => {
    const cpu = processor.createCpu({ host, offset: slot * MEMORY, bytes: MEMORY, tier });
    for (const [name, code] of [
      ['REP MOVSD', [0xf3, 0xa5]],
      ['REPE CMPSB', [0xf3, 0xa6]],
      ['REP STOSW with prefixes', [0x2e, 0x66, 0xf3, 0xab]],
      ['REP OUTSB', [0xf3, 0x6e]],
    ] as const) {
      it(`${name}, ${tier}: pushes RF after every iteration but the last, and its return goes on at the same tick`, () => {
        for (let before = 0; before <= COUNT + 2; before++) {
          prepare(cpu, [0x90, ...code]);
          if (before > 0) assert.equal(cpu.run(before), 'budget');
          const ticks = cpu.ticks;
          cpu.setIntr(true);
          cpu.run(1);
          cpu.setIntr(false);
          const between = before >= 2 && before <= COUNT;
          assert.equal(cpu.get('eip'), HANDLER);
          assert.equal(word(cpu, STACK - 4) & RF, between ? RF : 0, `after ${before} ticks`);
          assert.equal(word(cpu, STACK - 12), before === 0 ? CODE : before <= COUNT ? CODE + 1 : CODE + 1 + code.length);
          assert.equal(cpu.get('ecx'), COUNT - Math.min(COUNT, Math.max(0, before - 1)));
          // IRET and the rest of the iterations: then the loop behind.
          cpu.run(1 + Math.max(0, COUNT + 1 - before));
          assert.equal(cpu.ticks, ticks + 2 + Math.max(0, COUNT + 1 - before));
          assert.deepEqual([cpu.get('eip'), cpu.get('ecx')], [CODE + 1 + code.length, 0]);
          assert.equal(Number(cpu.get('eflags')) & RF, 0);
        }
      });
    }
  });
});

/** Turns paging on, each page at its own address but one that is not there. */
function page(cpu: Cpu, absent: number): void {
  const table = Uint32Array.from({ length: MEMORY >> 12 }, (_, n) => (n << 12) | (n === absent >> 12 ? 0 : 3));
  cpu.writePhysical(DIRECTORY, new Uint8Array(Uint32Array.of((DIRECTORY + 0x1000) | 3).buffer));
  cpu.writePhysical(DIRECTORY + 0x1000, new Uint8Array(table.buffer));
  cpu.set('cr3', DIRECTORY);
  cpu.set('cr0', 0x80000011);
}

/** Bytes of two pages and more in which the elements lie; sources and destinations may overlap. */
const AREA = 0x3000,
  DIRECTORY = 0x10000,
  DF = 0x400;
const REGISTERS = ['eip', 'ecx', 'esi', 'edi', 'eflags'] as const;
const INSTRUCTIONS = {
  'REP MOVSB': [0xf3, 0xa4],
  'REP MOVSW': [0x66, 0xf3, 0xa5],
  'REP MOVSD': [0xf3, 0xa5],
  'REP STOSB': [0xf3, 0xaa],
  'REP STOSW': [0x66, 0xf3, 0xab],
  'REP STOSD': [0xf3, 0xab],
  'REPE CMPSB': [0xf3, 0xa6],
  'REPNE CMPSW': [0x66, 0xf2, 0xa7],
  'REPE CMPSD': [0xf3, 0xa7],
  'REPE SCASD': [0xf3, 0xaf],
  'REPNE SCASB': [0xf2, 0xae],
  'REPNE SCASW': [0x66, 0xf2, 0xaf],
} as const;

describe('many elements of a repeated string instruction', () => {
  const single = processor.createCpu({ host, offset: 3 * MEMORY, bytes: MEMORY, tier: 'interpret' });
  (['interpret', 'mixed', 'translate'] as const).forEach((tier, slot) => {
    const cpu = processor.createCpu({ host, offset: slot * MEMORY, bytes: MEMORY, tier });
    for (const [name, code] of Object.entries(INSTRUCTIONS)) {
      it(`${name}, ${tier}: are at every tick what they are iteration by iteration`, () => {
        const random = seeded(slot + 3 * code.reduce<number>((sum, byte) => sum * 256 + byte, 0));
        for (let round = 0; round < 24; round++) {
          // Few different bytes, long runs of the same: comparisons go on for a while.
          const area = new Uint8Array(AREA);
          for (let at = 0; at < AREA; ) {
            const end = at + random.below(800);
            area.fill(random.below(3), at, end);
            at = end;
          }
          // A page without one behind it: the fault, which nobody can handle, comes with the flags of the comparison before it.
          const absent = random.below(2) ? DATA + AREA - 0x1000 : -1,
            near = random.below(AREA - 16),
            registers = {
              eax: random.pick([0, 0x01010101, 0x02020202, 0x00020001]),
              ecx: random.pick([random.below(20), random.below(2000), AREA, 0xffffffff]),
              esi: DATA + random.below(AREA - 16),
              edi: DATA + (random.below(2) ? near : random.below(AREA - 16)),
              eflags: 0x202 | (random.below(6) === 0 ? DF : 0),
            };
          if (random.below(2)) registers.esi = Math.max(DATA, registers.edi - random.below(16));
          // In a loop around it, too: then it is translated before it has ended.
          for (const one of [cpu, single]) {
            prepare(one, [...code, 0xeb, 0xfe - code.length]);
            page(one, absent);
            one.writePhysical(DATA, area);
            for (const [register, value] of Object.entries(registers)) one.set(register, value);
          }
          for (let left = 1 + random.below(4000); left > 0; ) {
            const ticks = Math.min(left, 1 + random.below(1500));
            left -= ticks;
            cpu.run(ticks);
            for (let n = 0; n < ticks; n++) single.run(1);
            const state = (one: Cpu) => REGISTERS.map((register) => Number(one.get(register)).toString(16));
            assert.deepEqual(state(cpu), state(single), `${JSON.stringify(registers)}, ${left} left`);
          }
          assert.deepEqual(cpu.readPhysical(DATA - 0x3000, 0x9000), single.readPhysical(DATA - 0x3000, 0x9000), JSON.stringify(registers));
        }
      });
    }
  });
});
