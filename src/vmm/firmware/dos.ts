// INT 20h and 21h for .com programs that run without DOS (Microsoft, "MS-DOS Programmer's Reference"). Reading the keyboard and
// writing texts is code in the ROM; here are single characters, interrupt vectors, version and the ways to end.

import type { ServiceCall } from './machine.ts';
import { teletype } from './video.ts';

const COLOUR = 0x07;

/** INT 20h: ends the program, and with it the machine. */
export function terminateService(call: ServiceCall): void {
  call.machine.powerOff(0);
}

/** INT 21h. An unknown function gives CF and error 1. */
export function dosService(call: ServiceCall): void {
  switch (call.ah) {
    case 0x00:
      call.machine.powerOff(0);
      return;
    case 0x02:
      teletype(call, call.dl, COLOUR);
      call.al = call.dl;
      return;
    case 0x25:
      call.write16(call.al * 4, call.dx);
      call.write16(call.al * 4 + 2, call.machine.get('ds'));
      return;
    case 0x30: // version 5.0
      call.ax = 0x0005;
      call.bx = 0;
      call.cx = 0;
      return;
    case 0x35: {
      const vector = call.read32(call.al * 4);
      call.bx = vector & 0xffff;
      call.setSegment('es', vector >>> 16);
      return;
    }
    case 0x4c:
      call.machine.powerOff(call.al);
      return;
    default:
      call.ax = 0x0001;
      call.carry = true;
  }
}
