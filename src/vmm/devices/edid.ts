// What the monitor on the VGA tells of itself (VESA, "Enhanced Extended Display Identification Data Standard", release A revision 1:
// EDID 1.3), 128 bytes: a display that takes everything up to 1024 by 768 at 60 Hz, which it prefers.

const BYTES = 128;
const HEADER = [0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];
/** Three letters of five bits: CPE. */
const MANUFACTURER = (('C'.charCodeAt(0) - 64) << 10) | (('P'.charCodeAt(0) - 64) << 5) | ('E'.charCodeAt(0) - 64);

/** Timing of a mode in pixels and lines; the clock in units of 10 kHz (VESA "Monitor Timing Specifications", 1024 x 768 at 60 Hz). */
const PREFERRED = {
  clock: 6500,
  horizontal: { shown: 1024, blank: 320, front: 24, sync: 136 },
  vertical: { shown: 768, blank: 38, front: 3, sync: 6 },
};
/** Size of the picture in millimetres. */
const WIDTH = 270,
  HEIGHT = 203;

/** The block with its checksum. */
export function edid(): Uint8Array {
  const block = new Uint8Array(BYTES),
    view = new DataView(block.buffer);
  block.set(HEADER);
  view.setUint16(8, MANUFACTURER);
  view.setUint16(10, 0x0086, true);
  // Week 1 of 2026; EDID 1.3; analogue, separate syncs; size in cm; gamma 2.2; RGB, preferred timing first.
  block.set([1, 36, 1, 3, 0x08, Math.round(WIDTH / 10), Math.round(HEIGHT / 10), 120, 0x0a], 16);
  // sRGB's primaries and white.
  block.set([0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54], 25);
  // 640 x 480, 800 x 600, 1024 x 768 at 60 Hz; no standard timings.
  block.set([0x21, 0x08, 0x00], 35);
  block.fill(0x01, 38, 54);
  detailedTiming(view, 54);
  text(block, 72, 0xfc, 'CP/86');
  rangeLimits(block, 90);
  text(block, 108, 0xfe, '');
  block[127] = -block.subarray(0, 127).reduce((sum, value) => sum + value, 0);
  return block;
}

function detailedTiming(view: DataView, at: number): void {
  const { clock, horizontal: h, vertical: v } = PREFERRED;
  view.setUint16(at, clock, true);
  const high = (a: number, b: number): number => ((a >> 8) << 4) | (b >> 8);
  const values = [h.shown, h.blank, high(h.shown, h.blank), v.shown, v.blank, high(v.shown, v.blank), h.front, h.sync];
  values.forEach((value, n) => void view.setUint8(at + 2 + n, value & 0xff));
  view.setUint8(at + 10, (v.front << 4) | v.sync);
  view.setUint8(at + 12, WIDTH & 0xff);
  view.setUint8(at + 13, HEIGHT & 0xff);
  view.setUint8(at + 14, high(WIDTH, HEIGHT));
  view.setUint8(at + 17, 0x18); // separate syncs, both negative
}

/** 50-75 Hz, 30-60 kHz, at most 70 MHz. */
function rangeLimits(block: Uint8Array, at: number): void {
  block.set([0, 0, 0, 0xfd, 0, 50, 75, 30, 60, 7, 0, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20], at);
}

/** A descriptor of up to 13 characters. */
function text(block: Uint8Array, at: number, tag: number, words: string): void {
  block.set([0, 0, 0, tag, 0], at);
  for (let n = 0; n < 13; n++) block[at + 5 + n] = n < words.length ? words.charCodeAt(n) : n === words.length ? 0x0a : 0x20;
}
