import { strict as assert } from 'node:assert';
import { MILLISECOND } from '../devices/rig.ts';
import {
  type AtaRig,
  ataRig,
  CHECK,
  command,
  DATA,
  finish,
  MASTER,
  PRIMARY,
  pattern,
  READY,
  readBlocks,
  startMaster,
  wideCommand,
  writeWords,
} from './ataRig.ts';

const SECTORS = 2000;
const image = pattern(SECTORS);
const sectors = (first: number, count: number): Uint8Array => image.slice(first * 512, (first + count) * 512);
const open = (): AtaRig => ataRig({ kind: 'disk', index: 0, image });
const ABORTED = 0x04,
  NO_SUCH_SECTOR = 0x10;
/** Ends with an error of this kind. */
function fails(rig: AtaRig, error: number): void {
  assert.equal(finish(rig), READY | CHECK);
  assert.equal(rig.in(PRIMARY + 1), error);
}
const addressOf = (rig: AtaRig): number[] => [3, 4, 5].map((n) => rig.in(PRIMARY + n));

describe('an ATA disk', () => {
  it('says what it is: size in CHS, 28 and 48 bits, modes, and a checksum of zero', () => {
    const rig = open();
    command(rig, 0xec);
    const bytes = readBlocks(rig, 1),
      word = (n: number): number => bytes[n * 2] | (bytes[n * 2 + 1] << 8);
    assert.deepEqual([word(1), word(3), word(6)], [1, 16, 63]);
    assert.deepEqual([word(60), word(61), word(100), word(101), word(102)], [SECTORS, 0, SECTORS, 0, 0]);
    assert.equal(Buffer.from(bytes.subarray(54, 94)).swap16().toString('latin1').trim(), 'CP86 HARD DISK');
    assert.equal(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
    assert.equal(rig.in(PRIMARY + 7), READY);
  });

  it('is busy until a deadline, interrupts for each sector, and no more at the end', () => {
    const rig = open();
    command(rig, 0x20, { count: 3, lba: 5 });
    assert.equal(rig.in(PRIMARY + 7), 0x80);
    assert.deepEqual(readBlocks(rig, 3), sectors(5, 3));
    rig.run(MILLISECOND);
    assert.equal(rig.in(0x3f6), READY);
    rig.out(0xa0, 0x0a);
    assert.equal(rig.in(0xa0) & 0x40, 0);
  });

  it('reads by double words, by cylinder, head and sector, by 48 bits, and 256 sectors for a count of 0', () => {
    const rig = open();
    command(rig, 0x20, { count: 1, lba: 9 });
    finish(rig);
    const data = new Uint32Array(Array.from({ length: 128 }, () => rig.bus.portRead(PRIMARY, 4)));
    assert.deepEqual(new Uint8Array(data.buffer), sectors(9, 1));
    // Cylinder 1, head 2, sector 3 of 16 heads and 63 sectors.
    command(rig, 0x20, { count: 1, device: 0xa2, lba: 3 | (1 << 8) });
    assert.deepEqual(readBlocks(rig, 1), sectors((16 + 2) * 63 + 2, 1));
    wideCommand(rig, 0x24, { count: 2, lba: 1500 });
    assert.deepEqual(readBlocks(rig, 2), sectors(1500, 2));
    command(rig, 0x21, { lba: 100 });
    assert.deepEqual(readBlocks(rig, 256), sectors(100, 256));
  });

  it('uses the translation that it was given', () => {
    const rig = open();
    command(rig, 0x91, { count: 17, device: 0xa3 });
    assert.equal(finish(rig), READY);
    command(rig, 0x20, { count: 1, device: 0xa3, lba: 17 | (2 << 8) });
    assert.deepEqual(readBlocks(rig, 1), sectors((2 * 4 + 3) * 17 + 16, 1));
    for (const lba of [0, 18]) {
      command(rig, 0x20, { count: 1, device: 0xa0, lba });
      fails(rig, NO_SUCH_SECTOR);
    }
    command(rig, 0x91, { count: 0 });
    fails(rig, ABORTED);
  });

  it('takes sectors, asks for each, and has them afterwards', () => {
    const rig = open(),
      data = pattern(3).map((byte) => ~byte);
    command(rig, 0x30, { count: 3, lba: 10 });
    assert.equal(rig.in(PRIMARY + 7), READY | DATA);
    for (let n = 0; n < 3; n++) {
      writeWords(rig, data.subarray(n * 512, (n + 1) * 512));
      assert.equal(rig.in(0x3f6), 0x80 | READY);
      assert.equal(finish(rig), n < 2 ? READY | DATA : READY);
    }
    assert.deepEqual(rig.drives[0].read(10 * 512, 3 * 512), data);
    assert.deepEqual(rig.drives[0].read(0, 10 * 512), sectors(0, 10));
    wideCommand(rig, 0x34, { count: 1, lba: 0 });
    writeWords(rig, data.subarray(0, 512));
    assert.equal(finish(rig), READY);
    assert.deepEqual(rig.drives[0].read(0, 512), data.slice(0, 512));
  });

  it('moves several sectors a block when that is set, the last block shorter', () => {
    const rig = open();
    command(rig, 0xc4, { count: 1 });
    fails(rig, ABORTED);
    for (const count of [3, 32]) {
      command(rig, 0xc6, { count });
      fails(rig, ABORTED);
    }
    command(rig, 0xc6, { count: 8 });
    assert.equal(finish(rig), READY);
    command(rig, 0xc4, { count: 19, lba: 7 });
    const data = readBlocks(rig, 2, 8 * 512);
    assert.deepEqual(data, sectors(7, 16));
    assert.deepEqual(readBlocks(rig, 1, 3 * 512), sectors(23, 3));
    wideCommand(rig, 0x29, { count: 8, lba: 3 });
    assert.deepEqual(readBlocks(rig, 1, 8 * 512), sectors(3, 8));
    command(rig, 0xc5, { count: 9, lba: 40 });
    writeWords(rig, data);
    assert.equal(finish(rig), READY | DATA);
    writeWords(rig, data.subarray(0, 512));
    assert.equal(finish(rig), READY);
    assert.deepEqual(
      rig.drives[0].read(40 * 512, 9 * 512),
      sectors(7, 9).map((byte, n) => (n < 4096 ? byte : data[n - 4096])),
    );
  });

  it('reports the first sector that does not exist', () => {
    const rig = open();
    command(rig, 0x20, { count: 4, lba: SECTORS - 2 });
    readBlocks(rig, 2);
    fails(rig, NO_SUCH_SECTOR);
    assert.deepEqual(addressOf(rig), [SECTORS & 0xff, SECTORS >> 8, 0]);
    command(rig, 0x30, { count: 1, lba: SECTORS });
    fails(rig, NO_SUCH_SECTOR);
    wideCommand(rig, 0x24, { count: 1, lba: 2 ** 40 + 5 });
    fails(rig, NO_SUCH_SECTOR);
    assert.deepEqual(addressOf(rig), [5, 0, 0]);
    rig.out(0x3f6, 0x80);
    assert.deepEqual(addressOf(rig), [0, 0, 1]);
    command(rig, 0x40, { count: 100, lba: SECTORS - 50 });
    fails(rig, NO_SUCH_SECTOR);
    command(rig, 0x40, { count: 50, lba: SECTORS - 50 });
    assert.equal(finish(rig), READY);
  });

  it('tells its last sector, in 28 and 48 bits', () => {
    const rig = open();
    command(rig, 0xf8);
    assert.equal(finish(rig), READY);
    assert.deepEqual(addressOf(rig), [(SECTORS - 1) & 0xff, (SECTORS - 1) >> 8, 0]);
    command(rig, 0x27);
    assert.equal(finish(rig), READY);
    assert.deepEqual(addressOf(rig), [(SECTORS - 1) & 0xff, (SECTORS - 1) >> 8, 0]);
  });

  it('aborts what it does not know: SMART, PACKET, modes and features that it has not', () => {
    const rig = open();
    for (const opcode of [0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xf1, 0xff]) {
      command(rig, opcode);
      fails(rig, ABORTED);
    }
    command(rig, 0xef, { features: 0x03, count: 0x46 });
    fails(rig, ABORTED);
    command(rig, 0xef, { features: 0x99 });
    fails(rig, ABORTED);
    for (const opcode of [0x10, 0x70, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0xe7, 0xea]) {
      command(rig, opcode);
      assert.equal(finish(rig), READY, opcode.toString(16));
    }
    command(rig, 0xe5);
    finish(rig);
    assert.equal(rig.in(PRIMARY + 2), 0xff);
  });

  it('shows what SET FEATURES chose', () => {
    const rig = open(),
      identify = (): Uint8Array => (command(rig, 0xec), readBlocks(rig, 1));
    assert.deepEqual([identify()[127], identify()[170] & 0x20], [0, 0x20]);
    for (const [features, count] of [
      [0x03, 0x22],
      [0x82, 0],
    ]) {
      command(rig, 0xef, { features, count });
      assert.equal(finish(rig), READY);
    }
    assert.deepEqual([identify()[127], identify()[170] & 0x20], [4, 0]);
  });

  it('that is read-only aborts writes', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image, readOnly: true });
    for (const opcode of [0x30, 0xca]) {
      command(rig, opcode, { count: 1 });
      fails(rig, ABORTED);
    }
  });

  it('with an image that ends within a sector reads zeros behind it, and does not grow', () => {
    const rig = ataRig({ kind: 'disk', index: 0, image: image.slice(0, 700) });
    command(rig, 0x20, { count: 1, lba: 1 });
    assert.deepEqual(
      readBlocks(rig, 1),
      Uint8Array.from({ length: 512 }, (_, n) => (n < 188 ? image[512 + n] : 0)),
    );
    command(rig, 0x30, { count: 1, lba: 1 });
    writeWords(rig, new Uint8Array(512).fill(9));
    assert.equal(finish(rig), READY);
    assert.deepEqual([rig.drives[0].size, rig.drives[0].read(699, 1)[0]], [700, 9]);
  });

  it('reads and writes by bus master, scattered over memory', () => {
    const rig = open();
    startMaster(rig, true, [
      [0x8000, 700],
      [0x20000, 0],
      [0x40000, 200 * 512 - 700 - 65536],
    ]);
    assert.equal(rig.in(MASTER + 2) & 7, 1);
    wideCommand(rig, 0x25, { count: 200, lba: 300 });
    assert.equal(finish(rig), READY);
    assert.equal(rig.in(MASTER + 2) & 7, 4, 'not active, interrupt');
    const data = [
      rig.ram.slice(0x8000, 0x8000 + 700),
      rig.ram.slice(0x20000, 0x30000),
      rig.ram.slice(0x40000, 0x40000 + 200 * 512 - 66236),
    ];
    assert.ok(Buffer.concat(data).equals(sectors(300, 200)));
    rig.out(MASTER, 0);
    // The command first, then the bus master.
    command(rig, 0xca, { count: 2, lba: 1 });
    rig.run(MILLISECOND);
    assert.equal(rig.in(0x3f6), 0x80);
    startMaster(rig, false, [[0x20000, 1024]]);
    assert.equal(finish(rig), READY);
    assert.deepEqual(rig.drives[0].read(512, 1024), rig.ram.slice(0x20000, 0x20400));
  });

  it('says nothing where no DMA is possible: wrong direction, a table that is too short, no bus master', () => {
    for (const [toMemory, entries] of [
      [false, [[0x8000, 512]]],
      [true, [[0x8000, 100]]],
    ] as const) {
      const rig = open();
      startMaster(rig, toMemory, entries);
      command(rig, 0xc8, { count: 1 });
      rig.run(10 * MILLISECOND);
      assert.equal(rig.in(0x3f6), 0x80);
      rig.out(0x3f6, 4, 0);
      rig.run(MILLISECOND);
      assert.equal(rig.in(PRIMARY + 7), READY, 'a reset helps');
    }
    const rig = open();
    rig.bus.portWrite(0xcf8, 0x80000904, 4);
    rig.bus.portWrite(0xcfc, 1, 4);
    startMaster(rig, true, [[0x8000, 512]]);
    command(rig, 0xc8, { count: 1 });
    rig.run(10 * MILLISECOND);
    assert.equal(rig.in(0x3f6), 0x80);
    assert.equal(rig.ram[0x8001], 0);
  });

  it('writes what it got at a deadline that the length alone decides', () => {
    const times = [1, 128, 256].map((count) => {
      const rig = open();
      startMaster(rig, true, [[0x8000, count * 512]].concat(count === 256 ? [[0x28000, 0]] : []) as [number, number][]);
      command(rig, 0xc8, { count: count & 0xff });
      let cycles = 0;
      for (; rig.in(0x3f6) & 0x80; cycles += 100) rig.run(100);
      return cycles;
    });
    assert.ok(times[0] < times[1] && times[1] < times[2], String(times));
  });
});
