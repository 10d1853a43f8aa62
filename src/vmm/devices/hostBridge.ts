// Host bridge of the Intel 440FX chip set (82441FX "PMC" data sheet): PCI configuration mechanism #1 and the attributes of the
// memory between 768 KiB and 1 MiB.
//   CF8h  double word CONFADD: bit 31 enable, 23-16 bus, 15-11 device, 10-8 function, 7-2 register
//   CFCh-CFFh  CONFDATA: byte, word or double word of that register
//   configuration space 59h-5Fh  PAM0-PAM6: for each area a nibble, bit 0 reads and bit 1 writes go to RAM instead of PCI
//                       72h      SMRAM: fixed, there is no system management mode
// What does not go to RAM is answered by the end of the firmware's ROM, at most 128 KiB, below by nobody. After reset the attributes
// are those that the machine's own firmware leaves on such a board, RAM that cannot be written; its bytes are put there by the
// machine. With another firmware nothing goes to RAM.
// Left out on purpose: DRAM timing and error registers (they read zero).

import type { Device, DeviceContext, SavedState } from '../device.ts';
import { PciFunction, QEMU } from '../pci/function.ts';
import { bytes, integer, record } from './fields.ts';

const CONFADD = 0xcf8,
  CONFDATA = 0xcfc;
const ENABLE = 0x80000000,
  CONFADD_WRITABLE = 0x80fffffc;
const PAM0 = 0x59,
  READ = 1,
  WRITE = 2;

/** An area of memory and the nibble that rules it. */
interface Area {
  readonly address: number;
  readonly bytes: number;
  readonly register: number;
  readonly shift: 0 | 4;
}
const AREAS: readonly Area[] = [
  { address: 0xf0000, bytes: 0x10000, register: PAM0, shift: 4 },
  ...Array.from(
    { length: 12 },
    (_, n): Area => ({ address: 0xc0000 + n * 0x4000, bytes: 0x4000, register: PAM0 + 1 + (n >> 1), shift: n & 1 ? 4 : 0 }),
  ),
];
/** How much of the ROM's end also ends the first megabyte. */
const LOW_ROM_BYTES = 0x20000;
const FIRST = 0xc0000,
  END = 0x100000;

const STATE = record({ address: integer(0, 0, 0xffffffff), pci: bytes(256) });

export class HostBridge implements Device {
  readonly ports = [
    { first: CONFADD, last: CONFADD + 3, only: 4 as const },
    { first: CONFDATA, last: CONFDATA + 3 },
  ];
  readonly portWidth = 4;
  readonly memory = [{ first: FIRST, last: END - 1 }];
  private address = 0;
  private readonly context: Pick<DeviceContext, 'pci' | 'shadow' | 'rom'>;
  private readonly pci: PciFunction;

  constructor(context: Pick<DeviceContext, 'map' | 'pci' | 'shadow' | 'rom' | 'romIsShadowed'>) {
    this.context = context;
    const first = context.romIsShadowed ? 0x11 : 0;
    this.pci = new PciFunction(
      context,
      {
        slot: 0,
        number: 0,
        vendor: 0x8086,
        device: 0x1237,
        revision: 2,
        classCode: 0x060000,
        subsystem: QEMU,
        registers: [
          { offset: PAM0, bytes: 1, initial: first & 0xf0, writable: 0x30 },
          ...Array.from({ length: 6 }, (_, n) => ({ offset: PAM0 + 1 + n, bytes: 1 as const, initial: first, writable: 0x33 })),
          { offset: 0x72, bytes: 1, initial: 0x02 },
        ],
      },
      (register) => {
        if (register < 0 || (register >= 0x58 && register < 0x60)) this.applyAttributes();
      },
    );
  }

  private attributes({ register, shift }: Area): number {
    return this.pci.space[register] >> shift;
  }
  private applyAttributes(): void {
    for (const area of AREAS) {
      const bits = this.attributes(area);
      this.context.shadow.set(area.address, area.bytes, (bits & READ) !== 0, (bits & WRITE) !== 0);
    }
  }

  portRead(port: number, size: 1 | 2 | 4): number {
    if (port === CONFADD) return this.address;
    if (this.address < ENABLE) return 0xffffffff;
    return this.context.pci.read(this.address + (port & 3), size);
  }
  portWrite(port: number, value: number, size: 1 | 2 | 4): void {
    if (port === CONFADD) this.address = (value & CONFADD_WRITABLE) >>> 0;
    else if (this.address >= ENABLE) this.context.pci.write(this.address + (port & 3), value, size);
  }

  /** Memory that the attributes turn over to PCI. */
  memoryRead(address: number, size: 1 | 2 | 4): number {
    const { rom } = this.context;
    let value = 0;
    for (let n = 0; n < size; n++) {
      const before = END - address - n;
      value |= (before <= LOW_ROM_BYTES ? (rom[rom.length - before] ?? 0xff) : 0xff) << (8 * n);
    }
    return value;
  }
  memoryWrite(address: number, value: number, size: 1 | 2 | 4): void {
    const area = AREAS.find((candidate) => address >= candidate.address && address < candidate.address + candidate.bytes);
    // Reads from the ROM, writes to the RAM behind it: how a firmware copies itself.
    if (area && this.attributes(area) === WRITE) {
      this.context.shadow.write(
        address,
        Uint8Array.from({ length: size }, (_, n) => value >>> (8 * n)),
      );
    }
  }

  reset(): void {
    this.address = 0;
    this.pci.reset();
  }
  save(): SavedState {
    return STATE.save({ address: this.address, pci: this.pci.space });
  }
  load(state: SavedState): void {
    const { address, pci } = STATE.load(state, 'hostBridge');
    this.address = (address & CONFADD_WRITABLE) >>> 0;
    this.pci.load(pci);
  }
}
