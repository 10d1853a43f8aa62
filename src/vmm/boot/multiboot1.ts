// Multiboot kernels ("Multiboot Specification version 0.6.96"): ELF files and files with address fields (the a.out kludge), with
// memory map, modules, command line and boot loader name. No drives, no APM table, no symbols.

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { memoryMap } from '../firmware/system.ts';
import { loadSegments } from './elfHeaders.ts';
import { hex, ImageError, ImageReader, type LoadedImage, type MemoryWrite, placed, zeroTerminated } from './image.ts';
import { informationPlace, type KernelModule, type PlacedModule, placeModules } from './modules.ts';
import { findMultiboot1Header, MULTIBOOT1_SEARCHED } from './multibootHeaders.ts';
import { flatMode } from './registers.ts';

const LOADER_MAGIC = 0x2badb002;
/** Bits of the header's flags that a loader must understand, and the one for address fields. */
const PAGE_ALIGN = 1,
  MEMORY_INFO = 2,
  VIDEO_MODE = 4,
  REQUIRED = 0xffff,
  ADDRESS_FIELDS = 0x10000;
/** Bits of the information structure's flags. */
const INFO = { memory: 1, commandLine: 4, modules: 8, memoryMap: 0x40, loaderName: 0x200, framebuffer: 0x1000 } as const;
const INFO_BYTES = 116,
  MODULE_BYTES = 16,
  MAP_BYTES = 24;

/** Loads a kernel with its modules; throws ImageError. */
export function loadMultiboot1(bytes: Uint8Array, commandLine: string, modules: readonly KernelModule[], memory: number): LoadedImage {
  const image = new ImageReader(bytes),
    at = findMultiboot1Header(bytes);
  if (at < 0) throw new ImageError(`no Multiboot header in the first ${MULTIBOOT1_SEARCHED} bytes`, 0);
  const flags = image.u32(at + 4, 'the Multiboot flags'),
    unknown = flags & REQUIRED & ~(PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE);
  if (unknown !== 0) throw new ImageError(`Multiboot flags ${hex(flags)} ask for what the loader does not know (${hex(unknown)})`, at + 4);
  const kludge = (flags & ADDRESS_FIELDS) !== 0,
    kernel = kludge ? loadAddressFields(image, at, memory) : loadSegments(image, memory);

  const writes: MemoryWrite[] = [...kernel.writes],
    placedModules = placeModules(writes, kernel.end, modules, memory);
  const size = informationSize(commandLine, placedModules, memory),
    base = informationPlace(writes, size),
    information = buildInformation(base, size, commandLine, placedModules, memory);
  writes.push(placed('Multiboot information', base, information, information.length, memory));
  return {
    title: `Multiboot 1 kernel (${kludge ? 'address fields' : 'ELF'})`,
    writes,
    registers: { ...flatMode(kernel.entry, 0x08, 0x10, ROM_LABELS.gdtMultiboot), eax: LOADER_MAGIC, ebx: base },
  };
}

/** Flag bit 16: the header itself says where the file's bytes go. */
function loadAddressFields(image: ImageReader, at: number, memory: number): { writes: MemoryWrite[]; entry: number; end: number } {
  const [headerAddress, loadAddress, loadEnd, bssEnd, entry] = [
    'header_addr',
    'load_addr',
    'load_end_addr',
    'bss_end_addr',
    'entry_addr',
  ].map((name, n) => image.u32(at + 12 + 4 * n, name));
  const before = headerAddress - loadAddress,
    start = at - before;
  if (before < 0) throw new ImageError(`load_addr ${hex(loadAddress)} is above header_addr ${hex(headerAddress)}`, at + 16);
  if (start < 0) throw new ImageError(`load_addr ${hex(loadAddress)} lies ${hex(-start)} bytes before the file`, at + 16);
  const length = loadEnd === 0 ? image.length - start : loadEnd - loadAddress;
  if (length <= 0) throw new ImageError(`load_end_addr ${hex(loadEnd)} is not above load_addr ${hex(loadAddress)}`, at + 20);
  const bytes = image.slice(start, length, 'the text and data that load_end_addr announces'),
    total = bssEnd === 0 ? length : bssEnd - loadAddress;
  if (total < length) throw new ImageError(`bss_end_addr ${hex(bssEnd)} is below the end of the data`, at + 24);
  const write = placed('kernel', loadAddress, bytes, total, memory, at + 16);
  if (entry < loadAddress || entry >= loadAddress + total) throw new ImageError(`entry_addr ${hex(entry)} is outside the kernel`, at + 28);
  return { writes: [write], entry, end: loadAddress + total };
}

const LOADER_NAME = zeroTerminated('CP/86');

/** Offsets behind the information structure: memory map, module list, then the texts. */
function informationSize(commandLine: string, modules: readonly PlacedModule[], memory: number): number {
  return (
    INFO_BYTES +
    memoryMap(memory).length * MAP_BYTES +
    modules.length * MODULE_BYTES +
    LOADER_NAME.length +
    commandLine.length +
    1 +
    modules.reduce((sum, module) => sum + module.commandLine.length + 1, 0)
  );
}

function buildInformation(base: number, size: number, commandLine: string, modules: readonly PlacedModule[], memory: number): Uint8Array {
  const bytes = new Uint8Array(size),
    view = new DataView(bytes.buffer),
    u32 = (offset: number, value: number) => {
      view.setUint32(offset, value, true);
    };
  const map = memoryMap(memory),
    mapAt = INFO_BYTES,
    modulesAt = mapAt + map.length * MAP_BYTES;
  let textAt = modulesAt + modules.length * MODULE_BYTES;
  const text = (value: Uint8Array) => {
    bytes.set(value, textAt);
    textAt += value.length;
    return base + textAt - value.length;
  };
  u32(0, INFO.memory | INFO.commandLine | (modules.length > 0 ? INFO.modules : 0) | INFO.memoryMap | INFO.loaderName | INFO.framebuffer);
  u32(4, 639);
  u32(8, (memory - 0x100000) / 1024);
  u32(16, text(zeroTerminated(commandLine)));
  u32(20, modules.length);
  u32(24, modules.length > 0 ? base + modulesAt : 0);
  u32(44, map.length * MAP_BYTES);
  u32(48, base + mapAt);
  u32(64, text(LOADER_NAME));
  map.forEach((row, n) => {
    const at = mapAt + n * MAP_BYTES;
    u32(at, MAP_BYTES - 4); // the size does not count itself
    u32(at + 4, row.base);
    u32(at + 12, row.length);
    u32(at + 20, row.type);
  });
  modules.forEach((module, n) => {
    const at = modulesAt + n * MODULE_BYTES;
    u32(at, module.start);
    u32(at + 4, module.end);
    u32(at + 8, text(zeroTerminated(module.commandLine)));
  });
  // Frame buffer: EGA text, 80x25 cells of 16 bits.
  u32(88, 0xb8000);
  u32(96, 160);
  u32(100, 80);
  u32(104, 25);
  bytes.set([16, 2], 108);
  return bytes;
}
