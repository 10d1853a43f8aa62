import assert from 'node:assert/strict';
import { seeded } from '../../support/random.ts';
import { createRig, type Rig } from './rig.ts';

const SELECTOR = 0x510,
  DATA = 0x511,
  DMA_HIGH = 0x514,
  DMA_LOW = 0x518;
const REQUEST = 0x1000,
  TARGET = 0x2000;

const swapped = (value: number): number => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return view.getUint32(0, true);
};
function item(rig: Rig, number: number, length: number): number[] {
  rig.bus.portWrite(SELECTOR, number, 2);
  return Array.from({ length }, () => rig.in(DATA));
}
const text = (bytes: readonly number[]): string => String.fromCharCode(...bytes);
/** A request for DMA; gives what its control word is afterwards. */
function dma(rig: Rig, control: number, length: number, address = TARGET): number {
  const view = new DataView(rig.ram.buffer);
  view.setUint32(REQUEST, control);
  view.setUint32(REQUEST + 4, length);
  view.setUint32(REQUEST + 8, 0);
  view.setUint32(REQUEST + 12, address);
  rig.bus.portWrite(DMA_HIGH, 0, 4);
  rig.bus.portWrite(DMA_LOW, swapped(REQUEST), 4);
  return view.getUint32(REQUEST);
}

describe('firmware configuration', () => {
  it('is QEMU, can do DMA, and tells RAM and processors', () => {
    const rig = createRig();
    assert.equal(text(item(rig, 0x00, 4)), 'QEMU');
    assert.deepEqual(item(rig, 0x01, 4), [3, 0, 0, 0]);
    assert.deepEqual(item(rig, 0x03, 8), [0, 0, 0x10, 0, 0, 0, 0, 0]);
    assert.deepEqual(item(rig, 0x05, 3), [1, 0, 0], 'behind the end are zeros');
    assert.deepEqual(item(rig, 0x7777, 2), [0, 0]);
    assert.deepEqual([rig.bus.portRead(DMA_HIGH, 4), rig.bus.portRead(DMA_LOW, 4)].map(swapped), [0x51454d55, 0x20434647]);
  });

  it('lists its files with their sizes and items', () => {
    const rig = createRig(),
      directory = item(rig, 0x19, 4 + 64);
    assert.deepEqual(directory.slice(0, 12), [0, 0, 0, 1, 0, 0, 0, 3, 0, 0x20, 0, 0]);
    assert.equal(text(directory.slice(12, 20)), 'etc/test');
    assert.deepEqual(item(rig, 0x20, 4), [1, 2, 3, 0]);
  });

  it('selects, skips and reads by DMA, with zeros behind the end', () => {
    const rig = createRig();
    rig.ram.fill(0xee, TARGET, TARGET + 8);
    assert.equal(dma(rig, (0x20 << 16) | 0x08, 0), 0);
    assert.equal(dma(rig, 0x04, 1), 0);
    assert.equal(dma(rig, 0x02, 4), 0);
    assert.deepEqual([...rig.ram.subarray(TARGET, TARGET + 5)], [2, 3, 0, 0, 0xee]);
    assert.equal(dma(rig, (0x00 << 16) | 0x0a, 4), 0);
    assert.equal(text([...rig.ram.subarray(TARGET, TARGET + 4)]), 'QEMU');
  });

  it('says error to writes and to more than there can be', () => {
    const rig = createRig();
    assert.equal(dma(rig, (0x20 << 16) | 0x18, 4), 1);
    assert.equal(dma(rig, (0x20 << 16) | 0x0a, 0xffffffff), 1);
  });

  it('takes a million accesses without harm', () => {
    const rig = createRig(),
      random = seeded(510);
    for (let n = 0; n < 1_000_000; n++) {
      const port = SELECTOR + random.below(12),
        size = random.pick([1, 2, 4] as const);
      if (random.below(2)) rig.bus.portRead(port, size);
      else rig.bus.portWrite(port, random.below(4) ? random.edgy() : swapped(random.below(0x3000)), size);
      if (n % 16 === 0)
        rig.ram.set(
          Uint8Array.from({ length: 16 }, (_, k) => (k < 6 ? random.below(2) * random.below(64) : random.below(256))),
          random.below(0x3000),
        );
    }
    assert.equal(text(item(rig, 0x00, 4)), 'QEMU');
  }).timeout(60_000);
});
