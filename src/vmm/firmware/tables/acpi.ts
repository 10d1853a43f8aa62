// ACPI's tables ("Advanced Configuration and Power Interface Specification", chapter "ACPI Software Programming Model"): RSDP, RSDT,
// FADT, MADT, DSDT in the ROM, and the FACS, which operating systems write to, in the EBDA.

import { mmioLines } from '../../virtio/mmio.ts';
import { PM, RESET } from '../power.ts';
import { RSDP_BYTES } from '../symbols.ts';
import { dsdtTerms, SCI } from './dsdt.ts';
import { TableWriter } from './layout.ts';

const OEM = 'CP/86',
  TABLE = 'CP86',
  CREATOR = 'CP86';
const HEADER_BYTES = 36,
  CHECKSUM = 9;

/** A system description table with its header. */
function table(signature: string, revision: number, body: ArrayLike<number>): Uint8Array {
  return new TableWriter()
    .text(signature, 4)
    .u32(HEADER_BYTES + body.length)
    .u8(revision, 0)
    .text(OEM, 6)
    .text(TABLE, 8)
    .u32(1)
    .text(CREATOR, 4)
    .u32(1)
    .bytes(body)
    .done(CHECKSUM);
}

/** Generic address of a port. */
const port = (writer: TableWriter, address: number, bits: number): TableWriter => writer.u8(1, bits, 0, 0).u32(address, 0);
const none = (writer: TableWriter): TableWriter => writer.zerosTo(writer.length + 12);

/** Flags of the FADT. */
const FADT = { WBINVD: 1 << 0, C1: 1 << 2, NO_SLEEP_BUTTON: 1 << 5, RTC_NOT_FIXED: 1 << 6, RESET: 1 << 10 } as const;
/** Boot architecture: devices on the ISA bus, an 8042. */
const LEGACY_DEVICES = 3;
/** What C2 and C3 would have to take less than, for a processor without them. */
const NO_C2 = 0xfff,
  NO_C3 = 0xfff;
const CENTURY = 0x32;

function fadt(facs: number, dsdt: number): Uint8Array {
  const writer = new TableWriter()
    .u32(facs, dsdt)
    .u8(0, 1) // a desktop
    .u16(SCI)
    .u32(0) // no SMI command: always in ACPI mode
    .u8(0, 0, 0, 0)
    .u32(PM.EVENT, 0, PM.CONTROL, 0, 0, PM.TIMER, 0, 0)
    .u8(4, 2, 0, 4, 0, 0, 0, 0)
    .u16(NO_C2, NO_C3, 0, 0)
    .u8(0, 0, 0, 0, CENTURY)
    .u16(LEGACY_DEVICES)
    .u8(0)
    .u32(FADT.WBINVD | FADT.C1 | FADT.NO_SLEEP_BUTTON | FADT.RTC_NOT_FIXED | FADT.RESET);
  port(writer, RESET.PORT, 8).u8(RESET.VALUE, 0, 0, 0).u32(0, 0, dsdt, 0);
  port(writer, PM.EVENT, 32);
  none(writer);
  port(writer, PM.CONTROL, 16);
  none(writer);
  none(writer);
  port(writer, PM.TIMER, 32);
  none(writer);
  none(writer);
  return table('FACP', 3, writer.done());
}

/** Interrupt source override flags: active high, level-triggered. */
const HIGH_LEVEL = 0x0d;
function madt(virtioDevices: number): Uint8Array {
  const writer = new TableWriter()
    .u32(0xfee00000, 1) // an 8259 pair is there too
    .u8(0, 8, 0, 0)
    .u32(1) // processor 0, local APIC 0, enabled
    .u8(1, 12, 0, 0)
    .u32(0xfec00000, 0) // I/O APIC 0 from interrupt 0
    .u8(2, 10, 0, 0)
    .u32(2)
    .u16(0) // the timer
    .u8(2, 10, 0, SCI)
    .u32(SCI)
    .u16(HIGH_LEVEL)
    .u8(4, 6, 0xff)
    .u16(0)
    .u8(1); // NMI at LINT1 of every processor
  for (const line of mmioLines(virtioDevices)) writer.u8(2, 10, 0, line).u32(line).u16(HIGH_LEVEL);
  return table('APIC', 1, writer.done());
}

/** Firmware ACPI control structure; 64 bytes at a multiple of 64. */
export const facs = (): Uint8Array => new TableWriter().text('FACS', 4).u32(64).zerosTo(64).done();

/**
 * The tables from this address on, the RSDP first; `facsAddress` is where the FACS will be; of a machine with virtio devices without PCI,
 * and with or without a local APIC.
 */
export function acpiTables(address: number, facsAddress: number, virtioDevices: number, localApic: boolean): Uint8Array {
  const all = new TableWriter().zerosTo(RSDP_BYTES);
  const add = (bytes: Uint8Array): number => {
    all.zerosTo(Math.ceil(all.length / 16) * 16);
    const at = address + all.length;
    all.bytes(bytes);
    return at;
  };
  const dsdt = add(table('DSDT', 1, dsdtTerms(virtioDevices)));
  const tables = [add(fadt(facsAddress, dsdt)), ...(localApic ? [add(madt(virtioDevices))] : [])];
  const rsdt = add(table('RSDT', 1, new TableWriter().u32(...tables).done()));
  const bytes = all.done();
  bytes.set(new TableWriter().text('RSD PTR ', 8).u8(0).text(OEM, 6).u8(0).u32(rsdt).done(8));
  return bytes;
}
