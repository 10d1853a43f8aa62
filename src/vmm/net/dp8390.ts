// Network interface controller (National Semiconductor DP8390D/NS32490D data sheet): registers, remote DMA, the ring of received
// frames and the transmit buffer, in 64 KiB of addresses whose memory the board supplies.
//   00h     CR command
//   page 0  01h PSTART  02h PSTOP  03h BNRY  04h TPSR (read: TSR)  05h TBCR  07h ISR  08h RSAR (read: CRDA)  0Ah RBCR
//           0Ch RCR (read: RSR)  0Dh TCR  0Eh DCR  0Fh IMR
//   page 1  01h-06h PAR  07h CURR  08h-0Fh MAR          page 2 reads what page 0 writes
// A frame that the ring has no room for waits outside, so that the ring never overflows. Left out on purpose: collisions and errors of
// the line (there is none), tally counters, loopback to the FIFO, the Send Packet command, and the check sequence behind a frame.

import type { IrqLine } from '../device.ts';
import { byte, bytes, record, time, word } from '../devices/fields.ts';
import type { Timer, Timers } from '../timers.ts';
import { BROADCAST, type FrameSink, isGroup, LONGEST_FRAME, MAC_BYTES, SHORTEST_FRAME, sameMac } from './ethernet.ts';
import { CYCLES_PER_BYTE } from './frameQueue.ts';

const CR = { STP: 0x01, STA: 0x02, TXP: 0x04, READ: 0x08, WRITE: 0x10, REMOTE: 0x38 } as const;
const CR_ABORT = 0x20;
const ISR = { PRX: 0x01, PTX: 0x02, RDC: 0x40, RST: 0x80 } as const,
  ISR_MASKABLE = 0x7f;
const RCR = { AB: 0x04, AM: 0x08, PRO: 0x10, MON: 0x20 } as const;
const RSR = { PRX: 0x01, PHY: 0x20 } as const;
const TCR_LOOPBACK = 0x06,
  TSR_PTX = 0x01,
  DCR_WTS = 0x01;
const PAGE_BYTES = 256,
  FRAME_HEADER = 4,
  CHECK_SEQUENCE = 4,
  HASH_BYTES = 8;

export const DP8390 = record({
  command: byte(CR.STP | CR_ABORT),
  pageStart: byte(),
  pageStop: byte(),
  boundary: byte(),
  current: byte(),
  transmitPage: byte(),
  transmitCount: word(),
  transmitStatus: byte(),
  interruptStatus: byte(ISR.RST),
  interruptMask: byte(),
  remoteAddress: word(),
  remoteCount: word(),
  receiveConfiguration: byte(),
  receiveStatus: byte(),
  transmitConfiguration: byte(),
  dataConfiguration: byte(0x04),
  physical: bytes(MAC_BYTES),
  multicast: bytes(HASH_BYTES),
  /** When the frame being sent is gone. */
  transmitted: time(),
});

/** What the board has at the controller's addresses. */
export interface BoardMemory {
  read(address: number): number;
  write(address: number, value: number): void;
  /** What a clone of the controller has in registers that the DP8390 has not. */
  readonly registers?: { readonly [page: number]: { readonly [register: number]: number } };
}

export class Dp8390 {
  private state = DP8390.initial();
  private readonly memory: BoardMemory;
  private readonly interrupt: IrqLine;
  private readonly timers: Timers;
  private readonly timer: Timer;
  private readonly output: FrameSink;

  constructor(name: string, timers: Timers, interrupt: IrqLine, memory: BoardMemory, output: FrameSink) {
    this.memory = memory;
    this.interrupt = interrupt;
    this.timers = timers;
    this.output = output;
    this.timer = timers.create(`${name} transmit`, () => this.sent());
  }

  /** The RESET pin: registers that it does not mention keep their values. */
  reset(): void {
    const { state } = this;
    state.command = CR.STP | CR_ABORT;
    state.interruptStatus |= ISR.RST;
    state.interruptMask = 0;
    state.transmitConfiguration &= ~TCR_LOOPBACK;
    state.dataConfiguration |= 0x04;
    state.transmitted = -1;
    this.timer.cancel();
    this.drive();
  }
  powerOn(): void {
    this.state = DP8390.initial();
    this.reset();
  }

  private get page(): number {
    return this.state.command >> 6;
  }

