// The back of a drive: bytes at offsets, as a file of the host, an image format over a file, or a layer over another has them.
// Everything is synchronous: a request is complete when the call returns, however long the host takes, so what a guest sees
// depends on its own time only.

/** What an image or the host does wrong; the message names the place. Ends the guest that meets it. */
export class BlockError extends Error {}

export interface Block {
  /** Bytes that can be read. Files grow with what is written. */
  readonly size: number;
  /** A fresh copy of `length` bytes at `offset`, all inside; throws a BlockError. */
  read(offset: number, length: number): Uint8Array;
  /** Throws a BlockError when nothing can be written. */
  write(offset: number, bytes: Uint8Array): void;
  /** Everything written is on the host's disk when this returns. */
  flush(): void;
  close(): void;
}

/** Hexadecimal offset for messages. */
export const hex = (value: number): string => `0x${value.toString(16)}`;

/** A file in memory: images that were read whole. Writing beyond the end makes it longer. */
export class MemoryFile implements Block {
  #bytes: Uint8Array;
  #size: number;
  readonly #name: string;
  /** The bytes given are never changed: the first write copies them. */
  #shared = true;

  constructor(name: string, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }
  read(offset: number, length: number): Uint8Array {
    checkRange(this.#name, offset, length, this.#size);
    return this.#bytes.slice(offset, offset + length);
  }
  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (this.#shared || end > this.#bytes.length) {
      const larger = new Uint8Array(end > this.#bytes.length ? Math.max(end, this.#bytes.length * 2) : this.#bytes.length);
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
      this.#shared = false;
    }
    this.#bytes.set(bytes, offset);
    this.#size = Math.max(this.#size, end);
  }
  /** The file's contents. */
  contents(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }
  flush(): void {}
  close(): void {}
}

/** Throws a BlockError unless the bytes are inside. */
export function checkRange(name: string, offset: number, length: number, size: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new BlockError(`${name}: ${length} bytes at offset ${hex(offset)} are not within its ${size} bytes`);
}
