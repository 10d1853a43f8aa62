// Names of places in the ROM, for debuggers.

import { ROM_LABELS } from './rom.generated.ts';

/** Physical address of the ROM; it also answers at the top of the address space, where the processor starts. */
export const ROM_ADDRESS = 0xf0000;
export const ROM_BYTES = 0x10000;
/** The machine's tables, where the ROM has no code: ACPI's root pointer first. */
export const RSDP_ADDRESS = ROM_ADDRESS + 0x8000,
  RSDP_BYTES = 20;

const LABELS = Object.entries(ROM_LABELS);

/** Labels of the ROM by linear address; each reaches to the next. */
export const ROM_SYMBOLS: readonly { readonly name: string; readonly address: number; readonly size: number }[] = LABELS.map(
  ([name, offset]) => ({
    name: `bios.${name}`,
    address: ROM_ADDRESS + offset,
    size: Math.min(ROM_BYTES, ...LABELS.map(([, other]) => other).filter((other) => other > offset)) - offset,
  }),
);
