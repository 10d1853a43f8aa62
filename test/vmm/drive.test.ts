import assert from 'node:assert/strict';
import { Drive, SECTOR } from '../../src/vmm/drive.ts';

describe('a drive', () => {
  /** Two and a half sectors, each byte its place. */
  const image = Uint8Array.from({ length: 2.5 * SECTOR }, (_, n) => n % 251);
  const open = (readOnly = false): Drive => new Drive({ kind: 'disk', index: 0, image, readOnly });

  it('reads what was written, across sectors, and leaves the image as it was', () => {
    const drive = open(),
      before = image.slice(),
      bytes = Uint8Array.from({ length: 700 }, (_, n) => 255 - (n % 256));
    drive.write(300, bytes);
    const expected = before.slice();
    expected.set(bytes, 300);
    for (const [offset, length] of [
      [0, 1280],
      [299, 702],
      [511, 2],
      [1024, 256],
    ]) {
      assert.deepEqual(drive.read(offset, length), expected.slice(offset, offset + length));
    }
    assert.deepEqual(image, before);
  });

  it('tells each changed sector once, a short last one too, and keeps all of them as its state', () => {
    const drive = open();
    drive.write(1279, Uint8Array.of(7));
    drive.write(0, Uint8Array.of(1));
    const sectors = drive.takeUnsaved();
    assert.deepEqual(
      [...sectors].map(([sector, { length }]) => [sector, length]),
      [
        [0, SECTOR],
        [2, SECTOR / 2],
      ],
    );
    assert.equal(sectors.get(2)?.at(-1), 7);
    assert.equal(drive.takeUnsaved().size, 0);
    assert.deepEqual(drive.save().sectors, [0, 2]);
  });

  it('refuses what is outside of it, and writes when it is read-only', () => {
    const drive = open();
    for (const [offset, length] of [
      [-1, 1],
      [1279, 2],
      [Number.NaN, 1],
      [0, 2 ** 40],
    ]) {
      assert.throws(() => drive.read(offset, length), RangeError);
    }
    assert.throws(() => drive.write(1280, Uint8Array.of(1)), RangeError);
    assert.throws(() => open(true).write(0, Uint8Array.of(1)), /read-only/);
  });
});
