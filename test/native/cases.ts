// Which instructions are compared with the processor, and how a random case of one is made so that it runs in user mode:
// memory operands aim into the data region, branches into the code region.

import type { Instruction } from '../../src/translator/decode.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import type { AddressParts } from '../../src/translator/ir/value.ts';
import { AC } from '../../src/translator/state.ts';
import { encodeRow } from '../support/encode.ts';
import { type Random, seeded } from '../support/random.ts';
import { exclusionOf } from './exclusions.ts';
import { isFpu, makeFpu, memoryWord } from './fpuCases.ts';
import { FRESH_FPU, LAYOUT, type VectorInput } from './record.ts';
import { aimSegments, isSegmentPush, isSegmentRow, RETURNED_FLAGS } from './segmentCases.ts';

/** Instructions whose image in memory has a 16- and a 32-bit form. */
const ENVIRONMENT = /^(FLDENV|FNSTENV|FRSTOR|FNSAVE)$/;

/** What test/vectors is made of, a file each: what it shows, and how many vectors a case needs. */
export const FILES = {
  /** Everything that reads no descriptor. */
  'user-mode': 100,
  /** Segment loads, far transfers among the LDT's segments, what looks at descriptors, software interrupts. */
  segments: 100,
  /** Rows that reach memory, with EFLAGS.AC set. */
  alignment: 12,
} as const;
export type VectorFile = keyof typeof FILES;

/** A row with operand size and kind fixed: what must have vectors of its own. */
export interface Case {
  readonly row: Row;
  /** Undefined for x87 instructions without a form of their own in each operand size. */
  readonly w: 16 | 32 | undefined;
  readonly memory: boolean | undefined;
  readonly file: VectorFile;
  readonly title: string;
}

export function cases(): Case[] {
  const list: Case[] = [];
  for (const row of ROWS) {
    if (exclusionOf(row)) continue;
    const sized = isFpu(row)
      ? ENVIRONMENT.test(row.name)
      : row.operandSized || row.names || row.operands.some((o) => /v|z|eAX|bs$/.test(o));
    const kinds = row.operands.some((o) => /^E[bvw]/.test(o)) ? [false, true] : [undefined];
    for (const w of sized ? ([32, 16] as const) : isFpu(row) ? [undefined] : ([32] as const)) {
      for (const memory of kinds) {
        const title = `${row.name} ${row.code}${row.operands.length ? ` ${row.operands.join(',')}` : ''}${sized ? ` w${w}` : ''}${memory === undefined ? '' : memory ? ' mem' : ' reg'}`;
        list.push({ row, w, memory, title, file: isSegmentRow(row) ? 'segments' : 'user-mode' });
        if (reachesMemory(row, memory)) list.push({ row, w, memory, title, file: 'alignment' });
      }
    }
  }
  return list;
}
const STACK_ROWS = /^(PUSH|POP|PUSHA|POPA|PUSHF|POPF|CALL|RET|RETF|IRET|ENTER|LEAVE)$/;
/** PUSH and POP of segment registers are left out: the SDM lets the processor reach 16 or 32 bits. */
const reachesMemory = (row: Row, memory: boolean | undefined): boolean =>
  !isSegmentPush(row) && (memory === true || STACK_ROWS.test(row.name) || row.operands.some((o) => /^[MOXYB]/.test(o)));

const pointer = (random: Random): number => LAYOUT.DATA + 0x100 + random.below(LAYOUT.SIZE - 0x200);

/** The n-th random input of a case, or undefined when this try gave none. */
export function makeInput(c: Case, seed: number): VectorInput | undefined {
  const random = seeded(seed),
    mode = random.below(10) < 7 ? 32 : 16;
  const rep = c.row.string ? random.pick(['none', 'rep', 'repne'] as const) : 'none';
  const encoded = encodeRow(c.row, random, {
    code32: mode === 32,
    memory: c.memory,
    rep,
    ...(c.w ? { w: c.w } : {}),
    ...(mode === 16 && random.below(8) === 0 ? { address: 32 as const } : {}),
    ...(c.row.lock && c.memory && random.below(6) === 0 ? { lock: true } : {}),
    displacement: (q) => (mode === 16 || q.below(2) ? q.below(0x8000) : pointer(q)),
  });
  if (!encoded) return undefined;
  const code = [...encoded.bytes],
    i = encoded.instruction;
  const regs = Array.from({ length: 8 }, () => random.edgy());
  regs[4] = mode === 32 ? LAYOUT.DATA + 0x8000 + 4 * random.below(64) : 0x8000 + 2 * random.below(64);
  if (c.row.string || c.row.addressSized) {
    regs[1] = random.below(12);
    if (i.address === 16 && random.below(2)) regs[1]! |= random.word() & 0xffff0000;
  }
  for (const n of [5, 6, 7])
    if (c.row.string || random.below(2))
      regs[n] = mode === 32 ? pointer(random) : random.below(0x10000) | (random.below(2) ? random.word() & 0xffff0000 : 0);
  if (c.row.name.startsWith('XLAT')) regs[3] = mode === 32 ? pointer(random) : random.below(0xff00);
  if (/^I?DIV$/.test(c.row.name) && random.below(4)) {
    // Quotients that fit are rare among random dividends.
    regs[2] = c.row.name === 'DIV' ? random.below(16) : regs[0]! >> 31;
    if (i.w === 16) regs[2] = c.row.name === 'DIV' ? random.below(16) : (regs[0]! << 16) >> 31;
    if (c.row.operands[0] === 'Eb') regs[0] = (regs[0]! & ~0xff00) | (random.below(random.below(2) ? 2 : 256) << 8);
  }
  if (!aim(c.row, i, code, regs, mode, random)) return undefined;
  // A branch to itself runs for as long as its condition holds.
  if (c.row.operands.some((o, n) => o.startsWith('J') && (i.operands[n] as { value: number }).value === 0)) return undefined;
  const flags = random.word() & (0x8d5 | (c.row.string ? 0x400 : 0)),
    checked = c.file === 'alignment';
  if (checked) regs[4] = regs[4]! + random.below(4);
  const memory = operandAddress(i, regs);
  const words = isSegmentRow(c.row)
    ? aimSegments(c.row, i, code, regs, memory, random)
    : specialWords(c.row, memory, regs[4], mode, random);
  if (!words) return undefined;
  return {
    mode,
    regs: regs.map((r) => r | 0),
    eflags: checked ? flags | AC : flags,
    seed: 1 + random.below(64),
    pokes: inData(words, mode),
    code,
    fpu: isFpu(c.row) ? makeFpu(random) : FRESH_FPU,
  };
}

