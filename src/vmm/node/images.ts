// Image files of the command line: read whole, and what a guest changed written back sector by sector as QEMU does.

import { accessSync, closeSync, constants, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { type Drive, SECTOR } from '../drive.ts';

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

export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Writes the sectors that changed since the last call to the file; throws an Error with the reason. */
export function writeBack(drive: Drive, path: string): void {
  const sectors = drive.takeUnsaved();
  if (sectors.size === 0) return;
  try {
    const file = openSync(path, 'r+');
    try {
      for (const [sector, bytes] of sectors) writeSync(file, bytes, 0, bytes.length, sector * SECTOR);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new Error(`cannot write '${path}': ${reasonOf(error)}`);
  }
}

/** What went wrong, without Node's prefix and path. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: { readonly [code: string]: string } = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ENOSPC: 'no space left',
    EROFS: 'read-only file system',
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}
