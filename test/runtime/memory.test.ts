// Physical memory as the processor sees it: RAM, ROM, devices, holes, A20 and the firmware's alias.

import assert from 'node:assert/strict';
import { createMemory, PAGE } from '../../src/runtime/memory.ts';
import { engine, host, memory, reset, SLICE } from './machine.ts';

describe('physical memory', () => {
  beforeEach(reset);

  it('devices see aligned accesses of 1, 2 and 4 bytes only', () => {
    assert.equal(engine.R32(0xb8001), 0x04030201);
    assert.deepEqual(
      host.accesses.map((a) => [a.at, a.size]),
      [
        [0xb8001, 1],
        [0xb8002, 2],
        [0xb8004, 1],
      ],
    );
    host.accesses.length = 0;
    engine.W32(0xb8002, 0x11223344);
    engine.W16(0xb8005, 0x5566);
    engine.W32(0xb8008, -1);
    assert.deepEqual(
      host.accesses.map((a) => [a.at, a.size, a.value]),
      [
        [0xb8002, 2, 0x3344],
        [0xb8004, 2, 0x1122],
        [0xb8005, 1, 0x66],
        [0xb8006, 1, 0x55],
        [0xb8008, 4, 0xffffffff],
      ],
    );
  });
  it('an access that crosses from RAM into a device is split at the page', () => {
    memory.ram[0x9fffe] = 0xaa;
    memory.ram[0x9ffff] = 0xbb;
    assert.equal(engine.R32(0x9fffe), 0x0100bbaa);
  });
  it('reads ROM, tells the host of writes to it and leaves it unchanged', () => {
    memory.writeBytes(0xf0000, Uint8Array.of(1, 2, 3, 4));
    memory.setState(0xf0, PAGE.ROM, true);
    engine.W16(0xf0000, 0x9999);
    engine.W16(0xf0000, 0x9999);
    assert.equal(engine.R32(0xf0000), 0x04030201);
    assert.equal(host.accesses.filter((a) => a.what === 'write').length, 2);
  });
  it('the last 64 KiB below 4 GiB are the firmware below 1 MiB', () => {
    memory.writeBytes(0xffff0, Uint8Array.of(0xea, 0x5b));
    assert.equal(engine.R16(0xfffffff0 | 0), 0x5bea);
    assert.deepEqual([engine.fetchPage(0xfffffff0 | 0), engine.fetchByte(0xfffffff0 | 0)], [0xff, 0xea]);
    assert.deepEqual([...memory.readBytes(0xfffffff0, 2)], [0xea, 0x5b]);
    assert.deepEqual([...memory.readBytes(0xfffffffe, 9)], [0, 0]);
  });
  it('a closed A20 gate folds odd megabytes onto even ones, for page tables too', () => {
    engine.W8(0x100010, 7);
    engine.setA20(false);
    engine.W8(0x100010, 9);
    assert.equal(memory.ram[0x10], 9);
    assert.equal(memory.ram[0x100010], 7);
    engine.setA20(true);
    assert.equal(engine.R8(0x100010), 7);
  });
  it('loaders and debuggers read and write RAM and ROM without side effects on devices', () => {
    memory.setState(0xf0, PAGE.ROM, true);
    assert.equal(memory.writeBytes(0xeffff, Uint8Array.of(1, 2, 3)), 3);
    assert.deepEqual([...memory.readBytes(0xeffff, 3)], [1, 2, 3]);
    assert.equal(memory.writeBytes(0x9ffff, Uint8Array.of(1, 2)), 1);
    assert.equal(memory.readBytes(0xa0000, 10).length, 0);
    assert.equal(memory.readBytes(SLICE.bytes - 1, 10).length, 1);
    assert.equal(host.accesses.length, 0);
  });
  it("a loader's write to code is reported", () => {
    const seen: number[][] = [];
    memory.onCodeWrite = (...args) => void seen.push(args);
    memory.setState(7, PAGE.CODE, true);
    memory.writeBytes(0x6ffe, new Uint8Array(5));
    assert.deepEqual(seen, [[7, 0, 3]]);
  });
  describe('windows on memory behind the RAM', () => {
    const RAM = 0x200000,
      FURTHER = 0x20000;
    const made = () => createMemory(new Uint8Array(RAM + FURTHER), 0, RAM, FURTHER);

    it('show it where they are placed, follow when moved, and give way to RAM but below 1 MiB', () => {
      const memory = made(),
        window = memory.window(0x10000);
      memory.further[0x10000] = 7;
      window.place(0xe0000000, RAM + 0x10000);
      assert.deepEqual([...memory.readBytes(0xe0000000, 1)], [7]);
      assert.equal(memory.physicalOf(RAM + 0x10002) >>> 0, 0xe0000002);
      assert.deepEqual([memory.readBytes(0xdfffffff, 1).length, memory.readBytes(0xe0010000, 1).length], [0, 0]);
      window.place(0xa0000, RAM);
      assert.equal(memory.readBytes(0xe0000000, 1).length, 0);
      assert.equal(memory.writeBytes(0xaffff, Uint8Array.of(5, 6)), 1);
      assert.deepEqual([memory.further[0xffff], memory.ram[0xaffff]], [5, 0]);
      window.place(0x1f8000, RAM + 0x10000);
      assert.deepEqual([...memory.readBytes(0x1f8000, 1)], [0], 'RAM');
      assert.equal(memory.ramPageAt(0x200000), (RAM + 0x18000) / 4096);
      window.place(null, RAM);
      assert.equal(memory.ramPageAt(0x200000), -1);
    });
    it('are nowhere at addresses that they do not fit to', () => {
      const memory = made(),
        window = memory.window(0x10000);
      for (const address of [0xfffff000, 0xe0000800]) {
        window.place(address, RAM);
        assert.equal(memory.readBytes(0xe0000800, 1).length, 0);
        assert.equal(memory.ramPageAt(0xfffff000), 0xff, "the firmware's alias");
      }
      assert.throws(() => window.place(0xe0000000, RAM + 0x18000), RangeError);
    });
    it('tell caches of translations when they move', () => {
      const memory = made(),
        seen: number[] = [];
      memory.onStateChange = (_, count) => void seen.push(count);
      const window = memory.window(0x1000);
      window.place(0xe0000000, RAM);
      window.place(0xe0000000, RAM);
      window.place(0xe0000000, RAM + 0x1000);
      assert.deepEqual(seen, [0x220, 0x220]);
    });
  });
  it('a slice must lie in the arena in whole pages', () => {
    const arena = new Uint8Array(0x200000);
    for (const [offset, bytes] of [
      [0x1000, 0x200000],
      [-4096, 0x100000],
      [0x800, 0x100000],
      [0, 0x100800],
      [0, 0x1000],
      [0x200000, 0x100000],
    ] as const) {
      assert.throws(() => createMemory(arena, offset, bytes), RangeError);
    }
  });
});
