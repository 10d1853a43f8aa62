// INT 10h AH=4Fh: modes with a linear frame buffer ("VESA BIOS Extension Core Functions Standard 3.0"; "VBE/DDC Standard 1.1" for
// AL=15h), on the registers of Bochs VBE. The adapter holds the state: nothing of it is kept here.
// Left out on purpose: the protected-mode interface (AL=0Ah), characters in these modes, refresh rates of the caller's.

import { BANK_BYTES, pixelBytes, VBE, VBE_ENABLE } from '../devices/bochsVbe.ts';
import type { FirmwareMachine, ServiceCall } from './machine.ts';
import { readPci } from './pci.ts';
import { graphicsColours } from './videoModes.ts';
import { ATTRIBUTE, DAC_DATA, DAC_MASK, DAC_READ, DAC_WRITE, STATUS1, VIDEO } from './videoPorts.ts';
import { restoreVideo, saveVideo, VIDEO_STATE_BYTES } from './videoSave.ts';

interface VbeMode {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 15 | 16 | 24 | 32;
}
const family = (width: number, height: number, numbers: Readonly<Partial<Record<VbeMode['depth'], number>>>): VbeMode[] =>
  Object.entries(numbers).map(([depth, number]) => ({ number, width, height, depth: Number(depth) as VbeMode['depth'] }));
/** VESA's modes, and above them those of 32 bits with the numbers that Bochs gave them. */
export const VBE_MODES: readonly VbeMode[] = [
  ...family(320, 200, { 8: 0x146, 15: 0x10d, 16: 0x10e, 24: 0x10f, 32: 0x140 }),
  ...family(640, 400, { 8: 0x100, 32: 0x141 }),
  ...family(640, 480, { 8: 0x101, 15: 0x110, 16: 0x111, 24: 0x112, 32: 0x142 }),
  ...family(800, 600, { 8: 0x103, 15: 0x113, 16: 0x114, 24: 0x115, 32: 0x143 }),
  ...family(1024, 768, { 8: 0x105, 15: 0x116, 16: 0x117, 24: 0x118, 32: 0x144 }),
  ...family(1152, 864, { 8: 0x148, 15: 0x149, 16: 0x14a, 24: 0x14b, 32: 0x14c }),
  ...family(1280, 1024, { 8: 0x107, 15: 0x119, 16: 0x11a, 24: 0x11b, 32: 0x145 }),
  ...family(1600, 1200, { 8: 0x11c, 15: 0x11d, 16: 0x11e, 24: 0x11f, 32: 0x147 }),
].sort((a, b) => a.number - b.number);

/** Bits of each colour, and where they begin: red, green, blue, unused. */
const COLOURS: Readonly<Record<VbeMode['depth'], readonly number[]>> = {
  8: [0, 0, 0, 0, 0, 0, 0, 0],
  15: [5, 10, 5, 5, 5, 0, 1, 15],
  16: [5, 11, 6, 5, 5, 0, 0, 0],
  24: [8, 16, 8, 8, 8, 0, 0, 0],
  32: [8, 16, 8, 8, 8, 0, 8, 24],
};

const INDEX = 0x1ce,
  DATA = 0x1cf,
  FIRST_ID = 0xb0c0;
/** The adapter on the PCI bus: its frame buffer's base address, and that of its registers, which begin with EDID. */
const ADAPTER = 2 << 3,
  FRAME_BUFFER = 0x10,
  REGISTERS = 0x18;
const EDID_BYTES = 128;

const DONE = 0x004f,
  FAILED = 0x014f,
  UNKNOWN = 0x0100;
const MODE_NUMBER = 0x01ff,
  MODE_LINEAR = 0x4000,
  MODE_KEEP = 0x8000;
/** Supported, with more information, in colour, graphics, with a linear frame buffer. */
const ATTRIBUTES = 0x9b;
const PACKED = 4,
  DIRECT = 6;

function readRegister(machine: FirmwareMachine, index: number): number {
  machine.portWrite(INDEX, index, 2);
  return machine.portRead(DATA, 2);
}
function writeRegister(machine: FirmwareMachine, index: number, value: number): void {
  machine.portWrite(INDEX, index, 2);
  machine.portWrite(DATA, value & 0xffff, 2);
}
/** Sizes and places of red, green, blue and unused bits of a pixel. */
export const colourFields = (depth: VbeMode['depth']): readonly number[] => COLOURS[depth];
const isThere = (machine: FirmwareMachine): boolean => (readRegister(machine, VBE.ID) & 0xfff0) === FIRST_ID;
const isOn = (machine: FirmwareMachine): boolean => (readRegister(machine, VBE.ENABLE) & VBE_ENABLE.ENABLED) !== 0;
const memoryBytes = (machine: FirmwareMachine): number => readRegister(machine, VBE.MEMORY) << 16;
const pitchOf = ({ width, depth }: VbeMode): number => width * pixelBytes(depth);
/** The modes that the adapter's memory holds. */
export const vbeModes = (machine: FirmwareMachine): VbeMode[] =>
  VBE_MODES.filter((mode) => pitchOf(mode) * mode.height <= memoryBytes(machine));

