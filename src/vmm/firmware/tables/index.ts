// The tables of the machine in its ROM: ACPI, MultiProcessor Specification, system management BIOS, and where the BIOS32 service
// directory is. Each is found by a signature at a multiple of 16 bytes.

import { ROM_LABELS } from '../rom.generated.ts';
import { ROM_ADDRESS } from '../symbols.ts';
import { acpiTables } from './acpi.ts';
import { TableWriter } from './layout.ts';
import { mpTables } from './mp.ts';
import { smbiosTables } from './smbios.ts';

const alignUp = (value: number): number => Math.ceil(value / 16) * 16;

/** Entry point of the BIOS32 service directory ("Standard BIOS 32-bit Service Directory Proposal"), one paragraph. */
const bios32 = (): Uint8Array =>
  new TableWriter()
    .text('_32_', 4)
    .u32(ROM_ADDRESS + ROM_LABELS.bios32)
    .u8(0, 1)
    .zerosTo(16)
    .done(10);

/**
 * What the tables say of a machine: RAM in bytes, how many virtio devices without PCI there are, and whether the processor has a local
 * APIC. Without one nothing names the APICs: a kernel would look for registers that are not there.
 */
export interface TableMachine {
  readonly memory: number;
  readonly virtioDevices: number;
  readonly localApic: boolean;
}

/** All tables for this physical address, of this machine; `facs` is where ACPI's writable one is. */
export function systemTables(address: number, facs: number, { memory, virtioDevices, localApic }: TableMachine): Uint8Array {
  const made: Uint8Array[] = [];
  let length = 0;
  for (const make of [
    (at: number) => acpiTables(at, facs, virtioDevices, localApic),
    ...(localApic ? [(at: number) => mpTables(at, virtioDevices)] : []),
    bios32,
    (at: number) => smbiosTables(at, memory),
  ]) {
    const bytes = make(address + length),
      padded = new Uint8Array(alignUp(bytes.length));
    padded.set(bytes);
    made.push(padded);
    length += padded.length;
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const bytes of made) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}