/** Where the instruction's memory operand is, as an offset of DS in 16-bit mode. */
function operandAddress(i: Instruction, regs: readonly number[]): number | undefined {
  const memory = i.operands.find((o) => o.kind === 'mem');
  return memory?.kind === 'mem' && memory.address ? offsetOf(memory.address, regs) : undefined;
}
/** What must be in memory for the instruction to stay inside the regions: branch targets, flags. */
function specialWords(row: Row, memory: number | undefined, stack: number, mode: 16 | 32, random: Random): [number, number][] {
  const target = (mode === 32 ? LAYOUT.CODE : 0) + 0x1000 + random.below(0x8000);
  if (row.name === 'RET') return [[stack, target]];
  if (row.names?.[0] === 'POPF') return [[stack, random.word() & RETURNED_FLAGS]];
  const special = isFpu(row) ? memoryWord(row, random) : /^(JMP|CALL)$/.test(row.name) ? { offset: 0, value: target } : undefined;
  return special && memory !== undefined ? [[memory + special.offset, special.value]] : [];
}
/** Words at addresses as words at offsets of the data region; those outside are dropped. */
function inData(words: readonly (readonly [number, number])[], mode: 16 | 32): [number, number][] {
  return words.flatMap(([address, value]) => {
    const offset = (address - (mode === 32 ? LAYOUT.DATA : 0)) | 0;
    return offset > 0 && offset <= LAYOUT.SIZE - 4 ? [[offset, value | 0] as [number, number]] : [];
  });
}
/** Effective address of a memory operand. */
export function offsetOf({ base, index, shift, disp, width }: AddressParts, regs: readonly number[]): number {
  const sum = (base < 0 ? 0 : regs[base]!) + (index < 0 ? 0 : regs[index]! << shift) + disp;
  return width === 16 ? sum & 0xffff : sum | 0;
}

/** Turns branch targets and flat memory operands to places that exist; false when that cannot be done. */
function aim(row: Row, i: Instruction, code: number[], regs: number[], mode: 16 | 32, random: Random): boolean {
  if (row.operands.includes('Jz')) {
    const bytes = i.w >> 3,
      relative = random.below(0x7000) - 0x700;
    for (let k = 0; k < bytes; k++) code[code.length - bytes + k] = (relative >> (8 * k)) & 0xff;
  }
  const indirect = /^(JMP|CALL)$/.test(row.name) && row.operands[0] === 'Ev';
  const memory = i.operands.find((o) => o.kind === 'mem');
  if (indirect && !memory) {
    const n = (i.operands[0] as { n: number }).n;
    if (n === 4) return false;
    regs[n] = (mode === 32 ? LAYOUT.CODE : 0) + 0x1000 + random.below(0x8000);
  }
  if (memory?.kind !== 'mem' || !memory.address || row.name === 'LEA') return true;
  // The processor has loaded or stored a part of an environment when it comes to the end of the segment, or goes round to its start.
  if (mode === 16 && memory.address.width === 16) return !ENVIRONMENT.test(row.name) || offsetOf(memory.address, regs) < LAYOUT.SIZE - 0x80;
  if (memory.address.width === 16) return false;
  const { base, index, shift, disp } = memory.address;
  const low = mode === 32 ? LAYOUT.DATA : 0,
    target = low + 0x400 + random.below(LAYOUT.SIZE - 0x800);
  // POP computes its address after it has moved the stack pointer, and ESP must stay a stack.
  if (base === 4) {
    if (index >= 0) regs[index] = random.below(64);
    return Math.abs(disp) < 0x4000;
  }
  if (base < 0 && index < 0) return disp >= low && disp < low + LAYOUT.SIZE - 32;
  if (base === index) return false;
  if (base < 0) {
    regs[index] = random.below(0x1000);
    return disp + (regs[index]! << shift) >= low && disp + (regs[index]! << shift) < low + LAYOUT.SIZE - 32;
  }
  if (index >= 0 && shift > 0) regs[index] = random.below(0x400) - 0x200;
  regs[base] = (target - disp - (index < 0 ? 0 : regs[index]! << shift)) | 0;
  // Bit strings reach far from their operand.
  const source = i.operands[1];
  if (/^BT[CRS]?$/.test(row.name) && source?.kind === 'reg') {
    if (source.n === base) return false;
    regs[source.n as number] = random.below(0x1000) - 0x800;
    if (index === source.n) return false;
  }
  return true;
}
