// INT 13h: floppy and hard disk services ("IBM PC AT Technical Reference", section "System BIOS"; Phoenix, "Enhanced Disk Drive
// Specification" for AH=41h-48h). Requests are carried out at once on the drive's image; there is no controller behind them.

import { disketteFormat } from '../block/diskette.ts';
import { bootedDisc, CD_SECTOR, emulatedDrive, FIRST_CDROM, noteBootedDisc } from './elTorito.ts';
import { BDA, type FirmwareDrive, type FirmwareMachine, littleEndian, type ServiceCall } from './machine.ts';

export const SECTOR_BYTES = 512;
/** Blocks of one extended transfer ("Enhanced Disk Drive Specification", "Disk Address Packet"). */
const MOST_BLOCKS = 127;
/** Cylinders, heads and sectors per track as the disk services count them. */
export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number /** Drive type of AH=08h; 0 for hard disks. */;
  readonly type: number;
}

/** Disk status codes (AH after a call, 40:41 and 40:74). */
const STATUS = { ok: 0x00, badCommand: 0x01, addressMark: 0x02, writeProtected: 0x03, notFound: 0x04, notRemovable: 0xb2 } as const;

/**
 * Geometry that the services report for an image. A diskette's is that of its format; a hard disk's heads and sectors come from its partition table when that has
 * usable ones, otherwise from its size ("LBA-assisted translation").
 */
export function driveGeometry(drive: FirmwareDrive): Geometry {
  if (drive.kind === 'floppy') {
    const { cylinders, heads, sectors, type } = disketteFormat(drive.size);
    return { cylinders, heads, sectors, type };
  }
  const total = Math.ceil(drive.size / SECTOR_BYTES);
  const guessed = partitionGeometry(drive, total);
  if (guessed) return guessed;
  const perHead = total / 63 / 1024,
    heads = perHead > 128 ? 255 : ([16, 32, 64, 128].find((count) => count >= perHead) ?? 255);
  return { cylinders: limitCylinders(total, heads, 63), heads, sectors: 63, type: 0 };
}
const limitCylinders = (total: number, heads: number, sectors: number) =>
  Math.max(1, Math.min(1024, Math.floor(total / (heads * sectors))));

/** The end of the first partition that has a size names the heads and sectors its maker counted with. */
function partitionGeometry(drive: FirmwareDrive, total: number): Geometry | undefined {
  if (drive.size < SECTOR_BYTES) return undefined;
  const sector = drive.read(0, SECTOR_BYTES);
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) return undefined;
  for (let at = 446; at < 510; at += 16) {
    const heads = sector[at + 5] + 1,
      sectors = sector[at + 6] & 63;
    const size = littleEndian(sector.subarray(at + 12, at + 16)),
      cylinders = Math.floor(total / (heads * sectors));
    if (size > 0 && heads > 1 && sectors > 0 && cylinders >= 1 && cylinders <= 16383)
      return { cylinders: Math.min(1024, cylinders), heads, sectors, type: 0 };
  }
  return undefined;
}

/** Order in which drives of a kind get their numbers: those on the ATA channels, then virtio's. */
export const inBiosOrder = (a: Pick<FirmwareDrive, 'interface' | 'index'>, b: Pick<FirmwareDrive, 'interface' | 'index'>): number =>
  Number(a.interface === 'virtio') - Number(b.interface === 'virtio') || a.index - b.index;

/**
 * Drive with a BIOS number: 00h floppy A:, 80h the first hard disk, which need not be the first drive of its channel, E0h the first
 * CD-ROM drive. A boot image that is emulated is the first of its kind, and the others move up.
 */
export function findDrive(machine: FirmwareMachine, number: number): FirmwareDrive | undefined {
  const inOrder = (wanted: FirmwareDrive['kind']): FirmwareDrive[] =>
    machine.drives.filter(({ kind }) => kind === wanted).sort(inBiosOrder);
  if (number >= FIRST_CDROM) return inOrder('cdrom')[number - FIRST_CDROM];
  const emulated = emulatedBy(machine),
    kind = number & 0x80 ? 'disk' : 'floppy';
  if (emulated && number === emulated.number) return emulated.drive;
  const place = (number & 0x7f) - (emulated?.drive.kind === kind ? 1 : 0);
  return kind === 'disk' ? inOrder(kind)[place] : machine.drives.find((drive) => drive.kind === kind && drive.index === place);
}
export const countDrives = (machine: FirmwareMachine, kind: FirmwareDrive['kind']): number =>
  machine.drives.filter((drive) => drive.kind === kind).length + (emulatedBy(machine)?.drive.kind === kind ? 1 : 0);

