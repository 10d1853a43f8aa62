// PCI to ISA bridge of the Intel 82371SB (PIIX3 data sheet), function 0: it routes the four PCI interrupt wires to interrupt
// request lines of the 8259 pair.
//   configuration space 60h-63h  PIRQRC[A:D]: bit 7 off, bits 3-0 the line (3-7, 9-12, 14, 15); after reset off
// Wires on one line are held together; the line must be level-triggered in the ELCR (4D0h, 4D1h: pic8259.ts). The reset control
// register at CF9h is in resetControl.ts. Left out on purpose: X-bus decoding, timing, DMA routing and power management registers,
// which read as after reset.

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { PCI_WIRES } from '../pci/bus.ts';
import { PciFunction, QEMU } from '../pci/function.ts';
import { bytes, record } from './fields.ts';

const PIRQRC = 0x60,
  OFF = 0x80;
const LINES: readonly number[] = [3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15];

const STATE = record({ pci: bytes(256) });

export class Piix3 implements Device {
  private readonly bus: DeviceContext['pci'];
  private readonly pci: PciFunction;
  private readonly lines: ReadonlyMap<number, IrqLine>;
  /** Lines that wires hold. */
  private held = new Set<number>();

  constructor(context: Pick<DeviceContext, 'map' | 'pci' | 'irq'>) {
    this.bus = context.pci;
    this.lines = new Map(LINES.map((line) => [line, context.irq(line)]));
    this.pci = new PciFunction(
      context,
      {
        slot: 1,
        number: 0,
        vendor: 0x8086,
        device: 0x7000,
        classCode: 0x060100,
        subsystem: QEMU,
        multifunction: true,
        registers: [
          // Ports, memory and bus mastering are always on; medium DEVSEL timing.
          { offset: 0x04, bytes: 4, initial: 0x02000007 },
          { offset: 0x4c, bytes: 1, initial: 0x4d },
          { offset: 0x4e, bytes: 1, initial: 0x03 },
          { offset: PIRQRC, bytes: 4, initial: 0x80808080, writable: 0x8f8f8f8f },
          { offset: 0x69, bytes: 1, initial: 0x02 },
          { offset: 0x70, bytes: 1, initial: 0x80 },
          { offset: 0x76, bytes: 2, initial: 0x0c0c },
          { offset: 0x78, bytes: 1, initial: 0x02 },
          { offset: 0xa0, bytes: 1, initial: 0x08 },
          { offset: 0xa8, bytes: 1, initial: 0x0f },
        ],
      },
      (register) => {
        if (register < 0 || register === PIRQRC) this.route();
      },
    );
    context.pci.onWire(() => this.route());
  }

  private route(): void {
    const now = new Set<number>();
    for (let wire = 0; wire < PCI_WIRES; wire++) {
      const control = this.pci.space[PIRQRC + wire];
      if ((control & OFF) === 0 && this.bus.level(wire)) now.add(control & 15);
    }
    const before = this.held;
    this.held = now;
    for (const line of before) if (!now.has(line)) this.lines.get(line)?.set(false);
    for (const line of now) if (!before.has(line)) this.lines.get(line)?.set(true);
  }

  reset(): void {
    this.pci.reset();
  }
  save(): SavedState {
    return STATE.save({ pci: this.pci.space });
  }
  load(state: SavedState): void {
    this.pci.load(STATE.load(state, 'piix3').pci);
  }
}
