import { strict as assert } from 'node:assert';
import { PciBus } from '../../../src/vmm/pci/bus.ts';
import { PciFunction } from '../../../src/vmm/pci/function.ts';
import { Msix } from '../../../src/vmm/pci/msix.ts';

const CONTROL = 0x80001842;
const ON = 0x8000,
  MASK = 0x4000;

function plugged() {
  const bus = new PciBus(),
    sent: string[] = [],
    msix = new Msix(bus, 3, 0x40, 1);
  bus.onMessage((address, value) => void sent.push(`${address.toString(16)} ${value.toString(16)}`));
  const context = { pci: bus, map: () => ({ place() {} }) };
  const header = {
    slot: 3,
    number: 0,
    vendor: 1,
    device: 2,
    classCode: 0,
    bars: [msix.bar],
    capabilities: [msix.capability],
    registers: msix.registers,
  };
  msix.connect(new PciFunction(context, header, () => msix.update()));
  const entry = (vector: number, address: number, value: number, masked: number): void =>
    [address, 0, value, masked].forEach((word, n) => void msix.bar.write(16 * vector + 4 * n, word, 4));
  return { bus, msix, sent, entry, control: (value: number) => bus.write(CONTROL, value, 2) };
}

describe('MSI-X', () => {
  it('is a capability that says how many vectors there are, and where the table and the pending bits are', () => {
    const { bus } = plugged();
    assert.deepEqual(
      [0, 4, 8].map((at) => bus.read(0x80001840 + at, 4)),
      [0x00020011, 0x00000001, 0x00000801],
    );
    bus.write(CONTROL, 0xffff, 2);
    assert.equal(bus.read(CONTROL, 2), 0xc002);
  });

  it('sends the message of a vector', () => {
    const { bus, msix, sent, entry, control } = plugged();
    entry(1, 0xfee01004, 0x4041, 0);
    assert.equal(bus.hasMessengers, false);
    control(ON);
    assert.equal(bus.hasMessengers, true);
    msix.send(1);
    msix.send(1);
    assert.deepEqual(sent, ['fee01004 4041', 'fee01004 4041']);
  });

  it('keeps the message of a masked vector as its pending bit until it is unmasked', () => {
    const { msix, sent, entry, control } = plugged();
    control(ON);
    msix.send(2);
    msix.send(2);
    assert.equal(msix.bar.read(0x800, 4), 4);
    entry(2, 0xfee00000, 0x30, 0);
    assert.deepEqual([sent, msix.bar.read(0x800, 4)], [['fee00000 30'], 0]);
    control(ON | MASK);
    msix.send(2);
    assert.equal(sent.length, 1);
    control(ON);
    assert.equal(sent.length, 2);
  });

  it('keeps what can be written of its table, in double words', () => {
    const { msix, entry } = plugged();
    entry(0, 0xfee00003, 0xffffffff, 0xffffffff);
    assert.deepEqual(
      [0, 4, 8, 12, 48, 0x7fc].map((at) => msix.bar.read(at, 4)),
      [0xfee00000, 0, 0xffffffff, 1, 0, 0],
    );
    msix.bar.write(8, 0, 2);
    msix.bar.write(9, 0, 4);
    assert.equal(msix.bar.read(8, 4), 0xffffffff);
    msix.reset();
    assert.deepEqual([msix.bar.read(8, 4), msix.bar.read(12, 4)], [0, 1]);
  });
});
