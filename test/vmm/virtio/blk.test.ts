import { strict as assert } from 'node:assert';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { VirtioBlk } from '../../../src/vmm/virtio/blk.ts';
import { FEATURE, STATUS } from '../../../src/vmm/virtio/device.ts';
import { type DriverQueue, startDriver, TRANSPORTS, type TransportName, type VirtioRig, virtioRig } from './virtioRig.ts';

const SECTORS = 100,
  SHORT = 100;
const REQUEST = { IN: 0, OUT: 1, SCSI: 2, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13 };
const OK = 0,
  IOERR = 1,
  UNSUPP = 2;
const RO = 5,
  WRITE_ZEROES = 14;

/** An image of a hundred sectors, the last of which has only 100 bytes; each byte is its sector's number plus one. */
const image = (): Uint8Array => Uint8Array.from({ length: (SECTORS - 1) * 512 + SHORT }, (_, n) => (n >> 9) + 1);
function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16),
    view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return bytes;
}

interface BlkRig extends VirtioRig {
  readonly drive: Drive;
  readonly queue: DriverQueue;
  /** Carries out a request; gives its status, the bytes of its room, and the length that it was given back with. */
  request(
    type: number,
    sector: number,
    data?: readonly Uint8Array[],
    room?: readonly number[],
  ): { status: number; data: number[]; length: number };
}
function blkRig(name: TransportName, readOnly = false): BlkRig {
  const drive = new Drive({ kind: 'disk', interface: 'virtio', index: 0, image: image(), readOnly }, null),
    rig = virtioRig(name, (core) => new VirtioBlk(core, drive, 'disk zero')),
    [queue] = startDriver(rig, [FEATURE.INDIRECT_DESC]);
  return Object.assign(rig, {
    drive,
    queue: queue!,
    request(type: number, sector: number, data: readonly Uint8Array[] = [], room: readonly number[] = []) {
      const [, ...rest] = queue!.add([header(type, sector), ...data], [...room, 1]),
        at = rest.pop()!;
      rig.ram[at] = 0xee;
      queue!.notify();
      rig.run(CYCLES_PER_SECOND / 10);
      const used = queue!.used();
      assert.equal(used.length, 1);
      const bytes = rest.slice(data.length).flatMap((start, n) => [...rig.ram.subarray(start, start + room[n]!)]);
      return { status: rig.ram[at]!, data: bytes, length: used[0]!.length };
    },
  });
}

