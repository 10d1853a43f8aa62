// The messages of 9P2000.L: one table of what is in them, read by the encoder and the decoder below. Sources: Linux,
// include/net/9p/9p.h and net/9p/client.c; diod, protocol.md; Plan 9 manual, section 5. A message is
//   size[4] type[1] tag[2] and its fields, little-endian, one after the other; a reply's type is its request's plus one.

import { FolderError } from './errno.ts';

/** Server's name of a file system object: a type (QID), a version that changes with the contents, and 64 bits of its own. */
export interface Qid {
  readonly type: number;
  readonly version: number;
  readonly path: bigint;
}
/** Types of a Qid. */
export const QID = { DIRECTORY: 0x80, LINK: 0x02, FILE: 0x00 } as const;

interface FieldTypes {
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  readonly u64: bigint;
  /** length[2] and so many bytes, each a character here. */
  readonly string: string;
  /** count[2] and so many strings. */
  readonly strings: readonly string[];
  readonly qid: Qid;
  /** count[2] and so many. */
  readonly qids: readonly Qid[];
  /** count[4] and so many bytes. */
  readonly data: Uint8Array;
}
type Layout = { readonly [field: string]: keyof FieldTypes };
export type Values<L extends Layout> = { readonly [F in keyof L]: FieldTypes[L[F]] };

interface MessageRow {
  readonly type: number;
  readonly request: Layout;
  readonly reply: Layout;
}

/** Messages by their names in the manuals, without the T and R. */
export const MESSAGES = {
  statfs: {
    type: 8,
    request: { fid: 'u32' },
    reply: {
      type: 'u32',
      bsize: 'u32',
      blocks: 'u64',
      bfree: 'u64',
      bavail: 'u64',
      files: 'u64',
      ffree: 'u64',
      fsid: 'u64',
      namelen: 'u32',
    },
  },
  lopen: { type: 12, request: { fid: 'u32', flags: 'u32' }, reply: { qid: 'qid', iounit: 'u32' } },
  lcreate: {
    type: 14,
    request: { fid: 'u32', name: 'string', flags: 'u32', mode: 'u32', gid: 'u32' },
    reply: { qid: 'qid', iounit: 'u32' },
  },
  symlink: { type: 16, request: { dfid: 'u32', name: 'string', symtgt: 'string', gid: 'u32' }, reply: { qid: 'qid' } },
  mknod: {
    type: 18,
    request: { dfid: 'u32', name: 'string', mode: 'u32', major: 'u32', minor: 'u32', gid: 'u32' },
    reply: { qid: 'qid' },
  },
  rename: { type: 20, request: { fid: 'u32', dfid: 'u32', name: 'string' }, reply: {} },
  readlink: { type: 22, request: { fid: 'u32' }, reply: { target: 'string' } },
  getattr: {
    type: 24,
    request: { fid: 'u32', request_mask: 'u64' },
    reply: {
      valid: 'u64',
      qid: 'qid',
      mode: 'u32',
      uid: 'u32',
      gid: 'u32',
      nlink: 'u64',
      rdev: 'u64',
      size: 'u64',
      blksize: 'u64',
      blocks: 'u64',
      atime_sec: 'u64',
      atime_nsec: 'u64',
      mtime_sec: 'u64',
      mtime_nsec: 'u64',
      ctime_sec: 'u64',
      ctime_nsec: 'u64',
      btime_sec: 'u64',
      btime_nsec: 'u64',
      gen: 'u64',
      data_version: 'u64',
    },
  },
  setattr: {
    type: 26,
    request: {
      fid: 'u32',
      valid: 'u32',
      mode: 'u32',
      uid: 'u32',
      gid: 'u32',
      size: 'u64',
      atime_sec: 'u64',
      atime_nsec: 'u64',
      mtime_sec: 'u64',
      mtime_nsec: 'u64',
    },
    reply: {},
  },
  xattrwalk: { type: 30, request: { fid: 'u32', newfid: 'u32', name: 'string' }, reply: { size: 'u64' } },
  xattrcreate: { type: 32, request: { fid: 'u32', name: 'string', attr_size: 'u64', flags: 'u32' }, reply: {} },
  readdir: { type: 40, request: { fid: 'u32', offset: 'u64', count: 'u32' }, reply: { data: 'data' } },
  fsync: { type: 50, request: { fid: 'u32', datasync: 'u32' }, reply: {} },
  lock: {
    type: 52,
    request: { fid: 'u32', type: 'u8', flags: 'u32', start: 'u64', length: 'u64', proc_id: 'u32', client_id: 'string' },
    reply: { status: 'u8' },
  },
  getlock: {
    type: 54,
    request: { fid: 'u32', type: 'u8', start: 'u64', length: 'u64', proc_id: 'u32', client_id: 'string' },
    reply: { type: 'u8', start: 'u64', length: 'u64', proc_id: 'u32', client_id: 'string' },
  },
  link: { type: 70, request: { dfid: 'u32', fid: 'u32', name: 'string' }, reply: {} },
  mkdir: { type: 72, request: { dfid: 'u32', name: 'string', mode: 'u32', gid: 'u32' }, reply: { qid: 'qid' } },
  renameat: { type: 74, request: { olddirfid: 'u32', oldname: 'string', newdirfid: 'u32', newname: 'string' }, reply: {} },
  unlinkat: { type: 76, request: { dirfid: 'u32', name: 'string', flags: 'u32' }, reply: {} },
  version: { type: 100, request: { msize: 'u32', version: 'string' }, reply: { msize: 'u32', version: 'string' } },
  auth: { type: 102, request: { afid: 'u32', uname: 'string', aname: 'string', n_uname: 'u32' }, reply: { aqid: 'qid' } },
  attach: {
    type: 104,
    request: { fid: 'u32', afid: 'u32', uname: 'string', aname: 'string', n_uname: 'u32' },
    reply: { qid: 'qid' },
  },
  flush: { type: 108, request: { oldtag: 'u16' }, reply: {} },
  walk: { type: 110, request: { fid: 'u32', newfid: 'u32', names: 'strings' }, reply: { qids: 'qids' } },
  read: { type: 116, request: { fid: 'u32', offset: 'u64', count: 'u32' }, reply: { data: 'data' } },
  write: { type: 118, request: { fid: 'u32', offset: 'u64', data: 'data' }, reply: { count: 'u32' } },
  clunk: { type: 120, request: { fid: 'u32' }, reply: {} },
  remove: { type: 122, request: { fid: 'u32' }, reply: {} },
} as const satisfies { readonly [name: string]: MessageRow };

