// A screen as pixels: text with the character shapes of the firmware's ROM, graphics put together from the rows that came. The
// colours of text are those of a VGA's default palette, since they belong to the guest and not to the viewer.

import { ROM_LABELS, ROM_PIECES } from './firmware/rom.generated.ts';
import type { GraphicsScreen, ScreenState, TextScreen } from './protocol.ts';

/** Rows of pixels, each as red, green, blue and 255. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

const CHARACTER_WIDTH = 8,
  CHARACTER_HEIGHT = 16;
/** The 16 text colours as red, green, blue (IBM VGA, default DAC registers of the attribute controller's palette). */
const COLOURS = [
  0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa, 0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555,
  0xff55ff, 0xffff55, 0xffffff,
];
const PIXELS = COLOURS.map((rgb) => pixel(rgb >> 16, (rgb >> 8) & 255, rgb & 255));
const FONT = romBytes(ROM_LABELS.font8x16, 256 * CHARACTER_HEIGHT);

/** Draws a text screen; `cursor` and `blink` say whether the cursor and blinking characters are lit. */
export function drawText(screen: TextScreen, cursor: boolean, blink: boolean): Picture {
  const width = screen.columns * CHARACTER_WIDTH,
    height = screen.rows * CHARACTER_HEIGHT,
    words = new Uint32Array(width * height);
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
      for (let n = 0; n < CHARACTER_WIDTH; n++) words[at + n] = bits & (0x80 >> n) ? colour : background;
    }
  }
  return { width, height, pixels: new Uint8Array(words.buffer) };
}

/** Puts the rows of a screen into the picture that they differ from; null when that one is missing or of another size. */
export function patch(before: Picture | null, { width, height, bands }: GraphicsScreen): Picture | null {
  const whole = bands.length === 1 && bands[0]!.pixels.length === width * height * 4;
  if (!whole && (before?.width !== width || before.height !== height)) return null;
  const picture = whole || !before ? { width, height, pixels: new Uint8Array(width * height * 4) } : before;
  for (const { top, pixels } of bands) picture.pixels.set(pixels, top * width * 4);
  return picture;
}

/** A screen with all its rows. */
export function draw(screen: ScreenState): Picture | null {
  return screen.mode === 'text' ? drawText(screen, true, true) : patch(null, screen);
}

/** Pixels are red, green, blue, opacity in memory; every host of a browser stores words lowest byte first. */
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
