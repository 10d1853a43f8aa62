// Linux kernels and everything else that follows the "Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst), from
// version 2.00. By default the image's real-mode setup code is entered, as QEMU's -kernel does: it asks the firmware itself.
// The 32-bit entry skips it: the loader fills in the boot parameters ("zero page") instead.

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { EBDA, memoryMap } from '../firmware/system.ts';
import { hex, ImageError, ImageReader, type LoadedImage, type MemoryWrite, placed, zeroTerminated } from './image.ts';
import { flatMode, realMode } from './registers.ts';

/** Fields of the setup header, by their names in the protocol. */
const AT = {
  setupSects: 0x1f1,
  syssize: 0x1f4,
  vidMode: 0x1fa,
  bootFlag: 0x1fe,
  jump: 0x200,
  header: 0x202,
  version: 0x206,
  typeOfLoader: 0x210,
  loadflags: 0x211,
  code32Start: 0x214,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  heapEndPtr: 0x224,
  cmdLinePtr: 0x228,
  initrdAddrMax: 0x22c,
  cmdlineSize: 0x238,
} as const;
const HDRS = 0x53726448,
  SECTOR = 512;
const LOADED_HIGH = 0x01,
  CAN_USE_HEAP = 0x80,
  UNKNOWN_LOADER = 0xff;
const LOW_KERNEL = 0x10000,
  HIGH_KERNEL = 0x100000;
/** Where setup code goes: where QEMU puts it, and where kernels before 2.02 insist on. */
const SETUP = 0x10000,
  OLD_SETUP = 0x90000,
  OLD_COMMAND_LINE_END = 0x9a000,
  COMMAND_LINE = 0x20000;
const DEFAULT_INITRD_MAX = 0x37ffffff,
  OLD_COMMAND_LINE = 255;

/** How a kernel is entered: its real-mode setup code, or the 32-bit entry point. */
export type LinuxEntry = 'setup' | '32-bit';

/** Whether the image says that it follows the boot protocol. */
export function isLinux(image: Uint8Array): boolean {
  return image.length >= AT.header + 4 && new DataView(image.buffer, image.byteOffset).getUint32(AT.header, true) === HDRS;
}

interface Header {
  readonly version: number;
  readonly high: boolean;
  readonly setupBytes: number;
  readonly code32Start: number;
  readonly initrdMax: number;
  readonly longestCommandLine: number;
}

function readHeader(image: ImageReader): Header {
  if (image.u16(AT.bootFlag, 'boot_flag') !== 0xaa55)
    throw new ImageError(`boot_flag is ${hex(image.u16(AT.bootFlag, 'boot_flag'))}, 0xaa55 expected`, AT.bootFlag);
  if (image.u32(AT.header, 'the setup header') !== HDRS) throw new ImageError("no setup header: 'HdrS' expected", AT.header);
  const version = image.u16(AT.version, 'version');
  if (version < 0x200) throw new ImageError(`boot protocol ${version >> 8}.${version & 255} is older than 2.00`, AT.version);
  const setupBytes = ((image.u8(AT.setupSects, 'setup_sects') || 4) + 1) * SECTOR;
  image.slice(0, setupBytes, 'the setup code');
  // Before 2.04 only 16 bits of the size count. The last paragraph need not be complete.
  const paragraphs = version >= 0x204 ? image.u32(AT.syssize, 'syssize') : image.u16(AT.syssize, 'syssize');
  const missing = setupBytes + paragraphs * 16 - image.length;
  if (missing > 15)
    throw new ImageError(
      `image is truncated: setup_sects and syssize say ${setupBytes + paragraphs * 16} bytes, the file has ${image.length}`,
      image.length,
    );
  if (image.length === setupBytes) throw new ImageError('there is no kernel behind the setup code', setupBytes);
  return {
    version,
    setupBytes,
    high: (image.u8(AT.loadflags, 'loadflags') & LOADED_HIGH) !== 0,
    code32Start: image.u32(AT.code32Start, 'code32_start'),
    initrdMax: version >= 0x203 ? image.u32(AT.initrdAddrMax, 'initrd_addr_max') : DEFAULT_INITRD_MAX,
    longestCommandLine: version >= 0x206 ? image.u32(AT.cmdlineSize, 'cmdline_size') : OLD_COMMAND_LINE,
  };
}

