// A raw 9P2000.L client for tests, and a folder of the host with something beside it that must stay as it is.

import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRNO, type ErrorName } from '../../../src/vmm/ninep/errno.ts';
import { decode, encode, LERROR, MESSAGES, type MessageName, type Reply, type Request } from '../../../src/vmm/ninep/messages.ts';
import { MOST_MESSAGE, NinepServer } from '../../../src/vmm/ninep/server.ts';
import { openFolder } from '../../../src/vmm/node/folder.ts';

export const NOFID = 0xffffffff;
/** Flags of lopen and lcreate. */
export const OPEN = { READ: 0, WRITE: 1, BOTH: 2, CREATE: 0o100, EXCLUSIVE: 0o200, TRUNCATE: 0o1000, APPEND: 0o2000 } as const;

export class Client {
  readonly server: NinepServer;
  #tag = 0;
  #fid = 1;

  constructor(server: NinepServer) {
    this.server = server;
  }

  /** The reply to a request, or the name of the error. */
  ask<N extends MessageName>(name: N, values: Request<N>): Reply<N> | ErrorName {
    const { type, request, reply } = MESSAGES[name],
      tag = name === 'version' ? 0xffff : ++this.#tag & 0x7fff;
    const bytes = this.server.serve(encode(type, tag, request, values as never));
    assert.ok(bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    assert.deepEqual([view.getUint32(0, true), view.getUint16(5, true)], [bytes.length, tag]);
    if (bytes[4] === LERROR.type) {
      const { ecode } = decode(bytes, LERROR.layout);
      return (Object.keys(ERRNO) as ErrorName[]).find((error) => ERRNO[error] === ecode) ?? assert.fail(`errno ${ecode}`);
    }
    assert.equal(bytes[4], type + 1);
    return decode(bytes, reply) as Reply<N>;
  }
  /** The reply to a request that succeeds. */
  do<N extends MessageName>(name: N, values: Request<N>): Reply<N> {
    const reply = this.ask(name, values);
    if (typeof reply === 'string') assert.fail(`${name}: ${reply}`);
    return reply;
  }
  refused<N extends MessageName>(name: N, values: Request<N>, ...errors: readonly ErrorName[]): void {
    const reply = this.ask(name, values);
    assert.ok(
      typeof reply === 'string' && errors.includes(reply),
      `${name}: ${JSON.stringify(reply, (_, v) => (typeof v === 'bigint' ? Number(v) : v))}`,
    );
  }

  /** Begins a session; fid 0 is the folder. */
  attach(): this {
    this.do('version', { msize: MOST_MESSAGE, version: '9P2000.L' });
    this.do('attach', { fid: 0, afid: NOFID, uname: 'root', aname: '', n_uname: 0 });
    return this;
  }
  /** A new fid for a path such as 'a/b'. */
  walk(path: string, from = 0): number {
    const newfid = ++this.#fid,
      names = path === '' ? [] : path.split('/');
    const { qids } = this.do('walk', { fid: from, newfid, names });
    assert.equal(qids.length, names.length, path);
    return newfid;
  }
  open(path: string, flags: number = OPEN.READ): number {
    const fid = this.walk(path);
    this.do('lopen', { fid, flags });
    return fid;
  }
  create(directory: string, name: string, flags: number = OPEN.BOTH, mode = 0o644): number {
    const fid = this.walk(directory);
    this.do('lcreate', { fid, name, flags, mode, gid: 0 });
    return fid;
  }
  clunk(fid: number): void {
    this.do('clunk', { fid });
  }
  read(fid: number, offset = 0, count = 4096): string {
    return Buffer.from(this.do('read', { fid, offset: BigInt(offset), count }).data).toString();
  }
  /** Names in an open directory, as many as each reply has room for. */
  list(fid: number, count = 4096): string[] {
    const names: string[] = [];
    for (let offset = 0n; ; ) {
      const entries = directoryEntries(this.do('readdir', { fid, offset, count }).data);
      if (entries.length === 0) return names;
      names.push(...entries.map(({ name }) => name));
      offset = entries.at(-1)!.offset;
    }
  }
}

export function directoryEntries(data: Uint8Array): { type: number; path: bigint; offset: bigint; name: string }[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength),
    entries = [];
  for (let at = 0; at < data.length; ) {
    const length = view.getUint16(at + 22, true);
    entries.push({
      path: view.getBigUint64(at + 5, true),
      offset: view.getBigUint64(at + 13, true),
      type: data[at + 21]!,
      name: Buffer.from(data.subarray(at + 24, at + 24 + length)).toString('latin1'),
    });
    at += 24 + length;
  }
  return entries;
}

/** Two ways to a folder: by descriptors, as on Linux, and by paths, as elsewhere. */
export const WAYS = process.platform === 'linux' ? (['descriptors', 'paths'] as const) : (['paths'] as const);

/** What stands in every file beside the folder, and must be in no reply. */
export const CLASSIFIED = 'classified, not for guests';

/** A new folder `share` with a neighbour `outside`; removed by `dispose`. */
export interface Ground {
  readonly base: string;
  readonly share: string;
  readonly outside: string;
  /** Everything about what is beside the folder: contents, attributes, times of change. */
  canary(): string;
  client(options?: { readonly writable?: boolean; readonly way?: (typeof WAYS)[number] }): Client;
  dispose(): void;
}

export function ground(): Ground {
  const base = mkdtempSync(join(tmpdir(), 'cp86-ninep-')),
    share = join(base, 'share'),
    outside = join(base, 'outside');
  for (const folder of [share, outside, join(outside, 'inner')]) mkdirSync(folder);
  for (const file of [join(outside, 'secret'), join(outside, 'inner', 'deep'), join(base, 'beside')]) writeFileSync(file, CLASSIFIED);
  const clients: Client[] = [];
  return {
    base,
    share,
    outside,
    canary: () => JSON.stringify([readdirSync(base).sort(), describe(join(base, 'beside')), describe(outside)]),
    client({ writable = true, way = WAYS[0] } = {}) {
      const client = new Client(new NinepServer(openFolder(share, writable, way === 'paths'))).attach();
      clients.push(client);
      return client;
    },
    dispose() {
      for (const { server } of clients) server.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function describe(path: string): unknown {
  const { mode, ino, nlink, size, mtimeMs, ctimeMs } = lstatSync(path);
  const status = [path, mode, ino, nlink, size, mtimeMs, ctimeMs];
  if (lstatSync(path).isDirectory())
    return [
      ...status,
      readdirSync(path)
        .sort()
        .map((name) => describe(join(path, name))),
    ];
  return [...status, lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'latin1')];
}
