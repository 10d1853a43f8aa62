import { strict as assert } from 'node:assert';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { FEATURE, INTERRUPT, STATUS } from '../../../src/vmm/virtio/device.ts';
import { VirtioRng } from '../../../src/vmm/virtio/rng.ts';
import { startDriver, TRANSPORTS, type TransportName, virtioRig } from './virtioRig.ts';

const rngRig = (name: TransportName, seed = 1) => virtioRig(name, (core) => new VirtioRng(core, seed));

for (const name of TRANSPORTS) {
  describe(`virtio-rng over ${name}`, () => {
    it('fills buffers after a time, with an interrupt', () => {
      const rig = rngRig(name),
        [queue] = startDriver(rig);
      const [first] = queue!.add([], [64]);
      const [second] = queue!.add([], [5, 3]);
      queue!.notify();
      assert.deepEqual(queue!.used(), []);
      rig.run(CYCLES_PER_SECOND / 1000);
      assert.deepEqual(queue!.used(), [
        { head: 0, length: 64 },
        { head: 1, length: 8 },
      ]);
      assert.equal(rig.transport.interruptStatus(), INTERRUPT.QUEUE);
      const bytes = rig.ram.slice(first, first! + 64);
      assert.ok(new Set(bytes).size > 32, `${bytes}`);
      assert.equal(rig.ram[second! + 5], 0);
    });

    it('gives the same bytes in every run, others for another seed, and others after a reset', () => {
      const bytes = (seed: number, rig = rngRig(name, seed)): string => {
        const [queue] = startDriver(rig),
          [at] = queue!.add([], [16]);
        queue!.notify();
        rig.run(CYCLES_PER_SECOND);
        return `${rig.ram.slice(at, at! + 16)}`;
      };
      assert.equal(bytes(1), bytes(1));
      assert.notEqual(bytes(1), bytes(2));
      const rig = rngRig(name),
        before = bytes(1, rig);
      rig.ram.fill(0);
      assert.notEqual(bytes(1, rig), before);
    });

    it('is saved with a request that waits, and goes on alike where it is loaded', () => {
      const rigs = [rngRig(name), rngRig(name, 99)] as const,
        [rig, copy] = rigs;
      const [queue] = startDriver(rig, [FEATURE.EVENT_IDX]);
      queue!.add([], [64]);
      queue!.notify();
      copy.ram.set(rig.ram);
      copy.device.load(structuredClone(rig.device.save()));
      for (const each of rigs) each.run(CYCLES_PER_SECOND / 1000);
      assert.deepEqual(copy.ram, rig.ram);
      assert.deepEqual(copy.device.save(), rig.device.save());
      assert.deepEqual([copy.irq(), rig.irq()], [true, true]);
    });

    it('has room to write only: a buffer to read is given back untouched, a broken chain breaks it', () => {
      const rig = rngRig(name),
        [queue] = startDriver(rig);
      queue!.add([Uint8Array.of(1, 2)]);
      queue!.offer(77);
      queue!.notify();
      rig.run(CYCLES_PER_SECOND);
      assert.deepEqual(queue!.used(), [{ head: 0, length: 0 }]);
      assert.equal(rig.transport.status & STATUS.NEEDS_RESET, STATUS.NEEDS_RESET);
    });
  });
}
