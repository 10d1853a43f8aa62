// What loaders that hand modules to a kernel share (Multiboot 1 and 2, PVH): placing modules, and a place for what the
// kernel is told.

import { alignUp, type MemoryWrite, overlaps, placed } from './image.ts';

/** A file that goes to the kernel beside its image. */
export interface KernelModule {
  readonly image: Uint8Array;
  readonly commandLine: string;
}
export interface PlacedModule {
  readonly start: number;
  readonly end: number;
  readonly commandLine: string;
}

const PAGE = 4096,
  FIRST_HIGH = 0x100000;
/** Preferred place of the information: conventional memory, where kernels rarely are. */
const LOW_INFORMATION = 0x9000,
  LOW_END = 0x9fc00;

/** The first free page boundary above 1 MiB and behind what is written; conventional memory below is left alone. */
export const behind = (writes: readonly MemoryWrite[], end = 0): number =>
  alignUp(Math.max(FIRST_HIGH, end, ...writes.map((write) => write.address + write.length)), PAGE);

/** Adds modules to the writes, on page boundaries behind the kernel. */
export function placeModules(writes: MemoryWrite[], kernelEnd: number, modules: readonly KernelModule[], memory: number): PlacedModule[] {
  let at = behind([], kernelEnd);
  return modules.map((module, n) => {
    const write = placed(`module ${n + 1}`, at, module.image, module.image.length, memory);
    writes.push(write);
    at = behind([write]);
    return { start: write.address, end: write.address + write.length, commandLine: module.commandLine };
  });
}

/** Where so many bytes of information go. */
export function informationPlace(writes: readonly MemoryWrite[], size: number): number {
  const low = size <= LOW_END - LOW_INFORMATION && !writes.some((write) => overlaps(write, LOW_INFORMATION, size));
  return low ? LOW_INFORMATION : behind(writes);
}
