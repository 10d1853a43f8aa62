// System management BIOS tables, version 2.4 ("System Management BIOS (SMBIOS) Reference Specification", DMTF DSP0134): what dmidecode
// and installers show of the machine.

import { TableWriter } from './layout.ts';

const MIB = 2 ** 20;
const ENTRY_BYTES = 31,
  DMI = 16;
const VERSION = [2, 4] as const;
const UNKNOWN = 2,
  OTHER = 1;

/** A structure: its type, handle, formatted part after the header, and strings, which fields name by number from 1. */
interface Structure {
  readonly type: number;
  readonly handle: number;
  readonly fields: TableWriter;
  readonly strings?: readonly string[];
}
const HANDLE = {
  BIOS: 0,
  SYSTEM: 0x100,
  CHASSIS: 0x300,
  PROCESSOR: 0x400,
  ARRAY: 0x1000,
  MODULE: 0x1100,
  RANGE: 0x1300,
  BOOT: 0x2000,
  END: 0x7f00,
} as const;

const structures = (memory: number): readonly Structure[] => [
  {
    type: 0,
    handle: HANDLE.BIOS,
    // ROM at F0000h, 64 KiB; PCI, boot from CD and selected drives; ACPI, a virtual machine.
    fields: new TableWriter().u8(1, 2).u16(0xf000).u8(3, 0).u32(0x00018080, 0).u8(0x01, 0x10, 1, 0, 0xff, 0xff),
    strings: ['CP/86', '1.0', '01/01/2026'],
  },
  {
    type: 1,
    handle: HANDLE.SYSTEM,
    // No serial number and no UUID; woken by the power switch.
    fields: new TableWriter().u8(1, 2, 3, 0).zerosTo(20).u8(6, 0, 0),
    strings: ['CP/86', 'Standard PC (i440FX + PIIX)', '1.0'],
  },
  {
    type: 3,
    handle: HANDLE.CHASSIS,
    fields: new TableWriter().u8(1, OTHER, 0, 0, 0, 3, 3, 3, UNKNOWN).u32(0).u8(0, 1, 0, 0),
    strings: ['CP/86'],
  },
  {
    type: 4,
    handle: HANDLE.PROCESSOR,
    // A central processor in a socket, enabled; CPUID says the rest.
    fields: new TableWriter().u8(1, 3, OTHER, 2).u32(0, 0).u8(0, 0).u16(0, 0, 0).u8(0x41, OTHER).u16(0xffff, 0xffff, 0xffff).u8(0, 0, 0),
    strings: ['CPU 0', 'CP/86'],
  },
  {
    type: 16,
    handle: HANDLE.ARRAY,
    fields: new TableWriter()
      .u8(OTHER, 3, 6)
      .u32(memory / 1024)
      .u16(0xfffe, 1),
  },
  {
    type: 17,
    handle: HANDLE.MODULE,
    fields: new TableWriter()
      .u16(HANDLE.ARRAY, 0xfffe, 0xffff, 0xffff, Math.ceil(memory / MIB))
      .u8(9, 0, 1, 0, 7)
      .u16(2)
      .u16(0)
      .u8(2, 0, 0, 0),
    strings: ['DIMM 0', 'CP/86'],
  },
  {
    type: 19,
    handle: HANDLE.RANGE,
    fields: new TableWriter()
      .u32(0, memory / 1024 - 1)
      .u16(HANDLE.ARRAY)
      .u8(1),
  },
  { type: 32, handle: HANDLE.BOOT, fields: new TableWriter().zerosTo(7) },
  { type: 127, handle: HANDLE.END, fields: new TableWriter() },
];

/** Entry point, then the structures, for this address. */
export function smbiosTables(address: number, memory: number): Uint8Array {
  const list = structures(memory),
    table = new TableWriter();
  let longest = 0;
  for (const { type, handle, fields, strings = [] } of list) {
    const start = table.length;
    table
      .u8(type, 4 + fields.length)
      .u16(handle)
      .bytes(fields.done());
    for (const text of strings) table.text(text, text.length).u8(0);
    table.u8(...(strings.length === 0 ? [0, 0] : [0]));
    longest = Math.max(longest, table.length - start);
  }
  const start = address + 32;
  const intermediate = new TableWriter()
    .text('_DMI_', 5)
    .u8(0)
    .u16(table.length)
    .u32(start)
    .u16(list.length)
    .u8((VERSION[0] << 4) | VERSION[1])
    .done(5);
  const entry = new TableWriter()
    .text('_SM_', 4)
    .u8(0, ENTRY_BYTES, ...VERSION)
    .u16(longest)
    .zerosTo(DMI)
    .bytes(intermediate)
    .done(4);
  return new TableWriter().bytes(entry).zerosTo(32).bytes(table.done()).done();
}
