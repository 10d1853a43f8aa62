// Features of a processor by the names of Linux' /proc/cpuinfo, and where CPUID shows each (SDM volume 2, CPUID, "Information
// Returned by CPUID Instruction"). An instruction's row names the feature that it comes with (instructions/notation.ts); which
// model has which features, and which are built, stands in runtime/cpuModels.ts. Beside them what state an extension's instructions
// need the operating system to have enabled (SDM volume 3, "System Programming for Instruction Set Extensions and Processor Extended
// States").

import { MODE } from './mode.ts';

/** Leaf and sub-leaf, register, bit. */
export interface FeatureRow {
  readonly leaf: number;
  readonly register: 'ebx' | 'ecx' | 'edx';
  readonly bit: number;
}
const at = (leaf: number, register: FeatureRow['register'], bit: number): FeatureRow => ({ leaf, register, bit });

/** Every feature by name; null: CPUID has no bit for it, software goes by family and model. */
export const FEATURES = {
  fpu: at(1, 'edx', 0),
  de: at(1, 'edx', 2),
  pse: at(1, 'edx', 3),
  tsc: at(1, 'edx', 4),
  msr: at(1, 'edx', 5),
  pae: at(1, 'edx', 6),
  mce: at(1, 'edx', 7),
  cx8: at(1, 'edx', 8),
  apic: at(1, 'edx', 9),
  sep: at(1, 'edx', 11),
  mtrr: at(1, 'edx', 12),
  pge: at(1, 'edx', 13),
  mca: at(1, 'edx', 14),
  cmov: at(1, 'edx', 15),
  pat: at(1, 'edx', 16),
  pse36: at(1, 'edx', 17),
  clflush: at(1, 'edx', 19),
  mmx: at(1, 'edx', 23),
  fxsr: at(1, 'edx', 24),
  sse: at(1, 'edx', 25),
  sse2: at(1, 'edx', 26),
  /** SSE3. */
  pni: at(1, 'ecx', 0),
  ssse3: at(1, 'ecx', 9),
  sse4_1: at(1, 'ecx', 19),
  sse4_2: at(1, 'ecx', 20),
  movbe: at(1, 'ecx', 22),
  popcnt: at(1, 'ecx', 23),
  tsc_deadline_timer: at(1, 'ecx', 24),
  xsave: at(1, 'ecx', 26),
  rdrand: at(1, 'ecx', 30),
  hypervisor: at(1, 'ecx', 31),
  smep: at(7, 'ebx', 7),
  smap: at(7, 'ebx', 20),
  umip: at(7, 'ecx', 2),
  nx: at(0x80000001, 'edx', 20),
  rdtscp: at(0x80000001, 'edx', 27),
  /** The time-stamp counter runs at one rate whatever the processor does ("invariant TSC"). */
  nonstop_tsc: at(0x80000007, 'edx', 8),
  /** RDPMC: from the Pentium with MMX on. */
  pmc: null,
  /** The long NOPs and hints 0F 0D and 0F 18-1F: from the Pentium Pro on. */
  nopl: null,
} as const satisfies Record<string, FeatureRow | null>;
export type Feature = keyof typeof FEATURES;

/**
 * State that an instruction uses besides general registers: the MMX registers, the XMM registers or MXCSR, or both sets as an
 * image in memory.
 */
export type ExtendedState = 'mmx' | 'xmm' | 'image';

/** Why an instruction cannot run in a mode: undefined opcode, or the state's owner has to be asked first. */
export function refusal(state: ExtendedState | undefined, mode: number): 'undefined' | 'notAvailable' | undefined {
  if (state === undefined) return undefined;
  if (state !== 'image' && (mode & MODE.EMULATE) !== 0) return 'undefined';
  if (state === 'xmm' && (mode & MODE.OSFXSR) === 0) return 'undefined';
  return (mode & MODE.NO_FPU) !== 0 ? 'notAvailable' : undefined;
}
