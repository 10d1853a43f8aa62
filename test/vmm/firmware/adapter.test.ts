import { strict as assert } from 'node:assert';
import type { VirtualCpu } from '../../../src/runtime/cpu-types.ts';
import { createFirmwareMachine } from '../../../src/vmm/firmware/adapter.ts';

/** A processor with 1 MiB of RAM in which every linear page maps to the page 10h above, but for those from 80000h. */
function rig() {
  const ram = new Uint8Array(1 << 20),
    video = new Map<number, number>(),
    registers = new Map<string, number>([['cr0', 0x10]]);
  const cpu = {
    addressMask: -1,
    get: (name: string) => registers.get(name) ?? 0,
    set: (name: string, value: number) => void registers.set(name, value),
    translate: (linear: number) => ({ physical: linear >= 0x80000 ? null : linear + 0x10000, walk: [] }),
    readPhysical: (address: number, length: number) => ram.slice(address, address + length),
    writePhysical: (address: number, bytes: Uint8Array) => {
      ram.set(bytes.subarray(0, Math.max(0, ram.length - address)), Math.min(address, ram.length));
      return bytes.length;
    },
  } as unknown as VirtualCpu;
  const machine = createFirmwareMachine({
    cpu,
    drives: [],
    bootOrder: '',
    memory: ram.length,
    virtioDevices: 0,
    powerOff: () => undefined,
    bus: {
      portRead: (port) => port & 0xff,
      portWrite: () => undefined,
      mmioRead: (address, size) =>
        Array.from({ length: size }, (_, n) => (video.get(address + n) ?? 0) << (8 * n)).reduce((sum, part) => sum | part) >>> 0,
      mmioWrite(address, value, size) {
        for (let n = 0; n < size; n++) video.set(address + n, (value >>> (8 * n)) & 0xff);
      },
    },
  });
  return { ram, video, machine, registers, cpu };
}

describe("the firmware's view of a machine", () => {
  it('reads and writes RAM without paging at the linear address', () => {
    const { ram, machine } = rig();
    machine.writeLinear(0x1fff, Uint8Array.of(1, 2, 3));
    assert.deepEqual([...ram.subarray(0x1fff, 0x2002)], [1, 2, 3]);
    assert.deepEqual([...machine.readLinear(0x2000, 2)], [2, 3]);
  });

  it('goes through the page tables when paging is on, page by page', () => {
    const { ram, machine, registers } = rig();
    registers.set('cr0', 0x80000011);
    machine.writeLinear(0x1fff, Uint8Array.of(1, 2));
    assert.deepEqual([...ram.subarray(0x11fff, 0x12001)], [1, 2]);
    assert.deepEqual([...machine.readLinear(0x7ffff, 2)], [0, 0xff], 'a page that is not mapped reads all ones');
    machine.writeLinear(0x80000, Uint8Array.of(9));
    machine.writePhysical(0x3000, Uint8Array.of(7));
    assert.equal(ram[0x3000], 7);
  });

  it('masks every address as the A20 gate does', () => {
    const { ram, machine, cpu } = rig();
    Object.assign(cpu, { addressMask: ~0x100000 });
    assert.equal(machine.a20, false);
    machine.writeLinear(0x101000, Uint8Array.of(1));
    machine.writePhysical(0x1fffff, Uint8Array.of(2, 3));
    assert.deepEqual([ram[0x1000], ram[0]], [1, 0]);
    machine.writePhysical(0x101001, Uint8Array.of(2, 3));
    assert.deepEqual([...machine.readPhysical(0x1000, 3)], [1, 2, 3]);
  });

  it('reaches video memory through its device, and RAM beside it', () => {
    const { ram, video, machine } = rig();
    machine.writePhysical(0x9ffff, Uint8Array.of(1, 2));
    assert.deepEqual([ram[0x9ffff], video.get(0xa0000), ram[0xa0000]], [1, 2, 0]);
    machine.writePhysical(0xbffff, Uint8Array.of(3, 4));
    assert.deepEqual([video.get(0xbffff), ram[0xc0000]], [3, 0], 'ROM follows');
    assert.deepEqual([...machine.readPhysical(0x9ffff, 2)], [1, 2]);
  });

  it('keeps the order of bytes in video memory at any alignment', () => {
    const { machine, video } = rig(),
      bytes = Uint8Array.from({ length: 23 }, (_, n) => 0xf0 - 7 * n);
    machine.writePhysical(0xb8001, bytes);
    assert.deepEqual(
      Array.from(bytes, (_, n) => video.get(0xb8001 + n)),
      [...bytes],
    );
    assert.deepEqual(machine.readPhysical(0xb8001, 23), bytes);
  });

  it('reads all ones behind the RAM', () => {
    const { machine } = rig();
    assert.deepEqual([...machine.readPhysical(0xfffff, 3)], [0, 0xff, 0xff]);
  });

  it('leaves ROM as it is', () => {
    const { ram, machine } = rig();
    machine.writePhysical(0xefffe, Uint8Array.of(1, 2, 3));
    machine.writeLinear(0xffff0, Uint8Array.of(4));
    machine.writePhysical(0xfffffff0, Uint8Array.of(5));
    assert.ok(ram.subarray(0xc0000).every((byte) => byte === 0));
  });
});
