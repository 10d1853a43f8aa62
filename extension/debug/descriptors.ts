// Segment descriptors, gates and access rights in words (SDM volume 3, "Segment Descriptors", "Code- and Data-Segment
// Descriptor Types", "System Descriptor Types", "IDT Descriptors").

import { hex32, hexDigits, littleEndian } from './memory.ts';

const SYSTEM_TYPES: readonly (string | undefined)[] = [
  undefined,
  '16-bit TSS, available',
  'LDT',
  '16-bit TSS, busy',
  '16-bit call gate',
  'task gate',
  '16-bit interrupt gate',
  '16-bit trap gate',
  undefined,
  '32-bit TSS, available',
  undefined,
  '32-bit TSS, busy',
  '32-bit call gate',
  undefined,
  '32-bit interrupt gate',
  '32-bit trap gate',
];
const GATES = new Set([4, 5, 6, 7, 12, 14, 15]);

/** Access rights (descriptor bits 40-55: type, S, DPL, P in bits 0-7, AVL, L, D/B, G in 12-15) in words. */
export function describeAccess(access: number): string {
  const words: string[] = [];
  const type = access & 15;
  if (!(access & 0x10)) words.push(SYSTEM_TYPES[type] ?? `reserved type ${type}`);
  else if (type & 8)
    words.push(
      `code ${access & 0x4000 ? '32' : '16'}-bit`,
      type & 2 ? 'execute/read' : 'execute only',
      ...(type & 4 ? ['conforming'] : []),
    );
  else words.push(`data ${access & 0x4000 ? '32' : '16'}-bit`, type & 2 ? 'read/write' : 'read only', ...(type & 4 ? ['expand-down'] : []));
  words.push(`DPL ${(access >> 5) & 3}`);
  if (!(access & 0x80)) words.push('not present');
  return words.join(', ');
}

/** '0x0010 (GDT 2, RPL 0)' */
export function describeSelector(selector: number): string {
  return `0x${hexDigits(selector, 4)} (${selector & 4 ? 'LDT' : 'GDT'} ${selector >> 3}, RPL ${selector & 3})`;
}

/** One 8-byte entry of a GDT or LDT, or of an IDT in protected mode. */
export function describeDescriptor(bytes: Uint8Array): string {
  const low = littleEndian(bytes, 0, 4);
  const high = littleEndian(bytes, 4, 4);
  if (low === 0 && high === 0) return 'null';
  const access = (high >>> 8) & 0xf0ff;
  const type = access & 15;
  if (!(access & 0x10) && GATES.has(type)) {
    const offset = type === 5 ? '' : `:${hexDigits(((type & 8 ? high & 0xffff0000 : 0) >>> 0) | (low & 0xffff), type & 8 ? 8 : 4)}`;
    return `${describeAccess(access)}, to ${hexDigits(low >>> 16, 4)}${offset}`;
  }
  const base = ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0;
  const raw = (low & 0xffff) | (high & 0xf0000);
  const limit = (access & 0x8000 ? raw * 4096 + 4095 : raw) >>> 0;
  return `base ${hex32(base)}, limit ${hex32(limit)}, ${describeAccess(access)}`;
}
