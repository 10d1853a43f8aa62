// QEMU's educational PCI device ("EDU device", docs/specs/edu.rst of QEMU): made for courses in which students write a driver.
// Vendor 1234h, device 11E8h; base address 0 has 1 MiB of registers, interrupt pin A.
//   00h identification (read)           04h liveness check: reads the complement of what was written
//   08h factorial: write n, read n! when bit 0 of the status is clear again
//   20h status: bit 0 computing (read), bit 7 interrupt when done      24h interrupt status (read)
//   60h raise interrupt (write)         64h acknowledge interrupt (write)
//   80h DMA source, 88h DMA destination, 90h DMA count, 98h DMA command: bit 0 start, bit 1 from the device, bit 2 interrupt
// Below 80h accesses are of 4 bytes; above, of 4 or 8, which the bus gives as two of 4. The device has 4 KiB of its own at
// address 40000h for DMA, and by default reaches 28 address bits.
// Left out on purpose: message-signalled interrupts, which nothing else here has.

import type { Device, SavedState } from '../device.ts';
import { PCI_COMMAND, PciFunction } from '../pci/function.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import type { CardContext } from './cards.ts';
import { bytes, flag, integer, record, type State, time } from './fields.ts';

const REGISTERS_BYTES = 1 << 20;
const AT = {
  identification: 0x00,
  liveness: 0x04,
  factorial: 0x08,
  status: 0x20,
  interruptStatus: 0x24,
  raise: 0x60,
  acknowledge: 0x64,
  source: 0x80,
  destination: 0x88,
  count: 0x90,
  command: 0x98,
} as const;
/** Version 1.0. */
const IDENTIFICATION = 0x010000ed;
const STATUS = { COMPUTING: 0x01, INTERRUPT: 0x80 } as const;
const COMMAND = { START: 1, TO_MEMORY: 2, INTERRUPT: 4 } as const;
const FACTORIAL_DONE = 0x001,
  DMA_DONE = 0x100;
/** The device's own memory. */
const BUFFER = { address: 0x40000, bytes: 4096 } as const;

/** QEMU's time for a transfer; its factorial takes as long as the host needs, ours so long that a driver has to wait. */
const TRANSFER_TIME = CYCLES_PER_SECOND / 10,
  FACTORIAL_TIME = CYCLES_PER_SECOND / 1000;

const dword = () => integer(0, 0, 0xffffffff);
const STATE = record({
  pci: bytes(256),
  liveness: dword(),
  factorial: dword(),
  interruptWhenDone: flag(),
  interruptStatus: dword(),
  source: dword(),
  destination: dword(),
  count: dword(),
  command: dword(),
  buffer: bytes(BUFFER.bytes),
  /** Cycles at which the factorial and the transfer end, or -1. */
  computed: time(),
  transferred: time(),
});

/** The property dma_mask. */
export const DMA_MASK = {
  help: 'addresses that its DMA reaches, as a mask',
  initial: '0xfffffff',
  check(text: string): void {
    if (!/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) || Number(text) > 0xffffffff) throw new RangeError('a mask of up to 32 bits is needed');
  },
};

export class Edu implements Device {
  private readonly pci: PciFunction;
  private readonly dma: CardContext['dma'];
  private readonly timers: CardContext['timers'];
  private readonly mask: number;
  private readonly computing: Timer;
  private readonly transferring: Timer;
  private state: State<typeof STATE> = STATE.initial();

  constructor(context: Pick<CardContext, 'name' | 'slot' | 'map' | 'pci' | 'dma' | 'timers'>, dmaMask: number) {
    this.dma = context.dma;
    this.timers = context.timers;
    this.mask = dmaMask;
    this.computing = context.timers.create(`${context.name} factorial`, () => this.computed());
    this.transferring = context.timers.create(`${context.name} transfer`, () => this.transferred());
    this.pci = new PciFunction(context, {
      slot: context.slot,
      number: 0,
      vendor: 0x1234,
      device: 0x11e8,
      revision: 0x10,
      classCode: 0x00ff00,
      interruptPin: 1,
      bars: [
        {
          index: 0,
          kind: 'memory',
          bytes: REGISTERS_BYTES,
          read: (offset, size) => (size === 4 ? this.read(offset) : size === 2 ? 0xffff : 0xff),
          write: (offset, value, size) => void (size === 4 && this.write(offset, value >>> 0)),
        },
      ],
    });
    this.reset();
  }

