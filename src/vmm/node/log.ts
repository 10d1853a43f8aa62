// What -d and --trace-exits write: exceptions and interrupts, resets with the registers, decoded code, and every VM exit, one
// line each. Lines are collected and written in blocks.

import { closeSync, openSync, writeSync } from 'node:fs';
import { EXITS } from '../../runtime/exits.ts';
import type { Guest } from '../guest.ts';
import type { ExitRecord } from '../protocol.ts';

const BLOCK = 64 << 10;

/** A text file that is written in blocks; '-' or null is standard error. */
export class LogFile {
  readonly #file: number;
  readonly #close: boolean;
  #lines: string[] = [];
  #length = 0;

  constructor(path: string | null) {
    this.#close = path !== null && path !== '-';
    this.#file = this.#close ? openSync(path as string, 'w') : 2;
  }

  line(text: string): void {
    this.#lines.push(text, '\n');
    this.#length += text.length + 1;
    if (this.#length >= BLOCK) this.flush();
  }

  flush(): void {
    if (this.#length === 0) return;
    const bytes = new TextEncoder().encode(this.#lines.join(''));
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#lines = [];
    this.#length = 0;
  }

  close(): void {
    this.flush();
    if (this.#close) closeSync(this.#file);
  }
}

const hex = (value: number, digits: number): string => (value >>> 0).toString(16).padStart(digits, '0');
const place = ({ cs, eip }: ExitRecord): string => `${hex(cs, 4)}:${hex(eip, 8)}`;

/** 'tick cs:eip reason  words'. */
export const exitLine = (record: ExitRecord): string =>
  `${String(record.tick).padStart(12)} ${place(record)} ${EXITS[record.reason].title.padEnd(20)} ${record.text}`;

/** A line of -d int; the vector first, as QEMU prints it. */
export const interruptLine = (record: ExitRecord): string =>
  `${String(record.sequence).padStart(6)}: v=${hex(record.reason === 'nmi' ? 2 : record.qualification, 2)} e=${hex(record.detail & 0xffff, 4)} i=${record.reason === 'exception' ? 0 : 1} IP=${place(record)} pc=${hex(record.linear, 8)} ${record.text}`;

/** A decoded instruction of -d in_asm: address, bytes, text. */
export function codeLine(guest: Guest, linear: number, length: number): string {
  const bytes = guest.cpu.readLinear(linear, length);
  const text = guest.disassemble(bytes, linear, guest.cpu.codeSize)?.text ?? '(bad)';
  return `0x${hex(linear, 8)}:  ${Array.from(bytes, (byte) => hex(byte, 2))
    .join(' ')
    .padEnd(30)}  ${text}`;
}

/** The registers as -d cpu_reset prints them. */
export function registerLines({ cpu }: Guest): string[] {
  const show = (name: string, digits = 8): string => hex(Number(cpu.get(name)), digits);
  const general = (names: string[]): string => names.map((name) => `${name.toUpperCase()}=${show(name)}`).join(' ');
  return [
    general(['eax', 'ebx', 'ecx', 'edx']),
    general(['esi', 'edi', 'ebp', 'esp']),
    `EIP=${show('eip')} EFL=${show('eflags')}`,
    ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'].map(
      (name) => `${name.toUpperCase()} =${show(name, 4)} ${show(`${name}_base`)} ${show(`${name}_limit`)} ${show(`${name}_access`, 4)}`,
    ),
    `GDT=     ${show('gdtr_base')} ${show('gdtr_limit')}`,
    `IDT=     ${show('idtr_base')} ${show('idtr_limit')}`,
    general(['cr0', 'cr2', 'cr3', 'cr4']),
  ];
}
