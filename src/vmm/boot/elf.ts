// Plain ELF executables: segments at their physical addresses, entered in flat protected mode with interrupts and paging off.

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { loadSegments } from './elfHeaders.ts';
import { ImageReader, type LoadedImage } from './image.ts';
import { flatMode } from './registers.ts';

/** Stack for programs that bring none: the top of conventional memory, below the EBDA. */
export const STACK_TOP = 0x9fc00;

/** Loads an ELF executable; throws ImageError. */
export function loadElf(image: Uint8Array, memory: number): LoadedImage {
  const { writes, entry } = loadSegments(new ImageReader(image), memory);
  return { title: 'ELF executable', writes, registers: { ...flatMode(entry, 0x08, 0x10, ROM_LABELS.gdtMultiboot), esp: STACK_TOP } };
}
