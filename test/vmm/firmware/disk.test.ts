import { strict as assert } from 'node:assert';
import { diskService, driveGeometry } from '../../../src/vmm/firmware/disk.ts';
import { byteDrive, createMemoryMachine, type MemoryMachine } from './memoryMachine.ts';

/** Every sector has its own bytes. */
function image(sectors: number): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  for (let n = 0; n < sectors; n++)
    bytes.fill((n * 7) & 0xff, n * 512, (n + 1) * 512).set([n & 0xff, (n >> 8) & 0xff, n >> 16], n * 512 + (n % 500));
  return bytes;
}
const floppyWith = (bytes: Uint8Array, readOnly = false) => createMemoryMachine({ drives: [byteDrive('floppy', 0, bytes, readOnly)] });
const diskWith = (bytes: Uint8Array, readOnly = false) => createMemoryMachine({ drives: [byteDrive('disk', 0, bytes, readOnly)] });

/** Calls INT 13h; gives AH, AL and CF. */
function int13(machine: MemoryMachine, registers: { readonly [name: string]: number }): { ah: number; al: number; carry: boolean } {
  const flags = machine.invoke(diskService, registers),
    ax = machine.get('eax') & 0xffff;
  return { ah: ax >> 8, al: ax & 0xff, carry: (flags & 1) !== 0 };
}
const chs = (cylinder: number, head: number, sector: number, drive: number) => ({
  ecx: ((cylinder & 0xff) << 8) | ((cylinder >> 2) & 0xc0) | sector,
  edx: (head << 8) | drive,
});

