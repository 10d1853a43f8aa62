// Floppy disk controller Intel 82077AA (data sheet) in AT mode, IRQ 6 and DMA channel 2, with drives A: and B:.
//   3F0h SRA   3F1h SRB   3F2h DOR   3F3h TDR   3F4h MSR, DSR   3F5h FIFO   3F7h DIR, CCR     (3F6h is the IDE interface's)
// A command comes byte by byte, is executed at a deadline, and leaves result bytes. fdcCommands.ts has the table of commands.
// Time is shorter than on a real drive, whose disk turns in 200 ms: see SECTOR_TIME and SEEK_TIME. A data rate that is not the
// diskette's finds no address marks. Left out on purpose: scans, the FIFO's threshold (a byte at a time), sizes but 512 bytes, gaps.

import { disketteFormat } from '../block/diskette.ts';
import type { Drive } from '../block/drive.ts';
import type { Device, DeviceContext, IrqLine, IsaDma, SavedState } from '../device.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import { COMMANDS, INVALID, OPCODE, ST0, ST1, ST2 } from './fdcCommands.ts';
import { byte, bytes, flag, integer, list, record, time } from './fields.ts';

const PORT = { sra: 0x3f0, srb: 0x3f1, dor: 0x3f2, tdr: 0x3f3, msr: 0x3f4, fifo: 0x3f5, dir: 0x3f7 } as const;
const IRQ = 6,
  DMA_CHANNEL = 2,
  DRIVES = 2,
  SECTOR = 512;
const DOR_SELECT = 0x03,
  DOR_RUNNING = 0x04,
  DOR_DMA = 0x08;
const MSR_READY = 0x80,
  MSR_TO_HOST = 0x40,
  MSR_NO_DMA = 0x20,
  MSR_BUSY = 0x10;
const DSR_RESET = 0x80,
  RATE = 0x03;
const DIR_CHANGED = 0x80;
/** What a reset leaves for SENSE INTERRUPT STATUS: a poll of four drives. */
const POLLED = 4;
/** Cycles for a sector, for a seek of any length, and after a reset. */
const SECTOR_TIME = CYCLES_PER_SECOND / 5000,
  SEEK_TIME = CYCLES_PER_SECOND / 1000,
  RESET_TIME = CYCLES_PER_SECOND / 10_000;
const MOST_TRACKS = 83;
/** Phases, and what happens at the deadline. */
const PHASE = { command: 0, execution: 1, result: 2 } as const;
const NEXT = { nothing: 0, reset: 1, seek: 2, sector: 3 } as const;

const STATE = record({
  dor: byte(),
  tdr: byte(),
  rate: integer(2, 0, 3),
  phase: integer(PHASE.command, PHASE.command, PHASE.result),
  /** Command bytes given; result bytes left. */
  command: bytes(9),
  given: integer(0, 0, 9),
  result: bytes(10),
  results: integer(0, 0, 10),
  next: integer(NEXT.nothing, NEXT.nothing, NEXT.sector),
  deadline: time(),
  interrupt: flag(),
  /** Drives that a reset's poll has still to report; status of a seek to report, by drive, or 0. */
  polled: integer(0, 0, POLLED),
  sought: list(4, byte()),
  tracks: list(4, byte()),
  changed: list(4, flag(true)),
  specified: bytes(2),
  configured: list(3, byte()),
  locked: flag(),
  perpendicular: byte(),
  /** Address of the sector in work, sectors that FORMAT TRACK still has to make. */
  cylinder: byte(),
  head: byte(),
  sector: byte(),
  left: byte(),
  /** A sector that moves through the FIFO without DMA. */
  buffer: bytes(SECTOR),
  length: integer(0, 0, SECTOR),
  moved: integer(0, 0, SECTOR),
});

export class Fdc82077 implements Device {
  readonly ports = [
    { first: PORT.sra, last: PORT.fifo },
    { first: PORT.dir, last: PORT.dir },
  ];
  private state = STATE.initial();
  private readonly drives: readonly (Drive | undefined)[];
  private readonly irq: IrqLine;
  private readonly dma: IsaDma;
  private readonly timer: Timer;
  private readonly now: () => number;

  constructor(context: Pick<DeviceContext, 'irq' | 'isaDma' | 'timers' | 'drives'>) {
    this.irq = context.irq(IRQ);
    this.dma = context.isaDma(DMA_CHANNEL);
    this.timer = context.timers.create('floppy', () => this.deadline());
    this.now = () => context.timers.now();
    this.drives = Array.from({ length: DRIVES }, (_, n) => context.drives.find(({ kind, index }) => kind === 'floppy' && index === n));
  }

