import { strict as assert } from 'node:assert';
import { MILLISECOND } from '../devices/rig.ts';
import { ataRig, command, finish, MASTER, PRIMARY, pattern, READY, readBlocks } from './ataRig.ts';

const image = pattern(100);
const other = image.map((byte) => byte ^ 0xff);
const SECONDARY = 0x170;
const signature = (rig: ReturnType<typeof ataRig>): number[] => [1, 2, 3, 4, 5].map((n) => rig.in(PRIMARY + n));

describe('an ATA channel', () => {
  it('has two devices, and the selected one answers', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image }, { kind: 'disk', index: 1, image: other });
    command(rig, 0x20, { count: 1, lba: 3, device: 0xf0 });
    assert.deepEqual(readBlocks(rig, 1), other.slice(3 * 512, 4 * 512));
    command(rig, 0x20, { count: 1, lba: 3 });
    assert.deepEqual(readBlocks(rig, 1), image.slice(3 * 512, 4 * 512));
  });

  it('has another one beside it, with an interrupt request line of its own', () => {
    const rig = ataRig({ kind: 'disk', index: 2, image });
    command(rig, 0x20, { count: 1, lba: 3, base: SECONDARY });
    assert.deepEqual(readBlocks(rig, 1, 512, SECONDARY), image.slice(3 * 512, 4 * 512));
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((n) => rig.in(PRIMARY + n)),
      [0, 0, 0, 0, 0, 0, 0, 0],
    );
    assert.equal(rig.in(MASTER + 8 + 2) & 4, 4, 'the bus master notes each interrupt');
    assert.equal(rig.in(MASTER + 2) & 4, 0);
  });

  it('where only the first device is, has a second one without status, that executes nothing', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image });
    command(rig, 0xec, { device: 0xf0 });
    rig.run(MILLISECOND);
    assert.deepEqual([rig.in(PRIMARY + 7), rig.in(0x3f6)], [0, 0]);
    rig.out(PRIMARY + 2, 0x55);
    assert.equal(rig.in(PRIMARY + 2), 0x55, 'the first device answers for it');
  });

  it('after power-on, soft reset and diagnostic has the signature of disks', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image });
    assert.deepEqual(signature(rig), [1, 1, 1, 0, 0]);
    command(rig, 0x20, { count: 7, lba: 0x112233 });
    rig.out(0x3f6, 4);
    rig.run(MILLISECOND);
    assert.equal(rig.in(PRIMARY + 7), 0x80, 'busy while the reset lasts');
    rig.out(0x3f6, 0);
    assert.equal(rig.in(PRIMARY + 7), 0x80);
    rig.run(MILLISECOND);
    assert.deepEqual([rig.in(PRIMARY + 7), ...signature(rig)], [READY, 1, 1, 1, 0, 0]);
    command(rig, 0x90, { count: 7 });
    assert.equal(finish(rig), READY);
    assert.deepEqual(signature(rig), [1, 1, 1, 0, 0]);
  });

  it('holds its line until the status is read, and not while nIEN is set', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image });
    const line = (): number => (rig.out(0xa0, 0x0a), rig.in(0xa0) & 0x40);
    rig.out(0x3f6, 2);
    command(rig, 0x20, { count: 1 });
    rig.run(MILLISECOND);
    assert.equal(line(), 0);
    rig.out(0x3f6, 0);
    assert.equal(line(), 0x40);
    assert.equal(rig.in(0x3f6) & 8, 8);
    assert.equal(line(), 0x40, 'the alternate status acknowledges nothing');
    rig.in(PRIMARY + 7);
    assert.equal(line(), 0);
  });

  it('takes no register or command while a device is busy or has data', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image });
    command(rig, 0x20, { count: 1, lba: 2 });
    command(rig, 0x20, { count: 1, lba: 50 });
    finish(rig);
    command(rig, 0x20, { count: 1, lba: 50 });
    rig.run(MILLISECOND);
    assert.equal(rig.bus.portRead(PRIMARY, 2), image[1024] | (image[1025] << 8));
  });
});
