// DOS .com programs: one segment with a program segment prefix in front (Microsoft, "MS-DOS Programmer's Reference",
// "Program Segment Prefix"). INT 20h and 21h lead into the ROM; see firmware/dos.ts for what they do.

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { ImageError, type LoadedImage, placed, zeroTerminated } from './image.ts';
import { realMode } from './registers.ts';

const SEGMENT = 0x1000,
  ENVIRONMENT = 0x0ff0,
  MEMORY_END = 0x9fc0;
const PSP_BYTES = 0x100;
/** Largest program: the segment without the prefix and one word of stack. */
const LARGEST = 0x10000 - PSP_BYTES - 2;
const LONGEST_TAIL = 126;

/** Loads a .com program with its command tail; throws ImageError. */
export function loadCom(image: Uint8Array, commandLine: string, memory: number): LoadedImage {
  if (image.length === 0) throw new ImageError('program is empty', 0);
  if (image[0] === 0x4d && image[1] === 0x5a) throw new ImageError('this is an .exe program (4D 5A), not a .com program', 0);
  if (image.length > LARGEST) throw new ImageError(`program has ${image.length} bytes, a .com program has at most ${LARGEST}`, LARGEST);
  if (commandLine.length > LONGEST_TAIL - 1)
    throw new ImageError(`command line has ${commandLine.length} characters, at most ${LONGEST_TAIL - 1} fit`);
  const write = (what: string, address: number, bytes: Uint8Array) => placed(what, address, bytes, bytes.length, memory);
  const vector = (offset: number) => Uint8Array.of(offset, offset >> 8, 0x00, 0xf0);
  return {
    title: '.com program',
    writes: [
      write('interrupt vector', 0x20 * 4, vector(ROM_LABELS.int20)),
      write('interrupt vector', 0x21 * 4, vector(ROM_LABELS.int21)),
      // No variables, then the program's own name.
      write('environment', ENVIRONMENT * 16, Uint8Array.of(0, 0, 1, 0, ...zeroTerminated('C:\\PROGRAM.COM'))),
      write('program segment prefix', SEGMENT * 16, prefix(commandLine)),
      write('program', SEGMENT * 16 + PSP_BYTES, image),
      // The word that a near RET of the program pops: offset 0, where the prefix has INT 20h.
      write('stack', SEGMENT * 16 + 0xfffe, new Uint8Array(2)),
    ],
    registers: realMode(SEGMENT, PSP_BYTES, SEGMENT, SEGMENT, 0xfffe),
  };
}

function prefix(commandLine: string): Uint8Array {
  const psp = new Uint8Array(PSP_BYTES),
    view = new DataView(psp.buffer),
    tail = commandLine === '' ? '' : ` ${commandLine}`;
  psp.set([0xcd, 0x20]);
  view.setUint16(0x02, MEMORY_END, true);
  view.setUint16(0x2c, ENVIRONMENT, true);
  psp.set([0xcd, 0x21, 0xcb], 0x50);
  psp.fill(0x20, 0x5d, 0x68);
  psp.fill(0x20, 0x6d, 0x78);
  psp[0x80] = tail.length;
  psp.set(zeroTerminated(tail), 0x81);
  psp[0x81 + tail.length] = 0x0d;
  return psp;
}
