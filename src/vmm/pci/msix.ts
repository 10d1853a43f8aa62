// MSI-X ("PCI Local Bus Specification 3.0", section 6.8): a function's interrupts as messages, each with an address and a value of its own.
//   capability: control (bits 10-0 vectors less one, 14 all masked, 15 on), where the table is, where the pending bits are
//   000h table, 16 bytes a vector: address (8), value, control (bit 0 masked)      800h pending bits, a bit for each vector
// A message of a masked vector waits as its pending bit. Vectors are masked after reset.

import { bytes, record, type State, word } from '../devices/fields.ts';
import type { PciBus } from './bus.ts';
import type { PciBar, PciCapability, PciFunction, PciRegister } from './function.ts';

const CAPABILITY = 0x11,
  CONTROL = 2;
const ON = 0x8000,
  ALL_MASKED = 0x4000;
const BAR_BYTES = 4096,
  PENDING = 0x800,
  ENTRY_BYTES = 16,
  MASKED = 1;
/** Vectors whose pending bits fit into a word. */
const MOST_VECTORS = 16;

const stateOf = (vectors: number) => record({ table: bytes(ENTRY_BYTES * vectors), pending: word() });
type MsixState = State<ReturnType<typeof stateOf>>;

export class Msix {
  readonly vectors: number;
  readonly capability: PciCapability;
  readonly registers: readonly PciRegister[];
  readonly bar: PciBar;
  readonly fields;
  private state: MsixState;
  private readonly bus: PciBus;
  private readonly offset: number;
  private unit: PciFunction | null = null;

  /** `offset`: of the capability in configuration space; `index`: of the base address with table and pending bits. */
  constructor(bus: PciBus, vectors: number, offset: number, index: PciBar['index']) {
    if (vectors > MOST_VECTORS) throw new RangeError(`MSI-X: ${vectors} vectors are more than ${MOST_VECTORS}`);
    this.bus = bus;
    this.vectors = vectors;
    this.offset = offset;
    this.fields = stateOf(vectors);
    this.state = this.initial();
    const places = [index, PENDING | index].flatMap((place) => [place & 0xff, place >> 8, 0, 0]);
    this.capability = { id: CAPABILITY, offset, body: [vectors - 1, 0, ...places] };
    this.registers = [{ offset: offset + CONTROL, bytes: 2, initial: vectors - 1, writable: ON | ALL_MASKED }];
    this.bar = {
      index,
      kind: 'memory',
      bytes: BAR_BYTES,
      read: (at, size) => this.read(at, size),
      write: (at, value, size) => this.write(at, value, size),
    };
    bus.addMessenger(() => this.isOn);
  }
  /** The function that it is a capability of. */
  connect(unit: PciFunction): void {
    this.unit = unit;
  }

  private initial(): MsixState {
    const state = this.fields.initial();
    for (let vector = 0; vector < this.vectors; vector++) state.table[ENTRY_BYTES * vector + 12] = MASKED;
    return state;
  }
  private get control(): number {
    return this.unit?.read(this.offset + CONTROL, 2) ?? 0;
  }
  get isOn(): boolean {
    return (this.control & ON) !== 0;
  }

  /** Sends a vector's message, at once or when it is unmasked. */
  send(vector: number): void {
    this.state.pending |= 1 << vector;
    this.update();
  }
  /** Sends what waits and is not masked any more; to be called when the control word has changed. */
  update(): void {
    if ((this.control & (ON | ALL_MASKED)) !== ON) return;
    const view = new DataView(this.state.table.buffer);
    for (let vector = 0; vector < this.vectors; vector++) {
      const at = ENTRY_BYTES * vector;
      if ((this.state.pending & (1 << vector)) === 0 || (this.state.table[at + 12] & MASKED) !== 0) continue;
      this.state.pending &= ~(1 << vector);
      this.bus.message(view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32, view.getUint32(at + 8, true));
    }
  }

  private read(at: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let n = 0; n < size; n++) value |= this.byteAt(at + n) << (8 * n);
    return value >>> 0;
  }
  private byteAt(at: number): number {
    if (at >= PENDING) return at < PENDING + 2 ? (this.state.pending >> (8 * (at - PENDING))) & 0xff : 0;
    return this.state.table[at] ?? 0;
  }
  /** Double words; others are not allowed to software. */
  private write(at: number, value: number, size: 1 | 2 | 4): void {
    if (size !== 4 || at % 4 !== 0 || at >= this.state.table.length) return;
    // All bits but one of the control are reserved, and the low bits of the address are zero.
    const kept = at % ENTRY_BYTES === 12 ? value & MASKED : at % ENTRY_BYTES === 0 ? value & ~3 : value;
    new DataView(this.state.table.buffer).setUint32(at, kept, true);
    this.update();
  }

  reset(): void {
    this.state = this.initial();
  }
  get saved(): MsixState {
    return this.state;
  }
  restore(state: MsixState): void {
    this.state = state;
  }
}
