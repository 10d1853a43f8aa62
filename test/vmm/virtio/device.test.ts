// Negotiation and registers, as each transport shows them; the device is the smallest, with a configuration space of its own.

import { strict as assert } from 'node:assert';
import { bytes, record } from '../../../src/vmm/devices/fields.ts';
import { type CreateType, FEATURE, INTERRUPT, STATUS, type VirtioCore } from '../../../src/vmm/virtio/device.ts';
import { MEMORY, MMIO, MSIX, PORTS, startDriver, TRANSPORTS, virtioRig } from './virtioRig.ts';

const FIELDS = record({ configuration: bytes(6) });

function sample(): { core: VirtioCore; notified: number[]; create: CreateType } {
  const made = { core: null as unknown as VirtioCore, notified: [] as number[] } as ReturnType<typeof sample>;
  made.create = (core) => {
    made.core = core;
    const configuration = Uint8Array.of(1, 2, 3, 4, 5, 6);
    return {
      ...{ id: 2, features: [3, 40], queues: [16, 4], configuration, fields: FIELDS },
      configure: (offset, value) => void (configuration[offset] = value),
      notified: (queue) => void made.notified.push(queue),
      reset() {},
      get saved() {
        return { configuration };
      },
      restore: (state: { configuration: Uint8Array }) => configuration.set(state.configuration),
    };
  };
  return made;
}

for (const name of TRANSPORTS) {
  describe(`virtio device over ${name}`, () => {
    function made() {
      const device = sample();
      return { ...device, rig: virtioRig(name, device.create), device };
    }

    it('offers its features, those of the queues and of the version', () => {
      const { transport } = made().rig;
      const common = (1 << FEATURE.INDIRECT_DESC) | (1 << FEATURE.EVENT_IDX) | (1 << 3);
      assert.equal(transport.features(0), common | (transport.isLegacy ? 1 << FEATURE.ANY_LAYOUT : 0));
      assert.equal(transport.features(1), transport.isLegacy ? 0 : 1 | (1 << 8));
    });

    it('has its configuration space, in bytes and wider, and ones behind it', () => {
      const { configuration } = made().rig.transport;
      assert.equal(configuration.read(0, 1), 1);
      assert.equal(configuration.read(2, 2), 0x0403);
      assert.equal(configuration.read(4, 4), 0xffff0605);
      configuration.write(4, 0xaabbccdd, 4);
      assert.equal(configuration.read(4, 4), 0xffffccdd);
    });

    it('has queues of its sizes', () => {
      const { transport } = made().rig;
      assert.deepEqual([transport.select(0), transport.select(1), transport.select(2), transport.select(0xffff)], [16, 4, 0, 0]);
    });

    it('passes on notifications of enabled queues of a driver that is ready', () => {
      const { rig, notified } = made();
      rig.transport.notify(0);
      assert.deepEqual(notified, []);
      startDriver(rig);
      for (const queue of [1, 0, 2, 0xffff]) rig.transport.notify(queue);
      assert.deepEqual(notified, [1, 0]);
    });

    it('tells a change of configuration to a driver that is ready', () => {
      const { rig, device } = made();
      device.core.configurationChanged();
      assert.equal(rig.irq(), false);
      startDriver(rig);
      device.core.configurationChanged();
      assert.equal(rig.irq(), true);
      assert.equal(rig.transport.interruptStatus(), INTERRUPT.CONFIGURATION);
      assert.equal(rig.irq(), false);
    });

    it('a status of zero resets it', () => {
      const { rig, device } = made();
      startDriver(rig, [3]);
      device.core.break();
      assert.equal(rig.transport.status & STATUS.NEEDS_RESET, STATUS.NEEDS_RESET);
      rig.transport.status = 0;
      assert.deepEqual([rig.transport.status, rig.irq(), device.core.has(3), device.core.queue(0).isEnabled], [0, false, false, false]);
    });

    it('is loaded as it was saved, and refuses what is no state before anything changes', () => {
      const { rig } = made(),
        copy = made();
      startDriver(rig, [3]);
      rig.transport.configuration.write(0, 99, 1);
      rig.transport.select(1);
      const saved = rig.device.save();
      copy.rig.device.load(saved);
      assert.deepEqual(copy.rig.device.save(), saved);
      assert.equal(copy.device.core.has(3), true);
      assert.equal(copy.rig.transport.configuration.read(0, 1), 99);
      assert.throws(() => copy.rig.device.load({}), /must be/);
      assert.deepEqual(copy.rig.device.save(), saved);
    });

    if (name === 'legacy pci') return;

    it('refuses features that it does not have, and drivers of the legacy interface', () => {
      const { transport } = made().rig;
      const accepts = (low: number, high: number): boolean => {
        transport.status = 0;
        transport.status = STATUS.ACKNOWLEDGE | STATUS.DRIVER;
        transport.accept(0, low);
        transport.accept(1, high);
        transport.status = STATUS.ACKNOWLEDGE | STATUS.DRIVER | STATUS.FEATURES_OK;
        return (transport.status & STATUS.FEATURES_OK) !== 0;
      };
      assert.deepEqual([accepts(8, 1), accepts(8, 0), accepts(16, 1), accepts(0, 3), accepts(0, 0x101)], [true, false, false, false, true]);
    });

    it('takes no queue size that is no power of two, and no change of an enabled queue', () => {
      const { rig, device } = made();
      const queue = device.core.queue(0);
      rig.transport.select(0);
      for (const [size, expected] of [
        [8, 8],
        [5, 8],
        [32, 8],
        [0, 8],
      ] as const) {
        queue.reset();
        queue.size = 8;
        rig.transport.place(size, 0x10000, 0x11000, 0x12000);
        assert.equal(queue.size, expected);
      }
      rig.transport.place(2, 0x20000, 0x21000, 0x22000);
      assert.deepEqual([queue.size, queue.state.areas], [8, [0x10000, 0, 0x11000, 0, 0x12000, 0]]);
    });
  });
}

