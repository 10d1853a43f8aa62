// The educational device as a driver in a course sees it (QEMU's docs/specs/edu.rst).

import { strict as assert } from 'node:assert';
import { createRig, MILLISECOND, type Rig } from './rig.ts';

const BASE = 0xe0000000,
  SLOT = 3 << 11;
const AT = { liveness: 4, factorial: 8, status: 0x20, interruptStatus: 0x24, raise: 0x60, acknowledge: 0x64 };
const DMA = { source: 0x80, destination: 0x88, count: 0x90, command: 0x98 };

function start(properties: { [name: string]: string } = {}): Rig {
  const rig = createRig({ cards: [{ device: 'edu', properties }] });
  rig.pci.write(SLOT | 0x10, BASE, 4);
  rig.pci.write(SLOT | 0x04, 6, 2);
  return rig;
}
const read = (rig: Rig, offset: number): number => rig.bus.memoryRead(BASE + offset, 4) >>> 0;
const write = (rig: Rig, offset: number, value: number): void => rig.bus.memoryWrite(BASE + offset, value, 4);
/** The interrupt pin, as the status register of the configuration space shows it. */
const requested = (rig: Rig): boolean => (rig.pci.read(SLOT | 0x06, 2) & 8) !== 0;

function transfer(rig: Rig, source: number, destination: number, count: number, command: number): void {
  write(rig, DMA.source, source);
  write(rig, DMA.destination, destination);
  write(rig, DMA.count, count);
  write(rig, DMA.command, command);
  assert.equal(read(rig, DMA.command) & 1, 1);
  rig.run(100 * MILLISECOND);
  assert.equal(read(rig, DMA.command) & 1, 0);
}

describe('edu', () => {
  it('is 1234:11E8 in the first free slot and says its version', () => {
    const rig = start();
    assert.equal(rig.pci.read(SLOT, 4), 0x11e81234);
    assert.equal(read(rig, 0), 0x010000ed);
  });

  it('answers the liveness check with the complement, and nothing that is not four bytes wide', () => {
    const rig = start();
    write(rig, AT.liveness, 0x12345678);
    assert.equal(read(rig, AT.liveness), 0xedcba987);
    rig.bus.memoryWrite(BASE + AT.liveness, 0, 2);
    assert.equal(read(rig, AT.liveness), 0xedcba987);
    assert.equal(rig.bus.memoryRead(BASE + AT.liveness, 1), 0xff);
  });

  it('computes factorials modulo 2 to the 32nd while its status says so, and requests an interrupt when asked', () => {
    const rig = start();
    for (const [n, product] of [
      [0, 1],
      [5, 120],
      [12, 479001600],
      [13, 1932053504],
      [33, 2147483648],
      [34, 0],
      [0xffffffff, 0],
    ]) {
      write(rig, AT.status, 0x80);
      write(rig, AT.factorial, n);
      assert.equal(read(rig, AT.status), 0x81);
      write(rig, AT.factorial, 3);
      rig.run(MILLISECOND);
      assert.deepEqual([read(rig, AT.status), read(rig, AT.factorial)], [0x80, product]);
      assert.deepEqual([read(rig, AT.interruptStatus), requested(rig)], [1, true]);
      write(rig, AT.acknowledge, 1);
      assert.deepEqual([read(rig, AT.interruptStatus), requested(rig)], [0, false]);
    }
  });

  it('holds its interrupt until every bit that was raised is acknowledged', () => {
    const rig = start();
    write(rig, AT.raise, 6);
    write(rig, AT.acknowledge, 2);
    assert.deepEqual([read(rig, AT.interruptStatus), requested(rig)], [4, true]);
    write(rig, AT.acknowledge, 4);
    assert.equal(requested(rig), false);
  });

  it('moves bytes from memory and back, and says when it has', () => {
    const rig = start();
    rig.ram.set([1, 2, 3, 4, 5, 6, 7, 8], 0x8000);
    transfer(rig, 0x8000, 0x40010, 8, 1);
    transfer(rig, 0x40012, 0x9000, 4, 1 | 2 | 4);
    assert.deepEqual([...rig.ram.subarray(0x9000, 0x9006)], [3, 4, 5, 6, 0, 0]);
    assert.equal(read(rig, AT.interruptStatus), 0x100);
  });

  it('moves nothing beyond its 4 KiB, or while it must not be bus master', () => {
    const rig = start();
    rig.ram.fill(0xaa, 0x8000, 0x8010);
    for (const [destination, count] of [
      [0x3ffff, 4],
      [0x40ffd, 4],
      [0x40000, 4097],
      [0, 4],
    ])
      transfer(rig, 0x8000, destination, count, 1);
    rig.pci.write(SLOT | 0x04, 2, 2);
    transfer(rig, 0x8000, 0x40000, 4, 1);
    rig.pci.write(SLOT | 0x04, 6, 2);
    transfer(rig, 0x40000, 0x9000, 4096, 3);
    assert.ok(rig.ram.subarray(0x9000, 0xa000).every((value) => value === 0));
  });

  it('reaches the addresses of its mask', () => {
    const rig = start({ dma_mask: '0xffff' });
    rig.ram.fill(0x55, 0x8000, 0x8004);
    transfer(rig, 0x18000, 0x40000, 4, 1);
    transfer(rig, 0x40000, 0xf9000, 4, 3);
    assert.deepEqual([...rig.ram.subarray(0x9000, 0x9004)], [0x55, 0x55, 0x55, 0x55]);
    for (const mask of ['', 'x', '-1', '0x1ffffffff'])
      assert.throws(() => start({ dma_mask: mask }), /edu: dma_mask=.*a mask of up to 32 bits is needed/);
  });
});
