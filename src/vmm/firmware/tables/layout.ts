// Tables in memory: a writer of little-endian fields, and the check sums that make the bytes of a table add up to zero.

export class TableWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }
  u8(...values: readonly number[]): this {
    for (const value of values) this.#bytes.push(value & 0xff);
    return this;
  }
  u16(...values: readonly number[]): this {
    for (const value of values) this.u8(value, value >>> 8);
    return this;
  }
  u32(...values: readonly number[]): this {
    for (const value of values) this.u16(value, value >>> 16);
    return this;
  }
  /** Exactly so many characters, filled up with `fill`. */
  text(text: string, length: number, fill = ' '): this {
    for (const letter of text.padEnd(length, fill).slice(0, length)) this.#bytes.push(letter.charCodeAt(0) & 0xff);
    return this;
  }
  bytes(bytes: ArrayLike<number>): this {
    for (let n = 0; n < bytes.length; n++) this.#bytes.push(bytes[n] & 0xff);
    return this;
  }
  /** Zeros up to this offset. */
  zerosTo(offset: number): this {
    while (this.#bytes.length < offset) this.#bytes.push(0);
    return this;
  }
  /** The table, whose check sum is the byte at `checksum`; none when it is absent. */
  done(checksum = -1): Uint8Array {
    const table = Uint8Array.from(this.#bytes);
    if (checksum >= 0) table[checksum] = -table.reduce((sum, byte) => sum + byte, -table[checksum]);
    return table;
  }
}
