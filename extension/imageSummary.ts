// What a binary image is, in a few lines for the image editor: boot signature and MBR partition table ("Partition Table",
// IBM PC DOS), FAT's BIOS parameter block, ELF header ("Tool Interface Standard ELF"), Multiboot headers, the Linux boot
// protocol's setup header (Documentation/arch/x86/boot.rst) ISO 9660's volume descriptor and qcow2's header. Looks only; the loaders in
// src/vmm/boot decide what boots.

import { isQcow2, readHeader } from '../src/vmm/block/qcow2Header.ts';
import { findMultiboot1Header, findMultiboot2Header } from '../src/vmm/boot/multibootHeaders.ts';
import { isFloppyImage } from './debug/guestConfig.ts';

export interface SummaryRow {
  readonly label: string;
  readonly value: string;
  /** Something is wrong with it. */
  readonly warning?: boolean;
}
export interface ImageSummary {
  /** 'Disk image', 'ELF executable'... */
  readonly kind: string;
  readonly rows: readonly SummaryRow[];
}

/** Bytes from the start of the file that a summary is made from. */
export const SUMMARY_BYTES = 0x9000;

const SECTOR = 512;
/** Floppy formats by size in KiB. */
const FLOPPY_SIZES: Record<number, string> = {
  160: '160 KB',
  180: '180 KB',
  320: '320 KB',
  360: '360 KB',
  720: '720 KB',
  1200: '1.2 MB',
  1440: '1.44 MB',
  2880: '2.88 MB',
};
const PARTITION_TYPES: Record<number, string> = {
  0x01: 'FAT12',
  0x04: 'FAT16',
  0x05: 'extended',
  0x06: 'FAT16',
  0x07: 'NTFS or exFAT',
  0x0b: 'FAT32',
  0x0c: 'FAT32 LBA',
  0x0e: 'FAT16 LBA',
  0x0f: 'extended LBA',
  0x80: 'Minix',
  0x81: 'Minix',
  0x82: 'Linux swap',
  0x83: 'Linux',
  0xa5: 'FreeBSD',
  0xa6: 'OpenBSD',
  0xa9: 'NetBSD',
  0xee: 'GPT protective',
  0xef: 'EFI system',
};
const ELF_MACHINES: Record<number, string> = { 3: 'Intel 80386', 40: 'ARM', 62: 'AMD x86-64', 183: 'AArch64', 243: 'RISC-V' };
const ELF_TYPES: Record<number, string> = { 1: 'relocatable object', 2: 'executable', 3: 'shared object', 4: 'core' };

/** Describes a file by its name, its size and its first bytes (up to SUMMARY_BYTES). */
export function summarize(name: string, size: number, head: Uint8Array): ImageSummary {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (size === 0) return { kind: 'Empty file', rows: [{ label: 'Content', value: 'none: there is nothing to boot', warning: true }] };
  if (text(head, 0, 4) === '\x7fELF') return elf(view, head);
  if (head.length > 0x264 && text(head, 0x202, 4) === 'HdrS') return linux(view, head);
  if (isQcow2(head)) return qcow2(name, size, head);
  if (head.length > 0x8006 && text(head, 0x8001, 5) === 'CD001') return iso(name, head, size);
  if (/\.com$/i.test(name) && !hasSignature(head)) return com(size);
  const multiboot = multibootRow(view);
  if (multiboot && !hasSignature(head)) return { kind: 'Multiboot kernel', rows: [multiboot] };
  return disk(name, view, head, size);
}

/** Whether the first sector ends in the boot signature 55 AA. */
export function hasSignature(head: Uint8Array): boolean {
  return head.length >= SECTOR && head[510] === 0x55 && head[511] === 0xaa;
}

