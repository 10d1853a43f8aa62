// Builds src/vmm/firmware/font.inc: the character shapes of code page 437 for the firmware ROM, 8x16, 8x14 and 8x8.
// The shapes come from the "misc-fixed" fonts 8x13 and 5x8 ("Public domain font. Share and enjoy."), which Debian ships
// in the package xfonts-base as PCF files. Format: "X11 Portable Compiled Format (PCF)" as described by fontforge.org.
//   node scripts/build-font.ts DIRECTORY     DIRECTORY holds 8x13.pcf.gz and 5x8.pcf.gz

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Unicode of every code of IBM code page 437, graphic shapes for 00h-1Fh included. */
const CP437 =
  '\u0000☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼' +
  Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n)).join('') +
  '⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

type Glyph = readonly number[];

/** Glyph rows (leftmost pixel in bit 7) of every encoded character of a PCF font of at most 8 pixels' width. */
function readPcf(bytes: Uint8Array): Map<number, Glyph> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tables = new Map<number, number>();
  for (let n = 0; n < view.getUint32(4, true); n++) tables.set(view.getUint32(8 + 16 * n, true), view.getUint32(20 + 16 * n, true));
  const open = (type: number) => {
    const start = tables.get(type);
    if (start === undefined) throw new Error(`PCF table ${type} is missing`);
    const format = view.getUint32(start, true),
      little = (format & 4) === 0;
    let at = start + 4;
    return {
      format,
      u8: () => view.getUint8(at++),
      u16: () => {
        at += 2;
        return view.getUint16(at - 2, little);
      },
      u32: () => {
        at += 4;
        return view.getUint32(at - 4, little);
      },
      position: () => at,
    };
  };
  const metrics = open(4),
    heights: number[] = [];
  const compressed = (metrics.format & 0x100) !== 0;
  for (let left = compressed ? metrics.u16() : metrics.u32(); left > 0; left--) {
    const row = Array.from({ length: 5 }, () => (compressed ? metrics.u8() - 128 : (metrics.u16() << 16) >> 16));
    if (!compressed) metrics.u16();
    heights.push(row[3] + row[4]);
  }
  const bitmaps = open(8),
    count = bitmaps.u32(),
    offsets = Array.from({ length: count }, () => bitmaps.u32());
  for (let n = 0; n < 4; n++) bitmaps.u32();
  const data = bitmaps.position(),
    pad = 1 << (bitmaps.format & 3),
    mostSignificantFirst = (bitmaps.format & 8) !== 0;
  const reverse = (value: number) => {
    let r = 0;
    for (let n = 0; n < 8; n++) if ((value >> n) & 1) r |= 0x80 >> n;
    return r;
  };
  // With 8 pixels or fewer a row is one byte in a unit of `pad` bytes; its place depends on the byte order only for units above one.
  const glyphs = offsets.map((offset, n) =>
    Array.from({ length: heights[n] }, (_, y) => {
      const byte = bytes[data + offset + y * pad];
      return mostSignificantFirst ? byte : reverse(byte);
    }),
  );
  const encodings = open(32),
    minLow = encodings.u16(),
    maxLow = encodings.u16(),
    minHigh = encodings.u16(),
    maxHigh = encodings.u16();
  encodings.u16();
  const result = new Map<number, Glyph>();
  for (let high = minHigh; high <= maxHigh; high++) {
    for (let low = minLow; low <= maxLow; low++) {
      const index = encodings.u16();
      if (index !== 0xffff) result.set((high << 8) | low, glyphs[index]);
    }
  }
  return result;
}

/** Frames and blocks must touch their neighbours in all directions, so they are stretched rather than padded. */
const touches = (code: number) => (code >= 0xb0 && code <= 0xdf) || code === 0xf4 || code === 0xf5;

function blockShape(code: number, height: number): Glyph | undefined {
  const rows = (row: (y: number) => number) => Array.from({ length: height }, (_, y) => row(y));
  switch (code) {
    case 0x00:
    case 0x20:
    case 0xff:
      return rows(() => 0);
    case 0xb0:
      return rows((y) => (y & 1 ? 0x88 : 0x22));
    case 0xb1:
      return rows((y) => (y & 1 ? 0xaa : 0x55));
    case 0xb2:
      return rows((y) => (y & 1 ? 0xee : 0xbb));
    case 0xdb:
      return rows(() => 0xff);
    case 0xdc:
      return rows((y) => (2 * y >= height ? 0xff : 0));
    case 0xdd:
      return rows(() => 0xf0);
    case 0xde:
      return rows(() => 0x0f);
    case 0xdf:
      return rows((y) => (2 * y < height ? 0xff : 0));
    default:
      return undefined;
  }
}

function build(font: Map<number, Glyph>, width: number, height: number, missing: Set<string>): number[] {
  const points = Array.from(CP437, (text) => text.codePointAt(0) ?? 0);
  return points.flatMap((point, code) => {
    const drawn = blockShape(code, height);
    if (drawn) return drawn;
    const glyph = font.get(point);
    if (!glyph) {
      missing.add(String.fromCodePoint(point));
      return Array.from({ length: height }, (_, y) => (y > 1 && y < height - 2 ? 0x7e : 0));
    }
    const left = (8 - width) >> 1,
      extra = height - glyph.length,
      above = extra >> 1;
    const wide = glyph.map((row) => {
      if (!touches(code)) return row >> left;
      const last = (row >> (8 - width)) & 1;
      return (row >> left) | (row & 0x80 ? (0xff << (8 - left)) & 0xff : 0) | (last ? (1 << (8 - width - left)) - 1 : 0);
    });
    const fill = (row: number) => (touches(code) ? row : 0);
    return [...Array<number>(above).fill(fill(wide[0])), ...wide, ...Array<number>(extra - above).fill(fill(wide[wide.length - 1]))];
  });
}

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: build-font.ts DIRECTORY (that holds 8x13.pcf.gz and 5x8.pcf.gz)');
const load = (name: string) => readPcf(gunzipSync(readFileSync(join(directory, name))));
const large = load('8x13.pcf.gz'),
  small = load('5x8.pcf.gz'),
  missing = new Set<string>();
const table = (name: string, bytes: number[], height: number, first = 0, last = 255) =>
  [
    `%macro ${name} 0`,
    ...Array.from(
      { length: last - first + 1 },
      (_, n) =>
        `  db ${bytes
          .slice((first + n) * height, (first + n + 1) * height)
          .map((byte) => `0x${byte.toString(16)}`)
          .join(',')}`,
    ),
    '%endmacro',
  ].join('\n');
const font8 = build(small, 5, 8, missing);
writeFileSync(
  new URL('../src/vmm/firmware/font.inc', import.meta.url),
  `${[
    '; Character shapes of code page 437, one macro per table. Made by scripts/build-font.ts from the misc-fixed fonts 8x13 and 5x8',
    '; of Debian\'s package xfonts-base, whose notice is: "Public domain font. Share and enjoy."',
    table('FONT_8X16', build(large, 8, 16, missing), 16),
    table('FONT_8X14', build(large, 8, 14, missing), 14),
    table('FONT_8X8_LOW', font8, 8, 0, 127),
    table('FONT_8X8_HIGH', font8, 8, 128, 255),
  ].join('\n')}\n`,
);
if (missing.size > 0) console.log(`no shape for: ${[...missing].join(' ')}`);
