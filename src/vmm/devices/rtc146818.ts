// MC146818 real-time clock with the CMOS memory of the PC/AT (Motorola MC146818A data sheet; PC/AT Technical Reference, "Real-Time
// Clock/CMOS RAM Information").
//   70h  write index (bits 0-6), bit 7 masks NMI; reads all ones      71h  the register
//   00h-09h  time, alarm, date (BCD or binary, 12 or 24 hours)        0Ah-0Dh  registers A-D
//   0Eh-7Fh  battery-backed bytes, which firmware fills; 32h is the century and counts with the year, as on later chips
// IRQ 8: periodic, alarm and update-ended interrupts. The time base is 32,768 Hz from virtual time, and the clock starts from the
// machine's startOfTime; nothing runs between accesses unless an interrupt is enabled. A reset leaves time and memory alone.
// Left out on purpose: daylight saving (bit DSE is stored), the square wave output, time bases other than 32,768 Hz (any DV but
// 010 stops the clock).

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { derivedClock, type Timer, type Timers } from '../timers.ts';
import { bytes, flag, integer, record, time } from './fields.ts';

const SECONDS = 0x00;
const SECONDS_ALARM = 0x01;
const MINUTES = 0x02;
const MINUTES_ALARM = 0x03;
const HOURS = 0x04;
const HOURS_ALARM = 0x05;
const DAY_OF_WEEK = 0x06;
const DATE = 0x07;
const MONTH = 0x08;
const YEAR = 0x09;
const REGISTER_A = 0x0a;
const REGISTER_B = 0x0b;
const REGISTER_C = 0x0c;
const REGISTER_D = 0x0d;
const CENTURY = 0x32;

const A_UIP = 0x80;
const A_DV = 0x70;
const A_DV_32768 = 0x20;
const A_RS = 0x0f;
const B_SET = 0x80;
const B_PIE = 0x40;
const B_AIE = 0x20;
const B_UIE = 0x10;
const B_SQWE = 0x08;
const B_DM = 0x04;
const B_24_12 = 0x02;
const C_IRQF = 0x80;
const C_PF = 0x40;
const C_AF = 0x20;
const C_UF = 0x10;
const INTERRUPTS = C_PF | C_AF | C_UF;
const D_VRT = 0x80;
const PM = 0x80;
/** An alarm byte of C0h-FFh matches everything. */
const DONT_CARE = 0xc0;

const HERTZ = 32768;
// UIP is up 244 us before the update cycle and during its 1984 us (data sheet, "Update Cycle Times").
const UPDATE_TICKS = 73;
// After the divider is released from reset the first update comes half a second later.
const HALF_SECOND = HERTZ / 2;
const DAY = 86400;

const STATE = record({
  index: integer(0, 0, 0x7f),
  nmiMasked: flag(),
  /** All 128 registers; A without UIP, C without IRQF. */
  registers: bytes(128),
  /** Tick of the time base at which the divider was zero; before power-on by less than a second. */
  epoch: integer(0, -HERTZ, Number.MAX_SAFE_INTEGER),
  /** Whole seconds and periods of the divider that have been accounted for. */
  seconds: time(0),
  periods: time(0),
  interrupt: flag(),
});

const clock = derivedClock(HERTZ);

export class Rtc146818 implements Device {
  readonly ports = [{ first: 0x70, last: 0x71 }];
  private state = STATE.initial();
  private readonly timers: Timers;
  private readonly irq8: IrqLine;
  private readonly event: Timer;

  constructor(context: Pick<DeviceContext, 'irq' | 'timers' | 'startOfTime'>) {
    this.timers = context.timers;
    this.irq8 = context.irq(8);
    this.event = context.timers.create('rtc146818', () => this.update());
    const { registers } = this.state;
    registers[REGISTER_A] = A_DV_32768 | 6;
    registers[REGISTER_B] = B_24_12;
    this.setTime(Math.floor(context.startOfTime / 1000));
    registers[DAY_OF_WEEK] = new Date(context.startOfTime).getUTCDay() + 1;
    const milliseconds = ((context.startOfTime % 1000) + 1000) % 1000;
    this.state.epoch = this.now() - Math.floor((milliseconds * HERTZ) / 1000);
  }

