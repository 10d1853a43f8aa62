// Functions and objects of an ELF file's symbol table, for breakpoints, stack traces and expressions ("System V Application
// Binary Interface", "Symbol Table").

import { HEADER_BYTES, readElfHeader, readSectionHeaders, SECTION_BYTES, type SectionHeader } from './elfHeaders.ts';
import { ImageError, ImageReader } from './image.ts';

export interface ElfSymbol {
  readonly name: string;
  readonly address: number;
  /** Bytes, 0 when the file does not say. */
  readonly size: number;
  /** label: an assembler label without a type. */
  readonly kind: 'function' | 'object' | 'label';
}

const SHT_SYMTAB = 2,
  SYMBOL_BYTES = 16,
  SHN_UNDEF = 0,
  SHN_LORESERVE = 0xff00,
  SHN_ABS = 0xfff1;
const KINDS: readonly (ElfSymbol['kind'] | undefined)[] = ['label', 'object', 'function'];
/** Bounds against files made to exhaust the reader. */
const MOST_SYMBOLS = 500_000,
  MOST_NAMES = 64 << 20,
  LONGEST_NAME = 1024;

/** Symbols in order of address; an ELF file without a symbol table has none. Throws ImageError for a damaged file. */
export function elfSymbols(bytes: Uint8Array): ElfSymbol[] {
  const image = new ImageReader(bytes),
    tables = symbolTables(readSectionHeaders(image, readElfHeader(image)));
  return tables ? readSymbols(image, image, tables) : [];
}

/** The same of a file that is read in pieces, however large it is; `read` gives fewer bytes at the file's end. */
export async function readElfSymbols(read: (offset: number, length: number) => Promise<Uint8Array>): Promise<ElfSymbol[]> {
  const piece = async (offset: number, length: number): Promise<ImageReader> => new ImageReader(await read(offset, length), offset);
  const header = readElfHeader(await piece(0, HEADER_BYTES)),
    sections = readSectionHeaders(await piece(header.sectionOffset, header.sectionCount * SECTION_BYTES), header),
    tables = symbolTables(sections);
  if (!tables) return [];
  const { symbols, names } = tables;
  return readSymbols(await piece(symbols.offset, symbols.size), await piece(names.offset, names.size), tables);
}

interface SymbolTables {
  readonly symbols: SectionHeader;
  readonly names: SectionHeader;
}
function symbolTables(sections: readonly SectionHeader[]): SymbolTables | undefined {
  const symbols = sections.find((section) => section.type === SHT_SYMTAB);
  if (!symbols) return undefined;
  if (symbols.entrySize !== SYMBOL_BYTES)
    throw new ImageError(`symbols of ${symbols.entrySize} bytes, ${SYMBOL_BYTES} expected`, symbols.at + 36);
  const names = sections[symbols.link];
  if (!names) throw new ImageError(`symbol names are in section ${symbols.link}, the file has ${sections.length}`, symbols.at + 24);
  const count = Math.floor(symbols.size / SYMBOL_BYTES);
  if (count > MOST_SYMBOLS) throw new ImageError(`${count} symbols are more than ${MOST_SYMBOLS}`, symbols.at + 20);
  if (names.size > MOST_NAMES) throw new ImageError(`symbol names have ${names.size} bytes, more than ${MOST_NAMES}`, names.at + 20);
  return { symbols, names };
}

function readSymbols(image: ImageReader, texts: ImageReader, { symbols: table, names }: SymbolTables): ElfSymbol[] {
  image.slice(table.offset, table.size, 'the symbol table');
  texts.slice(names.offset, names.size, 'the symbol names');
  const count = Math.floor(table.size / SYMBOL_BYTES),
    symbols: ElfSymbol[] = [];
  for (let n = 1; n < count; n++) {
    const at = table.offset + n * SYMBOL_BYTES,
      nameAt = image.u32(at, 'st_name'),
      kind = KINDS[image.u8(at + 12, 'st_info') & 15],
      section = image.u16(at + 14, 'st_shndx');
    if (kind === undefined || nameAt === 0 || section === SHN_UNDEF || (section >= SHN_LORESERVE && section !== SHN_ABS)) continue;
    // Absolute values without a type are constants of the assembler, not addresses.
    if (kind === 'label' && section === SHN_ABS) continue;
    if (nameAt >= names.size) throw new ImageError(`symbol name at ${nameAt} is behind the end of the names`, at);
    const name = texts.text(names.offset + nameAt, Math.min(LONGEST_NAME, names.size - nameAt), 'a symbol name');
    if (name !== '') symbols.push({ name, address: image.u32(at + 4, 'st_value'), size: image.u32(at + 8, 'st_size'), kind });
  }
  return symbols.sort((a, b) => a.address - b.address || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
