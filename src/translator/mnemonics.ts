// What both syntaxes of instruction text share: names of registers, mnemonics and prefixes, addresses of branch targets.

import type { Instruction } from './decode.ts';
import type { AddressParts } from './ir/builder.ts';
import { DS, SS } from './state.ts';

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
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** Mnemonic with its condition or size, in lower case. */
export function mnemonic({ row, cc, w, address }: Instruction): string {
  const name = row.names ? row.names[(row.addressSized ? address : w) === 16 ? 0 : 1] : row.name;
  return name.replace(/cc$/, CONDITIONS[cc]!).toLowerCase();
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
