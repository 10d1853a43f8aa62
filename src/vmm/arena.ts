// Hands out slices of a worker's RAM arena to guests: first fit, whole megabytes, zeroed before use so that no guest sees what
// another left.

/** Slices are multiples of this. */
const UNIT = 1 << 20;

export class Arena {
  readonly #bytes: Uint8Array;
  /** Slices in use, by their first byte. */
  readonly #used = new Map<number, number>();
  /** Everything from here on has never been given out and is zero. */
  #untouched = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Offset of a free slice; throws a RangeError when there is no room. */
  allocate(length: number): number {
    const rounded = Math.ceil(length / UNIT) * UNIT;
    let offset = 0;
    for (const [start, size] of [...this.#used].sort(([a], [b]) => a - b)) {
      if (start - offset >= rounded) break;
      offset = start + size;
    }
    if (offset + rounded > this.#bytes.length) {
      const free = this.#bytes.length - [...this.#used.values()].reduce((sum, size) => sum + size, 0);
      throw new RangeError(
        `No room for ${rounded / UNIT} MiB of guest memory: ${Math.floor(free / UNIT)} of this worker's ${Math.floor(this.#bytes.length / UNIT)} MiB are free.`,
      );
    }
    this.#used.set(offset, rounded);
    if (offset < this.#untouched) this.#bytes.fill(0, offset, Math.min(offset + rounded, this.#untouched));
    this.#untouched = Math.max(this.#untouched, offset + rounded);
    return offset;
  }

  free(offset: number): void {
    this.#used.delete(offset);
  }
}
