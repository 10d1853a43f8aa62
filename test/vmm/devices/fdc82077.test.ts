import { strict as assert } from 'node:assert';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { createRig, MILLISECOND, type Rig } from './rig.ts';

const image = Uint8Array.from({ length: 1440 * 1024 }, (_, n) => (n >> 9) + (n & 3));
const sector = (lba: number, count = 1): Uint8Array => image.slice(lba * 512, (lba + count) * 512);

interface FloppyRig extends Rig {
  readonly drive: Drive;
}
/** A running controller at 500 kb/s, its reset reported, drive A: on track 0. */
function open(changes: { readOnly?: boolean; image?: Uint8Array } = {}): FloppyRig {
  const drive = new Drive({ kind: 'floppy', index: 0, image, readOnly: false, ...changes }, null);
  const rig = Object.assign(createRig({ drives: [drive] }), { drive });
  rig.out(0x3f2, 0, 0x1c);
  rig.out(0x3f7, 0);
  rig.run(MILLISECOND);
  for (let n = 0; n < 4; n++) assert.deepEqual(ask(rig, 2, 0x08), [0xc0 | n, 0]);
  send(rig, 0x03, 0xdf, 0x02);
  send(rig, 0x07, 0);
  rig.run(2 * MILLISECOND);
  assert.deepEqual(ask(rig, 2, 0x08), [0x20, 0]);
  return rig;
}
function send(rig: Rig, ...command: readonly number[]): void {
  for (const byte of command) {
    assert.equal(rig.in(0x3f4) & 0xc0, 0x80, 'ready for a byte');
    rig.out(0x3f5, byte);
  }
}
function result(rig: Rig, length: number): number[] {
  const bytes = Array.from({ length }, () => {
    assert.equal(rig.in(0x3f4) & 0xd0, 0xd0, 'has a result byte');
    return rig.in(0x3f5);
  });
  assert.equal(rig.in(0x3f4) & 0xd0, 0x80, 'ready for the next command');
  return bytes;
}
const ask = (rig: Rig, length: number, ...command: readonly number[]): number[] => (send(rig, ...command), result(rig, length));
const line = (rig: Rig): boolean => (rig.out(0x20, 0x0a), (rig.in(0x20) & 0x40) !== 0);
/** Channel 2 for so many bytes at 5000h. */
function channel(rig: Rig, mode: number, bytes: number, address = 0x5000): void {
  rig.out(0x0a, 6);
  rig.out(0x0b, mode);
  rig.out(0x0c, 0);
  rig.out(0x04, address & 0xff, (address >> 8) & 0xff);
  rig.out(0x05, (bytes - 1) & 0xff, (bytes - 1) >> 8);
  rig.out(0x81, address >> 16);
  rig.out(0x0a, 2);
}
const TO_MEMORY = 0x46,
  FROM_MEMORY = 0x4a;
/** Runs a transfer to its interrupt and gives the seven result bytes. */
function transfer(rig: Rig, ...command: readonly number[]): number[] {
  send(rig, ...command);
  for (let n = 0; n < 200 && !line(rig); n++) rig.run(MILLISECOND / 5);
  assert.ok(line(rig));
  const bytes = result(rig, 7);
  assert.ok(!line(rig), 'reading the result takes the interrupt back');
  return bytes;
}
function seek(rig: Rig, cylinder: number): void {
  send(rig, 0x0f, 0, cylinder);
  assert.equal(rig.in(0x3f4) & 0x81, 0x81, 'the drive is busy, the controller is not');
  rig.run(2 * MILLISECOND);
  assert.ok(line(rig));
  assert.deepEqual(ask(rig, 2, 0x08), [0x20, cylinder]);
}

