// Flat binaries: bytes at an address, entered in real mode or in flat protected mode.

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { STACK_TOP } from './elf.ts';
import { hex, ImageError, type LoadedImage, placed } from './image.ts';
import { flatMode, realMode } from './registers.ts';

/** Stack of real-mode programs, unless they are loaded over it. */
const LOW_STACK = 0x7000;

/**
 * Loads bytes at a physical address. `entry` is an address too (default: the first byte). In mode 16 CS is 0 below 64 KiB, so
 * that offsets equal addresses, and the segment of the 64 KiB block above.
 */
export function loadFlat(image: Uint8Array, address: number, mode: 16 | 32, entry: number | undefined, memory: number): LoadedImage {
  const start = entry ?? address;
  if (!Number.isInteger(address) || address < 0 || address > 0xffffffff)
    throw new ImageError(`load address ${address} is no 32-bit address`);
  if (!Number.isInteger(start) || start < 0 || start > 0xffffffff) throw new ImageError(`entry ${start} is no 32-bit address`);
  if (image.length === 0) throw new ImageError('image is empty', 0);
  const write = placed('image', address, image, image.length, memory);
  if (mode === 32)
    return {
      title: 'flat binary, 32-bit',
      writes: [write],
      registers: { ...flatMode(start, 0x08, 0x10, ROM_LABELS.gdtMultiboot), esp: STACK_TOP },
    };
  if (start > 0xfffff) throw new ImageError(`entry ${hex(start)} cannot be reached in real mode`);
  const cs = (start >> 4) & 0xf000,
    overStack = address < LOW_STACK && address + image.length > 0x500;
  const registers = overStack
    ? realMode(cs, start & 0xffff, cs, 0x9000, STACK_TOP - 0x90000)
    : realMode(cs, start & 0xffff, cs, 0, LOW_STACK);
  return { title: 'flat binary, 16-bit', writes: [write], registers };
}
