// Draws a guest's screen as pixels: text mode with the character shapes of the firmware's ROM, or mode 13h. The colours are
// those of a VGA's default palette, since they belong to the guest and not to the editor's theme.

import { ROM_LABELS, ROM_PIECES } from '../src/vmm/firmware/rom.generated.ts';
import type { ScreenState } from '../src/vmm/protocol.ts';

const CHARACTER_WIDTH = 8,
  CHARACTER_HEIGHT = 16;
/** The 16 text colours as red, green, blue (IBM VGA, default DAC registers of the attribute controller's palette). */
const COLOURS = [
  0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa, 0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555,
  0xff55ff, 0xffff55, 0xffffff,
];
const PIXELS = COLOURS.map((rgb) => pixel(rgb >> 16, (rgb >> 8) & 255, rgb & 255));
const FONT = romBytes(ROM_LABELS.font8x16, 256 * CHARACTER_HEIGHT);

/** Draws a screen; the canvas takes its size. `cursor` and `blink` say whether the cursor and blinking characters are lit. */
export function drawScreen(canvas: HTMLCanvasElement, screen: ScreenState, cursor: boolean, blink: boolean): void {
  const graphics = screen.mode === 'graphics' && screen.pixels && screen.palette;
  const width = graphics ? 320 : screen.columns * CHARACTER_WIDTH,
    height = graphics ? 200 : screen.rows * CHARACTER_HEIGHT;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', { alpha: false })!,
    image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  if (graphics) drawGraphics(pixels, screen.pixels!, screen.palette!);
  else drawText(pixels, width, screen, cursor, blink);
  context.putImageData(image, 0, 0);
}

/**
 * Shows a drawn screen on another canvas, `width` by `height` device pixels large. Enlarged by a whole number first and then
 * reduced, so that at any size the guest's pixels keep sharp edges and strokes of equal thickness.
 */
export function present(source: HTMLCanvasElement, target: HTMLCanvasElement, width: number, height: number): void {
  if (target.width !== width || target.height !== height) [target.width, target.height] = [width, height];
  const context = target.getContext('2d', { alpha: false })!;
  const factor = Math.max(1, Math.ceil(Math.max(width / source.width, height / source.height)));
  const between = document.createElement('canvas');
  [between.width, between.height] = [source.width * factor, source.height * factor];
  const enlarged = between.getContext('2d', { alpha: false })!;
  enlarged.imageSmoothingEnabled = false;
  enlarged.drawImage(source, 0, 0, between.width, between.height);
  context.imageSmoothingEnabled = between.width !== width || between.height !== height;
  context.imageSmoothingQuality = 'high';
  context.drawImage(between, 0, 0, width, height);
}

function drawGraphics(pixels: Uint32Array, indexes: Uint8Array, palette: Uint8Array): void {
  const colours = Uint32Array.from({ length: 256 }, (_, n) => pixel(palette[3 * n] ?? 0, palette[3 * n + 1] ?? 0, palette[3 * n + 2] ?? 0));
  for (let n = 0; n < pixels.length && n < indexes.length; n++) pixels[n] = colours[indexes[n]!]!;
}

function drawText(pixels: Uint32Array, width: number, screen: ScreenState, cursor: boolean, blink: boolean): void {
  for (let cell = 0; cell < screen.columns * screen.rows; cell++) {
    const character = screen.cells[2 * cell]!,
      attribute = screen.cells[2 * cell + 1]!;
    const background = PIXELS[(attribute >> 4) & 7]!;
    const foreground = attribute & 0x80 && !blink ? background : PIXELS[attribute & 15]!;
    const left = (cell % screen.columns) * CHARACTER_WIDTH,
      top = Math.floor(cell / screen.columns) * CHARACTER_HEIGHT;
    for (let line = 0; line < CHARACTER_HEIGHT; line++) {
      const lit = cursor && cell === screen.cursor && line >= screen.cursorStart && line <= screen.cursorEnd;
      const bits = lit ? 0xff : FONT[character * CHARACTER_HEIGHT + line]!;
      const at = (top + line) * width + left,
        colour = lit ? PIXELS[attribute & 15]! : foreground;
      for (let n = 0; n < CHARACTER_WIDTH; n++) pixels[at + n] = bits & (0x80 >> n) ? colour : background;
    }
  }
}

/** Canvas pixels are red, green, blue, opacity in memory; every host of a browser stores words lowest byte first. */
function pixel(red: number, green: number, blue: number): number {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

function romBytes(start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [offset, base64] of ROM_PIECES) {
    const piece = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    for (let n = Math.max(0, start - offset); n < piece.length && offset + n < start + length; n++) bytes[offset + n - start] = piece[n]!;
  }
  return bytes;
}
