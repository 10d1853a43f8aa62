// What CPUID says (SDM volume 2, CPUID, "Information Returned by CPUID Instruction"), made from the guest's model. The
// hypervisor's leaves are at 40000000h, as hypervisors agree.

import { FEATURES, type FeatureRow } from '../translator/features.ts';
import type { CacheRow, CpuModel } from './cpuModels.ts';
import { XCR0_BUILT, XSAVE_BYTES } from './fpu/extendedState.ts';
import { KVM_SIGNATURE, kvmLeaf } from './kvm.ts';

/** EAX, EBX, ECX, EDX. */
export type CpuidLeaf = readonly [number, number, number, number];
const NOTHING: CpuidLeaf = [0, 0, 0, 0];
const EXTENDED = 0x80000000,
  HYPERVISOR = 0x40000000;
/** Bytes of a cache line in units of 8, for leaf 1. */
const CLFLUSH_LINE = 8 << 8;
/** In ECX of leaf 1: CR4.OSXSAVE. */
const OSXSAVE = 1 << 27;

/** Four characters as a register shows them. */
const letters = (text: string, at = 0): number => [0, 1, 2, 3].reduce((word, n) => word | ((text.charCodeAt(at + n) || 0) << (8 * n)), 0);

function features(model: CpuModel, leaf: number, register: FeatureRow['register']): number {
  let word = 0;
  for (const name of model.has) {
    const row = FEATURES[name];
    if (row?.leaf === leaf && row.register === register) word |= 1 << row.bit;
  }
  return word;
}
/** Leaf 2: AL counts the calls, then one descriptor a byte. */
function descriptors({ descriptors: list }: CpuModel): CpuidLeaf {
  const bytes = [1, ...list, ...new Array<number>(15 - list.length).fill(0)];
  const word = (n: number): number => bytes[n]! | (bytes[n + 1]! << 8) | (bytes[n + 2]! << 16) | (bytes[n + 3]! << 24);
  return [word(0), word(4), word(8), word(12)];
}
const CACHE_KIND = { data: 1, instruction: 2, unified: 3 } as const;
/** Leaf 4; bit 8 of EAX: the level initialises itself. */
const cache = ({ kind, level, line, ways, sets }: CacheRow): CpuidLeaf => [
  CACHE_KIND[kind] | (level << 5) | (1 << 8),
  (line - 1) | ((ways - 1) << 22),
  sets - 1,
  0,
];
/** Bits 15-12 of leaf 80000006h: associativity. */
const WAYS: { readonly [ways: number]: number } = { 8: 6, 16: 8 };

function extendedLeaf(model: CpuModel, leaf: number): CpuidLeaf {
  switch (leaf) {
    case 0x80000000:
      return [model.extendedLevel | 0, 0, 0, 0];
    case 0x80000001:
      return [0, 0, features(model, leaf, 'ecx'), features(model, leaf, 'edx')];
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = (leaf - 0x80000002) * 16;
      return [letters(model.brand, at), letters(model.brand, at + 4), letters(model.brand, at + 8), letters(model.brand, at + 12)];
    }
    case 0x80000006: {
      const second = model.caches.find(({ level }) => level === 2);
      return second
        ? [0, 0, second.line | (WAYS[second.ways]! << 12) | (((second.line * second.ways * second.sets) >> 10) << 16), 0]
        : NOTHING;
    }
    case 0x80000007:
      return [0, 0, 0, features(model, leaf, 'edx')];
    case 0x80000008:
      return [model.physicalBits | (32 << 8), 0, 0, 0];
    default:
      return NOTHING;
  }
}
function basicLeaf(model: CpuModel, leaf: number, subleaf: number, { osxsave, apic }: CpuidState): CpuidLeaf {
  switch (leaf) {
    case 0:
      return [model.level, letters('Genu'), letters('ntel'), letters('ineI')];
    case 1:
      return [
        model.signature,
        model.has.has('clflush') ? CLFLUSH_LINE : 0,
        features(model, 1, 'ecx') | (osxsave ? OSXSAVE : 0),
        features(model, 1, 'edx') & ~(apic ? 0 : 1 << FEATURES.apic.bit),
      ];
    case 2:
      return descriptors(model);
    case 4: {
      const row = model.caches[subleaf];
      return row ? cache(row) : NOTHING;
    }
    case 7:
      return subleaf === 0 ? [0, features(model, 7, 'ebx'), features(model, 7, 'ecx'), features(model, 7, 'edx')] : NOTHING;
    case 13:
      // Only the standard format: sub-leaf 1 has nothing. Both components are in the legacy region, so any XCR0 needs the same size.
      return subleaf === 0 && model.has.has('xsave') ? [XCR0_BUILT, XSAVE_BYTES, XSAVE_BYTES, 0] : NOTHING;
    default:
      return NOTHING;
  }
}
function hypervisorLeaf(model: CpuModel, leaf: number): CpuidLeaf {
  if (leaf !== HYPERVISOR) return model.kvm ? kvmLeaf(model, leaf) : NOTHING;
  const { highest, text } = model.kvm ? KVM_SIGNATURE : { highest: HYPERVISOR, text: 'CP/86CP/86CP' };
  return [highest, letters(text), letters(text, 4), letters(text, 8)];
}

/** What of CPUID follows the state: CR4.OSXSAVE, and whether IA32_APIC_BASE has the APIC on. */
export interface CpuidState {
  readonly osxsave: boolean;
  readonly apic: boolean;
}

/** A leaf's four registers; above the highest leaf the data of the highest basic leaf, as Intel's processors do. */
export function cpuidLeaf(model: CpuModel, leaf: number, subleaf: number, state: CpuidState): CpuidLeaf {
  const number = leaf >>> 0;
  if (number >= EXTENDED && number <= model.extendedLevel) return extendedLeaf(model, number);
  if (number >= HYPERVISOR && number < HYPERVISOR + 0x100 && model.has.has('hypervisor')) return hypervisorLeaf(model, number);
  return basicLeaf(model, Math.min(number, model.level), subleaf >>> 0, state);
}
