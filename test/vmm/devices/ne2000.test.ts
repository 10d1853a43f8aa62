import { strict as assert } from 'node:assert';
import { buildFrame } from '../../../src/vmm/net/ethernet.ts';
import type { CardConfig } from '../../../src/vmm/protocol.ts';
import { createRig, MICROSECOND, type Rig, setUpPic } from './rig.ts';

const BASE = 0x300,
  IRQ = 5;
const ISA: CardConfig = {
  device: 'ne2k_isa',
  properties: { irq: String(IRQ), mac: '52:54:00:ab:cd:ef' },
  backend: { type: 'switch', properties: {} },
};
const MAC = [0x52, 0x54, 0, 0xab, 0xcd, 0xef],
  OTHER = [2, 0, 0, 0, 0, 1];

const out = (rig: Rig, register: number, value: number): void => rig.bus.portWrite(BASE + register, value, 1);
const read = (rig: Rig, register: number): number => rig.bus.portRead(BASE + register, 1);

/** Remote DMA by words, as a driver does it. */
function readMemory(rig: Rig, address: number, length: number): number[] {
  const bytes: number[] = [];
  for (const [register, value] of [
    [0, 0x22],
    [10, length & 0xff],
    [11, length >> 8],
    [8, address & 0xff],
    [9, address >> 8],
    [0, 0x0a],
  ])
    out(rig, register, value);
  for (let n = 0; n < length; n += 2) {
    const word = rig.bus.portRead(BASE + 0x10, 2);
    bytes.push(word & 0xff, word >> 8);
  }
  assert.equal(read(rig, 7) & 0x40, 0x40, 'remote DMA complete');
  out(rig, 7, 0x40);
  return bytes;
}
function writeMemory(rig: Rig, address: number, bytes: readonly number[]): void {
  for (const [register, value] of [
    [0, 0x22],
    [10, bytes.length & 0xff],
    [11, bytes.length >> 8],
    [8, address & 0xff],
    [9, address >> 8],
    [0, 0x12],
  ])
    out(rig, register, value);
  for (let n = 0; n < bytes.length; n += 4)
    rig.bus.portWrite(BASE + 0x10, (bytes[n] | (bytes[n + 1] << 8) | (bytes[n + 2] << 16) | (bytes[n + 3] << 24)) >>> 0, 4);
  out(rig, 7, 0x40);
}
/** Started as drivers do: transmit buffer at 4000h, ring from 4600h to 8000h, broadcasts and its own address. */
function started(receive = 0x04): Rig {
  const rig = createRig({ cards: [ISA] });
  setUpPic(rig, [IRQ]);
  read(rig, 0x1f);
  for (const [register, value] of [
    [0, 0x21],
    [14, 0x49],
    [12, 0x20],
    [13, 0x02],
    [4, 0x40],
    [1, 0x46],
    [3, 0x46],
    [2, 0x80],
    [7, 0xff],
    [15, 0x7f],
    [0, 0x61],
  ])
    out(rig, register, value);
  for (const [n, byte] of MAC.entries()) out(rig, 1 + n, byte);
  for (let n = 8; n < 16; n++) out(rig, n, 0);
  out(rig, 7, 0x47);
  out(rig, 0, 0x22);
  out(rig, 13, 0);
  out(rig, 12, receive);
  return rig;
}
const frame = (destination: readonly number[], length: number, seed = 0): Uint8Array =>
  buildFrame(
    Uint8Array.from(destination),
    Uint8Array.from(OTHER),
    0x88b5,
    Uint8Array.from({ length: length - 14 }, (_, n) => n + seed),
  );
const arrive = (rig: Rig, bytes: Uint8Array): void => rig.cards.get('ne2k_isa.0')?.receive?.(bytes);

