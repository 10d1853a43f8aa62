// The local descriptor table of the native runner (modify_ldt(2)) and of the emulated processor beside it, and the descriptors
// of the kernel's GDT that are the same on every x86-64 Linux: what a selector means in a vector.

/** As struct user_desc has it, which only makes code and data of ring 3. */
export interface LdtEntry {
  readonly base: number;
  /** In bytes, or in pages with `pages`. */
  readonly limit: number;
  readonly kind: 'data' | 'dataDown' | 'code' | 'conforming';
  /** D/B bit. */
  readonly big?: true;
  /** Read-only data, execute-only code. */
  readonly restricted?: true;
  readonly pages?: true;
  readonly absent?: true;
}
const CODE = 0x200000,
  DATA = 0x10000,
  SEGMENT = { limit: 0xffff } as const;

/** Entry 0 is empty. Entries 1 and 2 are the 16-bit code and data that vectors of 16-bit mode begin with. */
export const LDT: readonly (LdtEntry | undefined)[] = [
  undefined,
  { ...SEGMENT, base: CODE, kind: 'code' },
  { ...SEGMENT, base: DATA, kind: 'data' },
  { ...SEGMENT, base: CODE, kind: 'code', big: true },
  { base: 0, limit: 0xfffff, kind: 'data', big: true, pages: true },
  { ...SEGMENT, base: DATA, kind: 'data', restricted: true },
  { base: DATA, limit: 0xfff, kind: 'dataDown', big: true },
  { base: DATA, limit: 0xfff, kind: 'dataDown' },
  { ...SEGMENT, base: CODE, kind: 'code', restricted: true },
  { ...SEGMENT, base: CODE, kind: 'code', restricted: true, big: true },
  { ...SEGMENT, base: DATA, kind: 'data', absent: true },
  { ...SEGMENT, base: CODE, kind: 'code', absent: true },
  { ...SEGMENT, base: CODE, kind: 'conforming', absent: true },
  { base: DATA, limit: 0xff, kind: 'data' },
  { base: CODE, limit: 0xfff, kind: 'code' },
  { base: DATA, limit: 0xf, kind: 'data', pages: true },
  { ...SEGMENT, base: DATA, kind: 'data', restricted: true, absent: true },
  { base: 0, limit: 0xfffff, kind: 'code', big: true, pages: true },
  { base: DATA, limit: 0xfff, kind: 'dataDown', restricted: true },
  { ...SEGMENT, base: CODE, kind: 'code', restricted: true, absent: true },
];
/** Descriptors 1 to 5 of Linux's GDT: 32- and 64-bit code and data of ring 0, 32-bit code and data of ring 3. */
export const GDT: readonly (readonly [low: number, high: number])[] = [
  [0, 0],
  [0xffff, 0x00cf9b00],
  [0xffff, 0x00af9b00],
  [0xffff, 0x00cf9300],
  [0xffff, 0x00cffb00],
  [0xffff, 0x00cff300],
];
/** Limit of Linux's GDT. */
export const GDT_LIMIT = 0x7f;
/** Where a vector begins, by its mode: selectors of ES, CS, SS, DS, FS, GS. */
export const SELECTORS = { 32: [0x2b, 0x23, 0x2b, 0x2b, 0x17, 0x17], 16: [0x17, 0x0f, 0x17, 0x17, 0x17, 0x17] } as const;

const KINDS = { data: 0, dataDown: 1, code: 2, conforming: 3 } as const;

/** The entries as struct user_desc, 16 bytes each, behind their number: what the runner reads first. */
export function encodeLdt(): Uint8Array {
  const entries = LDT.flatMap((e, n) => (e ? [{ ...e, n }] : [])),
    words = new Uint32Array(1 + 4 * entries.length);
  words[0] = entries.length;
  for (const [k, e] of entries.entries()) {
    const flags =
      (e.big ? 1 : 0) |
      (KINDS[e.kind] << 1) |
      (e.restricted ? 8 : 0) |
      (e.pages ? 16 : 0) |
      (e.absent ? 32 : 0) |
      64; /* useable: the descriptor's AVL bit */
    words.set([e.n, e.base, e.limit, flags], 1 + 4 * k);
  }
  return new Uint8Array(words.buffer);
}
/** The same entry as the kernel writes it into the table: ring 3, accessed. */
export function descriptorOf(e: LdtEntry | undefined): readonly [low: number, high: number] {
  if (!e) return [0, 0];
  const type = 1 | (e.restricted ? 0 : 2) | (KINDS[e.kind] << 2),
    access = type | 0x10 | 0x60 | (e.absent ? 0 : 0x80);
  const flags = 1 | (e.big ? 4 : 0) | (e.pages ? 8 : 0);
  return [
    (e.limit & 0xffff) | (e.base << 16),
    ((e.base >>> 16) & 0xff) | (access << 8) | (e.limit & 0xf0000) | (flags << 20) | (e.base & 0xff000000),
  ];
}
