// The tiers against each other: random programs of every table row, in every mode of the processor, interpreted and
// translated, with the same ticks. Whatever the instructions do (faults, port accesses, changed tables), both must end in the
// same state. CP86_FUZZ multiplies the number of programs.

import assert from 'node:assert/strict';
import { createProcessor } from '../../src/runtime/processor.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import { CS, S, STATE_WORDS } from '../../src/translator/state.ts';
import { encodeRow } from '../support/encode.ts';
import { type Random, seeded } from '../support/random.ts';

const CODE = 0x20000, DATA = 0x30000, GDT = 0x1000, IDT = 0x2000, TSS = 0x5000, HANDLER = 0x6000, MEMORY = 0x100000;
/** Instructions of a program, and ticks that it runs: several times through, so that translated code runs too. */
const LENGTH = 16, TICKS = 160;
const EXECUTIONS = 40 * Number(process.env.CP86_FUZZ ?? 1);

const host: CpuHost = {
  portRead: (port, size) => (port * 0x01010101 + size) >>> 0 & (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
  portWrite() {},
  mmioRead: (address, size) => (size === 4 ? address >>> 0 : address & (size === 2 ? 0xffff : 0xff)),
  mmioWrite() {},
  acknowledgeInterrupt: () => 0x20,
  vmcall: () => false,
  cycles: () => 1000,
  exit() {},
};
const processor = createProcessor({ arenaBytes: 4 * MEMORY });
const cpus = {
  interpret: processor.createCpu({ host, offset: 0, bytes: MEMORY, tier: 'interpret' }),
  translate: processor.createCpu({ host, offset: 2 * MEMORY, bytes: MEMORY, tier: 'translate' }),
};

interface Mode { readonly name: string; readonly code32: boolean; readonly protected: boolean; readonly cpl: number; readonly flat: boolean; readonly vm86?: true }
const MODES: readonly Mode[] = [
  { name: 'real mode', code32: false, protected: false, cpl: 0, flat: false },
  { name: 'flat 32-bit protected mode, CPL 0', code32: true, protected: true, cpl: 0, flat: true },
  { name: 'flat 32-bit protected mode, CPL 3', code32: true, protected: true, cpl: 3, flat: true },
  { name: '16-bit protected mode with segments', code32: false, protected: true, cpl: 0, flat: false },
  { name: 'virtual-8086 mode', code32: false, protected: true, cpl: 3, flat: false, vm86: true },
];

/** Memory image: tables whose every vector leads to a loop, data, the program. */
function image(mode: Mode, program: readonly number[], seed: number): Uint8Array {
  const bytes = new Uint8Array(MEMORY), view = new DataView(bytes.buffer), random = seeded(seed);
  for (let at = DATA - 0x100; at < DATA + 0x10100; at += 4) view.setInt32(at, random.edgy(), true);
  if (mode.protected) {
    const descriptor = (n: number, base: number, limit: number, access: number): void => {
      view.setUint32(GDT + 8 * n, (base << 16 | limit & 0xffff) >>> 0, true);
      view.setUint32(GDT + 8 * n + 4, (base & 0xff000000 | limit & 0xf0000 | access << 8 | base >>> 16 & 0xff) >>> 0, true);
    };
    descriptor(1, 0, 0xfffff, 0xc09b);
    descriptor(2, 0, 0xfffff, 0xc093);
    descriptor(3, 0, 0xfffff, 0xc0fb);
    descriptor(4, 0, 0xfffff, 0xc0f3);
    descriptor(5, TSS, 0x67, 0x8b);
    descriptor(6, CODE, 0xffff, 0x9b);
    descriptor(7, DATA, 0xffff, 0x93);
    for (let vector = 0; vector < 256; vector++) {
      view.setUint32(IDT + 8 * vector, 0x8 << 16 | HANDLER, true);
      view.setUint32(IDT + 8 * vector + 4, 0xee00, true);
    }
    view.setUint32(TSS + 4, 0x9000, true);
    view.setUint32(TSS + 8, 0x10, true);
    view.setUint16(TSS + 0x66, 0x68, true);
    bytes.set([0xeb, 0xfe], HANDLER);
  } else {
    for (let vector = 0; vector < 256; vector++) view.setUint32(4 * vector, HANDLER, true);
    bytes.set([0xeb, 0xfe], HANDLER);
  }
  bytes.set(program, CODE + 0x100);
  return bytes;
}

function start(mode: Mode, random: Random): Int32Array {
  const words = new Int32Array(STATE_WORDS);
  const segment = (n: number, selector: number, base: number, limit: number, access: number): void => {
    words[S.SEG_SELECTOR + n] = selector;
    words[S.SEG_BASE + n] = base;
    words[S.SEG_LIMIT + n] = limit;
    words[S.SEG_ACCESS + n] = access;
  };
  for (let n = 0; n < 6; n++) {
    if (mode.flat) segment(n, (n === CS ? (mode.cpl ? 0x18 : 8) : mode.cpl ? 0x20 : 0x10) | mode.cpl, 0, -1, (n === CS ? 0x9b : 0x93) | mode.cpl << 5 | 0xc000);
    else if (mode.protected && !mode.vm86) segment(n, n === CS ? 0x30 : 0x38, n === CS ? CODE : DATA, 0xffff, n === CS ? 0x9b : 0x93);
    else segment(n, (n === CS ? CODE : DATA) >> 4, n === CS ? CODE : DATA, 0xffff, (n === CS && !mode.vm86 ? 0x9b : 0x93) | (mode.vm86 ? 0x60 : 0));
  }
  words[S.CR0] = mode.protected ? 0x31 : 0x30;
  words[S.CPL] = mode.cpl;
  words[S.SYSTEM_FLAGS] = 2 | (mode.vm86 ? 0x20000 : 0) | (random.below(4) === 0 ? 0x400 : 0);
  words[S.FLAGS_KIND] = 7;
  words[S.FLAGS_B] = random.word() & 0x8d5;
  words[S.GDTR_BASE] = GDT;
  words[S.GDTR_LIMIT] = 0x3f;
  words[S.IDTR_BASE] = mode.protected ? IDT : 0;
  words[S.IDTR_LIMIT] = mode.protected ? 0x7ff : 0x3ff;
  words[S.TR_SELECTOR] = 0x28;
  words[S.TR_BASE] = TSS;
  words[S.TR_LIMIT] = 0x67;
  words[S.TR_ACCESS] = 0x8b;
  words[S.DR6] = 0xffff0ff0;
  words[S.DR7] = 0x400;
  words[S.A20_MASK] = -1;
  words[S.FPU_CONTROL] = 0x37f;
  for (let n = 0; n < 8; n++) words[n] = random.below(3) ? (mode.flat ? DATA : 0) + random.below(0xf000) : random.edgy();
  words[S.ESP] = (mode.flat ? DATA : 0) + 0x8000;
  words[S.EIP] = (mode.flat ? CODE : 0) + 0x100;
  return words;
}

/** Words that both tiers must agree on: all but scratch. */
function architectural(words: Int32Array): number[] {
  return Array.from(words).map((word, n) => (n === S.EA || n === S.SECOND || n === S.CODE_BASE || n === S.FLAGS_KIND || n === S.FLAGS_A || n === S.FLAGS_B ? 0 : word));
}

describe('execution tiers', function () {
  this.timeout(600_000);
  for (const [m, mode] of MODES.entries()) {
    it(`end in the same state after random programs in ${mode.name}`, () => {
      const random = seeded(101 + m), rows = ROWS.filter((row) => row.name !== '(bad)');
      // Every row in turn, so that each is executed as often as the others, among random neighbours.
      const queue: Row[] = [];
      for (let round = 0; round < EXECUTIONS; round++) queue.push(...shuffled(rows, random));
      for (let n = 0; n < queue.length; n += LENGTH) {
        const list = queue.slice(n, n + LENGTH).map((row) => encodeRow(row, random, {
          code32: mode.code32,
          displacement: (q) => (q.below(4) === 0 ? q.below(200) - 100 : (mode.flat ? DATA : 0) + q.below(0xfff0)),
        })).filter((e) => e !== undefined);
        const body = list.flatMap((e) => e.bytes), back = -(body.length + 3);
        const program = [...body, 0xe9, back & 0xff, back >> 8 & 0xff, ...(mode.code32 ? [(back - 2) >> 16 & 0xff, (back - 2) >> 24 & 0xff] : [])];
        if (mode.code32) program[body.length + 1] = (back - 2) & 0xff, program[body.length + 2] = (back - 2) >> 8 & 0xff;
        const memory = image(mode, program, n), words = start(mode, random);
        const [a, b] = (['interpret', 'translate'] as const).map((tier) => {
          const cpu = cpus[tier];
          cpu.ram.set(memory);
          cpu.load({ words: words.slice(), ticks: 0 });
          const cause = cpu.run(TICKS);
          return { cause, ticks: cpu.ticks, eflags: cpu.get('eflags'), words: architectural(cpu.save().words), ram: cpu.ram };
        });
        const text = (): string => `program ${n}: ${list.map((e) => `${e.instruction.row.name} (${e.bytes.map((v) => v.toString(16)).join(' ')})`).join('; ')}`;
        assert.deepEqual({ ...b, ram: 0 }, { ...a, ram: 0 }, text());
        assert.ok(Buffer.from(a!.ram.buffer, a!.ram.byteOffset, MEMORY).equals(Buffer.from(b!.ram.buffer, b!.ram.byteOffset, MEMORY)), `memory differs after ${text()}`);
      }
    });
  }
});

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const out = [...list];
  for (let n = out.length - 1; n > 0; n--) {
    const k = random.below(n + 1);
    [out[n], out[k]] = [out[k]!, out[n]!];
  }
  return out;
}
