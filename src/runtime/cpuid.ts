// What CPUID says (SDM volume 2, CPUID): a Pentium II of which only what exists here is announced. The hypervisor leaf is at
// 40000000h, as hypervisors agree.

import { FEATURES, type FeatureRow } from '../translator/features.ts';

/** Family 6, model 5, stepping 2. */
export const SIGNATURE = 0x652;
/** EDX of leaf 1 beside the instruction set extensions: FPU, DE, PSE, TSC, MSR, CX8, SEP, PGE, CMOV. */
const OTHER_FEATURES = (1 << 0) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 8) | (1 << 11) | (1 << 13) | (1 << 15);
/** ECX of leaf 1: bit 31, reserved for hypervisors. */
const HYPERVISOR = 1 << 31;
/** EBX of leaf 1, bits 8-15: bytes that CLFLUSH flushes, in units of 8. */
const CLFLUSH_SIZE = 8 << 8;

const EXTENSIONS: readonly FeatureRow[] = Object.values(FEATURES);
/** The extensions that the processor has, as bits of a register of leaf 1. */
const announced = (register: FeatureRow['register']): number =>
  EXTENSIONS.filter((row) => row.register === register).reduce((bits, row) => bits | (1 << row.bit), 0);
/** The same as bits of the mode word. */
export const FEATURE_MODE = EXTENSIONS.reduce((bits, row) => bits | row.mode, 0);

/** EAX, EBX, ECX, EDX. */
export type CpuidLeaf = readonly [number, number, number, number];

/** Four characters as a register shows them. */
const letters = (text: string): number =>
  text.charCodeAt(0) | (text.charCodeAt(1) << 8) | (text.charCodeAt(2) << 16) | (text.charCodeAt(3) << 24);

const BASIC: readonly CpuidLeaf[] = [
  [2, letters('Genu'), letters('ntel'), letters('ineI')],
  [SIGNATURE, CLFLUSH_SIZE, HYPERVISOR | announced('ecx'), OTHER_FEATURES | announced('edx')],
  // Cache and TLB descriptors of a Pentium II: 16 KiB code, 16 KiB data, 512 KiB second level.
  [0x03020101, 0, 0, 0x0c040843],
];
const HYPERVISOR_LEAF = 0x40000000;

/** A leaf's four registers; above the highest basic leaf the data of that leaf, as the processor does. */
export function cpuidLeaf(leaf: number): CpuidLeaf {
  const number = leaf >>> 0;
  if (number === HYPERVISOR_LEAF) return [HYPERVISOR_LEAF, letters('CP/8'), letters('6CP/'), letters('86CP')];
  return BASIC[Math.min(number, BASIC.length - 1)]!;
}
