// A folder of this computer for guests (ninep/hostFolder.ts). Every path is reached by folderReach.ts, so that nothing outside the
// folder is touched; here is what is done there. Only regular files are opened, and what was opened is compared with what was looked
// at: opening a pipe or a device would wait, or do something.

import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { ERRNO, type ErrorName, FolderError } from '../ninep/errno.ts';
import type { FileChanges, FileStatus, FileSystemUsage, FolderFile, HostFolder, OpenMode, Path } from '../ninep/hostFolder.ts';
import { checkHostName, named, type Reach, reachFolder, sameFile } from './folderReach.ts';
import { reasonOf } from './images.ts';

/** `portable`: as on systems without Linux's /proc, for tests. Throws a RangeError that says why the folder cannot be had. */
export function openFolder(path: string, writable: boolean, portable?: boolean): HostFolder {
  try {
    return new NodeFolder(reachFolder(path, portable), writable);
  } catch (error) {
    throw new RangeError(`cannot share the folder '${path}': ${reasonOf(error)}`);
  }
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_SYNC = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
const ENTRIES_AT_ONCE = 1024;

class NodeFolder implements HostFolder {
  readonly writable: boolean;
  readonly #reach: Reach;
  /** The folder's device; others can be mounted below it. */
  readonly #device: bigint;

  constructor(reach: Reach, writable: boolean) {
    this.#reach = reach;
    this.writable = writable;
    this.#device = reach.object([], (_, { dev }) => dev);
  }

  status(path: Path): FileStatus {
    return attempt(() => this.#reach.object(path, (_, status) => this.#statusOf(status)));
  }

  statuses(directory: Path, names: readonly string[]): (FileStatus | null)[] {
    return attempt(() =>
      this.#reach.directory(directory, (prefix) =>
        names.map((name) => {
          const status = lstatSync(named(prefix, name), { bigint: true, throwIfNoEntry: false });
          return status ? this.#statusOf(status) : null;
        }),
      ),
    );
  }

  open(path: Path, mode: OpenMode): FolderFile {
    if (mode.write) this.#mayWrite();
    return this.#opened((keep) =>
      this.#reach.object(path, (at, status) => {
        if (!status.isFile()) throw new FolderError('EACCES');
        const file = keep(openSync(at, openFlags(mode) | this.#sameOnly));
        if (!sameFile(fstatSync(file, { bigint: true }), status)) throw new FolderError('EACCES');
      }),
    );
  }

  create(directory: Path, name: string, mode: OpenMode, permissions: number): FolderFile {
    this.#mayWrite();
    checkHostName(name);
    return this.#opened((keep) =>
      this.#reach.directory(directory, (prefix) => {
        keep(openSync(named(prefix, name), openFlags(mode) | O_CREAT | O_EXCL | O_NOFOLLOW, permissions));
      }),
    );
  }

  /** Flags that open what is there, and do not wait for anybody. */
  get #sameOnly(): number {
    return O_NONBLOCK | O_NOCTTY | (this.#reach.isExact ? 0 : O_NOFOLLOW);
  }

  /** What was opened is closed again when something is wrong with it. */
  #opened(open: (keep: (file: number) => number) => void): FolderFile {
    let opened: number | null = null;
    try {
      return attempt(() => {
        open((file) => (opened = file));
        return new NodeFolderFile(opened!, (status) => this.#statusOf(status));
      });
    } catch (error) {
      if (opened !== null) closeSync(opened);
      throw error;
    }
  }

  list(path: Path, most: number): string[] {
    return attempt(() =>
      this.#reach.directory(path, (prefix) => {
        // As text Node gives names that are no UTF-8 with other characters in them.
        const directory = opendirSync(prefix, { encoding: 'buffer' as BufferEncoding, bufferSize: ENTRIES_AT_ONCE });
        try {
          const names: string[] = [];
          for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
            if (names.length >= most) throw new FolderError('ENOMEM');
            names.push((entry.name as unknown as Buffer).toString('latin1'));
          }
          return names;
        } finally {
          directory.closeSync();
        }
      }),
    );
  }

  change(path: Path, changes: FileChanges): void {
    this.#mayWrite();
    attempt(() =>
      this.#reach.object(path, (at, status) => {
        const { permissions, size } = changes,
          isLink = status.isSymbolicLink();
        if (size !== undefined && !status.isFile()) throw new FolderError(status.isDirectory() ? 'EISDIR' : 'EINVAL');
        if (permissions !== undefined && !status.isFile() && !status.isDirectory()) throw new FolderError('EOPNOTSUPP');
        if (this.#reach.isExact) {
          if (size !== undefined) truncateSync(at, size);
          if (permissions !== undefined) chmodSync(at, permissions);
          setTimes(changes, status, (accessed, modified) => utimesSync(at, accessed, modified));
          return;
        }
        if (!isLink) {
          if (size !== undefined) this.#withOpen(at, status, O_RDWR, (file) => ftruncateSync(file, size));
          if (permissions !== undefined) this.#withOpen(at, status, O_RDONLY, (file) => fchmodSync(file, permissions));
        }
        setTimes(changes, status, (accessed, modified) => lutimesSync(at, accessed, modified));
      }),
    );
  }

  #withOpen(at: Buffer, status: BigIntStats, flags: number, act: (file: number) => void): void {
    const file = openSync(at, flags | this.#sameOnly);
    try {
      if (!sameFile(fstatSync(file, { bigint: true }), status)) throw new FolderError('EACCES');
      act(file);
    } finally {
      closeSync(file);
    }
  }

  makeDirectory(directory: Path, name: string, permissions: number): void {
    this.#within(directory, name, (at) => mkdirSync(at, permissions));
  }

  makeLink(directory: Path, name: string, target: string): void {
    for (const part of target.split('/')) if (part !== '..' && part !== '.') checkHostName(part);
    this.#within(directory, name, (at) => symlinkSync(Buffer.from(target, 'latin1'), at, 'file'));
  }

  readLink(path: Path): string {
    const name = path.at(-1);
    if (name === undefined) throw new FolderError('EINVAL');
    return attempt(() =>
      this.#reach.directory(path.slice(0, -1), (prefix) => readlinkSync(named(prefix, name), 'buffer').toString('latin1')),
    );
  }

  addName(path: Path, directory: Path, name: string): void {
    const old = path.at(-1);
    if (old === undefined) throw new FolderError('EPERM');
    attempt(() =>
      this.#reach.directory(path.slice(0, -1), (prefix) =>
        this.#within(directory, name, (at) => {
          const before = lstatSync(named(prefix, old), { bigint: true });
          if (!before.isFile()) throw new FolderError('EPERM');
          linkSync(named(prefix, old), at);
          // On some systems a link that took the file's place meanwhile has been followed.
          if (sameFile(lstatSync(at, { bigint: true }), before)) return;
          unlinkSync(at);
          throw new FolderError('EACCES');
        }),
      ),
    );
  }

  rename(directory: Path, name: string, newDirectory: Path, newName: string): void {
    checkHostName(name);
    attempt(() =>
      this.#reach.directory(directory, (prefix) => this.#within(newDirectory, newName, (at) => renameSync(named(prefix, name), at))),
    );
  }

  remove(directory: Path, name: string, kind: 'file' | 'directory'): void {
    this.#within(directory, name, kind === 'directory' ? rmdirSync : unlinkSync);
  }

  /** Does something to a name in a directory. */
  #within(directory: Path, name: string, act: (at: Buffer) => void): void {
    this.#mayWrite();
    checkHostName(name);
    attempt(() => this.#reach.directory(directory, (prefix) => act(named(prefix, name))));
  }

  usage(): FileSystemUsage {
    return attempt(() =>
      this.#reach.object([], (at) => {
        const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(at, { bigint: true });
        return { blockSize: Number(bsize), blocks, free: bfree, available: bavail, files, freeFiles: ffree };
      }),
    );
  }

  close(): void {
    this.#reach.close();
  }

  #mayWrite(): void {
    if (!this.writable) throw new FolderError('EROFS');
  }

  #statusOf(status: BigIntStats): FileStatus {
    const { mode, ino, dev, uid, gid, nlink, size, atimeNs, mtimeNs, ctimeNs } = status;
    return {
      kind: status.isFile() ? 'file' : status.isDirectory() ? 'directory' : status.isSymbolicLink() ? 'link' : 'other',
      mode: Number(mode),
      identity: BigInt.asUintN(64, ino ^ ((dev ^ this.#device) << 40n)),
      user: Number(uid),
      group: Number(gid),
      links: nlink,
      size,
      // Windows knows neither.
      blockSize: status.blksize || 4096n,
      blocks: status.blocks ?? (size + 511n) / 512n,
      accessed: atimeNs,
      modified: mtimeNs,
      changed: ctimeNs,
    };
  }
}

class NodeFolderFile implements FolderFile {
  readonly #file: number;
  readonly #statusOf: (status: BigIntStats) => FileStatus;

  constructor(file: number, statusOf: (status: BigIntStats) => FileStatus) {
    this.#file = file;
    this.#statusOf = statusOf;
  }

  status(): FileStatus {
    return attempt(() => this.#statusOf(fstatSync(this.#file, { bigint: true })));
  }

  read(offset: number, length: number): Uint8Array {
    return attempt(() => {
      const bytes = new Uint8Array(length);
      let done = 0;
      for (let count = -1; done < length && count !== 0; done += count)
        count = readSync(this.#file, bytes, done, length - done, offset + done);
      return bytes.subarray(0, done);
    });
  }

  write(offset: number, bytes: Uint8Array): void {
    attempt(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done, bytes.length - done, offset + done);
    });
  }

  change(changes: FileChanges): void {
    attempt(() => {
      const { permissions, size } = changes;
      if (size !== undefined) ftruncateSync(this.#file, size);
      if (permissions !== undefined) fchmodSync(this.#file, permissions);
      setTimes(changes, fstatSync(this.#file, { bigint: true }), (accessed, modified) => futimesSync(this.#file, accessed, modified));
    });
  }

  flush(): void {
    attempt(() => fsyncSync(this.#file));
  }

  close(): void {
    try {
      closeSync(this.#file);
    } catch {
      // Closed it is all the same; who wants to know whether everything is on the disk flushes.
    }
  }
}

function openFlags({ read, write, append, sync }: OpenMode): number {
  return (read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY) | (append ? O_APPEND : 0) | (sync ? O_SYNC : 0);
}

/** Sets what is to be set, by a call that sets both times, in seconds. */
function setTimes({ accessed, modified }: FileChanges, status: BigIntStats, set: (accessed: number, modified: number) => void): void {
  if (accessed === undefined && modified === undefined) return;
  const seconds = (time: bigint | 'now' | undefined, before: bigint): number =>
    time === 'now' ? Date.now() / 1000 : Number(time ?? before) / 1e9;
  set(seconds(accessed, status.atimeNs), seconds(modified, status.mtimeNs));
}

/** What the system refuses, as a FolderError. */
function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof FolderError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new FolderError(Object.hasOwn(ERRNO, code) ? (code as ErrorName) : code === 'ENOTSUP' ? 'EOPNOTSUPP' : 'EIO');
  }
}
