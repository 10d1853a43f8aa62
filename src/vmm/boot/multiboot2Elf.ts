// Sections of a Multiboot 2 kernel that no segment loads, symbols and debug information among them: they are put behind everything
// else, and the kernel finds them by the section headers that it is told ("Multiboot2 Specification", "ELF-Symbols").

import { readElfHeader, readSectionHeaders, SECTION_BYTES } from './elfHeaders.ts';
import { alignUp, type ImageReader, type MemoryWrite } from './image.ts';
import { behind } from './modules.ts';

const SHT_NULL = 0,
  SHT_NOBITS = 8;
const ADDRESS = 12;
/** Sections that are larger or aligned more than this are not what kernels look for. */
const MOST_ALIGNMENT = 4096;
const SHSTRNDX = 0x32;

export interface PlacedSections {
  readonly count: number;
  /** Index of the section with their names. */
  readonly names: number;
  /** The section headers, with the addresses of what was placed. */
  readonly headers: Uint8Array;
}

/** Adds the sections to the writes, as far as there is memory for them; undefined when the file has none. */
export function placeSections(image: ImageReader, writes: MemoryWrite[], memory: number): PlacedSections | undefined {
  const header = readElfHeader(image);
  if (header.sectionCount === 0) return undefined;
  const headers = image.slice(header.sectionOffset, header.sectionCount * SECTION_BYTES, 'the section header table').slice(),
    view = new DataView(headers.buffer);
  let at = behind(writes);
  for (const [n, section] of readSectionHeaders(image, header).entries()) {
    if (section.address !== 0 || section.size === 0 || section.type === SHT_NULL || section.type === SHT_NOBITS) continue;
    const bytes = image.slice(section.offset, section.size, 'a section'),
      address = alignUp(at, Math.min(MOST_ALIGNMENT, Math.max(1, section.alignment)));
    // Debug information may be larger than the machine.
    if (address + bytes.length > memory) continue;
    writes.push({ address, bytes, length: bytes.length });
    view.setUint32(n * SECTION_BYTES + ADDRESS, address, true);
    at = address + bytes.length;
  }
  return { count: header.sectionCount, names: image.u16(SHSTRNDX, 'e_shstrndx'), headers };
}