function emulatedBy(machine: FirmwareMachine): { readonly number: number; readonly drive: FirmwareDrive } | null {
  const booted = bootedDisc(machine),
    disc = booted?.emulated ? findDrive(machine, booted.cdrom | FIRST_CDROM) : undefined;
  return booted && disc ? { number: booted.number & 0x80, drive: emulatedDrive(disc, booted) } : null;
}
const sectorBytes = (drive: FirmwareDrive): number => (drive.kind === 'cdrom' ? CD_SECTOR : SECTOR_BYTES);

/** INT 13h. */
export function diskService(call: ServiceCall): void {
  const number = call.dl,
    command = call.ah,
    statusAt = BDA + (number & 0x80 ? 0x74 : 0x41);
  if (command === 0x01) {
    const last = call.read8(statusAt);
    finish(call, last, statusAt);
    return;
  }
  if (command === 0x4b) return finish(call, bootedDiscService(call), statusAt);
  const drive = findDrive(call.machine, number);
  // A drive that does not exist: AH=08h and AH=15h tell, everything else is an invalid request.
  if (!drive && command !== 0x00 && command !== 0x08 && command !== 0x15)
    return finish(call, number & 0x80 ? STATUS.badCommand : 0x80, statusAt);
  // A CD-ROM drive is reset, and reached by the extensions; its sectors have no cylinders.
  if (drive?.kind === 'cdrom' && command > 0x00 && command < 0x41 && command !== 0x0d) return finish(call, STATUS.badCommand, statusAt);
  switch (command) {
    case 0x00:
    case 0x0d:
      return finish(call, drive || !(number & 0x80) ? STATUS.ok : STATUS.badCommand, statusAt);
    case 0x02:
    case 0x03:
    case 0x04:
      return drive && finish(call, transferSectors(call, drive), statusAt);
    case 0x05:
      return drive && finish(call, drive.readOnly ? STATUS.writeProtected : formatTrack(call, drive), statusAt);
    case 0x08:
      return finish(call, parameters(call, drive), statusAt);
    case 0x0c:
      return drive && finish(call, position(call, drive) < 0 ? STATUS.notFound : STATUS.ok, statusAt);
    case 0x09:
    case 0x10:
    case 0x11:
    case 0x14:
      return finish(call, number & 0x80 ? STATUS.ok : STATUS.badCommand, statusAt);
    case 0x15:
      return driveType(call, drive, statusAt);
    case 0x16:
      return finish(call, number & 0x80 ? STATUS.badCommand : STATUS.ok, statusAt);
    case 0x17:
    case 0x18:
      return finish(call, number & 0x80 ? STATUS.badCommand : setMedia(call), statusAt);
    case 0x41:
      return checkExtensions(call, number, statusAt);
    case 0x42:
    case 0x43:
    case 0x44:
    case 0x47:
    case 0x48:
      if (!(number & 0x80) || !drive) return finish(call, STATUS.badCommand, statusAt);
      return finish(call, command === 0x48 ? extendedParameters(call, drive) : extendedTransfer(call, drive, command), statusAt);
    case 0x45:
    case 0x49:
      return finish(call, number & 0x80 ? STATUS.ok : STATUS.badCommand, statusAt);
    case 0x46:
      return finish(call, STATUS.notRemovable, statusAt);
    default:
      return finish(call, STATUS.badCommand, statusAt);
  }
}

function finish(call: ServiceCall, status: number, statusAt: number): void {
  call.write8(statusAt, status);
  call.ah = status;
  call.carry = status !== STATUS.ok;
}

/** Block number of CX and DH, or -1 when the geometry has no such sector. */
function position(call: ServiceCall, drive: FirmwareDrive): number {
  const { cylinders, heads, sectors } = driveGeometry(drive);
  const cylinder = call.ch | ((call.cl & 0xc0) << 2),
    head = call.dh,
    sector = call.cl & 0x3f;
  if (cylinder >= cylinders || head >= heads || sector < 1 || sector > sectors) return -1;
  return (cylinder * heads + head) * sectors + sector - 1;
}

