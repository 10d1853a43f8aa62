// 16550A UART, COM1 at 3F8h with IRQ 4 or COM2 at 2F8h with IRQ 3 (National Semiconductor PC16550D data sheet).
//   +0  RBR/THR, DLL with DLAB   +1  IER, DLM with DLAB   +2  IIR/FCR   +3  LCR   +4  MCR   +5  LSR   +6  MSR   +7  SCR
// The far end is the host's channel. A byte goes to it when the guest writes it, so that nothing is lost however little a guest
// polls; THRE and TEMT come back after the character's time. The host's input waits in a queue of its own and a byte enters the
// receiver when there is room, one character's time after the last: the guest's reading is the flow control, there is no overrun
// but in loopback. The line keeps CTS, DSR and DCD up. IRQ is gated by OUT2 as on the PC's adapter, thus down in loopback.
// After power-on the divisor, undefined in the data sheet, is 1 (115,200 baud).
// Left out on purpose: the speed of the line (see CHARACTER), parity, framing and break conditions (the host's end makes none; the
// divisor and LCR are stored), the DMA pins.

import type { CharacterBackend, Device, DeviceContext, IrqLine, PortRange, SavedState } from '../device.ts';
import { CYCLES_PER_SECOND, type Timer, type Timers } from '../timers.ts';
import { byte, bytes, flag, integer, record, time, word } from './fields.ts';

/** Host input that the device keeps while the guest does not read. */
const QUEUE = 16384;
const FIFO = 16;
/**
 * Cycles of a character on the line: 10 us, whatever divisor and format say. By the divisor, a guest that polls THRE would execute
 * 22,000 instructions (at 115,200 baud) to 260,000 (at 9600) with an exit in every fourth for each character it prints.
 */
const CHARACTER = CYCLES_PER_SECOND / 100_000;
const BIT = CHARACTER / 10;

const IER_ERBFI = 0x01;
const IER_ETBEI = 0x02;
const IER_ELSI = 0x04;
const IER_EDSSI = 0x08;
const IIR_NONE = 0x01;
const IIR_MODEM = 0x00;
const IIR_THRE = 0x02;
const IIR_DATA = 0x04;
const IIR_LINE = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFOS = 0xc0;
const FCR_ENABLE = 0x01;
const FCR_CLEAR_RECEIVER = 0x02;
const FCR_CLEAR_TRANSMITTER = 0x04;
const FCR_KEPT = 0xc9;
const TRIGGER_LEVELS = [1, 4, 8, 14];
const LCR_DLAB = 0x80;
const MCR_WRITABLE = 0x1f;
const MCR_DTR = 0x01;
const MCR_RTS = 0x02;
const MCR_OUT1 = 0x04;
const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;
const LSR_DR = 0x01;
const LSR_OE = 0x02;
const LSR_THRE = 0x20;
const LSR_TEMT = 0x40;
const MSR_TERI = 0x04;
const MSR_CTS = 0x10;
const MSR_DSR = 0x20;
const MSR_RI = 0x40;
const MSR_DCD = 0x80;
const LINE_UP = MSR_CTS | MSR_DSR | MSR_DCD;

const STATE = record({
  ier: byte(),
  fcr: byte(),
  lcr: byte(0x03),
  mcr: byte(),
  msr: byte(LINE_UP),
  scratch: byte(),
  divisor: word(1),
  overrun: flag(),
  /** Receiver: FIFO, or RBR alone without FIFOs. */
  received: bytes(FIFO),
  receivedHead: integer(0, 0, FIFO - 1),
  receivedCount: integer(0, 0, FIFO),
  lastRead: byte(),
  /** Cycle at which the character timeout comes, -1 for none; whether it has come. */
  timeoutAt: time(),
  timeout: flag(),
  /** Host input not yet on the line. */
  queue: bytes(QUEUE),
  queueHead: integer(0, 0, QUEUE - 1),
  queueCount: integer(0, 0, QUEUE),
  /** Cycle at which the next character of the queue has arrived, -1 while there is none or no room. */
  arrivesAt: time(),
  /** Cycles at which THR (or its FIFO) and the shift register become empty. */
  holdingEmptyAt: time(0),
  shiftEmptyAt: time(0),
  /** THR is filled and its emptying has not been noticed yet; then: the THRE interrupt waits to be seen. */
  emptying: flag(),
  threPending: flag(),
  interrupt: flag(),
});

export class Uart16550 implements Device {
  readonly ports: readonly PortRange[];
  private state = STATE.initial();
  private readonly name: string;
  private readonly timers: Timers;
  private readonly irq: IrqLine;
  private readonly channel: CharacterBackend;
  private readonly transmitter: Timer;
  private readonly receiver: Timer;
  private readonly timeout: Timer;

