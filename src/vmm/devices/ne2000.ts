// Novell's NE2000 (its "NE1000/NE2000 Technical Manual") and Realtek's RTL8029AS, the same on PCI (RTL8029AS data sheet): a DP8390 with
// 16 KiB of memory, a PROM with the Ethernet address, and
//   00h-0Fh  registers of the controller (net/dp8390.ts)
//   10h-17h  data port of remote DMA          18h-1Fh  reset: reading resets the controller
// ISA: at 300h with interrupt line 9 unless told otherwise. PCI: 10ECh:8029h, base address 0, interrupt pin A; registers 0Ah and 0Bh
// of page 0 read 50h and 43h, and page 3 says full duplex. The controller's memory is at 4000h-7FFFh, its PROM at 0-1Fh.
// Left out on purpose: boot ROM, EEPROM programming, and what page 3 can be set to.

import type { MovableRange, SavedState } from '../device.ts';
import { Cable } from '../net/cable.ts';
import { type BoardMemory, DP8390, Dp8390 } from '../net/dp8390.ts';
import { PciFunction } from '../pci/function.ts';
import type { Card, CardContext } from './cards.ts';
import { bytes, record } from './fields.ts';
import { macOf } from './networkCards.ts';

export const NE2000_PORTS = 32;
const DATA = 0x10,
  RESET = 0x18;
const MEMORY = { first: 0x4000, bytes: 0x4000 } as const,
  PROM_BYTES = 32,
  /** What the PROM says at its end: a 16-bit card. */
  WORD_SIGNATURE = 0x57;
/** Page 0: who it is. Page 3: CONFIG2 and CONFIG3 say that 10BASE-T is connected, in full duplex. */
const RTL8029AS = { 0: { 0x0a: 0x50, 0x0b: 0x43 }, 3: { 0x05: 0x40, 0x06: 0x40 } };
type Size = 1 | 2 | 4;

/** Controller, memory, PROM and cable: what both cards are. */
class Board {
  readonly fields;
  readonly chip: Dp8390;
  readonly cable: Cable;
  private memory: Uint8Array = new Uint8Array(MEMORY.bytes);
  private readonly prom: Uint8Array;

  constructor(context: CardContext, mac: string, interrupt: (level: boolean) => void, registers: BoardMemory['registers'] = {}) {
    const address = macOf(mac, context.index);
    // Every byte is there twice, for the two halves of a word.
    this.prom = Uint8Array.from({ length: PROM_BYTES }, (_, n) => address[n >> 1] ?? (n >> 1 >= 14 ? WORD_SIGNATURE : 0));
    this.chip = new Dp8390(
      context.name,
      context.timers,
      { set: interrupt },
      {
        registers,
        read: (at) => this.prom[at] ?? this.memory[at - MEMORY.first] ?? 0xff,
        write: (at, value) => {
          if (at >= MEMORY.first && at < MEMORY.first + MEMORY.bytes) this.memory[at - MEMORY.first] = value;
        },
      },
      (frame) => this.cable.transmit(frame),
    );
    this.cable = new Cable(context, (frame) => this.chip.receive(frame));
    this.fields = record({ chip: DP8390, memory: bytes(MEMORY.bytes), cable: this.cable.fields });
  }

  read(offset: number, size: Size): number {
    if (offset >= RESET) {
      this.chip.reset();
      return 0;
    }
    if (offset >= DATA) return this.chip.readData(size);
    let value = 0;
    for (let n = 0; n < size; n++) value |= this.chip.read((offset + n) & 15) << (8 * n);
    return value >>> 0;
  }
  write(offset: number, value: number, size: Size): void {
    if (offset >= RESET) return;
    if (offset >= DATA) return this.chip.writeData(value, size);
    for (let n = 0; n < size; n++) this.chip.write((offset + n) & 15, (value >>> (8 * n)) & 0xff);
  }

  reset(): void {
    this.chip.powerOn();
    this.memory.fill(0);
  }
  get saved() {
    return { chip: this.chip.saved, memory: this.memory, cable: this.cable.saved };
  }
  restore({ chip, memory, cable }: Board['saved']): void {
    this.memory = memory;
    this.chip.restore(chip);
    this.cable.restore(cable);
  }
}

export class Ne2kIsa implements Card {
  readonly ports;
  readonly portWidth = 4;
  private readonly board: Board;
  private readonly base: number;
  private readonly name: string;

  constructor(context: CardContext, mac: string, base: number, line: number) {
    this.name = context.name;
    this.base = base;
    this.ports = [{ first: base, last: base + NE2000_PORTS - 1 }];
    const irq = context.irq(line);
    this.board = new Board(context, mac, (level) => irq.set(level));
    this.reset();
  }

  portRead(port: number, size: Size): number {
    return this.board.read(port - this.base, size);
  }
  portWrite(port: number, value: number, size: Size): void {
    this.board.write(port - this.base, value, size);
  }
  receive(message: Uint8Array): void {
    this.board.cable.hear(message);
  }
  get awaitsPeer(): boolean {
    return this.board.cable.awaitsHost;
  }

  reset(): void {
    this.board.reset();
  }
  save(): SavedState {
    return this.board.fields.save(this.board.saved);
  }
  load(state: SavedState): void {
    this.board.restore(this.board.fields.load(state, this.name));
  }
}

export class Ne2kPci implements Card {
  private readonly board: Board;
  private readonly pci: PciFunction;
  private readonly fields;
  private readonly name: string;

  constructor(context: CardContext, mac: string) {
    this.name = context.name;
    this.board = new Board(context, mac, (level) => this.pci.interrupt(level), RTL8029AS);
    const registers: MovableRange = {
      kind: 'port',
      bytes: NE2000_PORTS,
      width: 4,
      read: (offset, size) => this.board.read(offset, size),
      write: (offset, value, size) => this.board.write(offset, value, size),
    };
    this.pci = new PciFunction(context, {
      slot: context.slot,
      number: 0,
      vendor: 0x10ec,
      device: 0x8029,
      classCode: 0x020000,
      subsystem: { vendor: 0x10ec, device: 0x8029 },
      interruptPin: 1,
      bars: [{ index: 0, ...registers }],
    });
    this.fields = record({ pci: bytes(256), board: this.board.fields });
    this.reset();
  }

  receive(message: Uint8Array): void {
    this.board.cable.hear(message);
  }
  get awaitsPeer(): boolean {
    return this.board.cable.awaitsHost;
  }

  reset(): void {
    this.pci.reset();
    this.board.reset();
  }
  save(): SavedState {
    return this.fields.save({ pci: this.pci.space, board: this.board.saved });
  }
  load(state: SavedState): void {
    const { pci, board } = this.fields.load(state, this.name);
    this.pci.load(pci);
    this.board.restore(board);
  }
}