function disk(name: string, view: DataView, head: Uint8Array, size: number): ImageSummary {
  const signed = hasSignature(head),
    floppy = FLOPPY_SIZES[size / 1024];
  const partitions = signed ? partitionRows(view) : [];
  const kind = !signed ? 'Binary file' : size === SECTOR ? 'Boot sector' : isFloppyImage(name, size) ? 'Floppy image' : 'Disk image';
  const rows: SummaryRow[] = [
    signed
      ? { label: 'Boot signature', value: '55 AA at offset 510' }
      : { label: 'Boot signature', value: 'none: it boots only as a flat binary, with loadAddress in launch.json', warning: true },
  ];
  if (floppy) rows.push({ label: 'Format', value: `${floppy} floppy` });
  if (size % SECTOR && signed)
    rows.push({
      label: 'Size',
      value: `${Math.floor(size / SECTOR)} sectors and ${size % SECTOR} bytes: not a whole number of sectors`,
      warning: true,
    });
  return { kind, rows: [...rows, ...fatRows(view, head), ...partitions] };
}

function fatRows(view: DataView, head: Uint8Array): SummaryRow[] {
  if (head.length < SECTOR || (head[0] !== 0xeb && head[0] !== 0xe9)) return [];
  const sector = view.getUint16(11, true),
    cluster = head[13]!,
    fats = head[16]!;
  if (sector !== SECTOR || cluster === 0 || (cluster & (cluster - 1)) !== 0 || fats < 1 || fats > 2) return [];
  const type = text(head, 54, 8).trim() || text(head, 82, 8).trim() || 'FAT';
  const label = text(head, 43, 11).trim();
  return [
    {
      label: 'File system',
      value: [type, label && label !== 'NO NAME' ? `"${label}"` : '', `formatted by ${text(head, 3, 8).trim() || 'an unnamed program'}`]
        .filter(Boolean)
        .join(', '),
    },
  ];
}

function partitionRows(view: DataView): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (let n = 0; n < 4; n++) {
    const at = 0x1be + 16 * n,
      active = view.getUint8(at),
      type = view.getUint8(at + 4),
      first = view.getUint32(at + 8, true),
      count = view.getUint32(at + 12, true);
    // Boot code may fill the table's place: only entries that can be one are shown, and only when all four can.
    if (active !== 0 && active !== 0x80) return [];
    if (type === 0 || count === 0) continue;
    const kind = PARTITION_TYPES[type] ?? `type ${hex(type, 2)}`;
    rows.push({
      label: `Partition ${n + 1}`,
      value: `${kind}, ${formatBytes(count * SECTOR)} from sector ${first.toLocaleString('en-US')}${active ? ', active' : ''}`,
    });
  }
  return rows;
}

function elf(view: DataView, head: Uint8Array): ImageSummary {
  const is32 = head[4] === 1,
    little = head[5] === 1;
  if (head.length < 52 || !little || !is32) {
    const machine = head.length >= 20 && little ? (ELF_MACHINES[view.getUint16(18, true)] ?? 'another machine') : 'another machine';
    return {
      kind: 'ELF file',
      rows: [{ label: 'Machine', value: `${is32 ? 32 : 64} bits, ${machine}: 32-bit code for the 80386 can be run`, warning: true }],
    };
  }
  const type = view.getUint16(16, true),
    machine = view.getUint16(18, true),
    entry = view.getUint32(24, true);
  const headers = view.getUint32(28, true),
    entrySize = view.getUint16(42, true),
    count = view.getUint16(44, true);
  const rows: SummaryRow[] = [
    { label: 'Machine', value: ELF_MACHINES[machine] ?? `machine ${machine}`, warning: machine !== 3 },
    { label: 'Entry point', value: hex(entry, 8) },
  ];
  for (let n = 0, at = headers; n < count && at + 32 <= head.length; n++, at += Math.max(32, entrySize)) {
    if (view.getUint32(at, true) !== 1) continue;
    const flags = view.getUint32(at + 24, true),
      rights = `${flags & 4 ? 'r' : '-'}${flags & 2 ? 'w' : '-'}${flags & 1 ? 'x' : '-'}`;
    rows.push({
      label: 'Segment',
      value: `${hex(view.getUint32(at + 12, true), 8)}, ${formatBytes(view.getUint32(at + 20, true))}, ${rights}`,
    });
  }
  const multiboot = multibootRow(view);
  return { kind: `ELF ${ELF_TYPES[type] ?? 'file'}`, rows: multiboot ? [...rows, multiboot] : rows };
}

