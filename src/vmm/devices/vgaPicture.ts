// The picture of a graphics mode as it was last looked at, so that looking again costs what has changed: rows in whose memory nobody
// has written are not drawn again, and who names the picture that it has gets only the rows that differ from it.

import type { VideoMemory } from '../device.ts';
import type { GraphicsScreen } from '../protocol.ts';
import { drawRow, type PixelLayout, rowBytes } from './vgaPixels.ts';

const PAGE = 4096;

export class VgaPicture {
  private readonly memory: VideoMemory;
  /** What the rows were drawn by. */
  private drawnBy = '';
  private width = 0;
  private pixels = new Uint32Array(0);
  /** By row the number of the picture in which it changed last. */
  private changed = new Uint32Array(0);
  private version = 0;

  constructor(memory: VideoMemory) {
    this.memory = memory;
  }

  /**
   * The rows that differ from picture `since`, or all. `way` stands for everything besides the memory and the palette that the picture
   * depends on.
   */
  look(layout: PixelLayout, way: string, palette: Uint32Array, since: number): GraphicsScreen {
    const written = new Set(this.memory.takeWritten()),
      { width, height } = layout;
    const drawnBy = `${width} ${height} ${layout.format} ${way} ${palette.join()}`,
      again = drawnBy !== this.drawnBy;
    if (width !== this.width || height !== this.changed.length) {
      this.pixels = new Uint32Array(width * height);
      this.changed = new Uint32Array(height);
      this.width = width;
      // Who has a picture of another size has nothing of this one.
      this.changed.fill(++this.version);
    }
    this.drawnBy = drawnBy;
    const line = new Uint32Array(width),
      bytes = rowBytes(layout),
      next = this.version + 1;
    for (let row = 0; row < height; row++) {
      if (!again && !touched(written, layout.rowStart(row), bytes)) continue;
      drawRow(layout, row, this.memory.bytes, palette, line);
      const old = this.pixels.subarray(row * width, (row + 1) * width);
      if (same(line, old)) continue;
      old.set(line);
      this.changed[row] = this.version = next;
    }
    return { mode: 'graphics', width, height, version: this.version, bands: this.bands(since) };
  }

  private bands(since: number): GraphicsScreen['bands'] {
    const bands: { top: number; pixels: Uint8Array }[] = [],
      { width, changed } = this,
      known = since <= this.version ? since : 0;
    for (let top = 0; top < changed.length; ) {
      let end = top;
      while (end < changed.length && changed[end] > known) end++;
      if (end > top) bands.push({ top, pixels: new Uint8Array(this.pixels.slice(top * width, end * width).buffer) });
      top = end + 1;
    }
    return bands;
  }
}

function touched(pages: ReadonlySet<number>, first: number, bytes: number): boolean {
  for (let page = Math.floor(first / PAGE); page * PAGE < first + bytes; page++) if (pages.has(page)) return true;
  return false;
}
function same(a: Uint32Array, b: Uint32Array): boolean {
  for (let n = 0; n < a.length; n++) if (a[n] !== b[n]) return false;
  return true;
}
