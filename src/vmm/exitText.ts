// An exit's qualification in words, one function per reason: 'out 0x3f8, al = 0x41 'A''. The forms of the qualification are the
// SDM's (volume 3, "Basic VM-Exit Information", exit qualifications of I/O instructions, control- and debug-register accesses
// and task switches).

import type { ExitName } from '../runtime/exits.ts';
import { MSRS } from '../runtime/msr.ts';
import { APIC_REGISTERS } from './devices/apicRegisters.ts';

const GENERAL = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const ACCUMULATOR: { readonly [size: number]: string } = { 1: 'al', 2: 'ax', 4: 'eax' };
const TASK_SOURCE = ['CALL', 'IRET', 'JMP', 'task gate'];
const TABLE_INSTRUCTION = ['SGDT', 'SIDT', 'LGDT', 'LIDT'];
const LOCAL_INSTRUCTION = ['SLDT', 'STR', 'LLDT', 'LTR'];
const DEBUG_KIND = ['breakpoint', 'watchpoint', 'step', 'pause'];

/** Exception names by vector (SDM volume 3, "Exception and Interrupt Vectors"). */
export const EXCEPTION_NAMES: { readonly [vector: number]: string } = {
  0: '#DE divide error',
  1: '#DB debug',
  2: 'NMI',
  3: '#BP breakpoint',
  4: '#OF overflow',
  5: '#BR BOUND range exceeded',
  6: '#UD invalid opcode',
  7: '#NM device not available',
  8: '#DF double fault',
  10: '#TS invalid TSS',
  11: '#NP segment not present',
  12: '#SS stack-segment fault',
  13: '#GP general protection',
  14: '#PF page fault',
  16: '#MF x87 floating-point error',
  17: '#AC alignment check',
  18: '#MC machine check',
  19: '#XM SIMD floating-point exception',
};

/** Names of the local APIC's registers by offset. */
const APIC_NAMES: { readonly [offset: number]: string } = Object.fromEntries(
  Object.entries(APIC_REGISTERS).map(([name, offset]) => [offset, name.replaceAll('_', ' ')]),
);

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
const printable = (value: number): string => (value > 0x20 && value < 0x7f ? ` '${String.fromCharCode(value)}'` : '');

function io(qualification: number, value: number): string {
  const size = (qualification & 7) + 1;
  const input = (qualification & 8) !== 0;
  const port = hex(qualification >>> 16);
  if (qualification & 16) {
    const name = `${input ? 'ins' : 'outs'}${size === 1 ? 'b' : size === 2 ? 'w' : 'd'}`;
    return `${qualification & 32 ? 'rep ' : ''}${name} ${port}, ${hex(value)}`;
  }
  const register = ACCUMULATOR[size] ?? 'eax';
  return `${input ? 'in' : 'out'} ${port}, ${register} = ${hex(value)}${size === 1 ? printable(value) : ''}`;
}

function controlRegister(qualification: number, value: number): string {
  const name = `cr${qualification & 15}`;
  const register = GENERAL[(qualification >>> 8) & 7];
  switch ((qualification >>> 4) & 3) {
    case 0:
      return `mov ${name}, ${register} = ${hex(value)}`;
    case 1:
      return `mov ${register}, ${name} = ${hex(value)}`;
    case 2:
      return 'clts';
    default:
      return `lmsw ${hex(value)}`;
  }
}

function debugRegister(qualification: number, value: number): string {
  const name = `dr${qualification & 7}`;
  const register = GENERAL[(qualification >>> 8) & 7];
  return qualification & 16 ? `mov ${register}, ${name} = ${hex(value)}` : `mov ${name}, ${register} = ${hex(value)}`;
}

/** A model-specific register by number and name. */
function msrText(msr: number): string {
  const row = MSRS.get(msr);
  return row ? `MSR ${hex(msr)} ${row.name}` : `MSR ${hex(msr)}`;
}

const EXCEPTIONS_WITH_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);
/** An exception by name, with its error code where it has one. */
export const exceptionText = (vector: number, code: number): string =>
  `${EXCEPTION_NAMES[vector] ?? `vector ${vector}`}${EXCEPTIONS_WITH_CODE.has(vector) && code !== 0xffffffff ? `, error code ${hex(code)}` : ''}`;

const TEXT: { readonly [N in ExitName]: (qualification: number, detail: number) => string } = {
  exception: exceptionText,
  externalInterrupt: (vector) => `vector ${hex(vector)}`,
  tripleFault: (vector, code) => `while delivering ${exceptionText(vector, code)}`,
  interruptWindow: () => 'interrupts became possible',
  nmi: () => 'non-maskable interrupt',
  taskSwitch: (qualification, source) => `${TASK_SOURCE[source & 3]} to selector ${hex(qualification & 0xffff)}`,
  cpuid: (leaf, subleaf) => `leaf ${hex(leaf)}, subleaf ${hex(subleaf)}`,
  hlt: () => 'waits for an interrupt',
  invlpg: (address) => `page of ${hex(address)}`,
  rdpmc: (counter) => `counter ${counter}`,
  rdtsc: () => 'time-stamp counter',
  rdtscp: () => 'time-stamp counter and processor',
  xsetbv: (register, value) => `XCR${register} = ${hex(value)}`,
  rdrand: (value) => `random number ${hex(value)}`,
  vmcall: (linear, eax) => `at ${hex(linear)}, eax = ${hex(eax)}`,
  crAccess: controlRegister,
  drAccess: debugRegister,
  ioInstruction: io,
  rdmsr: (msr) => msrText(msr),
  wrmsr: (msr, low) => `${msrText(msr)}, low half ${hex(low)}`,
  apicAccess: (qualification, value) =>
    `${qualification & 0x1000 ? 'write' : 'read'} ${APIC_NAMES[qualification & 0xff0] ?? hex(qualification & 0xfff)}, value ${hex(value)}`,
  descriptorTable: (instruction, base) => `${TABLE_INSTRUCTION[instruction & 3]}, base ${hex(base)}`,
  localDescriptorTable: (instruction, selector) => `${LOCAL_INSTRUCTION[instruction & 3]} ${hex(selector)}`,
  mmio: (address, value) => `address ${hex(address)}, value ${hex(value)}`,
  unmappedMemory: (address, value) => `nothing at ${hex(address)}, value ${hex(value)}`,
  highMemory: (low, high) => `nothing at 0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`,
  preemption: () => 'another guest has the processor',
  wbinvd: () => 'caches written back and invalidated',
  invd: () => 'caches invalidated',
  debug: (kind, linear) => `${DEBUG_KIND[kind] ?? 'stop'} at ${hex(linear)}`,
  invalidatedCode: (address, bytes) => `${bytes} ${bytes === 1 ? 'byte' : 'bytes'} at ${hex(address)}`,
  biosService: (interrupt, ax) => `INT ${interrupt.toString(16).padStart(2, '0').toUpperCase()}h, AX = ${hex(ax)}`,
};

/** The qualification of an exit in words. */
export const qualificationText = (reason: ExitName, qualification: number, detail: number): string =>
  TEXT[reason](qualification >>> 0, detail >>> 0);
