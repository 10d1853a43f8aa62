import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockError, MemoryFile } from '../../../src/vmm/block/block.ts';
import { Qcow2 } from '../../../src/vmm/block/qcow2.ts';
import { fuzzRounds } from '../../support/fuzz.ts';
import { seeded } from '../../support/random.ts';
import { requireTool } from '../../support/tools.ts';
import { CLUSTER, expectedCluster, HEADER, smallImage } from './qcow2Image.ts';

const none = (): never => assert.fail('no backing file is named');
const open = (bytes: Uint8Array): Qcow2 => new Qcow2('a.qcow2', new MemoryFile('a.qcow2', bytes), none);

describe('a qcow2 image', () => {
  it('has clusters of data, zeros and compressed data, and reads across them', () => {
    const image = open(smallImage().bytes);
    assert.equal(image.size, 5 * CLUSTER - 512);
    const whole = image.read(0, image.size),
      expected = new Uint8Array(image.size);
    for (let n = 0; n < 4; n++) expected.set(expectedCluster(n), n * CLUSTER);
    assert.deepEqual(whole, expected);
    assert.deepEqual(image.read(CLUSTER - 3, 2 * CLUSTER), expected.slice(CLUSTER - 3, 3 * CLUSTER - 3));
  });

  it('shows its backing file where it has nothing, and zeros behind its end', () => {
    const base = new Uint8Array(4 * CLUSTER + 100).fill(0x55);
    const image = new Qcow2('a', new MemoryFile('a', smallImage('base.img').bytes), (name) => {
      assert.equal(name, 'base.img');
      return new MemoryFile(name, base);
    });
    assert.deepEqual(
      image.read(4 * CLUSTER, 104),
      Uint8Array.from({ length: 104 }, (_, n) => (n < 100 ? 0x55 : 0)),
    );
    assert.deepEqual(image.read(CLUSTER, 4), new Uint8Array(4));
  });

  it('takes writes to every kind of cluster and keeps the rest', () => {
    const file = new MemoryFile('a', smallImage('base').bytes);
    const base = () => new MemoryFile('base', new Uint8Array(5 * CLUSTER).fill(0x55));
    const image = new Qcow2('a', file, base),
      expected = image.read(0, image.size);
    for (let n = 0; n < 5; n++) {
      image.write(n * CLUSTER + 10 * n, Uint8Array.of(1, 2, 3));
      expected.set([1, 2, 3], n * CLUSTER + 10 * n);
    }
    assert.deepEqual(image.read(0, image.size), expected);
    assert.deepEqual(new Qcow2('a', new MemoryFile('a', file.contents()), base).read(0, image.size), expected);
  });

  const wrong: readonly (readonly [string, (view: DataView) => void, RegExp])[] = [
    ['no magic', (view) => view.setUint32(0, 1), /a\.qcow2: no qcow2 image \(qcow2 header, offset 0x0\)/],
    ['a version of the future', (view) => view.setUint32(HEADER.version, 4), /version 4; .*offset 0x4\)/],
    ['giant clusters', (view) => view.setUint32(HEADER.clusterBits, 22), /clusters of 2\^22 bytes.*offset 0x14\)/],
    ['a size of 2^60', (view) => view.setUint32(HEADER.size, 1 << 28), /size is too large.*offset 0x18\)/],
    [
      'a large size and a small L1',
      (view) => view.setUint32(HEADER.size, 1),
      /L1 table of 2049 entries|L1 table of 1 entries is too small.*offset 0x24/,
    ],
    ['encryption', (view) => view.setUint32(HEADER.cryptMethod, 1), /encrypted.*offset 0x20\)/],
    ['an L1 table beyond the end', (view) => view.setUint32(HEADER.l1Offset, 5), /L1 table at 0x500003000 reaches beyond.*offset 0x28\)/],
    ['an L1 table between clusters', (view) => view.setUint32(HEADER.l1Offset + 4, 3), /does not begin at a cluster.*offset 0x28\)/],
    ['a giant L1 table', (view) => view.setUint32(HEADER.l1Size, 0xffffffff), /L1 table of 4294967295 entries is too large/],
    ['no refcount table', (view) => view.setUint32(HEADER.refcountTableClusters, 0), /refcount table of 0 clusters.*offset 0x38\)/],
    ['refcounts of 128 bits', (view) => view.setUint32(HEADER.refcountOrder, 7), /counts of 2\^7 bits.*offset 0x60\)/],
    ['an external data file', (view) => view.setUint32(HEADER.incompatible + 4, 4), /external data file.*offset 0x48\)/],
    ['unknown features', (view) => view.setUint32(HEADER.incompatible, 1), /features that are not known/],
    ['a short header', (view) => view.setUint32(HEADER.headerLength, 72), /header of 72 bytes.*offset 0x64\)/],
    [
      'a long backing name',
      (view) => (view.setUint32(HEADER.backingOffset + 4, 512), view.setUint32(HEADER.backingSize, 2000)),
      /2000 bytes.*offset 0x10\)/,
    ],
  ];
  for (const [what, change, message] of wrong) {
    it(`with ${what} is refused, with the offset`, () => {
      const { bytes, view } = smallImage();
      change(view);
      assert.throws(
        () => open(bytes),
        (error) => error instanceof BlockError && message.test(error.message),
      );
    });
  }

  it('with tables that lead out of the file says where', () => {
    const l2 = smallImage();
    l2.view.setUint32(3 * CLUSTER, 0x80000001);
    assert.throws(() => open(l2.bytes).read(0, 1), /a\.qcow2: an L2 table cannot be at 0x100004000 \(L1 entry at 0x3000\)/);
    const data = smallImage();
    data.view.setUint32(4 * CLUSTER + 4, 0x123400);
    assert.throws(() => open(data.bytes).read(0, 1), /cluster at 0x123400 is not aligned \(L2 entry at 0x4000\)/);
    const packed = smallImage();
    packed.bytes.fill(0xff, 6 * CLUSTER, 7 * CLUSTER);
    assert.throws(() => open(packed.bytes).read(2 * CLUSTER, 1), /compressed cluster at 0x6064: deflate: /);
  });

  for (const [what, change, message] of [
    ['marked dirty', (view: DataView) => view.setUint32(HEADER.incompatible + 4, 1), /not closed properly/],
    ['marked as corrupt', (view: DataView) => view.setUint32(HEADER.incompatible + 4, 2), /marked as corrupt/],
    ['with internal snapshots', (view: DataView) => view.setUint32(HEADER.snapshots, 1), /internal snapshots/],
  ] as const) {
    it(`${what} can be read but not written`, () => {
      const { bytes, view } = smallImage();
      change(view);
      assert.equal(open(bytes).read(1, 1)[0], 7);
      assert.throws(() => open(bytes).write(0, Uint8Array.of(1)), message);
    });
  }

  it('damaged at random is read and written, or refused by a BlockError', () => {
    let read = 0,
      refused = 0;
    for (let seed = 1; seed <= fuzzRounds(800); seed++) {
      const random = seeded(seed),
        { bytes } = smallImage();
      for (let n = 1 + random.below(4); n > 0; n--) {
        const [start, length] = random.pick([
          [0, 112],
          [CLUSTER, 16],
          [2 * CLUSTER, 20],
          [3 * CLUSTER, 8],
          [4 * CLUSTER, 40],
          [6 * CLUSTER, 300],
        ] as const);
        bytes[start + random.below(length)] = random.pick([0, 1, 0x40, 0x80, 0xff, random.below(256)]);
      }
      const file = new MemoryFile('x', random.below(8) === 0 ? bytes.slice(0, random.below(bytes.length)) : bytes);
      try {
        const image = new Qcow2('x', file, () => new MemoryFile('base', bytes)),
          length = Math.min(image.size, 3 * CLUSTER);
        for (let n = 0; n < 5; n++) {
          const at = random.below(Math.min(image.size - length, 2 ** 32) + 1);
          image.read(at, length);
          image.write(at, new Uint8Array(Math.min(length, 10)).fill(n));
        }
        read++;
      } catch (error) {
        assert.ok(error instanceof BlockError, `seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
        refused++;
      }
      assert.ok(file.size < 64 * CLUSTER, `seed ${seed}: the file has grown to ${file.size} bytes`);
    }
    assert.ok(read > 0 && refused > 0, `${read} read, ${refused} refused`);
  });
});

describe("qemu-img's images", function () {
  this.timeout(60_000);
  let folder: string, program: string;
  before(function () {
    program = requireTool(this, 'qemu-img');
  });
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cp86-qcow2-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const qemuImg = (...args: string[]): string => execFileSync(program, args, { cwd: folder, encoding: 'utf8' });
  const fileOf = (name: string): MemoryFile => new MemoryFile(name, new Uint8Array(readFileSync(join(folder, name))));
  const openFile = (name: string): Qcow2 =>
    new Qcow2(name, fileOf(name), (backing, format) => (format === 'raw' ? fileOf(backing) : openFile(backing)));

  /** Three megabytes and a half of text, noise and holes. */
  function contents(): Uint8Array {
    const random = seeded(4),
      bytes = new Uint8Array(3.5 * 2 ** 20);
    for (let at = 0; at < bytes.length; at += 8192) {
      const kind = random.below(3);
      if (kind === 0) for (let n = 0; n < 8192; n++) bytes[at + n] = random.below(256);
      if (kind === 1) for (let n = 0; n < 8192; n++) bytes[at + n] = 32 + ((n * (at >> 13)) % 90);
    }
    return bytes;
  }

  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ['version 2', ['-o', 'compat=0.10']],
    ['version 3', ['-o', 'compat=1.1']],
    ['compressed clusters', ['-c']],
    ['small clusters, compressed', ['-c', '-o', 'cluster_size=512']],
    ['large clusters', ['-o', 'cluster_size=2M']],
    ['reference counts of one bit', ['-o', 'refcount_bits=1']],
    ['reference counts of 64 bits', ['-o', 'refcount_bits=64']],
  ];
  for (const [what, options] of kinds) {
    it(`with ${what} reads the same as raw, and is whole after writes of every size`, () => {
      const bytes = contents();
      writeFileSync(join(folder, 'raw'), bytes);
      qemuImg('convert', '-f', 'raw', '-O', 'qcow2', ...options, 'raw', 'image');
      const file = fileOf('image'),
        image = new Qcow2('image', file, none);
      assert.deepEqual(image.read(0, image.size), bytes);
      const random = seeded(9);
      for (let n = 0; n < 60; n++) {
        const piece = new Uint8Array(1 + random.below(random.pick([4, 600, 70_000]))).fill(n + 1),
          at = random.below(bytes.length - piece.length);
        image.write(at, piece);
        bytes.set(piece, at);
      }
      writeFileSync(join(folder, 'image'), file.contents());
      const check = JSON.parse(qemuImg('check', '--output=json', 'image')) as Record<string, number>;
      assert.deepEqual([check['corruptions'] ?? 0, check['leaks'] ?? 0, check['check-errors']], [0, 0, 0]);
      qemuImg('convert', '-f', 'qcow2', '-O', 'raw', 'image', 'back');
      assert.ok(Buffer.from(bytes).equals(readFileSync(join(folder, 'back'))));
    });
  }

  it('with a chain of backing files, compressed and raw, reads what qemu-img reads, and takes writes', () => {
    const bytes = contents();
    writeFileSync(join(folder, 'base.raw'), bytes);
    qemuImg('create', '-f', 'qcow2', '-F', 'raw', '-b', 'base.raw', 'middle.qcow2');
    const middle = fileOf('middle.qcow2');
    new Qcow2('middle', middle, () => fileOf('base.raw')).write(100_000, new Uint8Array(200_000).fill(7));
    writeFileSync(join(folder, 'middle.qcow2'), middle.contents());
    qemuImg('create', '-f', 'qcow2', '-F', 'qcow2', '-b', 'middle.qcow2', 'top.qcow2', '5M');
    bytes.fill(7, 100_000, 300_000);
    const top = openFile('top.qcow2');
    assert.equal(top.size, 5 << 20);
    assert.deepEqual(top.read(0, bytes.length), bytes);
    assert.deepEqual(top.read(bytes.length, 4096), new Uint8Array(4096));
  });

  it('with tiny clusters grows until the refcount table has to move', () => {
    qemuImg('create', '-f', 'qcow2', '-o', 'cluster_size=512', 'tiny', '12M');
    const file = fileOf('tiny'),
      image = new Qcow2('tiny', file, none);
    for (let at = 0; at < image.size; at += 1 << 20) image.write(at, new Uint8Array(1 << 20).fill(1 + (at >> 20)));
    writeFileSync(join(folder, 'tiny'), file.contents());
    assert.match(qemuImg('check', 'tiny'), /No errors were found/);
    assert.equal(image.read(image.size - 1, 1)[0], 12);
  });
});
