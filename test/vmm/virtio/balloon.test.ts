import { strict as assert } from 'node:assert';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { VirtioBalloon } from '../../../src/vmm/virtio/balloon.ts';
import { INTERRUPT } from '../../../src/vmm/virtio/device.ts';
import { startDriver, TRANSPORTS, type TransportName, type VirtioRig, virtioRig } from './virtioRig.ts';

function balloonRig(name: TransportName): VirtioRig & { balloon: VirtioBalloon } {
  let balloon: VirtioBalloon | null = null;
  const rig = virtioRig(
    name,
    (core) => (balloon = new VirtioBalloon(core, { read: () => new Uint8Array(0), write: (at, bytes) => rig.ram.set(bytes, at) })),
  );
  return Object.assign(rig, { balloon: balloon! });
}
const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

for (const name of TRANSPORTS) {
  describe(`virtio-balloon over ${name}`, () => {
    it('asks for pages with a change of configuration, and keeps what the driver has', () => {
      const rig = balloonRig(name),
        { configuration } = rig.transport;
      startDriver(rig);
      rig.device.receive(words(300));
      assert.equal(rig.transport.interruptStatus(), INTERRUPT.CONFIGURATION);
      assert.equal(configuration.read(0, 4), 300);
      configuration.write(4, 0x1234, 4);
      configuration.write(0, 7, 4);
      assert.deepEqual([configuration.read(0, 4), configuration.read(4, 4)], [300, 0x1234]);
      assert.throws(() => rig.device.receive(Uint8Array.of(1, 2)), /no number of pages/);
    });

    it('pages that are given up read as zeros, and may be taken back', () => {
      const rig = balloonRig(name),
        [inflate, deflate] = startDriver(rig);
      rig.ram.fill(0x55, 0xd0000, 0xd4000);
      inflate!.add([words(0xd1, 0xd3), Uint8Array.of(1, 2, 3)]);
      inflate!.notify();
      deflate!.add([words(0xd1)]);
      deflate!.notify();
      assert.equal(rig.ram[0xd1000], 0x55);
      rig.run(CYCLES_PER_SECOND / 100);
      assert.deepEqual([inflate!.used(), deflate!.used()], [[{ head: 0, length: 0 }], [{ head: 0, length: 0 }]]);
      assert.deepEqual(
        [0xd0fff, 0xd1000, 0xd1fff, 0xd2000, 0xd3000, 0xd3fff].map((at) => rig.ram[at]),
        [0x55, 0, 0, 0x55, 0, 0],
      );
      assert.equal(rig.transport.interruptStatus(), INTERRUPT.QUEUE);
    });

    it('is saved with buffers that wait', () => {
      const [rig, copy] = [balloonRig(name), balloonRig(name)],
        [inflate] = startDriver(rig);
      rig.device.receive(words(2));
      inflate!.add([words(0xd1)]);
      inflate!.notify();
      copy.ram.set(rig.ram);
      copy.device.load(structuredClone(rig.device.save()));
      for (const each of [rig, copy]) each.run(CYCLES_PER_SECOND / 100);
      assert.deepEqual(copy.device.save(), rig.device.save());
      assert.deepEqual(copy.ram, rig.ram);
    });
  });
}