for (const name of TRANSPORTS) {
  describe(`virtio-blk over ${name}`, () => {
    it('says its capacity, the size of blocks, and what a request may move', () => {
      const { configuration } = blkRig(name).transport;
      assert.deepEqual([configuration.read(0, 4), configuration.read(4, 4), configuration.read(0x14, 4)], [SECTORS, 0, 512]);
      assert.deepEqual([configuration.read(8, 4), configuration.read(12, 4)], [128 << 10, 126]);
    });

    it('reads sectors into all pieces of the room; behind the end of the image are zeros', () => {
      const rig = blkRig(name);
      const { status, data, length } = rig.request(REQUEST.IN, SECTORS - 2, [], [500, 24, 500]);
      assert.deepEqual([status, length], [OK, 1025]);
      assert.deepEqual(data, [...new Array(512).fill(99), ...new Array(SHORT).fill(100), ...new Array(512 - SHORT).fill(0)]);
    });

    it('writes sectors from all pieces, and what is behind the end of the image is lost', () => {
      const rig = blkRig(name);
      const bytes = Uint8Array.from({ length: 1024 }, (_, n) => n % 251);
      assert.deepEqual(rig.request(REQUEST.OUT, SECTORS - 2, [bytes.subarray(0, 10), bytes.subarray(10)]), {
        status: OK,
        data: [],
        length: 1,
      });
      assert.deepEqual([...rig.drive.read((SECTORS - 2) * 512, 512 + SHORT)], [...bytes.subarray(0, 512 + SHORT)]);
      assert.deepEqual(rig.request(REQUEST.IN, SECTORS - 2, [], [512]).data, [...bytes.subarray(0, 512)]);
    });

    it('flushes, and tells its serial number', () => {
      const rig = blkRig(name);
      assert.equal(rig.request(REQUEST.FLUSH, 0).status, OK);
      const { status, data } = rig.request(REQUEST.GET_ID, 0, [], [20]);
      assert.deepEqual([status, String.fromCharCode(...data).replace(/\0+$/, '')], [OK, 'disk zero']);
    });

    it('writes zeroes', () => {
      const rig = blkRig(name);
      const range = (sector: number, count: number, flags: number) => {
        const bytes = header(sector, 0);
        new DataView(bytes.buffer).setUint32(8, count, true);
        new DataView(bytes.buffer).setUint32(12, flags, true);
        return [bytes];
      };
      assert.equal(rig.request(REQUEST.WRITE_ZEROES, 0, range(3, 2, 0)).status, OK);
      assert.equal(rig.request(REQUEST.WRITE_ZEROES, 0, range(9, 1, 1)).status, OK);
      const { data } = rig.request(REQUEST.IN, 0, [], [512 * 11]);
      assert.deepEqual(
        Array.from({ length: 11 }, (_, n) => data[n * 512]),
        [1, 2, 3, 0, 0, 6, 7, 8, 9, 0, 11],
      );
      assert.deepEqual(
        [range(SECTORS - 1, 2, 0), range(0, 0xffffffff, 0), range(0, 1, 2), [new Uint8Array(8)]].map(
          (data) => rig.request(REQUEST.WRITE_ZEROES, 0, data).status,
        ),
        [IOERR, IOERR, UNSUPP, IOERR],
      );
    });

    it('refuses what is not on the disk, not whole sectors, or not known', () => {
      const rig = blkRig(name),
        before = rig.drive.read(0, 512 * 10);
      const refused = [
        rig.request(REQUEST.IN, SECTORS, [], [512]),
        rig.request(REQUEST.IN, SECTORS - 1, [], [1024]),
        rig.request(REQUEST.IN, 2 ** 52, [], [512]),
        rig.request(REQUEST.IN, 0, [], [511]),
        rig.request(REQUEST.OUT, 0, [new Uint8Array(513)]),
        rig.request(REQUEST.OUT, 2 ** 63, [new Uint8Array(512)]),
      ];
      for (const { status, length } of refused) assert.deepEqual([status, length > 1], [IOERR, false]);
      assert.equal(rig.request(REQUEST.SCSI, 0).status, UNSUPP);
      assert.equal(rig.request(REQUEST.DISCARD, 0, [new Uint8Array(16)]).status, UNSUPP);
      assert.equal(rig.request(0x12345678, 0).status, UNSUPP);
      assert.deepEqual(rig.drive.read(0, 512 * 10), before);
    });

    it('a read-only disk says so and stays as it is', () => {
      const rig = blkRig(name, true);
      assert.equal((rig.transport.features(0) >>> RO) & 1, 1);
      assert.equal((rig.transport.features(0) >>> WRITE_ZEROES) & 1, 0);
      assert.equal(rig.request(REQUEST.OUT, 0, [new Uint8Array(512)]).status, IOERR);
      assert.equal(rig.request(REQUEST.IN, 0, [], [512]).data[0], 1);
    });

    it('moves no more at once than a request may, whatever its descriptors say', () => {
      const rig = blkRig(name);
      rig.ram.set(header(REQUEST.IN, 0), 0x80000);
      rig.queue.describe(0, 0x80000, 16, 1, 1);
      for (let n = 1; n < 100; n++) rig.queue.describe(n, 0x90000, 0xfffffe00, 3, n + 1);
      rig.queue.describe(100, 0x80010, 1, 2);
      rig.queue.offer(0);
      rig.queue.notify();
      rig.run(CYCLES_PER_SECOND);
      assert.equal(rig.ram[0x80010], IOERR);
    });

    it('one request after the other, as fast as a bus master moves the data', () => {
      const rig = blkRig(name);
      for (let n = 0; n < 2; n++) rig.queue.add([header(REQUEST.IN, 0)], [32 * 512, 1]);
      rig.queue.notify();
      rig.run(CYCLES_PER_SECOND / 20_000 - 1);
      assert.equal(rig.queue.used().length, 0);
      rig.run(1);
      assert.equal(rig.queue.used().length, 1);
      rig.run(16 * 512);
      assert.equal(rig.queue.used().length, 0);
      rig.run(CYCLES_PER_SECOND / 200_000);
      assert.equal(rig.queue.used().length, 1);
    });

    it('is saved with requests that wait, and carries them out where it is loaded', () => {
      const [rig, copy] = [blkRig(name), blkRig(name)];
      for (let n = 0; n < 3; n++) rig.queue.add([header(REQUEST.IN, n)], [512, 1]);
      rig.queue.notify();
      rig.run(CYCLES_PER_SECOND / 20_000);
      copy.ram.set(rig.ram);
      copy.now = rig.now;
      copy.device.load(structuredClone(rig.device.save()));
      for (const each of [rig, copy]) each.run(CYCLES_PER_SECOND / 100);
      assert.deepEqual(copy.ram, rig.ram);
      assert.equal(rig.queue.used().length, 3);
      assert.deepEqual(copy.device.save(), rig.device.save());
    });

    it('a request without header or without room for a status breaks the device', () => {
      for (const [readable, room] of [
        [8, 1],
        [16, 0],
      ] as const) {
        const rig = blkRig(name);
        rig.queue.add([new Uint8Array(readable)], room === 0 ? [] : [room]);
        rig.queue.notify();
        rig.run(CYCLES_PER_SECOND);
        assert.equal(rig.transport.status & STATUS.NEEDS_RESET, STATUS.NEEDS_RESET);
      }
    });
  });
}
