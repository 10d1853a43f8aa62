// Instruction set extensions by their CPUID feature flags (SDM volume 2, CPUID, "Feature Information Returned in the EDX
// Register", "... in the ECX Register"), and what state an extension's instructions need the operating system to have enabled
// (SDM volume 3, "System Programming for Instruction Set Extensions and Processor Extended States").

import { MODE } from './mode.ts';

export interface FeatureRow {
  /** Register of CPUID leaf 1, and its bit there. */
  readonly register: 'ecx' | 'edx';
  readonly bit: number;
  /** Bit of the mode word that is set while the processor has the feature. */
  readonly mode: number;
}
const feature = (n: number, register: FeatureRow['register'], bit: number): FeatureRow => ({ register, bit, mode: MODE.FEATURES << n });

/** In the order of the mode word's bits. */
export const FEATURES = {
  clfsh: feature(0, 'edx', 19),
  mmx: feature(1, 'edx', 23),
  fxsr: feature(2, 'edx', 24),
  sse: feature(3, 'edx', 25),
  sse2: feature(4, 'edx', 26),
  sse3: feature(5, 'ecx', 0),
  ssse3: feature(6, 'ecx', 9),
  sse4_1: feature(7, 'ecx', 19),
  popcnt: feature(8, 'ecx', 23),
} as const satisfies Record<string, FeatureRow>;
export type Feature = keyof typeof FEATURES;

/**
 * State that an instruction uses besides general registers: the MMX registers, the XMM registers or MXCSR, or both sets as an
 * image in memory.
 */
export type ExtendedState = 'mmx' | 'xmm' | 'image';

/** Why an instruction cannot run in a mode: undefined opcode, or the state's owner has to be asked first. */
export function refusal(
  needs: Feature | undefined,
  state: ExtendedState | undefined,
  mode: number,
): 'undefined' | 'notAvailable' | undefined {
  if (needs !== undefined && (mode & FEATURES[needs].mode) === 0) return 'undefined';
  if (state === undefined) return undefined;
  if (state !== 'image' && (mode & MODE.EMULATE) !== 0) return 'undefined';
  if (state === 'xmm' && (mode & MODE.OSFXSR) === 0) return 'undefined';
  return (mode & MODE.NO_FPU) !== 0 ? 'notAvailable' : undefined;
}
