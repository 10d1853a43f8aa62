// Copy on write in memory: what a guest writes over an image that is never changed.

import type { SavedState } from '../device.ts';
import { type Block, BlockError, checkRange } from './block.ts';

const PAGE = 4096;
/** Bytes that a guest may write over one image: what it can take of the host's memory. */
const MOST_BYTES = 1 << 30;

export class Overlay implements Block {
  readonly #name: string;
  readonly #base: Block;
  readonly #most: number;
  /** Pages that differ from the base, by number; the last one may be short. */
  readonly #pages = new Map<number, Uint8Array>();
  /** Those of them that the base has not been given. */
  readonly #uncommitted = new Set<number>();

  constructor(name: string, base: Block, most = MOST_BYTES) {
    this.#name = name;
    this.#base = base;
    this.#most = most;
  }

  get size(): number {
    return this.#base.size;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.#name, offset, length, this.size);
    const end = offset + length;
    if (this.#pages.size === 0) return this.#base.read(offset, length);
    const bytes = new Uint8Array(length);
    for (let at = offset; at < end; ) {
      const page = this.#pages.get(Math.floor(at / PAGE));
      let next = Math.min(end, (Math.floor(at / PAGE) + 1) * PAGE);
      if (page) bytes.set(page.subarray(at % PAGE, (at % PAGE) + next - at), at - offset);
      else {
        // As much of the base at once as there is.
        while (next < end && !this.#pages.has(next / PAGE)) next = Math.min(end, next + PAGE);
        bytes.set(this.#base.read(at, next - at), at - offset);
      }
      at = next;
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    checkRange(this.#name, offset, bytes.length, this.size);
    for (let done = 0; done < bytes.length; ) {
      const number = Math.floor((offset + done) / PAGE),
        within = (offset + done) % PAGE,
        page = this.#page(number),
        count = Math.min(bytes.length - done, page.length - within);
      page.set(bytes.subarray(done, done + count), within);
      this.#uncommitted.add(number);
      done += count;
    }
  }

  /** Writes what has changed since the last time to a target of the same contents as the base. */
  commit(target: Block): void {
    for (const number of [...this.#uncommitted].sort((a, b) => a - b)) target.write(number * PAGE, this.#page(number));
    target.flush();
    this.#uncommitted.clear();
  }
  get hasChanges(): boolean {
    return this.#uncommitted.size > 0;
  }

  /** The changed pages, in order. */
  save(): SavedState {
    const pages = [...this.#pages.keys()].sort((a, b) => a - b);
    return { pages, bytes: pages.map((number) => this.#page(number)) };
  }

  flush(): void {}
  close(): void {
    this.#base.close();
  }

  #page(number: number): Uint8Array {
    let page = this.#pages.get(number);
    if (!page) {
      if ((this.#pages.size + 1) * PAGE > this.#most)
        throw new BlockError(
          `${this.#name}: the guest wrote more than ${this.#most >> 20} MiB over the image; with snapshot off the image takes it`,
        );
      page = this.#base.read(number * PAGE, Math.min(PAGE, this.size - number * PAGE));
      this.#pages.set(number, page);
    }
    return page;
  }
}
