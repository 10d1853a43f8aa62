// Images for loader tests, built byte by byte, and mutation of images.

import { strict as assert } from 'node:assert';
import { REGISTERS } from '../../../src/translator/state.ts';
import { ImageError, type LoadedImage } from '../../../src/vmm/boot/image.ts';
import { type Random, seeded } from '../../support/random.ts';

export interface Segment {
  readonly virtual: number;
  readonly physical?: number;
  readonly bytes: Uint8Array;
  readonly memorySize?: number;
}
export interface TestSymbol {
  readonly name: string;
  readonly address: number;
  readonly size?: number;
  readonly kind?: number;
}

/** An ELF32 executable with these segments and, when given, a symbol table. `header` patches bytes of the file header. */
export function elf({
  segments,
  entry,
  symbols,
  header = {},
}: {
  segments: readonly Segment[];
  entry: number;
  symbols?: readonly TestSymbol[];
  header?: { readonly [offset: number]: number };
}): Uint8Array {
  const programAt = 52,
    dataAt = 4096;
  const offsets: number[] = [];
  let at = dataAt;
  for (const segment of segments) {
    offsets.push(at);
    at += (segment.bytes.length + 15) & ~15;
  }
  const names = `\0${(symbols ?? []).map((symbol) => `${symbol.name}\0`).join('')}`,
    symbolsAt = at,
    namesAt = symbolsAt + 16 * ((symbols?.length ?? 0) + 1),
    sectionsAt = (namesAt + names.length + 15) & ~15;
  const file = new Uint8Array(symbols ? sectionsAt + 3 * 40 : at),
    view = new DataView(file.buffer),
    u32 = (offset: number, value: number) => {
      view.setUint32(offset, value >>> 0, true);
    };
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(0x10, 2, true);
  view.setUint16(0x12, 3, true);
  u32(0x14, 1);
  u32(0x18, entry);
  u32(0x1c, programAt);
  view.setUint16(0x28, 52, true);
  view.setUint16(0x2a, 32, true);
  view.setUint16(0x2c, segments.length, true);
  view.setUint16(0x2e, 40, true);
  segments.forEach((segment, n) => {
    const fields = [
      1,
      offsets[n],
      segment.virtual,
      segment.physical ?? segment.virtual,
      segment.bytes.length,
      segment.memorySize ?? segment.bytes.length,
      7,
      4096,
    ];
    fields.forEach((value, field) => {
      u32(programAt + n * 32 + field * 4, value);
    });
    file.set(segment.bytes, offsets[n]);
  });
  if (symbols) {
    let name = 1;
    symbols.forEach((symbol, n) => {
      const row = symbolsAt + 16 * (n + 1);
      u32(row, name);
      u32(row + 4, symbol.address);
      u32(row + 8, symbol.size ?? 0);
      file[row + 12] = 0x10 | (symbol.kind ?? 2);
      view.setUint16(row + 14, 1, true);
      name += symbol.name.length + 1;
    });
    file.set(new TextEncoder().encode(names), namesAt);
    u32(0x20, sectionsAt);
    view.setUint16(0x30, 3, true);
    const table = [
      [0, 2, 0, 0, symbolsAt, namesAt - symbolsAt, 2, 1, 4, 16],
      [0, 3, 0, 0, namesAt, names.length, 0, 0, 1, 0],
    ];
    table.forEach((fields, n) => {
      fields.forEach((value, field) => {
        u32(sectionsAt + (n + 1) * 40 + field * 4, value);
      });
    });
  }
  for (const [offset, value] of Object.entries(header)) file[Number(offset)] = value;
  return file;
}

/** Bytes of a Multiboot 1 header, with address fields when given. */
export function multibootHeader(flags: number, fields: readonly number[] = []): Uint8Array {
  const words = [0x1badb002, flags, -(0x1badb002 + flags), ...fields],
    bytes = new Uint8Array(words.length * 4),
    view = new DataView(bytes.buffer);
  words.forEach((word, n) => {
    view.setUint32(n * 4, word >>> 0, true);
  });
  return bytes;
}

/** A Linux image: setup of two sectors and `kernel` bytes. */
export function bzImage({
  version = 0x20c,
  loadflags = 1,
  kernel = 1000,
  code32 = 0x100000,
  commandLine = 255,
  initrdMax = 0x7fffffff,
}: {
  version?: number;
  loadflags?: number;
  kernel?: number;
  code32?: number;
  commandLine?: number;
  initrdMax?: number;
} = {}): Uint8Array {
  const setup = 3 * 512,
    file = new Uint8Array(setup + kernel),
    view = new DataView(file.buffer);
  file[0x1f1] = 2;
  view.setUint32(0x1f4, Math.ceil(kernel / 16), true);
  view.setUint16(0x1fe, 0xaa55, true);
  file.set([0xeb, 0x66, 0x48, 0x64, 0x72, 0x53], 0x200);
  view.setUint16(0x206, version, true);
  file[0x211] = loadflags;
  view.setUint32(0x214, code32, true);
  view.setUint32(0x22c, initrdMax, true);
  view.setUint32(0x238, commandLine, true);
  for (let n = 0; n < kernel; n++) file[setup + n] = n;
  return file;
}

