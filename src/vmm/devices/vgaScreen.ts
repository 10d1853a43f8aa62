// What a monitor on the VGA would show, from registers and memory (IBM VGA Technical Reference, "CRT Controller Registers"): text or
// graphics of the size that the CRTC says, from its start address and pitch. Sizes come from the guest and are bounded.

import type { TextScreen } from '../protocol.ts';
import { colour, type PixelLayout } from './vgaPixels.ts';
import type { VgaRegisters } from './vgaRegisters.ts';

const MOST_COLUMNS = 256;
const MOST_ROWS = 128;

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
/** Clear: bit 0 or 1 of the row scan counter is address bit 13 or 14. */
const ROW_SCAN_SELECTS = 0x03;
const SCREEN_OFF = 0x20;
const PALETTE_SOURCE = 0x20;
const GC_MODE = 5;
const GC_MISC = 6;
const GC_MODE_256_COLOURS = 0x40;
const GC_MODE_PAIRS = 0x20;
const GC_MISC_GRAPHICS = 0x01;
const ATTRIBUTE_MODE = 0x10;
const ATTRIBUTE_PLANE_ENABLE = 0x12;
const ATTRIBUTE_COLOUR_SELECT = 0x14;
const PALETTE_BITS_FROM_SELECT = 0x80;
const SPACE = 0x20;

/** The sequencer or the attribute controller keeps the screen dark. */
export const isOff = (registers: VgaRegisters): boolean =>
  (registers.sequencer[1] & SCREEN_OFF) !== 0 || (registers.attributeIndex & PALETTE_SOURCE) === 0;
export const isGraphics = ({ graphics }: VgaRegisters): boolean => (graphics[GC_MISC] & GC_MISC_GRAPHICS) !== 0;

/** Lines from the top of the picture to its bottom. */
function shownLines(crtc: Uint8Array): number {
  const overflow = crtc[CRTC_OVERFLOW];
  return (crtc[CRTC_VERTICAL_DISPLAY_END] | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3)) + 1;
}

/** The text screen, blank when something else is to be seen; `planes` as vgaMemory.ts has them. */
export function textScreen(registers: VgaRegisters, planes: Uint8Array): TextScreen {
  const { crtc } = registers,
    hidden = isOff(registers) || isGraphics(registers);
  const columns = Math.min(MOST_COLUMNS, crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1);
  const height = ((crtc[CRTC_MAXIMUM_SCAN_LINE] & 0x1f) + 1) * (crtc[CRTC_MAXIMUM_SCAN_LINE] & DOUBLE_SCAN ? 2 : 1);
  const rows = Math.max(1, Math.min(MOST_ROWS, Math.floor(shownLines(crtc) / height)));
  const cells = new Uint8Array(columns * rows * 2);
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

/** The picture of a graphics mode of the VGA's own, and its colours. */
export function graphicsLayout(registers: VgaRegisters): { layout: PixelLayout; way: string; palette: Uint32Array } {
  const { crtc, graphics, dac, dacMask } = registers;
  const format = graphics[GC_MODE] & GC_MODE_256_COLOURS ? 'bytes' : graphics[GC_MODE] & GC_MODE_PAIRS ? 'pairs' : 'planar';
  const scan = crtc[CRTC_MAXIMUM_SCAN_LINE],
    scans = (scan & 0x1f) + 1,
    start = word(crtc, CRTC_START_ADDRESS),
    pitch = crtc[CRTC_OFFSET] * 2,
    shift = addressShift(crtc),
    selects = ~crtc[CRTC_MODE] & ROW_SCAN_SELECTS;
  // Lines of one row show the same unless the row scan counter is part of the address, as on the CGA.
  const lines = (scan & DOUBLE_SCAN ? 2 : 1) * (selects === 0 ? scans : 1);
  const rowStart = (row: number): number => {
    const line = selects === 0 ? 0 : row % scans,
      address = (start + (selects === 0 ? row : Math.floor(row / scans)) * pitch) << shift;
    return ((address & 0xffff & ~(selects << 13)) | ((line & selects) << 13)) * 4;
  };
  const layout: PixelLayout = {
    width: (crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1) * (format === 'bytes' ? 4 : 8),
    height: Math.max(1, Math.floor(shownLines(crtc) / lines)),
    format,
    rowStart,
    group: 4 << shift,
  };
  const palette =
    format === 'bytes'
      ? dacPalette(dac, dacMask, false)
      : paletteWords(textPalette(registers), (index) => index & registers.attribute[ATTRIBUTE_PLANE_ENABLE] & 15);
  return { layout, way: [start, pitch, shift, selects, scan].join(), palette };
}

/** The DAC's 256 colours; `wide`: of 8 bits each instead of 6. */
export function dacPalette(dac: Uint8Array, mask: number, wide: boolean): Uint32Array {
  const bits = (level: number): number => (wide ? level : ((level << 2) | (level >> 4)) & 0xff);
  return Uint32Array.from({ length: 256 }, (_, index) => {
    const at = (index & mask) * 3;
    return colour(bits(dac[at]), bits(dac[at + 1]), bits(dac[at + 2]));
  });
}

function paletteWords(triples: Uint8Array, select: (index: number) => number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    const at = select(index) * 3;
    return colour(triples[at], triples[at + 1], triples[at + 2]);
  });
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