  /** A register, 0 to 15. */
  read(register: number): number {
    const { state } = this;
    if (register === 0) return state.command;
    if (this.page === 1)
      return register < 7 ? state.physical[register - 1] : register === 7 ? state.current : state.multicast[register - 8];
    const own = this.page === 0 ? this.readPage0(register) : this.page === 2 ? this.readPage2(register) : null;
    return (own ?? this.memory.registers?.[this.page]?.[register] ?? 0) & 0xff;
  }

  private readPage0(register: number): number | null {
    const { state } = this;
    switch (register) {
      case 3:
        return state.boundary;
      case 4:
        return state.transmitStatus;
      case 7:
        return state.interruptStatus;
      case 8:
        return state.remoteAddress;
      case 9:
        return state.remoteAddress >> 8;
      case 12:
        return state.receiveStatus;
      default:
        return null;
    }
  }

  private readPage2(register: number): number | null {
    const { state } = this;
    switch (register) {
      case 1:
        return state.pageStart;
      case 2:
        return state.pageStop;
      case 4:
        return state.transmitPage;
      case 12:
        return state.receiveConfiguration;
      case 13:
        return state.transmitConfiguration;
      case 14:
        return state.dataConfiguration;
      case 15:
        return state.interruptMask;
      default:
        return null;
    }
  }

  write(register: number, value: number): void {
    if (register === 0) this.command(value);
    else if (this.page === 0) this.writePage0(register, value);
    else if (this.page === 1) this.writePage1(register, value);
  }

  private writePage0(register: number, value: number): void {
    const { state } = this;
    switch (register) {
      case 1:
        state.pageStart = value;
        break;
      case 2:
        state.pageStop = value;
        break;
      case 3:
        state.boundary = value;
        break;
      case 4:
        state.transmitPage = value;
        break;
      case 5:
        state.transmitCount = (state.transmitCount & 0xff00) | value;
        break;
      case 6:
        state.transmitCount = (state.transmitCount & 0x00ff) | (value << 8);
        break;
      case 7:
        state.interruptStatus &= ~value | ISR.RST;
        break;
      case 8:
        state.remoteAddress = (state.remoteAddress & 0xff00) | value;
        break;
      case 9:
        state.remoteAddress = (state.remoteAddress & 0x00ff) | (value << 8);
        break;
      case 10:
        state.remoteCount = (state.remoteCount & 0xff00) | value;
        break;
      case 11:
        state.remoteCount = (state.remoteCount & 0x00ff) | (value << 8);
        break;
      case 12:
        state.receiveConfiguration = value & 0x3f;
        break;
      case 13:
        state.transmitConfiguration = value & 0x1f;
        break;
      case 14:
        state.dataConfiguration = value & 0x7f;
        break;
      case 15:
        state.interruptMask = value & ISR_MASKABLE;
        break;
    }
    this.drive();
  }

  private writePage1(register: number, value: number): void {
    const { state } = this;
    if (register < 7) state.physical[register - 1] = value;
    else if (register === 7) state.current = value;
    else state.multicast[register - 8] = value;
  }

  private command(value: number): void {
    const { state } = this,
      sending = state.command & CR.TXP;
    state.command = (value & ~CR.TXP) | sending;
    if ((value & CR.STP) !== 0) state.interruptStatus |= ISR.RST;
    else if ((value & CR.STA) !== 0) state.interruptStatus &= ~ISR.RST;
    const remote = value & CR.REMOTE;
    if ((remote === CR.READ || remote === CR.WRITE) && state.remoteCount === 0) state.interruptStatus |= ISR.RDC;
    if ((value & (CR.TXP | CR.STP)) === CR.TXP && sending === 0) {
      state.command |= CR.TXP;
      state.transmitted = this.timers.now() + Math.ceil(Math.max(SHORTEST_FRAME, state.transmitCount) * CYCLES_PER_BYTE);
      this.timer.at(state.transmitted);
    }
    this.drive();
  }

  /** The data port of remote DMA, so many bytes wide. */
  readData(size: 1 | 2 | 4): number {
    const unit = this.unit;
    let value = size === 1 ? 0xff : size === 2 ? 0xffff : 0xffffffff;
    if ((this.state.command & CR.REMOTE) !== CR.READ) return value;
    value = 0;
    for (let at = 0; at < size; at += unit) {
      for (let n = 0; n < unit; n++) value |= this.memory.read((this.state.remoteAddress + n) & 0xffff) << (8 * (at + n));
      this.step(unit);
    }
    return size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
  }
  writeData(value: number, size: 1 | 2 | 4): void {
    const unit = this.unit;
    if ((this.state.command & CR.REMOTE) !== CR.WRITE) return;
    for (let at = 0; at < size; at += unit) {
      for (let n = 0; n < unit; n++) this.memory.write((this.state.remoteAddress + n) & 0xffff, (value >>> (8 * (at + n))) & 0xff);
      this.step(unit);
    }
  }
  /** Bytes that one transfer of remote DMA moves. */
  private get unit(): 1 | 2 {
    return (this.state.dataConfiguration & DCR_WTS) === 0 ? 1 : 2;
  }
  private step(count: number): void {
    const { state } = this;
    state.remoteAddress = (state.remoteAddress + count) & 0xffff;
    if (state.remoteAddress === state.pageStop * PAGE_BYTES) state.remoteAddress = state.pageStart * PAGE_BYTES;
    if (state.remoteCount === 0) return;
    state.remoteCount = Math.max(0, state.remoteCount - count);
    if (state.remoteCount > 0) return;
    state.interruptStatus |= ISR.RDC;
    this.drive();
  }

