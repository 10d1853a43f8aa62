// What every loader gives back, what it throws, and bounds-checked reading of the image. Images are hostile: every number in
// them is checked before it is used, and the error says what is wrong and at which offset of the file.

/** Bytes for guest-physical memory; what `bytes` lacks to `length` is zero. */
export interface MemoryWrite {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** A guest ready to start: memory to write and registers to set after the firmware's power-on work. */
export interface LoadedImage {
  /** What was recognised, in words: 'Multiboot 1 kernel (ELF)'. */
  readonly title: string;
  readonly writes: readonly MemoryWrite[];
  /** By the names of translator/state.ts; those not named keep their values after reset. Empty: start at the reset vector. */
  readonly registers: { readonly [name: string]: number };
}

/** An image that cannot be booted. `offset` is the place in the file, or -1 when the reason has no place. */
export class ImageError extends RangeError {
  readonly offset: number;
  constructor(message: string, offset = -1) {
    super(offset < 0 ? message : `${message} (at file offset ${hex(offset)})`);
    this.name = 'ImageError';
    this.offset = offset;
  }
}
export const hex = (value: number): string => `0x${value.toString(16)}`;

/** Little-endian reader of an image, or of a piece of it; reading outside is an ImageError that names the field. */
export class ImageReader {
  readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly view: DataView;
  /** `start`: offset in the file of the first byte. */
  constructor(bytes: Uint8Array, start = 0) {
    this.bytes = bytes;
    this.start = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get length(): number {
    return this.bytes.length;
  }
  u8(offset: number, field: string): number {
    this.need(offset, 1, field);
    return this.view.getUint8(offset - this.start);
  }
  u16(offset: number, field: string): number {
    this.need(offset, 2, field);
    return this.view.getUint16(offset - this.start, true);
  }
  u32(offset: number, field: string): number {
    this.need(offset, 4, field);
    return this.view.getUint32(offset - this.start, true);
  }
  /** Bytes of the image, not a copy. */
  slice(offset: number, length: number, field: string): Uint8Array {
    this.need(offset, length, field);
    return this.bytes.subarray(offset - this.start, offset - this.start + length);
  }
  /** Text up to a zero byte, at most `limit` bytes. */
  text(offset: number, limit: number, field: string): string {
    this.need(offset, 0, field);
    const first = offset - this.start,
      end = this.bytes.indexOf(0, first),
      last = Math.min(end < 0 ? this.length : end, first + limit);
    return new TextDecoder('latin1').decode(this.bytes.subarray(first, last));
  }
  private need(offset: number, length: number, field: string): void {
    if (offset >= this.start && offset - this.start + length <= this.length) return;
    throw new ImageError(`image is truncated: ${field} needs ${length} bytes, the file ends at ${hex(this.start + this.length)}`, offset);
  }
}

/** First byte of video memory and end of the ROM: images cannot be loaded between. */
const HOLE_FIRST = 0xa0000,
  HOLE_END = 0x100000;

/** A write that is certain to fit into RAM; `what` names it in the error, `offset` is where the image asks for it. */
export function placed(what: string, address: number, bytes: Uint8Array, length: number, memory: number, offset = -1): MemoryWrite {
  const end = address + length;
  if (end > memory)
    throw new ImageError(`${what} goes to ${hex(address)}-${hex(end - 1)}, but the guest has ${hex(memory)} bytes of RAM`, offset);
  if (length > 0 && address < HOLE_END && end > HOLE_FIRST)
    throw new ImageError(`${what} goes to ${hex(address)}-${hex(end - 1)}, over video memory or ROM (0xa0000-0xfffff)`, offset);
  return { address, bytes, length };
}
export const overlaps = (a: MemoryWrite, address: number, length: number): boolean =>
  a.address < address + length && address < a.address + a.length;
export const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** Bytes of a command line with its ending zero. Characters above FFh are not representable and become '?'. */
export function zeroTerminated(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 1);
  for (let n = 0; n < text.length; n++) {
    const code = text.charCodeAt(n);
    bytes[n] = code > 0xff || code === 0 ? 0x3f : code;
  }
  return bytes;
}