/** Loads a kernel with its command line and initial RAM disk; throws ImageError. */
export function loadLinux(
  bytes: Uint8Array,
  commandLine: string,
  initrd: Uint8Array | undefined,
  memory: number,
  entry: LinuxEntry = 'setup',
): LoadedImage {
  const image = new ImageReader(bytes),
    header = readHeader(image);
  if (commandLine.length > header.longestCommandLine)
    throw new ImageError(
      `command line has ${commandLine.length} characters, the kernel takes ${header.longestCommandLine}`,
      AT.cmdlineSize,
    );
  const kernel = bytes.subarray(header.setupBytes),
    address = header.high ? HIGH_KERNEL : LOW_KERNEL;
  if (!header.high && address + kernel.length > OLD_SETUP)
    throw new ImageError(
      `kernel has ${kernel.length} bytes, but one that is loaded low has at most ${OLD_SETUP - LOW_KERNEL}`,
      AT.loadflags,
    );
  const writes: MemoryWrite[] = [placed('kernel', address, kernel, kernel.length, memory, header.setupBytes)];
  let disk: MemoryWrite | undefined;
  if (initrd) {
    disk = placeInitrd(initrd, header, address + kernel.length, memory);
    writes.push(disk);
  }
  const shared: Shared = {
    image,
    header,
    commandLine,
    disk,
    memory,
    version: `${header.version >> 8}.${String(header.version & 255).padStart(2, '0')}`,
  };
  return entry === 'setup' ? enterSetup(shared, writes) : enter32(shared, writes);
}

interface Shared {
  readonly image: ImageReader;
  readonly header: Header;
  readonly commandLine: string;
  readonly disk: MemoryWrite | undefined;
  readonly memory: number;
  readonly version: string;
}

/** As high as the kernel and the memory allow, on a page boundary. */
function placeInitrd(initrd: Uint8Array, header: Header, kernelEnd: number, memory: number): MemoryWrite {
  const top = Math.min(header.initrdMax + 1, memory),
    address = Math.floor((top - initrd.length) / 4096) * 4096;
  if (initrd.length === 0) throw new ImageError('initial RAM disk is empty', 0);
  if (address < kernelEnd || address < HIGH_KERNEL)
    throw new ImageError(
      `initial RAM disk of ${initrd.length} bytes does not fit between kernel and ${hex(top)}: more memory is needed`,
      AT.initrdAddrMax,
    );
  return placed('initial RAM disk', address, initrd, initrd.length, memory);
}

/** vga= of the command line, which the boot loader has to act on: 'normal', 'ext', 'ask' or a number. */
function videoMode(commandLine: string): number | undefined {
  const word = / vga=([^ ]+)/.exec(` ${commandLine}`)?.[1];
  if (word === undefined) return undefined;
  const value = { normal: 0xffff, ext: 0xfffe, ask: 0xfffd }[word] ?? Number(word);
  return Number.isInteger(value) && value >= 0 && value <= 0xffff ? value : undefined;
}

