// Files of this computer for the worker: image files read and written at positions, synchronously. An image that is written is
// locked; one that is only read must stay as it is while a guest reads it.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, realpathSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Block, BlockError, checkRange } from '../block/block.ts';
import type { HostFiles } from '../platform.ts';
import { checkUnlocked, lockImage } from './imageLock.ts';
import { reasonOf } from './images.ts';

export function nodeFiles(): HostFiles {
  return {
    open(path, writable) {
      try {
        return new NodeFile(path, writable);
      } catch (error) {
        throw error instanceof BlockError ? error : new BlockError(`cannot open '${path}': ${reasonOf(error)}`);
      }
    },
    identity(path) {
      try {
        return realpathSync(path);
      } catch {
        return path;
      }
    },
    sibling(path, name) {
      const folder = dirname(path),
        plain = basename(name);
      // The folder itself may be part of the name, as it is given or as it is.
      const within = name === plain || dirname(name) === folder || dirname(name) === realpathSync(folder);
      return within && !/[/\\\0]/.test(plain) && !['', '.', '..'].includes(plain) ? join(folder, plain) : null;
    },
  };
}

class NodeFile implements Block {
  readonly #path: string;
  readonly #file: number;
  readonly #release: (() => void) | null;
  /** What a file that is only read looked like when it was opened. */
  readonly #version: string;
  #size: number;

  constructor(path: string, writable: boolean) {
    this.#path = path;
    if (!writable) checkUnlocked(path);
    this.#release = writable ? lockImage(path) : null;
    try {
      this.#file = openSync(path, writable ? 'r+' : 'r');
    } catch (error) {
      this.#release?.();
      throw error;
    }
    const status = fstatSync(this.#file);
    if (!status.isFile()) {
      this.close();
      throw new BlockError(`cannot open '${path}': it is no file`);
    }
    this.#size = status.size;
    this.#version = versionOf(status);
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.#path, offset, length, this.#size);
    if (!this.#release && versionOf(fstatSync(this.#file)) !== this.#version)
      throw new BlockError(`'${this.#path}' was changed while a guest was reading it`);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = this.#try('read', () => readSync(this.#file, bytes, done, length - done, offset + done));
      if (count === 0) throw new BlockError(`cannot read '${this.#path}': it became shorter`);
      done += count;
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    if (!this.#release) throw new BlockError(`'${this.#path}' was opened for reading`);
    for (let done = 0; done < bytes.length; )
      done += this.#try('write', () => writeSync(this.#file, bytes, done, bytes.length - done, offset + done));
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  flush(): void {
    if (this.#release) this.#try('write', () => fsyncSync(this.#file));
  }

  close(): void {
    closeSync(this.#file);
    this.#release?.();
  }

  #try<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw new BlockError(`cannot ${what} '${this.#path}': ${reasonOf(error)}`);
    }
  }
}

const versionOf = ({ size, mtimeMs, ino }: { size: number; mtimeMs: number; ino: number }): string => `${size} ${mtimeMs} ${ino}`;
