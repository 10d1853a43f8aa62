// Rows of pixels as a monitor on the VGA would show them, as red, green, blue and opacity: the frame buffer of Bochs VBE, and the
// VGA's own graphics, by the graphics controller's shift register (IBM VGA Technical Reference, "Graphics Mode Register"): four
// planes, pairs of bits as on the CGA, or bytes.

import type { VideoMemory } from '../device.ts';

/** What one picture is drawn from. */
export interface PixelLayout {
  readonly width: number;
  readonly height: number;
  /** How bytes become pixels: 'planar', 'pairs' and 'bytes' as above, else bits per pixel of the frame buffer. */
  readonly format: 'planar' | 'pairs' | 'bytes' | 8 | 15 | 16 | 24 | 32;
  /** Byte of the memory that a row begins with; of planes that of plane 0. */
  readonly rowStart: (row: number) => number;
  /** Bytes from one group to the next: eight pixels of 'planar' and 'pairs', four of 'bytes'; else bytes of a pixel. */
  readonly group: number;
}

/** Bytes of the memory that a row is made of, from its start on. */
export function rowBytes({ width, format, group }: PixelLayout): number {
  return Math.ceil(width / (typeof format === 'number' ? 1 : format === 'bytes' ? 4 : 8)) * group;
}

/** Canvas pixels lie in memory as red, green, blue, opacity; words are stored lowest byte first. */
export const colour = (red: number, green: number, blue: number): number => ((0xff << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** Draws a row into `out`; `palette` has 256 colours. What lies beyond the memory is black. */
export function drawRow(layout: PixelLayout, row: number, memory: VideoMemory['bytes'], palette: Uint32Array, out: Uint32Array): void {
  const { width, format, group } = layout,
    start = layout.rowStart(row);
  switch (format) {
    case 8:
      for (let x = 0; x < width; x++) out[x] = palette[memory[start + x] ?? 0];
      return;
    case 15:
    case 16:
      for (let x = 0, at = start; x < width; x++, at += 2) {
        const value = memory[at] | (memory[at + 1] << 8);
        out[x] = format === 15 ? fiveFiveFive(value) : fiveSixFive(value);
      }
      return;
    case 24:
      for (let x = 0, at = start; x < width; x++, at += 3) out[x] = colour(memory[at + 2], memory[at + 1], memory[at]);
      return;
    case 32:
      for (let x = 0, at = start; x < width; x++, at += 4) out[x] = colour(memory[at + 2], memory[at + 1], memory[at]);
      return;
    case 'bytes':
      for (let x = 0; x < width; x++) out[x] = palette[memory[start + (x >> 2) * group + (x & 3)] ?? 0];
      return;
    case 'pairs':
      // Bytes of the even planes hold four pixels each, those of the odd planes the two higher bits of them.
      for (let x = 0; x < width; x++) {
        const at = start + (x >> 3) * group + ((x >> 2) & 1),
          shift = 6 - 2 * (x & 3);
        out[x] = palette[((memory[at] >> shift) & 3) | (((memory[at + 2] >> shift) & 3) << 2)];
      }
      return;
    case 'planar':
      for (let x = 0; x < width; x++) {
        const at = start + (x >> 3) * group,
          shift = 7 - (x & 7);
        let index = 0;
        for (let plane = 0; plane < 4; plane++) index |= ((memory[at + plane] >> shift) & 1) << plane;
        out[x] = palette[index];
      }
      return;
  }
}

/** Five or six bits of a colour as eight. */
const wide5 = (value: number): number => (value << 3) | (value >> 2);
const fiveFiveFive = (value: number): number => colour(wide5((value >> 10) & 31), wide5((value >> 5) & 31), wide5(value & 31));
function fiveSixFive(value: number): number {
  const green = (value >> 5) & 63;
  return colour(wide5(value >> 11), (green << 2) | (green >> 4), wide5(value & 31));
}
