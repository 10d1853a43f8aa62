// A client's fids: the numbers by which it names what it has walked to, and what is open behind them. All is bounded.

import type { Entry } from './entries.ts';
import { FolderError } from './errno.ts';
import type { FolderFile } from './hostFolder.ts';

/** What a client can have at a time: fids, open files and directories, names of directories that it reads. */
const MOST_FIDS = 16_384,
  MOST_OPEN = 512,
  MOST_NAMES = 500_000;
/** What stands for no fid (P9_NOFID). */
const NOFID = 0xffffffff;

/** What a fid is open as. */
export type Opened =
  | { readonly kind: 'file'; readonly file: FolderFile }
  /** The names in a directory since the client began to read it. */
  | { readonly kind: 'directory'; names: readonly string[] | null };

export interface Fid {
  readonly entry: Entry;
  readonly opened: Opened | null;
}

export class Fids {
  readonly #table = new Map<number, Fid>();
  #open = 0;
  #names = 0;

  get(number: number): Fid {
    const fid = this.#table.get(number);
    if (!fid) throw new FolderError('EBADF');
    return fid;
  }
  /** A fid that nothing is open behind. */
  unopened(number: number): Fid {
    const fid = this.get(number);
    if (fid.opened) throw new FolderError('EBADF');
    return fid;
  }
  file(number: number): FolderFile {
    const { opened } = this.get(number);
    if (opened?.kind !== 'file') throw new FolderError('EBADF');
    return opened.file;
  }

  /** Throws when the number is not free, or there are too many. */
  checkFree(number: number): void {
    if (number === NOFID || this.#table.has(number)) throw new FolderError('EBADF');
    if (this.#table.size >= MOST_FIDS) throw new FolderError('ENFILE');
  }
  add(number: number, entry: Entry): void {
    this.checkFree(number);
    this.#table.set(number, { entry: entry.hold(), opened: null });
  }

  /** Throws when too many are open. */
  checkOpen(): void {
    if (this.#open >= MOST_OPEN) throw new FolderError('EMFILE');
  }
  /** The fid is open from now on, and stands for this entry. */
  open(number: number, entry: Entry, opened: Opened): void {
    const before = this.unopened(number);
    this.#table.set(number, { entry: entry.hold(), opened });
    this.#open++;
    before.entry.release();
  }

  /** The names of an open directory, read by `list` when that is wanted or has not been done. */
  names(number: number, again: boolean, list: (most: number) => string[]): readonly string[] {
    const { opened } = this.get(number);
    if (opened?.kind !== 'directory') throw new FolderError('EBADF');
    if (again || !opened.names) {
      this.#names -= opened.names?.length ?? 0;
      opened.names = null;
      opened.names = list(MOST_NAMES - this.#names);
      this.#names += opened.names.length;
    }
    return opened.names;
  }

  remove(number: number): void {
    const { entry, opened } = this.get(number);
    this.#table.delete(number);
    if (opened) this.#open--;
    if (opened?.kind === 'directory') this.#names -= opened.names?.length ?? 0;
    entry.release();
    if (opened?.kind === 'file') opened.file.close();
  }
  clear(): void {
    for (const number of [...this.#table.keys()]) this.remove(number);
  }
}
