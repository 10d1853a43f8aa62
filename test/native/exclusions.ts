// Rows that user mode on a real processor cannot show, each with the reason and with the cases that show it against the SDM
// instead; test/translator/vectors.test.ts checks that these exist.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../../src/translator/instructions/notation.ts';
import { isSimd } from './simdCases.ts';

export interface Exclusion {
  readonly rows: (row: Row) => boolean;
  readonly reason: string;
  /** A file in test/ and cases in it: titles of mocha's, or of the CASE lines of a guest. */
  readonly shown: readonly [file: string, ...titles: string[]];
}
const named =
  (pattern: RegExp) =>
  (row: Row): boolean =>
    pattern.test(row.name);

export const EXCLUSIONS: readonly Exclusion[] = [
  {
    rows: named(/^\(bad\)$/),
    reason: 'no instruction',
    shown: ['runtime/guests/realMode.asm', 'undefined ModRM of group 4', 'undefined ModRM of group 5', 'LEA of a register'],
  },
  {
    rows: named(/^SYSENTER$/),
    reason: 'enters the operating system',
    shown: ['runtime/guests/system.asm', 'SYSENTER from ring 3', 'SYSENTER from ring 0', 'SYSENTER without a selector'],
  },
  {
    rows: named(/^SYSEXIT$/),
    reason: 'is another instruction under a 64-bit operating system on some models',
    shown: ['runtime/guests/system.asm', 'SYSEXIT', 'SYSEXIT in ring 3', 'SYSEXIT without a selector'],
  },
  {
    rows: named(/^VMCALL$/),
    reason: 'is what the hypervisor beneath makes of it',
    shown: ['vmm/firmware/bios.test.ts', 'serves a VMCALL of its ROM and says which interrupt it was'],
  },
  {
    rows: named(/^(SGDT|SIDT)$/),
    reason: 'are done by the operating system (UMIP) with values of its own',
    shown: ['runtime/guests/system.asm', 'SGDT', 'SGDT with 16-bit operands', 'SIDT', 'SIDT with 16-bit operands'],
  },
  {
    rows: named(/^(SLDT|STR|SMSW)$/),
    reason: 'are done by the operating system (UMIP) with values of its own',
    shown: ['runtime/guests/system.asm', 'SLDT', 'STR', 'SMSW', 'SLDT, STR, SMSW to memory write a word', 'SLDT, STR, SMSW of 16 bits'],
  },
  {
    rows: named(/^RDTSCP$/),
    reason: "depends on the processor's clock",
    shown: ['runtime/control.test.ts', 'RDTSCP also gives IA32_TSC_AUX, and CR4.TSD governs it too'],
  },
  {
    rows: named(/^(XGETBV|XSETBV|XSAVE|XRSTOR)$/),
    reason: 'show components that the operating system has enabled and what the processor tracks of them',
    shown: [
      'runtime/extendedState.test.ts',
      'begins with the x87 component alone, and XSETBV takes what there is',
      'saves what is enabled and asked for, and says in the header what is not as after initialisation',
      'restores what it saved',
    ],
  },
  {
    rows: named(/^RDRAND$/),
    reason: 'is chance',
    shown: ['runtime/random.test.ts', 'sets CF, clears the other flags, and leaves the high half of a 16-bit destination'],
  },
  {
    rows: named(/^(CLAC|STAC)$/),
    reason: "are the operating system's",
    shown: ['runtime/control.test.ts', 'STAC and CLAC change AC alone, and are undefined outside ring 0'],
  },
  {
    rows: isSimd,
    reason: 'have vectors of their own',
    shown: ['translator/simdVectors.test.ts', 'has no vectors of anything that is not in the table'],
  },
  {
    rows: named(/^(F2XM1|FYL2XP?1?|FPTAN|FPATAN|FSIN|FCOS|FSINCOS)$/),
    reason: 'are rounded as the processor model does',
    shown: [
      'runtime/fpu/transcendental.test.ts',
      'sin and cos together are those alone, C1 that of the sine',
      'atan: every ratio, every quadrant',
      '2^x - 1 between -1 and 1',
      'y log2 x',
      'y log2(x + 1)',
    ],
  },
];
export function exclusionOf(row: Row): Exclusion | undefined {
  return EXCLUSIONS.find(({ rows }) => rows(row));
}
/** Titles of an exclusion that its file does not have. */
export function missingCases({ shown: [file, ...titles] }: Exclusion): string[] {
  const lines = readFileSync(join(import.meta.dirname, '..', file), 'utf8').split('\n');
  return titles.filter(
    (title) => !lines.some((line) => line.includes(`it('${title}'`) || (/^ +CASE/.test(line) && line.endsWith(`; ${title}`))),
  );
}