/** Ends the mode with a frame buffer, so that the VGA's own registers say what is shown. */
export function endVbeMode(machine: FirmwareMachine): void {
  if (isThere(machine) && isOn(machine)) writeRegister(machine, VBE.ENABLE, 0);
}

/** INT 10h AH=4Fh; `setMode` sets one of the VGA's own. */
export function vbeService(call: ServiceCall, setMode: (call: ServiceCall, number: number, clear: boolean) => void): void {
  const { machine } = call;
  if (!isThere(machine)) {
    call.ax = UNKNOWN;
    return;
  }
  const service = SERVICES[call.al];
  if (call.al === 0x02 && (call.bx & MODE_NUMBER) < 0x100) {
    setMode(call, call.bx & 0x7f, (call.bx & MODE_KEEP) === 0);
    call.ax = DONE;
  } else if (service) call.ax = service(call) ? DONE : FAILED;
  else call.ax = UNKNOWN;
}

/** By AL; false: the call failed. */
const SERVICES: { readonly [al: number]: (call: ServiceCall) => boolean } = {
  0x00: (call) => {
    const address = call.linear('es', call.di),
      isVersion2 = call.read32(address) === 0x32454256;
    call.machine.writeLinear(address, controllerBlock(call.machine, isVersion2, (call.machine.get('es') << 16) | call.di, true));
    return true;
  },
  0x01: modeInformation,
  0x02: (call) => {
    const mode = vbeModes(call.machine).find(({ number }) => number === (call.bx & MODE_NUMBER));
    if (mode) setVbeMode(call.machine, mode, (call.bx & MODE_LINEAR) !== 0, (call.bx & MODE_KEEP) === 0);
    return mode !== undefined;
  },
  0x03: currentMode,
  0x04: stateService,
  0x05: windowControl,
  0x06: scanLineLength,
  0x07: displayStart,
  0x08: dacWidth,
  0x09: paletteData,
  0x15: displayData,
};

/**
 * AL=00h: 256 bytes at ES:DI, 512 when they begin with 'VBE2', that will be at `at`: a far pointer when `far`, else an address below
 * 1 MiB. Names and the list of modes are in the reserved part.
 */
export function controllerBlock(machine: FirmwareMachine, isVersion2: boolean, at: number, far = false): Uint8Array {
  const block = new Uint8Array(isVersion2 ? 512 : 256),
    view = new DataView(block.buffer);
  const pointer = far ? at : ((at >> 4) << 16) | (at & 15);
  let free = 0x22;
  const place = (bytes: ArrayLike<number>): number => {
    block.set(bytes, free);
    free += bytes.length;
    return ((pointer & 0xffff0000) | ((pointer + free - bytes.length) & 0xffff)) >>> 0;
  };
  const text = (words: string): number => place(Uint8Array.from(`${words}\0`, (letter) => letter.charCodeAt(0)));
  block.set([0x56, 0x45, 0x53, 0x41]); // 'VESA'
  view.setUint16(4, 0x0300, true);
  view.setUint32(6, text('CP/86 VGA'), true);
  view.setUint32(10, 1, true); // the DAC can be switched to 8 bits
  view.setUint32(
    14,
    place([...vbeModes(machine).map(({ number }) => number), 0xffff].flatMap((number) => [number & 0xff, number >> 8])),
    true,
  );
  view.setUint16(18, memoryBytes(machine) >> 16, true);
  if (isVersion2) {
    view.setUint16(20, 0x0100, true);
    view.setUint32(22, text('CP/86'), true);
    view.setUint32(26, text('Bochs VBE'), true);
    view.setUint32(30, text('1'), true);
  }
  return block;
}

/** AL=01h: mode CX to 256 bytes at ES:DI. */
function modeInformation(call: ServiceCall): boolean {
  const { machine } = call,
    mode = vbeModes(machine).find(({ number }) => number === (call.cx & MODE_NUMBER));
  if (!mode) return false;
  machine.writeLinear(call.linear('es', call.di), modeBlock(machine, mode));
  return true;
}

