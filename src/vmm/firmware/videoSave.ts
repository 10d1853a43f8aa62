// The VGA's registers as a block of bytes, for programs that take the screen and give it back (IBM, "Personal System/2 Hardware
// Interface Technical Reference", "Video Subsystem"): the indexed registers, the colours, and the BIOS data area's part.

import type { ServiceCall } from './machine.ts';
import {
  ATTRIBUTE,
  CRTC,
  DAC_DATA,
  DAC_MASK,
  DAC_READ,
  DAC_WRITE,
  GRAPHICS,
  readAttribute,
  readIndexed,
  SEQUENCER,
  STATUS1,
  VIDEO,
  writeAttribute,
  writeIndexed,
} from './videoPorts.ts';

const BANKS = [
  [SEQUENCER, 5],
  [CRTC, 25],
  [GRAPHICS, 9],
] as const;
const ATTRIBUTES = 21,
  COLOURS = 768;
const MISC_READ = 0x3cc,
  MISC_WRITE = 0x3c2;
const DATA_AREA = 0x1e,
  DATA_AREA_2 = 7;

/** Bytes of a block. */
export const VIDEO_STATE_BYTES = 2 + BANKS.reduce((sum, [, count]) => sum + count, 0) + ATTRIBUTES + COLOURS + DATA_AREA + DATA_AREA_2;

export function saveVideo(call: ServiceCall): Uint8Array {
  const { machine } = call,
    bytes = [machine.portRead(MISC_READ), machine.portRead(DAC_MASK)];
  for (const [port, count] of BANKS) for (let index = 0; index < count; index++) bytes.push(readIndexed(call, port, index));
  for (let index = 0; index < ATTRIBUTES; index++) bytes.push(readAttribute(call, index));
  machine.portWrite(DAC_READ, 0);
  for (let n = 0; n < COLOURS; n++) bytes.push(machine.portRead(DAC_DATA));
  bytes.push(...machine.readLinear(VIDEO.mode, DATA_AREA), ...machine.readLinear(VIDEO.lastRow, DATA_AREA_2));
  return Uint8Array.from(bytes);
}

export function restoreVideo(call: ServiceCall, bytes: Uint8Array): void {
  const { machine } = call;
  let at = 0;
  const next = (): number => bytes[at++];
  machine.portRead(STATUS1);
  machine.portWrite(ATTRIBUTE, 0); // screen off while its registers change
  machine.portWrite(MISC_WRITE, next());
  machine.portWrite(DAC_MASK, next());
  for (const [port, count] of BANKS) {
    // Bit 7 of CRTC register 11h protects those below 8.
    if (port === CRTC) writeIndexed(call, CRTC, 0x11, 0);
    for (let index = 0; index < count; index++) writeIndexed(call, port, index, next());
  }
  const attributes = bytes.subarray(at, (at += ATTRIBUTES));
  machine.portWrite(DAC_WRITE, 0);
  for (let n = 0; n < COLOURS; n++) machine.portWrite(DAC_DATA, next());
  machine.writeLinear(VIDEO.mode, bytes.subarray(at, (at += DATA_AREA)));
  machine.writeLinear(VIDEO.lastRow, bytes.subarray(at, at + DATA_AREA_2));
  for (let index = 0; index < ATTRIBUTES; index++) {
    // The palette can be written only while the screen does not use it.
    machine.portRead(STATUS1);
    machine.portWrite(ATTRIBUTE, index);
    machine.portWrite(ATTRIBUTE, attributes[index]);
  }
  writeAttribute(call, 0x14, attributes[0x14]);
}
