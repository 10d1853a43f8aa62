// A Linux kernel's symbol tables as its build makes them (Linux, scripts/kallsyms.c), in the orders and forms of its versions.

export interface TestSymbol {
  readonly type: string;
  readonly name: string;
  readonly address: number;
}
export interface Layout {
  /** Addresses before the names (to 6.3) or behind the token index. */
  readonly addresses: 'first' | 'last';
  /** Offsets from a base (since 4.6) or whole addresses. */
  readonly relative: boolean;
  /** Bytes for each symbol between markers and token table (6.2 and 6.3): 0, 3 or 4. */
  readonly sequence: 0 | 3 | 4;
  /** Lengths from 128 on in two bytes (since 6.1). */
  readonly longLengths: boolean;
}
export const LAYOUTS: { readonly [version: string]: Layout } = {
  '2.6.10': { addresses: 'first', relative: false, sequence: 0, longLengths: false },
  '4.6': { addresses: 'first', relative: true, sequence: 0, longLengths: false },
  '6.1': { addresses: 'first', relative: true, sequence: 0, longLengths: true },
  '6.2': { addresses: 'first', relative: true, sequence: 3, longLengths: true },
  '6.2-rc1': { addresses: 'first', relative: true, sequence: 4, longLengths: true },
  '6.4': { addresses: 'last', relative: true, sequence: 0, longLengths: true },
  '6.4 without offsets': { addresses: 'last', relative: false, sequence: 0, longLengths: true },
};

/** Tokens: characters that names have stand for themselves, the others for pieces of names. */
const PIECES = ['sys_', 'do_', '_init', 'read', 'write', 'tsys_', 'Tdo_', 'page', 'lock', 'irq'];
const tokens = Array.from({ length: 256 }, (_, n) => {
  const character = String.fromCharCode(n);
  return /[\w.$]/.test(character) ? character : n < 128 ? (PIECES[n % PIECES.length] ?? '') : character === '\xff' ? 'last' : `x${n}`;
});

function compress(text: string, long: boolean): number[] {
  const codes: number[] = [];
  for (let at = 0; at < text.length; ) {
    const piece = long ? undefined : PIECES.find((candidate) => text.startsWith(candidate, at));
    codes.push(piece === undefined ? text.charCodeAt(at) : tokens.indexOf(piece));
    at += piece?.length ?? 1;
  }
  return codes;
}

/** The tables for symbols in order of address. */
export function kallsyms(symbols: readonly TestSymbol[], layout: Layout): Uint8Array {
  const bytes: number[] = [];
  const align = (): void => {
    while (bytes.length % 4 !== 0) bytes.push(0);
  };
  const u32 = (value: number): void => void bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  const base = symbols[0]?.address ?? 0;
  const addresses = (): void => {
    align();
    for (const { address } of symbols) u32(layout.relative ? address - base : address);
    if (layout.relative) u32(base);
  };
  if (layout.addresses === 'first') addresses();
  u32(symbols.length);
  const start = bytes.length;
  const markers: number[] = [];
  for (const [n, { type, name }] of symbols.entries()) {
    if (n % 256 === 0) markers.push(bytes.length - start);
    const codes = compress(type + name, name.length > 100);
    if (layout.longLengths && codes.length >= 128) bytes.push((codes.length & 127) | 128, codes.length >> 7, ...codes);
    else bytes.push(codes.length, ...codes);
  }
  align();
  markers.forEach(u32);
  for (let n = 0; n < symbols.length; n++) for (let byte = 0; byte < layout.sequence; byte++) bytes.push(((n * 7919) >> (8 * byte)) & 255);
  align();
  const index: number[] = [];
  const table = bytes.length;
  for (const token of tokens) {
    index.push(bytes.length - table);
    bytes.push(...[...token].map((character) => character.charCodeAt(0)), 0);
  }
  align();
  for (const offset of index) bytes.push(offset & 255, offset >> 8);
  if (layout.addresses === 'last') addresses();
  return Uint8Array.from(bytes);
}

/** So many symbols of a kernel that begins at an address; some share a name, some an address, one name is long. */
export function testSymbols(count: number, base: number): TestSymbol[] {
  return Array.from({ length: count }, (_, n) => ({
    type: n % 3 === 0 ? 'T' : n % 7 === 0 ? 'd' : 't',
    name: n === 0 ? '_text' : n === 700 ? `long_${'name_'.repeat(40)}` : n % 50 === 0 ? 'show' : `do_sys_read${n}_init.part.${n % 9}`,
    address: base + 16 * (n - (n % 40 === 1 ? 1 : 0)),
  }));
}
