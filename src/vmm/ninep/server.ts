// A 9P2000.L server for one folder of the host and one client: takes a request message, gives the reply message. Requests are
// served at once and in order, so there is never one to abort. Sources: diod, protocol.md; Linux, fs/9p and net/9p; Plan 9 manual,
// section 5. What a request names is checked here; that nothing outside the folder is touched is HostFolder's promise.
// Left out on purpose: authentication (the client is the guest), extended attributes, device nodes, changing owners (accepted, and
// without effect). Locks are granted always: the guest's kernel has settled them among its programs before it asks.

import { attributes, changesOf, qidOf } from './attributes.ts';
import { Entry, MOST_DEPTH } from './entries.ts';
import { ERRNO, type ErrorName, FolderError } from './errno.ts';
import { Fids } from './fids.ts';
import type { FolderFile, HostFolder, OpenMode, Path } from './hostFolder.ts';
import { leadsInside } from './links.ts';
import {
  DATA_HEADER_BYTES,
  DirectoryData,
  decode,
  encode,
  HEADER_BYTES,
  LERROR,
  MESSAGES,
  type MessageName,
  type Qid,
  type Reply,
  type Request,
  type Values,
} from './messages.ts';

/**
 * Largest message: 128 KiB of data with its header, which is no less than Linux asks for unless told otherwise. More would save
 * nothing, since a request costs little beside the copying, and each reply is an entry of the journal.
 */
export const MOST_MESSAGE = (128 << 10) + 24;
const LEAST_MESSAGE = 4096;

/** P9_MAXWELEM: names in one walk. */
const MOST_WALK = 16;
const MOST_NAME = 255,
  MOST_LINK = 4095;

/** Bits of lopen's and lcreate's flags (P9_DOTL_*). */
const FLAG = { ACCESS: 0o3, EXCLUSIVE: 0o200, TRUNCATE: 0o1000, APPEND: 0o2000, DSYNC: 0o10000, DIRECTORY: 0o200000, SYNC: 0o4000000 };
const ACCESS = { READ: 0, WRITE: 1, BOTH: 2 };
/** unlinkat: what is removed is a directory (AT_REMOVEDIR). */
const REMOVE_DIRECTORY = 0x200;
/** Types in st_mode. */
const TYPE = { MASK: 0o170000, FILE: 0o100000 };
const PERMISSIONS = 0o777;
const LOCK_SUCCESS = 0,
  UNLOCKED = 2;
/** Entries of a directory whose status is asked for at a time. */
const STRIDE = 64;
/** "V9FS", as statfs(2) on the client names the file system. */
const FILE_SYSTEM = 0x01021997;

type Handlers = { readonly [N in MessageName]: (request: Request<N>) => Reply<N> };
const BY_TYPE = new Map((Object.keys(MESSAGES) as MessageName[]).map((name) => [MESSAGES[name].type as number, name]));

export class NinepServer {
  readonly #folder: HostFolder;
  readonly #fids = new Fids();
  readonly #root = Entry.root();
  /** Largest message that the client takes; 0 before it has said so. */
  #msize = 0;

  constructor(folder: HostFolder) {
    this.#folder = folder;
  }

