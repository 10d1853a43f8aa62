import { strict as assert } from 'node:assert';
import type { ServiceCall } from '../../../src/vmm/firmware/machine.ts';
import { initialisePci } from '../../../src/vmm/firmware/pci.ts';
import { timeService } from '../../../src/vmm/firmware/time.ts';
import { PciFunction, type PciHeader } from '../../../src/vmm/pci/function.ts';
import { createRig } from '../devices/rig.ts';
import { createMemoryMachine } from './memoryMachine.ts';

const nothing = { read: () => 0, write() {} };
const CARD: PciHeader = {
  slot: 3,
  number: 0,
  vendor: 0x10ec,
  device: 0x8029,
  classCode: 0x020000,
  interruptPin: 1,
  bars: [
    { index: 0, kind: 'port', bytes: 32, ...nothing },
    { index: 1, kind: 'memory', bytes: 4096, ...nothing },
  ],
};
const SECOND: PciHeader = {
  ...CARD,
  slot: 4,
  interruptPin: 2,
  bars: [{ index: 2, kind: 'memory', bytes: 1 << 24, prefetchable: true, ...nothing }],
};

/** The memory machine with the chip set's ports and two cards on the PCI bus. */
function machineWithCards() {
  const rig = createRig(),
    base = createMemoryMachine();
  const cards = [CARD, SECOND].map(
    (header) => new PciFunction({ pci: rig.pci, map: (range) => rig.bus.movable(`card ${header.slot}`, range) }, header),
  );
  const isChipSet = (port: number) => (port >= 0xcf8 && port <= 0xcff) || port === 0x4d0 || port === 0x4d1;
  const { portRead, portWrite } = base;
  base.portRead = (port, size = 1) => (isChipSet(port) ? rig.bus.portRead(port, size) : portRead(port, size));
  base.portWrite = (port, value, size = 1) => (isChipSet(port) ? rig.bus.portWrite(port, value, size) : portWrite(port, value, size));
  initialisePci(base);
  return { rig, machine: base, cards };
}

describe('PCI at power-on', () => {
  it('gives every function places for its registers and turns them on, the largest first', () => {
    const { rig, cards } = machineWithCards();
    assert.deepEqual(
      [cards[0].read(0x10, 4), cards[0].read(0x14, 4), cards[1].read(0x18, 4)].map((value) => value.toString(16)),
      ['c001', 'e1101000', 'e0000008'],
    );
    assert.deepEqual([cards[0].read(4, 2), cards[1].read(4, 2)], [3, 2]);
    assert.deepEqual(
      [rig.bus.portOwner(0xc01f), rig.bus.memoryOwner(0xe1101fff), rig.bus.memoryOwner(0xe0000000)],
      ['card 3', 'card 3', 'card 4'],
    );
  });

  it("turns on a display adapter's ports, which no base address names", () => {
    const { rig } = machineWithCards();
    assert.deepEqual([rig.pci.read((2 << 11) | 0x08, 4) >>> 24, rig.pci.read((2 << 11) | 0x04, 2) & 3], [3, 3]);
  });

  it('routes the wires to lines 10 and 11, level-triggered, and tells each function its line', () => {
    const { rig, cards } = machineWithCards();
    assert.deepEqual([rig.in(0x4d0), rig.in(0x4d1)], [0, 0x0c]);
    assert.deepEqual(
      cards.map((card) => card.read(0x3c, 1)),
      [11, 10],
    );
  });
});

describe('INT 1Ah, PCI BIOS', () => {
  const ask = (machine: ReturnType<typeof machineWithCards>['machine'], registers: { readonly [name: string]: number }) => {
    const carry = machine.invoke((call: ServiceCall) => timeService(call), registers) & 1;
    return { carry, ah: (machine.get('eax') >>> 8) & 0xff, bx: machine.get('ebx') & 0xffff, ecx: machine.get('ecx') };
  };

  it('is there, version 2.10, with mechanism #1', () => {
    const { machine } = machineWithCards();
    assert.deepEqual(ask(machine, { eax: 0xb101, ecx: 0xff, ebx: 0 }), { carry: 0, ah: 0, bx: 0x210, ecx: 0 });
    assert.equal(machine.get('edx'), 0x20494350);
    assert.equal(machine.get('eax') & 0xff, 1);
  });

  it('finds functions by number and by class, one after the other', () => {
    const { machine } = machineWithCards();
    assert.equal(ask(machine, { eax: 0xb102, ecx: 0x8029, edx: 0x10ec, esi: 1 }).bx, 4 << 3);
    assert.deepEqual(ask(machine, { eax: 0xb102, esi: 2 }).ah, 0x86);
    assert.equal(ask(machine, { eax: 0xb103, ecx: 0x060100, esi: 0 }).bx, 1 << 3);
    assert.deepEqual(ask(machine, { eax: 0xb103, ecx: 0x123456 }), { carry: 1, ah: 0x86, bx: 1 << 3, ecx: 0x123456 });
    assert.equal(ask(machine, { eax: 0xb102, edx: 0xffff }).ah, 0x83);
  });

  it('reads and writes registers, refuses those that are none, and knows no other bus', () => {
    const { machine, cards } = machineWithCards();
    assert.equal(ask(machine, { eax: 0xb109, ebx: 3 << 3, edi: 2, ecx: 0xaaaa0000 }).ecx, 0xaaaa8029);
    assert.equal(ask(machine, { eax: 0xb10a, ebx: 3 << 3, edi: 0x14 }).ecx, 0xe1101000);
    assert.equal(ask(machine, { eax: 0xb10b, ebx: 3 << 3, edi: 0x3c, ecx: 0x1234 }).carry, 0);
    assert.equal(cards[0].read(0x3c, 1), 0x34);
    assert.deepEqual(
      [0x101, 0x01].map((edi) => ask(machine, { eax: 0xb109, ebx: 3 << 3, edi }).ah),
      [0x87, 0x87],
    );
    assert.equal(ask(machine, { eax: 0xb10a, ebx: 0x118, edi: 0 }).ecx, 0xffffffff);
    assert.deepEqual(ask(machine, { eax: 0xb106, ebx: 0, ecx: 0 }), { carry: 1, ah: 0x81, bx: 0, ecx: 0 });
  });
});
