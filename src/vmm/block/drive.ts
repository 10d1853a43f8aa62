// A drive of a guest: what its controllers and the firmware's disk services read and write. The user's image is never changed unless
// asked: what the guest writes stays in memory over it, until it is committed. A drive that writes through has no such layer.

import type { SavedState } from '../device.ts';
import { Hasher } from '../hash.ts';
import type { HostFiles } from '../platform.ts';
import type { DriveConfig } from '../protocol.ts';
import { BlockError } from './block.ts';
import { nameOf, type OpenedImage, openImage } from './open.ts';
import { Overlay } from './overlay.ts';

/** Images up to this size are hashed whole, of larger ones samples. */
const HASHED_WHOLE = 16 << 20,
  SAMPLES = 64,
  SAMPLE_BYTES = 4096;

export class Drive {
  readonly kind: DriveConfig['kind'];
  readonly index: number;
  readonly interface: NonNullable<DriveConfig['interface']>;
  readonly readOnly: boolean;
  readonly #config: DriveConfig;
  readonly #files: HostFiles | null;
  readonly #image: OpenedImage;
  /** null: the drive writes through. */
  readonly #overlay: Overlay | null;
  /** What a drive that writes through has been told to write. */
  readonly #written = new Hasher();
  #writes = 0;

  /** Opens the image; throws a BlockError when it is none. */
  constructor(config: DriveConfig, files: HostFiles | null) {
    this.kind = config.kind;
    this.index = config.index;
    this.interface = config.interface ?? 'ide';
    this.readOnly = config.readOnly || config.kind === 'cdrom';
    this.#config = config;
    this.#files = files;
    const writeThrough = config.writeThrough === true && !this.readOnly;
    this.#image = openImage(config, files, writeThrough);
    if (this.#image.block.size === 0) {
      this.close();
      throw new BlockError(`Drive ${this.name}: the image is empty.`);
    }
    this.#overlay = writeThrough ? null : new Overlay(this.name, this.#image.block);
  }

  get name(): string {
    return `${this.interface === 'virtio' ? 'virtio ' : ''}${this.kind} ${this.index}`;
  }
  /** Path or name of the image's file. */
  get imageName(): string {
    return nameOf(this.#config.image);
  }
  /** Size of the image in bytes. */
  get size(): number {
    return (this.#overlay ?? this.#image.block).size;
  }

  /** `length` bytes at `offset`, all inside the image. */
  read(offset: number, length: number): Uint8Array {
    return (this.#overlay ?? this.#image.block).read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    if (this.readOnly) throw new BlockError(`${this.name} is read-only`);
    if (this.#overlay) return this.#overlay.write(offset, bytes);
    this.#image.block.write(offset, bytes);
    this.#writes++;
    this.#written.number(offset);
    this.#written.bytes(bytes);
  }

  /** What has been written through is on the host's disk when this returns. */
  flush(): void {
    if (!this.#overlay) this.#image.block.flush();
  }

  /**
   * Writes what the guest changed into the image. Gives the image's new contents when it was read whole; null when the host's
   * file has been written, or nothing had changed.
   */
  commit(): Uint8Array | null {
    if (!this.#overlay?.hasChanges) return null;
    const target = openImage(this.#config, this.#files, true);
    try {
      this.#overlay.commit(target.block);
    } finally {
      target.block.close();
    }
    return target.contents();
  }

  /** The drive's part of the machine's state: what differs from the image, or a hash of what was written to it. */
  save(): SavedState {
    return this.#overlay ? this.#overlay.save() : { writes: this.#writes, hash: this.#written.digest() };
  }

  /** Hash of the contents before the guest runs. */
  hash(hasher: Hasher): void {
    hasher.saved([this.kind, this.index, this.readOnly, this.size, ...(this.interface === 'virtio' ? ['virtio'] : [])]);
    if (this.size <= HASHED_WHOLE) return hasher.bytes(this.read(0, this.size));
    for (let n = 0; n < SAMPLES; n++) {
      const offset = Math.floor(((this.size - SAMPLE_BYTES) / (SAMPLES - 1)) * n);
      hasher.bytes(this.read(offset, SAMPLE_BYTES));
    }
  }

  close(): void {
    this.#image.block.close();
  }
}
