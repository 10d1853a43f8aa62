import { strict as assert } from 'node:assert';
import { createRig, type Rig } from './rig.ts';

function set(rig: Rig, mode: number, address: number, bytes: number): void {
  rig.out(0x0b, mode | 2);
  rig.out(0x0c, 0);
  rig.out(0x04, address & 0xff, (address >> 8) & 0xff);
  rig.out(0x05, (bytes - 1) & 0xff, (bytes - 1) >> 8);
  rig.out(0x81, address >> 16);
  rig.out(0x0a, 2);
}
const counters = (rig: Rig): number[] => {
  rig.out(0x0c, 0);
  return [rig.in(0x04) | (rig.in(0x04) << 8), rig.in(0x05) | (rig.in(0x05) << 8)];
};

describe('8237A, a channel', () => {
  it('moves what its count allows, tells the end and masks itself', () => {
    const rig = createRig(),
      channel = rig.devices.dma.channel(2);
    set(rig, 0x44, 0x12340, 5);
    assert.deepEqual(channel.toMemory(Uint8Array.of(1, 2, 3)), { moved: 3, terminal: false });
    assert.deepEqual(counters(rig), [0x2343, 1]);
    assert.deepEqual(channel.toMemory(Uint8Array.of(4, 5, 6)), { moved: 2, terminal: true });
    assert.deepEqual([...rig.ram.subarray(0x12340, 0x12346)], [1, 2, 3, 4, 5, 0]);
    assert.deepEqual(counters(rig), [0x2345, 0xffff]);
    assert.deepEqual([rig.in(0x08), rig.in(0x08), rig.in(0x0f) & 4], [4, 0, 4]);
    assert.deepEqual(channel.toMemory(Uint8Array.of(9)), { moved: 0, terminal: false });
  });

  it('starts again by itself, and reads memory', () => {
    const rig = createRig(),
      channel = rig.devices.dma.channel(2);
    rig.ram.set([7, 8, 9], 0x8000);
    set(rig, 0x58, 0x8000, 3);
    for (let n = 0; n < 2; n++) assert.deepEqual(channel.fromMemory(10), { bytes: Uint8Array.of(7, 8, 9), terminal: true });
    assert.deepEqual(counters(rig), [0x8000, 2]);
  });

  it('stays on its page, and counts downwards', () => {
    const rig = createRig(),
      channel = rig.devices.dma.channel(2);
    set(rig, 0x44, 0x1fffe, 4);
    channel.toMemory(Uint8Array.of(1, 2, 3, 4));
    assert.deepEqual([...rig.ram.subarray(0x1fffe, 0x20000), ...rig.ram.subarray(0x10000, 0x10002), rig.ram[0x20000]], [1, 2, 3, 4, 0]);
    set(rig, 0x64, 0x10001, 3);
    channel.toMemory(Uint8Array.of(5, 6, 7));
    assert.deepEqual([rig.ram[0x10001], rig.ram[0x10000], rig.ram[0x1ffff]], [5, 6, 7]);
  });

  it('moves nothing when it is off, masked, cascaded or set to the other direction, and only counts in verify mode', () => {
    const nothing = { moved: 0, terminal: false };
    for (const [mode, change] of [
      [0x44, (rig: Rig) => rig.out(0x08, 4)],
      [0x44, (rig: Rig) => rig.out(0x0a, 6)],
      [0xc4, () => {}],
      [0x48, () => {}],
    ] as const) {
      const rig = createRig();
      set(rig, mode, 0x8000, 2);
      change(rig);
      assert.deepEqual(rig.devices.dma.channel(2).toMemory(Uint8Array.of(1, 2)), nothing);
      assert.equal(rig.ram[0x8000], 0);
    }
    const rig = createRig();
    set(rig, 0x40, 0x8000, 2);
    assert.deepEqual(rig.devices.dma.channel(2).toMemory(Uint8Array.of(1, 2)), { moved: 2, terminal: true });
    assert.equal(rig.ram[0x8000], 0);
  });
});
