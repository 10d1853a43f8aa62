// 8254 programmable interval timer and system control port B (Intel 8254 data sheet; PC/AT Technical Reference, "System Timers"
// and "Port 61h").
//   40h-42h  counters 0-2: count in, count or latched status out      43h  control word, latch and read-back commands
//   61h  bit 0 GATE2, bit 1 speaker data, bits 2-3 stored (parity checks), bit 4 refresh toggle, bit 5 OUT2
// OUT0 is IRQ 0. Counter 2's gate is port 61h bit 0, the other gates are up. The counters run at 1,193,182 Hz from virtual time;
// nothing is stepped: count and OUT are computed from the clock tick at which the counting element was loaded, so a poll costs a
// few operations and no time is lost. Power-on state is undefined in the data sheet: mode 0 without a count here, OUT low.
// Left out on purpose: sound. The refresh toggle runs whatever counter 1 is told, because memory would be lost otherwise.

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { derivedClock, type Timer, type Timers } from '../timers.ts';
import { byte, flag, integer, list, record, type State, time, word } from './fields.ts';

/** Input clock of the counters in hertz: a twelfth of the 14.31818 MHz oscillator. */
export const PIT_HERTZ = 1_193_182;
const REFRESH_TICKS = 18;

const CONTROL = 0x43;
const PORT_B = 0x61;
const PORT_B_WRITABLE = 0x0f;
const GATE2 = 0x01;
const REFRESH = 0x10;
const OUT2 = 0x20;
const READ_BACK = 3;
const NO_LATCH_COUNT = 0x20;
const NO_LATCH_STATUS = 0x10;
const STATUS_OUT = 0x80;
const STATUS_NULL_COUNT = 0x40;
const LOW_BYTE = 1;
const HIGH_BYTE = 2;
// Digits of a BCD count may be A-F: the largest value is 15 * 1111.
const LARGEST_COUNT = 65536;

const COUNTER = record({
  mode: integer(0, 0, 5),
  bcd: flag(),
  /** RW bits of the control word: 1 low byte, 2 high byte, 3 low then high. */
  access: integer(3, 1, 3),
  gate: flag(true),
  /** The low byte of a two-byte count has been written. */
  halfWritten: flag(),
  lowByte: byte(),
  /** The next read gives the high byte. */
  readHigh: flag(),
  latchedCount: integer(-1, -1, 0xffff),
  latchedStatus: integer(-1, -1, 0xff),
  /** Count register: 0 until a count has been written since the control word. */
  register: integer(0, 0, LARGEST_COUNT),
  nullCount: flag(true),
  /** Clock tick at which the counting element got `count`, -1 when it is not counting. */
  base: time(),
  count: integer(1, 1, LARGEST_COUNT),
  /** Mode 3: the half cycle that begins at `base` is the low one. */
  beginsLow: flag(),
  /** Ticks counted when the gate stopped it, -1 while it runs. */
  stopped: time(),
  /** Clock tick at which the count register goes to the counting element, -1 for none. */
  transfer: time(),
  transferLow: flag(),
  /** What the counting element shows while it is not counting. */
  held: word(),
});
const STATE = record({
  counters: list(3, COUNTER),
  portB: byte(),
  /** OUT0 as IRQ 0 has it, and the tick of its next possible change (-1 for none). */
  outputLevel: flag(),
  nextEdge: time(),
});
type Counter = State<typeof COUNTER>;

const clock = derivedClock(PIT_HERTZ);

export class Pit8254 implements Device {
  readonly ports = [
    { first: 0x40, last: 0x43 },
    { first: PORT_B, last: PORT_B },
  ];
  private state = powerOn();
  private readonly timers: Timers;
  private readonly irq0: IrqLine;
  private readonly edge: Timer;

  constructor(context: Pick<DeviceContext, 'irq' | 'timers'>) {
    this.timers = context.timers;
    this.irq0 = context.irq(0);
    this.edge = context.timers.create('pit8254 OUT0', () => this.outputChanges());
  }

  reset(): void {
    this.state = { ...powerOn(), outputLevel: this.state.outputLevel };
    this.update(this.now());
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    const loaded = STATE.load(state, 'pit8254');
    const wrong = loaded.counters.findIndex((counter) => counter.transfer >= 0 && counter.register === 0);
    if (wrong >= 0) throw new RangeError(`pit8254.counters[${wrong}].transfer must be -1 without a count`);
    this.state = loaded;
    this.setTimer();
  }

  portRead(port: number): number {
    const now = this.now();
    if (port === PORT_B) {
      const out2 = output(this.state.counters[2], now) ? OUT2 : 0;
      return this.state.portB | out2 | (Math.floor(now / REFRESH_TICKS) & 1 ? REFRESH : 0);
    }
    return port === CONTROL ? 0xff : read(this.state.counters[port & 3], now);
  }

