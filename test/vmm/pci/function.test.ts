import { strict as assert } from 'node:assert';
import type { MovableRange } from '../../../src/vmm/device.ts';
import { PciBus, pciWire } from '../../../src/vmm/pci/bus.ts';
import { PCI_COMMAND, PciFunction, type PciHeader } from '../../../src/vmm/pci/function.ts';

const nothing = { read: () => 0, write() {} };
const HEADER: PciHeader = {
  slot: 3,
  number: 1,
  vendor: 0x8086,
  device: 0x1234,
  revision: 7,
  classCode: 0x010180,
  subsystem: { vendor: 0x1af4, device: 0x1100 },
  interruptPin: 1,
  bars: [
    { index: 0, kind: 'memory', bytes: 0x1000, prefetchable: true, ...nothing },
    { index: 4, kind: 'port', bytes: 16, ...nothing },
  ],
  registers: [{ offset: 0x40, bytes: 2, initial: 0x1234, writable: 0x80ff }],
};

function plugged(header: PciHeader = HEADER) {
  const places = new Map<MovableRange, number | null>(),
    bus = new PciBus(),
    changes: number[] = [];
  const context = { pci: bus, map: (range: MovableRange) => ({ place: (base: number | null) => void places.set(range, base) }) };
  const unit = new PciFunction(context, header, (register) => void changes.push(register));
  return { bus, unit, changes, place: (n: number) => places.get(header.bars![n] as MovableRange) };
}
const ADDRESS = 0x80001900;