  reset(): void {
    const { changed } = this.state;
    this.timer.cancel();
    this.state = { ...STATE.initial(), changed };
    this.irq.set(false);
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'fdc82077');
    if (this.state.deadline < 0) this.timer.cancel();
    else this.timer.at(this.state.deadline);
  }

  portRead(port: number): number {
    const { state } = this;
    switch (port) {
      case PORT.sra:
        return (state.interrupt ? 0x80 : 0) | (this.drives[1] ? 0 : 0x40);
      case PORT.srb:
        return 0xc0 | ((state.dor & DOR_SELECT) === 0 ? 0x20 : 0) | ((state.dor >> 4) & 3);
      case PORT.dor:
        return state.dor;
      case PORT.tdr:
        return state.tdr;
      case PORT.msr:
        return this.mainStatus();
      case PORT.fifo:
        return this.readFifo();
      default:
        return this.drives[state.dor & DOR_SELECT] && state.changed[state.dor & DOR_SELECT] ? DIR_CHANGED : 0;
    }
  }
  portWrite(port: number, value: number): void {
    const { state } = this;
    switch (port) {
      case PORT.dor: {
        const before = state.dor;
        state.dor = value;
        if ((value & DOR_RUNNING) === 0) this.halt();
        else if ((before & DOR_RUNNING) === 0) this.wait(NEXT.reset, RESET_TIME);
        return this.drive();
      }
      case PORT.tdr:
        state.tdr = value & 3;
        return;
      case PORT.msr:
        state.rate = value & RATE;
        if (value & DSR_RESET && state.dor & DOR_RUNNING) {
          this.halt();
          this.wait(NEXT.reset, RESET_TIME);
        }
        return;
      case PORT.fifo:
        return this.writeFifo(value);
      case PORT.dir:
        state.rate = value & RATE;
    }
  }

  private mainStatus(): number {
    const { state } = this;
    if ((state.dor & DOR_RUNNING) === 0 || state.next === NEXT.reset) return 0;
    const seeking = state.next === NEXT.seek ? 1 << this.unit : 0;
    if (state.phase === PHASE.result) return MSR_READY | MSR_TO_HOST | MSR_BUSY;
    if (state.phase === PHASE.command) return MSR_READY | (state.given > 0 ? MSR_BUSY : 0) | seeking;
    if (!this.byFifo || state.moved >= state.length) return MSR_BUSY | (this.byFifo ? MSR_NO_DMA : 0);
    return MSR_READY | MSR_BUSY | MSR_NO_DMA | (this.writes ? 0 : MSR_TO_HOST);
  }

  /** Drive that the command names. */
  private get unit(): number {
    return this.state.command[1] & 3;
  }
  private get opcode(): number {
    return this.state.command[0] & 0x1f;
  }
  private get writes(): boolean {
    return COMMANDS[this.opcode]?.data === 'write';
  }
  /** SPECIFY chose transfers without DMA. */
  private get byFifo(): boolean {
    return (this.state.specified[1] & 1) !== 0;
  }

  private readFifo(): number {
    const { state } = this;
    if (state.phase === PHASE.result) {
      this.interrupt(false);
      const [value] = state.result;
      state.result.copyWithin(0, 1);
      if (--state.results <= 0) this.finish();
      return value;
    }
    if (state.phase !== PHASE.execution || !this.byFifo || this.writes || state.moved >= state.length) return 0;
    this.interrupt(false);
    const value = state.buffer[state.moved++];
    if (state.moved === state.length) this.advance(false);
    return value;
  }

  private writeFifo(value: number): void {
    const { state } = this;
    if ((state.dor & DOR_RUNNING) === 0 || state.next === NEXT.reset) return;
    if (state.phase === PHASE.command) {
      // While a drive seeks, the other commands wait; only its interrupt can be asked for.
      state.command[state.given++] = value;
      if (state.given > (COMMANDS[this.opcode] ?? INVALID).parameters) this.execute();
    } else if (state.phase === PHASE.execution && this.byFifo && this.writes && state.moved < state.length) {
      this.interrupt(false);
      state.buffer[state.moved++] = value;
      if (state.moved === state.length) this.wait(NEXT.sector, SECTOR_TIME);
    }
  }

  /** All bytes of a command are there. */
  private execute(): void {
    const { state } = this,
      { command } = state;
    switch (this.opcode) {
      case OPCODE.specify:
        state.specified.set(command.subarray(1, 3));
        return this.finish();
      case OPCODE.configure:
        state.configured = [...command.subarray(1, 4)];
        return this.finish();
      case OPCODE.perpendicular:
        state.perpendicular = command[1];
        return this.finish();
      case OPCODE.senseDrive:
        return this.answer(this.driveStatus());
      case OPCODE.senseInterrupt:
        return this.senseInterrupt();
      case OPCODE.version:
        return this.answer(0x90);
      case OPCODE.lock:
        state.locked = (command[0] & 0x80) !== 0;
        return this.answer(state.locked ? 0x10 : 0);
      case OPCODE.dumpRegisters:
        return this.answer(
          ...state.tracks,
          ...state.specified,
          state.left,
          (state.locked ? 0x80 : 0) | (state.perpendicular & 0x7f),
          ...state.configured.slice(1),
        );
      case OPCODE.recalibrate:
      case OPCODE.seek:
        // The controller is free for SENSE INTERRUPT STATUS meanwhile.
        state.given = 0;
        return this.wait(NEXT.seek, SEEK_TIME);
      case OPCODE.readId:
      case OPCODE.formatTrack:
        state.cylinder = state.tracks[this.unit];
        state.head = (command[1] >> 2) & 1;
        state.sector = 1;
        state.left = command[3];
        break;
      default:
        if (!COMMANDS[this.opcode]) return this.answer(ST0.INVALID);
        [, , state.cylinder, state.head, state.sector] = command;
        if (this.opcode === OPCODE.readTrack) state.sector = 1;
    }
    state.phase = PHASE.execution;
    state.length = state.moved = 0;
    if (this.byFifo && this.writes) this.offer(this.opcode === OPCODE.formatTrack ? 4 : SECTOR);
    else this.wait(NEXT.sector, SECTOR_TIME);
  }

  private deadline(): void {
    const { state } = this,
      { next } = state;
    state.next = NEXT.nothing;
    state.deadline = -1;
    if (next === NEXT.reset) {
      state.polled = POLLED;
      this.interrupt(true);
    } else if (next === NEXT.seek) this.arrive();
    else if (next === NEXT.sector) this.sector();
  }

  private arrive(): void {
    const { state, unit } = this,
      drive = this.drives[unit],
      recalibrates = this.opcode === OPCODE.recalibrate,
      missing = recalibrates && !drive;
    state.tracks[unit] = recalibrates ? 0 : Math.min(state.command[2], MOST_TRACKS);
    // A step pulse clears the change line of a drive that holds a diskette.
    if (drive) state.changed[unit] = false;
    state.sought[unit] = ST0.SEEK_END | (missing ? ST0.ABNORMAL | ST0.EQUIPMENT : 0) | (state.command[1] & 7);
    this.interrupt(true);
  }

  private senseInterrupt(): void {
    const { state } = this;
    const unit = state.polled > 0 ? POLLED - state.polled : state.sought.findIndex((status) => status !== 0);
    if (unit < 0) return this.answer(ST0.INVALID);
    const status = state.polled > 0 ? ST0.POLLED | unit : state.sought[unit];
    if (state.polled > 0) state.polled--;
    else state.sought[unit] = 0;
    this.interrupt(false);
    this.answer(status, state.tracks[unit]);
  }

  /** ST3: two sides and ready always; write protected, on track 0. */
  private driveStatus(): number {
    const { state, unit } = this;
    return (
      0x28 | (this.drives[unit]?.readOnly ? 0x40 : 0) | (state.tracks[unit] === 0 && this.drives[unit] ? 0x10 : 0) | (state.command[1] & 7)
    );
  }

  /** One sector of a transfer, or why there is none. */
  private sector(): void {
    const { state } = this,
      drive = this.drives[this.unit],
      found = drive ? this.place(drive) : { st1: ST1.NO_ADDRESS_MARK, st2: 0 };
    if (!drive || typeof found !== 'number') return this.conclude(ST0.ABNORMAL, found as { st1: number; st2: number });
    if (this.writes && drive.readOnly) return this.conclude(ST0.ABNORMAL, { st1: ST1.NOT_WRITABLE, st2: 0 });
    if (this.opcode === OPCODE.readId) return this.conclude(0);
    if (this.opcode === OPCODE.formatTrack) return this.formatSector(drive);
    if (this.opcode === OPCODE.verify) return this.advance(false);
    if (this.byFifo) {
      if (!this.writes) {
        state.buffer.set(read(drive, found));
        return this.offer(SECTOR);
      }
      write(drive, found, state.buffer);
      return this.advance(false);
    }
    if (!this.writes) return this.advance(this.dma.toMemory(read(drive, found)).terminal);
    const { bytes: taken, terminal } = this.dma.fromMemory(SECTOR);
    // A sector that the host has no more bytes for is filled with zeros.
    const whole = new Uint8Array(SECTOR);
    whole.set(taken);
    write(drive, found, whole);
    this.advance(terminal);
  }

  /** Offset in the image of the sector in work; or the status bits of what is not found. */
  private place(drive: Drive): number | { readonly st1: number; readonly st2: number } {
    const { state } = this,
      { cylinders, heads, sectors, rate } = disketteFormat(drive.size),
      track = state.tracks[this.unit],
      side = (state.command[1] >> 2) & 1;
    if (rate !== state.rate || track >= cylinders || side >= heads) return { st1: ST1.NO_ADDRESS_MARK, st2: 0 };
    const size = this.opcode === OPCODE.formatTrack ? state.command[2] : this.opcode === OPCODE.readId ? 2 : state.command[5];
    if (state.cylinder !== track) return { st1: ST1.NO_DATA, st2: ST2.WRONG_CYLINDER };
    if (state.sector < 1 || state.sector > sectors || state.head >= heads || size !== 2) return { st1: ST1.NO_DATA, st2: 0 };
    return ((track * heads + state.head) * sectors + state.sector - 1) * SECTOR;
  }

  /** FORMAT TRACK: four bytes of the host say what the next sector is called; it is filled. */
  private formatSector(drive: Drive): void {
    const { state } = this;
    const [cylinder, head, sector, size] = this.byFifo ? state.buffer : this.dma.fromMemory(4).bytes;
    const [keptCylinder, keptHead] = [state.cylinder, state.head];
    if (cylinder === keptCylinder && head === keptHead && size === 2) {
      state.sector = sector;
      const found = this.place(drive);
      if (typeof found === 'number') write(drive, found, new Uint8Array(SECTOR).fill(state.command[5]));
      state.sector = 1;
    }
    if (--state.left <= 0) return this.conclude(0);
    if (this.byFifo) this.offer(4);
    else this.wait(NEXT.sector, SECTOR_TIME);
  }

  /** The sector is done: the next one, until the host has no more room or the track ends. */
  private advance(terminal: boolean): void {
    const { state } = this,
      last = state.command[6],
      bothSides = (state.command[0] & 0x80) !== 0;
    const ends = state.sector >= last;
    if (!ends) state.sector++;
    else {
      // The next address as in the data sheet's table "Result phase": with both sides, the side changes each time.
      const goesOn = bothSides && state.head === 0;
      state.sector = 1;
      if (bothSides) state.head ^= 1;
      if (!goesOn) state.cylinder++;
      else if (!terminal) {
        state.command[1] |= 4;
        return this.goOn();
      }
      if (!terminal) return this.conclude(this.opcode === OPCODE.verify ? 0 : ST0.ABNORMAL, { st1: ST1.END_OF_CYLINDER, st2: 0 });
    }
    if (terminal) this.conclude(0);
    else this.goOn();
  }
  private goOn(): void {
    if (this.byFifo && this.writes) this.offer(SECTOR);
    else this.wait(NEXT.sector, SECTOR_TIME);
  }
  /** Bytes that the host can move through the FIFO. */
  private offer(length: number): void {
    this.state.length = length;
    this.state.moved = 0;
    this.interrupt(true);
  }

  /** Result phase of a transfer. */
  private conclude(st0: number, { st1, st2 }: { readonly st1: number; readonly st2: number } = { st1: 0, st2: 0 }): void {
    const { state } = this;
    this.answer(st0 | (state.command[1] & 7), st1, st2, state.cylinder, state.head, state.sector, 2);
    this.interrupt(true);
  }
  private answer(...result: readonly number[]): void {
    const { state } = this;
    state.phase = PHASE.result;
    state.result.set(result);
    state.results = result.length;
  }
  /** Ready for the next command. */
  private finish(): void {
    this.state.phase = PHASE.command;
    this.state.given = this.state.results = 0;
  }

  private halt(): void {
    const { state } = this;
    this.timer.cancel();
    state.next = NEXT.nothing;
    state.deadline = -1;
    state.polled = 0;
    state.sought.fill(0);
    if (!state.locked) state.configured.fill(0);
    this.finish();
    this.interrupt(false);
  }
  private wait(next: number, cycles: number): void {
    this.state.next = next;
    this.state.deadline = this.now() + cycles;
    this.timer.at(this.state.deadline);
  }
  private interrupt(on: boolean): void {
    this.state.interrupt = on;
    this.drive();
  }
  private drive(): void {
    this.irq.set(this.state.interrupt && (this.state.dor & DOR_DMA) !== 0);
  }
}

/** A sector; what the image lacks is zeros and is not written. */
function read(drive: Drive, offset: number): Uint8Array {
  const bytes = new Uint8Array(SECTOR),
    inside = Math.min(SECTOR, drive.size - offset);
  if (inside > 0) bytes.set(drive.read(offset, inside));
  return bytes;
}
function write(drive: Drive, offset: number, bytes: Uint8Array): void {
  const inside = Math.min(SECTOR, drive.size - offset);
  if (inside > 0) drive.write(offset, bytes.subarray(0, inside));
}
