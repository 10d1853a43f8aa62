// The VGA's ports as the video services use them (IBM, "Personal System/2 Hardware Interface Technical Reference", "Video
// Subsystem"), and the places of the BIOS data area that hold the state of the screen.

import { BDA, type ServiceCall } from './machine.ts';

/** Video fields of the BIOS data area. */
export const VIDEO = {
  mode: BDA + 0x49,
  columns: BDA + 0x4a,
  pageBytes: BDA + 0x4c,
  pageStart: BDA + 0x4e,
  cursors: BDA + 0x50,
  shape: BDA + 0x60,
  page: BDA + 0x62,
  crtc: BDA + 0x63,
  modeSelect: BDA + 0x65,
  palette: BDA + 0x66,
  lastRow: BDA + 0x84,
  characterHeight: BDA + 0x85,
  info: BDA + 0x87,
  switches: BDA + 0x88,
  flags: BDA + 0x89,
  combination: BDA + 0x8a,
} as const;

/** Ports; data ports of the indexed ones follow their index ports. */
export const CRTC = 0x3d4,
  ATTRIBUTE = 0x3c0,
  SEQUENCER = 0x3c4,
  GRAPHICS = 0x3ce,
  DAC_MASK = 0x3c6,
  DAC_READ = 0x3c7,
  DAC_WRITE = 0x3c8,
  DAC_DATA = 0x3c9,
  STATUS1 = 0x3da;
/** Segment of the ROM, where the fonts are. */
export const FONT_SEGMENT = 0xf000;

/** Writes a register behind an index port. */
export function writeIndexed(call: ServiceCall, port: number, index: number, value: number): void {
  call.machine.portWrite(port, index);
  call.machine.portWrite(port + 1, value);
}

/** Reads a register behind an index port. */
export function readIndexed(call: ServiceCall, port: number, index: number): number {
  call.machine.portWrite(port, index);
  return call.machine.portRead(port + 1);
}

/** Writes a register of the attribute controller. */
export function writeAttribute(call: ServiceCall, index: number, value: number): void {
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, index);
  call.machine.portWrite(ATTRIBUTE, value);
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, 0x20); // palette address source: the screen stays on
}

/** Reads a register of the attribute controller. */
export function readAttribute(call: ServiceCall, index: number): number {
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, index);
  const value = call.machine.portRead(ATTRIBUTE + 1);
  call.machine.portRead(STATUS1);
  call.machine.portWrite(ATTRIBUTE, 0x20);
  return value;
}
