// Puts a guest's screen on a canvas: drawn text, or the rows of a picture that have changed.

import { drawText } from '../src/vmm/picture.ts';
import type { GraphicsScreen, TextScreen } from '../src/vmm/protocol.ts';

/** Draws a text screen; the canvas takes its size. `cursor` and `blink` say whether the cursor and blinking characters are lit. */
export function drawScreen(canvas: HTMLCanvasElement, screen: TextScreen, cursor: boolean, blink: boolean): void {
  const { width, height, pixels } = drawText(screen, cursor, blink);
  put(canvas, width, height, 0, pixels);
}

/** Puts rows of a picture on the canvas that shows the picture they differ from. */
export function drawBands(canvas: HTMLCanvasElement, { width, height, bands }: Pick<GraphicsScreen, 'width' | 'height' | 'bands'>): void {
  for (const { top, pixels } of bands) put(canvas, width, height, top, pixels);
}

function put(canvas: HTMLCanvasElement, width: number, height: number, top: number, pixels: Uint8Array): void {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', { alpha: false })!,
    image = context.createImageData(width, pixels.length / (4 * width));
  image.data.set(pixels);
  context.putImageData(image, 0, top);
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