/** AH=02h read, 03h write, 04h verify: AL sectors at CX, DH from or to ES:BX. AL becomes the number of sectors done. */
function transferSectors(call: ServiceCall, drive: FirmwareDrive): number {
  const command = call.ah,
    count = call.al,
    first = position(call, drive);
  call.al = 0;
  if (count === 0) return STATUS.badCommand;
  if (first < 0) return STATUS.notFound;
  const available = Math.max(0, Math.min(count, Math.ceil(drive.size / SECTOR_BYTES) - first)),
    buffer = call.linear('es', call.bx);
  if (command === 0x03 && drive.readOnly) return STATUS.writeProtected;
  if (command !== 0x04) transfer(call, drive, command === 0x03, first, available, buffer);
  call.al = available;
  return available === count ? STATUS.ok : STATUS.notFound;
}

/** Moves whole sectors; the image's last one may be shorter than a sector, what it lacks reads as zeros and is not written. */
function transfer(call: ServiceCall, drive: FirmwareDrive, write: boolean, first: number, count: number, address: number): void {
  if (count === 0) return;
  const start = first * sectorBytes(drive),
    length = count * sectorBytes(drive),
    inside = Math.min(length, drive.size - start);
  if (write) {
    drive.write(start, call.machine.readLinear(address, length).subarray(0, inside));
    return;
  }
  const bytes = new Uint8Array(length);
  bytes.set(drive.read(start, inside));
  call.machine.writeLinear(address, bytes);
}

/** AH=05h: format fills the track with the diskette parameter table's fill byte. */
function formatTrack(call: ServiceCall, drive: FirmwareDrive): number {
  const { cylinders, heads, sectors } = driveGeometry(drive),
    cylinder = call.ch | ((call.cl & 0xc0) << 2);
  if (cylinder >= cylinders || call.dh >= heads) return STATUS.notFound;
  const start = (cylinder * heads + call.dh) * sectors * SECTOR_BYTES,
    inside = Math.min(sectors * SECTOR_BYTES, drive.size - start);
  if (inside <= 0) return STATUS.notFound;
  drive.write(start, new Uint8Array(inside).fill(drive.kind === 'floppy' ? 0xf6 : 0));
  return STATUS.ok;
}

/** AH=08h: geometry, number of drives, for floppies type and parameter table. */
function parameters(call: ServiceCall, drive: FirmwareDrive | undefined): number {
  const number = call.dl,
    floppy = (number & 0x80) === 0,
    drives = countDrives(call.machine, floppy ? 'floppy' : 'disk');
  if (!drive) {
    if (!floppy) {
      call.dl = drives;
      return 0x07;
    }
    call.ax = 0;
    call.bx = 0;
    call.cx = 0;
    call.dx = drives;
    return number < 2 && drives > 0 ? STATUS.ok : STATUS.badCommand;
  }
  const { cylinders, heads, sectors, type } = driveGeometry(drive),
    last = cylinders - 1;
  call.ax = 0;
  call.ch = last;
  call.cl = sectors | ((last >> 2) & 0xc0);
  call.dh = heads - 1;
  call.dl = drives;
  if (floppy) {
    call.bx = type;
    const table = call.read32(0x1e * 4);
    call.di = table & 0xffff;
    call.setSegment('es', table >>> 16);
  }
  return STATUS.ok;
}

/** AH=15h: 0 no drive, 1 floppy without change line, 3 hard disk with CX:DX sectors. */
function driveType(call: ServiceCall, drive: FirmwareDrive | undefined, statusAt: number): void {
  call.write8(statusAt, STATUS.ok);
  call.carry = false;
  call.ah = drive ? (drive.kind === 'disk' ? 3 : 1) : 0;
  if (drive?.kind === 'disk') {
    const { cylinders, heads, sectors } = driveGeometry(drive),
      total = cylinders * heads * sectors;
    call.cx = total >>> 16;
    call.dx = total;
  }
}

/** AH=17h and 18h, before formatting: any type will do; ES:DI is the parameter table. */
function setMedia(call: ServiceCall): number {
  if (call.ah === 0x18) {
    const table = call.read32(0x1e * 4);
    call.di = table & 0xffff;
    call.setSegment('es', table >>> 16);
  }
  return STATUS.ok;
}

/** AH=41h: version 3.0 of the extensions, functions 42h-44h, 47h, 48h. */
function checkExtensions(call: ServiceCall, number: number, statusAt: number): void {
  if (call.bx !== 0x55aa || !(number & 0x80)) return finish(call, STATUS.badCommand, statusAt);
  finish(call, STATUS.ok, statusAt);
  call.bx = 0xaa55;
  call.ah = 0x30;
  call.cx = 0x0001;
}