  portWrite(port: number, value: number): void {
    const now = this.now();
    const { counters } = this.state;
    if (port === PORT_B) {
      this.state.portB = value & PORT_B_WRITABLE;
      setGate(counters[2], (value & GATE2) !== 0, now);
    } else if (port === CONTROL) {
      if (value >> 6 === READ_BACK) {
        counters.forEach((counter, index) => {
          if (value & (2 << index)) readBack(counter, value, now);
        });
      } else writeControl(counters[value >> 6], value, now);
    } else writeCount(counters[port & 3], value, now);
    this.update(now);
  }

  private now(): number {
    return clock.ticks(this.timers.now());
  }

  private update(now: number): void {
    this.setOutput(output(this.state.counters[0], now));
    this.arm(now);
  }

  private arm(now: number): void {
    const next = nextChange(this.state.counters[0], now);
    this.state.nextEdge = next === Infinity ? -1 : next;
    this.setTimer();
  }

  private setTimer(): void {
    if (this.state.nextEdge < 0) this.edge.cancel();
    else this.edge.at(clock.cycle(this.state.nextEdge));
  }

  private outputChanges(): void {
    const now = this.now();
    const counter = this.state.counters[0];
    // Where time made a jump past several edges, their interrupts merge into one, but a rising edge is never lost: a transfer and
    // two edges are replayed one by one.
    let tick = this.state.nextEdge;
    for (let step = 0; step < 3 && tick <= now; step++) {
      this.setOutput(output(counter, tick));
      tick = nextChange(counter, tick);
    }
    this.update(now);
  }

  private setOutput(level: boolean): void {
    if (level === this.state.outputLevel) return;
    this.state.outputLevel = level;
    this.irq0.set(level);
  }
}

function powerOn(): State<typeof STATE> {
  const state = STATE.initial();
  state.counters[2].gate = false;
  return state;
}

/** Moves the count register to the counting element when its tick has come. */
function transferIfDue(counter: Counter, now: number): void {
  if (counter.transfer < 0 || now < counter.transfer) return;
  counter.base = counter.transfer;
  counter.count = counter.register;
  counter.beginsLow = counter.transferLow;
  counter.transfer = -1;
  counter.nullCount = false;
  // GATE low stops the counting but not the transfer; in modes 1 and 5 it is only a trigger.
  counter.stopped = !counter.gate && !isTriggered(counter.mode) ? 0 : -1;
}

function isTriggered(mode: number): boolean {
  return mode === 1 || mode === 5;
}

/** Ticks counted since the counting element was loaded. */
function elapsed(counter: Counter, now: number): number {
  return counter.stopped >= 0 ? counter.stopped : Math.max(0, now - counter.base);
}

/** Ticks since the beginning of the high half of the square wave (mode 3). */
function phase(counter: Counter, now: number): number {
  const shift = counter.beginsLow ? Math.ceil(counter.count / 2) : 0;
  return (elapsed(counter, now) + shift) % counter.count;
}

function output(counter: Counter, now: number): boolean {
  transferIfDue(counter, now);
  const { mode, count } = counter;
  if (counter.base < 0) return mode !== 0;
  switch (mode) {
    case 0:
      return elapsed(counter, now) >= count;
    case 1:
      return elapsed(counter, now) >= count;
    case 2:
      return counter.stopped >= 0 || elapsed(counter, now) % count !== count - 1;
    case 3:
      return counter.stopped >= 0 || phase(counter, now) < Math.ceil(count / 2);
    default:
      return elapsed(counter, now) !== count;
  }
}

/** First tick after this one at which OUT may change, or Infinity. */
function nextChange(counter: Counter, now: number): number {
  transferIfDue(counter, now);
  const transfer = counter.transfer < 0 ? Infinity : counter.transfer;
  return Math.min(transfer, nextEdge(counter, now));
}

function nextEdge(counter: Counter, now: number): number {
  const { mode, count } = counter;
  if (counter.base < 0 || counter.stopped >= 0) return Infinity;
  const ticks = elapsed(counter, now);
  switch (mode) {
    case 0:
    case 1:
      return ticks < count ? now + count - ticks : Infinity;
    case 2: {
      if (count === 1) return Infinity;
      const left = count - 1 - (ticks % count);
      return left > 0 ? now + left : now + 1;
    }
    case 3:
      return count === 1 ? Infinity : halfCycleEnd(counter, now);
    default:
      return ticks < count ? now + count - ticks : ticks === count ? now + 1 : Infinity;
  }
}

function halfCycleEnd(counter: Counter, now: number): number {
  const at = phase(counter, now);
  const high = Math.ceil(counter.count / 2);
  return now + (at < high ? high - at : counter.count - at);
}

/** The counting element as it reads: 16 bits, binary or BCD. */
function value(counter: Counter, now: number): number {
  transferIfDue(counter, now);
  if (counter.base < 0) return counter.held;
  const { mode, count, bcd } = counter;
  const ticks = elapsed(counter, now);
  const modulus = bcd ? 10000 : 65536;
  let left: number;
  if (mode === 2) left = count - (ticks % count);
  else if (mode === 3) {
    // Counts down by two, once in each half; an odd count is loaded less one.
    const at = phase(counter, now);
    const high = Math.ceil(count / 2);
    left = (count & ~1) - 2 * (at < high ? at : at - high);
  } else left = (count - ticks) % modulus;
  left = ((left % modulus) + modulus) % modulus;
  return bcd ? toBcd(left) : left;
}

