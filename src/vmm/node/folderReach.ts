// How something in a folder of this computer is reached without ever leaving the folder, whoever changes directories and links in it
// meanwhile.
//
// On Linux each directory on the way is opened by its name in the one before it, not following links, and what is wanted is named
// relative to an open directory: by /proc/self/fd (proc(5)), which leads to what was opened and nowhere else. Nothing can come
// between looking and using.
//
// Elsewhere there are only whole paths: every directory on the way is looked at before and after the act, and must have been the same
// both times, and what was opened must be what was looked at. A guest alone gets nowhere by that, since its requests are served one
// after the other. Somebody else who exchanges directories of the folder at exactly the right moments might get out: another guest
// with the same folder, or a program of the host that obeys the guest.

import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { FolderError } from '../ninep/errno.ts';
import type { Path } from '../ninep/hostFolder.ts';

/** Gives paths that hold for the time of a call. */
export interface Reach {
  /** The paths of `object` lead to what was found and nowhere else: what acts on such a path follows no link that took its place. */
  readonly isExact: boolean;
  /** Calls with the path of a directory, to which a name can be added. */
  directory<T>(path: Path, act: (prefix: Buffer) => T): T;
  /** Calls with a path to what has this name, be it a link, and with its status. */
  object<T>(path: Path, act: (path: Buffer, status: BigIntStats) => T): T;
  close(): void;
}

/** Throws an Error with a code when there is no such folder. */
export function reachFolder(path: string, portable = !hasProc()): Reach {
  return portable ? new PathReach(path) : new DescriptorReach(path);
}

/** The path of a name in a directory. */
export const named = (prefix: Buffer, name: string): Buffer => Buffer.concat([prefix, Buffer.from(name, 'latin1')]);

/** Linux's O_PATH, which Node does not name: a descriptor that stands for the place and opens nothing. */
const O_PATH = 0x200000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

function hasProc(): boolean {
  if (process.platform !== 'linux') return false;
  let file: number | null = null;
  try {
    file = openSync('/', O_PATH | O_DIRECTORY);
    return sameFile(lstatSync(`/proc/self/fd/${file}/`, { bigint: true }), fstatSync(file, { bigint: true }));
  } catch {
    return false;
  } finally {
    if (file !== null) closeSync(file);
  }
}

export const sameFile = (a: BigIntStats, b: BigIntStats): boolean => a.ino === b.ino && a.dev === b.dev;

class DescriptorReach implements Reach {
  readonly isExact = true;
  readonly #root: number;

  constructor(path: string) {
    this.#root = openSync(path, O_PATH | O_DIRECTORY);
  }

  directory<T>(path: Path, act: (prefix: Buffer) => T): T {
    let file = this.#root;
    try {
      for (const name of path) {
        const next = openSync(named(within(file), name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
        if (file !== this.#root) closeSync(file);
        file = next;
      }
      return act(within(file));
    } finally {
      if (file !== this.#root) closeSync(file);
    }
  }

  object<T>(path: Path, act: (path: Buffer, status: BigIntStats) => T): T {
    const name = path.at(-1);
    if (name === undefined) return act(Buffer.from(`/proc/self/fd/${this.#root}`), fstatSync(this.#root, { bigint: true }));
    return this.directory(path.slice(0, -1), (prefix) => {
      const file = openSync(named(prefix, name), O_PATH | O_NOFOLLOW);
      try {
        return act(Buffer.from(`/proc/self/fd/${file}`), fstatSync(file, { bigint: true }));
      } finally {
        closeSync(file);
      }
    });
  }

  close(): void {
    closeSync(this.#root);
  }
}

const within = (file: number): Buffer => Buffer.from(`/proc/self/fd/${file}/`);

class PathReach implements Reach {
  readonly isExact = false;
  readonly #root: Buffer;
  readonly #status: BigIntStats;

  constructor(path: string) {
    const real = realpathSync(path);
    this.#root = Buffer.from(real.endsWith(sep) ? real : real + sep);
    this.#status = lstatSync(this.#root, { bigint: true });
    if (!this.#status.isDirectory()) throw Object.assign(new Error('it is no directory'), { code: 'ENOTDIR' });
  }

  directory<T>(path: Path, act: (prefix: Buffer) => T): T {
    const before = this.#look(path);
    const result = act(before.prefix);
    const after = this.#look(path);
    if (!before.way.every((status, n) => sameFile(status, after.way[n]))) throw new FolderError('EACCES');
    return result;
  }

  /** The statuses of the folder and each directory on the way. */
  #look(path: Path): { readonly prefix: Buffer; readonly way: readonly BigIntStats[] } {
    let prefix = this.#root;
    const root = lstatSync(prefix, { bigint: true }),
      way = [root];
    if (!sameFile(root, this.#status)) throw new FolderError('ENOENT');
    for (const name of path) {
      checkHostName(name);
      const status = lstatSync(named(prefix, name), { bigint: true });
      if (!status.isDirectory()) throw new FolderError('ENOTDIR');
      way.push(status);
      prefix = Buffer.concat([named(prefix, name), Buffer.from(sep)]);
    }
    return { prefix, way };
  }

  object<T>(path: Path, act: (path: Buffer, status: BigIntStats) => T): T {
    const name = path.at(-1);
    if (name === undefined) return this.directory([], (prefix) => act(prefix, lstatSync(prefix, { bigint: true })));
    checkHostName(name);
    return this.directory(path.slice(0, -1), (prefix) => {
      const whole = named(prefix, name);
      return act(whole, lstatSync(whole, { bigint: true }));
    });
  }

  close(): void {}
}

/**
 * Throws ENOENT for names that on Windows would not name something in a directory: separators, streams of files, devices, and what is
 * shortened to another name.
 */
export function checkHostName(name: string, platform: string = process.platform): void {
  if (platform !== 'win32') return;
  if (/[\\/:*?"<>|]|[. ]$/.test(name) || Array.from(name).some((character) => character < ' ')) throw new FolderError('ENOENT');
  if (/^(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)([0-9]|\xc2[\xb9\xb2\xb3]))\s*(\.|$)/i.test(name))
    throw new FolderError('ENOENT');
}