describe('NE2000', () => {
  it('has its address in the PROM, every byte twice, and the signature of a 16-bit card', () => {
    const rig = started();
    const prom = readMemory(rig, 0, 32);
    assert.deepEqual(prom.filter((_, n) => n % 2 === 0).slice(0, 6), MAC);
    assert.deepEqual(prom.slice(28), [0x57, 0x57, 0x57, 0x57]);
  });

  it('keeps what is written to its 16 KiB, and has nothing elsewhere', () => {
    const rig = started();
    for (const [address, there] of [
      [0x4000, true],
      [0x7ff0, true],
      [0x2000, false],
      [0x8000, false],
    ] as const) {
      writeMemory(rig, address, [1, 2, 3, 4, 5, 6, 7, 8]);
      assert.deepEqual(readMemory(rig, address, 8), there ? [1, 2, 3, 4, 5, 6, 7, 8] : new Array(8).fill(0xff), address.toString(16));
    }
  });

  it('sends the frame in its transmit buffer, and interrupts when it is gone', () => {
    const rig = started();
    const bytes = frame(OTHER, 64);
    writeMemory(rig, 0x4000, [...bytes]);
    out(rig, 4, 0x40);
    out(rig, 5, 64);
    out(rig, 6, 0);
    out(rig, 0, 0x26);
    assert.equal(read(rig, 0) & 4, 4, 'busy');
    assert.deepEqual(rig.peers, []);
    rig.run(10 * MICROSECOND);
    assert.deepEqual(
      rig.peers.map(({ bytes: sent }) => [...sent]),
      [[0, ...bytes]],
    );
    assert.deepEqual([read(rig, 0) & 4, read(rig, 7), read(rig, 4), rig.intr], [0, 2, 1, true]);
    out(rig, 7, 2);
    rig.acknowledge();
    rig.out(0x20, 0x20);
    assert.equal(rig.intr, false);
  });

  it('puts frames into its ring, around the end, each with status, next page and length', () => {
    const rig = started();
    let page = 0x47,
      seed = 0;
    for (const length of [60, 61, 244, 245, 1514, 300, 1000, 1514, 1514, 1514, 1514, 1514, 1514, 1514, 1514, 90]) {
      const bytes = frame(MAC, length, seed++);
      arrive(rig, bytes);
      rig.run(1000 * MICROSECOND);
      assert.equal(read(rig, 7) & 1, 1);
      out(rig, 7, 1);
      const [status, next, low, high] = readMemory(rig, page * 256, 4);
      assert.deepEqual([status, low | (high << 8)], [1, length + 4]);
      const data = readMemory(rig, page * 256 + 4, length + (length & 1));
      assert.deepEqual(data.slice(0, length), [...bytes], `${length}`);
      out(rig, 0, 0x62);
      assert.equal(read(rig, 7), next);
      out(rig, 0, 0x22);
      page = next;
      out(rig, 3, page === 0x46 ? 0x7f : page - 1);
    }
  });

  it('lets frames wait that its ring has no room for, and loses none', () => {
    const rig = started();
    for (let n = 0; n < 30; n++) arrive(rig, frame(MAC, 1514, n));
    rig.run(10_000 * MICROSECOND);
    let page = 0x47,
      seen = 0;
    for (let rounds = 0; rounds < 100 && seen < 30; rounds++) {
      out(rig, 0, 0x62);
      const current = read(rig, 7);
      out(rig, 0, 0x22);
      while (page !== current) {
        const header = readMemory(rig, page * 256, 20);
        assert.equal(header[18], seen++);
        page = header[1];
        out(rig, 3, page === 0x46 ? 0x7f : page - 1);
      }
      rig.run(1000 * MICROSECOND);
    }
    assert.equal(seen, 30);
  });

  it('takes frames to itself, broadcasts and the groups it wants, or all', () => {
    const group = [1, 0, 0x5e, 0, 0, 1];
    const takes = (receive: number, hash: number, destination: readonly number[]): boolean => {
      const rig = started(receive);
      out(rig, 0, 0x62);
      for (let n = 8; n < 16; n++) out(rig, n, hash);
      out(rig, 0, 0x22);
      arrive(rig, frame(destination, 60));
      rig.run(1000 * MICROSECOND);
      return (read(rig, 7) & 1) === 1;
    };
    const all = new Array(6).fill(0xff);
    assert.deepEqual([takes(0, 0, MAC), takes(0, 0, OTHER), takes(0x10, 0, OTHER), takes(0x20, 0, MAC)], [true, false, true, false]);
    assert.deepEqual([takes(0, 0, all), takes(4, 0, all)], [false, true]);
    assert.deepEqual([takes(8, 0, group), takes(8, 0xff, group), takes(4, 0xff, group)], [false, true, false]);
  });

  it('is an RTL8029AS on PCI, which says so', () => {
    const rig = createRig({ cards: [{ device: 'ne2k_pci', properties: {} }] });
    assert.equal(rig.pci.read(3 << 11, 4), 0x802910ec);
    rig.pci.write((3 << 11) | 0x10, 0xc000, 4);
    rig.pci.write((3 << 11) | 0x04, 1, 2);
    const registers = (page: number, ...numbers: number[]): number[] => {
      rig.bus.portWrite(0xc000, (page << 6) | 0x21, 1);
      return numbers.map((register) => rig.bus.portRead(0xc000 + register, 1));
    };
    assert.deepEqual(
      [registers(0, 10, 11), registers(3, 3, 5, 6)],
      [
        [0x50, 0x43],
        [0, 0x40, 0x40],
      ],
    );
    const isa = started();
    assert.deepEqual([read(isa, 10), read(isa, 11)], [0, 0]);
  });

  it('hears nothing while it is stopped or in loopback', () => {
    for (const [register, value] of [
      [0, 0x21],
      [13, 2],
    ]) {
      const rig = started();
      out(rig, register, value);
      arrive(rig, frame(MAC, 60));
      rig.run(1000 * MICROSECOND);
      assert.equal(read(rig, 7) & 1, 0);
    }
  });
});
