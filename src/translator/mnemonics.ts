// What both syntaxes of instruction text share: names of registers, mnemonics and prefixes, addresses of branch targets.

import type { Instruction } from './decode.ts';
import type { AddressParts, VectorOperand } from './ir/value.ts';
import { DS, S, SS } from './state.ts';

export interface FormatOptions {
  /** EIP (or linear address) of the place that `at` counts from: branch targets are printed as absolute addresses. */
  readonly base: number;
  readonly syntax?: 'intel' | 'att';
  /** Name of an address, printed in angle brackets after a branch target. */
  readonly symbol?: (address: number) => string | undefined;
}

const REGISTERS32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
const REGISTERS8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'] as const;
export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;

/** Name of a general register of that width. */
export function registerName(n: number, w: number): string {
  return w === 8 ? REGISTERS8[n]! : w === 16 ? REGISTERS32[n]!.slice(1) : REGISTERS32[n]!;
}
/** Name of an MMX or XMM register. */
export function vectorName({ word }: VectorOperand): string {
  const at = word as number;
  return at >= S.XMM0 ? `xmm${(at - S.XMM0) >> 2}` : `mm${(at - S.FPU_R0) >> 2}`;
}
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** Mnemonic with its condition or size, in lower case. */
export function mnemonic(i: Instruction): string {
  const { row, cc, w, address } = i,
    predicate = predicateOf(i);
  if (predicate !== undefined) return row.name.toLowerCase().replace('cmp', `cmp${predicate}`);
  const name = row.names ? row.names[(row.addressSized ? address : w) === 16 ? 0 : 1] : row.name;
  return name.replace(/cc$/, CONDITIONS[cc]!).toLowerCase();
}
const PREDICATES = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'] as const;
/** The comparison that an immediate of CMPPS and the like asks for, which is written in the mnemonic. */
function predicateOf({ row, operands }: Instruction): string | undefined {
  const last = operands[2];
  return /^CMP[PS][SD]$/.test(row.name) && last?.kind === 'imm' ? PREDICATES[last.value as number] : undefined;
}
/** How many operands are written. */
export function shownOperands(i: Instruction): number {
  return i.operands.length - (predicateOf(i) === undefined ? 0 : 1);
}
/** LOCK and repeat prefixes with a space after each. */
export function prefixes({ row, lock, rep }: Instruction): string {
  const compares = row.name === 'CMPS' || row.name === 'SCAS';
  return `${lock ? 'lock ' : ''}${rep === 'none' ? '' : rep === 'repne' ? 'repnz ' : compares ? 'repz ' : 'rep '}`;
}

/** Absolute address of a relative target, with its name when it has one. */
export function targetText(i: Instruction, value: number, { base, symbol }: FormatOptions): string {
  const target = i.w === 16 ? (base + value) & 0xffff : (base + value) >>> 0,
    name = symbol?.(target);
  return name === undefined ? hex(target) : `${hex(target)} <${name}>`;
}

/** Displacement as written in the instruction: POP's counts from the stack pointer before it was incremented. */
export function displacement(i: Instruction, { base, disp }: AddressParts): number {
  return i.row.pops && base === 4 ? (disp - (i.w >> 3)) | 0 : disp;
}
/** Segment an address uses when there is no override. */
export function defaultSegment({ base }: AddressParts): number {
  return base === 4 || base === 5 ? SS : DS;
}
