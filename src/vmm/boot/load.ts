// From a boot source to memory writes and registers: recognises kernels by their content and calls the loader.

import type { BootSource } from '../protocol.ts';
import { loadCom } from './com.ts';
import { type BootDrive, bootFromDrives } from './diskBoot.ts';
import { loadElf } from './elf.ts';
import { isElf } from './elfHeaders.ts';
import { loadFlat } from './flat.ts';
import { ImageError, type LoadedImage } from './image.ts';
import { isLinux, loadLinux } from './linux.ts';
import type { KernelModule } from './modules.ts';
import { loadMultiboot1 } from './multiboot1.ts';
import { loadMultiboot2 } from './multiboot2.ts';
import { findMultiboot1Header, findMultiboot2Header } from './multibootHeaders.ts';
import { loadPvh, pvhEntry } from './pvh.ts';

/**
 * Loads any boot source for a guest with `memory` bytes of RAM; throws ImageError when it cannot be started. `rsdp`: ACPI's root pointer,
 * for a kernel that is told of it.
 */
export function loadBootSource(
  source: BootSource,
  drives: readonly BootDrive[],
  memory: number,
  rsdp: Uint8Array = new Uint8Array(0),
): LoadedImage {
  switch (source.kind) {
    case 'drives':
      return bootFromDrives(source.order, drives);
    case 'flat':
      return loadFlat(source.image, source.address, source.mode, source.entry, memory);
    case 'com':
      return loadCom(source.image, source.commandLine, memory);
    case 'kernel':
      return loadKernel(source, memory, rsdp);
  }
}

type KernelSource = Extract<BootSource, { kind: 'kernel' }>;

function loadKernel({ image, commandLine, initrd, modules, linuxEntry }: KernelSource, memory: number, rsdp: Uint8Array): LoadedImage {
  if (image.length === 0) throw new ImageError('kernel image is empty', 0);
  if (isLinux(image)) {
    if (modules && modules.length > 0) throw new ImageError('a Linux kernel takes an initial RAM disk, not modules');
    return loadLinux(image, commandLine, initrd, memory, linuxEntry);
  }
  // As QEMU does, the initial RAM disk is the first module.
  const all: KernelModule[] = [...(initrd ? [{ image: initrd, commandLine: '' }] : []), ...(modules ?? [])];
  if (findMultiboot1Header(image) >= 0) return loadMultiboot1(image, commandLine, all, memory);
  if (findMultiboot2Header(image) >= 0) return loadMultiboot2(image, commandLine, all, memory, rsdp);
  if (pvhEntry(image)) return loadPvh(image, commandLine, all, memory);
  if (isElf(image)) {
    if (initrd || (modules && modules.length > 0))
      throw new ImageError('a plain ELF executable takes neither initial RAM disk nor modules');
    return loadElf(image, memory);
  }
  throw new ImageError("not a kernel image: no 'HdrS' at 0x202, no Multiboot header, no ELF header", 0);
}