  /** The frame in the transmit buffer is gone. What is too long to be a frame goes nowhere. */
  private sent(): void {
    const { state } = this,
      first = state.transmitPage * PAGE_BYTES;
    state.transmitted = -1;
    if ((state.transmitConfiguration & TCR_LOOPBACK) === 0 && state.transmitCount <= LONGEST_FRAME) {
      const frame = Uint8Array.from({ length: state.transmitCount }, (_, n) => this.memory.read((first + n) & 0xffff));
      this.output(frame);
    }
    state.command &= ~CR.TXP;
    state.transmitStatus = TSR_PTX;
    state.interruptStatus |= ISR.PTX;
    this.drive();
  }

  /** Takes a frame from the cable; false when it must wait because the ring has no room. */
  receive(frame: Uint8Array): boolean {
    const { state } = this;
    const isDeaf = (state.command & CR.STP) !== 0 || (state.transmitConfiguration & TCR_LOOPBACK) !== 0;
    if (isDeaf || (state.receiveConfiguration & RCR.MON) !== 0 || !this.accepts(frame)) return true;
    const length = Math.max(SHORTEST_FRAME, frame.length),
      pages = Math.ceil((FRAME_HEADER + length + CHECK_SEQUENCE) / PAGE_BYTES);
    const ring = state.pageStop - state.pageStart;
    if (pages >= ring || state.current < state.pageStart || state.current >= state.pageStop) return true;
    const gap = state.boundary - state.current;
    if ((gap > 0 ? gap : gap + ring) <= pages) return false;
    const next = state.current + pages < state.pageStop ? state.current + pages : state.current + pages - ring;
    state.receiveStatus = RSR.PRX | (isGroup(frame) ? RSR.PHY : 0);
    const count = length + CHECK_SEQUENCE;
    let at = state.current * PAGE_BYTES;
    const store = (value: number): void => {
      this.memory.write(at, value);
      if (++at === state.pageStop * PAGE_BYTES) at = state.pageStart * PAGE_BYTES;
    };
    for (const value of [state.receiveStatus, next, count & 0xff, count >> 8]) store(value);
    for (let n = 0; n < length; n++) store(frame[n] ?? 0);
    state.current = next;
    state.interruptStatus |= ISR.PRX;
    this.drive();
    return true;
  }

  private accepts(frame: Uint8Array): boolean {
    const { receiveConfiguration, physical, multicast } = this.state,
      destination = frame.subarray(0, MAC_BYTES);
    if (!isGroup(destination)) return (receiveConfiguration & RCR.PRO) !== 0 || sameMac(physical, destination);
    if (sameMac(BROADCAST, destination)) return (receiveConfiguration & RCR.AB) !== 0;
    const hash = multicastHash(destination);
    return (receiveConfiguration & RCR.AM) !== 0 && (multicast[hash >> 3] & (1 << (hash & 7))) !== 0;
  }

  private drive(): void {
    const { interruptStatus, interruptMask } = this.state;
    this.interrupt.set((interruptStatus & interruptMask & ISR_MASKABLE) !== 0);
  }

  get saved(): typeof this.state {
    return this.state;
  }
  restore(state: typeof this.state): void {
    this.state = state;
    this.timer.cancel();
    if (state.transmitted >= 0) this.timer.at(state.transmitted);
    this.drive();
  }
}

/** The six highest bits of the address's check sequence (IEEE 802.3, most significant bit first). */
function multicastHash(mac: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of mac) {
    for (let bit = 0; bit < 8; bit++) {
      const carry = (crc >>> 31) ^ ((octet >> bit) & 1);
      crc = (crc << 1) ^ (carry ? 0x04c11db7 : 0);
    }
  }
  return crc >>> 26;
}
