// INT 10h: video services ("IBM PC AT Technical Reference", "System BIOS"; IBM, "PS/2 and PC BIOS Interface Technical Reference"
// for AH=10h-1Bh). The cursor, pages and shape live in the BIOS data area, characters in video memory, the rest in the VGA.

import type { ServiceCall } from './machine.ts';
import { ROM_LABELS } from './rom.generated.ts';
import { endVbeMode, vbeService } from './vbe.ts';
import { characterService, drawingHeight, fillWindow, getPixel, type Surface, setPixel, writeCharacter } from './videoDraw.ts';
import { graphicsColours, textColours, VIDEO_MODES, type VideoMode } from './videoModes.ts';
import {
  ATTRIBUTE,
  CRTC,
  DAC_DATA,
  DAC_MASK,
  DAC_WRITE,
  FONT_SEGMENT,
  GRAPHICS,
  SEQUENCER,
  STATUS1,
  VIDEO,
  writeAttribute,
  writeIndexed,
} from './videoPorts.ts';
import { alternateSelect, displayCombination, fontService, paletteService, stateInformation } from './videoState.ts';

/** INT 10h. */
export function videoService(call: ServiceCall): void {
  const surface = currentSurface(call);
  switch (call.ah) {
    case 0x00:
      setMode(call, call.al & 0x7f, (call.al & 0x80) === 0);
      return;
    case 0x01:
      setCursorShape(call);
      return;
    case 0x02:
      setCursor(call, surface, call.bh, call.dh, call.dl);
      return;
    case 0x03:
      call.dx = call.read16(VIDEO.cursors + 2 * (call.bh & 7));
      call.cx = call.read16(VIDEO.shape);
      return;
    case 0x04:
      call.ah = 0;
      return;
    case 0x05:
      setPage(call, surface, call.al);
      return;
    case 0x06:
      fillWindow(call, surface, call.al, true);
      return;
    case 0x07:
      fillWindow(call, surface, call.al, false);
      return;
    case 0x08:
    case 0x09:
    case 0x0a:
      characterService(call, surface);
      return;
    case 0x0b:
      if (call.bh === 0) writeAttribute(call, 0x11, call.bl & 0x1f);
      return;
    case 0x0c:
      setPixel(call, surface);
      return;
    case 0x0d:
      call.al = getPixel(call, surface);
      return;
    case 0x0e:
      teletype(call, call.al, call.bl);
      return;
    case 0x0f:
      call.al = call.read8(VIDEO.mode) | (call.read8(VIDEO.info) & 0x80);
      call.ah = call.read8(VIDEO.columns);
      call.bh = call.read8(VIDEO.page);
      return;
    case 0x10:
      paletteService(call);
      return;
    case 0x11:
      fontService(call, surface);
      return;
    case 0x12:
      alternateSelect(call);
      return;
    case 0x1a:
      displayCombination(call);
      return;
    case 0x1b:
      if (call.bx === 0) stateInformation(call, surface);
      return;
    case 0x4f:
      vbeService(call, setMode);
      return;
    default:
      return;
  }
}

/** The largest text screen that adapters had: programs may write anything into the BIOS data area. */
const MOST_COLUMNS = 132,
  MOST_ROWS = 60;

/** Text page or graphics screen that characters go to. */
function currentSurface(call: ServiceCall): Surface {
  const number = call.read8(VIDEO.mode),
    mode = VIDEO_MODES.find((row) => row.number === number);
  const kind = mode?.kind ?? 'text';
  return {
    kind,
    columns: Math.min(MOST_COLUMNS, Math.max(1, call.read16(VIDEO.columns))),
    rows: Math.min(MOST_ROWS, call.read8(VIDEO.lastRow) + 1),
    pageBytes: call.read16(VIDEO.pageBytes),
    memory: mode?.memory ?? 0xb8000,
  };
}

/** Sets mode 0-3 or 13h, 7 as 3; other numbers change nothing. */
export function setMode(call: ServiceCall, number: number, clear: boolean): void {
  const mode = VIDEO_MODES.find((row) => row.number === (number === 7 ? 3 : number));
  if (!mode) return;
  endVbeMode(call.machine);
  programMode(call, mode);
  if (clear) {
    const blank = mode.kind === 'text' ? Uint8Array.from({ length: 0x8000 }, (_, n) => (n & 1 ? 0x07 : 0x20)) : new Uint8Array(64000);
    call.machine.writePhysical(mode.memory, blank);
  }
  const height = mode.kind === 'text' ? 16 : 8;
  call.write8(VIDEO.mode, number === 7 ? 3 : number);
  call.write16(VIDEO.columns, mode.columns);
  call.write16(VIDEO.pageBytes, mode.pageBytes & 0xffff);
  call.write16(VIDEO.pageStart, 0);
  call.machine.writeLinear(VIDEO.cursors, new Uint8Array(16));
  call.write16(VIDEO.shape, mode.kind === 'text' ? 0x0607 : 0);
  call.write8(VIDEO.page, 0);
  call.write16(VIDEO.crtc, CRTC);
  call.write8(VIDEO.modeSelect, mode.modeSelect);
  call.write8(VIDEO.palette, 0x30);
  call.write8(VIDEO.lastRow, 24);
  call.write16(VIDEO.characterHeight, height);
  call.write8(VIDEO.info, 0x60 | (clear ? 0 : 0x80));
  call.write8(VIDEO.switches, 0xf9);
  call.write8(VIDEO.flags, 0x51);
  call.write8(VIDEO.combination, 0x08);
  call.write16(0x43 * 4, mode.kind === 'text' ? ROM_LABELS.font8x16 : ROM_LABELS.font8x8);
  call.write16(0x43 * 4 + 2, FONT_SEGMENT);
  call.al = number === 0x13 ? 0x20 : 0x30;
}