/** AH=42h read, 43h write, 44h verify, 47h seek by the disk address packet at DS:SI. Its count becomes the number of blocks done. */
function extendedTransfer(call: ServiceCall, drive: FirmwareDrive, command: number): number {
  const packetAt = call.linear('ds', call.si),
    packet = call.machine.readLinear(packetAt, 24),
    size = packet[0];
  if (size < 16) return STATUS.badCommand;
  const count = littleEndian(packet.subarray(2, 4)),
    offset = littleEndian(packet.subarray(4, 6)),
    segment = littleEndian(packet.subarray(6, 8));
  const first = littleEndian(packet.subarray(8, 12)) + littleEndian(packet.subarray(12, 16)) * 2 ** 32,
    total = Math.ceil(drive.size / sectorBytes(drive));
  // The specification's limit; it also bounds what one call can do to the worker's other guests.
  if (count > MOST_BLOCKS) return STATUS.badCommand;
  const flat = offset === 0xffff && segment === 0xffff;
  if (flat && size < 24) return STATUS.badCommand;
  // The flat 64-bit buffer address of version 3.0 is physical; only its low half can name memory here.
  if (flat && littleEndian(packet.subarray(20, 24)) !== 0) return STATUS.badCommand;
  const address = flat ? littleEndian(packet.subarray(16, 20)) : segment * 16 + offset;
  if (first >= total || count > total - first) {
    call.write16(packetAt + 2, 0);
    return STATUS.notFound;
  }
  if (command === 0x43 && drive.readOnly) {
    call.write16(packetAt + 2, 0);
    return STATUS.writeProtected;
  }
  if (command === 0x42 || command === 0x43) transfer(call, drive, command === 0x43, first, count, address);
  return STATUS.ok;
}

const NO_GEOMETRY = { cylinders: 0xffffffff, heads: 0xffffffff, sectors: 0xffffffff };
/** AH=48h: result buffer of version 1.x at DS:SI. */
function extendedParameters(call: ServiceCall, drive: FirmwareDrive): number {
  const at = call.linear('ds', call.si),
    size = call.read16(at);
  if (size < 0x1a) return STATUS.badCommand;
  const disc = drive.kind === 'cdrom',
    { cylinders, heads, sectors } = disc ? NO_GEOMETRY : driveGeometry(drive),
    total = Math.ceil(drive.size / sectorBytes(drive));
  const buffer = new Uint8Array(0x1e),
    view = new DataView(buffer.buffer);
  view.setUint16(0, size >= 0x1e ? 0x1e : 0x1a, true);
  // Geometry is valid; or removable, can be locked, no geometry.
  view.setUint16(2, disc ? 0x0074 : 0x0002, true);
  view.setUint32(4, cylinders, true);
  view.setUint32(8, heads, true);
  view.setUint32(12, sectors, true);
  view.setBigUint64(16, BigInt(total), true);
  view.setUint16(24, sectorBytes(drive), true);
  view.setUint32(26, 0xffffffff, true);
  call.machine.writeLinear(at, buffer.subarray(0, size >= 0x1e ? 0x1e : 0x1a));
  return STATUS.ok;
}

/** AX=4B00h ends the emulation, 4B01h only tells: the specification packet to DS:SI ("El Torito", "INT 13 function 4B"). */
function bootedDiscService(call: ServiceCall): number {
  const disc = bootedDisc(call.machine);
  if (!disc || call.al > 1 || (call.dl !== 0x7f && call.dl !== disc.number)) return STATUS.badCommand;
  const drive = findDrive(call.machine, disc.number),
    packet = new Uint8Array(0x13),
    view = new DataView(packet.buffer);
  packet.set([packet.length, disc.media, disc.number]);
  view.setUint32(4, disc.lba, true);
  view.setUint16(12, disc.segment, true);
  view.setUint16(14, disc.count, true);
  if (drive && drive.kind !== 'cdrom') {
    const { cylinders, heads, sectors } = driveGeometry(drive);
    packet.set([cylinders - 1, sectors | (((cylinders - 1) >> 2) & 0xc0), heads - 1], 16);
  }
  call.machine.writeLinear(call.linear('ds', call.si), packet);
  if (call.al === 0) noteBootedDisc(call.machine, { ...disc, emulated: false });
  return STATUS.ok;
}