function enterSetup({ image, header, commandLine, disk, memory, version }: Shared, writes: MemoryWrite[]): LoadedImage {
  const text = zeroTerminated(commandLine),
    old = !header.high || header.version < 0x202;
  const setupAt = old ? OLD_SETUP : SETUP,
    textAt = old ? OLD_COMMAND_LINE_END - text.length : COMMAND_LINE;
  if (text.length > EBDA - COMMAND_LINE || (old && setupAt + header.setupBytes > textAt - 0x800))
    throw new ImageError(`setup code of ${header.setupBytes} bytes leaves no room for stack and command line`, AT.setupSects);
  const setup = image.bytes.slice(0, header.setupBytes),
    view = new DataView(setup.buffer),
    vga = videoMode(commandLine);
  setup[AT.typeOfLoader] = UNKNOWN_LOADER;
  if (vga !== undefined) view.setUint16(AT.vidMode, vga, true);
  if (header.version >= 0x201) {
    setup[AT.loadflags] |= CAN_USE_HEAP;
    view.setUint16(AT.heapEndPtr, textAt - setupAt - 0x200, true);
  }
  if (header.version >= 0x202) view.setUint32(AT.cmdLinePtr, textAt, true);
  else {
    view.setUint16(0x20, 0xa33f, true); // the old way: magic number and offset from the setup code
    view.setUint16(0x22, textAt - setupAt, true);
  }
  if (disk) {
    view.setUint32(AT.ramdiskImage, disk.address, true);
    view.setUint32(AT.ramdiskSize, disk.length, true);
  }
  const segment = setupAt >> 4,
    stack = textAt - setupAt - 16;
  return {
    title: `Linux boot protocol ${version}, real-mode entry`,
    writes: [
      ...writes,
      placed('setup code', setupAt, setup, setup.length, memory),
      placed('command line', textAt, text, text.length, memory),
    ],
    registers: realMode(segment + 0x20, 0, segment, segment, stack > 0xffff ? 0xfff0 : stack, false),
  };
}

/** Boot parameters (Documentation/arch/x86/zero-page.rst). */
const PARAMETERS = 0x90000,
  PARAMETER_BYTES = 4096,
  E820_ENTRIES = 0x1e8,
  E820_TABLE = 0x2d0;

function enter32({ image, header, commandLine, disk, memory, version }: Shared, writes: MemoryWrite[]): LoadedImage {
  if (!header.high || header.version < 0x202)
    throw new ImageError(`boot protocol ${version} has no 32-bit entry for this image`, AT.version);
  const kernel = writes[0];
  if (header.code32Start < kernel.address || header.code32Start >= kernel.address + kernel.length)
    throw new ImageError(`code32_start ${hex(header.code32Start)} is outside the kernel`, AT.code32Start);
  const text = zeroTerminated(commandLine),
    parameters = new Uint8Array(PARAMETER_BYTES),
    view = new DataView(parameters.buffer);
  if (text.length > EBDA - COMMAND_LINE) throw new ImageError(`command line has ${commandLine.length} characters`, AT.cmdlineSize);
  const end = 0x202 + image.u8(AT.jump + 1, 'the jump over the header');
  parameters.set(image.slice(AT.setupSects, end - AT.setupSects, 'the setup header'), AT.setupSects);
  parameters[AT.typeOfLoader] = UNKNOWN_LOADER;
  view.setUint32(AT.cmdLinePtr, COMMAND_LINE, true);
  if (disk) {
    view.setUint32(AT.ramdiskImage, disk.address, true);
    view.setUint32(AT.ramdiskSize, disk.length, true);
  }
  // screen_info: colour text mode 3, 80x25, VGA, 16 scan lines.
  parameters.set([0x03, 80], 0x06);
  parameters.set([25, 1, 16, 0], 0x0e);
  const extended = (memory - HIGH_KERNEL) / 1024;
  view.setUint16(0x02, Math.min(0xfc00, extended), true);
  view.setUint32(0x1e0, extended, true);
  const map = memoryMap(memory);
  parameters[E820_ENTRIES] = map.length;
  map.forEach((row, n) => {
    view.setUint32(E820_TABLE + n * 20, row.base, true);
    view.setUint32(E820_TABLE + n * 20 + 8, row.length, true);
    view.setUint32(E820_TABLE + n * 20 + 16, row.type, true);
  });
  return {
    title: `Linux boot protocol ${version}, 32-bit entry`,
    writes: [
      ...writes,
      placed('boot parameters', PARAMETERS, parameters, parameters.length, memory),
      placed('command line', COMMAND_LINE, text, text.length, memory),
    ],
    registers: { ...flatMode(header.code32Start, 0x10, 0x18, ROM_LABELS.gdtLinux), esi: PARAMETERS, esp: PARAMETERS },
  };
}
