import assert from 'node:assert/strict';
import { BlockError, MemoryFile } from '../../../src/vmm/block/block.ts';
import { Overlay } from '../../../src/vmm/block/overlay.ts';
import { seeded } from '../../support/random.ts';

describe('an overlay', () => {
  const image = Uint8Array.from({ length: 10 * 4096 + 77 }, (_, n) => n % 251);
  const open = (most?: number): Overlay => new Overlay('disk 0', new MemoryFile('base', image), most);

  it('reads what was written, wherever, and leaves the base as it was', () => {
    const overlay = open(),
      expected = image.slice(),
      before = image.slice(),
      random = seeded(5);
    for (let n = 0; n < 300; n++) {
      const length = random.below(random.pick([2, 600, 9000])),
        at = random.below(image.length - length + 1);
      if (n % 2) {
        overlay.write(at, new Uint8Array(length).fill(n));
        expected.fill(n, at, at + length);
      } else assert.deepEqual(overlay.read(at, length), expected.slice(at, at + length));
    }
    assert.deepEqual(overlay.read(0, image.length), expected);
    assert.deepEqual(image, before);
  });

  it('commits each change once and keeps all of them as its state', () => {
    const overlay = open(),
      target = new MemoryFile('target', image);
    overlay.write(image.length - 1, Uint8Array.of(7));
    overlay.write(4095, Uint8Array.of(1, 2));
    assert.deepEqual(overlay.save().pages, [0, 1, 10]);
    overlay.commit(target);
    assert.deepEqual(target.contents(), overlay.read(0, image.length));
    assert.equal(overlay.hasChanges, false);
    overlay.write(0, Uint8Array.of(9));
    const again = new MemoryFile('again', new Uint8Array(image.length));
    overlay.commit(again);
    assert.deepEqual([again.read(0, 1)[0], again.read(4096, 1)[0]], [9, 0], 'only what is new');
    assert.deepEqual(overlay.save().pages, [0, 1, 10]);
  });

  it('refuses what is outside, and more than it may hold', () => {
    const overlay = open(8192);
    for (const [offset, length] of [
      [-1, 1],
      [image.length - 1, 2],
      [Number.NaN, 1],
      [0, 2 ** 40],
    ])
      assert.throws(() => overlay.read(offset, length), BlockError);
    assert.throws(() => overlay.write(image.length, Uint8Array.of(1)), BlockError);
    overlay.write(0, new Uint8Array(8192));
    overlay.write(100, new Uint8Array(8000));
    assert.throws(() => overlay.write(8192, Uint8Array.of(1)), /disk 0: the guest wrote more than 0 MiB/);
  });
});
