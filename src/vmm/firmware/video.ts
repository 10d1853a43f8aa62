// INT 10h: video services ("IBM PC AT Technical Reference", "System BIOS"; IBM, "PS/2 and PC BIOS Interface Technical Reference"
// for AH=10h-1Bh). The cursor, pages and shape live in the BIOS data area, characters in video memory, the rest in the VGA.

import { BDA, type ServiceCall } from './machine.ts';
import { ROM_LABELS } from './rom.generated.ts';
import { characterService, drawingHeight, fillWindow, setPixel, getPixel, writeCharacter, type Surface } from './videoDraw.ts';
import { graphicsColours, textColours, VIDEO_MODES, type VideoMode } from './videoModes.ts';

/** Video fields of the BIOS data area. */
export const VIDEO = {
  mode: BDA + 0x49, columns: BDA + 0x4a, pageBytes: BDA + 0x4c, pageStart: BDA + 0x4e, cursors: BDA + 0x50, shape: BDA + 0x60, page: BDA + 0x62,
  crtc: BDA + 0x63, modeSelect: BDA + 0x65, palette: BDA + 0x66, lastRow: BDA + 0x84, characterHeight: BDA + 0x85, info: BDA + 0x87, switches: BDA + 0x88,
  flags: BDA + 0x89, combination: BDA + 0x8a,
} as const;
const CRTC = 0x3d4, ATTRIBUTE = 0x3c0, SEQUENCER = 0x3c4, GRAPHICS = 0x3ce, DAC_MASK = 0x3c6, DAC_READ = 0x3c7, DAC_WRITE = 0x3c8, DAC_DATA = 0x3c9, STATUS1 = 0x3da;
const FONT_SEGMENT = 0xf000;

/** INT 10h. */
export function videoService(call: ServiceCall): void {
  const surface = currentSurface(call);
  switch (call.ah) {
    case 0x00: setMode(call, call.al & 0x7f, (call.al & 0x80) === 0); return;
    case 0x01: setCursorShape(call); return;
    case 0x02: setCursor(call, surface, call.bh, call.dh, call.dl); return;
    case 0x03:
      call.dx = call.read16(VIDEO.cursors + 2 * (call.bh & 7));
      call.cx = call.read16(VIDEO.shape);
      return;
    case 0x04: call.ah = 0; return;
    case 0x05: setPage(call, surface, call.al); return;
    case 0x06: fillWindow(call, surface, call.al, true); return;
    case 0x07: fillWindow(call, surface, call.al, false); return;
    case 0x08: case 0x09: case 0x0a: characterService(call, surface); return;
    case 0x0b: if (call.bh === 0) writeAttribute(call, 0x11, call.bl & 0x1f); return;
    case 0x0c: setPixel(call, surface); return;
    case 0x0d: call.al = getPixel(call, surface); return;
    case 0x0e: teletype(call, call.al, call.bl); return;
    case 0x0f:
      call.al = call.read8(VIDEO.mode) | call.read8(VIDEO.info) & 0x80;
      call.ah = call.read8(VIDEO.columns);
      call.bh = call.read8(VIDEO.page);
      return;
    case 0x10: paletteService(call); return;
    case 0x11: fontService(call, surface); return;
    case 0x12: alternateSelect(call); return;
    case 0x13: writeString(call, surface); return;
    case 0x1a: displayCombination(call); return;
    case 0x1b: if (call.bx === 0) stateInformation(call, surface); return;
    case 0x4f: call.ax = 0x0100; return; // no VBE: AL is not 4Fh
    default: return;
  }
}

/** Text page or graphics screen that characters go to. */
function currentSurface(call: ServiceCall): Surface {
  const number = call.read8(VIDEO.mode), mode = VIDEO_MODES.find((row) => row.number === number);
  const kind = mode?.kind ?? 'text';
  return { kind, columns: Math.max(1, call.read16(VIDEO.columns)), rows: call.read8(VIDEO.lastRow) + 1, pageBytes: call.read16(VIDEO.pageBytes), memory: mode?.memory ?? 0xb8000 };
}

