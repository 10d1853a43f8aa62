// Multiboot 2 kernels ("Multiboot2 Specification version 2.0"): ELF files and files with an address tag, relocated when they can
// be and must. What the kernel is told is multiboot2Information.ts's. The text screen is the only frame buffer; no EFI.

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { isElf, loadSegments, readElfHeader, readProgramHeaders } from './elfHeaders.ts';
import { alignUp, hex, ImageError, ImageReader, type LoadedImage, type MemoryWrite, placed } from './image.ts';
import { informationPlace, type KernelModule, placeModules } from './modules.ts';
import { placeSections } from './multiboot2Elf.ts';
import { LAST_TAG, multiboot2Information } from './multiboot2Information.ts';
import { findMultiboot2Header, MULTIBOOT2_SEARCHED } from './multibootHeaders.ts';
import { flatMode } from './registers.ts';

const LOADER_MAGIC = 0x36d76289,
  HEADER_BYTES = 16,
  ARCHITECTURE_I386 = 0;
/** Types of header tags. */
const TAG = {
  end: 0,
  informationRequest: 1,
  address: 2,
  entryAddress: 3,
  consoleFlags: 4,
  framebuffer: 5,
  moduleAlignment: 6,
  efiBootServices: 7,
  entryEfi32: 8,
  entryEfi64: 9,
  relocatable: 10,
} as const;
const KNOWN: ReadonlySet<number> = new Set(Object.values(TAG));
const OPTIONAL = 1;
const CONSOLE_REQUIRED = 1,
  TEXT_SUPPORTED = 2;
const PREFER_LOWEST = 1,
  PREFER_HIGHEST = 2;
/** load_addr that says: the file from its beginning. */
const FROM_BEGINNING = 0xffffffff;

/** Where a tag's own fields begin. */
interface Header {
  readonly at: number;
  readonly address?: number;
  readonly entry?: number;
  readonly relocatable?: Relocation;
}
interface Relocation {
  readonly at: number;
  readonly first: number;
  readonly last: number;
  readonly alignment: number;
  readonly preference: number;
}

/** Loads a kernel with its modules, to be told of this root pointer of ACPI; throws ImageError. */
export function loadMultiboot2(
  bytes: Uint8Array,
  commandLine: string,
  modules: readonly KernelModule[],
  memory: number,
  rsdp: Uint8Array,
): LoadedImage {
  const image = new ImageReader(bytes),
    header = readHeader(image),
    kernel = header.address === undefined ? loadElf(image, header, memory) : loadByAddress(image, header, header.address, memory);
  const writes: MemoryWrite[] = [...kernel.writes],
    placedModules = placeModules(writes, kernel.end, modules, memory),
    sections = isElf(bytes) && header.address === undefined ? placeSections(image, writes, memory) : undefined;
  const information = multiboot2Information({ commandLine, modules: placedModules, memory, rsdp, loadBase: kernel.base, sections }),
    at = informationPlace(writes, information.length);
  writes.push(placed('Multiboot information', at, information, information.length, memory));
  return {
    title: `Multiboot 2 kernel (${header.address === undefined ? 'ELF' : 'address tag'})`,
    writes,
    registers: { ...flatMode(kernel.entry, 0x08, 0x10, ROM_LABELS.gdtMultiboot), eax: LOADER_MAGIC, ebx: at },
  };
}

function readHeader(image: ImageReader): Header {
  const at = findMultiboot2Header(image.bytes);
  if (at < 0) throw new ImageError(`no Multiboot 2 header in the first ${MULTIBOOT2_SEARCHED} bytes`, 0);
  const architecture = image.u32(at + 4, 'the architecture');
  if (architecture !== ARCHITECTURE_I386) throw new ImageError(`Multiboot 2 architecture is ${architecture}, 0 (i386) expected`, at + 4);
  const length = image.u32(at + 8, 'the header length'),
    end = at + length;
  if (length < HEADER_BYTES + 8 || end > MULTIBOOT2_SEARCHED)
    throw new ImageError(`Multiboot 2 header of ${length} bytes is not within the first ${MULTIBOOT2_SEARCHED}`, at + 8);
  image.slice(at, length, 'the Multiboot 2 header');
  let header: Header = { at };
  for (let tag = at + HEADER_BYTES; ; ) {
    if (tag + 8 > end) throw new ImageError('Multiboot 2 header has no end tag', end);
    const type = image.u16(tag, 'a tag type'),
      optional = (image.u16(tag + 2, 'tag flags') & OPTIONAL) !== 0,
      size = image.u32(tag + 4, 'a tag size');
    if (type === TAG.end) return header;
    if (size < 8 || tag + size > end) throw new ImageError(`Multiboot 2 tag of type ${type} has ${size} bytes`, tag + 4);
    if (KNOWN.has(type)) header = { ...header, ...readTag(image, type, tag, size, optional) };
    else if (!optional) throw new ImageError(`Multiboot 2 tag of type ${type} is required and not known`, tag);
    tag = alignUp(tag + size, 8);
  }
}

