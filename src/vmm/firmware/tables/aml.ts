// ACPI machine language: an encoder for what our DSDT needs ("Advanced Configuration and Power Interface Specification", chapter
// "ACPI Machine Language (AML) Specification"; resources: section "Resource Data Types for ACPI"). A term is its bytes; each function
// is named after its ASL counterpart.

/** The bytes of a term. */
export type Aml = readonly number[];

const OP = {
  ZERO: 0x00,
  ONE: 0x01,
  NAME: 0x08,
  BYTE: 0x0a,
  WORD: 0x0b,
  DWORD: 0x0c,
  STRING: 0x0d,
  SCOPE: 0x10,
  BUFFER: 0x11,
  PACKAGE: 0x12,
  METHOD: 0x14,
  DUAL_NAME: 0x2e,
  MULTI_NAME: 0x2f,
  EXTENDED: 0x5b,
  ARG0: 0x68,
  STORE: 0x70,
  AND: 0x7b,
  OR: 0x7d,
  CREATE_DWORD_FIELD: 0x8a,
  IF: 0xa0,
  RETURN: 0xa4,
} as const;
const EXTENDED = { REGION: 0x80, FIELD: 0x81, DEVICE: 0x82 } as const;

const bytesOf = (value: number, count: number): number[] => Array.from({ length: count }, (_, n) => (value >>> (8 * n)) & 0xff);
const letters = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);

/** A package length, which counts itself, and what it is the length of. */
function counted(body: Aml): number[] {
  for (const more of [0, 1, 2, 3]) {
    const length = body.length + 1 + more;
    if (more === 0 && length < 0x40) return [length, ...body];
    if (more > 0 && length < 2 ** (4 + 8 * more)) return [(more << 6) | (length & 15), ...bytesOf(length >>> 4, more), ...body];
  }
  throw new RangeError(`AML: ${body.length} bytes are too many for one term`);
}

const segment = (name: string): number[] => {
  if (!/^[A-Z_][A-Z0-9_]{0,3}$/.test(name)) throw new RangeError(`AML: '${name}' is no name`);
  return letters(name.padEnd(4, '_'));
};
/** A name, relative or from the root: 'PCI0', '\\_SB.PCI0.ISA'. */
export function path(name: string): Aml {
  const root = name.startsWith('\\') ? letters('\\') : [],
    parts = name.slice(root.length).split('.');
  const prefix = parts.length === 1 ? [] : parts.length === 2 ? [OP.DUAL_NAME] : [OP.MULTI_NAME, parts.length];
  return [...root, ...prefix, ...parts.flatMap(segment)];
}

/** An integer in its shortest form. */
export function integer(value: number): Aml {
  if (value === 0) return [OP.ZERO];
  if (value === 1) return [OP.ONE];
  if (value <= 0xff) return [OP.BYTE, value];
  return value <= 0xffff ? [OP.WORD, ...bytesOf(value, 2)] : [OP.DWORD, ...bytesOf(value, 4)];
}
export const string = (text: string): Aml => [OP.STRING, ...letters(text), 0];
export const buffer = (data: Aml): Aml => [OP.BUFFER, ...counted([...integer(data.length), ...data])];
export const packageOf = (...items: readonly Aml[]): Aml => [OP.PACKAGE, ...counted([items.length, ...items.flat()])];
/** The compressed form of a Plug and Play identification such as 'PNP0A03'. */
export function eisaId(id: string): Aml {
  const [a, b, c] = letters(id).map((letter) => letter - 0x40),
    number = Number.parseInt(id.slice(3), 16);
  const high = (a << 10) | (b << 5) | c;
  return [OP.DWORD, high >> 8, high & 0xff, number >> 8, number & 0xff];
}

export const name = (at: string, value: Aml): Aml => [OP.NAME, ...path(at), ...value];
export const scope = (at: string, ...terms: readonly Aml[]): Aml => [OP.SCOPE, ...counted([...path(at), ...terms.flat()])];
export const device = (at: string, ...terms: readonly Aml[]): Aml => [
  OP.EXTENDED,
  EXTENDED.DEVICE,
  ...counted([...path(at), ...terms.flat()]),
];
/** A method that nobody enters twice at once. */
export const method = (at: string, parameters: number, ...terms: readonly Aml[]): Aml => [
  OP.METHOD,
  ...counted([...path(at), parameters | 8, ...terms.flat()]),
];

/** Registers in PCI configuration space of the device around it: a region and its fields of a byte each. */
export const configurationBytes = (at: string, offset: number, fields: readonly string[]): Aml => [
  OP.EXTENDED,
  EXTENDED.REGION,
  ...path(at),
  2,
  ...integer(offset),
  ...integer(fields.length),
  OP.EXTENDED,
  EXTENDED.FIELD,
  // Byte accesses, no lock, other bits preserved.
  ...counted([...path(at), 1, ...fields.flatMap((field) => [...segment(field), 8])]),
];

export const argument = (n: number): Aml => [OP.ARG0 + n];
export const store = (value: Aml, target: Aml): Aml => [OP.STORE, ...value, ...target];
export const and = (a: Aml, b: Aml): Aml => [OP.AND, ...a, ...b, OP.ZERO];
export const orInto = (a: Aml, b: Aml, target: Aml): Aml => [OP.OR, ...a, ...b, ...target];
export const when = (condition: Aml, ...terms: readonly Aml[]): Aml => [OP.IF, ...counted([...condition, ...terms.flat()])];
export const giveBack = (value: Aml): Aml => [OP.RETURN, ...value];
export const createDwordField = (source: Aml, offset: number, at: string): Aml => [
  OP.CREATE_DWORD_FIELD,
  ...source,
  ...integer(offset),
  ...path(at),
];

/** A resource template of descriptors, with its end tag. */
export const resources = (...descriptors: readonly Aml[]): Aml => buffer([...descriptors.flat(), 0x79, 0]);
/** Ports that are decoded on 16 bits. */
export const io = (first: number, count: number): Aml => [0x47, 1, ...bytesOf(first, 2), ...bytesOf(first, 2), 1, count];
/** Edge-triggered lines of the interrupt controllers. */
export const irq = (...lines: readonly number[]): Aml => [
  0x22,
  ...bytesOf(
    lines.reduce((mask, line) => mask | (1 << line), 0),
    2,
  ),
];
export const dma = (channel: number): Aml => [0x2a, 1 << channel, 0];
/** Level-triggered, shared, asserted high. */
export const interrupts = (...numbers: readonly number[]): Aml => [
  0x89,
  ...bytesOf(2 + 4 * numbers.length, 2),
  0x09,
  numbers.length,
  ...numbers.flatMap((number) => bytesOf(number, 4)),
];
/** Memory at a fixed place that can be written. */
export const memory = (first: number, bytes: number): Aml => [0x86, 9, 0, 1, ...bytesOf(first, 4), ...bytesOf(bytes, 4)];
/** What a bridge hands on: bus numbers, ports or memory from first to last. */
const WINDOW = { memory: 0, ports: 1, buses: 2 } as const;
export function window(kind: keyof typeof WINDOW, first: number, last: number): Aml {
  const bytes = kind === 'memory' ? 4 : 2,
    // Ports in all of the ISA range, memory that is not cached and can be written.
    flags = kind === 'memory' ? 0x01 : kind === 'ports' ? 0x03 : 0x00;
  const words = [0, first, last, 0, last - first + 1].flatMap((value) => bytesOf(value, bytes));
  return [bytes === 4 ? 0x87 : 0x88, ...bytesOf(3 + words.length, 2), WINDOW[kind], 0x0c, flags, ...words];
}