/** Sets mode 0-3 or 13h, 7 as 3; other numbers change nothing. */
export function setMode(call: ServiceCall, number: number, clear: boolean): void {
  const mode = VIDEO_MODES.find((row) => row.number === (number === 7 ? 3 : number));
  if (!mode) return;
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
  mode.sequencer.forEach((value, index) => { if (index > 0) writeIndexed(call, SEQUENCER, index, value); });
  writeIndexed(call, SEQUENCER, 0, mode.sequencer[0]);
  writeIndexed(call, CRTC, 0x11, mode.crtc[0x11] & 0x7f); // bit 7 protects registers 0-7
  mode.crtc.forEach((value, index) => { writeIndexed(call, CRTC, index, value); });
  mode.graphics.forEach((value, index) => { writeIndexed(call, GRAPHICS, index, value); });
  machine.portWrite(DAC_MASK, 0xff);
  machine.portWrite(DAC_WRITE, 0);
  for (const component of mode.kind === 'text' ? textColours() : graphicsColours()) machine.portWrite(DAC_DATA, component);
  mode.attribute.forEach((value, index) => { writeAttribute(call, index, value); });
}

function writeIndexed(call: ServiceCall, port: number, index: number, value: number): void {
  call.machine.portWrite(port, index);
  call.machine.portWrite(port + 1, value);
}
function readIndexed(call: ServiceCall, port: number, index: number): number {
  call.machine.portWrite(port, index);
  return call.machine.portRead(port + 1);
}
function writeAttribute(call: ServiceCall, index: number, value: number): void {
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, index);
  call.machine.portWrite(ATTRIBUTE, value);
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, 0x20); // palette address source: the screen stays on
}
function readAttribute(call: ServiceCall, index: number): number {
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, index);
  const value = call.machine.portRead(ATTRIBUTE + 1);
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, 0x20);
  return value;
}

/** AH=01h. Programs give shapes for 8 scan lines; with 16 they are scaled as the VGA BIOS does (cursor emulation). */
function setCursorShape(call: ServiceCall): void {
  const start = call.ch & 0x3f, end = call.cl & 0x1f, height = drawingHeight(call);
  call.write16(VIDEO.shape, call.cx & 0x3f1f);
  const scaled = height > 8 && end < 8 && start < 8, last = scaled ? Math.floor((end + 1) * height / 8) - 1 : end;
  const first = !scaled ? start : end === start + 1 ? last - 1 : Math.floor((start + 1) * height / 8) - 1;
  writeIndexed(call, CRTC, 0x0a, first);
  writeIndexed(call, CRTC, 0x0b, last & 0x1f);
}

function setCursor(call: ServiceCall, surface: Surface, page: number, row: number, column: number): void {
  if (page > 7) return;
  call.write16(VIDEO.cursors + 2 * page, row << 8 | column);
  if (page === call.read8(VIDEO.page)) showCursor(call, surface, page, row, column);
}
function showCursor(call: ServiceCall, surface: Surface, page: number, row: number, column: number): void {
  const cell = page * surface.pageBytes / 2 + row * surface.columns + column;
  writeIndexed(call, CRTC, 0x0e, cell >> 8 & 0xff);
  writeIndexed(call, CRTC, 0x0f, cell & 0xff);
}

/** AH=05h: shows another page. */
function setPage(call: ServiceCall, surface: Surface, page: number): void {
  if (surface.kind !== 'text' || page > 7) return;
  const start = page * surface.pageBytes;
  call.write8(VIDEO.page, page);
  call.write16(VIDEO.pageStart, start);
  writeIndexed(call, CRTC, 0x0c, start >> 9 & 0xff);
  writeIndexed(call, CRTC, 0x0d, start >> 1 & 0xff);
  const cursor = call.read16(VIDEO.cursors + 2 * page);
  showCursor(call, surface, page, cursor >> 8, cursor & 0xff);
}

/** Writes a character at the cursor of the shown page and moves it, with bell (silent), backspace, line feed, carriage return and scrolling. */
export function teletype(call: ServiceCall, code: number, colour: number): void {
  const surface = currentSurface(call), page = call.read8(VIDEO.page) & 7;
  put(call, surface, page, code, undefined, colour);
}