/** The mode information block. */
export function modeBlock(machine: FirmwareMachine, mode: VbeMode): Uint8Array {
  const { width, height, depth } = mode,
    pitch = pitchOf(mode),
    colours = COLOURS[depth],
    pages = Math.min(255, Math.floor(memoryBytes(machine) / (pitch * height)) - 1);
  const block = new Uint8Array(256),
    view = new DataView(block.buffer);
  view.setUint16(0, ATTRIBUTES, true);
  block[2] = 0x07; // window A can be moved, read and written; there is no B
  view.setUint16(4, BANK_BYTES >> 10, true);
  view.setUint16(6, BANK_BYTES >> 10, true);
  view.setUint16(8, 0xa000, true);
  view.setUint16(16, pitch, true);
  view.setUint16(18, width, true);
  view.setUint16(20, height, true);
  block.set([8, 16, 1, depth, 1, depth === 8 ? PACKED : DIRECT, 0, pages, 1], 22);
  block.set(colours, 31);
  block[39] = depth === 32 ? 2 : 0; // unused bits may be used
  view.setUint32(40, readPci(machine, ADAPTER, FRAME_BUFFER, 4) & ~15, true);
  view.setUint16(50, pitch, true);
  block.set([pages, pages, ...colours], 52);
  view.setUint32(62, 270_000_000, true);
  return block;
}

/** Sets a mode through the adapter's registers. */
export function setVbeMode(machine: FirmwareMachine, mode: VbeMode, linear: boolean, clear: boolean): void {
  writeRegister(machine, VBE.ENABLE, 0);
  writeRegister(machine, VBE.XRES, mode.width);
  writeRegister(machine, VBE.YRES, mode.height);
  writeRegister(machine, VBE.BPP, mode.depth);
  writeRegister(machine, VBE.ENABLE, VBE_ENABLE.ENABLED | (linear ? VBE_ENABLE.LFB : 0) | (clear ? 0 : VBE_ENABLE.NOCLEARMEM));
  machine.portRead(STATUS1);
  machine.portWrite(ATTRIBUTE, 0x20); // the screen is on
  machine.portWrite(DAC_MASK, 0xff);
  if (mode.depth === 8) {
    machine.portWrite(DAC_WRITE, 0);
    for (const component of graphicsColours()) machine.portWrite(DAC_DATA, component);
  }
}

/** AL=03h. */
function currentMode(call: ServiceCall): boolean {
  const { machine } = call;
  if (!isOn(machine)) call.bx = call.read8(VIDEO.mode);
  else {
    const [width, height, depth] = [VBE.XRES, VBE.YRES, VBE.BPP].map((index) => readRegister(machine, index));
    const mode = VBE_MODES.find((row) => row.width === width && row.height === height && row.depth === depth),
      linear = (readRegister(machine, VBE.ENABLE) & VBE_ENABLE.LFB) !== 0;
    call.bx = (mode?.number ?? MODE_NUMBER) | (linear ? MODE_LINEAR : 0);
  }
  return true;
}

/** Registers of Bochs VBE that are saved, in an order in which they can be written again. */
const SAVED = [VBE.XRES, VBE.YRES, VBE.BPP, VBE.ENABLE, VBE.BANK, VBE.VIRT_WIDTH, VBE.X_OFFSET, VBE.Y_OFFSET];

/** AL=04h: DL=0 size, 1 save to ES:BX, 2 restore; whatever CX asks for, everything is saved. */
function stateService(call: ServiceCall): boolean {
  const { machine } = call,
    address = call.linear('es', call.bx),
    words = 2 * SAVED.length;
  switch (call.dl) {
    case 0:
      call.bx = Math.ceil((words + VIDEO_STATE_BYTES) / 64);
      return true;
    case 1: {
      const values = SAVED.map((index) => readRegister(machine, index));
      machine.writeLinear(address, Uint8Array.from([...values.flatMap((value) => [value & 0xff, value >> 8]), ...saveVideo(call)]));
      return true;
    }
    case 2: {
      const bytes = machine.readLinear(address, words + VIDEO_STATE_BYTES);
      writeRegister(machine, VBE.ENABLE, 0);
      restoreVideo(call, bytes.subarray(words));
      SAVED.forEach((index, n) => {
        const value = bytes[2 * n] | (bytes[2 * n + 1] << 8);
        writeRegister(machine, index, index === VBE.ENABLE ? value | VBE_ENABLE.NOCLEARMEM : value);
      });
      return true;
    }
    default:
      return false;
  }
}

