// INT 10h AH=10h, 11h, 12h, 1Ah and 1Bh: colours, fonts, and what the adapter tells of itself (IBM, "PS/2 and PC BIOS Interface
// Technical Reference").

import type { ServiceCall } from './machine.ts';
import { ROM_LABELS } from './rom.generated.ts';
import { drawingHeight, type Surface } from './videoDraw.ts';
import {
  CRTC,
  DAC_DATA,
  DAC_MASK,
  DAC_READ,
  DAC_WRITE,
  FONT_SEGMENT,
  readAttribute,
  readIndexed,
  VIDEO,
  writeAttribute,
  writeIndexed,
} from './videoPorts.ts';

/** AH=10h: palette and DAC. */
export function paletteService(call: ServiceCall): void {
  const { machine } = call;
  switch (call.al) {
    case 0x00:
      if (call.bl <= 0x14) writeAttribute(call, call.bl, call.bh);
      return;
    case 0x01:
      writeAttribute(call, 0x11, call.bh);
      return;
    case 0x02:
      machine.readLinear(call.linear('es', call.dx), 17).forEach((value, n) => {
        writeAttribute(call, n < 16 ? n : 0x11, value);
      });
      return;
    case 0x03:
      writeAttribute(call, 0x10, (readAttribute(call, 0x10) & ~8) | ((call.bl & 1) << 3));
      return;
    case 0x07:
      if (call.bl <= 0x14) call.bh = readAttribute(call, call.bl);
      return;
    case 0x08:
      call.bh = readAttribute(call, 0x11);
      return;
    case 0x09:
      machine.writeLinear(
        call.linear('es', call.dx),
        Uint8Array.from({ length: 17 }, (_, n) => readAttribute(call, n < 16 ? n : 0x11)),
      );
      return;
    case 0x10:
      machine.portWrite(DAC_WRITE, call.bx & 0xff);
      for (const component of [call.dh, call.ch, call.cl]) machine.portWrite(DAC_DATA, component & 0x3f);
      return;
    case 0x12:
      machine.portWrite(DAC_WRITE, call.bx & 0xff);
      for (const component of machine.readLinear(call.linear('es', call.dx), Math.min(256, call.cx) * 3))
        machine.portWrite(DAC_DATA, component & 0x3f);
      return;
    case 0x15:
      machine.portWrite(DAC_READ, call.bx & 0xff);
      call.dh = machine.portRead(DAC_DATA);
      call.ch = machine.portRead(DAC_DATA);
      call.cl = machine.portRead(DAC_DATA);
      return;
    case 0x17:
      machine.portWrite(DAC_READ, call.bx & 0xff);
      machine.writeLinear(
        call.linear('es', call.dx),
        Uint8Array.from({ length: Math.min(256, call.cx) * 3 }, () => machine.portRead(DAC_DATA)),
      );
      return;
    case 0x18:
      machine.portWrite(DAC_MASK, call.bl);
      return;
    case 0x19:
      call.bl = machine.portRead(DAC_MASK);
      return;
    default:
      return;
  }
}

/** AH=11h: AL=01h, 02h, 04h and 11h, 12h, 14h select a font's height (and so the number of rows); AL=30h tells where fonts are. */
export function fontService(call: ServiceCall, surface: Surface): void {
  const command = call.al;
  if (command === 0x30) return fontInformation(call);
  const height = { 0x00: call.bh, 0x01: 14, 0x02: 8, 0x04: 16 }[command & 0x0f];
  if (command < 0x20) {
    if (surface.kind !== 'text' || height === undefined || height < 1 || height > 32) return;
    if ((command & 0x10) === 0 && command !== 0) return; // loads the shapes only; the screen keeps its height
    if (command === 0) return;
    const rows = Math.floor(400 / height);
    writeIndexed(call, CRTC, 0x09, (readIndexed(call, CRTC, 0x09) & 0xe0) | (height - 1));
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
  const rom = (offset: number) => ((FONT_SEGMENT << 16) | offset) >>> 0;
  const pointer = [
    vector(0x1f),
    vector(0x43),
    rom(ROM_LABELS.font8x14),
    rom(ROM_LABELS.font8x8),
    rom(ROM_LABELS.font8x8high),
    rom(ROM_LABELS.font8x14),
    rom(ROM_LABELS.font8x16),
    rom(ROM_LABELS.font8x16),
  ][call.bh];
  if (pointer === undefined) return;
  call.bp = pointer & 0xffff;
  call.setSegment('es', pointer >>> 16);
  call.cx = drawingHeight(call);
  call.dl = call.read8(VIDEO.lastRow);
}

/** AH=12h. */
export function alternateSelect(call: ServiceCall): void {
  switch (call.bl) {
    case 0x10: // colour, 256 KiB, feature bits 0, switches as of a VGA
      call.bx = 0x0003;
      call.cx = 0x0009;
      return;
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x33:
    case 0x34:
    case 0x36:
      call.al = 0x12;
      return;
    default:
      return;
  }
}

/** AH=1Ah: VGA with an analogue colour display. */
export function displayCombination(call: ServiceCall): void {
  if (call.al === 0x00) {
    call.bx = call.read8(VIDEO.combination);
    call.al = 0x1a;
  } else if (call.al === 0x01) {
    call.write8(VIDEO.combination, call.bl);
    call.al = 0x1a;
  }
}

/** AH=1Bh: functionality and state, 64 bytes at ES:DI. */
export function stateInformation(call: ServiceCall, surface: Surface): void {
  const buffer = new Uint8Array(64),
    view = new DataView(buffer.buffer);
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
