// INT 17h: printers ("IBM PC AT Technical Reference", "System BIOS"). The machine has none: every call times out.

import type { ServiceCall } from './machine.ts';

/** INT 17h: AH=00h print, 01h initialise, 02h status. */
export function printerService(call: ServiceCall): void {
  if (call.ah <= 0x02) call.ah = 0x01;
}
