// Register values of the VGA's modes that the firmware sets (IBM, "Personal System/2 Hardware Interface Technical Reference",
// "Video Subsystem"), and the default colours of its DAC.

/** A mode of INT 10h AH=00h with everything that is written to the hardware for it. */
export interface VideoMode {
  readonly number: number;
  readonly kind: 'text' | 'graphics';
  readonly columns: number;
  /** Bytes of one page in video memory. */
  readonly pageBytes: number;
  readonly memory: number;
  readonly miscellaneous: number;
  readonly sequencer: readonly number[];
  readonly crtc: readonly number[];
  readonly graphics: readonly number[];
  readonly attribute: readonly number[];
  /** CGA mode select (40:65) and palette (40:66) as programs read them back. */
  readonly modeSelect: number;
}

const EGA_PALETTE = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f];
const TEXT_GRAPHICS = [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff];
const TEXT_ATTRIBUTE = [...EGA_PALETTE, 0x0c, 0x00, 0x0f, 0x08, 0x00];

const text = (number: number, columns: 40 | 80): VideoMode => ({
  number,
  kind: 'text',
  columns,
  pageBytes: columns === 40 ? 0x800 : 0x1000,
  memory: 0xb8000,
  miscellaneous: 0x67,
  sequencer: [0x03, columns === 40 ? 0x08 : 0x00, 0x03, 0x00, 0x02],
  crtc:
    columns === 40
      ? [
          0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9,
          0xa3, 0xff,
        ]
      : [
          0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9,
          0xa3, 0xff,
        ],
  graphics: TEXT_GRAPHICS,
  attribute: TEXT_ATTRIBUTE,
  modeSelect: [0x2c, 0x28, 0x2d, 0x29][number] ?? 0x29,
});

/** Modes 0-3 and 13h. Mode 7 needs a monochrome monitor; the machine's is a colour one and shows mode 3 instead. */
export const VIDEO_MODES: readonly VideoMode[] = [
  text(0, 40),
  text(1, 40),
  text(2, 80),
  text(3, 80),
  {
    number: 0x13,
    kind: 'graphics',
    columns: 40,
    pageBytes: 0x10000,
    memory: 0xa0000,
    miscellaneous: 0x63,
    sequencer: [0x03, 0x01, 0x0f, 0x00, 0x0e],
    crtc: [
      0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff,
    ],
    graphics: [0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff],
    attribute: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0x00, 0x0f, 0x00, 0x00],
    modeSelect: 0x29,
  },
];

/** DAC of text modes: entry rgbRGB, two bits for every colour, 64 entries of three 6-bit components. */
export function textColours(): Uint8Array {
  const level = (index: number, primary: number, secondary: number) => ((index >> primary) & 1) * 42 + ((index >> secondary) & 1) * 21;
  return Uint8Array.from({ length: 64 * 3 }, (_, n) => {
    const index = Math.floor(n / 3),
      colour = n % 3;
    return level(index, 2 - colour, 5 - colour);
  });
}

/** DAC of mode 13h: 16 colours of the CGA, 16 greys, then 24 hues in three brightnesses and three saturations, then black. */
export function graphicsColours(): Uint8Array {
  const result = new Uint8Array(768),
    ega = textColours();
  EGA_PALETTE.forEach((index, n) => {
    result.set(ega.subarray(index * 3, index * 3 + 3), n * 3);
  });
  [0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63].forEach((grey, n) => {
    result.fill(grey, 48 + n * 3, 51 + n * 3);
  });
  const levels = [
    [0, 16, 31, 47, 63],
    [31, 39, 47, 55, 63],
    [45, 49, 54, 58, 63],
    [0, 7, 14, 21, 28],
    [14, 17, 21, 24, 28],
    [20, 22, 24, 26, 28],
    [0, 4, 8, 12, 16],
    [8, 10, 12, 14, 16],
    [11, 12, 13, 15, 16],
  ];
  levels.forEach((level, group) => {
    for (let hue = 0; hue < 24; hue++) {
      // One component stays full for a third of the circle and rises and falls by quarters beside it: red from blue, green from red, blue from green.
      const step = (shift: number) => {
        const at = (hue + shift) % 24;
        return at <= 8 ? 4 : at < 12 ? 12 - at : at <= 20 ? 0 : at - 20;
      };
      const at = (32 + group * 24 + hue) * 3;
      result[at] = level[step(20)];
      result[at + 1] = level[step(12)];
      result[at + 2] = level[step(4)];
    }
  });
  return result;
}
