// The tiers against each other: random programs of every table row, in every mode of the processor, interpreted and
// translated, with the same ticks. Whatever the instructions do (faults, port accesses, changed tables), both must end in the
// same state. Each instruction has a slot of 16 bytes, and the handler of every vector goes on at the next slot, so that an
// instruction that faults does not hide those after it. CP86_FUZZ multiplies the number of programs.

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { CpuHost } from '../../src/runtime/host.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import { CS, S, STATE_WORDS } from '../../src/translator/state.ts';
import { encodeRow } from '../support/encode.ts';
import { type Random, seeded } from '../support/random.ts';

const CODE = 0x20000,
  DATA = 0x30000,
  GDT = 0x1000,
  IDT = 0x2000,
  TSS = 0x5000,
  HANDLER = 0x6000,
  WITH_CODE = 0x6100,
  MEMORY = 0x100000;
/** Instructions of a program, and ticks that it runs: several times through, so that translated code runs too. */
const LENGTH = 16,
  SLOT = 16,
  TICKS = 240;
const EXECUTIONS = 40 * Number(process.env.CP86_FUZZ ?? 1);

const host: CpuHost = {
  portRead: (port, size) => ((port * 0x01010101 + size) >>> 0) & (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
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

interface Mode {
  readonly name: string;
  readonly code32: boolean;
  readonly protected: boolean;
  readonly cpl: number;
  readonly flat: boolean;
  readonly vm86?: true;
}
const MODES: readonly Mode[] = [
  { name: 'real mode', code32: false, protected: false, cpl: 0, flat: false },
  { name: 'flat 32-bit protected mode, CPL 0', code32: true, protected: true, cpl: 0, flat: true },
  { name: 'flat 32-bit protected mode, CPL 3', code32: true, protected: true, cpl: 3, flat: true },
  { name: '16-bit protected mode with segments', code32: false, protected: true, cpl: 0, flat: false },
  { name: 'virtual-8086 mode', code32: false, protected: true, cpl: 3, flat: false, vm86: true },
];

/** Memory image: tables whose every vector leads to a loop, data, the program. */
function image(mode: Mode, program: readonly number[], seed: number): Uint8Array {
  const bytes = new Uint8Array(MEMORY),
    view = new DataView(bytes.buffer),
    random = seeded(seed);
  for (let at = DATA - 0x100; at < DATA + 0x10100; at += 4) view.setInt32(at, random.edgy(), true);
  if (mode.protected) {
    const descriptor = (n: number, base: number, limit: number, access: number): void => {
      view.setUint32(GDT + 8 * n, ((base << 16) | (limit & 0xffff)) >>> 0, true);
      view.setUint32(GDT + 8 * n + 4, ((base & 0xff000000) | (limit & 0xf0000) | (access << 8) | ((base >>> 16) & 0xff)) >>> 0, true);
    };
    descriptor(1, 0, 0xfffff, 0xc09b);
    descriptor(2, 0, 0xfffff, 0xc093);
    descriptor(3, 0, 0xfffff, 0xc0fb);
    descriptor(4, 0, 0xfffff, 0xc0f3);
    descriptor(5, TSS, 0x67, 0x8b);
    descriptor(6, CODE, 0xffff, 0x9b);
    descriptor(7, DATA, 0xffff, 0x93);
    for (let vector = 0; vector < 256; vector++) {
      view.setUint32(IDT + 8 * vector, (0x8 << 16) | (ERROR_CODES.has(vector) ? WITH_CODE : HANDLER), true);
      view.setUint32(IDT + 8 * vector + 4, 0xee00, true);
    }
    view.setUint32(TSS + 4, 0x9000, true);
    view.setUint32(TSS + 8, 0x10, true);
    view.setUint16(TSS + 0x66, 0x68, true);
    // and dword [esp], -16; add dword [esp], 16; iret; with an error code: add esp, 4 first.
    const skip = [0x83, 0x24, 0x24, 0xf0, 0x83, 0x04, 0x24, 0x10, 0xcf];
    bytes.set(skip, HANDLER);
    bytes.set([0x83, 0xc4, 0x04, ...skip], WITH_CODE);
  } else {
    for (let vector = 0; vector < 256; vector++) view.setUint32(4 * vector, HANDLER, true);
    // push bp; mov bp, sp; and word [bp+2], -16; add word [bp+2], 16; pop bp; iret
    bytes.set([0x55, 0x89, 0xe5, 0x83, 0x66, 0x02, 0xf0, 0x83, 0x46, 0x02, 0x10, 0x5d, 0xcf], HANDLER);
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
    if (mode.flat)
      segment(
        n,
        (n === CS ? (mode.cpl ? 0x18 : 8) : mode.cpl ? 0x20 : 0x10) | mode.cpl,
        0,
        -1,
        (n === CS ? 0x9b : 0x93) | (mode.cpl << 5) | 0xc000,
      );
    else if (mode.protected && !mode.vm86) segment(n, n === CS ? 0x30 : 0x38, n === CS ? CODE : DATA, 0xffff, n === CS ? 0x9b : 0x93);
    else
      segment(
        n,
        (n === CS ? CODE : DATA) >> 4,
        n === CS ? CODE : DATA,
        0xffff,
        (n === CS && !mode.vm86 ? 0x9b : 0x93) | (mode.vm86 ? 0x60 : 0),
      );
  }
  words[S.CR0] = mode.protected ? 0x31 : 0x30;
  words[S.CR4] = random.below(8) ? 0x600 : 0;
  words[S.MXCSR] = random.below(4) ? 0x1f80 : random.word() & 0xffff;
  for (let n = 0; n < 32; n++) words[S.XMM0 + n] = random.edgy();
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
  return Array.from(words).map((word, n) =>
    n === S.EA ||
    n === S.SECOND ||
    (n >= S.OPERAND && n < S.OPERAND + 4) ||
    n === S.CODE_BASE ||
    n === S.FLAGS_KIND ||
    n === S.FLAGS_A ||
    n === S.FLAGS_B
      ? 0
      : word,
  );
}

describe('execution tiers', function () {
  this.timeout(600_000);
  for (const [m, mode] of MODES.entries()) {
    it(`end in the same state after random programs in ${mode.name}`, () => {
      const random = seeded(101 + m),
        rows = ROWS.filter((row) => row.name !== '(bad)');
      // Every row in turn, so that each is executed as often as the others, among random neighbours.
      const queue: Row[] = [];
      for (let round = 0; round < EXECUTIONS; round++) queue.push(...shuffled(rows, random));
      for (let n = 0; n < queue.length; n += LENGTH) {
        const list = queue
          .slice(n, n + LENGTH)
          .map((row) =>
            encodeRow(row, random, {
              code32: mode.code32,
              displacement: (q) => (q.below(4) === 0 ? q.below(200) - 100 : (mode.flat ? DATA : 0) + q.below(0xfff0)),
            }),
          )
          .filter((e) => e !== undefined);
        // jmp short to the next slot; from the last one jmp near to the first.
        const program = [...list.slice(0, -1).flatMap((e) => slot(e.bytes)), ...backTo(list.length - 1, mode.code32)];
        const memory = image(mode, program, n),
          words = start(mode, random);
        const run = (tier: 'interpret' | 'translate', ticks: number) => {
          const cpu = cpus[tier];
          cpu.ram.set(memory);
          cpu.load({ words: words.slice(), ticks: 0 });
          const cause = cpu.run(ticks);
          return { cause, ticks: cpu.ticks, eflags: cpu.get('eflags'), words: architectural(cpu.save().words), ram: Buffer.from(cpu.ram) };
        };
        const [a, b] = [run('interpret', TICKS), run('translate', TICKS)];
        if (isDeepStrictEqual(a, b)) continue;
        const first =
          Array.from({ length: TICKS }, (_, t) => t + 1).find((t) => !isDeepStrictEqual(run('interpret', t), run('translate', t))) ?? TICKS;
        const at = run('interpret', Math.max(1, first - 1)).words[S.EIP]!,
          before = run('interpret', first),
          after = run('translate', first);
        const changed = before.words.flatMap((word, k) => (word === after.words[k] ? [] : [`word ${k}: ${word} and ${after.words[k]}`]));
        assert.fail(
          `program ${n} differs first at tick ${first}, after the instruction at ${at.toString(16)}: ${before.cause} and ${after.cause}, flags ${before.eflags} and ${after.eflags}, ` +
            `${changed.join(', ')}${before.ram.equals(after.ram) ? '' : ', memory'}\n${list.map((e, k) => `${(0x100 + k * SLOT).toString(16)} ${e.instruction.row.name} ${e.bytes.map((v) => v.toString(16)).join(' ')}`).join('\n')}`,
        );
      }
    });
  }
});

/** Vectors that push an error code. */
const ERROR_CODES: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
function slot(bytes: readonly number[]): number[] {
  const rest = SLOT - bytes.length,
    fill = Array.from({ length: Math.max(0, rest - 2) }, () => 0x90);
  return rest >= 2 ? [...bytes, 0xeb, rest - 2, ...fill] : [...bytes, ...Array.from({ length: rest }, () => 0x90)];
}
function backTo(slots: number, code32: boolean): number[] {
  const size = code32 ? 5 : 3,
    distance = -(slots * SLOT + size);
  return [0xe9, ...Array.from({ length: size - 1 }, (_, n) => (distance >> (8 * n)) & 0xff)];
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const out = [...list];
  for (let n = out.length - 1; n > 0; n--) {
    const k = random.below(n + 1);
    [out[n], out[k]] = [out[k]!, out[n]!];
  }
  return out;
}