describe('INT 13h', () => {
  it('counts virtio disks behind those on the ATA channels', () => {
    const machine = createMemoryMachine({
      drives: [
        { ...byteDrive('disk', 0, image(20)), interface: 'virtio' },
        byteDrive('disk', 2, image(30)),
        byteDrive('disk', 1, image(40)),
      ],
    });
    const sizes = [0x80, 0x81, 0x82].map((number) => {
      machine.writePhysical(0x6000, Uint8Array.of(0x1a, 0));
      assert.equal(int13(machine, { eax: 0x4800, edx: number, esi: 0x6000, ds: 0 }).carry, false);
      return machine.readPhysical(0x6010, 1)[0];
    });
    assert.deepEqual(sizes, [40, 30, 20]);
    assert.equal(int13(machine, { eax: 0x4800, edx: 0x83, esi: 0x6000, ds: 0 }).carry, true);
  });

  it('knows the geometry of every standard diskette by its size', () => {
    const cases = [
      [160, 40, 1, 8],
      [180, 40, 1, 9],
      [320, 40, 2, 8],
      [360, 40, 2, 9],
      [720, 80, 2, 9],
      [1200, 80, 2, 15],
      [1440, 80, 2, 18],
      [2880, 80, 2, 36],
    ];
    for (const [kib, cylinders, heads, sectors] of cases) {
      const geometry = driveGeometry(byteDrive('floppy', 0, new Uint8Array(kib * 1024)));
      assert.deepEqual([geometry.cylinders, geometry.heads, geometry.sectors], [cylinders, heads, sectors], `${kib} KiB`);
    }
  });

  it('takes a floppy image of any other size for a shorter 1.44 or 2.88 MB one', () => {
    const sectors = (bytes: number) => driveGeometry({ ...byteDrive('floppy', 0, new Uint8Array(0)), size: bytes }).sectors;
    assert.equal(sectors(512), 18);
    assert.equal(sectors(1296384), 18);
    assert.equal(sectors(2_000_000), 36);
    assert.equal(sectors(100 << 20), 36);
  });

  it('counts a hard disk by its partition table, else by its size', () => {
    const plain = new Uint8Array(512 * 63 * 16 * 10);
    assert.deepEqual(driveGeometry(byteDrive('disk', 0, plain)), { cylinders: 10, heads: 16, sectors: 63, type: 0 });
    const partitioned = plain.slice();
    partitioned.set([0x80, 1, 1, 0, 6, 3, 17, 9, 17, 0, 0, 0, 0, 8, 0, 0], 446);
    partitioned.set([0x55, 0xaa], 510);
    assert.deepEqual(driveGeometry(byteDrive('disk', 0, partitioned)), { cylinders: 148, heads: 4, sectors: 17, type: 0 });
    const size = (bytes: number) => driveGeometry({ ...byteDrive('disk', 0, plain), size: bytes, read: () => new Uint8Array(512) });
    assert.equal(size(1 << 30).heads, 64);
    assert.deepEqual(size(20 * 2 ** 30), { cylinders: 1024, heads: 255, sectors: 63, type: 0 });
    assert.equal(size(512).cylinders, 1);
  });

  it('reads sectors across heads and tracks into memory', () => {
    const bytes = image(2880),
      machine = floppyWith(bytes);
    assert.deepEqual(int13(machine, { eax: 0x0204, ...chs(1, 0, 17, 0), es_base: 0x20000, ebx: 0x100 }), { ah: 0, al: 4, carry: false });
    const first = (1 * 2 + 0) * 18 + 16;
    assert.deepEqual(machine.bytes.slice(0x20100, 0x20100 + 2048), bytes.slice(first * 512, (first + 4) * 512));
  });

  it('reads cylinders above 255 of a hard disk', () => {
    const bytes = image(63 * 16 * 300),
      machine = diskWith(bytes);
    assert.deepEqual(int13(machine, { eax: 0x0201, ...chs(299, 15, 63, 0x80), es_base: 0x20000, ebx: 0 }), { ah: 0, al: 1, carry: false });
    assert.deepEqual(machine.bytes.slice(0x20000, 0x20200), bytes.slice(-512));
  });

  it('writes sectors, and refuses to write a read-only drive with status 3', () => {
    const bytes = image(2880),
      machine = floppyWith(bytes);
    machine.bytes.fill(0xa5, 0x20000, 0x20200);
    assert.deepEqual(int13(machine, { eax: 0x0301, ...chs(0, 1, 1, 0), es_base: 0x20000, ebx: 0 }), { ah: 0, al: 1, carry: false });
    assert.ok(bytes.subarray(18 * 512, 19 * 512).every((byte) => byte === 0xa5));
    const locked = floppyWith(image(2880), true);
    assert.deepEqual(int13(locked, { eax: 0x0301, ...chs(0, 1, 1, 0) }), { ah: 3, al: 0, carry: true });
    assert.deepEqual(int13(locked, { eax: 0x0100, edx: 0 }), { ah: 3, al: 0, carry: true });
  });

  it('gives "sector not found" outside the geometry and behind the end of a short image', () => {
    const machine = floppyWith(image(20));
    for (const place of [chs(80, 0, 1, 0), chs(0, 2, 1, 0), chs(0, 0, 0, 0), chs(0, 0, 19, 0), chs(3, 0, 1, 0)])
      assert.deepEqual(int13(machine, { eax: 0x0201, ...place, es_base: 0x20000 }), { ah: 4, al: 0, carry: true });
    assert.deepEqual(
      int13(machine, { eax: 0x0204, ...chs(0, 1, 1, 0), es_base: 0x20000 }),
      { ah: 4, al: 2, carry: true },
      'the part that exists is read',
    );
    assert.equal(int13(machine, { eax: 0x0200, ...chs(0, 0, 1, 0) }).carry, true);
  });

  it('fills the last sector of an image that ends inside it with zeros', () => {
    const machine = floppyWith(new Uint8Array(700).fill(0x11));
    machine.bytes.fill(0xff, 0x20000, 0x20400);
    assert.equal(int13(machine, { eax: 0x0202, ...chs(0, 0, 1, 0), es_base: 0x20000, ebx: 0 }).ah, 0);
    assert.equal(machine.bytes[0x20000 + 699], 0x11);
    assert.ok(machine.bytes.subarray(0x20000 + 700, 0x20400).every((byte) => byte === 0));
    machine.bytes.fill(0x22, 0x20000, 0x20200);
    assert.equal(
      int13(machine, { eax: 0x0301, ...chs(0, 0, 2, 0), es_base: 0x20000, ebx: 0 }).ah,
      0,
      'and writes what the image has room for',
    );
  });

  it('says what drives there are', () => {
    const machine = createMemoryMachine({
      drives: [
        byteDrive('floppy', 0, new Uint8Array(1474560)),
        byteDrive('disk', 0, new Uint8Array(63 * 16 * 512 * 20)),
        byteDrive('disk', 1, new Uint8Array(4096)),
      ],
    });
    int13(machine, { eax: 0x0800, edx: 0 });
    assert.deepEqual([machine.get('ebx') & 0xff, machine.get('ecx') & 0xffff, machine.get('edx') & 0xffff], [4, (79 << 8) | 18, 0x0101]);
    assert.deepEqual([machine.get('es'), machine.get('edi')], [0xf000, 0xefc7]);
    int13(machine, { eax: 0x0800, edx: 0x80 });
    assert.deepEqual([machine.get('ecx') & 0xffff, machine.get('edx') & 0xffff], [(19 << 8) | 63, (15 << 8) | 2]);
    assert.equal(int13(machine, { eax: 0x0800, edx: 0x82 }).carry, true);
    assert.deepEqual(int13(machine, { eax: 0x1500, edx: 0x80 }), { ah: 3, al: 0, carry: false });
    assert.deepEqual(int13(machine, { eax: 0x1500, edx: 1 }), { ah: 0, al: 0, carry: false });
    assert.equal(int13(machine, { eax: 0x0201, edx: 0x83, ecx: 1 }).carry, true);
  });

  it('reads and writes by block number with the extensions', () => {
    const bytes = image(63 * 16 * 4),
      machine = diskWith(bytes);
    assert.equal(int13(machine, { eax: 0x4100, ebx: 0x55aa, edx: 0x80 }).carry, false);
    assert.deepEqual([machine.get('ebx') & 0xffff, machine.get('ecx') & 1], [0xaa55, 1]);
    const packet = (count: number, offset: number, segment: number, block: number) => {
      const view = new DataView(machine.bytes.buffer, 0x600, 24);
      view.setUint16(0, 16, true);
      view.setUint16(2, count, true);
      view.setUint16(4, offset, true);
      view.setUint16(6, segment, true);
      view.setBigUint64(8, BigInt(block), true);
    };
    packet(3, 0x10, 0x2000, 4000);
    assert.deepEqual(int13(machine, { eax: 0x4200, edx: 0x80, ds_base: 0, esi: 0x600 }), { ah: 0, al: 0, carry: false });
    assert.deepEqual(machine.bytes.slice(0x20010, 0x20010 + 1536), bytes.slice(4000 * 512, 4003 * 512));
    packet(3, 0, 0x2000, 63 * 16 * 4 - 2);
    assert.deepEqual(int13(machine, { eax: 0x4200, edx: 0x80, esi: 0x600 }), { ah: 4, al: 0, carry: true });
    assert.equal(machine.bytes[0x602], 0, 'the packet says that no block was done');
    packet(128, 0, 0x2000, 0);
    assert.equal(int13(machine, { eax: 0x4200, edx: 0x80, esi: 0x600 }).ah, 1, 'at most 127 blocks at a time');
    machine.bytes.fill(0x77, 0x20000, 0x20200);
    packet(1, 0, 0x2000, 5);
    assert.equal(int13(machine, { eax: 0x4300, edx: 0x80, esi: 0x600 }).ah, 0);
    assert.ok(bytes.subarray(5 * 512, 6 * 512).every((byte) => byte === 0x77));
    assert.equal(int13(diskWith(image(100), true), { eax: 0x4100, ebx: 0x55aa, edx: 0x00 }).carry, true, 'not for floppies');
  });

  it('reports size and geometry with AH=48h', () => {
    const machine = diskWith(new Uint8Array(63 * 16 * 512 * 4)),
      view = new DataView(machine.bytes.buffer, 0x600, 32);
    view.setUint16(0, 0x1e, true);
    assert.equal(int13(machine, { eax: 0x4800, edx: 0x80, ds_base: 0, esi: 0x600 }).ah, 0);
    assert.deepEqual(
      [
        view.getUint16(0, true),
        view.getUint32(4, true),
        view.getUint32(8, true),
        view.getUint32(12, true),
        view.getBigUint64(16, true),
        view.getUint16(24, true),
      ],
      [0x1e, 4, 16, 63, 4032n, 512],
    );
    view.setUint16(0, 10, true);
    assert.equal(int13(machine, { eax: 0x4800, edx: 0x80, esi: 0x600 }).carry, true);
  });

  it('answers every function number of every drive without harm', () => {
    const machine = createMemoryMachine({ drives: [byteDrive('floppy', 0, image(2880)), byteDrive('disk', 0, image(2016))] });
    for (let command = 0; command < 256; command++) {
      for (const drive of [0x00, 0x01, 0x80, 0x81, 0xff])
        int13(machine, { eax: (command << 8) | 1, ecx: 1, edx: drive, ebx: 0xffff, es_base: 0x20000, ds_base: 0x30000, esi: 0xfffe });
    }
  });
});
