import { strict as assert } from 'node:assert';
import { record } from '../../../src/vmm/devices/fields.ts';
import { type CreateType, FEATURE, INTERRUPT, STATUS, type VirtioCore } from '../../../src/vmm/virtio/device.ts';
import { DESCRIPTOR, RAM, startDriver, TRANSPORTS, virtioRig } from './virtioRig.ts';

const NOTHING = record({});
/** A device with a queue of 8, which takes and gives back what the test wants. */
function taker(): { core: VirtioCore; create: CreateType } {
  const made = { core: null as unknown as VirtioCore } as { core: VirtioCore; create: CreateType };
  made.create = (core) => {
    made.core = core;
    return {
      ...{ id: 4, features: [], queues: [8], configuration: new Uint8Array(0), fields: NOTHING, saved: {} },
      notified() {},
      reset() {},
      restore() {},
    };
  };
  return made;
}

for (const name of TRANSPORTS) {
  describe(`virtqueue over ${name}`, () => {
    function start(features: readonly number[] = []) {
      const made = taker(),
        rig = virtioRig(name, made.create),
        [driver] = startDriver(rig, features);
      return { rig, driver: driver!, queue: made.core.queue(0), broken: () => (rig.transport.status & STATUS.NEEDS_RESET) !== 0 };
    }

    it('gives chains in order, with their readable bytes and their room', () => {
      const { rig, driver, queue } = start();
      assert.equal(queue.take(), null);
      const [, , third, fourth] = driver.add([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)], [4, 8]);
      driver.add([Uint8Array.of(9)]);
      const chain = queue.take()!;
      assert.deepEqual([chain.head, chain.readable, chain.writable], [0, 5, 12]);
      assert.deepEqual([...chain.read(0, 100)], [1, 2, 3, 4, 5]);
      assert.deepEqual([...chain.read(2, 2)], [3, 4]);
      assert.deepEqual([...chain.read(5, 2)], []);
      assert.equal(chain.write(2, Uint8Array.of(6, 7, 8, 9, 10)), 5);
      assert.deepEqual([...rig.ram.subarray(third!, third! + 4)], [0, 0, 6, 7]);
      assert.deepEqual([...rig.ram.subarray(fourth!, fourth! + 4)], [8, 9, 10, 0]);
      assert.equal(chain.write(10, Uint8Array.of(1, 2, 3)), 2);
      assert.equal(queue.take()!.head, 4);
      assert.equal(queue.take(), null);
    });

    it('gives chains back in any order, with an interrupt that the driver acknowledges', () => {
      const { rig, driver, queue } = start();
      driver.add([], [16]);
      driver.add([], [16]);
      const [first, second] = [queue.take()!, queue.take()!];
      assert.equal(rig.irq(), false);
      queue.complete(second, 7);
      assert.equal(rig.irq(), true);
      assert.equal(rig.transport.interruptStatus(), INTERRUPT.QUEUE);
      assert.equal(rig.irq(), false);
      queue.complete(first, 1000);
      assert.deepEqual(driver.used(), [
        { head: 1, length: 7 },
        { head: 0, length: 16 },
      ]);
      assert.equal(rig.irq(), true);
    });

    it('goes round: a thousand chains through a queue of eight', () => {
      const { driver, queue } = start();
      for (let n = 0; n < 1000; n++) {
        driver.offer(n % 8);
        driver.describe(n % 8, 0x80000, n, DESCRIPTOR.WRITE);
        queue.complete(queue.take()!, n);
        assert.deepEqual(driver.used(), [{ head: n % 8, length: n }]);
      }
    });

    it('does not interrupt a driver that wants none', () => {
      const { rig, driver, queue } = start();
      rig.view.setUint16(driver.driver, 1, true);
      driver.add([], [4]);
      queue.complete(queue.take()!, 4);
      assert.equal(rig.irq(), false);
      rig.view.setUint16(driver.driver, 0, true);
      driver.add([], [4]);
      queue.complete(queue.take()!, 4);
      assert.equal(rig.irq(), true);
    });

    it('interrupts, and asks for notification, at the indexes that event indexes say', () => {
      const { rig, driver, queue } = start([FEATURE.EVENT_IDX]);
      const usedEvent = driver.driver + 4 + 2 * driver.size,
        availableEvent = driver.device + 4 + 8 * driver.size;
      rig.view.setUint16(usedEvent, 2, true);
      for (let n = 0; n < 4; n++) driver.add([], [4]);
      const interrupts = [0, 1, 2, 3].map(() => {
        queue.complete(queue.take()!, 4);
        return rig.transport.interruptStatus();
      });
      assert.deepEqual(interrupts, [0, 0, INTERRUPT.QUEUE, 0]);
      assert.equal(rig.view.getUint16(availableEvent, true), 0);
      assert.equal(queue.take(), null);
      assert.equal(rig.view.getUint16(availableEvent, true), 4);
    });

    it('follows a table of indirect descriptors, alone or at the end of a chain', () => {
      const { rig, driver, queue } = start([FEATURE.INDIRECT_DESC]);
      const table = 0x70000;
      driver.describe(0, 0x80000, 2, 0, 1, table);
      rig.view.setUint16(table + 12, DESCRIPTOR.NEXT, true);
      driver.describe(1, 0x80010, 6, DESCRIPTOR.WRITE, 0, table);
      driver.describe(3, table, 32, DESCRIPTOR.INDIRECT);
      driver.offer(3);
      driver.describe(4, 0x80020, 5, DESCRIPTOR.NEXT, 3);
      driver.offer(4);
      const [alone, behind] = [queue.take()!, queue.take()!];
      assert.deepEqual([alone.head, alone.readable, alone.writable], [3, 2, 6]);
      assert.deepEqual([behind.head, behind.readable, behind.writable], [4, 7, 6]);
    });

    it('reads ones where no memory is, and loses what is written there', () => {
      const { driver, queue } = start();
      driver.describe(0, RAM - 2, 4, DESCRIPTOR.NEXT, 1);
      driver.describe(1, 2 ** 52, 2, DESCRIPTOR.NEXT, 2);
      driver.describe(2, 0xffffffff, 0xffffffff, DESCRIPTOR.WRITE);
      driver.offer(0);
      const chain = queue.take()!;
      assert.deepEqual([...chain.read(0, 10)], [0, 0, 0xff, 0xff, 0xff, 0xff]);
      assert.equal(chain.write(0, new Uint8Array(100)), 100);
      queue.complete(chain, 2 ** 33);
      assert.deepEqual(driver.used(), [{ head: 0, length: 0xffffffff }]);
    });

    const { NEXT, WRITE, INDIRECT } = DESCRIPTOR;
    /** What breaks a device: descriptors as [index, address, length, flags, next], the first one's index is offered. */
    const BREAKERS: Record<string, readonly (readonly [number, number, number, number, number?])[]> = {
      'a chain that loops': [
        [0, 0x80000, 4, NEXT, 1],
        [1, 0x80000, 4, NEXT, 0],
      ],
      'a head outside the table': [[8, 0x80000, 4, 0]],
      'a next descriptor outside the table': [[0, 0x80000, 4, NEXT, 0xffff]],
      'one to read behind one to write': [
        [0, 0x80000, 4, WRITE | NEXT, 1],
        [1, 0x80000, 4, 0],
      ],
      'an indirect table that goes on': [[0, 0x70000, 16, INDIRECT | NEXT, 1]],
      'an indirect table of half a descriptor': [[0, 0x70000, 24, INDIRECT]],
      'an indirect table of nothing': [[0, 0x70000, 0, INDIRECT]],
      'an indirect table inside itself': [[0, 0x10000, 128, INDIRECT]],
      'an indirect table where no memory is': [[0, 0xf0000000, 128, INDIRECT]],
    };
    for (const [what, descriptors] of Object.entries(BREAKERS)) {
      it(`${what} breaks the device, until it is reset`, () => {
        const { rig, driver, queue, broken } = start([FEATURE.INDIRECT_DESC]);
        for (const [index, ...rest] of descriptors) driver.describe(index, ...rest);
        driver.offer(descriptors[0]![0]);
        assert.equal(queue.take(), null);
        assert.equal(broken(), true);
        assert.equal(rig.transport.interruptStatus(), INTERRUPT.CONFIGURATION);
        rig.transport.status = rig.transport.status & ~STATUS.NEEDS_RESET;
        assert.equal(broken(), true, 'the driver cannot take it back');
        driver.describe(0, 0x80000, 4, 0);
        assert.equal(queue.take(), null);
        const [again] = startDriver(rig);
        rig.view.setUint32(again!.driver, 0, true);
        again!.add([Uint8Array.of(1)]);
        assert.equal(queue.take()!.readable, 1);
      });
    }
    it('an indirect table without the feature breaks the device', () => {
      const { driver, queue, broken } = start();
      driver.describe(1, 0x80000, 4, 0, 0, 0x70000);
      driver.describe(0, 0x70000, 16, INDIRECT);
      driver.offer(0);
      assert.deepEqual([queue.take(), broken()], [null, true]);
    });
    it('more heads than the queue has places break the device', () => {
      const { rig, driver, queue, broken } = start();
      rig.view.setUint16(driver.driver + 2, 9, true);
      assert.deepEqual([queue.take(), broken()], [null, true]);
    });
  });
}
