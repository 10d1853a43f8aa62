import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockImage } from '../../../src/vmm/node/imageLock.ts';

describe('the lock of a disk image', () => {
  let folder: string, image: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cp86-lock-'));
    image = join(folder, 'disk.img');
    writeFileSync(image, 'x');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is given once, also by another name, and again after it was released', () => {
    const release = lockImage(image);
    symlinkSync(image, join(folder, 'link.img'));
    for (const name of ['disk.img', 'link.img'])
      assert.throws(() => lockImage(join(folder, name)), new RegExp(`${name}' is in use for writing by process ${process.pid}\\.`));
    release();
    assert.ok(!existsSync(`${image}.cp86-lock`));
    lockImage(image)();
  });

  it('is taken over from a process that is gone, and not from one on another computer', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    writeFileSync(`${image}.cp86-lock`, `${pid} elsewhere-${hostname()}\n`);
    assert.throws(() => lockImage(image), /in use/);
    writeFileSync(`${image}.cp86-lock`, `${pid} ${hostname()}\n`);
    lockImage(image)();
  });

  it('is not taken from a process that has not written its name yet', () => {
    writeFileSync(`${image}.cp86-lock`, '');
    assert.throws(() => lockImage(image), /in use for writing\. /);
  });

  it('says why it cannot be had', () => assert.throws(() => lockImage(join(folder, 'none.img')), /no such file/i));
});