  private read(offset: number): number {
    const { state } = this;
    switch (offset) {
      case AT.identification:
        return IDENTIFICATION;
      case AT.liveness:
        return state.liveness;
      case AT.factorial:
        return state.factorial;
      case AT.status:
        return (state.computed >= 0 ? STATUS.COMPUTING : 0) | (state.interruptWhenDone ? STATUS.INTERRUPT : 0);
      case AT.interruptStatus:
        return state.interruptStatus;
      case AT.source:
        return state.source;
      case AT.destination:
        return state.destination;
      case AT.count:
        return state.count;
      case AT.command:
        return state.command;
      default:
        // Upper halves of the 8-byte registers; elsewhere nobody answers.
        return offset >= AT.source && offset <= AT.command + 4 && (offset & 7) === 4 ? 0 : 0xffffffff;
    }
  }

  private write(offset: number, value: number): void {
    const { state } = this;
    switch (offset) {
      case AT.liveness:
        state.liveness = ~value >>> 0;
        break;
      case AT.factorial:
        if (state.computed >= 0) break;
        state.factorial = value;
        state.computed = this.timers.now() + FACTORIAL_TIME;
        this.arm();
        break;
      case AT.status:
        state.interruptWhenDone = (value & STATUS.INTERRUPT) !== 0;
        break;
      case AT.raise:
        this.interrupt(state.interruptStatus | value);
        break;
      case AT.acknowledge:
        this.interrupt(state.interruptStatus & ~value);
        break;
      case AT.source:
        if (state.transferred < 0) state.source = value;
        break;
      case AT.destination:
        if (state.transferred < 0) state.destination = value;
        break;
      case AT.count:
        if (state.transferred < 0) state.count = value;
        break;
      case AT.command:
        if (state.transferred >= 0 || (value & COMMAND.START) === 0) break;
        state.command = value;
        state.transferred = this.timers.now() + TRANSFER_TIME;
        this.arm();
        break;
    }
  }

  private interrupt(status: number): void {
    this.state.interruptStatus = status >>> 0;
    this.pci.interrupt(status !== 0);
  }

  private computed(): void {
    const { state } = this;
    let product = 1;
    // Modulo 2 to the 32nd; from 34! on there are 32 factors of two and nothing is left.
    for (let n = Math.min(state.factorial, 34); n > 0; n--) product = Math.imul(product, n);
    state.factorial = product >>> 0;
    state.computed = -1;
    if (state.interruptWhenDone) this.interrupt(state.interruptStatus | FACTORIAL_DONE);
  }

  private transferred(): void {
    const { state } = this,
      toMemory = (state.command & COMMAND.TO_MEMORY) !== 0,
      start = (toMemory ? state.source : state.destination) - BUFFER.address;
    state.transferred = -1;
    state.command &= ~COMMAND.START;
    // A transfer that leaves the device's memory is a driver's mistake: nothing is moved. So it is without bus mastering.
    if (start >= 0 && start + state.count <= BUFFER.bytes && this.pci.allows(PCI_COMMAND.MASTER)) {
      if (toMemory) this.dma.write((state.destination & this.mask) >>> 0, state.buffer.slice(start, start + state.count));
      else state.buffer.set(this.dma.read((state.source & this.mask) >>> 0, state.count), start);
    }
    if ((state.command & COMMAND.INTERRUPT) !== 0) this.interrupt(state.interruptStatus | DMA_DONE);
  }

  private arm(): void {
    const { computed, transferred } = this.state;
    if (computed < 0) this.computing.cancel();
    else this.computing.at(computed);
    if (transferred < 0) this.transferring.cancel();
    else this.transferring.at(transferred);
  }

  reset(): void {
    this.state = STATE.initial();
    this.pci.reset();
    this.arm();
  }

  save(): SavedState {
    this.state.pci = this.pci.space;
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'edu');
    this.pci.load(this.state.pci);
    this.pci.interrupt(this.state.interruptStatus !== 0);
    this.arm();
  }
}
