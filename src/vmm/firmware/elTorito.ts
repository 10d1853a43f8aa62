// Booting from CD-ROM ("El Torito" Bootable CD-ROM Format Specification, version 1.0; ECMA-119 for where its boot record is): the
// initial entry of the boot catalogue, and the drive that a boot image pretends to be. What is emulated stands in the extended BIOS
// data area, as the firmware has no memory of its own; programs may overwrite it, so nothing there is trusted.

import type { FirmwareDrive, FirmwareMachine } from './machine.ts';
import { EBDA } from './system.ts';

export const CD_SECTOR = 2048;
/** BIOS number of the first CD-ROM drive. */
export const FIRST_CDROM = 0xe0;
const BOOT_RECORD = 17,
  SYSTEM = 'EL TORITO SPECIFICATION',
  SYSTEM_AT = 7,
  CATALOGUE_AT = 0x47;
const ENTRY_BYTES = 32,
  BOOTABLE = 0x88;
const DEFAULT_SEGMENT = 0x7c0;
/** Sizes of emulated diskettes by media type, in KiB; type 4 is a hard disk, 0 no emulation. */
const DISKETTE_KIB = [0, 1200, 1440, 2880] as const;
const HARD_DISK = 4;

export interface BootEntry {
  /** 0 no emulation, 1 to 3 diskettes, 4 hard disk. */
  readonly media: number;
  readonly segment: number;
  /** Sectors of 512 bytes to load. */
  readonly count: number;
  /** First sector of the image, of 2048 bytes. */
  readonly lba: number;
}

type Disc = Pick<FirmwareDrive, 'size' | 'read'>;

/** The initial entry of a disc's boot catalogue, or why there is none, and the offset of what is wrong. */
export function readBootEntry(disc: Disc): BootEntry | { readonly problem: string; readonly offset: number } {
  const sector = (number: number): Uint8Array | null =>
    (number + 1) * CD_SECTOR <= disc.size ? disc.read(number * CD_SECTOR, CD_SECTOR) : null;
  const record = sector(BOOT_RECORD),
    at = BOOT_RECORD * CD_SECTOR;
  if (!record || latin(record, 1, 5) !== 'CD001' || record[0] !== 0 || latin(record, SYSTEM_AT, SYSTEM.length) !== SYSTEM)
    return { problem: 'no El Torito boot record', offset: at };
  const number = new DataView(record.buffer, record.byteOffset).getUint32(CATALOGUE_AT, true),
    catalogue = sector(number);
  if (!catalogue) return { problem: 'the boot catalogue is not on the disc', offset: at + CATALOGUE_AT };
  const view = new DataView(catalogue.buffer, catalogue.byteOffset);
  let sum = 0;
  for (let n = 0; n < ENTRY_BYTES; n += 2) sum += view.getUint16(n, true);
  if (catalogue[0] !== 1 || catalogue[30] !== 0x55 || catalogue[31] !== 0xaa || (sum & 0xffff) !== 0)
    return { problem: 'the validation entry of the boot catalogue is wrong', offset: number * CD_SECTOR };
  const entryAt = number * CD_SECTOR + ENTRY_BYTES;
  if (catalogue[ENTRY_BYTES] !== BOOTABLE) return { problem: 'the initial entry of the boot catalogue is not bootable', offset: entryAt };
  const media = catalogue[ENTRY_BYTES + 1] & 15,
    lba = view.getUint32(ENTRY_BYTES + 8, true);
  if (media > HARD_DISK) return { problem: `boot media type ${media}`, offset: entryAt + 1 };
  if (lba * CD_SECTOR >= disc.size) return { problem: 'the boot image is not on the disc', offset: entryAt + 8 };
  return {
    media,
    segment: view.getUint16(ENTRY_BYTES + 2, true) || DEFAULT_SEGMENT,
    count: view.getUint16(ENTRY_BYTES + 6, true) || 1,
    lba,
  };
}

const latin = (bytes: Uint8Array, at: number, length: number): string => String.fromCharCode(...bytes.subarray(at, at + length));

/** What was booted from a CD-ROM drive. */
export interface BootedDisc extends BootEntry {
  /** BIOS numbers of the drive that it boots as, and of the CD-ROM drive. */
  readonly number: number;
  readonly cdrom: number;
  /** Whether the image still stands for a drive. */
  readonly emulated: boolean;
}

/** Place of the record in the EBDA, behind the disk parameter tables, and its first byte: none, booted, emulated. */
const RECORD = EBDA + 0x200,
  RECORD_BYTES = 16;
const BOOTED = 1,
  EMULATED = 2;

/** The disc that was booted, or null. */
export function bootedDisc(machine: FirmwareMachine): BootedDisc | null {
  const bytes = machine.readPhysical(RECORD, RECORD_BYTES),
    view = new DataView(bytes.buffer, bytes.byteOffset);
  if (bytes[0] !== BOOTED && bytes[0] !== EMULATED) return null;
  return {
    emulated: bytes[0] === EMULATED,
    media: bytes[1],
    number: bytes[2],
    cdrom: bytes[3],
    lba: view.getUint32(4, true),
    segment: view.getUint16(8, true),
    count: view.getUint16(10, true),
  };
}

export function noteBootedDisc(machine: FirmwareMachine, disc: BootedDisc): void {
  const bytes = new Uint8Array(RECORD_BYTES),
    view = new DataView(bytes.buffer);
  bytes.set([disc.emulated ? EMULATED : BOOTED, disc.media, disc.number, disc.cdrom]);
  view.setUint32(4, disc.lba, true);
  view.setUint16(8, disc.segment, true);
  view.setUint16(10, disc.count, true);
  machine.writePhysical(RECORD, bytes);
}

/** BIOS number that an image is emulated as. */
export const emulatedNumber = (media: number, cdrom: number): number => (media === 0 ? cdrom : media === HARD_DISK ? 0x80 : 0x00);

/** The drive that a boot image pretends to be: read-only, zeros behind the end of the disc. */
export function emulatedDrive(disc: Disc, { media, lba }: BootEntry): FirmwareDrive {
  const start = lba * CD_SECTOR;
  const read = (offset: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length),
      inside = Math.min(length, disc.size - start - offset);
    if (inside > 0) bytes.set(disc.read(start + offset, inside));
    return bytes;
  };
  const size = media === HARD_DISK ? hardDiskSize(read(0, 512), disc.size - start) : (DISKETTE_KIB[media] ?? 0) * 1024;
  return { kind: media === HARD_DISK ? 'disk' : 'floppy', interface: 'ide', index: 0, size, readOnly: true, read, write: () => {} };
}

/** To the end of the image's one partition. */
function hardDiskSize(sector: Uint8Array, most: number): number {
  const view = new DataView(sector.buffer, sector.byteOffset),
    sectors = view.getUint32(446 + 8, true) + view.getUint32(446 + 12, true);
  return Math.max(512, Math.min(sectors * 512, most));
}