function readTag(image: ImageReader, type: number, tag: number, size: number, optional: boolean): Partial<Header> {
  const field = (n: number, name: string): number => {
    if (size < 12 + 4 * n) throw new ImageError(`Multiboot 2 tag of type ${type} has ${size} bytes and no ${name}`, tag + 4);
    return image.u32(tag + 8 + 4 * n, name);
  };
  switch (type) {
    case TAG.informationRequest:
      for (let n = 0; 12 + 4 * n <= size; n++) {
        const wanted = field(n, 'information');
        if (wanted > LAST_TAG && !optional)
          throw new ImageError(`kernel requires information of type ${wanted}, which is not known`, tag + 8 + 4 * n);
      }
      return {};
    case TAG.address:
      field(3, 'bss_end_addr');
      return { address: tag + 8 };
    case TAG.entryAddress:
      return { entry: field(0, 'entry_addr') };
    case TAG.consoleFlags: {
      const flags = field(0, 'console_flags');
      if ((flags & CONSOLE_REQUIRED) !== 0 && (flags & TEXT_SUPPORTED) === 0)
        throw new ImageError('kernel requires a console and does not support text, the only one there is', tag + 8);
      return {};
    }
    case TAG.relocatable:
      return {
        relocatable: {
          at: tag,
          first: field(0, 'min_addr'),
          last: field(1, 'max_addr'),
          alignment: Math.max(1, field(2, 'align')),
          preference: field(3, 'preference'),
        },
      };
    default:
      return {};
  }
}

interface Kernel {
  readonly writes: readonly MemoryWrite[];
  readonly entry: number;
  readonly end: number;
  /** Lowest address of the kernel as loaded, for one that can be relocated. */
  readonly base?: number;
}

function loadElf(image: ImageReader, { relocatable, entry, at }: Header, memory: number): Kernel {
  let shift = 0,
    base: number | undefined;
  if (relocatable) {
    const rows = readProgramHeaders(image, readElfHeader(image)).filter((row) => row.type === 1 && row.memorySize > 0),
      first = Math.min(...rows.map((row) => row.physical)),
      end = Math.max(...rows.map((row) => row.physical + row.memorySize));
    if (rows.length > 0) {
      base = relocate(relocatable, first, end - first, memory);
      shift = base - first;
    }
  }
  const loaded = loadSegments(image, memory, shift, relocatable !== undefined);
  return { ...loaded, base, entry: entry === undefined ? loaded.entry : enter(entry + shift, loaded.writes, at) };
}

/** The address tag: the header itself says where the file's bytes go. */
function loadByAddress(image: ImageReader, { at, entry, relocatable }: Header, fields: number, memory: number): Kernel {
  const [headerAddress, given, loadEnd, bssEnd] = ['header_addr', 'load_addr', 'load_end_addr', 'bss_end_addr'].map((name, n) =>
    image.u32(fields + 4 * n, name),
  );
  if (entry === undefined) throw new ImageError('Multiboot 2 address tag without an entry address tag', fields);
  const link = given === FROM_BEGINNING ? headerAddress - at : given,
    start = at - (headerAddress - link);
  if (link < 0 || link > headerAddress)
    throw new ImageError(`load_addr ${hex(given)} does not go with header_addr ${hex(headerAddress)}`, fields + 4);
  if (start < 0) throw new ImageError(`load_addr ${hex(link)} lies ${hex(-start)} bytes before the file`, fields + 4);
  const length = loadEnd === 0 ? image.length - start : loadEnd - link;
  if (length <= 0) throw new ImageError(`load_end_addr ${hex(loadEnd)} is not above load_addr ${hex(link)}`, fields + 8);
  const bytes = image.slice(start, length, 'the text and data that load_end_addr announces'),
    total = bssEnd === 0 ? length : bssEnd - link;
  if (total < length) throw new ImageError(`bss_end_addr ${hex(bssEnd)} is below the end of the data`, fields + 12);
  const base = relocatable ? relocate(relocatable, link, total, memory) : link,
    writes = [placed('kernel', base, bytes, total, memory, fields + 4)];
  return { writes, entry: enter(entry + base - link, writes, at), end: base + total, base: relocatable && base };
}

function enter(entry: number, writes: readonly MemoryWrite[], at: number): number {
  if (writes.some((write) => entry >= write.address && entry < write.address + write.length)) return entry;
  throw new ImageError(`entry address ${hex(entry)} is outside the kernel`, at);
}

/** Where a kernel that may be moved goes: as linked when it may and nothing else is preferred, else as low or high as may be. */
function relocate({ at, first, last, alignment, preference }: Relocation, link: number, size: number, memory: number): number {
  const lowest = alignUp(Math.max(first, 0x100000), alignment),
    highest = Math.floor((Math.min(last + 1, memory) - size) / alignment) * alignment;
  if (lowest > highest)
    throw new ImageError(`kernel of ${hex(size)} bytes does not fit between ${hex(first)} and ${hex(Math.min(last + 1, memory))}`, at);
  if (preference === PREFER_HIGHEST) return highest;
  return preference !== PREFER_LOWEST && link >= lowest && link <= highest && link % alignment === 0 ? link : lowest;
}
