// Booting from drives: the firmware does it (INT 19h). Before power-on it is checked that one of the drives can be booted, so
// that a wrong image gets an error and not a message on a screen that nobody has opened yet.

import type { Drive } from '../block/drive.ts';
import { inBiosOrder } from '../firmware/disk.ts';
import { readBootEntry } from '../firmware/elTorito.ts';
import { hex, ImageError, type LoadedImage } from './image.ts';

/** A drive as far as booting looks at it. */
export type BootDrive = Pick<Drive, 'kind' | 'interface' | 'index' | 'size' | 'read'>;

const SECTOR_BYTES = 512,
  SIGNATURE = 510;
const LETTERS: { readonly [letter: string]: readonly [Drive['kind'], number, string] } = {
  a: ['floppy', 0, 'floppy A:'],
  b: ['floppy', 1, 'floppy B:'],
  c: ['disk', 0, 'first hard disk'],
  d: ['cdrom', 0, 'CD-ROM'],
};

/** Throws ImageError when no drive of the boot order has a boot sector. */
export function bootFromDrives(order: string, drives: readonly BootDrive[]): LoadedImage {
  const problems: string[] = [];
  let offset = -1;
  for (const letter of order.toLowerCase()) {
    const row = LETTERS[letter];
    if (!row) throw new ImageError(`boot order '${order}': no drive '${letter}' (a, b: floppies; c: hard disk; d: CD-ROM)`);
    const [kind, number, name] = row,
      drive = drives.filter((one) => one.kind === kind).sort(inBiosOrder)[number];
    if (!drive) continue;
    if (kind === 'cdrom') {
      const entry = readBootEntry(drive);
      if (!('problem' in entry)) return { title: `boot image of ${name}`, writes: [], registers: {} };
      problems.push(`${name}: ${entry.problem}`);
      offset = entry.offset;
      continue;
    }
    if (drive.size < SECTOR_BYTES) {
      problems.push(`${name}: image is truncated, a boot sector has ${SECTOR_BYTES} bytes, the file ends at ${hex(drive.size)}`);
      offset = drive.size;
      continue;
    }
    const [first, second] = drive.read(SIGNATURE, 2);
    if (first !== 0x55 || second !== 0xaa) {
      problems.push(`${name}: no boot sector, 55 AA expected, ${byte(first)} ${byte(second)} found`);
      offset = SIGNATURE;
    } else return { title: `boot sector of ${name}`, writes: [], registers: {} };
  }
  if (problems.length === 0) throw new ImageError(`no drive to boot from: boot order '${order}' names none that has an image`);
  throw new ImageError(problems.join('; '), offset);
}
const byte = (value: number) => value.toString(16).toUpperCase().padStart(2, '0');