/** AL=05h: bank DX to window A, or which one is there. */
function windowControl(call: ServiceCall): boolean {
  if (!isOn(call.machine) || call.bl !== 0) return false;
  if (call.bh === 0) {
    if (call.dx * BANK_BYTES >= memoryBytes(call.machine)) return false;
    writeRegister(call.machine, VBE.BANK, call.dx);
  } else call.dx = readRegister(call.machine, VBE.BANK);
  return true;
}

/** AL=06h: BL=0 sets CX pixels, 2 CX bytes, 1 asks, 3 asks for the most; BX bytes, CX pixels, DX rows. */
function scanLineLength(call: ServiceCall): boolean {
  const { machine } = call;
  if (!isOn(machine) || call.bl > 3) return false;
  const size = pixelBytes(readRegister(machine, VBE.BPP)),
    shown = readRegister(machine, VBE.XRES);
  const most = Math.min(0xfff8, Math.floor(memoryBytes(machine) / readRegister(machine, VBE.YRES) / size) & ~7);
  if (call.bl === 0 || call.bl === 2) {
    const pixels = call.bl === 0 ? call.cx : Math.ceil(call.cx / size);
    if (pixels > most) return false;
    writeRegister(machine, VBE.VIRT_WIDTH, Math.max(shown, (pixels + 7) & ~7));
  }
  const pixels = call.bl === 3 ? most : readRegister(machine, VBE.VIRT_WIDTH);
  call.bx = pixels * size;
  call.cx = pixels;
  call.dx = Math.floor(memoryBytes(machine) / (pixels * size));
  return true;
}

/** AL=07h: BL=0, 80h (in retrace) sets pixel CX of row DX as the first shown, 1 asks. */
function displayStart(call: ServiceCall): boolean {
  const { machine } = call;
  if (!isOn(machine)) return false;
  switch (call.bl) {
    case 0x00:
    case 0x80:
      writeRegister(machine, VBE.X_OFFSET, call.cx);
      writeRegister(machine, VBE.Y_OFFSET, call.dx);
      return readRegister(machine, VBE.X_OFFSET) === call.cx && readRegister(machine, VBE.Y_OFFSET) === call.dx;
    case 0x01:
      call.bh = 0;
      call.cx = readRegister(machine, VBE.X_OFFSET);
      call.dx = readRegister(machine, VBE.Y_OFFSET);
      return true;
    default:
      return false;
  }
}

/** AL=08h: BL=0 sets BH bits of each colour, 6 or 8, 1 asks. */
function dacWidth(call: ServiceCall): boolean {
  const { machine } = call,
    enable = readRegister(machine, VBE.ENABLE);
  if (!isOn(machine) || readRegister(machine, VBE.BPP) !== 8 || call.bl > 1) return false;
  const wide = call.bl === 0 ? call.bh >= 8 : (enable & VBE_ENABLE.DAC_8_BITS) !== 0;
  if (call.bl === 0) {
    const other = enable & ~VBE_ENABLE.DAC_8_BITS;
    writeRegister(machine, VBE.ENABLE, other | (wide ? VBE_ENABLE.DAC_8_BITS : 0));
  }
  call.bh = wide ? 8 : 6;
  return true;
}

/** AL=09h: BL=0, 80h sets CX colours from DX on from blue, green, red and 0 at ES:DI, 1 asks. */
function paletteData(call: ServiceCall): boolean {
  const { machine } = call,
    count = Math.min(call.cx, 256 - (call.dx & 0xff)),
    address = call.linear('es', call.di);
  if (call.dx > 0xff) return false;
  if (call.bl === 0x00 || call.bl === 0x80) {
    const entries = machine.readLinear(address, count * 4);
    machine.portWrite(DAC_WRITE, call.dx);
    for (let n = 0; n < count; n++) for (const at of [2, 1, 0]) machine.portWrite(DAC_DATA, entries[4 * n + at]);
    return true;
  }
  if (call.bl !== 0x01) return false;
  machine.portWrite(DAC_READ, call.dx);
  const entries = new Uint8Array(count * 4);
  for (let n = 0; n < count; n++) for (const at of [2, 1, 0]) entries[4 * n + at] = machine.portRead(DAC_DATA);
  machine.writeLinear(address, entries);
  return true;
}

/** AL=15h: BL=0 what there is (a second for a block, DDC2), 1 block DX of EDID to ES:DI. */
function displayData(call: ServiceCall): boolean {
  const { machine } = call;
  if (call.bl === 0) {
    call.bx = 0x0102;
    return true;
  }
  if (call.bl !== 1 || call.dx !== 0) return false;
  const registers = readPci(machine, ADAPTER, REGISTERS, 4) & ~15;
  machine.writeLinear(call.linear('es', call.di), machine.readPhysical(registers >>> 0, EDID_BYTES));
  return true;
}
