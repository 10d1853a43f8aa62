// MTRRs and the page attribute table (SDM volume 3, "Memory Type Range Registers", "Page Attribute Table"). Memory has no
// caches here, so they change nothing: they hold what software wrote, and refuse what a processor refuses.

import { S } from '../translator/state.ts';
import type { CpuModel } from './cpuModels.ts';
import { constant, type MsrRow, type NumberedMsr, stored } from './msrRow.ts';

const VARIABLE_RANGES = 8;
/** Bits of IA32_MTRRCAP: write-combining is there, fixed ranges are there; the count of variable ranges is below. */
const CAPABILITIES = 0x500 | VARIABLE_RANGES;
/** IA32_MTRR_DEF_TYPE: enable, enable fixed ranges, type. IA32_MTRR_PHYSMASKn: valid. */
const DEFAULT_BITS = 0xcff,
  MASK_RESERVED = 0x7ff,
  BASE_RESERVED = 0xf00;
/** UC, WC, WT, WP, WB; in the page attribute table UC- besides. */
const TYPES: readonly number[] = [0, 1, 4, 5, 6];
const PAT_TYPES: readonly number[] = [...TYPES, 7];

const bytesOf = (half: number): number[] => [0, 8, 16, 24].map((shift) => (half >>> shift) & 0xff);
const all = (low: number, high: number, types: readonly number[]): boolean =>
  [...bytesOf(low), ...bytesOf(high)].every((type) => types.includes(type));
const aboveAddress = (model: CpuModel): number => ~((1 << (model.physicalBits - 32)) - 1);
const hasMtrr = (model: CpuModel): boolean => model.has.has('mtrr');

/** The ranges of fixed size below 1 MiB: MSR number and what they are called. */
const FIXED: readonly (readonly [number, string])[] = [
  [0x250, '64K_00000'],
  [0x258, '16K_80000'],
  [0x259, '16K_A0000'],
  ...[0xc0, 0xc8, 0xd0, 0xd8, 0xe0, 0xe8, 0xf0, 0xf8].map((page, n) => [0x268 + n, `4K_${page.toString(16).toUpperCase()}000`] as const),
];
const fixed = FIXED.map(
  ([number, range], n): NumberedMsr => [
    number,
    stored(`IA32_MTRR_FIX${range}`, S.MTRR_FIXED + 2 * n, hasMtrr, (low, high) => all(low, high, TYPES)),
  ],
);
const variable = Array.from({ length: VARIABLE_RANGES }, (_, n): NumberedMsr[] => [
  [
    0x200 + 2 * n,
    stored(
      `IA32_MTRR_PHYSBASE${n}`,
      S.MTRR_VARIABLE + 4 * n,
      hasMtrr,
      (low, high, model) => (low & BASE_RESERVED) === 0 && TYPES.includes(low & 0xff) && (high & aboveAddress(model)) === 0,
    ),
  ],
  [
    0x201 + 2 * n,
    stored(
      `IA32_MTRR_PHYSMASK${n}`,
      S.MTRR_VARIABLE + 4 * n + 2,
      hasMtrr,
      (low, high, model) => (low & MASK_RESERVED) === 0 && (high & aboveAddress(model)) === 0,
    ),
  ],
]).flat();
const pat: MsrRow = stored(
  'IA32_PAT',
  S.PAT,
  (model) => model.has.has('pat'),
  (low, high) => all(low, high, PAT_TYPES),
);

export const MEMORY_TYPE_MSRS: readonly NumberedMsr[] = [
  [
    0xfe,
    constant(
      'IA32_MTRRCAP',
      () => CAPABILITIES,
      () => 0,
      hasMtrr,
    ),
  ],
  [
    0x2ff,
    stored(
      'IA32_MTRR_DEF_TYPE',
      S.MTRR_DEFAULT,
      hasMtrr,
      (low, high) => (low & ~DEFAULT_BITS) === 0 && high === 0 && TYPES.includes(low & 0xff),
    ),
  ],
  ...fixed,
  ...variable,
  [0x277, pat],
];