function programMode(call: ServiceCall, mode: VideoMode): void {
  const { machine } = call;
  machine.portRead(STATUS1); // makes the attribute controller expect an index
  machine.portWrite(ATTRIBUTE, 0); // screen off while its registers change
  machine.portWrite(0x3c2, mode.miscellaneous);
  writeIndexed(call, SEQUENCER, 0, 0x01);
  mode.sequencer.forEach((value, index) => {
    if (index > 0) writeIndexed(call, SEQUENCER, index, value);
  });
  writeIndexed(call, SEQUENCER, 0, mode.sequencer[0]);
  writeIndexed(call, CRTC, 0x11, mode.crtc[0x11] & 0x7f); // bit 7 protects registers 0-7
  mode.crtc.forEach((value, index) => {
    writeIndexed(call, CRTC, index, value);
  });
  mode.graphics.forEach((value, index) => {
    writeIndexed(call, GRAPHICS, index, value);
  });
  machine.portWrite(DAC_MASK, 0xff);
  machine.portWrite(DAC_WRITE, 0);
  for (const component of mode.kind === 'text' ? textColours() : graphicsColours()) machine.portWrite(DAC_DATA, component);
  mode.attribute.forEach((value, index) => {
    writeAttribute(call, index, value);
  });
}

/** AH=01h. Programs give shapes for 8 scan lines; with 16 they are scaled as the VGA BIOS does (cursor emulation). */
function setCursorShape(call: ServiceCall): void {
  const start = call.ch & 0x3f,
    end = call.cl & 0x1f,
    height = drawingHeight(call);
  call.write16(VIDEO.shape, call.cx & 0x3f1f);
  const scaled = height > 8 && end < 8 && start < 8,
    last = scaled ? Math.floor(((end + 1) * height) / 8) - 1 : end;
  const first = !scaled ? start : end === start + 1 ? last - 1 : Math.floor(((start + 1) * height) / 8) - 1;
  writeIndexed(call, CRTC, 0x0a, first);
  writeIndexed(call, CRTC, 0x0b, last & 0x1f);
}

function setCursor(call: ServiceCall, surface: Surface, page: number, row: number, column: number): void {
  if (page > 7) return;
  call.write16(VIDEO.cursors + 2 * page, (row << 8) | column);
  if (page === call.read8(VIDEO.page)) showCursor(call, surface, page, row, column);
}
function showCursor(call: ServiceCall, surface: Surface, page: number, row: number, column: number): void {
  const cell = (page * surface.pageBytes) / 2 + row * surface.columns + column;
  writeIndexed(call, CRTC, 0x0e, (cell >> 8) & 0xff);
  writeIndexed(call, CRTC, 0x0f, cell & 0xff);
}

/** AH=05h: shows another page. */
function setPage(call: ServiceCall, surface: Surface, page: number): void {
  if (surface.kind !== 'text' || page > 7) return;
  const start = page * surface.pageBytes;
  call.write8(VIDEO.page, page);
  call.write16(VIDEO.pageStart, start);
  writeIndexed(call, CRTC, 0x0c, (start >> 9) & 0xff);
  writeIndexed(call, CRTC, 0x0d, (start >> 1) & 0xff);
  const cursor = call.read16(VIDEO.cursors + 2 * page);
  showCursor(call, surface, page, cursor >> 8, cursor & 0xff);
}

/** Writes a character at the cursor of the shown page and moves it, with bell (silent), backspace, line feed, carriage return and scrolling. */
export function teletype(call: ServiceCall, code: number, colour: number): void {
  const surface = currentSurface(call),
    page = call.read8(VIDEO.page) & 7;
  put(call, surface, page, code, undefined, colour);
}

/** One character of AH=0Eh and AH=13h; `attribute` undefined keeps what is on the screen. */
function put(call: ServiceCall, surface: Surface, page: number, code: number, attribute: number | undefined, colour: number): void {
  const cursor = call.read16(VIDEO.cursors + 2 * page);
  let row = cursor >> 8,
    column = cursor & 0xff;
  if (code === 0x07) return;
  if (code === 0x08) column = Math.max(0, column - 1);
  else if (code === 0x0d) column = 0;
  else if (code === 0x0a) row++;
  else {
    writeCharacter(call, surface, page, row, column, code, attribute, colour);
    if (++column >= surface.columns) {
      column = 0;
      row++;
    }
  }
  if (row >= surface.rows) {
    scrollPage(call, surface, page);
    row = surface.rows - 1;
  }
  setCursor(call, surface, page, row, column);
}

/** One line up; the new line has the colours of the last one. */
function scrollPage(call: ServiceCall, surface: Surface, page: number): void {
  const row = surface.columns * 2,
    start = surface.memory + page * surface.pageBytes;
  if (surface.kind === 'text') {
    const bytes = call.machine.readPhysical(start + row, row * (surface.rows - 1)),
      attribute = bytes[bytes.length - 1] ?? 0x07;
    const screen = new Uint8Array(bytes.length + row);
    screen.set(bytes);
    for (let at = bytes.length; at < screen.length; at += 2) {
      screen[at] = 0x20;
      screen[at + 1] = attribute;
    }
    call.machine.writePhysical(start, screen);
    return;
  }
  const line = 320 * 8,
    rest = call.machine.readPhysical(surface.memory + line, line * (surface.rows - 1)),
    screen = new Uint8Array(64000);
  screen.set(rest);
  call.machine.writePhysical(surface.memory, screen);
}

/** One character of AH=13h, whose loop is code in the ROM: AL with attribute BL to the cursor of page BH. */
export function stringCharacter(call: ServiceCall): void {
  put(call, currentSurface(call), call.bh & 7, call.al, call.bl, call.bl);
}