/** One character of AH=0Eh and AH=13h; `attribute` undefined keeps what is on the screen. */
function put(call: ServiceCall, surface: Surface, page: number, code: number, attribute: number | undefined, colour: number): void {
  const cursor = call.read16(VIDEO.cursors + 2 * page);
  let row = cursor >> 8, column = cursor & 0xff;
  if (code === 0x07) return;
  if (code === 0x08) column = Math.max(0, column - 1);
  else if (code === 0x0d) column = 0;
  else if (code === 0x0a) row++;
  else {
    writeCharacter(call, surface, page, row, column, code, attribute, colour);
    if (++column >= surface.columns) { column = 0; row++; }
  }
  if (row >= surface.rows) {
    scrollPage(call, surface, page);
    row = surface.rows - 1;
  }
  setCursor(call, surface, page, row, column);
}

/** One line up; the new line has the colours of the last one. */
function scrollPage(call: ServiceCall, surface: Surface, page: number): void {
  const row = surface.columns * 2, start = surface.memory + page * surface.pageBytes;
  if (surface.kind === 'text') {
    const bytes = call.machine.readPhysical(start + row, row * (surface.rows - 1)), attribute = bytes[bytes.length - 1] ?? 0x07;
    const screen = new Uint8Array(bytes.length + row);
    screen.set(bytes);
    for (let at = bytes.length; at < screen.length; at += 2) { screen[at] = 0x20; screen[at + 1] = attribute; }
    call.machine.writePhysical(start, screen);
    return;
  }
  const line = 320 * 8, rest = call.machine.readPhysical(surface.memory + line, line * (surface.rows - 1)), screen = new Uint8Array(64000);
  screen.set(rest);
  call.machine.writePhysical(surface.memory, screen);
}

/** AH=13h: string at ES:BP of CX characters; bit 0 of AL moves the cursor, bit 1 means character and attribute pairs. */
function writeString(call: ServiceCall, surface: Surface): void {
  const page = call.bh & 7, before = call.read16(VIDEO.cursors + 2 * page), pairs = (call.al & 2) !== 0, address = call.linear('es', call.bp);
  const bytes = call.machine.readLinear(address, call.cx * (pairs ? 2 : 1));
  setCursor(call, surface, page, call.dh, call.dl);
  for (let at = 0; at < bytes.length; at += pairs ? 2 : 1) {
    const attribute = pairs ? bytes[at + 1] : call.bl;
    put(call, surface, page, bytes[at], attribute, attribute);
  }
  if ((call.al & 1) === 0) setCursor(call, surface, page, before >> 8, before & 0xff);
}

/** AH=10h: palette and DAC. */
function paletteService(call: ServiceCall): void {
  const { machine } = call;
  switch (call.al) {
    case 0x00: if (call.bl <= 0x14) writeAttribute(call, call.bl, call.bh); return;
    case 0x01: writeAttribute(call, 0x11, call.bh); return;
    case 0x02:
      machine.readLinear(call.linear('es', call.dx), 17).forEach((value, n) => { writeAttribute(call, n < 16 ? n : 0x11, value); });
      return;
    case 0x03: writeAttribute(call, 0x10, readAttribute(call, 0x10) & ~8 | (call.bl & 1) << 3); return;
    case 0x07: if (call.bl <= 0x14) call.bh = readAttribute(call, call.bl); return;
    case 0x08: call.bh = readAttribute(call, 0x11); return;
    case 0x09:
      machine.writeLinear(call.linear('es', call.dx), Uint8Array.from({ length: 17 }, (_, n) => readAttribute(call, n < 16 ? n : 0x11)));
      return;
    case 0x10:
      machine.portWrite(DAC_WRITE, call.bx & 0xff);
      for (const component of [call.dh, call.ch, call.cl]) machine.portWrite(DAC_DATA, component & 0x3f);
      return;
    case 0x12:
      machine.portWrite(DAC_WRITE, call.bx & 0xff);
      for (const component of machine.readLinear(call.linear('es', call.dx), Math.min(256, call.cx) * 3)) machine.portWrite(DAC_DATA, component & 0x3f);
      return;
    case 0x15:
      machine.portWrite(DAC_READ, call.bx & 0xff);
      call.dh = machine.portRead(DAC_DATA);
      call.ch = machine.portRead(DAC_DATA);
      call.cl = machine.portRead(DAC_DATA);
      return;
    case 0x17:
      machine.portWrite(DAC_READ, call.bx & 0xff);
      machine.writeLinear(call.linear('es', call.dx), Uint8Array.from({ length: Math.min(256, call.cx) * 3 }, () => machine.portRead(DAC_DATA)));
      return;
    case 0x18: machine.portWrite(DAC_MASK, call.bl); return;
    case 0x19: call.bl = machine.portRead(DAC_MASK); return;
    default: return;
  }
}

