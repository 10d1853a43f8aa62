// Memory types as firmware leaves them (SDM volume 3, "Memory Type Range Registers"): RAM is write-back, the display adapter's
// window and the last quarter of the 32-bit address space are uncached, ROMs are write-protected.

import type { FirmwareMachine } from './machine.ts';

const UNCACHED = 0,
  WRITE_PROTECTED = 0x05050505,
  WRITE_BACK = 0x06060606;
/** MSRs of the fixed ranges and their types. */
const FIXED: readonly (readonly [msr: number, types: number])[] = [
  [0x250, WRITE_BACK],
  [0x258, WRITE_BACK],
  [0x259, UNCACHED],
  ...Array.from({ length: 8 }, (_, n) => [0x268 + n, WRITE_PROTECTED] as const),
];
const PHYSBASE0 = 0x200,
  PHYSMASK0 = 0x201,
  DEFAULT_TYPE = 0x2ff;
const DEVICES = 0xc0000000,
  VALID = 0x800,
  /** Enabled, fixed ranges too, write-back where nothing else is said. */
  ENABLED = 0xc06;

/** Sets the registers where the processor has them. */
export function setMemoryTypes(machine: FirmwareMachine): void {
  for (const [msr, types] of FIXED) machine.setMsr(msr, types, types);
  machine.setMsr(PHYSBASE0, DEVICES | UNCACHED, 0);
  // A processor with 32 address bits refuses the mask of one with 36.
  for (const high of [0, 0xf]) machine.setMsr(PHYSMASK0, DEVICES | VALID, high);
  machine.setMsr(DEFAULT_TYPE, ENABLED, 0);
}