export type MessageName = keyof typeof MESSAGES;
export type Request<N extends MessageName> = Values<(typeof MESSAGES)[N]['request']>;
export type Reply<N extends MessageName> = Values<(typeof MESSAGES)[N]['reply']>;

/** Type of the reply that says that a request failed, and its layout: a Linux errno. */
export const LERROR = { type: 7, layout: { ecode: 'u32' } } as const;
/** size[4] type[1] tag[2]. */
export const HEADER_BYTES = 7;
/** What a reply with data has before the data. */
export const DATA_HEADER_BYTES = HEADER_BYTES + 4;

/** A whole message: its header, then fields as the layout says. */
export function encode<L extends Layout>(type: number, tag: number, layout: L, values: Values<L>): Uint8Array {
  const out = new Writer();
  out.number(0, 4);
  out.number(type, 1);
  out.number(tag, 2);
  for (const [name, kind] of Object.entries(layout)) WRITE[kind](out, values[name] as never);
  const bytes = out.bytes();
  new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  return bytes;
}

/** The fields behind a message's header. Throws EINVAL when they are not as the layout says. */
export function decode<L extends Layout>(message: Uint8Array, layout: L): Values<L> {
  const input = new Reader(message);
  const values: { [name: string]: unknown } = {};
  for (const [name, kind] of Object.entries(layout)) values[name] = READ[kind](input);
  return values as Values<L>;
}

const READ: { readonly [K in keyof FieldTypes]: (input: Reader) => FieldTypes[K] } = {
  u8: (input) => input.number(1),
  u16: (input) => input.number(2),
  u32: (input) => input.number(4),
  u64: (input) => input.long(),
  string: (input) => byteText(input.bytes(input.number(2))),
  strings: (input) => Array.from({ length: input.count(2, 2) }, () => READ.string(input)),
  qid: (input) => ({ type: input.number(1), version: input.number(4), path: input.long() }),
  qids: (input) => Array.from({ length: input.count(2, 13) }, () => READ.qid(input)),
  data: (input) => input.bytes(input.number(4)),
};

const WRITE: { readonly [K in keyof FieldTypes]: (out: Writer, value: FieldTypes[K]) => void } = {
  u8: (out, value) => out.number(value, 1),
  u16: (out, value) => out.number(value, 2),
  u32: (out, value) => out.number(value, 4),
  u64: (out, value) => out.long(value),
  string(out, value) {
    out.number(value.length, 2);
    out.append(textBytes(value));
  },
  strings(out, values) {
    out.number(values.length, 2);
    for (const value of values) WRITE.string(out, value);
  },
  qid(out, { type, version, path }) {
    out.number(type, 1);
    out.number(version, 4);
    out.long(path);
  },
  qids(out, values) {
    out.number(values.length, 2);
    for (const value of values) WRITE.qid(out, value);
  },
  data(out, value) {
    out.number(value.length, 4);
    out.append(value);
  },
};

/** Entry of a directory in the data of a reply to readdir. */
export const DIRECTORY_ENTRY = { qid: 'qid', offset: 'u64', type: 'u8', name: 'string' } as const;
/** Adds an entry to data; false: it has no more room. */
export class DirectoryData {
  readonly #out = new Writer();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }
  add(entry: Values<typeof DIRECTORY_ENTRY>): boolean {
    if (this.#out.length + 24 + entry.name.length > this.#most) return false;
    for (const [name, kind] of Object.entries(DIRECTORY_ENTRY)) WRITE[kind](this.#out, entry[name as keyof typeof entry] as never);
    return true;
  }
  bytes(): Uint8Array {
    return this.#out.bytes();
  }
}

/** Bytes as a text that has a character for each. */
function byteText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
const textBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

class Reader {
  readonly #message: Uint8Array;
  readonly #view: DataView;
  #at = HEADER_BYTES;

  constructor(message: Uint8Array) {
    this.#message = message;
    this.#view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  }
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#message.length - at) throw new FolderError('EINVAL');
    this.#at += length;
    return at;
  }
  number(size: 1 | 2 | 4): number {
    const at = this.#take(size);
    return size === 4 ? this.#view.getUint32(at, true) : size === 2 ? this.#view.getUint16(at, true) : this.#message[at];
  }
  long(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }
  /** A count of things that take at least so many bytes each. */
  count(size: 2, each: number): number {
    const count = this.number(size);
    if (count * each > this.#message.length - this.#at) throw new FolderError('EINVAL');
    return count;
  }
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#message.subarray(at, at + length);
  }
}

class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }
  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
  number(value: number, size: 1 | 2 | 4): void {
    const at = this.#room(size);
    for (let n = 0; n < size; n++) this.#bytes[at + n] = value >>> (8 * n);
  }
  long(value: bigint): void {
    const at = this.#room(8);
    new DataView(this.#bytes.buffer).setBigUint64(at, BigInt.asUintN(64, value), true);
  }
  append(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
