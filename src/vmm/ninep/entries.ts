// The names that a client's fids stand for, as a tree: a fid stands for an entry, and the entry knows where it is. So a directory
// that is renamed takes along whatever is open below it, and what was removed is nowhere, even when its name is used again.

import { FolderError } from './errno.ts';
import type { Path } from './hostFolder.ts';

/** Directories within each other, and with it the work for one name. */
export const MOST_DEPTH = 256;

export class Entry {
  #parent: Entry | null;
  #name: string;
  /** Entries in use directly below. */
  readonly #children = new Map<string, Entry>();
  #users = 0;
  readonly #isRoot: boolean;

  private constructor(parent: Entry | null, name: string) {
    this.#parent = parent;
    this.#name = name;
    this.#isRoot = parent === null;
  }

  static root(): Entry {
    return new Entry(null, '').hold();
  }

  /** Where it is: names from the root. Throws ENOENT when it has been removed. */
  get path(): Path {
    const names: string[] = [];
    let entry: Entry = this;
    for (; entry.#parent; entry = entry.#parent) {
      names.push(entry.#name);
      // Renaming can bring deep directories into others.
      if (names.length > MOST_DEPTH) throw new FolderError('ENAMETOOLONG');
    }
    if (!entry.#isRoot) throw new FolderError('ENOENT');
    return names.reverse();
  }

  get name(): string {
    return this.#name;
  }
  /** The directory it is in; the root is in itself, and what was removed in none. */
  get parent(): Entry | null {
    return this.#isRoot ? this : this.#parent;
  }

  /** The entry below it by this name; it is forgotten again unless it is held, or one below it. */
  child(name: string): Entry {
    let child = this.#children.get(name);
    if (!child) {
      child = new Entry(this, name);
      this.#children.set(name, child);
    }
    return child;
  }

  /** Says that a fid stands for it. */
  hold(): this {
    this.#users++;
    return this;
  }

  /** A fid stands for it no longer. */
  release(): void {
    this.#users--;
    this.#forgetUnused();
  }

  #forgetUnused(): void {
    let entry: Entry = this;
    for (let parent = entry.#parent; parent && entry.#users === 0 && entry.#children.size === 0; parent = entry.#parent) {
      parent.#children.delete(entry.#name);
      entry.#parent = null;
      entry = parent;
    }
  }

  /** A name in this directory has been removed. */
  removed(name: string): void {
    const child = this.#children.get(name);
    if (!child) return;
    this.#children.delete(name);
    child.#parent = null;
    this.#forgetUnused();
  }

  /** A name in this directory has become another in `directory`, instead of what had that before. */
  renamed(name: string, directory: Entry, newName: string): void {
    const child = this.#children.get(name);
    if (directory === this && name === newName) return;
    directory.hold();
    directory.removed(newName);
    if (child) {
      this.#children.delete(name);
      child.#parent = directory;
      child.#name = newName;
      directory.#children.set(newName, child);
      this.#forgetUnused();
    }
    directory.release();
  }
}
