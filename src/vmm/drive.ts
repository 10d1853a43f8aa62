// A drive's contents: the image as it was given, never changed, and the sectors that the guest wrote over it. What is done with
// the changes is the owner's business: the command line writes them to the file as QEMU does, the extension drops them.

import type { SavedState } from './device.ts';
import type { FirmwareDrive } from './firmware/machine.ts';
import type { DriveConfig } from './protocol.ts';

export const SECTOR = 512;

export class Drive implements FirmwareDrive {
  readonly kind: 'floppy' | 'disk';
  readonly index: number;
  readonly readOnly: boolean;
  readonly #image: Uint8Array;
  readonly #changed = new Map<number, Uint8Array>();
  readonly #unsaved = new Set<number>();

  constructor(config: DriveConfig) {
    this.kind = config.kind;
    this.index = config.index;
    this.readOnly = config.readOnly;
    this.#image = config.image;
  }

  get size(): number {
    return this.#image.length;
  }

  /** Sectors written since the last call, by number; the last one of an image may be short. */
  takeUnsaved(): ReadonlyMap<number, Uint8Array> {
    const sectors = new Map([...this.#unsaved].sort((a, b) => a - b).map((sector) => [sector, this.#sector(sector)]));
    this.#unsaved.clear();
    return sectors;
  }

  read(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    const bytes = this.#image.slice(offset, offset + length);
    for (let sector = Math.floor(offset / SECTOR); sector * SECTOR < offset + length; sector++) {
      const changed = this.#changed.get(sector);
      if (!changed) continue;
      const start = Math.max(0, offset - sector * SECTOR);
      const end = Math.min(changed.length, offset + length - sector * SECTOR);
      bytes.set(changed.subarray(start, end), sector * SECTOR + start - offset);
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#check(offset, bytes.length);
    if (this.readOnly) throw new RangeError(`${this.kind} ${this.index} is read-only`);
    for (let done = 0; done < bytes.length; ) {
      const sector = Math.floor((offset + done) / SECTOR);
      const within = (offset + done) % SECTOR;
      const target = this.#sector(sector);
      const count = Math.min(bytes.length - done, target.length - within);
      target.set(bytes.subarray(done, done + count), within);
      this.#unsaved.add(sector);
      done += count;
    }
  }

  /** The changed sectors, in order: the drive's part of the machine's state. */
  save(): SavedState {
    const sectors = [...this.#changed.keys()].sort((a, b) => a - b);
    return { sectors, bytes: sectors.map((sector) => this.#sector(sector)) };
  }

  #sector(sector: number): Uint8Array {
    let bytes = this.#changed.get(sector);
    if (!bytes) {
      bytes = this.#image.slice(sector * SECTOR, (sector + 1) * SECTOR);
      this.#changed.set(sector, bytes);
    }
    return bytes;
  }

  #check(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw new RangeError(`${this.kind} ${this.index}: bytes ${offset} to ${offset + length} are not in its ${this.size} bytes`);
  }
}
