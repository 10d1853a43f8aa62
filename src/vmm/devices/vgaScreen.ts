// What a monitor on the VGA would show, from registers and memory (IBM VGA Technical Reference, "CRT Controller Registers"): text of
// the size that the CRTC says, from its start address and pitch, or the 256-colour mode. Sizes come from the guest and are bounded.

import type { ScreenState } from '../protocol.ts';
import type { VgaRegisters } from './vgaRegisters.ts';

const MOST_COLUMNS = 256;
const MOST_ROWS = 128;
const PIXEL_COLUMNS = 320;
const PIXEL_ROWS = 200;

const CRTC_HORIZONTAL_DISPLAY_END = 0x01;
const CRTC_OVERFLOW = 0x07;
const CRTC_MAXIMUM_SCAN_LINE = 0x09;
const CRTC_CURSOR_START = 0x0a;
const CRTC_CURSOR_END = 0x0b;
const CRTC_START_ADDRESS = 0x0c;
const CRTC_CURSOR_LOCATION = 0x0e;
const CRTC_VERTICAL_DISPLAY_END = 0x12;
const CRTC_OFFSET = 0x13;
const CRTC_UNDERLINE = 0x14;
const CRTC_MODE = 0x17;
const CURSOR_OFF = 0x20;
const DOUBLE_SCAN = 0x80;
const DOUBLE_WORD = 0x40;
const BYTE_MODE = 0x40;
const SCREEN_OFF = 0x20;
const PALETTE_SOURCE = 0x20;
const GC_MODE_256_COLOURS = 0x40;
const GC_MISC_GRAPHICS = 0x01;
const ATTRIBUTE_MODE = 0x10;
const ATTRIBUTE_COLOUR_SELECT = 0x14;
const PALETTE_BITS_FROM_SELECT = 0x80;
const SPACE = 0x20;

/** The screen; `planes` as vgaMemory.ts has them. */
export function renderScreen(registers: VgaRegisters, planes: Uint8Array): ScreenState {
  const { crtc, graphics } = registers;
  const off = (registers.sequencer[1] & SCREEN_OFF) !== 0 || (registers.attributeIndex & PALETTE_SOURCE) === 0;
  const isGraphics = (graphics[6] & GC_MISC_GRAPHICS) !== 0;
  if (isGraphics && !off && graphics[5] & GC_MODE_256_COLOURS) return pixelScreen(registers, planes);

  const columns = Math.min(MOST_COLUMNS, crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1);
  const overflow = crtc[CRTC_OVERFLOW];
  const lines = (crtc[CRTC_VERTICAL_DISPLAY_END] | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3)) + 1;
  const height = ((crtc[CRTC_MAXIMUM_SCAN_LINE] & 0x1f) + 1) * (crtc[CRTC_MAXIMUM_SCAN_LINE] & DOUBLE_SCAN ? 2 : 1);
  const rows = Math.max(1, Math.min(MOST_ROWS, Math.floor(lines / height)));
  const cells = new Uint8Array(columns * rows * 2);
  const hidden = off || isGraphics;
  const start = word(crtc, CRTC_START_ADDRESS);
  const pitch = crtc[CRTC_OFFSET] * 2;
  const shift = addressShift(crtc);
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, cell += 2) {
      const base = (((start + row * pitch + column) << shift) & 0xffff) * 4;
      cells[cell] = hidden ? SPACE : planes[base];
      cells[cell + 1] = hidden ? 0 : planes[base + 1];
    }
  }
  return {
    columns,
    rows,
    cells,
    cursor: hidden ? -1 : cursorCell(crtc, columns, rows, pitch, start),
    cursorStart: crtc[CRTC_CURSOR_START] & 0x1f,
    cursorEnd: crtc[CRTC_CURSOR_END] & 0x1f,
    mode: 'text',
    palette: textPalette(registers),
  };
}

function word(crtc: Uint8Array, high: number): number {
  return (crtc[high] << 8) | crtc[high + 1];
}

/** The CRTC counts bytes, words or double words of a plane. */
function addressShift(crtc: Uint8Array): number {
  if (crtc[CRTC_UNDERLINE] & DOUBLE_WORD) return 2;
  return crtc[CRTC_MODE] & BYTE_MODE ? 0 : 1;
}

function cursorCell(crtc: Uint8Array, columns: number, rows: number, pitch: number, start: number): number {
  const first = crtc[CRTC_CURSOR_START];
  if (first & CURSOR_OFF || (first & 0x1f) > (crtc[CRTC_CURSOR_END] & 0x1f)) return -1;
  const distance = word(crtc, CRTC_CURSOR_LOCATION) - start;
  if (distance < 0) return -1;
  const row = pitch === 0 ? 0 : Math.floor(distance / pitch);
  const column = distance - row * pitch;
  return row < rows && column < columns ? row * columns + column : -1;
}

/** The sixteen attribute colours as the palette registers and the DAC make them. */
function textPalette(registers: VgaRegisters): Uint8Array {
  const { attribute, dac, dacMask } = registers;
  const select = attribute[ATTRIBUTE_COLOUR_SELECT];
  const palette = new Uint8Array(16 * 3);
  for (let index = 0; index < 16; index++) {
    const low =
      attribute[ATTRIBUTE_MODE] & PALETTE_BITS_FROM_SELECT ? (attribute[index] & 0x0f) | ((select & 3) << 4) : attribute[index] & 0x3f;
    copyColour(palette, index, dac, (low | ((select & 12) << 4)) & dacMask);
  }
  return palette;
}

function copyColour(palette: Uint8Array, index: number, dac: Uint8Array, colour: number): void {
  for (let component = 0; component < 3; component++) {
    const level = dac[colour * 3 + component];
    palette[index * 3 + component] = (level << 2) | (level >> 4);
  }
}

function pixelScreen(registers: VgaRegisters, planes: Uint8Array): ScreenState {
  const { crtc, dac, dacMask } = registers;
  const pixels = new Uint8Array(PIXEL_COLUMNS * PIXEL_ROWS);
  const palette = new Uint8Array(256 * 3);
  for (let index = 0; index < 256; index++) copyColour(palette, index, dac, index & dacMask);
  const start = word(crtc, CRTC_START_ADDRESS);
  const pitch = crtc[CRTC_OFFSET] * 2;
  const shift = addressShift(crtc);
  for (let row = 0, pixel = 0; row < PIXEL_ROWS; row++) {
    for (let column = 0; column < PIXEL_COLUMNS; column++, pixel++) {
      const offset = ((start + row * pitch + (column >> 2)) << shift) & 0xffff;
      pixels[pixel] = planes[offset * 4 + (column & 3)];
    }
  }
  return { columns: 0, rows: 0, cells: new Uint8Array(0), cursor: -1, cursorStart: 0, cursorEnd: 0, mode: 'graphics', pixels, palette };
}