/** Multiboot 1 or 2, as far as the header is in these bytes. */
function multibootRow(view: DataView): SummaryRow | null {
  const head = new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
    first = findMultiboot1Header(head),
    second = findMultiboot2Header(head);
  if (first >= 0)
    return { label: 'Multiboot', value: `header at offset ${hex(first, 4)}, flags ${hex(view.getUint32(first + 4, true), 8)}` };
  return second < 0 ? null : { label: 'Multiboot 2', value: `header at offset ${hex(second, 4)}` };
}

function linux(view: DataView, head: Uint8Array): ImageSummary {
  const protocol = view.getUint16(0x206, true),
    versionAt = view.getUint16(0x20e, true) + 0x200;
  const rows: SummaryRow[] = [{ label: 'Boot protocol', value: `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}` }];
  if (versionAt > 0x200 && versionAt < head.length) {
    const end = head.indexOf(0, versionAt);
    if (end > versionAt) rows.push({ label: 'Version', value: text(head, versionAt, Math.min(end - versionAt, 120)) });
  }
  rows.push({ label: 'Loads at', value: view.getUint8(0x211) & 1 ? `${hex(view.getUint32(0x214, true), 8)} (high)` : '0x00010000 (low)' });
  if (protocol >= 0x20c && view.getUint16(0x236, true) & 1)
    rows.push({ label: 'Code', value: 'has a 64-bit entry point; the 16- and 32-bit ones are used' });
  return { kind: 'Linux kernel', rows };
}

function iso(name: string, head: Uint8Array, size: number): ImageSummary {
  const elTorito = head.length > 0x8827 && text(head, 0x8807, 23) === 'EL TORITO SPECIFICATION';
  return {
    kind: 'ISO 9660 image',
    rows: [
      { label: 'Volume', value: text(head, 0x8028, 32).trim() || 'no name' },
      { label: 'Boot catalog', value: elTorito ? 'El Torito' : 'none: it cannot boot as a CD-ROM', warning: !elTorito },
      ...(hasSignature(head)
        ? [{ label: 'Boot signature', value: `55 AA at offset 510: it boots as a ${isFloppyImage(name, size) ? 'floppy' : 'disk, too'}` }]
        : []),
    ],
  };
}

function qcow2(name: string, size: number, head: Uint8Array): ImageSummary {
  const kind = 'qcow2 disk image';
  try {
    const read = (offset: number, length: number): Uint8Array => head.slice(offset, offset + length);
    const header = readHeader(name, { size, read, write: () => {}, flush: () => {}, close: () => {} });
    return {
      kind,
      rows: [
        { label: 'Version', value: String(header.version) },
        { label: 'Disk', value: formatBytes(header.size) },
        { label: 'Clusters', value: formatBytes(2 ** header.clusterBits) },
        ...(header.backing ? [{ label: 'Backing file', value: header.backing.name }] : []),
        ...(header.readOnly ? [{ label: 'Writing', value: `not possible, because ${header.readOnly}`, warning: true }] : []),
      ],
    };
  } catch (error) {
    return { kind, rows: [{ label: 'Header', value: error instanceof Error ? error.message : String(error), warning: true }] };
  }
}

function com(size: number): ImageSummary {
  const fits = size <= 0xff00 - 2;
  return {
    kind: 'DOS program',
    rows: [
      { label: 'Loads at', value: 'CS:0100' },
      { label: 'Program', value: fits ? formatBytes(size) : `${formatBytes(size)}: more than a segment holds`, warning: !fits },
    ],
  };
}

/** '1.44 MiB', '512 bytes'. */
export function formatBytes(size: number): string {
  const units: readonly [number, string][] = [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ];
  for (const [unit, name] of units) if (size >= unit) return `${(size / unit).toFixed(size % unit ? 2 : 0)} ${name}`;
  return `${size} byte${size === 1 ? '' : 's'}`;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  let result = '';
  for (let n = at; n < at + length && n < bytes.length; n++)
    result += bytes[n]! >= 32 || bytes[n] === 0x7f ? String.fromCharCode(bytes[n]!) : ' ';
  return result;
}

const hex = (value: number, digits: number): string => `0x${(value >>> 0).toString(16).padStart(digits, '0')}`;
