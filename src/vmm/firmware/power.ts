// Power in the firmware: where the power management registers of the chip set are put, and that the machine is in ACPI mode from
// power-on (Intel 82371AB "PIIX4" data sheet, function 3). There is no system management mode that could switch it on later.

import type { FirmwareMachine } from './machine.ts';
import { readPci, writePci } from './pci.ts';

/** Registers of power management (devices/piix4Pm.ts) and the base that gives them these ports. */
const BASE = 0x600;
export const PM = { EVENT: BASE, CONTROL: BASE + 4, TIMER: BASE + 8 } as const;
/** What resets the machine (devices/resetControl.ts). */
export const RESET = { PORT: 0xcf9, VALUE: 0x06 } as const;

const UNIT = (1 << 3) | 3,
  PMBASE = 0x40,
  PMREGMISC = 0x80,
  PMIOSE = 1,
  INTERRUPT_LINE = 0x3c,
  SCI_EN = 1;

export function initialisePower(machine: FirmwareMachine): void {
  writePci(machine, UNIT, PMBASE, BASE, 4);
  writePci(machine, UNIT, PMREGMISC, readPci(machine, UNIT, PMREGMISC, 1) | PMIOSE, 1);
  writePci(machine, UNIT, INTERRUPT_LINE, 9, 1);
  machine.portWrite(PM.CONTROL, SCI_EN, 2);
}