describe('virtio over PCI', () => {
  const SPACE = 0x80001800;

  it('is a transitional device with the structures where its capabilities say', () => {
    const { pci } = virtioRig('pci', sample().create);
    const read = (register: number, size: 1 | 2 | 4) => pci.read(SPACE | register, size);
    assert.deepEqual([read(0, 4), read(0x2c, 4), read(0x08, 4), read(0x3d, 1)], [0x10011af4, 0x00021af4, 0x01000000, 1]);
    assert.equal(read(0x06, 2) & 0x10, 0x10);
    const structures: number[][] = [];
    for (let at = read(0x34, 1); at !== 0; at = read(at + 1, 1)) {
      if (read(at, 1) === 9) structures.push([read(at + 3, 1), read(at + 4, 1), read(at + 8, 4), read(at + 12, 4), read(at + 2, 1)]);
    }
    assert.deepEqual(structures, [
      [5, 0, 0, 0, 20],
      [2, 4, 0x3000, 0x1000, 20],
      [4, 4, 0x2000, 0x1000, 16],
      [3, 4, 0x1000, 0x1000, 16],
      [1, 4, 0x0000, 0x1000, 16],
    ]);
    assert.equal(read(0x80, 4), 4, 'a queue is notified every 4 bytes');
  });

  it('can be reached through configuration space', () => {
    const { pci, bus, device } = virtioRig('pci', sample().create);
    const access = (bar: number, offset: number, size: number): void => {
      pci.write(SPACE | 0x88, bar, 1);
      pci.write(SPACE | 0x8c, offset, 4);
      pci.write(SPACE | 0x90, size, 4);
    };
    access(4, 0x2000, 1);
    pci.write(SPACE | 0x94, 0x1234, 4);
    assert.equal(bus.memoryRead(MEMORY + 0x2000, 1), 0x34);
    access(4, 0x2002, 2);
    assert.equal(pci.read(SPACE | 0x94, 4), 0x0403);
    const before = device.save();
    for (const [bar, offset, size] of [
      [0, 0, 4],
      [4, 0x2001, 2],
      [4, 0x4000, 4],
      [4, 0x2000, 3],
      [4, 0x2000, 0xffffffff],
    ] as const) {
      access(bar, offset, size);
      pci.write(SPACE | 0x94, 0xffffffff, 4);
      assert.equal(pci.read(SPACE | 0x94, 4), 0);
    }
    access(4, 0x2002, 2);
    assert.deepEqual(device.save(), before);
  });

  it('sends messages instead of interrupts while MSI-X is on: one of the queue, one of the configuration', () => {
    for (const name of ['pci', 'legacy pci'] as const) {
      const device = sample(),
        rig = virtioRig(name, device.create),
        sent: number[] = [];
      rig.pci.onMessage((_, value) => void sent.push(value));
      const [, second] = startDriver(rig);
      for (const vector of [0, 1, 2]) {
        rig.bus.memoryWrite(MSIX + 16 * vector + 8, 0x40 + vector, 4);
        rig.bus.memoryWrite(MSIX + 16 * vector + 12, 0, 4);
      }
      rig.pci.write(SPACE | 0x9a, 0x8000, 2);
      rig.transport.select(1);
      const [configuration, queue] = name === 'pci' ? [MEMORY + 0x10, MEMORY + 0x1a] : [PORTS + 0x14, PORTS + 0x16],
        read = (at: number) => (name === 'pci' ? rig.bus.memoryRead(at, 2) : rig.bus.portRead(at, 2)),
        write = (at: number, value: number) => (name === 'pci' ? rig.bus.memoryWrite(at, value, 2) : rig.bus.portWrite(at, value, 2));
      assert.deepEqual([read(configuration), read(queue)], [0xffff, 0xffff]);
      write(configuration, 1);
      write(queue, 3);
      assert.deepEqual([read(configuration), read(queue)], [1, 0xffff], 'there is no vector 3');
      write(queue, 2);
      device.core.configurationChanged();
      second!.add([], [4]);
      device.core.queue(1).complete(device.core.queue(1).take()!, 4);
      assert.deepEqual([sent, rig.irq(), rig.transport.interruptStatus()], [[0x41, 0x42], false, 0]);
      if (name === 'legacy pci') assert.deepEqual([rig.bus.portRead(PORTS + 0x18, 1), rig.bus.portRead(PORTS + 0x1d, 1)], [1, 6]);
      const saved = rig.device.save();
      rig.transport.status = 0;
      rig.transport.select(1);
      assert.deepEqual([read(configuration), read(queue)], [0xffff, 0xffff], 'a reset forgets the vectors');
      rig.device.load(saved);
      assert.deepEqual([read(configuration), read(queue)], [1, 2]);
    }
  });

  it('does not reach memory before it may be bus master, unless its driver is a legacy one', () => {
    const device = sample(),
      rig = virtioRig('pci', device.create);
    startDriver(rig);
    rig.pci.write(SPACE | 4, 3, 2);
    assert.equal(device.core.isRunning, false);
    const legacy = virtioRig('legacy pci', device.create);
    startDriver(legacy);
    legacy.pci.write(SPACE | 4, 3, 2);
    assert.equal(device.core.isRunning, true);
  });

  it('shows a legacy driver the page of a queue, which zero takes away', () => {
    const { bus, transport } = virtioRig('legacy pci', sample().create);
    transport.select(0);
    bus.portWrite(PORTS + 8, 0x12345, 4);
    assert.equal(bus.portRead(PORTS + 8, 4), 0x12345);
    bus.portWrite(PORTS + 8, 0, 4);
    assert.equal(bus.portRead(PORTS + 8, 4), 0);
  });
});

describe('virtio over MMIO', () => {
  it('says what it is, in double words', () => {
    const { bus } = virtioRig('mmio', sample().create);
    assert.deepEqual(
      [0, 4, 8, 12].map((offset) => bus.memoryRead(MMIO + offset, 4)),
      [0x74726976, 2, 2, 0x1af4],
    );
    assert.deepEqual([bus.memoryRead(MMIO, 1), bus.memoryRead(MMIO, 2), bus.memoryRead(MMIO + 0xb0, 4)], [0, 0, 0xffffffff]);
  });

  it('forgets a queue that its driver makes not ready', () => {
    const device = sample(),
      { bus, transport } = virtioRig('mmio', device.create);
    transport.select(0);
    transport.place(8, 0x10000, 0x11000, 0x12000);
    assert.equal(bus.memoryRead(MMIO + 0x44, 4), 1);
    bus.memoryWrite(MMIO + 0x44, 0, 4);
    assert.deepEqual([bus.memoryRead(MMIO + 0x44, 4), device.core.queue(0).size], [0, 16]);
  });
});