function toBcd(binary: number): number {
  const digit = (unit: number): number => Math.floor(binary / unit) % 10;
  return (digit(1000) << 12) | (digit(100) << 8) | (digit(10) << 4) | digit(1);
}

function fromBcd(digits: number): number {
  return (digits >> 12) * 1000 + ((digits >> 8) & 15) * 100 + ((digits >> 4) & 15) * 10 + (digits & 15);
}

function writeControl(counter: Counter, control: number, now: number): void {
  const access = (control >> 4) & 3;
  if (access === 0) {
    if (counter.latchedCount < 0) counter.latchedCount = value(counter, now);
    return;
  }
  counter.held = value(counter, now);
  const mode = (control >> 1) & 7;
  counter.mode = mode > 5 ? mode - 4 : mode;
  counter.bcd = (control & 1) !== 0;
  counter.access = access;
  counter.halfWritten = false;
  counter.readHigh = false;
  counter.latchedCount = -1;
  counter.latchedStatus = -1;
  counter.register = 0;
  counter.nullCount = true;
  counter.base = -1;
  counter.stopped = -1;
  counter.transfer = -1;
}

function readBack(counter: Counter, command: number, now: number): void {
  if ((command & NO_LATCH_COUNT) === 0 && counter.latchedCount < 0) counter.latchedCount = value(counter, now);
  if ((command & NO_LATCH_STATUS) === 0 && counter.latchedStatus < 0) {
    counter.latchedStatus =
      (output(counter, now) ? STATUS_OUT : 0) |
      (counter.nullCount ? STATUS_NULL_COUNT : 0) |
      (counter.access << 4) |
      (counter.mode << 1) |
      (counter.bcd ? 1 : 0);
  }
}

function read(counter: Counter, now: number): number {
  if (counter.latchedStatus >= 0) {
    const status = counter.latchedStatus;
    counter.latchedStatus = -1;
    return status;
  }
  const count = counter.latchedCount >= 0 ? counter.latchedCount : value(counter, now);
  if (counter.access === LOW_BYTE || counter.access === HIGH_BYTE) {
    counter.latchedCount = -1;
    return counter.access === LOW_BYTE ? count & 0xff : count >> 8;
  }
  const high = counter.readHigh;
  counter.readHigh = !high;
  if (high) counter.latchedCount = -1;
  return high ? count >> 8 : count & 0xff;
}

function writeCount(counter: Counter, written: number, now: number): void {
  if (counter.access === LOW_BYTE) setCount(counter, written, now);
  else if (counter.access === HIGH_BYTE) setCount(counter, written << 8, now);
  else if (counter.halfWritten) {
    counter.halfWritten = false;
    setCount(counter, counter.lowByte | (written << 8), now);
  } else {
    counter.halfWritten = true;
    counter.lowByte = written;
    // In mode 0 the first byte stops the counting and OUT goes low.
    if (counter.mode === 0) halt(counter, now);
  }
}

function halt(counter: Counter, now: number): void {
  counter.held = value(counter, now);
  counter.base = -1;
  counter.stopped = -1;
  counter.transfer = -1;
}

/** A whole count has arrived in the count register: when does the counting element get it? */
function setCount(counter: Counter, raw: number, now: number): void {
  transferIfDue(counter, now);
  counter.register = counter.bcd ? fromBcd(raw) || 10000 : raw || 65536;
  counter.nullCount = true;
  const counting = counter.base >= 0;
  switch (counter.mode) {
    case 0:
    case 4:
      halt(counter, now);
      schedule(counter, now + 1, false);
      break;
    case 2:
    case 3:
      if (!counting) schedule(counter, now + 1, false);
      else if (counter.stopped >= 0 || counter.transfer >= 0) break;
      else if (counter.mode === 2) schedule(counter, now + counter.count - (elapsed(counter, now) % counter.count), false);
      else schedule(counter, halfCycleEnd(counter, now), output(counter, now));
      break;
    default:
    // Modes 1 and 5 wait for the trigger.
  }
}

function schedule(counter: Counter, tick: number, low: boolean): void {
  counter.transfer = tick;
  counter.transferLow = low;
}

function setGate(counter: Counter, level: boolean, now: number): void {
  transferIfDue(counter, now);
  if (level === counter.gate) return;
  counter.gate = level;
  const { mode } = counter;
  if (level) {
    if (mode === 0 || mode === 4) {
      if (counter.stopped >= 0) counter.base = now - counter.stopped;
      counter.stopped = -1;
    } else if (counter.register > 0) schedule(counter, now + 1, false);
  } else if (!isTriggered(mode) && counter.base >= 0) {
    counter.stopped = elapsed(counter, now);
    // The trigger that starts it again reloads it too.
    if (mode === 2 || mode === 3) counter.transfer = -1;
  }
}
