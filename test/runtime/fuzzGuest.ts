// Guests for random instructions: in every mode of the processor, tables whose vectors all lead to a handler that goes on at the
// next slot, registers that point at data more often than not, and a program page with one instruction in each slot. So an
// instruction that faults does not hide those after it. Slots stand in lines, which are run one by one.

import type { GuestMemory } from '../../src/runtime/memory.ts';
import { CS, S, STATE_WORDS } from '../../src/translator/state.ts';
import { type Random, seeded } from '../support/random.ts';

export const MEMORY = 0x100000;
/** The program's page. */
const CODE = 0x20000;
/** Bytes of a slot: the longest instruction and a short jump. */
const SLOT = 32;
/** Instructions of a line, behind which one slot is left, and lines of a program. */
export const LENGTH = 3,
  LINES = 30;
const LINE = SLOT * (LENGTH + 1);
const DATA = 0x30000,
  GDT = 0x1000,
  IDT = 0x2000,
  TSS = 0x5000,
  HANDLER = 0x6000,
  WITH_CODE = 0x6100;
/** Vectors that push an error code. */
const ERROR_CODES: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);

export interface Mode {
  readonly name: string;
  readonly code32: boolean;
  readonly protected: boolean;
  readonly cpl: number;
  readonly flat: boolean;
  readonly vm86?: true;
}
export const MODES: readonly Mode[] = [
  { name: 'real mode', code32: false, protected: false, cpl: 0, flat: false },
  { name: 'flat 32-bit protected mode, CPL 0', code32: true, protected: true, cpl: 0, flat: true },
  { name: 'flat 32-bit protected mode, CPL 3', code32: true, protected: true, cpl: 3, flat: true },
  { name: '16-bit protected mode with segments', code32: false, protected: true, cpl: 0, flat: false },
  { name: 'virtual-8086 mode', code32: false, protected: true, cpl: 3, flat: false, vm86: true },
];

const VMCALL = [0x0f, 0x01, 0xc1] as const;

/** Memory without a program: tables, handlers, random data, and VMCALLs, where whoever goes astray comes to an end. */
export function image(mode: Mode, seed: number): Uint8Array {
  const bytes = new Uint8Array(Buffer.alloc(MEMORY, Uint8Array.from(VMCALL))),
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
    // and dword [esp], -32; add dword [esp], 32; iret; with an error code: add esp, 4 first.
    const skip = [0x83, 0x24, 0x24, 256 - SLOT, 0x83, 0x04, 0x24, SLOT, 0xcf];
    bytes.set(skip, HANDLER);
    bytes.set([0x83, 0xc4, 0x04, ...skip], WITH_CODE);
    bytes.fill(0, GDT, GDT + 8);
  } else {
    for (let vector = 0; vector < 256; vector++) view.setUint32(4 * vector, HANDLER, true);
    // push bp; mov bp, sp; and word [bp+2], -32; add word [bp+2], 32; pop bp; iret
    bytes.set([0x55, 0x89, 0xe5, 0x83, 0x66, 0x02, 256 - SLOT, 0x83, 0x46, 0x02, SLOT, 0x5d, 0xcf], HANDLER);
  }
  return bytes;
}

/** A displacement in the data, or a small one beside a register. */
export const displacement =
  (mode: Mode) =>
  (random: Random): number =>
    random.below(4) === 0 ? random.below(200) - 100 : (mode.flat ? DATA : 0) + random.below(0xfff0);

/** Puts each instruction in its slot, with a jump to the next; a line ends with VMCALL. */
export function writeProgram(memory: GuestMemory, lines: readonly (readonly (readonly number[])[])[]): void {
  const page = new Uint8Array(LINES * LINE);
  lines.forEach((line, n) => {
    line.forEach((bytes, k) => {
      page.set([...bytes, 0xeb, SLOT - 2 - bytes.length], n * LINE + k * SLOT);
    });
    page.set(VMCALL, n * LINE + line.length * SLOT);
  });
  memory.writeBytes(CODE, page);
}
/** Linear address of a slot. */
export const addressOf = (line: number, slot: number): number => CODE + line * LINE + slot * SLOT;
/** The slot of a line that an address is the beginning of; -1 outside of the line and inside slots. */
export function slotAt(line: number, linear: number): number {
  const at = linear - CODE - line * LINE;
  return at >= 0 && at < LINE && at % SLOT === 0 ? at / SLOT : -1;
}

/** A state block that begins at a line. */
export function start(mode: Mode, line: number, random: Random): Int32Array {
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
  words[S.FPU_CONTROL] = random.below(4) ? 0x37f : 0x40 | (random.word() & 0xf3f);
  words[S.FPU_STATUS] = random.below(8) << 11;
  words[S.FPU_TAGS] = random.below(4) ? 0xff : random.below(256);
  for (let n = 0; n < 8; n++) {
    words[S.FPU_R0 + 4 * n] = random.edgy();
    words[S.FPU_R0 + 4 * n + 1] = random.edgy() | (random.below(16) ? 0x80000000 : 0);
    words[S.FPU_R0 + 4 * n + 2] = random.below(4) ? (random.below(2) << 15) | (0x3fe0 + random.below(64)) : random.word() & 0xffff;
  }
  for (let n = 0; n < 8; n++) words[n] = random.below(3) ? (mode.flat ? DATA : 0) + random.below(0xf000) : random.edgy();
  words[S.ESP] = (mode.flat ? DATA : 0) + 0x8000;
  words[S.EIP] = (mode.flat ? CODE : 0) + line * LINE;
  return words;
}
