import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImage } from '../../../src/vmm/block/open.ts';
import { nodeFiles } from '../../../src/vmm/node/files.ts';
import { CLUSTER, smallImage } from './qcow2Image.ts';

describe('opening an image', () => {
  let folder: string;
  const files = nodeFiles();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cp86-open-'));
    mkdirSync(join(folder, 'here'));
    writeFileSync(join(folder, 'here', 'base.img'), new Uint8Array(5 * CLUSTER).fill(0x55));
    writeFileSync(join(folder, 'secret.img'), new Uint8Array(5 * CLUSTER).fill(0x99));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, backing: string): string => {
    const path = join(folder, 'here', name);
    writeFileSync(path, smallImage(backing).bytes);
    return path;
  };
  /** First byte of the cluster that the backing file has. */
  const read = (path: string, backing: { path: string }[] = []): number => {
    const { block } = openImage({ image: { path }, backing }, files, false);
    const [byte] = block.read(4 * CLUSTER, 1);
    block.close();
    return byte;
  };

  it('goes by the first bytes, or by what is said', () => {
    const path = put('a.img', '');
    const guessed = openImage({ image: { path } }, files, false).block;
    assert.equal(guessed.size, 5 * CLUSTER - 512);
    const raw = openImage({ image: { path }, format: 'raw' }, files, false).block;
    assert.equal(raw.size, 8 * CLUSTER);
    assert.throws(() => openImage({ image: new Uint8Array(512), format: 'qcow2' }, null, false), /the image: no qcow2 image|header/);
  });

  it('finds a backing file in the same folder, by its name and by the whole path', () => {
    assert.equal(read(put('a', 'base.img')), 0x55);
    assert.equal(read(put('b', join(folder, 'here', 'base.img'))), 0x55);
    assert.equal(read(put('c', 'file:base.img')), 0x55);
  });

  it('opens no backing file elsewhere, no path, no address, unless it is given', () => {
    for (const name of [
      '../secret.img',
      join(folder, 'secret.img'),
      'here/../../secret.img',
      '..',
      '.',
      'nbd://localhost/secret',
      'nbd:localhost:1',
      'https://localhost/secret.img',
      'json:{"driver":"file"}',
      'a\\..\\secret.img',
      '/etc/passwd',
      'base.img\0',
    ])
      assert.throws(() => read(put('a', name)), /its backing file '.*' is not in the same folder/, name);
    assert.equal(read(put('a', '../secret.img'), [{ path: join(folder, 'secret.img') }]), 0x99);
  });

  it('says which backing file is missing', () =>
    assert.throws(() => read(put('a', 'gone.img')), /cannot open '.*gone\.img': no such file/));

  it('refuses images that stand on each other in a ring, also by another name', () => {
    put('b', 'a');
    assert.throws(() => read(put('a', 'b')), /come back to itself/);
    symlinkSync('self', join(folder, 'here', 'link'));
    assert.throws(() => read(put('self', 'link')), /come back to itself/);
    for (let n = 0; n < 20; n++) put(`chain${n}`, `chain${n + 1}`);
    assert.throws(() => read(join(folder, 'here', 'chain0')), /more than 16 images/);
  });

  it('takes images in memory with backing files in memory', () => {
    const image = { name: 'a.qcow2', bytes: smallImage('base.img').bytes };
    assert.throws(() => openImage({ image }, null, false), /a\.qcow2: its backing file 'base\.img' is needed/);
    const backing = [{ name: 'base.img', bytes: new Uint8Array(5 * CLUSTER).fill(3) }];
    const opened = openImage({ image, backing }, null, true);
    assert.equal(opened.block.read(4 * CLUSTER, 1)[0], 3);
    opened.block.write(4 * CLUSTER, Uint8Array.of(4));
    const contents = opened.contents();
    assert.ok(contents);
    assert.equal(openImage({ image: { name: 'a', bytes: contents }, backing }, null, false).block.read(4 * CLUSTER, 2)[0], 4);
    assert.deepEqual(image.bytes, smallImage('base.img').bytes, 'what was given is as it was');
  });

  it('does not let a guest turn an image of guessed format into another one', () => {
    const path = join(folder, 'here', 'base.img');
    const guessed = openImage({ image: { path } }, files, true).block;
    guessed.write(0, Uint8Array.of(0x51, 0x46));
    assert.throws(() => guessed.write(2, Uint8Array.of(0x49, 0xfb)), /give format raw/);
    guessed.close();
    const raw = openImage({ image: { path }, format: 'raw' }, files, true).block;
    raw.write(2, Uint8Array.of(0x49, 0xfb));
    raw.close();
    assert.deepEqual([...readFileSync(path).subarray(0, 4)], [0x51, 0x46, 0x49, 0xfb]);
  });
});
