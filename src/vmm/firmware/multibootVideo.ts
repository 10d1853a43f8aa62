// The graphics mode that a Multiboot kernel asks for in its header ("Multiboot Specification version 0.6.96", sections 3.1.4 and 3.3,
// vbe_* and framebuffer_*): the nearest mode with colours of their own, set through the firmware.

import type { VideoRequest } from '../boot/image.ts';
import type { FirmwareMachine } from './machine.ts';
import { colourFields, controllerBlock, modeBlock, setVbeMode, vbeModes } from './vbe.ts';

const INFO_VBE = 0x800;
const DIRECT_COLOUR = 1;
/** What is taken when the header has no preference. */
const DEFAULT = { width: 1024, height: 768, depth: 32 };
const LINEAR = 0x4000;
const CONTROLLER_BYTES = 512;
/** Bytes for the blocks of VBE. */
export const VIDEO_BLOCKS = CONTROLLER_BYTES + 256;

/** Sets the mode and writes it into the information structure; without an adapter that stays as it is. */
export function setMultibootMode(machine: FirmwareMachine, { width, height, depth, information, blocks }: VideoRequest): void {
  const wanted = { width: width || DEFAULT.width, height: height || DEFAULT.height, depth: depth || DEFAULT.depth };
  const distance = (mode: { width: number; height: number; depth: number }): number =>
    1000 * (Math.abs(mode.width - wanted.width) + Math.abs(mode.height - wanted.height)) + Math.abs(mode.depth - wanted.depth);
  const [mode] = vbeModes(machine)
    .filter((candidate) => candidate.depth > 8)
    .sort((a, b) => distance(a) - distance(b));
  if (!mode) return;
  setVbeMode(machine, mode, true, true);
  const block = modeBlock(machine, mode),
    view = new DataView(block.buffer);
  const field = (offset: number, value: number, bytes = 4): void =>
    machine.writePhysical(
      information + offset,
      Uint8Array.from({ length: bytes }, (_, n) => value >>> (8 * n)),
    );
  machine.writePhysical(blocks, controllerBlock(machine, true, blocks));
  machine.writePhysical(blocks + CONTROLLER_BYTES, block);
  const [flags] = machine.readPhysical(information + 1, 1);
  field(1, flags | (INFO_VBE >> 8), 1);
  field(72, blocks);
  field(76, blocks + CONTROLLER_BYTES);
  field(80, mode.number | LINEAR, 2);
  field(88, view.getUint32(40, true));
  field(96, view.getUint16(16, true));
  field(100, mode.width);
  field(104, mode.height);
  field(108, mode.depth, 1);
  field(109, DIRECT_COLOUR, 1);
  const colours = colourFields(mode.depth);
  // Place and size, where VBE has size and place.
  for (let n = 0; n < 6; n++) field(110 + n, colours[n ^ 1], 1);
}
