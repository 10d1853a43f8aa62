// What a Multiboot 2 kernel is told ("Multiboot2 Specification version 2.0", "Boot information format"): tags, each on a multiple of
// eight bytes.

import { memoryMap } from '../firmware/system.ts';
import { TableWriter } from '../firmware/tables/layout.ts';
import { alignUp, zeroTerminated } from './image.ts';
import type { PlacedModule } from './modules.ts';
import type { PlacedSections } from './multiboot2Elf.ts';

/** Types of information. */
const TAG = {
  end: 0,
  commandLine: 1,
  loaderName: 2,
  module: 3,
  basicMemory: 4,
  memoryMap: 6,
  framebuffer: 8,
  elfSections: 9,
  acpiOld: 14,
  loadBase: 21,
} as const;
/** The largest type that the specification has. */
export const LAST_TAG = 21;
const EGA_TEXT = 2;

export interface Told {
  readonly commandLine: string;
  readonly modules: readonly PlacedModule[];
  readonly memory: number;
  /** ACPI's root pointer; empty when there is none. */
  readonly rsdp: Uint8Array;
  /** Of a kernel that can be relocated. */
  readonly loadBase?: number;
  readonly sections?: PlacedSections;
}

export function multiboot2Information({ commandLine, modules, memory, rsdp, loadBase, sections }: Told): Uint8Array {
  const all = new TableWriter().u32(0, 0);
  const tag = (type: number, body: ArrayLike<number>): void => {
    all.u32(type, 8 + body.length).bytes(body);
    all.zerosTo(alignUp(all.length, 8));
  };
  const words = (...values: number[]): Uint8Array => new TableWriter().u32(...values).done();

  if (loadBase !== undefined) tag(TAG.loadBase, words(loadBase));
  tag(TAG.commandLine, zeroTerminated(commandLine));
  tag(TAG.loaderName, zeroTerminated('CP/86'));
  for (const { start, end, commandLine: text } of modules) tag(TAG.module, [...words(start, end), ...zeroTerminated(text)]);
  const map = new TableWriter().u32(24, 0);
  for (const { base, length, type } of memoryMap(memory)) map.u32(base, 0, length, 0, type, 0);
  tag(TAG.memoryMap, map.done());
  if (sections)
    tag(TAG.elfSections, [...words(sections.count, sections.headers.length / sections.count, sections.names), ...sections.headers]);
  tag(TAG.basicMemory, words(639, (memory - 0x100000) / 1024));
  tag(TAG.framebuffer, new TableWriter().u32(0xb8000, 0, 160, 80, 25).u8(16, EGA_TEXT, 0, 0).done());
  if (rsdp.length > 0) tag(TAG.acpiOld, rsdp);
  tag(TAG.end, []);
  const bytes = all.done();
  new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  return bytes;
}
