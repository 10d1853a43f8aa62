/**
 * The vmlinux of a Debian kernel, with its symbols: one file of the package linux-image-VERSION-dbg, for whoever debugs that kernel
 * (docs/debugging.md, `symbols`).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { downloadPackages32, unpackFile } from './packages32.ts';

/** Which kernel a bzImage is: the release that it calls itself, and the version of Debian's package. */
export interface KernelVersion {
  readonly release: string;
  readonly version: string;
}

/** Reads what the setup code of a bzImage says of itself (Linux, Documentation/arch/x86/boot.rst, kernel_version). */
export function kernelVersion(bzImage: string): KernelVersion {
  const setup = Buffer.alloc(0x8000),
    file = openSync(bzImage, 'r');
  try {
    readSync(file, setup, 0, setup.length, 0);
  } finally {
    closeSync(file);
  }
  const at = setup.readUInt16LE(0x20e) + 0x200,
    text = setup.toString('latin1', at, setup.indexOf(0, at)),
    [, release, version] = /^(\S+) .* Debian (\S+) \(/.exec(text) ?? [];
  if (!release || !version) throw new Error(`${bzImage}: no kernel of Debian's: ${text}`);
  return { release, version };
}

/**
 * Downloads the package of a kernel for i386 and unpacks its vmlinux.
 * @param temporary an existing folder for what is downloaded
 * @throws Error when the archive does not have the package: it has those of the newest kernel of a release alone
 */
export function fetchVmlinux({ release, version }: KernelVersion, temporary: string, target: string): void {
  unpackFile(download(`linux-image-${release}-dbg`, version, temporary), join('usr/lib/debug/boot', `vmlinux-${release}`), target);
}

function download(name: string, version: string, temporary: string): string {
  try {
    const [archive] = downloadPackages32([`${name}:i386=${version}`], temporary);
    if (archive !== undefined) return archive;
  } catch (error) {
    throw new Error(`${name} ${version} cannot be had; a newer kernel can be fetched when the folder debian-i386 is deleted`, {
      cause: error,
    });
  }
  throw new Error(`${name} ${version}: nothing was downloaded`);
}
