// Files that the command line reads whole: kernels, initial RAM disks, journals.

import { readFileSync, statSync } from 'node:fs';

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
