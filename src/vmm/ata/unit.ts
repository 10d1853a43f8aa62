// What disks and CD-ROM drives on an ATA channel have in common (ATA/ATAPI-6, sections "Interface register definitions and
// descriptions" and "Protocol"): the command block registers with the previous contents that 48-bit commands use, status and
// error, the block of data that the host moves by PIO, the interrupt request, and the deadline at which a command goes on. A
// command is done at a virtual time that depends on the guest alone; if the host is late, the guest's time waits.

import type { Drive } from '../block/drive.ts';
import { byte, bytes, flag, integer, list, record, type State, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND, type Timer, type Timers } from '../timers.ts';

export const SECTOR = 512;
/** Sectors that one block of a multiple transfer can have. */
export const MOST_MULTIPLE = 16;
/** Bytes that wait for the host at most. */
export const BUFFER = MOST_MULTIPLE * SECTOR;
/** Bytes that a bus master moves at once. */
export const DMA_PIECE = 65536;

export const STATUS = { BSY: 0x80, DRDY: 0x40, DSC: 0x10, DRQ: 0x08, CHK: 0x01 } as const;
export const ERROR = { IDNF: 0x10, ABRT: 0x04 } as const;
/** A reset or diagnostic without complaints. */
const NO_ERROR_FOUND = 0x01;
export const DEVICE_LBA = 0x40,
  DEVICE_SELECT = 0x10;

/** Command block registers by their offsets. */
export const REGISTER = { data: 0, error: 1, count: 2, low: 3, mid: 4, high: 5, device: 6, status: 7 } as const;

/** Cycles until a command begins to move data, between blocks of data, and after a reset. */
const MICROSECOND = CYCLES_PER_SECOND / 1_000_000;
export const COMMAND_TIME = 50 * MICROSECOND,
  BLOCK_TIME = 5 * MICROSECOND,
  RESET_TIME = 100 * MICROSECOND;
/** A bus master moves two bytes a cycle: 500 MB/s. */
export const dmaTime = (length: number): number => BLOCK_TIME + Math.ceil(length / 2);

/** What happens at the deadline. */
const NEXT = { nothing: 0, reset: 1, complete: 2, block: 3, dma: 4 } as const;
type Next = (typeof NEXT)[keyof typeof NEXT];

export const UNIT = record({
  /** Features, count and address registers: current and previous contents. */
  registers: list(2, bytes(REGISTER.device)),
  device: byte(),
  status: byte(),
  error: byte(),
  interrupt: flag(),
  next: integer(NEXT.nothing, NEXT.nothing, NEXT.dma),
  /** Cycle of what is next; -1 while it waits for something else. */
  deadline: time(),
  /** The command in progress, and where it is: first block that has not been moved, and blocks left. */
  command: byte(),
  lba: integer(0, 0, 2 ** 48),
  left: integer(0, 0, 2 ** 32),
  /** Block of data: valid bytes, and how many the host has moved. */
  buffer: bytes(BUFFER),
  length: integer(0, 0, BUFFER),
  moved: integer(0, 0, BUFFER),
  /** Sectors in a block of READ and WRITE MULTIPLE; 0 when they are off. */
  multiple: integer(0, 0, MOST_MULTIPLE),
  transferMode: byte(),
  writeCache: flag(true),
  lookAhead: flag(true),
  /** Translation of disks: heads and sectors of INITIALIZE DEVICE PARAMETERS. */
  heads: integer(16, 1, 16),
  sectors: integer(63, 1, 255),
  /** PACKET: whether the packet is still to come, bytes in the buffer that the host has not been offered, bytes that it takes at once. */
  awaitsPacket: flag(),
  pending: integer(0, 0, BUFFER),
  packetLimit: integer(0, 0, 0xffff),
  packetDma: flag(),
  /** Sense key with its codes; the tray. */
  sense: list(3, byte()),
  open: flag(),
  locked: flag(),
});

export type UnitState = State<typeof UNIT>;

/** What a unit needs of its channel. */
export interface UnitHost {
  readonly timers: Timers;
  /** The interrupt request of a unit has changed. */
  interrupt(): void;
  /** The unit has a transfer for the bus master. */
  dmaRequest(): void;
  /** Memory of the bus master: bytes that it took, or that it has. */
  toMemory(bytes: Uint8Array): number;
  fromMemory(length: number): Uint8Array;
}

export abstract class AtaUnit {
  readonly drive: Drive;
  /** 0 or 1 on its channel. */
  readonly number: number;
  protected readonly host: UnitHost;
  protected state: UnitState = UNIT.initial();
  /** Values of the address registers that tell what the device is. */
  protected abstract readonly signature: { readonly mid: number; readonly high: number; readonly status: number };
  private readonly timer: Timer;

  constructor(drive: Drive, number: number, name: string, host: UnitHost) {
    this.drive = drive;
    this.number = number;
    this.host = host;
    this.timer = host.timers.create(name, () => this.deadline());
  }

  /** Begins a command; the registers are set. */
  protected abstract execute(command: number): void;
  /** The next block: to fetch for the host, or, when `taken` bytes have come from it, to take. */
  protected abstract block(taken: Uint8Array | null): void;
  /** The bus master is ready: the next piece of the transfer. */
  protected abstract dma(): void;

  get saved(): UnitState {
    return this.state;
  }
  restore(state: UnitState): void {
    this.state = state;
    this.arm();
  }

  get requestsInterrupt(): boolean {
    return this.state.interrupt;
  }
  get wantsDma(): boolean {
    return this.state.next === NEXT.dma;
  }
  get status(): number {
    return this.state.status;
  }
  acknowledge(): void {
    this.state.interrupt = false;
    this.host.interrupt();
  }

