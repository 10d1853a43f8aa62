// ELF headers of 32-bit x86 files ("System V Application Binary Interface", "Object Files", and its Intel386 supplement), read
// with every number checked against the file.

import { hex, ImageError, type ImageReader, type MemoryWrite, placed } from './image.ts';

export interface ElfHeader {
  readonly type: number;
  readonly entry: number;
  readonly programOffset: number;
  readonly programCount: number;
  readonly sectionOffset: number;
  readonly sectionCount: number;
}
export interface ProgramHeader {
  readonly at: number;
  readonly type: number;
  readonly offset: number;
  readonly virtual: number;
  readonly physical: number;
  readonly fileSize: number;
  readonly memorySize: number;
}
export interface SectionHeader {
  readonly at: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly alignment: number;
  readonly entrySize: number;
}

export const HEADER_BYTES = 52,
  SECTION_BYTES = 40;
const PROGRAM_BYTES = 32;
const ELFCLASS32 = 1,
  ELFCLASS64 = 2,
  ELFDATA2LSB = 1,
  EM_386 = 3,
  EM_486 = 6;
const ET_NAMES = ['none', 'a relocatable object', 'an executable', 'a shared object or position-independent executable', 'a core dump'];
export const ET_EXEC = 2;
const ET_DYN = 3;
const PT_LOAD = 1,
  PT_DYNAMIC = 2,
  PT_INTERP = 3;

export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/** The file header; throws ImageError for anything but a 32-bit little-endian x86 file. */
export function readElfHeader(image: ImageReader): ElfHeader {
  if (!isElf(image.bytes)) throw new ImageError('no ELF file: 7F 45 4C 46 expected', 0);
  const elfClass = image.u8(4, 'the ELF class');
  if (elfClass === ELFCLASS64) throw new ImageError('this is a 64-bit ELF file, the machine runs 32-bit code', 4);
  if (elfClass !== ELFCLASS32) throw new ImageError(`ELF class is ${elfClass}, 1 (32-bit) expected`, 4);
  if (image.u8(5, 'the ELF data encoding') !== ELFDATA2LSB) throw new ImageError('ELF data encoding is not little-endian', 5);
  const machine = image.u16(0x12, 'e_machine');
  if (machine !== EM_386 && machine !== EM_486) throw new ImageError(`ELF machine is ${machine}, 3 (Intel 80386) expected`, 0x12);
  image.slice(0, HEADER_BYTES, 'the ELF header');
  const header = {
    type: image.u16(0x10, 'e_type'),
    entry: image.u32(0x18, 'e_entry'),
    programOffset: image.u32(0x1c, 'e_phoff'),
    programCount: image.u16(0x2c, 'e_phnum'),
    sectionOffset: image.u32(0x20, 'e_shoff'),
    sectionCount: image.u16(0x30, 'e_shnum'),
  };
  if (header.programCount > 0 && image.u16(0x2a, 'e_phentsize') !== PROGRAM_BYTES)
    throw new ImageError(`program headers of ${image.u16(0x2a, 'e_phentsize')} bytes, ${PROGRAM_BYTES} expected`, 0x2a);
  if (header.sectionCount > 0 && image.u16(0x2e, 'e_shentsize') !== SECTION_BYTES)
    throw new ImageError(`section headers of ${image.u16(0x2e, 'e_shentsize')} bytes, ${SECTION_BYTES} expected`, 0x2e);
  return header;
}

export function readProgramHeaders(image: ImageReader, header: ElfHeader): ProgramHeader[] {
  image.slice(header.programOffset, header.programCount * PROGRAM_BYTES, 'the program header table');
  return Array.from({ length: header.programCount }, (_, n) => {
    const at = header.programOffset + n * PROGRAM_BYTES,
      field = (offset: number, name: string) => image.u32(at + offset, name);
    return {
      at,
      type: field(0, 'p_type'),
      offset: field(4, 'p_offset'),
      virtual: field(8, 'p_vaddr'),
      physical: field(12, 'p_paddr'),
      fileSize: field(16, 'p_filesz'),
      memorySize: field(20, 'p_memsz'),
    };
  });
}

export function readSectionHeaders(image: ImageReader, header: ElfHeader): SectionHeader[] {
  image.slice(header.sectionOffset, header.sectionCount * SECTION_BYTES, 'the section header table');
  return Array.from({ length: header.sectionCount }, (_, n) => {
    const at = header.sectionOffset + n * SECTION_BYTES,
      field = (offset: number, name: string) => image.u32(at + offset, name);
    return {
      at,
      type: field(4, 'sh_type'),
      flags: field(8, 'sh_flags'),
      address: field(12, 'sh_addr'),
      offset: field(16, 'sh_offset'),
      size: field(20, 'sh_size'),
      link: field(24, 'sh_link'),
      alignment: field(32, 'sh_addralign'),
      entrySize: field(36, 'sh_entsize'),
    };
  });
}

/** Segments of an executable as writes to physical memory, and the physical address of its entry. */
export interface LoadedElf {
  readonly writes: readonly MemoryWrite[];
  readonly entry: number /** First byte behind the highest segment. */;
  readonly end: number;
}

/** Loads an ET_EXEC file at its physical addresses, moved by `shift`; with `isMovable` a position-independent one, too. */
export function loadSegments(image: ImageReader, memory: number, shift = 0, isMovable = false): LoadedElf {
  const header = readElfHeader(image);
  if (header.type !== ET_EXEC && !(isMovable && header.type === ET_DYN))
    throw new ImageError(`ELF file is ${ET_NAMES[header.type] ?? `of type ${header.type}`}, not an executable with fixed addresses`, 0x10);
  const all = readProgramHeaders(image, header),
    segments = all.filter((row) => row.type === PT_LOAD && row.memorySize > 0);
  const dynamic = all.find((row) => row.type === PT_INTERP || row.type === PT_DYNAMIC);
  if (all.some((row) => row.type === PT_INTERP))
    throw new ImageError('ELF file wants a dynamic linker: it is a program for an operating system', dynamic?.at);
  if (segments.length === 0) throw new ImageError('ELF file has nothing to load', header.programOffset);
  let total = 0;
  const writes = segments.map((row) => {
    if (row.fileSize > row.memorySize)
      throw new ImageError(`segment has ${hex(row.fileSize)} bytes in the file but only ${hex(row.memorySize)} in memory`, row.at + 16);
    const bytes = image.slice(row.offset, row.fileSize, 'a segment');
    // Overlapping segments are legal, but not as a way to make the loader work for hours.
    total += row.memorySize;
    if (total > 2 * memory) throw new ImageError('segments together are larger than the memory', row.at);
    return placed('segment', row.physical + shift, bytes, row.memorySize, memory, row.at + 12);
  });
  const home =
    segments.find((row) => header.entry >= row.virtual && header.entry - row.virtual < row.memorySize) ??
    segments.find((row) => header.entry >= row.physical && header.entry - row.physical < row.memorySize);
  if (!home) throw new ImageError(`entry point ${hex(header.entry)} is in no segment`, 0x18);
  const inside = header.entry >= home.virtual && header.entry - home.virtual < home.memorySize;
  return {
    writes,
    entry: shift + (inside ? header.entry - home.virtual + home.physical : header.entry),
    end: Math.max(...writes.map((row) => row.address + row.length)),
  };
}
