// Kernels with a PVH entry point, as Linux's vmlinux has with CONFIG_PVH: an ELF file whose note says where it is entered in 32-bit
// mode (Xen, "x86/HVM direct boot ABI", docs/misc/pvh.pandoc; the structures in xen/include/public/arch-x86/hvm/start_info.h).

import { ROM_LABELS } from '../firmware/rom.generated.ts';
import { RSDP_ADDRESS } from '../firmware/symbols.ts';
import { memoryMap } from '../firmware/system.ts';
import { TableWriter } from '../firmware/tables/layout.ts';
import { isElf, loadSegments, readElfHeader, readProgramHeaders } from './elfHeaders.ts';
import { alignUp, hex, ImageError, ImageReader, type LoadedImage, placed, zeroTerminated } from './image.ts';
import { informationPlace, type KernelModule, placeModules } from './modules.ts';
import { flatMode } from './registers.ts';

const PT_NOTE = 4,
  XEN_ELFNOTE_PHYS32_ENTRY = 18,
  XEN = [0x58, 0x65, 0x6e, 0];
const START_MAGIC = 0x336ec578,
  START_BYTES = 56,
  MODULE_BYTES = 32,
  MAP_BYTES = 24;
/** TR after reset is a busy 32-bit TSS; this is its place and size (SDM volume 3, "Task-State Segment"). */
const TASK = { tr: 0, tr_base: 0, tr_limit: 0x67 };

/** The physical address of the entry point; undefined when the file has none. Throws ImageError for a damaged ELF file. */
export function pvhEntry(bytes: Uint8Array): { readonly entry: number; readonly at: number } | undefined {
  if (!isElf(bytes)) return undefined;
  const image = new ImageReader(bytes);
  let left = bytes.length;
  for (const { type, offset, fileSize } of readProgramHeaders(image, readElfHeader(image))) {
    if (type !== PT_NOTE) continue;
    image.slice(offset, fileSize, 'the notes');
    // Notes that overlap are not a way to make the loader work for hours.
    if ((left -= fileSize) < 0) throw new ImageError('notes together are larger than the file', offset);
    for (let at = offset, end = offset + fileSize; at + 12 <= end; ) {
      const nameSize = image.u32(at, 'n_namesz'),
        size = image.u32(at + 4, 'n_descsz'),
        value = at + 12 + alignUp(nameSize, 4);
      const isXen = nameSize === XEN.length && value <= end && XEN.every((byte, n) => bytes[at + 12 + n] === byte);
      if (isXen && size >= 4 && image.u32(at + 8, 'n_type') === XEN_ELFNOTE_PHYS32_ENTRY)
        return { entry: image.u32(value, 'the PVH entry'), at: value };
      at = value + alignUp(size, 4);
    }
  }
  return undefined;
}

/** Loads a kernel with its modules, the initial RAM disk first; throws ImageError. */
export function loadPvh(bytes: Uint8Array, commandLine: string, modules: readonly KernelModule[], memory: number): LoadedImage {
  const found = pvhEntry(bytes);
  if (!found) throw new ImageError('ELF file has no PVH entry point', 0);
  const { entry, at } = found,
    kernel = loadSegments(new ImageReader(bytes), memory),
    writes = [...kernel.writes];
  if (!writes.some((write) => entry >= write.address && entry < write.address + write.length))
    throw new ImageError(`PVH entry point ${hex(entry)} is outside the kernel`, at);
  const placedModules = placeModules(writes, kernel.end, modules, memory);
  const map = memoryMap(memory),
    texts = [commandLine, ...modules.map((module) => module.commandLine)].map(zeroTerminated),
    tables = START_BYTES + placedModules.length * MODULE_BYTES + map.length * MAP_BYTES;
  const start = informationPlace(
    writes,
    texts.reduce((sum, text) => sum + text.length, tables),
  );
  let textAt = start + tables;
  const textPlaces = texts.map((text) => (textAt += text.length) - text.length);
  const all = new TableWriter().u32(START_MAGIC, 1, 0, placedModules.length, placedModules.length > 0 ? start + START_BYTES : 0, 0);
  all.u32(textPlaces[0], 0, RSDP_ADDRESS, 0, start + START_BYTES + placedModules.length * MODULE_BYTES, 0, map.length, 0);
  for (const [n, module] of placedModules.entries()) all.u32(module.start, 0, module.end - module.start, 0, textPlaces[n + 1], 0, 0, 0);
  for (const { base, length, type } of map) all.u32(base, 0, length, 0, type, 0);
  for (const text of texts) all.bytes(text);
  const information = all.done();
  writes.push(placed('start information', start, information, information.length, memory));
  return {
    title: 'PVH kernel (ELF)',
    writes,
    registers: { ...flatMode(entry, 0x08, 0x10, ROM_LABELS.gdtMultiboot), ...TASK, ebx: start },
  };
}
