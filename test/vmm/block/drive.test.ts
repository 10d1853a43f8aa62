import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { Hasher } from '../../../src/vmm/hash.ts';
import { nodeFiles } from '../../../src/vmm/node/files.ts';
import type { DriveConfig } from '../../../src/vmm/protocol.ts';
import { smallImage } from './qcow2Image.ts';

describe('a drive', () => {
  let folder: string, path: string;
  const image = Uint8Array.from({ length: 1280 }, (_, n) => n % 251);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cp86-drive-'));
    path = join(folder, 'disk.img');
    writeFileSync(path, image);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (changes: Partial<DriveConfig> = {}): Drive =>
    new Drive({ kind: 'disk', index: 0, image: { path }, readOnly: false, ...changes }, nodeFiles());
  const file = (): Uint8Array => new Uint8Array(readFileSync(path));

  it('leaves the image as it is until a commit', () => {
    const drive = open();
    drive.write(1279, Uint8Array.of(99));
    drive.flush();
    assert.deepEqual([drive.read(1279, 1)[0], drive.size], [99, 1280]);
    assert.deepEqual(file(), image);
    assert.equal(drive.commit(), null);
    assert.equal(file()[1279], 99);
    drive.write(0, Uint8Array.of(98));
    assert.equal(drive.commit(), null);
    assert.equal(file()[0], 98);
    drive.close();
  });

  it('writes through when it is told to, and others cannot have the image meanwhile', () => {
    const drive = open({ writeThrough: true });
    drive.write(5, Uint8Array.of(99));
    assert.equal(file()[5], 99);
    assert.throws(() => open({ writeThrough: true }), /in use for writing/);
    assert.throws(() => open(), /in use for writing/);
    drive.close();
    open().close();
  });

  it('tells when somebody else changes the image that it reads', () => {
    const drive = open();
    writeFileSync(path, new Uint8Array(2000));
    assert.throws(() => drive.read(0, 1), /'.*disk\.img' was changed while a guest was reading it/);
    drive.close();
  });

  it('gives back the new contents of an image that was handed over whole', () => {
    const drive = open({ image });
    assert.equal(drive.commit(), null);
    drive.write(3, Uint8Array.of(1));
    const changed = image.slice();
    changed[3] = 1;
    assert.deepEqual(drive.commit(), changed);
    assert.equal(drive.commit(), null);
  });

  it('commits into a qcow2 image', () => {
    writeFileSync(path, smallImage().bytes);
    const drive = open();
    drive.write(8200, Uint8Array.of(1, 2, 3));
    drive.commit();
    drive.close();
    const again = open();
    assert.deepEqual([...again.read(8199, 5)], [0, 1, 2, 3, 0]);
    again.close();
  });

  it('has a state that tells what was written, also when it writes through', () => {
    const states = [false, true].map((writeThrough) => {
      writeFileSync(path, image);
      const drive = open({ writeThrough }),
        fresh = JSON.stringify(drive.save());
      drive.write(7, Uint8Array.of(1));
      const one = JSON.stringify(drive.save());
      drive.write(7, Uint8Array.of(2));
      drive.close();
      return new Set([fresh, one, JSON.stringify(drive.save())]).size;
    });
    assert.deepEqual(states, [3, 3]);
  });

  it('is told from another one by a hash of its contents, whatever the format', () => {
    const digest = (changes: Partial<DriveConfig>): string => {
      const drive = open(changes),
        hasher = new Hasher();
      drive.hash(hasher);
      drive.close();
      return hasher.digest();
    };
    const other = image.slice();
    other[700]++;
    assert.notEqual(digest({ image: other }), digest({ image }));
    const qcow2 = smallImage().bytes,
      packed = open({ image: qcow2 });
    assert.equal(digest({ image: qcow2 }), digest({ image: packed.read(0, packed.size) }));
    const large = (mark: number): Uint8Array => {
      const bytes = new Uint8Array(20 << 20);
      bytes[bytes.length - 1] = mark;
      return bytes;
    };
    assert.notEqual(digest({ image: large(1) }), digest({ image: large(2) }));
  });

  it('refuses writes when it is read-only, and an image without bytes', () => {
    const drive = open({ readOnly: true, writeThrough: true });
    assert.throws(() => drive.write(0, Uint8Array.of(1)), /disk 0 is read-only/);
    drive.close();
    assert.throws(() => open({ image: new Uint8Array(0) }), /Drive disk 0: the image is empty\./);
  });
});
