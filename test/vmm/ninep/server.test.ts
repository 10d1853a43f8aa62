// The 9P server on real folders, asked by a raw client, both by descriptors and by paths.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode, MESSAGES } from '../../../src/vmm/ninep/messages.ts';
import { MOST_MESSAGE } from '../../../src/vmm/ninep/server.ts';
import { type Client, directoryEntries, type Ground, ground, NOFID, OPEN, WAYS } from './client.ts';

for (const way of WAYS) {
  describe(`9P2000.L on a folder reached by ${way}`, () => {
    let place: Ground, client: Client;
    const path = (...names: string[]): string => join(place.share, ...names);
    beforeEach(() => {
      place = ground();
      client = place.client({ way });
    });
    afterEach(() => place.dispose());

    it('agrees on a version and on the largest message, and serves nothing before', () => {
      const { server } = client;
      server.reset();
      client.refused('statfs', { fid: 0 }, 'EINVAL');
      assert.deepEqual(client.do('version', { msize: 1 << 30, version: '9P2000.L' }), { msize: MOST_MESSAGE, version: '9P2000.L' });
      assert.deepEqual(client.do('version', { msize: 8192, version: '9P2000.u' }), { msize: 8192, version: 'unknown' });
      client.refused('attach', { fid: 0, afid: NOFID, uname: '', aname: '', n_uname: 0 }, 'EINVAL');
      client.refused('version', { msize: 100, version: '9P2000.L' }, 'EMSGSIZE');
      client.do('version', { msize: 8192, version: '9P2000.L' });
      client.refused('auth', { afid: 1, uname: '', aname: '', n_uname: 0 }, 'EOPNOTSUPP');
      client.refused('attach', { fid: 0, afid: NOFID, uname: '', aname: '/etc', n_uname: 0 }, 'ENOENT');
      client.refused('statfs', { fid: 0 }, 'EBADF');
    });

    it('writes and reads files, also behind their end and from a given place', () => {
      const fid = client.create('', 'file');
      assert.deepEqual(client.do('write', { fid, offset: 3n, data: Buffer.from('lo!') }), { count: 3 });
      client.do('write', { fid, offset: 0n, data: Buffer.from('hel') });
      assert.equal(client.read(fid), 'hello!');
      assert.equal(client.read(fid, 4, 1), 'o');
      assert.equal(client.read(fid, 100), '');
      client.do('fsync', { fid, datasync: 0 });
      client.clunk(fid);
      assert.equal(readFileSync(path('file'), 'utf8'), 'hello!');
      const again = client.open('file', OPEN.BOTH | OPEN.TRUNCATE);
      assert.equal(client.read(again), '');
      const append = client.open('file', OPEN.WRITE | OPEN.APPEND);
      for (const text of ['one', 'two']) client.do('write', { fid: append, offset: 0n, data: Buffer.from(text) });
      assert.equal(readFileSync(path('file'), 'utf8'), 'onetwo');
      client.refused('write', { fid: client.open('file'), offset: 0n, data: Buffer.from('x') }, 'EBADF');
      client.refused('read', { fid: append, offset: 0n, count: 1 }, 'EBADF');
      client.refused('write', { fid: append, offset: 2n ** 63n, data: Buffer.from('x') }, 'EFBIG');
    });

    it('creates what is not there, and opens what the host has made since unless that is asked for', () => {
      writeFileSync(path('made'), 'by the host');
      client.refused('lcreate', { fid: client.walk(''), name: 'made', flags: OPEN.BOTH | OPEN.EXCLUSIVE, mode: 0o644, gid: 0 }, 'EEXIST');
      assert.equal(client.read(client.create('', 'made')), 'by the host');
      mkdirSync(path('directory'));
      client.refused('lcreate', { fid: client.walk(''), name: 'directory', flags: OPEN.BOTH, mode: 0o644, gid: 0 }, 'EACCES');
      client.do('mknod', { dfid: 0, name: 'plain', mode: 0o100640, major: 0, minor: 0, gid: 0 });
      assert.equal(statSync(path('plain')).size, 0);
      for (const type of [0o010000, 0o020000, 0o060000, 0o140000, 0])
        client.refused('mknod', { dfid: 0, name: 'special', mode: type | 0o666, major: 1, minor: 3, gid: 0 }, 'EPERM');
      assert.deepEqual(readdirSync(place.share).sort(), ['directory', 'made', 'plain']);
    });

    it('walks as far as it can, says that nothing is there, and goes up no farther than the folder', () => {
      mkdirSync(path('a', 'b'), { recursive: true });
      writeFileSync(path('a', 'b', 'c'), '');
      const { qids } = client.do('walk', { fid: 0, newfid: 9, names: ['a', 'b', 'missing', 'more'] });
      assert.deepEqual(
        qids.map(({ type }) => type),
        [0x80, 0x80],
      );
      client.refused('clunk', { fid: 9 }, 'EBADF');
      client.refused('walk', { fid: 0, newfid: 9, names: ['missing'] }, 'ENOENT');
      client.refused('walk', { fid: client.walk('a/b/c'), newfid: 9, names: ['d'] }, 'ENOTDIR');
      client.do('walk', { fid: 0, newfid: 9, names: ['a', '..', '..', '..', 'a', 'b', 'c'] });
      const root = client.do('getattr', { fid: 0, request_mask: 0x7ffn }).qid;
      client.do('walk', { fid: 9, newfid: 9, names: ['..', '..', '..', '..', '..'] });
      assert.deepEqual(client.do('getattr', { fid: 9, request_mask: 0x7ffn }).qid, root);
      client.refused('walk', { fid: 0, newfid: 10, names: Array.from({ length: 17 }, () => '..') }, 'EINVAL');
      client.refused('walk', { fid: 0, newfid: 9, names: [] }, 'EBADF');
      client.refused('walk', { fid: 77, newfid: 78, names: [] }, 'EBADF');
    });

    it('gives attributes, and changes permissions, size and times but no owner', () => {
      writeFileSync(path('file'), '12345');
      const fid = client.walk('file'),
        { uid, ino } = statSync(path('file'));
      const before = client.do('getattr', { fid, request_mask: 0x7ffn });
      assert.deepEqual([before.size, before.mode & 0o170000, before.uid, before.qid.path], [5n, 0o100000, uid, BigInt(ino)]);
      const time = { atime_sec: 1_000_000_000n, atime_nsec: 500_000_000n, mtime_sec: 1_100_000_000n, mtime_nsec: 0n };
      const set = (valid: number, more = {}) =>
        client.do('setattr', { fid, valid, mode: 0o104751, uid: 12345, gid: 12345, size: 2n, ...time, ...more });
      set(0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100);
      const status = statSync(path('file'));
      assert.deepEqual([status.mode & 0o7777, status.uid, status.size], [0o751, uid, 2], 'no set-user-ID bit');
      assert.deepEqual([status.atimeMs, status.mtimeMs], [1_000_000_000_500, 1_100_000_000_000]);
      const after = client.do('getattr', { fid, request_mask: 0x7ffn });
      assert.deepEqual([after.atime_sec, after.atime_nsec, after.mtime_sec], [1_000_000_000n, 500_000_000n, 1_100_000_000n]);
      set(0x1 | 0x40);
      assert.equal(statSync(path('file')).mtimeMs, 1_100_000_000_000, "a time of change is the host's to set");
      set(0x20);
      assert.ok(Math.abs(statSync(path('file')).mtimeMs - Date.now()) < 60_000);
      assert.equal(statSync(path('file')).atimeMs, 1_000_000_000_500);
      client.refused('setattr', { fid, valid: 0x8, mode: 0, uid: 0, gid: 0, size: 2n ** 64n - 1n, ...time }, 'EFBIG');
      client.refused('setattr', { fid, valid: 0x120, mode: 0, uid: 0, gid: 0, size: 0n, ...time, mtime_sec: 2n ** 62n }, 'EINVAL');
      const empty = { mode: 0, uid: 0, gid: 0, ...time };
      client.refused('setattr', { fid: 0, valid: 0x8, size: 0n, ...empty }, 'EISDIR');
    });

    it('lists directories of 1,000 entries in replies of any size, with types, and begins again at zero', () => {
      const names = Array.from({ length: 1000 }, (_, n) => `entry ${n}`);
      for (const name of names) writeFileSync(path(name), '');
      mkdirSync(path('directory'));
      symlinkSync('entry 1', path('link'));
      const fid = client.open('');
      for (const count of [100, 4096, 1 << 20])
        assert.deepEqual(client.list(fid, count).sort(), ['.', '..', 'directory', 'link', ...names].sort(), `${count}`);
      const entries = directoryEntries(client.do('readdir', { fid, offset: 0n, count: 1 << 20 }).data);
      const types = new Map(entries.map(({ name, type }) => [name, type]));
      assert.deepEqual(
        ['.', '..', 'directory', 'link', 'entry 5'].map((name) => types.get(name)),
        [4, 4, 4, 10, 8],
      );
      assert.equal(entries.find(({ name }) => name === 'entry 7')!.path, BigInt(statSync(path('entry 7')).ino));
      writeFileSync(path('new'), '');
      assert.ok(client.list(fid).includes('new'));
      assert.deepEqual(client.do('readdir', { fid, offset: 0n, count: 10 }).data.length, 0);
      client.refused('readdir', { fid: 0, offset: 0n, count: 4096 }, 'EBADF');
    });

    it('makes and removes directories, files and names', () => {
      client.do('mkdir', { dfid: 0, name: 'd', mode: 0o755, gid: 0 });
      client.refused('mkdir', { dfid: 0, name: 'd', mode: 0o755, gid: 0 }, 'EEXIST');
      client.clunk(client.create('d', 'f'));
      client.do('link', { dfid: 0, fid: client.walk('d/f'), name: 'second' });
      assert.equal(statSync(path('second')).nlink, 2);
      client.refused('unlinkat', { dirfid: 0, name: 'd', flags: 0x200 }, 'ENOTEMPTY');
      client.refused('unlinkat', { dirfid: 0, name: 'd', flags: 0 }, 'EISDIR', 'EPERM');
      client.refused('unlinkat', { dirfid: 0, name: 'second', flags: 0x200 }, 'ENOTDIR');
      client.refused('link', { dfid: 0, fid: client.walk('d'), name: 'third' }, 'EPERM');
      client.do('remove', { fid: client.walk('d/f') });
      client.do('unlinkat', { dirfid: 0, name: 'second', flags: 0 });
      client.do('unlinkat', { dirfid: 0, name: 'd', flags: 0x200 });
      assert.deepEqual(readdirSync(place.share), []);
      client.refused('remove', { fid: client.walk('') }, 'EBUSY');
    });

    it('keeps fids with what they stand for when that is renamed, replaced or removed', () => {
      mkdirSync(path('a', 'deep'), { recursive: true });
      for (const name of ['one', 'two']) writeFileSync(path('a', 'deep', name), name);
      const one = client.walk('a/deep/one'),
        two = client.walk('a/deep/two'),
        open = client.open('a/deep/two', OPEN.BOTH),
        deep = client.walk('a/deep');
      client.do('renameat', { olddirfid: 0, oldname: 'a', newdirfid: 0, newname: 'b' });
      client.do('lopen', { fid: one, flags: OPEN.READ });
      assert.equal(client.read(one), 'one');
      client.do('rename', { fid: one, dfid: deep, name: 'two' });
      assert.equal(readFileSync(path('b', 'deep', 'two'), 'utf8'), 'one');
      client.refused('getattr', { fid: two, request_mask: 0x7ffn }, 'ENOENT');
      assert.equal(client.read(open), 'two', 'an open file outlives its name');
      assert.equal(client.do('getattr', { fid: open, request_mask: 0x7ffn }).nlink, 0n);
      client.do('unlinkat', { dirfid: deep, name: 'two', flags: 0 });
      client.clunk(client.create('b/deep', 'two'));
      client.refused('lopen', { fid: two, flags: OPEN.READ }, 'ENOENT');
      client.refused('rename', { fid: client.walk(''), dfid: deep, name: 'root' }, 'EBUSY');
      client.refused('renameat', { olddirfid: 0, oldname: 'b', newdirfid: deep, newname: 'inside itself' }, 'EINVAL');
    });

    it('takes names of any bytes but those that are no name', () => {
      const names = [
        'with space',
        'new\nline',
        '-rf',
        '*?"<>|:\\',
        '\xff\xfe\x80',
        'über'.repeat(2),
        '...',
        'a'.repeat(255),
        '\x01',
        "'; rm *",
      ];
      for (const name of names) client.clunk(client.create('', Buffer.from(name, 'latin1').toString('latin1')));
      assert.deepEqual(readdirSync(place.share, 'latin1').length, names.length);
      const fid = client.open('');
      assert.deepEqual(client.list(fid).sort(), ['.', '..', ...names].sort());
      for (const name of names) client.do('unlinkat', { dirfid: 0, name, flags: 0 });
      for (const name of ['', '.', '..', '/', 'a/b', '../x', 'nul\0', '/etc/passwd']) {
        const directory = client.walk('');
        client.refused('lcreate', { fid: directory, name, flags: OPEN.BOTH, mode: 0o644, gid: 0 }, 'EINVAL');
        client.refused('mkdir', { dfid: 0, name, mode: 0o755, gid: 0 }, 'EINVAL');
        client.refused('symlink', { dfid: 0, name, symtgt: 'x', gid: 0 }, 'EINVAL');
        client.refused('unlinkat', { dirfid: 0, name, flags: 0 }, 'EINVAL');
        if (name !== '..') client.refused('walk', { fid: 0, newfid: 900, names: [name] }, 'EINVAL');
      }
      client.refused('mkdir', { dfid: 0, name: 'a'.repeat(256), mode: 0o755, gid: 0 }, 'ENAMETOOLONG');
      assert.deepEqual(readdirSync(place.share), []);
    });

    it('has symbolic links, which it does not follow', () => {
      mkdirSync(path('d'));
      writeFileSync(path('d', 'file'), 'text');
      client.do('symlink', { dfid: 0, name: 'link', symtgt: 'd/file', gid: 0 });
      assert.equal(readlinkSync(path('link')), 'd/file');
      const fid = client.walk('link');
      assert.equal(client.do('readlink', { fid }).target, 'd/file');
      const { mode, qid } = client.do('getattr', { fid, request_mask: 0x7ffn });
      assert.deepEqual([mode & 0o170000, qid.type], [0o120000, 0x02]);
      client.refused('lopen', { fid, flags: OPEN.READ }, 'ELOOP');
      symlinkSync('d', path('way'));
      client.refused('walk', { fid: client.walk('way'), newfid: 900, names: ['file'] }, 'ENOTDIR', 'ELOOP');
      client.refused('readlink', { fid: client.walk('d/file') }, 'EINVAL');
    });

    it('changes nothing in a folder that is only to be read', () => {
      writeFileSync(path('file'), 'text');
      chmodSync(path('file'), 0o644);
      const reader = place.client({ writable: false, way }),
        fid = reader.walk('file');
      reader.refused('lopen', { fid, flags: OPEN.WRITE }, 'EROFS');
      reader.refused('lopen', { fid, flags: OPEN.READ | OPEN.TRUNCATE }, 'EROFS');
      reader.refused('lcreate', { fid: reader.walk(''), name: 'x', flags: OPEN.BOTH, mode: 0o644, gid: 0 }, 'EROFS');
      reader.refused('mknod', { dfid: 0, name: 'x', mode: 0o100644, major: 0, minor: 0, gid: 0 }, 'EROFS');
      reader.refused('mkdir', { dfid: 0, name: 'x', mode: 0o755, gid: 0 }, 'EROFS');
      reader.refused('symlink', { dfid: 0, name: 'x', symtgt: 'file', gid: 0 }, 'EROFS');
      reader.refused('link', { dfid: 0, fid, name: 'x' }, 'EROFS');
      reader.refused('renameat', { olddirfid: 0, oldname: 'file', newdirfid: 0, newname: 'x' }, 'EROFS');
      reader.refused('rename', { fid, dfid: 0, name: 'x' }, 'EROFS');
      reader.refused('unlinkat', { dirfid: 0, name: 'file', flags: 0 }, 'EROFS');
      const times = { atime_sec: 0n, atime_nsec: 0n, mtime_sec: 0n, mtime_nsec: 0n };
      reader.refused('setattr', { fid, valid: 0x8, mode: 0, uid: 0, gid: 0, size: 0n, ...times }, 'EROFS');
      reader.refused('remove', { fid: reader.walk('file') }, 'EROFS');
      assert.equal(reader.read(reader.open('file')), 'text');
      assert.deepEqual(readdirSync(place.share), ['file']);
    });

    it('grants locks, has no extended attributes, and aborts what is over already', () => {
      const fid = client.create('', 'file');
      const lock = { fid, type: 1, start: 0n, length: 0n, proc_id: 1, client_id: 'guest' };
      assert.deepEqual(client.do('lock', { ...lock, flags: 1 }), { status: 0 });
      assert.equal(client.do('getlock', lock).type, 2);
      client.refused('xattrwalk', { fid, newfid: 900, name: 'security.capability' }, 'EOPNOTSUPP');
      client.refused('xattrcreate', { fid, name: 'user.x', attr_size: 1n, flags: 0 }, 'EOPNOTSUPP');
      client.do('flush', { oldtag: 5 });
      const { namelen, blocks, bsize } = client.do('statfs', { fid });
      assert.deepEqual([namelen, blocks > 0n, bsize > 0], [255, true, true]);
    });

    it('bounds fids, open files and depth', () => {
      for (let fid = 1000; fid < 1000 + 16_383; fid++) client.do('walk', { fid: 0, newfid: fid, names: [] });
      client.refused('walk', { fid: 0, newfid: 999, names: [] }, 'ENFILE');
      let opened = 0;
      while (client.ask('lopen', { fid: 1000 + opened, flags: OPEN.READ }) !== 'EMFILE') opened++;
      assert.equal(opened, 512);
      client.attach();
      client.do('walk', { fid: 0, newfid: 1, names: [] });
      let depth = 0;
      for (; client.ask('mkdir', { dfid: 1, name: 'd', mode: 0o755, gid: 0 }) !== 'ENAMETOOLONG'; depth++)
        client.do('walk', { fid: 1, newfid: 1, names: ['d'] });
      assert.equal(depth, 256);
      assert.ok(existsSync(path(...Array.from({ length: 256 }, () => 'd'))));
    });

    it('answers malformed messages with an error', () => {
      const { server } = client;
      assert.equal(server.serve(new Uint8Array(6)), null);
      const errno = (bytes: ArrayLike<number>): number => server.serve(Uint8Array.from(bytes))![7]!;
      const whole = encode(MESSAGES.walk.type, 1, MESSAGES.walk.request, { fid: 0, newfid: 1, names: ['abc'] });
      for (let length = 7; length < whole.length; length++) {
        assert.equal(errno(whole.subarray(0, length)), 22, `cut at ${length}`);
        const cut = whole.slice(0, length);
        new DataView(cut.buffer).setUint32(0, length, true);
        assert.equal(errno(cut), 22, `short by ${whole.length - length}`);
      }
      assert.equal(errno([7, 0, 0, 0, 255, 1, 0]), 95);
      assert.equal(errno([0, 0, 0, 0, 110, 1, 0]), 22);
      assert.equal(errno([...whole.subarray(0, 15), 0xff, 0xff]), 22);
    });
  });
}