  /** `name` is the host's channel too: 'serial0' or 'serial1'. */
  constructor(context: Pick<DeviceContext, 'irq' | 'timers' | 'channel'>, name: string, base: number, line: number) {
    this.name = name;
    this.ports = [{ first: base, last: base + 7 }];
    this.timers = context.timers;
    this.irq = context.irq(line);
    this.channel = context.channel(name);
    this.transmitter = context.timers.create(`${name} transmitter`, () => this.update());
    this.receiver = context.timers.create(`${name} receiver`, () => this.update());
    this.timeout = context.timers.create(`${name} timeout`, () => this.update());
  }

  /** A byte from the host; false when the queue is full and the byte was not taken. */
  receive(value: number): boolean {
    const { state } = this;
    if (state.queueCount === QUEUE) return false;
    state.queue[(state.queueHead + state.queueCount) % QUEUE] = value;
    state.queueCount++;
    this.update();
    return true;
  }

  reset(): void {
    const { queue, queueHead, queueCount, interrupt } = this.state;
    this.state = { ...STATE.initial(), queue, queueHead, queueCount, interrupt };
    this.update();
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, this.name);
    this.armTimers();
  }

  portRead(port: number): number {
    const { state } = this;
    switch (port & 7) {
      case 0:
        return state.lcr & LCR_DLAB ? state.divisor & 0xff : this.readReceiver();
      case 1:
        return state.lcr & LCR_DLAB ? state.divisor >> 8 : state.ier;
      case 2: {
        this.update();
        const identification = this.identify();
        if (identification === IIR_THRE) {
          state.threPending = false;
          this.update();
        }
        return identification | (state.fcr & FCR_ENABLE ? IIR_FIFOS : 0);
      }
      case 3:
        return state.lcr;
      case 4:
        return state.mcr;
      case 5:
        return this.readLineStatus();
      case 6: {
        const status = state.msr;
        state.msr &= 0xf0;
        if (status & 0x0f) this.update();
        return status;
      }
      default:
        return state.scratch;
    }
  }

  portWrite(port: number, value: number): void {
    const { state } = this;
    switch (port & 7) {
      case 0:
        if (state.lcr & LCR_DLAB) state.divisor = (state.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case 1:
        if (state.lcr & LCR_DLAB) state.divisor = (state.divisor & 0xff) | (value << 8);
        else this.writeInterruptEnable(value & 0x0f);
        break;
      case 2:
        this.writeFifoControl(value);
        break;
      case 3:
        state.lcr = value;
        break;
      case 4:
        state.mcr = value & MCR_WRITABLE;
        this.setModemStatus(state.mcr & MCR_LOOP ? loopedModemStatus(state.mcr) : LINE_UP);
        break;
      case 7:
        state.scratch = value;
        return;
      default:
        // LSR and MSR are for reading.
        return;
    }
    this.update();
  }

  private capacity(): number {
    return this.state.fcr & FCR_ENABLE ? FIFO : 1;
  }

  private readReceiver(): number {
    const { state } = this;
    if (state.receivedCount > 0) {
      state.lastRead = state.received[state.receivedHead];
      state.receivedHead = (state.receivedHead + 1) % FIFO;
      state.receivedCount--;
      state.timeout = false;
      this.restartTimeout();
      this.update();
    }
    return state.lastRead;
  }

  private readLineStatus(): number {
    const { state } = this;
    if (state.emptying || state.arrivesAt >= 0) this.update();
    const now = this.timers.now();
    let status = state.receivedCount > 0 ? LSR_DR : 0;
    if (now >= state.holdingEmptyAt) status |= LSR_THRE;
    if (now >= state.shiftEmptyAt) status |= LSR_TEMT;
    if (state.overrun) {
      status |= LSR_OE;
      state.overrun = false;
      this.update();
    }
    return status;
  }

  private transmit(value: number): void {
    const { state } = this;
    const now = this.timers.now();
    // Into an idle shift register the character moves at once, after a bit's time; otherwise it waits for its turn.
    const idle = now >= state.shiftEmptyAt;
    const starts = idle ? now + BIT : state.shiftEmptyAt;
    // What a guest writes into a full transmitter takes no more time than a full one has.
    state.shiftEmptyAt = Math.min(idle ? now + CHARACTER : starts + CHARACTER, now + (this.capacity() + 1) * CHARACTER);
    state.holdingEmptyAt = Math.min(starts, state.shiftEmptyAt);
    state.emptying = true;
    state.threPending = false;
    if (state.mcr & MCR_LOOP) this.accept(value);
    else this.channel.write(value);
  }

  private writeInterruptEnable(value: number): void {
    const { state } = this;
    const enabled = value & ~state.ier;
    state.ier = value;
    // Enabling the interrupt while THR is empty gives one at once.
    if (enabled & IER_ETBEI && this.timers.now() >= state.holdingEmptyAt) state.threPending = true;
  }

  private writeFifoControl(value: number): void {
    const { state } = this;
    const changes = ((value ^ state.fcr) & FCR_ENABLE) !== 0;
    // The other bits count only together with the enable bit.
    state.fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    if (changes || value & FCR_CLEAR_RECEIVER) {
      state.receivedCount = 0;
      state.timeout = false;
      state.timeoutAt = -1;
    }
    if (changes || value & FCR_CLEAR_TRANSMITTER) {
      state.holdingEmptyAt = Math.min(state.holdingEmptyAt, this.timers.now());
    }
  }

  private setModemStatus(lines: number): void {
    const { state } = this;
    const before = state.msr & 0xf0;
    const changed = (before ^ lines) >> 4;
    // TERI notes only the ring indicator's trailing edge.
    const deltas = (changed & ~MSR_TERI) | (before & ~lines & MSR_RI ? MSR_TERI : 0);
    state.msr = lines | (state.msr & 0x0f) | deltas;
  }

  /** A character has arrived at the receiver. */
  private accept(value: number): void {
    const { state } = this;
    const capacity = this.capacity();
    if (state.receivedCount >= capacity) {
      state.overrun = true;
      // RBR is overwritten, a full FIFO keeps what it has.
      if (capacity === 1) state.received[state.receivedHead] = value;
      return;
    }
    state.received[(state.receivedHead + state.receivedCount) % FIFO] = value;
    state.receivedCount++;
    this.restartTimeout();
  }

  private restartTimeout(): void {
    const { state } = this;
    const waits = state.receivedCount > 0 && (state.fcr & FCR_ENABLE) !== 0;
    state.timeoutAt = waits ? this.timers.now() + 4 * CHARACTER : -1;
  }

  /** Does what has become due, then sets the interrupt line and the timers. */
  private update(): void {
    const { state } = this;
    const now = this.timers.now();
    if (state.emptying && now >= state.holdingEmptyAt) {
      state.emptying = false;
      state.threPending = true;
    }
    const hasRoom = state.receivedCount < this.capacity() && (state.mcr & MCR_LOOP) === 0;
    if (state.arrivesAt >= 0 && now >= state.arrivesAt && hasRoom && state.queueCount > 0) {
      state.arrivesAt = -1;
      this.accept(state.queue[state.queueHead]);
      state.queueHead = (state.queueHead + 1) % QUEUE;
      state.queueCount--;
    }
    if (state.queueCount === 0 || (state.mcr & MCR_LOOP) !== 0 || state.receivedCount >= this.capacity()) state.arrivesAt = -1;
    else if (state.arrivesAt < 0) state.arrivesAt = now + CHARACTER;
    if (state.timeoutAt >= 0 && now >= state.timeoutAt) {
      state.timeoutAt = -1;
      state.timeout = true;
    }
    const gate = (state.mcr & MCR_OUT2) !== 0 && (state.mcr & MCR_LOOP) === 0;
    const level = gate && this.identify() !== IIR_NONE;
    if (level !== state.interrupt) {
      state.interrupt = level;
      this.irq.set(level);
    }
    this.armTimers();
  }

  private armTimers(): void {
    const { state } = this;
    arm(this.transmitter, state.emptying && state.ier & IER_ETBEI ? state.holdingEmptyAt : -1);
    arm(this.receiver, state.arrivesAt);
    arm(this.timeout, state.ier & IER_ERBFI ? state.timeoutAt : -1);
  }

  /** The interrupt with the highest priority, as IIR bits 0-3 name it. */
  private identify(): number {
    const { ier, overrun, receivedCount, fcr } = this.state;
    if (ier & IER_ELSI && overrun) return IIR_LINE;
    if (ier & IER_ERBFI) {
      const level = fcr & FCR_ENABLE ? TRIGGER_LEVELS[fcr >> 6] : 1;
      if (receivedCount >= level) return IIR_DATA;
      if (this.state.timeout && receivedCount > 0) return IIR_TIMEOUT;
    }
    if (ier & IER_ETBEI && this.state.threPending) return IIR_THRE;
    return ier & IER_EDSSI && this.state.msr & 0x0f ? IIR_MODEM : IIR_NONE;
  }
}

function arm(timer: Timer, cycle: number): void {
  if (cycle < 0) timer.cancel();
  else if (timer.deadline !== cycle) timer.at(cycle);
}

/** In loopback the modem outputs are the inputs: RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD. */
function loopedModemStatus(mcr: number): number {
  return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}