/** AH=11h: AL=01h, 02h, 04h and 11h, 12h, 14h select a font's height (and so the number of rows); AL=30h tells where fonts are. */
function fontService(call: ServiceCall, surface: Surface): void {
  const command = call.al;
  if (command === 0x30) return fontInformation(call);
  const height = { 0x00: call.bh, 0x01: 14, 0x02: 8, 0x04: 16 }[command & 0x0f];
  if (command < 0x20) {
    if (surface.kind !== 'text' || height === undefined || height < 1 || height > 32) return;
    if ((command & 0x10) === 0 && command !== 0) return; // loads the shapes only; the screen keeps its height
    if (command === 0) return;
    const rows = Math.floor(400 / height);
    writeIndexed(call, CRTC, 0x09, readIndexed(call, CRTC, 0x09) & 0xe0 | height - 1);
    const lines = rows * height - 1;
    writeIndexed(call, CRTC, 0x12, lines & 0xff);
    call.write8(VIDEO.lastRow, rows - 1);
    call.write8(VIDEO.characterHeight, height);
    writeIndexed(call, CRTC, 0x0a, height - 2);
    writeIndexed(call, CRTC, 0x0b, height - 1);
    return;
  }
  // Graphics fonts: INT 43h points to the shapes that writing characters uses.
  const table = { 0x22: ROM_LABELS.font8x14, 0x23: ROM_LABELS.font8x8, 0x24: ROM_LABELS.font8x16 }[command];
  if (table !== undefined) {
    call.write16(0x43 * 4, table);
    call.write16(0x43 * 4 + 2, FONT_SEGMENT);
  }
}

function fontInformation(call: ServiceCall): void {
  const vector = (number: number) => call.read32(number * 4);
  const rom = (offset: number) => (FONT_SEGMENT << 16 | offset) >>> 0;
  const pointer = [vector(0x1f), vector(0x43), rom(ROM_LABELS.font8x14), rom(ROM_LABELS.font8x8), rom(ROM_LABELS.font8x8high), rom(ROM_LABELS.font8x14),
    rom(ROM_LABELS.font8x16), rom(ROM_LABELS.font8x16)][call.bh];
  if (pointer === undefined) return;
  call.bp = pointer & 0xffff;
  call.setSegment('es', pointer >>> 16);
  call.cx = drawingHeight(call);
  call.dl = call.read8(VIDEO.lastRow);
}

/** AH=12h. */
function alternateSelect(call: ServiceCall): void {
  switch (call.bl) {
    case 0x10: // colour, 256 KiB, feature bits 0, switches as of a VGA
      call.bx = 0x0003;
      call.cx = 0x0009;
      return;
    case 0x30: case 0x31: case 0x32: case 0x33: case 0x34: case 0x36: call.al = 0x12; return;
    default: return;
  }
}

/** AH=1Ah: VGA with an analogue colour display. */
function displayCombination(call: ServiceCall): void {
  if (call.al === 0x00) { call.bx = call.read8(VIDEO.combination); call.al = 0x1a; }
  else if (call.al === 0x01) { call.write8(VIDEO.combination, call.bl); call.al = 0x1a; }
}

/** AH=1Bh: functionality and state, 64 bytes at ES:DI. */
function stateInformation(call: ServiceCall, surface: Surface): void {
  const buffer = new Uint8Array(64), view = new DataView(buffer.buffer);
  view.setUint16(0, ROM_LABELS.videoFunctions, true);
  view.setUint16(2, FONT_SEGMENT, true);
  buffer.set(call.machine.readLinear(VIDEO.mode, 0x1e), 4);
  buffer[0x22] = surface.rows;
  view.setUint16(0x23, drawingHeight(call), true);
  buffer[0x25] = call.read8(VIDEO.combination);
  view.setUint16(0x27, surface.kind === 'text' ? 16 : 256, true);
  buffer[0x29] = surface.kind === 'text' ? 8 : 1;
  buffer[0x2a] = surface.kind === 'text' ? 2 : 0;
  buffer[0x2d] = 0x01;
  buffer[0x31] = 3; // 256 KiB
  call.machine.writeLinear(call.linear('es', call.di), buffer);
  call.al = 0x1b;
}
