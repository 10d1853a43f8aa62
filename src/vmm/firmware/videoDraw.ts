// Characters and pixels for INT 10h: cells of text modes, and the same calls drawn with the font of INT 43h in mode 13h
// (IBM, "PS/2 and PC BIOS Interface Technical Reference", INT 10h AH=06h-0Dh).

import { BDA, type ServiceCall } from './machine.ts';
import { ROM_LABELS } from './rom.generated.ts';

/** What characters are written to. */
export interface Surface {
  readonly kind: 'text' | 'graphics';
  readonly columns: number;
  readonly rows: number;
  readonly pageBytes: number;
  /** Physical address of page 0. */
  readonly memory: number;
}
const WIDTH = 320;

/** Scan lines of a character (40:85). */
export const drawingHeight = (call: ServiceCall): number => Math.max(1, call.read16(BDA + 0x85));

/** AH=06h, 07h: moves the window CX (top left) to DX (bottom right) by `lines`, 0 for all; new lines get blanks with attribute BH. */
export function fillWindow(call: ServiceCall, surface: Surface, lines: number, up: boolean): void {
  const left = call.cl,
    right = Math.min(call.dl, surface.columns - 1),
    top = call.ch,
    bottom = Math.min(call.dh, surface.rows - 1);
  if (left > right || top > bottom) return;
  const height = bottom - top + 1,
    moved = lines === 0 || lines >= height ? height : lines;
  const page = call.read8(BDA + 0x62) & 7;
  // A row of the window: its bytes in video memory as pieces (one for text, a scan line each for graphics).
  const cellHeight = surface.kind === 'text' ? 1 : 8,
    pitch = surface.kind === 'text' ? surface.columns * 2 : WIDTH,
    unit = surface.kind === 'text' ? 2 : 8;
  const start = surface.memory + (surface.kind === 'text' ? page * surface.pageBytes : 0);
  const piece = (row: number, line: number) => start + (row * cellHeight + line) * pitch + left * unit,
    length = (right - left + 1) * unit;
  const blank =
    surface.kind === 'text' ? Uint8Array.from({ length }, (_, n) => (n & 1 ? call.bh : 0x20)) : new Uint8Array(length).fill(call.bh);
  for (let n = 0; n < height; n++) {
    const row = up ? top + n : bottom - n,
      source = up ? row + moved : row - moved;
    for (let line = 0; line < cellHeight; line++) {
      const inside = source >= top && source <= bottom;
      call.machine.writePhysical(piece(row, line), inside ? call.machine.readPhysical(piece(source, line), length) : blank);
    }
  }
}

/** AH=08h read character and attribute, 09h write both CX times, 0Ah write the character CX times. */
export function characterService(call: ServiceCall, surface: Surface): void {
  const page = call.bh & 7,
    cursor = call.read16(BDA + 0x50 + 2 * page),
    row = cursor >> 8,
    column = cursor & 0xff;
  if (call.ah === 0x08) {
    if (surface.kind === 'text') {
      const cell = call.machine.readPhysical(cellAddress(surface, page, row, column), 2);
      call.al = cell[0];
      call.ah = cell[1];
    } else call.ax = 0;
    return;
  }
  const cells = Math.max(0, Math.min(call.cx, surface.rows * surface.columns - row * surface.columns - column));
  for (let n = 0; n < cells; n++) {
    const at = column + n;
    writeCharacter(
      call,
      surface,
      page,
      row + Math.floor(at / surface.columns),
      at % surface.columns,
      call.al,
      call.ah === 0x09 ? call.bl : undefined,
      call.bl,
    );
  }
}

/** One character; in text modes `attribute` undefined keeps the cell's, in graphics `colour` is the pixels' (bit 7 of modes with fewer colours means XOR; not in 13h). */
export function writeCharacter(
  call: ServiceCall,
  surface: Surface,
  page: number,
  row: number,
  column: number,
  code: number,
  attribute: number | undefined,
  colour: number,
): void {
  if (row >= surface.rows || column >= surface.columns) return;
  if (surface.kind === 'text') {
    call.machine.writePhysical(
      cellAddress(surface, page, row, column),
      attribute === undefined ? Uint8Array.of(code) : Uint8Array.of(code, attribute),
    );
    return;
  }
  const font = call.read32(0x43 * 4),
    shapes = (font >>> 16) * 16 + (font & 0xffff);
  // The ROM's 8x8 font is in two halves, the second where INT 1Fh points.
  const low = font >>> 0 === ((0xf000 << 16) | ROM_LABELS.font8x8) >>> 0,
    high = call.read32(0x1f * 4);
  const glyph = call.machine.readLinear(
    low && code >= 0x80 ? (high >>> 16) * 16 + (high & 0xffff) + (code - 0x80) * 8 : shapes + code * 8,
    8,
  );
  glyph.forEach((bits, line) => {
    call.machine.writePhysical(
      surface.memory + (row * 8 + line) * WIDTH + column * 8,
      Uint8Array.from({ length: 8 }, (_, n) => ((bits >> (7 - n)) & 1 ? colour : 0)),
    );
  });
}
const cellAddress = (surface: Surface, page: number, row: number, column: number) =>
  surface.memory + page * surface.pageBytes + (row * surface.columns + column) * 2;

/** AH=0Ch: pixel CX, DX gets colour AL. */
export function setPixel(call: ServiceCall, surface: Surface): void {
  if (surface.kind === 'graphics' && call.cx < WIDTH && call.dx < 200)
    call.machine.writePhysical(surface.memory + call.dx * WIDTH + call.cx, Uint8Array.of(call.al));
}
/** AH=0Dh: colour of pixel CX, DX. */
export function getPixel(call: ServiceCall, surface: Surface): number {
  return surface.kind === 'graphics' && call.cx < WIDTH && call.dx < 200
    ? call.machine.readPhysical(surface.memory + call.dx * WIDTH + call.cx, 1)[0]
    : 0;
}