  /** A register but data and status; `previous`: HOB is set. */
  readRegister(register: number, previous: boolean): number {
    const { state } = this;
    if (state.status & STATUS.BSY) return state.status;
    if (register === REGISTER.error) return state.error;
    if (register === REGISTER.device) return state.device | 0xa0;
    return state.registers[previous ? 1 : 0][register];
  }
  writeRegister(register: number, value: number): void {
    const { state } = this;
    if (state.status & (STATUS.BSY | STATUS.DRQ)) return;
    if (register === REGISTER.device) state.device = value;
    else {
      state.registers[1][register] = state.registers[0][register];
      state.registers[0][register] = value;
    }
  }
  command(command: number): void {
    const { state } = this;
    if (state.status & (STATUS.BSY | STATUS.DRQ) && !(command === COMMAND_DEVICE_RESET && this.takesDeviceReset)) return;
    state.interrupt = false;
    this.host.interrupt();
    state.error = 0;
    state.command = command;
    this.execute(command);
  }
  protected get takesDeviceReset(): boolean {
    return false;
  }

  readData(): number {
    const { state } = this;
    if (!(state.status & STATUS.DRQ) || this.isTaking() || state.moved >= state.length) return 0;
    const value = state.buffer[state.moved] | (state.buffer[(state.moved + 1) % BUFFER] << 8);
    this.hasMoved();
    return value;
  }
  writeData(value: number): void {
    const { state } = this;
    if (!(state.status & STATUS.DRQ) || !this.isTaking() || state.moved >= state.length) return;
    state.buffer[state.moved] = value;
    state.buffer[(state.moved + 1) % BUFFER] = value >> 8;
    this.hasMoved();
  }
  /** Whether the data goes from the host to the device. */
  protected abstract isTaking(): boolean;

  private hasMoved(): void {
    const { state } = this;
    state.moved = Math.min(state.length, state.moved + 2);
    if (state.moved < state.length) return;
    const taken = this.isTaking();
    state.status &= ~STATUS.DRQ;
    if (!taken) return this.handedOver();
    state.status |= STATUS.BSY;
    this.wait(NEXT.block, BLOCK_TIME);
  }
  /** The host has taken a block. */
  protected abstract handedOver(): void;

  /** Starts the bus master's part when it is on: called when either has become ready. */
  startDma(): void {
    if (this.state.next === NEXT.dma && this.state.deadline < 0) this.wait(NEXT.dma, dmaTime(this.dmaLength()));
  }
  /** Bytes of the next piece. */
  protected abstract dmaLength(): number;

  private deadline(): void {
    const { state } = this;
    const next = state.next as Next;
    state.next = NEXT.nothing;
    state.deadline = -1;
    if (next === NEXT.reset) this.sign();
    else if (next === NEXT.complete) this.complete();
    else if (next === NEXT.dma) this.dma();
    else if (next === NEXT.block) this.block(this.isTaking() ? state.buffer.slice(0, state.length) : null);
  }
  private arm(): void {
    if (this.state.deadline < 0) this.timer.cancel();
    else this.timer.at(this.state.deadline);
  }
  private wait(next: Next, cycles: number): void {
    this.state.next = next;
    this.state.deadline = this.host.timers.now() + cycles;
    this.arm();
  }

  // ---- what commands do

  protected busyThenBlock(cycles: number): void {
    this.state.status = STATUS.BSY;
    this.wait(NEXT.block, cycles);
  }
  protected busyThenComplete(cycles = COMMAND_TIME): void {
    this.state.status = STATUS.BSY;
    this.wait(NEXT.complete, cycles);
  }
  protected busyForDma(): void {
    this.state.status = STATUS.BSY;
    this.state.next = NEXT.dma;
    this.state.deadline = -1;
    this.arm();
    this.host.dmaRequest();
  }
  /** Data for the host is in the buffer, or room for data from it. */
  protected requestData(length: number, interrupt: boolean): void {
    const { state } = this;
    state.length = length;
    state.moved = 0;
    state.status = STATUS.DRDY | STATUS.DSC | STATUS.DRQ;
    if (interrupt) this.interrupt();
  }
  protected interrupt(): void {
    this.state.interrupt = true;
    this.host.interrupt();
  }
  /** The command has ended well. */
  protected complete(): void {
    this.state.status = STATUS.DRDY | STATUS.DSC;
    this.interrupt();
  }
  protected fail(error: number): void {
    this.state.error = error;
    this.state.status = STATUS.DRDY | STATUS.DSC | STATUS.CHK;
    this.interrupt();
  }

  /** Busy from now on; `ends`: until the reset is over, else until it is released. */
  reset(ends: boolean): void {
    const { state } = this;
    this.stop();
    state.status = STATUS.BSY;
    state.sense = [0, 0, 0];
    if (ends) this.wait(NEXT.reset, RESET_TIME);
    this.host.interrupt();
  }
  protected stop(): void {
    this.state.interrupt = false;
    this.state.next = NEXT.nothing;
    this.state.deadline = -1;
    this.arm();
  }
  /** After power-on. */
  powerOn(): void {
    this.timer.cancel();
    this.state = UNIT.initial();
    this.sign();
  }
  /** EXECUTE DEVICE DIAGNOSTIC: each device of the channel does it, the first one reports. */
  diagnose(): void {
    this.stop();
    this.sign();
    if (this.number === 0) this.interrupt();
  }
  /** The signature by which a device is told from another. */
  protected sign(): void {
    const { state } = this;
    const { mid, high, status } = this.signature;
    state.error = NO_ERROR_FOUND;
    state.registers[0].set([0, 0, 1, 1, mid, high]);
    state.registers[1].fill(0);
    state.device = 0;
    state.status = status;
  }
}

const COMMAND_DEVICE_RESET = 0x08;
