// Files that the command line reads whole: kernels, initial RAM disks, journals, firmware.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FirmwareConfig } from '../protocol.ts';

/** Where QEMU and its firmware's packages have it. */
const FIRMWARE_FOLDERS = ['/usr/share/seabios', '/usr/share/qemu', '/usr/local/share/qemu'];
const VGA_BIOS = 'vgabios-stdvga.bin';

/** A firmware: the file, or one of this name where QEMU looks; with it a VGA BIOS, by default the one in the same folder. */
export function readFirmware(name: string, vgaName: string | null): FirmwareConfig {
  const find = (wanted: string): string =>
    existsSync(wanted) || basename(wanted) !== wanted
      ? wanted
      : (FIRMWARE_FOLDERS.map((folder) => join(folder, wanted)).find((path) => existsSync(path)) ?? wanted);
  const path = find(name),
    rom = readImage('-bios', path),
    vgaPath = vgaName === null ? join(dirname(path), VGA_BIOS) : find(vgaName);
  return vgaName !== null || existsSync(vgaPath) ? { rom, vgaRom: readImage('-global VGA.romfile', vgaPath) } : { rom };
}

/** Reads a file that an option names; throws an Error that says which option and why. */
export function readImage(option: string, path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size >= 2 ** 31) throw new Error(`${size} bytes; an image can have less than 2 GiB`);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new Error(`${option}: cannot read '${path}': ${reasonOf(error)}`);
  }
}

/** What went wrong, without Node's prefix and path. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: { readonly [code: string]: string } = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'not a directory',
    ENOSPC: 'no space left',
    EROFS: 'read-only file system',
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}