describe('82077AA', () => {
  it('reads sectors by DMA until the channel has its count', () => {
    const rig = open();
    channel(rig, TO_MEMORY, 3 * 512);
    assert.deepEqual(transfer(rig, 0xe6, 0, 0, 0, 4, 2, 18, 0x1b, 0xff), [0, 0, 0, 0, 0, 7, 2]);
    assert.deepEqual(rig.ram.slice(0x5000, 0x5600), sector(3, 3));
    assert.equal(rig.in(0x08) & 4, 4);
  });

  it('goes on with the other side and tells the next address', () => {
    const rig = open();
    seek(rig, 5);
    channel(rig, TO_MEMORY, 20 * 512);
    assert.deepEqual(transfer(rig, 0xe6, 0, 5, 0, 17, 2, 18, 0x1b, 0xff), [4, 0, 0, 6, 0, 1, 2]);
    assert.deepEqual(rig.ram.slice(0x5000, 0x5000 + 20 * 512), sector(5 * 36 + 16, 20));
  });

  it('tells as next address the other side, or the next cylinder behind the second one', () => {
    const rig = open();
    channel(rig, TO_MEMORY, 18 * 512);
    assert.deepEqual(transfer(rig, 0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff), [0, 0, 0, 0, 1, 1, 2]);
    channel(rig, TO_MEMORY, 18 * 512);
    assert.deepEqual(transfer(rig, 0xe6, 4, 0, 1, 1, 2, 18, 0x1b, 0xff), [4, 0, 0, 1, 0, 1, 2]);
    assert.deepEqual(rig.ram.slice(0x5000, 0x5000 + 18 * 512), sector(18, 18));
  });

  it('ends at the end of the track when the channel has not', () => {
    const rig = open();
    channel(rig, TO_MEMORY, 8 * 512);
    assert.deepEqual(transfer(rig, 0x46, 0, 0, 0, 17, 2, 18, 0x1b, 0xff), [0x40, 0x80, 0, 1, 0, 1, 2]);
    assert.deepEqual(rig.ram.slice(0x5000, 0x5400), sector(16, 2));
  });

  it('writes sectors, the last one filled up with zeros, and formats a track', () => {
    const rig = open();
    rig.ram.fill(0x77, 0x5000, 0x5400);
    channel(rig, FROM_MEMORY, 700);
    assert.deepEqual(transfer(rig, 0xc5, 0, 0, 0, 1, 2, 18, 0x1b, 0xff).slice(0, 3), [0, 0, 0]);
    assert.deepEqual(
      rig.drive.read(0, 1536),
      Uint8Array.from({ length: 1536 }, (_, n) => (n < 700 ? 0x77 : n < 1024 ? 0 : image[n])),
    );
    seek(rig, 2);
    rig.ram.set(Array.from({ length: 18 }, (_, n) => [2, 1, n + 1, 2]).flat(), 0x5000);
    channel(rig, FROM_MEMORY, 72);
    assert.deepEqual(transfer(rig, 0x4d, 4, 2, 18, 0x54, 0xf6).slice(0, 3), [4, 0, 0]);
    assert.deepEqual(rig.drive.read((2 * 36 + 18) * 512, 18 * 512), new Uint8Array(18 * 512).fill(0xf6));
    assert.deepEqual(rig.drive.read((2 * 36 + 17) * 512, 512), sector(2 * 36 + 17));
  });

  it('moves bytes through the FIFO when SPECIFY says so', () => {
    const rig = open();
    send(rig, 0x03, 0xdf, 0x03);
    send(rig, 0x46, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    const data: number[] = [];
    for (let n = 0; n < 512; n++) {
      if (n === 0) rig.run(MILLISECOND);
      assert.equal(rig.in(0x3f4), 0xf0);
      data.push(rig.in(0x3f5));
    }
    assert.deepEqual(Uint8Array.from(data), sector(17));
    assert.deepEqual(result(rig, 7).slice(0, 2), [0x40, 0x80]);
    send(rig, 0x45, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    for (let n = 0; n < 512; n++) {
      assert.equal(rig.in(0x3f4), 0xb0);
      rig.out(0x3f5, n);
    }
    rig.run(MILLISECOND);
    result(rig, 7);
    assert.deepEqual(
      rig.drive.read(17 * 512, 512),
      Uint8Array.from({ length: 512 }, (_, n) => n),
    );
  });

  it('says what it does not find: sector, cylinder, head, size, data rate, drive', () => {
    const rig = open(),
      read = (unit: number, ...chrn: readonly number[]): number[] => {
        channel(rig, TO_MEMORY, 512);
        return transfer(rig, 0x46, unit, ...chrn, 18, 0x1b, 0xff).slice(0, 3);
      };
    assert.deepEqual(read(0, 0, 0, 19, 2), [0x40, 4, 0]);
    assert.deepEqual(read(0, 0, 0, 0, 2), [0x40, 4, 0]);
    assert.deepEqual(read(0, 1, 0, 1, 2), [0x40, 4, 0x10]);
    assert.deepEqual(read(0, 0, 0, 1, 3), [0x40, 4, 0]);
    assert.deepEqual(read(1, 0, 0, 1, 2), [0x41, 1, 0]);
    rig.out(0x3f7, 2);
    assert.deepEqual(read(0, 0, 0, 1, 2), [0x40, 1, 0]);
    rig.out(0x3f7, 0);
    assert.deepEqual(read(0, 0, 0, 1, 2), [0, 0, 0]);
  });

  it('writes to no diskette that is protected', () => {
    const rig = open({ readOnly: true });
    channel(rig, FROM_MEMORY, 512);
    assert.deepEqual(transfer(rig, 0x45, 0, 0, 0, 1, 2, 18, 0x1b, 0xff).slice(0, 3), [0x40, 2, 0]);
    assert.deepEqual(ask(rig, 1, 0x04, 0), [0x28 | 0x40 | 0x10]);
  });

  it('reports the change of diskette until the drive steps', () => {
    const drive = new Drive({ kind: 'floppy', index: 0, image, readOnly: false }, null),
      rig = createRig({ drives: [drive] });
    rig.out(0x3f2, 0x1c);
    assert.equal(rig.in(0x3f7), 0x80);
    rig.run(MILLISECOND);
    send(rig, 0x0f, 0, 1);
    rig.run(2 * MILLISECOND);
    assert.equal(rig.in(0x3f7), 0);
    rig.out(0x3f2, 0x1d);
    assert.equal(rig.in(0x3f7), 0, 'there is no drive B:');
  });

  it('answers VERSION, READ ID, DUMPREG, CONFIGURE, LOCK, and says what is invalid', () => {
    const rig = open();
    assert.deepEqual(ask(rig, 1, 0x10), [0x90]);
    assert.deepEqual(ask(rig, 1, 0x08), [0x80], 'nothing to report');
    assert.deepEqual(ask(rig, 1, 0x1f), [0x80]);
    assert.deepEqual(transfer(rig, 0x4a, 4), [4, 0, 0, 0, 1, 1, 2]);
    send(rig, 0x13, 0, 0x57, 0x20);
    assert.deepEqual(ask(rig, 1, 0x94), [0x10]);
    assert.deepEqual(ask(rig, 10, 0x0e), [0, 0, 0, 0, 0xdf, 2, 0, 0x80, 0x57, 0x20]);
    assert.deepEqual(ask(rig, 1, 0x14), [0]);
    channel(rig, TO_MEMORY, 512);
    assert.deepEqual(transfer(rig, 0x56, 0, 0, 0, 1, 2, 18, 0x1b, 0xff).slice(0, 2), [0, 0x80]);
  });

  it('can be reset at any time, by DOR and DSR', () => {
    for (const reset of [(rig: Rig) => rig.out(0x3f2, 0x08, 0x1c), (rig: Rig) => rig.out(0x3f4, 0x80)]) {
      const rig = open();
      channel(rig, TO_MEMORY, 512);
      send(rig, 0x46, 0, 0, 0, 1);
      reset(rig);
      assert.equal(rig.in(0x3f4), 0, 'not ready yet');
      rig.run(MILLISECOND);
      assert.ok(line(rig));
      assert.deepEqual(ask(rig, 2, 0x08), [0xc0, 0]);
    }
  });

  it('raises no line while DOR does not let it', () => {
    const rig = open();
    rig.out(0x3f2, 0x14);
    send(rig, 0x07, 0);
    rig.run(2 * MILLISECOND);
    assert.ok(!line(rig));
    rig.out(0x3f2, 0x1c);
    assert.ok(line(rig));
  });

  it('recalibrates a drive that is not there with an equipment check', () => {
    const rig = open();
    send(rig, 0x07, 1);
    rig.run(2 * MILLISECOND);
    assert.deepEqual(ask(rig, 2, 0x08), [0x71, 0]);
  });
});
