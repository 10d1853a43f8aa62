// INT 14h: serial ports ("IBM PC AT Technical Reference", "System BIOS"; National Semiconductor, "PC16550D"). Waiting for a
// received byte is code in the ROM, which comes here when there is one or the time is over.

import { BDA, type ServiceCall } from './machine.ts';

const DATA = 0,
  LINE_CONTROL = 3,
  MODEM_CONTROL = 4,
  LINE_STATUS = 5,
  MODEM_STATUS = 6;
const TIMEOUT = 0x80;
/** Divisors of the eight rates 110-9600 of AH=00h. */
const DIVISORS = [1047, 768, 384, 192, 96, 48, 24, 12];

/** INT 14h. */
export function serialService(call: ServiceCall): void {
  const { machine } = call,
    base = call.dx < 4 ? call.read16(BDA + 2 * call.dx) : 0;
  if (base === 0) return;
  const status = () => {
    call.ah = machine.portRead(base + LINE_STATUS);
    call.al = machine.portRead(base + MODEM_STATUS);
  };
  switch (call.ah) {
    case 0x00: {
      const divisor = DIVISORS[call.al >> 5];
      machine.portWrite(base + LINE_CONTROL, 0x80);
      machine.portWrite(base, divisor & 0xff);
      machine.portWrite(base + 1, divisor >> 8);
      machine.portWrite(base + LINE_CONTROL, call.al & 0x1f);
      machine.portWrite(base + 1, 0);
      status();
      return;
    }
    case 0x01:
      machine.portWrite(base + MODEM_CONTROL, 0x03);
      if ((machine.portRead(base + LINE_STATUS) & 0x20) === 0) {
        call.ah = machine.portRead(base + LINE_STATUS) | TIMEOUT;
        return;
      }
      machine.portWrite(base + DATA, call.al);
      call.ah = machine.portRead(base + LINE_STATUS) & 0x7f;
      return;
    case 0x02: {
      const line = machine.portRead(base + LINE_STATUS);
      if ((line & 1) === 0) {
        call.ah = line | TIMEOUT;
        return;
      }
      call.ah = line & 0x1e;
      call.al = machine.portRead(base + DATA);
      return;
    }
    case 0x03:
      status();
      return;
    default:
      return;
  }
}
