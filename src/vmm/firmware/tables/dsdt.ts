// The DSDT: what an operating system cannot find out by itself ("Advanced Configuration and Power Interface Specification", chapter
// "ACPI Namespace"). The PCI bus with its windows and interrupt routing, the devices of the ISA bus, and how to power off.

import { PCI_WIRES, pciWire } from '../../pci/bus.ts';
import { mmioPlace } from '../../virtio/mmio.ts';
import { PCI_LINES, PCI_MEMORY } from '../pci.ts';
import {
  type Aml,
  and,
  argument,
  configurationBytes,
  createDwordField,
  device,
  dma,
  eisaId,
  giveBack,
  integer,
  interrupts,
  io,
  irq,
  memory,
  method,
  name,
  orInto,
  packageOf,
  path,
  resources,
  scope,
  store,
  string,
  when,
  window,
} from './aml.ts';

/** Input of the I/O APIC that the first PCI wire is at, and the line of the system control interrupt. */
export const PCI_INPUT = 16,
  SCI = 9;
const SLOTS = 32;
/** PIIX4 power management: its slot's pin A is not routed but is the system control interrupt. */
const CHIP_SET_SLOT = 1;
/** Lines that a wire may be routed to, besides what the firmware chose. */
const LINES: readonly number[] = [5, 10, 11];

/** Devices at fixed places of the ISA bus: name, Plug and Play identification, resources, unit number. */
const ISA_DEVICES: readonly (readonly [at: string, id: string, resources: readonly Aml[], unit?: number])[] = [
  ['PIC', 'PNP0000', [io(0x20, 2), io(0xa0, 2), io(0x4d0, 2), irq(2)]],
  ['TMR', 'PNP0100', [io(0x40, 4), irq(0)]],
  ['DMAC', 'PNP0200', [io(0x00, 16), io(0x81, 15), io(0xc0, 32), dma(4)]],
  ['SPKR', 'PNP0800', [io(0x61, 1)]],
  ['FPU', 'PNP0C04', [io(0xf0, 1), irq(13)]],
  ['RTC', 'PNP0B00', [io(0x70, 2), irq(8)]],
  ['KBD', 'PNP0303', [io(0x60, 1), io(0x64, 1), irq(1)]],
  ['MOU', 'PNP0F13', [irq(12)]],
  ['FDC0', 'PNP0700', [io(0x3f2, 4), io(0x3f7, 1), irq(6), dma(2)]],
  ['COM1', 'PNP0501', [io(0x3f8, 8), irq(4)], 1],
  ['COM2', 'PNP0501', [io(0x2f8, 8), irq(3)], 2],
];

/** Entries of a routing table: pin of a slot to a source; a null source is an input of the I/O APIC. */
function routes(source: (wire: number) => readonly [Aml, number]): Aml {
  const entries: Aml[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    for (let pin = 0; pin < PCI_WIRES; pin++) {
      const [from, index] = slot === CHIP_SET_SLOT && pin === 0 ? [integer(0), SCI] : source(pciWire(slot, pin + 1));
      entries.push(packageOf(integer(((slot << 16) | 0xffff) >>> 0), integer(pin), from, integer(index)));
    }
  }
  return packageOf(...entries);
}

const link = (wire: number): string => `LNK${'ABCD'[wire]}`;
const router = (wire: number): Aml => path(`\\_SB.PCI0.ISA.PRQ${wire}`);

/** An interrupt link: a wire whose line can be chosen, by its register in the PIIX3. */
const linkDevice = (wire: number): Aml =>
  device(
    link(wire),
    name('_HID', eisaId('PNP0C0F')),
    name('_UID', integer(wire)),
    name('_PRS', resources(interrupts(...LINES))),
    // Bit 7 of the register: the wire is not routed.
    method('_STA', 0, when(and(router(wire), integer(0x80)), giveBack(integer(0x09))), giveBack(integer(0x0b))),
    method('_DIS', 0, orInto(router(wire), integer(0x80), router(wire))),
    name('BUF', resources(interrupts(PCI_LINES[wire]))),
    method(
      '_CRS',
      0,
      createDwordField(path('BUF'), 5, 'LINE'),
      store(and(router(wire), integer(0x0f)), path('LINE')),
      giveBack(path('BUF')),
    ),
    method('_SRS', 1, createDwordField(argument(0), 5, 'LINE'), store(path('LINE'), router(wire))),
  );

/** A virtio device at a fixed address, as Linux's driver knows it; its line is shared. */
function virtioDevice(n: number): Aml {
  const { address, bytes, line } = mmioPlace(n);
  return device(
    `V${n.toString(16).toUpperCase().padStart(3, '0')}`,
    name('_HID', string('LNRO0005')),
    name('_UID', integer(n)),
    name('_CRS', resources(memory(address, bytes), interrupts(line))),
  );
}

/** The definition block's terms, for so many virtio devices without PCI. */
export function dsdtTerms(virtioDevices: number): Aml {
  return [
    // Interrupt model: 0 the 8259 pair, 1 the I/O APIC.
    name('\\PICF', integer(0)),
    method('\\_PIC', 1, store(argument(0), path('\\PICF'))),
    name('\\_S5', packageOf(integer(0), integer(0), integer(0), integer(0))),
    scope(
      '\\_SB',
      device('CPU0', name('_HID', string('ACPI0007')), name('_UID', integer(0))),
      device(
        'PCI0',
        name('_HID', eisaId('PNP0A03')),
        name('_UID', integer(0)),
        name(
          '_CRS',
          resources(
            window('buses', 0, 0xff),
            io(0xcf8, 8),
            window('ports', 0, 0xcf7),
            window('ports', 0xd00, 0xffff),
            window('memory', 0xa0000, 0xbffff),
            window('memory', PCI_MEMORY.first, PCI_MEMORY.last),
          ),
        ),
        name(
          'PRTP',
          routes((wire) => [path(link(wire)), 0]),
        ),
        name(
          'PRTA',
          routes((wire) => [integer(0), PCI_INPUT + wire]),
        ),
        method('_PRT', 0, when(path('\\PICF'), giveBack(path('PRTA'))), giveBack(path('PRTP'))),
        device(
          'ISA',
          name('_ADR', integer(CHIP_SET_SLOT << 16)),
          configurationBytes('PIRQ', 0x60, ['PRQ0', 'PRQ1', 'PRQ2', 'PRQ3']),
          ...ISA_DEVICES.map(([at, id, needs, unit]) =>
            device(
              at,
              name('_HID', eisaId(id)),
              ...(unit === undefined ? [] : [name('_UID', integer(unit))]),
              name('_STA', integer(0x0f)),
              name('_CRS', resources(...needs)),
            ),
          ),
        ),
      ),
      ...Array.from({ length: PCI_WIRES }, (_, wire) => linkDevice(wire)),
      ...Array.from({ length: virtioDevices }, (_, n) => virtioDevice(n)),
      // Ports of the chip set that no driver may be given.
      device('MISC', name('_HID', eisaId('PNP0C02')), name('_CRS', resources(io(0x600, 64), io(0x80, 1), io(0x92, 1)))),
    ),
  ].flat();
}
