// The PCI devices of the chip set: host bridge and PCI to ISA bridge.

import { strict as assert } from 'node:assert';
import { createRig, type Rig, setUpPic } from './rig.ts';

const CONFADD = 0xcf8,
  CONFDATA = 0xcfc;
const select = (rig: Rig, slot: number, number: number, register: number): void =>
  rig.bus.portWrite(CONFADD, (0x80000000 | (slot << 11) | (number << 8) | register) >>> 0, 4);
const configuration = (rig: Rig, slot: number, number: number, register: number): number => {
  select(rig, slot, number, register & ~3);
  return rig.bus.portRead(CONFDATA + (register & 3), 1);
};

describe('PCI configuration', () => {
  it('is reached by bytes, words and double words of CFCh', () => {
    const rig = createRig();
    select(rig, 0, 0, 0);
    assert.equal(rig.bus.portRead(CONFDATA, 4), 0x12378086);
    assert.deepEqual(
      [0, 1, 2, 3].map((n) => rig.in(CONFDATA + n)),
      [0x86, 0x80, 0x37, 0x12],
    );
    assert.deepEqual(
      [rig.bus.portRead(CONFDATA, 2), rig.bus.portRead(CONFDATA + 2, 2), rig.bus.portRead(CONFDATA + 1, 2)],
      [0x8086, 0x1237, 0x3780],
    );
    assert.equal(rig.bus.portRead(CONFADD, 4), 0x80000000);
  });

  it('finds both bridges, and nothing elsewhere or without the enable bit', () => {
    const rig = createRig();
    const found: string[] = [];
    for (let unit = 0; unit < 256; unit++) {
      select(rig, unit >> 3, unit & 7, 0);
      const id = rig.bus.portRead(CONFDATA, 4);
      if (id !== 0xffffffff) found.push(`${unit >> 3}.${unit & 7} ${id.toString(16)}`);
    }
    assert.deepEqual(found.slice(0, 2), ['0.0 12378086', '1.0 70008086']);
    rig.bus.portWrite(CONFADD, 0x80010000, 4);
    assert.equal(rig.bus.portRead(CONFDATA, 4), 0xffffffff, 'there is no bus 1');
    rig.bus.portWrite(CONFADD, 0, 4);
    assert.equal(rig.bus.portRead(CONFDATA, 4), 0xffffffff);
  });
});

describe('host bridge', () => {
  it('turns areas between 768 KiB and 1 MiB over to RAM as PAM0 to PAM6 say', () => {
    const rig = createRig();
    select(rig, 0, 0, 0x58);
    rig.bus.portWrite(CONFDATA, 0x01123330, 4);
    assert.equal(rig.bus.portRead(CONFDATA, 4), 0x01123000, '58h is no such register, reserved bits stay clear');
    assert.deepEqual(
      [0xf0000, 0xc0000, 0xc4000, 0xc8000, 0xcc000].map((address) => rig.shadows.get(address)),
      ['rw 10000', '-w 4000', 'r- 4000', 'r- 4000', '-- 4000'],
    );
    rig.devices.hostBridge.reset();
    assert.deepEqual([...new Set(rig.shadows.values())], ['r- 10000', 'r- 4000']);
  });

  it('reads ROM and writes RAM where only writes go to RAM', () => {
    const rig = createRig();
    select(rig, 0, 0, 0x58);
    rig.bus.portWrite(CONFDATA, 0x2000, 4);
    assert.equal(rig.bus.memoryRead(0xf0000, 4), 0x90909090, 'the ROM of the rig');
    rig.bus.memoryWrite(0xffffe, 0x1234, 2);
    assert.deepEqual([...rig.ram.subarray(0xffffe)], [0x34, 0x12]);
    assert.equal(rig.bus.memoryRead(0xc0000, 4), 0xffffffff);
    rig.bus.memoryWrite(0xc0000, 0x55, 1);
    assert.equal(rig.ram[0xc0000], 0);
  });
});

describe('PIIX3', () => {
  it('routes interrupt wires to level-triggered lines, several to one', () => {
    const rig = createRig();
    setUpPic(rig, [10, 11]);
    rig.out(0x4d1, 0x0c);
    select(rig, 1, 0, 0x60);
    assert.equal(rig.bus.portRead(CONFDATA, 4), 0x80808080);
    const [a, b] = [rig.pci.pin(1, 1), rig.pci.pin(1, 2)];
    a.set(true);
    assert.equal(rig.intr, false, 'no wire is routed after reset');
    rig.bus.portWrite(CONFDATA, 0x0b0b0a0a, 4);
    assert.equal(rig.intr, true);
    assert.equal(rig.devices.pic.acknowledge(), 0x72);
    b.set(true);
    a.set(false);
    rig.out(0xa0, 0x20);
    rig.out(0x20, 0x20);
    assert.equal(rig.intr, true, 'the line stays up while one wire holds it');
    rig.out(CONFDATA + 1, 0x0b);
    assert.equal(rig.devices.pic.acknowledge(), 0x73);
    rig.out(CONFDATA + 1, 0x82);
    rig.out(0xa0, 0x20);
    rig.out(0x20, 0x20);
    assert.equal(rig.intr, false);
  });

  it('takes line numbers that are none for no line', () => {
    const rig = createRig();
    select(rig, 1, 0, 0x60);
    rig.pci.pin(1, 1).set(true);
    for (const line of [0, 1, 2, 8, 13]) rig.out(CONFDATA, line);
    assert.equal(configuration(rig, 1, 0, 0x60), 13);
    assert.equal(rig.intr, false);
  });
});