  /** The reply to a message, whatever that is; null when it is not even the beginning of one. */
  serve(message: Uint8Array): Uint8Array | null {
    if (message.length < HEADER_BYTES) return null;
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const size = view.getUint32(0, true),
      name = BY_TYPE.get(message[4]),
      tag = view.getUint16(5, true);
    try {
      if (size < HEADER_BYTES || size > message.length) throw new FolderError('EINVAL');
      if (size > (this.#msize || MOST_MESSAGE)) throw new FolderError('EMSGSIZE');
      if (!name) throw new FolderError('EOPNOTSUPP');
      if (this.#msize === 0 && name !== 'version') throw new FolderError('EINVAL');
      return this.#answer(name, tag, message.subarray(0, size));
    } catch (error) {
      if (!(error instanceof FolderError)) throw error;
      return encode(LERROR.type, tag, LERROR.layout, { ecode: ERRNO[error.code] });
    }
  }

  /** The client is gone: closes what it had open. */
  reset(): void {
    this.#fids.clear();
    this.#msize = 0;
  }

  close(): void {
    this.reset();
    this.#folder.close();
  }

  #answer<N extends MessageName>(name: N, tag: number, message: Uint8Array): Uint8Array {
    const { type, request, reply } = MESSAGES[name];
    const values = this.#handlers[name](decode(message, request) as Request<N>);
    return encode(type + 1, tag, reply, values as Values<typeof reply>);
  }

  readonly #handlers: Handlers = {
    version: ({ msize, version }) => {
      this.reset();
      if (msize < LEAST_MESSAGE) throw new FolderError('EMSGSIZE');
      const agreed = Math.min(msize, MOST_MESSAGE);
      if (version !== '9P2000.L') return { msize: agreed, version: 'unknown' };
      this.#msize = agreed;
      return { msize: agreed, version };
    },
    auth: () => refuse('EOPNOTSUPP'),
    attach: ({ fid, aname }) => {
      if (aname !== '' && aname !== '/') refuse('ENOENT');
      const qid = qidOf(this.#folder.status([]));
      this.#fids.add(fid, this.#root);
      return { qid };
    },
    flush: () => ({}),
    walk: ({ fid, newfid, names }) => {
      const from = this.#fids.get(fid);
      if (names.length > MOST_WALK) refuse('EINVAL');
      if (newfid !== fid) this.#fids.checkFree(newfid);
      else this.#fids.unopened(fid);
      const qids: Qid[] = [];
      // Entries on the way last as long as something holds them.
      let at = from.entry.hold();
      try {
        for (const name of names) {
          const next = (name === '..' ? (at.parent ?? refuse('ENOENT')) : at.child(checkName(name))).hold();
          at.release();
          at = next;
          qids.push(qidOf(this.#folder.status(at.path)));
        }
        if (newfid === fid) this.#fids.remove(fid);
        this.#fids.add(newfid, at);
      } catch (error) {
        // As far as it goes: an error only when that is nowhere.
        if (!(error instanceof FolderError) || qids.length === 0) throw error;
      } finally {
        at.release();
      }
      return { qids };
    },
    clunk: ({ fid }) => {
      this.#fids.remove(fid);
      return {};
    },
    lopen: ({ fid, flags }) => {
      const { entry } = this.#fids.unopened(fid);
      this.#fids.checkOpen();
      const status = this.#folder.status(entry.path);
      if (status.kind === 'directory') {
        if ((flags & FLAG.ACCESS) !== ACCESS.READ) refuse('EISDIR');
        this.#fids.open(fid, entry, { kind: 'directory', names: null });
        return { qid: qidOf(status), iounit: 0 };
      }
      if (flags & FLAG.DIRECTORY) refuse('ENOTDIR');
      // Devices and pipes are the client's own business: what the host has behind them is not in the folder.
      if (status.kind !== 'file') refuse(status.kind === 'link' ? 'ELOOP' : 'ENXIO');
      const mode = openMode(flags);
      if (mode.write || flags & FLAG.TRUNCATE) this.#mayWrite();
      return this.#opened(fid, entry, this.#folder.open(entry.path, mode), (flags & FLAG.TRUNCATE) !== 0);
    },
    lcreate: ({ fid, name, flags, mode }) => {
      this.#fids.unopened(fid);
      const { entry, directory } = this.#place(fid, name);
      this.#fids.checkOpen();
      try {
        const file = this.#folder.create(directory, name, openMode(flags), mode & PERMISSIONS);
        return this.#opened(fid, entry.child(name), file, false);
      } catch (error) {
        if (!(error instanceof FolderError) || error.code !== 'EEXIST' || flags & FLAG.EXCLUSIVE) throw error;
        // The host has made one since the client looked.
        const file = this.#folder.open([...directory, name], openMode(flags));
        return this.#opened(fid, entry.child(name), file, (flags & FLAG.TRUNCATE) !== 0);
      }
    },
    mknod: ({ dfid, name, mode }) => {
      const { directory } = this.#place(dfid, name);
      if ((mode & TYPE.MASK) !== TYPE.FILE) refuse('EPERM');
      const file = this.#folder.create(directory, name, openMode(ACCESS.WRITE), mode & PERMISSIONS);
      try {
        return { qid: qidOf(file.status()) };
      } finally {
        file.close();
      }
    },
    read: ({ fid, offset, count }) => ({
      data: this.#fids.file(fid).read(position(offset), Math.min(count, this.#msize - DATA_HEADER_BYTES)),
    }),
    write: ({ fid, offset, data }) => {
      this.#fids.file(fid).write(position(offset), data);
      return { count: data.length };
    },
    fsync: ({ fid }) => {
      const { opened } = this.#fids.get(fid);
      if (opened?.kind === 'file') opened.file.flush();
      return {};
    },
    readdir: ({ fid, offset, count }) => {
      const { path } = this.#fids.get(fid).entry;
      const names = this.#fids.names(fid, offset === 0n, (most) => ['.', '..', ...this.#folder.list(path, most)]);
      const data = new DirectoryData(Math.min(count, this.#msize - DATA_HEADER_BYTES));
      this.#addEntries(path, names, position(offset), data);
      return { data: data.bytes() };
    },
    getattr: ({ fid }) => {
      const { entry, opened } = this.#fids.get(fid);
      return attributes(opened?.kind === 'file' ? opened.file.status() : this.#folder.status(entry.path));
    },
    setattr: (request) => {
      const { entry, opened } = this.#fids.get(request.fid);
      this.#mayWrite();
      const changes = changesOf(request);
      if (opened?.kind === 'file') opened.file.change(changes);
      else this.#folder.change(entry.path, changes);
      return {};
    },
    statfs: ({ fid }) => {
      this.#fids.get(fid);
      const { blockSize, blocks, free, available, files, freeFiles } = this.#folder.usage();
      return {
        type: FILE_SYSTEM,
        bsize: blockSize,
        blocks,
        bfree: free,
        bavail: available,
        files,
        ffree: freeFiles,
        fsid: 0n,
        namelen: MOST_NAME,
      };
    },
    mkdir: ({ dfid, name, mode }) => {
      const { directory } = this.#place(dfid, name);
      this.#folder.makeDirectory(directory, name, mode & PERMISSIONS);
      return { qid: qidOf(this.#folder.status([...directory, name])) };
    },
    symlink: ({ dfid, name, symtgt }) => {
      const { directory } = this.#place(dfid, name);
      if (symtgt.length > MOST_LINK) refuse('ENAMETOOLONG');
      if (!leadsInside(symtgt, directory.length)) refuse('EPERM');
      this.#folder.makeLink(directory, name, symtgt);
      return { qid: qidOf(this.#folder.status([...directory, name])) };
    },
    readlink: ({ fid }) => ({ target: this.#folder.readLink(this.#fids.get(fid).entry.path) }),
    link: ({ dfid, fid, name }) => {
      const { path } = this.#fids.get(fid).entry,
        { directory } = this.#place(dfid, name);
      // A symbolic link in another place would lead somewhere else.
      if (this.#folder.status(path).kind !== 'file') refuse('EPERM');
      this.#folder.addName(path, directory, name);
      return {};
    },
    rename: ({ fid, dfid, name }) => {
      const { entry } = this.#fids.get(fid);
      if (entry === this.#root) refuse('EBUSY');
      this.#rename(entry.parent ?? refuse('ENOENT'), entry.name, dfid, name);
      return {};
    },
    renameat: ({ olddirfid, oldname, newdirfid, newname }) => {
      this.#rename(this.#fids.get(olddirfid).entry, checkName(oldname), newdirfid, newname);
      return {};
    },
    unlinkat: ({ dirfid, name, flags }) => {
      this.#unlink(this.#fids.get(dirfid).entry, checkName(name), flags & REMOVE_DIRECTORY ? 'directory' : 'file');
      return {};
    },
    remove: ({ fid }) => {
      const { entry } = this.#fids.get(fid);
      try {
        if (entry === this.#root) refuse('EBUSY');
        const { kind } = this.#folder.status(entry.path);
        this.#unlink(entry.parent ?? refuse('ENOENT'), entry.name, kind === 'directory' ? kind : 'file');
      } finally {
        // The fid is gone even when the file is not.
        this.#fids.remove(fid);
      }
      return {};
    },
    lock: ({ fid }) => {
      this.#fids.get(fid);
      return { status: LOCK_SUCCESS };
    },
    getlock: ({ fid, start, length, proc_id, client_id }) => {
      this.#fids.get(fid);
      return { type: UNLOCKED, start, length, proc_id, client_id };
    },
    xattrwalk: () => refuse('EOPNOTSUPP'),
    xattrcreate: () => refuse('EOPNOTSUPP'),
  };

  #mayWrite(): void {
    if (!this.#folder.writable) refuse('EROFS');
  }

  /** Where something gets a name: the directory of a fid, which must be one that can be written. */
  #place(fid: number, name: string): { readonly entry: Entry; readonly directory: Path } {
    const { entry } = this.#fids.get(fid),
      directory = entry.path;
    checkName(name);
    this.#mayWrite();
    if (directory.length >= MOST_DEPTH) refuse('ENAMETOOLONG');
    return { entry, directory };
  }

  /** The file is open behind this fid. */
  #opened(fid: number, entry: Entry, file: FolderFile, truncate: boolean): Reply<'lopen'> {
    try {
      if (truncate) file.change({ size: 0 });
      const qid = qidOf(file.status());
      this.#fids.open(fid, entry, { kind: 'file', file });
      return { qid, iounit: 0 };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Adds entries from this place in a directory on, as many as there is room for. */
  #addEntries(path: Path, names: readonly string[], from: number, data: DirectoryData): void {
    for (let start = from; start < names.length; start += STRIDE) {
      const some = names.slice(start, start + STRIDE);
      const statuses = this.#folder.statuses(path, some);
      for (const [n, name] of some.entries()) {
        const status = name === '.' ? this.#folder.status(path) : name === '..' ? this.#folder.status(path.slice(0, -1)) : statuses[n];
        // What has been removed since is passed over.
        if (!status) continue;
        if (!data.add({ qid: qidOf(status), offset: BigInt(start + n + 1), type: (status.mode & TYPE.MASK) >> 12, name })) return;
      }
    }
  }

  #rename(directory: Entry, name: string, newFid: number, newName: string): void {
    const { entry: newDirectory, directory: to } = this.#place(newFid, newName);
    const from = directory.path;
    const { kind } = this.#folder.status([...from, name]);
    // Nearer to the root, what leads up leads farther: perhaps out of the folder.
    if (to.length < from.length) {
      // Told that the place is on another disk, programs copy what is in a directory.
      if (kind === 'directory') refuse('EXDEV');
      if (kind === 'link') {
        const target = this.#folder.readLink([...from, name]);
        if (!target.startsWith('/') && !leadsInside(target, to.length)) refuse('EPERM');
      }
    }
    this.#folder.rename(from, name, to, newName);
    directory.renamed(name, newDirectory, newName);
  }

  #unlink(directory: Entry, name: string, kind: 'file' | 'directory'): void {
    this.#mayWrite();
    this.#folder.remove(directory.path, name, kind);
    directory.removed(name);
  }
}

function openMode(flags: number): OpenMode {
  const access = flags & FLAG.ACCESS;
  if (access > ACCESS.BOTH) refuse('EINVAL');
  return {
    read: access !== ACCESS.WRITE,
    write: access !== ACCESS.READ,
    append: (flags & FLAG.APPEND) !== 0,
    sync: (flags & (FLAG.SYNC | FLAG.DSYNC)) !== 0,
  };
}

/** A name that something in a directory can have. */
function checkName(name: string): string {
  if (name.length > MOST_NAME) refuse('ENAMETOOLONG');
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) refuse('EINVAL');
  return name;
}

/** A place in a file: what a program can count. */
function position(offset: bigint): number {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER - MOST_MESSAGE)) refuse('EFBIG');
  return Number(offset);
}

function refuse(code: ErrorName): never {
  throw new FolderError(code);
}