/** Some bytes changed, the image cut or bytes inserted. */
export function mutate(image: Uint8Array, random: Random): Uint8Array {
  let bytes = image.slice();
  const kind = random.below(8);
  if (kind === 0) bytes = bytes.slice(0, random.below(bytes.length + 1));
  if (kind === 1) {
    const at = random.below(bytes.length);
    bytes = Uint8Array.of(
      ...bytes.subarray(0, at),
      ...Array.from({ length: random.below(16) }, () => random.below(256)),
      ...bytes.subarray(at),
    );
  }
  if (bytes.length === 0) return bytes;
  // Headers are where the numbers are: most changes go to the first 700 bytes, whole words half of the time.
  for (let n = random.below(6); n >= 0; n--) {
    const at = random.below(4) === 0 ? random.below(bytes.length) : random.below(Math.min(bytes.length, 700));
    if (random.below(2) === 0) bytes[at] = random.edgy();
    else {
      const value = random.edgy();
      for (let k = 0; k < 4 && at + k < bytes.length; k++) bytes[at + k] = value >> (8 * k);
    }
  }
  return bytes;
}

const WIDTHS = new Map(REGISTERS.map((row) => [row.name, row.width]));

/** What every loaded image must satisfy: writes inside RAM and off the video memory and ROM, registers that exist and fit. */
export function checkLoaded(loaded: LoadedImage, memory: number): void {
  for (const { address, bytes, length } of loaded.writes) {
    assert.ok(Number.isInteger(address) && address >= 0 && bytes.length <= length && address + length <= memory, `${address} ${length}`);
    assert.ok(length === 0 || address >= 0x100000 || address + length <= 0xa0000);
  }
  for (const [name, value] of Object.entries(loaded.registers)) {
    const width = WIDTHS.get(name);
    assert.ok(width !== undefined, name);
    assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** width, `${name} = ${value}`);
  }
}

/** Loads `count` mutated images: each either loads properly or is refused with an ImageError. */
export function fuzzLoader(images: readonly Uint8Array[], memory: number, load: (image: Uint8Array) => LoadedImage, count = 2000): void {
  const random = seeded(0x5eed);
  let loadedImages = 0,
    refused = 0;
  for (let n = 0; n < count; n++) {
    const image = mutate(random.pick(images), random);
    try {
      checkLoaded(load(image), memory);
      loadedImages++;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      assert.ok(error.message.length > 10);
      refused++;
    }
  }
  assert.ok(loadedImages > 0 && refused > 0, `${loadedImages} loaded, ${refused} refused`);
}

/** Asserts that loading fails with an ImageError with this text at this offset. */
export function refuses(load: () => unknown, text: RegExp, offset?: number): void {
  assert.throws(load, (error: unknown) => {
    assert.ok(error instanceof ImageError, String(error));
    assert.match(error.message, text);
    if (offset !== undefined) assert.equal(error.offset, offset);
    return true;
  });
}

/** Bytes of a Multiboot 2 header with these tags: type, flags, fields. */
export function multiboot2Header(
  tags: readonly (readonly [type: number, flags: number, fields: readonly number[]])[],
  architecture = 0,
): Uint8Array {
  const words: number[] = [];
  for (const [type, flags, fields] of [...tags, [0, 0, []] as const]) {
    words.push(type | (flags << 16), 8 + 4 * fields.length, ...fields);
    if (words.length % 2 !== 0) words.push(0);
  }
  const length = 16 + 4 * words.length,
    all = [0xe85250d6, architecture, length, -(0xe85250d6 + architecture + length), ...words];
  return new Uint8Array(Uint32Array.from(all, (word) => word >>> 0).buffer);
}

/** An ELF note of one word; of Xen's PVH entry point unless told otherwise. */
export function pvhNote(value: number, { name, type }: { name: string; type: number } = { name: 'Xen\0', type: 18 }): Uint8Array {
  const bytes = new Uint8Array(20),
    view = new DataView(bytes.buffer);
  for (const [n, word] of [name.length, 4, type].entries()) view.setUint32(4 * n, word, true);
  bytes.set(new TextEncoder().encode(name), 12);
  view.setUint32(16, value, true);
  return bytes;
}
