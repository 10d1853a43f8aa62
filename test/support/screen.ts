// Screens in the form that a test expects.

import assert from 'node:assert/strict';
import { screenText } from '../../src/vmm/codePage437.ts';
import type { GraphicsScreen, ScreenState, TextScreen } from '../../src/vmm/protocol.ts';

/** The screen as text; fails when it shows graphics. */
export function asText(screen: ScreenState): TextScreen {
  assert.equal(screen.mode, 'text');
  return screen as TextScreen;
}

/** The screen as a picture; fails when it shows text. */
export function asPicture(screen: ScreenState): GraphicsScreen {
  assert.equal(screen.mode, 'graphics');
  return screen as GraphicsScreen;
}

/** Its lines, none when it shows graphics. */
export const linesOf = (screen: ScreenState): string[] => (screen.mode === 'text' ? screenText(screen.cells, screen.columns) : []);

/** A pixel of a picture with all rows as 0xRRGGBB. */
export function pixelAt({ width, bands }: GraphicsScreen, x: number, y: number): number {
  const at = (y * width + x) * 4,
    [{ pixels }] = bands;
  return (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
}

/** How many pixels of a picture with all rows have a colour, 0xRRGGBB. */
export function shades({ bands }: GraphicsScreen, colour: number): number {
  let count = 0;
  for (const { pixels } of bands) {
    for (let at = 0; at < pixels.length; at += 4) if (((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]) === colour) count++;
  }
  return count;
}
