// I/O APIC (Intel 82093AA data sheet): 24 interrupt inputs, each with an entry that says what message the processor gets.
//   FEC00000h  IOREGSEL: number of the register    FEC00010h  IOWIN: that register
//   00h ID   01h version and highest entry   02h arbitration ID   10h-3Fh redirection table, two registers for each input
// Inputs 0-15 are the ISA lines, with the timer (line 0) at input 2; inputs 16-19 the four interrupt wires of PCI.
// Left out on purpose: polarity (a line is asserted or not, whatever its voltage), INTR of the 8259 pair at input 0, SMI and INIT.

import type { Device, DeviceContext, SavedState } from '../device.ts';
import { byte, integer, list, record } from './fields.ts';
import type { LocalApic } from './localApic.ts';

const ADDRESS = 0xfec00000,
  WINDOW = 0x10,
  BYTES = 0x100;
const INPUTS = 24,
  FIRST_PCI = 16,
  TIMER_INPUT = 2;
const REGISTER = { ID: 0, VERSION: 1, ARBITRATION: 2, TABLE: 0x10 } as const;
const VERSION = 0x11 | ((INPUTS - 1) << 16);

/** Bits of an entry's low half. */
const ENTRY = { LOGICAL: 0x800, REMOTE_IRR: 0x4000, LEVEL: 0x8000, MASKED: 0x10000, WRITABLE: 0x1afff } as const;

const STATE = record({
  select: byte(),
  id: integer(0, 0, 15),
  /** Levels of the inputs. */
  inputs: integer(0, 0, 2 ** INPUTS - 1),
  low: list(INPUTS, integer(ENTRY.MASKED, 0, 0x1ffff)),
  /** Destinations. */
  high: list(INPUTS, byte()),
});

export class IoApic implements Device {
  readonly memory = [{ first: ADDRESS, last: ADDRESS + BYTES - 1 }];
  private state = STATE.initial();
  private processor: Pick<LocalApic, 'isAddressed' | 'deliver'> | null = null;

  constructor(context: Pick<DeviceContext, 'pci'>) {
    context.pci.onWire((wire, level) => this.setInput(FIRST_PCI + wire, level));
  }

  /** Where messages go. */
  connect(processor: LocalApic): void {
    this.processor = processor;
    processor.onEndOfInterrupt = (vector) => this.endOfInterrupt(vector);
  }

  /** No input can interrupt. */
  get allMasked(): boolean {
    return this.state.low.every((entry) => (entry & ENTRY.MASKED) !== 0);
  }

  /** Level of an ISA interrupt request line. */
  setLine(line: number, level: boolean): void {
    this.setInput(line === 0 ? TIMER_INPUT : line, level);
  }

  private setInput(input: number, level: boolean): void {
    const { state } = this,
      bit = 1 << input;
    if (((state.inputs & bit) !== 0) === level) return;
    state.inputs ^= bit;
    if (level) this.serve(input);
  }
  /** An edge at an input, or a level that may have become news. Edges at a masked input are lost. */
  private serve(input: number): void {
    const { low, high } = this.state,
      entry = low[input],
      level = (entry & ENTRY.LEVEL) !== 0;
    if ((entry & (ENTRY.MASKED | (level ? ENTRY.REMOTE_IRR : 0))) !== 0) return;
    if (!this.processor?.isAddressed(high[input], (entry & ENTRY.LOGICAL) !== 0)) return;
    if (level) low[input] |= ENTRY.REMOTE_IRR;
    this.processor.deliver((entry >> 8) & 7, entry & 0xff, level);
  }
  /** A level that is still there when its interrupt ends is a new one. */
  private endOfInterrupt(vector: number): void {
    const { low } = this.state;
    for (let input = 0; input < INPUTS; input++) {
      if ((low[input] & ENTRY.REMOTE_IRR) === 0 || (low[input] & 0xff) !== vector) continue;
      low[input] &= ~ENTRY.REMOTE_IRR;
      this.serveLevel(input);
    }
  }
  private serveLevel(input: number): void {
    const { inputs, low } = this.state;
    if ((inputs & (1 << input)) !== 0 && (low[input] & ENTRY.LEVEL) !== 0) this.serve(input);
  }

  private readRegister(): number {
    const { select, id, low, high } = this.state;
    if (select >= REGISTER.TABLE && select < REGISTER.TABLE + 2 * INPUTS) {
      const input = (select - REGISTER.TABLE) >> 1;
      return select & 1 ? high[input] << 24 : low[input];
    }
    return select === REGISTER.VERSION ? VERSION : select === REGISTER.ID || select === REGISTER.ARBITRATION ? id << 24 : 0;
  }
  private writeRegister(value: number): void {
    const { state } = this,
      { select, low, high } = state;
    if (select === REGISTER.ID) state.id = (value >>> 24) & 15;
    else if (select >= REGISTER.TABLE && select < REGISTER.TABLE + 2 * INPUTS) {
      const input = (select - REGISTER.TABLE) >> 1;
      if (select & 1) high[input] = value >>> 24;
      else {
        // An entry that becomes edge-triggered forgets that it waits for the end of a level.
        const remote = value & ENTRY.LEVEL ? low[input] & ENTRY.REMOTE_IRR : 0;
        low[input] = (value & ENTRY.WRITABLE) | remote;
        this.serveLevel(input);
      }
    }
  }

  memoryRead(address: number, size: 1 | 2 | 4): number {
    const offset = address - ADDRESS,
      value = (offset & ~3) === 0 ? this.state.select : (offset & ~3) === WINDOW ? this.readRegister() : 0;
    return (value >>> (8 * (offset & 3))) & (size === 4 ? -1 : size === 2 ? 0xffff : 0xff);
  }
  memoryWrite(address: number, value: number, size: 1 | 2 | 4): void {
    const offset = address - ADDRESS;
    if (offset === 0) this.state.select = value & 0xff;
    else if (offset === WINDOW && size === 4) this.writeRegister(value);
  }

  reset(): void {
    const { inputs } = this.state;
    this.state = { ...STATE.initial(), inputs };
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'ioApic');
  }
}
