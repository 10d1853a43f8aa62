// Tables of the MultiProcessor Specification 1.4, chapter 4: for operating systems that know APICs but not ACPI. One processor, the
// buses, the I/O APIC, and which interrupt is at which of its inputs.

import { PCI_WIRES, pciWire } from '../../pci/bus.ts';
import { mmioLines } from '../../virtio/mmio.ts';
import { PCI_INPUT, SCI } from './dsdt.ts';
import { TableWriter } from './layout.ts';

const ENTRY = { PROCESSOR: 0, BUS: 1, IO_APIC: 2, IO_INTERRUPT: 3, LOCAL_INTERRUPT: 4 } as const;
const INTERRUPT = { INT: 0, NMI: 1, EXTINT: 3 } as const;
/** Polarity and trigger mode: as the bus has it; high and level. */
const CONFORMS = 0x00,
  HIGH_LEVEL = 0x0d;
const PCI = 0,
  ISA = 1;
const SLOTS = 32;
const IO_APIC_ID = 0,
  IO_APIC_VERSION = 0x11,
  LOCAL_APIC_VERSION = 0x14;
/** Enabled, and the one that boots. */
const BOOTS = 3;
/** A processor of the P6 family with x87 and local APIC; CPUID says more. */
const SIGNATURE = 0x600,
  FEATURES = 0x201;
const ALL = 0xff;
const HEADER_BYTES = 44;

function entries(virtioDevices: number): { readonly writer: TableWriter; readonly count: number } {
  const writer = new TableWriter();
  let count = 0;
  const entry = (kind: number): TableWriter => {
    count++;
    return writer.u8(kind);
  };
  entry(ENTRY.PROCESSOR).u8(0, LOCAL_APIC_VERSION, BOOTS).u32(SIGNATURE, FEATURES, 0, 0);
  entry(ENTRY.BUS).u8(PCI).text('PCI', 6);
  entry(ENTRY.BUS).u8(ISA).text('ISA', 6);
  entry(ENTRY.IO_APIC).u8(IO_APIC_ID, IO_APIC_VERSION, 1).u32(0xfec00000);
  const input = (flags: number, bus: number, source: number, to: number): void =>
    void entry(ENTRY.IO_INTERRUPT).u8(INTERRUPT.INT).u16(flags).u8(bus, source, IO_APIC_ID, to);
  for (let slot = 0; slot < SLOTS; slot++) {
    for (let pin = 0; pin < PCI_WIRES; pin++) input(CONFORMS, PCI, (slot << 2) | pin, PCI_INPUT + pciWire(slot, pin + 1));
  }
  const levels = [SCI, ...mmioLines(virtioDevices)];
  for (let line = 0; line < 16; line++)
    if (line !== 2) input(levels.includes(line) ? HIGH_LEVEL : CONFORMS, ISA, line, line === 0 ? 2 : line);
  for (const [kind, pin] of [
    [INTERRUPT.EXTINT, 0],
    [INTERRUPT.NMI, 1],
  ])
    entry(ENTRY.LOCAL_INTERRUPT).u8(kind).u16(CONFORMS).u8(ISA, 0, ALL, pin);
  return { writer, count };
}

/** The floating pointer structure, then the configuration table, for this address. */
export function mpTables(address: number, virtioDevices: number): Uint8Array {
  const pointer = new TableWriter()
    .text('_MP_', 4)
    .u32(address + 16)
    .u8(1, 4, 0, 0, 0, 0, 0, 0)
    .done(10);
  const { writer, count } = entries(virtioDevices),
    body = writer.done();
  const configuration = new TableWriter()
    .text('PCMP', 4)
    .u16(HEADER_BYTES + body.length)
    .u8(4, 0)
    .text('CP/86', 8)
    .text('PC', 12)
    .u32(0)
    .u16(0, count)
    .u32(0xfee00000, 0)
    .bytes(body)
    .done(7);
  return new TableWriter().bytes(pointer).bytes(configuration).done();
}
