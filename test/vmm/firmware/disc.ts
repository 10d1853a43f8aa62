// A CD-ROM image with an El Torito boot record, made here: descriptor, record, catalogue, boot image.

/** `media`: 0 no emulation, 1 to 3 diskettes, 4 hard disk; `count`: sectors of 512 bytes to load. */
export function bootableDisc({
  media,
  image,
  segment = 0,
  count = 1,
}: {
  readonly media: number;
  readonly image: Uint8Array;
  readonly segment?: number;
  readonly count?: number;
}): Uint8Array {
  const bytes = new Uint8Array((19 + Math.ceil(image.length / 2048)) * 2048),
    view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(new TextEncoder().encode(value), at);
  text(16 * 2048, '\x01CD001\x01');
  text(17 * 2048, '\0CD001\x01EL TORITO SPECIFICATION');
  view.setUint32(17 * 2048 + 0x47, 18, true);
  const catalogue = 18 * 2048;
  bytes.set([1, 0, 0, 0], catalogue);
  bytes.set([0x55, 0xaa], catalogue + 30);
  view.setUint16(catalogue + 28, 0x10000 - 0x0001 - 0xaa55, true);
  bytes.set([0x88, media], catalogue + 32);
  view.setUint16(catalogue + 34, segment, true);
  view.setUint16(catalogue + 38, count, true);
  view.setUint32(catalogue + 40, 19, true);
  bytes.set(image, 19 * 2048);
  return bytes;
}
