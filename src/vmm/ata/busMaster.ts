// One channel of a bus master IDE controller ("Programming Interface for Bus Master IDE Controller", revision 1.0; Intel 82371SB):
//   +0 command: bit 0 start, bit 3 to memory   +2 status: bit 0 active, 1 error, 2 interrupt, 5-6 drive capable   +4 table
// Memory is described by a table of entries of 8 bytes: address, count (0 is 64 KiB), bit 31 in the last one.

import type { DeviceContext } from '../device.ts';
import { byte, flag, integer, record, type State } from '../devices/fields.ts';

const START = 0x01,
  TO_MEMORY = 0x08;
const ACTIVE = 0x01,
  FAULT = 0x02,
  INTERRUPT = 0x04,
  CAPABLE = 0x60;
const LAST = 0x8000;

const address = () => integer(0, 0, 0xffffffff);
export const BUS_MASTER = record({
  command: byte(),
  status: byte(),
  table: address(),
  /** Next entry of the table, place and bytes left of the present one, and whether it is the last. */
  entry: address(),
  at: address(),
  left: integer(0, 0, 65536),
  last: flag(),
});

export class BusMaster {
  state: State<typeof BUS_MASTER> = BUS_MASTER.initial();
  private readonly memory: DeviceContext['dma'];
  private readonly allowed: () => boolean;
  private readonly started: () => void;

  /** `allowed`: the function may be bus master; `started`: the guest set the start bit. */
  constructor(memory: DeviceContext['dma'], allowed: () => boolean, started: () => void) {
    this.memory = memory;
    this.allowed = allowed;
    this.started = started;
  }

  get active(): boolean {
    return (this.state.status & ACTIVE) !== 0;
  }

  read(offset: number): number {
    const { state } = this;
    if (offset === 0) return state.command;
    if (offset === 2) return state.status;
    return offset < 4 ? 0 : (state.table >>> (8 * (offset - 4))) & 0xff;
  }

  write(offset: number, value: number): void {
    const { state } = this;
    if (offset === 0) return this.control(value & (START | TO_MEMORY));
    if (offset === 2) {
      const cleared = state.status & ~(value & (FAULT | INTERRUPT));
      state.status = (cleared & ~CAPABLE) | (value & CAPABLE);
    } else if (offset >= 4) {
      const shift = 8 * (offset - 4);
      state.table = ((state.table & ~(0xff << shift)) | (value << shift)) & ~3;
      state.table >>>= 0;
    }
  }

  private control(value: number): void {
    const { state } = this,
      before = state.command;
    state.command = value;
    if (value & START && !(before & START)) {
      state.entry = state.table;
      state.left = 0;
      state.last = false;
      state.status |= ACTIVE;
      this.started();
    } else if (!(value & START)) state.status &= ~ACTIVE;
  }

  /** The drive has requested an interrupt. */
  interrupt(): void {
    this.state.status |= INTERRUPT;
  }

  /** Bytes from the drive: how many the table had room for. */
  toMemory(bytes: Uint8Array): number {
    return this.each(bytes.length, true, (at, done, count) => this.memory.write(at, bytes.subarray(done, done + count)));
  }
  /** Bytes for the drive: as many as the table has, at most `length`. */
  fromMemory(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    return bytes.subarray(
      0,
      this.each(length, false, (at, done, count) => bytes.set(this.memory.read(at, count), done)),
    );
  }

  private each(length: number, toMemory: boolean, move: (at: number, done: number, count: number) => void): number {
    const { state } = this;
    if (!this.active || !this.allowed() || ((state.command & TO_MEMORY) !== 0) !== toMemory) return 0;
    let done = 0;
    while (done < length) {
      if (state.left === 0 && !this.next()) break;
      const count = Math.min(state.left, length - done, 2 ** 32 - state.at);
      move(state.at, done, count);
      state.at = (state.at + count) % 2 ** 32;
      state.left -= count;
      done += count;
    }
    if (state.left === 0 && state.last) state.status &= ~ACTIVE;
    return done;
  }

  /** Takes the next entry of the table; false behind the last. */
  private next(): boolean {
    const { state } = this;
    if (state.last) return false;
    const entry = this.memory.read(state.entry, 8),
      view = new DataView(entry.buffer, entry.byteOffset, entry.length);
    state.at = view.getUint32(0, true) & ~1;
    state.at >>>= 0;
    state.left = view.getUint16(4, true) & 0xfffe || 65536;
    state.last = (view.getUint16(6, true) & LAST) !== 0;
    state.entry = (state.entry + 8) % 2 ** 32;
    return true;
  }
}