describe('PCI function', () => {
  it('shows its header, and ones where no function is', () => {
    const { bus } = plugged();
    assert.equal(bus.read(ADDRESS, 4), 0x12348086);
    assert.equal(bus.read(ADDRESS + 2, 2), 0x1234);
    assert.equal(bus.read(ADDRESS + 8, 4), 0x01018007);
    assert.equal(bus.read(ADDRESS + 0x2c, 4), 0x11001af4);
    assert.equal(bus.read(ADDRESS + 0x3d, 1), 1);
    assert.deepEqual([bus.read(ADDRESS - 0x100, 4), bus.read(ADDRESS + 0x10000, 2), bus.read(0x80000000, 1)], [0xffffffff, 0xffff, 0xff]);
  });

  it('tells the sizes of its registers when ones are written to base addresses', () => {
    const { bus } = plugged();
    for (const at of [0x10, 0x14, 0x20]) bus.write(ADDRESS + at, 0xffffffff, 4);
    assert.deepEqual([bus.read(ADDRESS + 0x10, 4), bus.read(ADDRESS + 0x14, 4), bus.read(ADDRESS + 0x20, 4)], [0xfffff008, 0, 0xfffffff1]);
  });

  it('puts its registers on the bus where base address and command register say', () => {
    const { bus, place } = plugged();
    bus.write(ADDRESS + 0x10, 0xfebf0000, 4);
    bus.write(ADDRESS + 0x20, 0xc040, 4);
    assert.deepEqual([place(0) ?? null, place(1) ?? null], [null, null]);
    bus.write(ADDRESS + 4, PCI_COMMAND.PORTS, 2);
    assert.deepEqual([place(0), place(1)], [null, 0xc040]);
    bus.write(ADDRESS + 4, PCI_COMMAND.MEMORY, 1);
    assert.deepEqual([place(0), place(1)], [0xfebf0000, null]);
    bus.write(ADDRESS + 0x13, 0, 1);
    assert.equal(place(0), 0x00bf0000);
    bus.write(ADDRESS + 0x10, 0, 4);
    assert.equal(place(0), null, 'no address is assigned');
  });

  it('keeps what cannot be written, and calls its device back with the register', () => {
    const { bus, changes } = plugged();
    bus.write(ADDRESS, 0, 4);
    bus.write(ADDRESS + 0x40, 0xffff5678, 4);
    assert.deepEqual([bus.read(ADDRESS, 4), bus.read(ADDRESS + 0x40, 4)], [0x12348086, 0x1278]);
    bus.write(ADDRESS + 0x41, 0x80, 1);
    assert.equal(bus.read(ADDRESS + 0x40, 2), 0x9278);
    assert.deepEqual(changes, [0, 0x40, 0x40]);
  });

  it('holds its interrupt wire with others, and shows it in the status also while it is disabled', () => {
    const { bus, unit } = plugged();
    const events: string[] = [];
    bus.onWire((wire, level) => void events.push(`${wire} ${level}`));
    const other = bus.pin(2, 2);
    assert.equal(pciWire(3, 1), pciWire(2, 2));
    unit.interrupt(true);
    other.set(true);
    other.set(true);
    unit.interrupt(false);
    assert.deepEqual(events, ['2 true']);
    other.set(false);
    bus.write(ADDRESS + 4, PCI_COMMAND.NO_INTERRUPT, 2);
    unit.interrupt(true);
    assert.equal(bus.read(ADDRESS + 6, 2) & 8, 8);
    assert.deepEqual(events, ['2 true', '2 false']);
    bus.write(ADDRESS + 4, 0, 2);
    unit.reset();
    assert.deepEqual(events, ['2 true', '2 false', '2 true', '2 false']);
    assert.equal(bus.read(ADDRESS + 6, 2), 0);
  });

  it('has a list of capabilities, and hands accesses to its device', () => {
    const done: string[] = [];
    const { bus, unit } = plugged({
      ...HEADER,
      capabilities: [
        { id: 9, offset: 0x50, body: [6, 1, 2, 3] },
        { id: 5, offset: 0x44, body: [7] },
      ],
      accesses: [{ offset: 0x60, read: (size) => size, write: (value, size) => void done.push(`${value} ${size}`) }],
    });
    assert.equal(bus.read(ADDRESS + 6, 2), 0x10);
    unit.reset();
    bus.write(ADDRESS + 0x34, 0, 4);
    assert.deepEqual([bus.read(ADDRESS + 6, 2), bus.read(ADDRESS + 0x34, 1)], [0x10, 0x50]);
    assert.deepEqual(
      [bus.read(ADDRESS + 0x50, 4), bus.read(ADDRESS + 0x54, 2), bus.read(ADDRESS + 0x44, 4)],
      [0x01064409, 0x0302, 0x70005],
    );
    bus.write(ADDRESS + 0x60, 77, 2);
    assert.deepEqual([bus.read(ADDRESS + 0x60, 4), done], [4, ['77 2']]);
  });

  it('is loaded from a saved space, of which only what can be written counts', () => {
    const { bus, unit, place } = plugged();
    const saved = new Uint8Array(256).fill(0xff);
    unit.load(saved);
    assert.equal(bus.read(ADDRESS, 4), 0x12348086);
    assert.equal(bus.read(ADDRESS + 4, 4), 0x507);
    assert.deepEqual([place(0), place(1)], [0xfffff000, 0xfffffff0]);
  });

  it('refuses a second function at its place', () => {
    const { bus } = plugged();
    const context = { pci: bus, map: () => ({ place() {} }) };
    assert.throws(() => new PciFunction(context, HEADER), /two PCI functions at 00:3\.1/);
  });

  it('has an expansion ROM where its base address says, while that and memory decoding are on', () => {
    const rom = Uint8Array.from({ length: 3000 }, (_, n) => n);
    const places: (number | null)[] = [],
      ranges: MovableRange[] = [];
    const context = {
      pci: new PciBus(),
      map(range: MovableRange) {
        ranges.push(range);
        return { place: (base: number | null) => void places.push(base) };
      },
    };
    const unit = new PciFunction(context, { slot: 3, number: 0, vendor: 1, device: 2, classCode: 0x030000, rom });
    unit.write(0x30, 0xffffffff, 4);
    assert.equal(unit.read(0x30, 4), 0xfffff001);
    unit.write(0x30, 0xfebe0001, 4);
    assert.equal(places.at(-1), null);
    unit.write(0x04, 2, 2);
    assert.equal(places.at(-1), 0xfebe0000);
    unit.write(0x30, 0xfebe0000, 4);
    assert.equal(places.at(-1), null);
    assert.deepEqual([ranges[0].bytes, ranges[0].read(0x102, 2), ranges[0].read(4000, 4)], [4096, 0x0302, 0xffffffff]);
  });
});
