// A 64-bit hash for comparing states and for checking files: two 32-bit lanes of xxHash's round with different constants
// (xxHash specification, "XXH32 algorithm description", the lane round and the avalanche). Fast on zeros, which is what most
// of a guest's memory is; not a defence against forgery.

import type { SavedValue } from './device.ts';

const P1 = 0x9e3779b1 | 0,
  P2 = 0x85ebca77 | 0,
  P3 = 0xc2b2ae3d | 0,
  P4 = 0x27d4eb2f | 0,
  P5 = 0x165667b1 | 0;

const round = (lane: number, word: number, a: number, b: number): number => {
  const sum = (lane + Math.imul(word, a)) | 0;
  return Math.imul((sum << 13) | (sum >>> 19), b);
};

const avalanche = (value: number): number => {
  let h = value ^ (value >>> 15);
  h = Math.imul(h, P2);
  h ^= h >>> 13;
  h = Math.imul(h, P3);
  return (h ^ (h >>> 16)) >>> 0;
};

/** Words of the blocks in which memory is looked at; a block of zeros counts as one word. */
const BLOCK = 1024;

export class Hasher {
  #a = P5;
  #b = P4;
  readonly #float = new Float64Array(1);
  readonly #halves = new Int32Array(this.#float.buffer);

  word(value: number): void {
    this.#a = round(this.#a, value, P2, P1);
    this.#b = round(this.#b, value, P3, P5);
  }

  /** Any number, by its bits as a double; all NaNs are one. */
  number(value: number): void {
    this.#float[0] = Number.isNaN(value) ? Number.NaN : value;
    this.word(this.#halves[0]);
    this.word(this.#halves[1]);
  }

  text(value: string): void {
    this.word(value.length);
    for (let n = 0; n < value.length; n++) this.word(value.charCodeAt(n));
  }

  /** A byte array and its length. */
  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = new Int32Array(whole.buffer, whole.byteOffset, whole.length >>> 2);
    for (let start = 0; start < words.length; start += BLOCK) this.#block(words, start, Math.min(start + BLOCK, words.length));
    for (let n = words.length * 4; n < bytes.length; n++) this.word(bytes[n]);
  }

  #block(words: Int32Array, start: number, end: number): void {
    let first = start;
    while (first < end && words[first] === 0) first++;
    this.word(first - start);
    let a = this.#a,
      b = this.#b;
    for (let n = first; n < end; n++) {
      const word = words[n];
      a = round(a, word, P2, P1);
      b = round(b, word, P3, P5);
    }
    this.#a = a;
    this.#b = b;
  }

  /** What a device saved: structure, names and values in their order. */
  saved(value: SavedValue): void {
    if (typeof value === 'number') return (this.word(1), this.number(value));
    if (typeof value === 'string') return (this.word(2), this.text(value));
    if (typeof value === 'boolean') return this.word(value ? 4 : 3);
    if (value === null) return this.word(5);
    if (value instanceof Uint8Array) return (this.word(6), this.bytes(value));
    if (Array.isArray(value)) {
      this.word(7);
      this.word(value.length);
      for (const item of value) this.saved(item);
      return;
    }
    const entries = Object.entries(value);
    this.word(8);
    this.word(entries.length);
    for (const [name, item] of entries) {
      this.text(name);
      this.saved(item);
    }
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return [this.#a ^ (this.#b >>> 7), this.#b].map((lane) => avalanche(lane).toString(16).padStart(8, '0')).join('');
  }
}
