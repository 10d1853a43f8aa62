// Attacks on the host by way of a shared folder: by links, by what is no file, by changing things meanwhile, by random requests. What
// is beside the folder is the same afterwards, and nobody has read it. No link that is followed in the test leads beyond the test's own
// folder: who breaks the program is not to lose more than a test.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { encode, MESSAGES, type MessageName } from '../../../src/vmm/ninep/messages.ts';
import { MOST_MESSAGE } from '../../../src/vmm/ninep/server.ts';
import { checkHostName } from '../../../src/vmm/node/folderReach.ts';
import { FUZZ, fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { type Random, seeded } from '../../support/random.ts';
import { CLASSIFIED, type Client, type Ground, ground, OPEN, WAYS } from './client.ts';

const TIMES = { atime_sec: 0n, atime_nsec: 0n, mtime_sec: 0n, mtime_nsec: 0n };
/** Tries everything that could reach through a name of the folder, whatever comes of it. */
function tryAll(client: Client, name: string): void {
  for (const path of [[name], [name, 'secret'], [name, 'inner', 'deep'], [name, '..', name]]) {
    const walked = client.ask('walk', { fid: 0, newfid: 500, names: path });
    if (typeof walked === 'string' || walked.qids.length < path.length) continue;
    for (const valid of [0x1, 0x8, 0x1b0]) client.ask('setattr', { fid: 500, valid, mode: 0o777, uid: 0, gid: 0, size: 0n, ...TIMES });
    client.ask('mkdir', { dfid: 500, name: 'made', mode: 0o755, gid: 0 });
    client.ask('symlink', { dfid: 500, name: 'planted', symtgt: 'x', gid: 0 });
    client.ask('mknod', { dfid: 500, name: 'node', mode: 0o100644, major: 0, minor: 0, gid: 0 });
    client.ask('link', { dfid: 0, fid: 500, name: 'stolen' });
    client.ask('unlinkat', { dirfid: 500, name: 'secret', flags: 0 });
    client.ask('unlinkat', { dirfid: 500, name: 'inner', flags: 0x200 });
    client.ask('renameat', { olddirfid: 500, oldname: 'secret', newdirfid: 0, newname: 'taken' });
    client.ask('renameat', { olddirfid: 0, oldname: 'own', newdirfid: 500, newname: 'own' });
    for (const flags of [OPEN.READ, OPEN.BOTH, OPEN.WRITE | OPEN.TRUNCATE]) {
      client.ask('walk', { fid: 500, newfid: 501, names: [] });
      client.ask('lopen', { fid: 501, flags });
      const read = client.ask('read', { fid: 501, offset: 0n, count: 100 });
      if (typeof read !== 'string') assert.doesNotMatch(Buffer.from(read.data).toString(), /classified/);
      client.ask('write', { fid: 501, offset: 0n, data: Buffer.from('overwritten') });
      const entries = client.ask('readdir', { fid: 501, offset: 0n, count: 4096 });
      if (typeof entries !== 'string') assert.doesNotMatch(Buffer.from(entries.data).toString(), /secret|inner/);
      client.ask('clunk', { fid: 501 });
    }
    client.ask('walk', { fid: 500, newfid: 502, names: [] });
    client.ask('lcreate', { fid: 502, name: 'created', flags: OPEN.BOTH, mode: 0o666, gid: 0 });
    client.ask('clunk', { fid: 502 });
    client.ask('remove', { fid: 500 });
    client.ask('clunk', { fid: 500 });
  }
}

for (const way of WAYS) {
  describe(`a hostile guest with a folder reached by ${way}`, function () {
    this.timeout(60_000);
    let place: Ground, client: Client, before: string;
    const path = (...names: string[]): string => join(place.share, ...names);
    beforeEach(() => {
      place = ground();
      client = place.client({ way });
      before = place.canary();
    });
    afterEach(() => {
      assert.equal(place.canary(), before, 'what is beside the folder is as it was');
      place.dispose();
    });

    it('gets nowhere by links of the host that lead out of the folder', () => {
      writeFileSync(path('own'), 'own');
      for (const target of [
        place.outside,
        '../outside',
        join(place.outside, 'secret'),
        '../outside/secret',
        '../beside',
        place.base,
        '..',
        '.',
        'loop',
      ])
        for (const name of ['link', 'loop']) {
          client.ask('unlinkat', { dirfid: 0, name, flags: 0 });
          symlinkSync(target, path(name));
          tryAll(client, name);
          assert.equal(readFileSync(path('own'), 'utf8'), 'own');
        }
    });

    it('makes no link that leads out of the folder, and brings none there', () => {
      mkdirSync(path('a', 'b'), { recursive: true });
      const deep = client.walk('a/b');
      for (const symtgt of ['/etc/passwd', place.outside, '../../../beside', 'x/../../../../beside'])
        client.refused('symlink', { dfid: deep, name: 'link', symtgt, gid: 0 }, 'EPERM');
      client.do('symlink', { dfid: deep, name: 'link', symtgt: '../../file', gid: 0 });
      client.refused('link', { dfid: 0, fid: client.walk('a/b/link'), name: 'link' }, 'EPERM');
      client.refused('renameat', { olddirfid: deep, oldname: 'link', newdirfid: 0, newname: 'link' }, 'EPERM');
      client.refused('renameat', { olddirfid: client.walk('a'), oldname: 'b', newdirfid: 0, newname: 'b' }, 'EXDEV');
      client.do('renameat', { olddirfid: deep, oldname: 'link', newdirfid: deep, newname: 'other' });
      client.do('symlink', { dfid: deep, name: 'near', symtgt: 'x/y', gid: 0 });
      client.do('renameat', { olddirfid: deep, oldname: 'near', newdirfid: 0, newname: 'near' });
    });

    it('opens no pipe, device or socket, and does not wait for one', async () => {
      writeFileSync(path('own'), 'own');
      execFileSync('mkfifo', [path('pipe')]);
      if (process.getuid?.() === 0) execFileSync('mknod', [path('device'), 'c', '1', '5']);
      const server = createServer().listen(path('socket'));
      await new Promise((resolve) => server.once('listening', resolve));
      for (const name of ['pipe', 'device', 'socket']) tryAll(client, name);
      execFileSync('mkfifo', [path('pipe2')]);
      for (const flags of [OPEN.READ, OPEN.WRITE, OPEN.BOTH]) client.refused('lopen', { fid: client.walk('pipe2'), flags }, 'ENXIO');
      client.refused('lcreate', { fid: client.walk(''), name: 'pipe2', flags: OPEN.BOTH, mode: 0o644, gid: 0 }, 'EACCES');
      server.close();
    });

    it('finds a folder that was moved or replaced where it is, or not at all', () => {
      writeFileSync(path('own'), 'own');
      renameSync(place.share, `${place.share}.moved`);
      symlinkSync(place.outside, place.share);
      tryAll(client, 'inner');
      tryAll(client, '.');
      const file = client.ask('walk', { fid: 0, newfid: 600, names: ['own'] });
      assert.equal(typeof file === 'string', way === 'paths');
      execFileSync('rm', [place.share]);
      renameSync(`${place.share}.moved`, place.share);
    });

    it('reads and changes a file by its names in the folder only, and the host decides which those are', () => {
      writeFileSync(path('own'), 'own');
      linkSync(path('own'), path('same'));
      client.do('write', { fid: client.open('same', OPEN.WRITE), offset: 0n, data: Buffer.from('new') });
      assert.equal(readFileSync(path('own'), 'utf8'), 'new');
    });

    // By paths, that is too much to ask (folderReach.ts).
    if (way === 'descriptors')
      it('never gets out while somebody exchanges directories and links under its hands', async () => {
        for (const name of ['d', 'd/inner']) mkdirSync(path(name));
        for (const name of ['d/secret', 'd/inner/deep', 'own']) writeFileSync(path(name), 'harmless');
        const running = new Int32Array(new SharedArrayBuffer(4));
        const worker = new Worker(
          `const { renameSync, symlinkSync, unlinkSync } = require('node:fs'), { workerData: { d, outside, running } } = require('node:worker_threads');
         while (Atomics.load(running, 0) === 0) { renameSync(d, d + '2'); symlinkSync(outside, d); unlinkSync(d); renameSync(d + '2', d); }`,
          { eval: true, workerData: { d: path('d'), outside: place.outside, running } },
        );
        await new Promise((resolve) => worker.once('online', resolve));
        const found = { harmless: 0, refused: 0 };
        for (let n = 0; n < fuzzRounds(3000); n++) {
          client.ask('walk', { fid: 0, newfid: 700, names: n % 2 ? ['d', 'secret'] : ['d', 'inner', 'deep'] });
          client.ask('lopen', { fid: 700, flags: OPEN.READ });
          const read = client.ask('read', { fid: 700, offset: 0n, count: 100 });
          if (typeof read === 'string') found.refused++;
          else {
            assert.equal(Buffer.from(read.data).toString(), 'harmless');
            found.harmless++;
          }
          client.ask('clunk', { fid: 700 });
          client.ask('walk', { fid: 0, newfid: 701, names: ['d'] });
          client.ask('lcreate', { fid: 701, name: 'created', flags: OPEN.BOTH, mode: 0o644, gid: 0 });
          client.ask('clunk', { fid: 701 });
          client.ask('walk', { fid: 0, newfid: 702, names: ['d'] });
          client.ask('unlinkat', { dirfid: 702, name: 'created', flags: 0 });
          client.ask('mkdir', { dfid: 702, name: 'made', mode: 0o755, gid: 0 });
          client.ask('renameat', { olddirfid: 702, oldname: 'made', newdirfid: 702, newname: 'renamed' });
          client.ask('unlinkat', { dirfid: 702, name: 'renamed', flags: 0x200 });
          client.ask('setattr', { fid: 702, valid: 0x1b1, mode: 0o755, uid: 0, gid: 0, size: 0n, ...TIMES });
          client.ask('clunk', { fid: 702 });
        }
        Atomics.store(running, 0, 1);
        await new Promise((resolve) => worker.once('exit', resolve));
        assert.ok(found.harmless > 0, JSON.stringify(found));
      });

    it('gets nowhere with random and half-valid requests', function () {
      this.timeout(fuzzTimeout(120_000));
      const random = seeded(way.length);
      mkdirSync(path('d', 'inner'), { recursive: true });
      symlinkSync(place.outside, path('out'));
      symlinkSync('../../outside', path('d', 'up'));
      symlinkSync('../outside/secret', path('file-out'));
      execFileSync('mkfifo', [path('pipe')]);
      const counts = { done: 0, refused: 0 };
      const rounds = fuzzRounds(20_000 / (way === 'paths' ? 2 : 1));
      for (let n = 0; n < rounds; n++) {
        const reply = client.server.serve(randomMessage(random));
        if (!reply) continue;
        if (reply[4] === 7) counts.refused++;
        else counts.done++;
        assert.ok(!Buffer.from(reply).includes(CLASSIFIED), `request ${n}`);
        assert.ok(reply.length <= MOST_MESSAGE);
        // Sooner or later a request begins the session anew; and the folder is to stay small.
        if (n % 500 === 0) client.attach();
        if (n % 20_000 === 19_999) {
          assert.equal(place.canary(), before, `before request ${n}`);
          execFileSync('find', [place.share, '-mindepth', '2', '-delete']);
        }
      }
      assert.ok(counts.done > rounds / 20, JSON.stringify(counts));
      if (FUZZ > 1) console.log(way, JSON.stringify(counts));
    });
  });
}

const NAMES = [
  'd',
  'inner',
  'out',
  'up',
  'file-out',
  'pipe',
  'new',
  'x',
  'secret',
  'outside',
  'deep',
  '..',
  '.',
  '',
  '/',
  '../outside',
  '/etc',
  '\0',
  'x\0y',
  'd/inner',
];
const TARGETS = ['x', '../x', '../../outside', '/etc/passwd', 'd/../../outside', '..', '', 'x\0/../../outside'];

function randomMessage(random: Random): Uint8Array {
  if (random.below(20) === 0) return Uint8Array.from({ length: random.below(60) }, () => random.below(256));
  const names = Object.keys(MESSAGES) as MessageName[];
  let name = random.pick(names);
  // The session is to last for some requests.
  if (name === 'version' && random.below(50)) name = 'walk';
  const { type, request } = MESSAGES[name];
  const values: { [field: string]: unknown } = {};
  for (const [field, kind] of Object.entries(request)) values[field] = randomField(random, field, kind);
  if (name === 'version') Object.assign(values, { msize: MOST_MESSAGE, version: '9P2000.L' });
  if (name === 'attach') values['aname'] = '';
  const bytes = encode(type, random.below(0x10000), request, values as never);
  if (random.below(10) === 0) bytes[random.below(bytes.length)] = random.below(256);
  return random.below(20) === 0 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function randomField(random: Random, field: string, kind: string): unknown {
  switch (kind) {
    case 'string':
      return field === 'symtgt' ? random.pick(TARGETS) : random.pick(NAMES);
    case 'strings':
      return Array.from({ length: random.below(4) }, () => random.pick(NAMES));
    case 'data':
      return new Uint8Array(random.below(50)).fill(random.below(256));
    case 'u64':
      return random.below(4)
        ? BigInt(random.below(10_000))
        : BigInt.asUintN(64, (BigInt(random.edgy()) << 32n) | BigInt(random.edgy() >>> 0));
    default:
      if (/fid/.test(field)) return random.below(random.below(4) ? 8 : 40);
      if (field === 'flags') return random.pick([0, 1, 2, 0o1000, 0o1001, 0o2001, 0x200, random.word() >>> 0]);
      if (field === 'mode') return random.pick([0o755, 0o100644, 0o777, random.word() >>> 0]);
      return random.edgy() >>> 0;
  }
}

describe('names on Windows', () => {
  it('are those of something in a directory, and of no device, stream or path', () => {
    for (const name of [
      'a\\b',
      'a:b',
      'file::$DATA',
      'C:',
      'a*',
      'a?',
      'dot.',
      'blank ',
      'con',
      'NUL',
      'nul.txt',
      'COM1',
      'lpt9.x',
      'aux ',
      '\x05',
      'CONIN$',
    ])
      assert.throws(() => checkHostName(name, 'win32'), { code: 'ENOENT' }, name);
    for (const name of ['a', '.hidden', 'a.b.c', 'console', 'com', 'com10', 'nullable.txt', 'a b', '\xc3\xbc', '~1'])
      checkHostName(name, 'win32');
    checkHostName('a:b', 'linux');
  });
});
