// INT 1Ah: tick count and real-time clock; the PCI BIOS is in pci.ts ("IBM PC AT Technical Reference", "System BIOS"; Motorola, "MC146818 Real-Time Clock
// plus RAM"). Values in BCD, as the firmware leaves the clock in BCD mode.

import { BDA, type ServiceCall } from './machine.ts';
import { pciService } from './pci.ts';

const TICKS = BDA + 0x6c,
  MIDNIGHT = BDA + 0x70;
const INDEX = 0x70,
  DATA = 0x71;
/** Registers of the clock; 32h holds the century by convention. */
const RTC = {
  seconds: 0x00,
  secondsAlarm: 0x01,
  minutes: 0x02,
  minutesAlarm: 0x03,
  hours: 0x04,
  hoursAlarm: 0x05,
  weekday: 0x06,
  day: 0x07,
  month: 0x08,
  year: 0x09,
  b: 0x0b,
  c: 0x0c,
  century: 0x32,
} as const;

/** Reads a CMOS register through its ports. */
export function readCmos(call: ServiceCall, register: number): number {
  call.machine.portWrite(INDEX, register);
  return call.machine.portRead(DATA);
}
export function writeCmos(call: ServiceCall, register: number, value: number): void {
  call.machine.portWrite(INDEX, register);
  call.machine.portWrite(DATA, value);
}

/** INT 1Ah. */
export function timeService(call: ServiceCall): void {
  switch (call.ah) {
    case 0x00:
      call.cx = call.read16(TICKS + 2);
      call.dx = call.read16(TICKS);
      call.al = call.read8(MIDNIGHT);
      call.write8(MIDNIGHT, 0);
      break;
    case 0x01:
      call.write32(TICKS, (call.cx << 16) | call.dx);
      call.write8(MIDNIGHT, 0);
      break;
    case 0x02:
      call.ch = readCmos(call, RTC.hours);
      call.cl = readCmos(call, RTC.minutes);
      call.dh = readCmos(call, RTC.seconds);
      call.dl = readCmos(call, RTC.b) & 1; // daylight saving
      break;
    case 0x03:
      stopped(
        call,
        () => {
          writeCmos(call, RTC.hours, call.ch);
          writeCmos(call, RTC.minutes, call.cl);
          writeCmos(call, RTC.seconds, call.dh);
        },
        call.dl & 1,
      );
      break;
    case 0x04:
      call.ch = readCmos(call, RTC.century);
      call.cl = readCmos(call, RTC.year);
      call.dh = readCmos(call, RTC.month);
      call.dl = readCmos(call, RTC.day);
      break;
    case 0x05:
      stopped(
        call,
        () => {
          writeCmos(call, RTC.century, call.ch);
          writeCmos(call, RTC.year, call.cl);
          writeCmos(call, RTC.month, call.dh);
          writeCmos(call, RTC.day, call.dl);
        },
        readCmos(call, RTC.b) & 1,
      );
      break;
    case 0x06: // alarm at CH:CL:DH; INT 4Ah will be called
      if (readCmos(call, RTC.b) & 0x20) {
        call.carry = true;
        return;
      }
      writeCmos(call, RTC.hoursAlarm, call.ch);
      writeCmos(call, RTC.minutesAlarm, call.cl);
      writeCmos(call, RTC.secondsAlarm, call.dh);
      readCmos(call, RTC.c);
      call.machine.portWrite(0xa1, call.machine.portRead(0xa1) & 0xfe);
      call.machine.portWrite(0x21, call.machine.portRead(0x21) & 0xfb);
      writeCmos(call, RTC.b, readCmos(call, RTC.b) | 0x20);
      break;
    case 0x07:
      writeCmos(call, RTC.b, readCmos(call, RTC.b) & ~0x20);
      break;
    case 0xb1:
      return pciService(call);
    default:
      call.carry = true;
      return;
  }
  call.carry = false;
}

/** Sets the clock while it stands still, then starts it in 24-hour BCD mode. */
function stopped(call: ServiceCall, set: () => void, daylight: number): void {
  const b = readCmos(call, RTC.b) & 0x78;
  writeCmos(call, RTC.b, b | 0x82);
  set();
  writeCmos(call, RTC.b, b | 0x02 | daylight);
}

/** Tick count of the time of day on the clock, for power-on. */
export function ticksSinceMidnight(call: ServiceCall): number {
  const value = (register: number) => {
    const bcd = readCmos(call, register);
    return (bcd >> 4) * 10 + (bcd & 15);
  };
  const seconds = value(RTC.hours) * 3600 + value(RTC.minutes) * 60 + value(RTC.seconds);
  return Math.floor((seconds * 1193182) / 65536) % 0x1800b0;
}