  /** NMI is masked by bit 7 of port 70h. */
  get nmiMasked(): boolean {
    return this.state.nmiMasked;
  }

  reset(): void {
    this.catchUp();
    const { registers } = this.state;
    registers[REGISTER_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    registers[REGISTER_C] = 0;
    this.state.index = 0;
    this.state.nmiMasked = false;
    this.update();
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    const loaded = STATE.load(state, 'rtc146818');
    if (loaded.epoch > this.now()) throw new RangeError('rtc146818.epoch is later than the machine');
    this.state = loaded;
    this.arm();
  }

  portRead(port: number): number {
    if ((port & 1) === 0) return 0xff;
    const { index, registers } = this.state;
    this.catchUp();
    switch (index) {
      case REGISTER_A:
        return registers[REGISTER_A] | (this.updateInProgress() ? A_UIP : 0);
      case REGISTER_C: {
        const flags = registers[REGISTER_C] | (this.state.interrupt ? C_IRQF : 0);
        registers[REGISTER_C] = 0;
        this.update();
        return flags;
      }
      case REGISTER_D:
        return D_VRT;
      default:
        return registers[index];
    }
  }

  portWrite(port: number, value: number): void {
    if ((port & 1) === 0) {
      this.state.index = value & 0x7f;
      this.state.nmiMasked = (value & 0x80) !== 0;
      return;
    }
    const { index, registers } = this.state;
    this.catchUp();
    switch (index) {
      case REGISTER_A:
        this.writeA(value & ~A_UIP);
        break;
      case REGISTER_B:
        registers[REGISTER_B] = value & B_SET ? value & ~B_UIE : value;
        break;
      case REGISTER_C:
      case REGISTER_D:
        break;
      default:
        registers[index] = value;
    }
    this.update();
  }

  private now(): number {
    return clock.ticks(this.timers.now());
  }

  private running(): boolean {
    return (this.state.registers[REGISTER_A] & A_DV) === A_DV_32768;
  }

  /** Ticks of a period of the periodic interrupt, 0 for none; rates 1 and 2 repeat 8 and 9 with this time base. */
  private period(): number {
    const rate = this.state.registers[REGISTER_A] & A_RS;
    return rate === 0 ? 0 : 1 << ((rate < 3 ? rate + 7 : rate) - 1);
  }

  private updateInProgress(): boolean {
    if (!this.running() || this.state.registers[REGISTER_B] & B_SET) return false;
    return (this.now() - this.state.epoch) % HERTZ >= HERTZ - UPDATE_TICKS;
  }

  private writeA(value: number): void {
    const wasRunning = this.running();
    this.state.registers[REGISTER_A] = value;
    if (this.running() && !wasRunning) {
      this.state.epoch = this.now() - HALF_SECOND;
      this.state.seconds = 0;
    }
    const period = this.period();
    this.state.periods = period === 0 ? 0 : Math.floor((this.now() - this.state.epoch) / period);
  }

  /** Accounts for everything that has happened since the last access. */
  private catchUp(): void {
    if (!this.running()) return;
    const { state } = this;
    const ticks = this.now() - state.epoch;
    const period = this.period();
    if (period > 0) {
      const periods = Math.floor(ticks / period);
      if (periods > state.periods) state.registers[REGISTER_C] |= C_PF;
      state.periods = periods;
    }
    const seconds = Math.floor(ticks / HERTZ);
    const passed = seconds - state.seconds;
    state.seconds = seconds;
    if (passed > 0 && (state.registers[REGISTER_B] & B_SET) === 0) this.advance(passed);
  }

  private advance(seconds: number): void {
    const { registers } = this.state;
    registers[REGISTER_C] |= C_UF;
    const before = this.getTime();
    if ((registers[REGISTER_C] & C_AF) === 0 && this.alarmWithin(before, seconds)) registers[REGISTER_C] |= C_AF;
    const days = Math.floor((before + seconds) / DAY) - Math.floor(before / DAY);
    const weekday = registers[DAY_OF_WEEK] & 7;
    this.setTime(before + seconds);
    registers[DAY_OF_WEEK] = ((((weekday || 1) - 1 + days) % 7) + 1) & 7;
  }

  /** The alarm matches in one of the seconds after this time. */
  private alarmWithin(start: number, seconds: number): boolean {
    const matches = (register: number, unit: number): boolean => {
      const alarm = this.state.registers[register];
      return alarm >= DONT_CARE ? true : (register === HOURS_ALARM ? this.decodeHours(alarm) : this.decode(alarm)) === unit;
    };
    // The alarm compares the time of day only, so a day's seconds are enough.
    for (let second = start + 1; second <= start + Math.min(seconds, DAY); second++) {
      const ofDay = ((second % DAY) + DAY) % DAY;
      if (!matches(SECONDS_ALARM, ofDay % 60)) continue;
      if (matches(MINUTES_ALARM, Math.floor(ofDay / 60) % 60) && matches(HOURS_ALARM, Math.floor(ofDay / 3600))) return true;
    }
    return false;
  }

  private update(): void {
    this.catchUp();
    const { registers } = this.state;
    const level = (registers[REGISTER_C] & registers[REGISTER_B] & INTERRUPTS) !== 0;
    if (level !== this.state.interrupt) {
      this.state.interrupt = level;
      this.irq8.set(level);
    }
    this.arm();
  }

  /** Waits for the next tick at which an enabled interrupt may come. */
  private arm(): void {
    const { state } = this;
    const enabled = state.registers[REGISTER_B] & ~state.registers[REGISTER_C] & INTERRUPTS;
    let next = Infinity;
    if (this.running()) {
      const period = this.period();
      if (enabled & B_PIE && period > 0) next = state.epoch + (state.periods + 1) * period;
      if (enabled & (B_AIE | B_UIE)) next = Math.min(next, state.epoch + (state.seconds + 1) * HERTZ);
    }
    if (next === Infinity) this.event.cancel();
    else this.event.at(clock.cycle(next));
  }

  // Times of day and dates are counted in seconds since 1970, and written back as register B says. Fields that no calendar knows
  // count on from where they lead (the 31st of February is a day in March), as undefined as on the chip but never stuck.
  private getTime(): number {
    const { registers } = this.state;
    const field = (register: number): number => this.decode(registers[register]);
    const year = field(CENTURY) * 100 + field(YEAR);
    const date = new Date(0);
    date.setUTCFullYear(year, field(MONTH) - 1, field(DATE));
    return date.getTime() / 1000 + this.decodeHours(registers[HOURS]) * 3600 + field(MINUTES) * 60 + field(SECONDS);
  }

  private setTime(seconds: number): void {
    const { registers } = this.state;
    const date = new Date(seconds * 1000);
    // The year before 0000 is 9999.
    const year = (date.getUTCFullYear() + 10000) % 10000;
    registers[SECONDS] = this.encode(date.getUTCSeconds());
    registers[MINUTES] = this.encode(date.getUTCMinutes());
    registers[HOURS] = this.encodeHours(date.getUTCHours());
    registers[DATE] = this.encode(date.getUTCDate());
    registers[MONTH] = this.encode(date.getUTCMonth() + 1);
    registers[YEAR] = this.encode(year % 100);
    registers[CENTURY] = this.encode(Math.floor(year / 100));
  }

  private decode(value: number): number {
    return this.state.registers[REGISTER_B] & B_DM ? value : (value >> 4) * 10 + (value & 15);
  }
  private encode(value: number): number {
    return this.state.registers[REGISTER_B] & B_DM ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }
  private decodeHours(value: number): number {
    if (this.state.registers[REGISTER_B] & B_24_12) return this.decode(value);
    return (this.decode(value & ~PM) % 12) + (value & PM ? 12 : 0);
  }
  private encodeHours(hours: number): number {
    if (this.state.registers[REGISTER_B] & B_24_12) return this.encode(hours);
    return this.encode(hours % 12 || 12) | (hours >= 12 ? PM : 0);
  }
}
