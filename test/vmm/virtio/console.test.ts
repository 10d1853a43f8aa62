import { strict as assert } from 'node:assert';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { VirtioConsole } from '../../../src/vmm/virtio/console.ts';
import { startDriver, TRANSPORTS, type TransportName, virtioRig } from './virtioRig.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

for (const name of TRANSPORTS) {
  describe(`virtio-serial over ${name as TransportName}`, () => {
    function start() {
      const printed: number[] = [],
        rig = virtioRig(name, (core) => new VirtioConsole(core, { write: (byte) => void printed.push(byte) })),
        [receive, transmit] = startDriver(rig);
      return { rig, receive: receive!, transmit: transmit!, printed: () => String.fromCharCode(...printed) };
    }

    it('prints what the driver sends, in order', () => {
      const { rig, transmit, printed } = start();
      transmit.add([text('hello, '), text('world')]);
      transmit.add([text('\n')]);
      transmit.notify();
      assert.equal(printed(), '');
      rig.run(CYCLES_PER_SECOND / 100);
      assert.equal(printed(), 'hello, world\n');
      assert.equal(transmit.used().length, 2);
    });

    it('gives what is typed to the buffers that there are, and the rest when there are more', () => {
      const { rig, receive } = start();
      const [first] = receive.add([], [3]);
      receive.notify();
      rig.device.receive(text('abcde'));
      assert.deepEqual(receive.used(), [{ head: 0, length: 3 }]);
      assert.deepEqual([...rig.ram.subarray(first, first! + 3)], [...text('abc')]);
      const [second] = receive.add([], [100]);
      receive.notify();
      assert.deepEqual(receive.used(), [{ head: 1, length: 2 }]);
      assert.deepEqual([...rig.ram.subarray(second, second! + 3)], [...text('de'), 0]);
    });

    it('keeps 4 KiB of what is typed before a driver is there', () => {
      const { rig, receive } = start();
      rig.device.receive(new Uint8Array(4000).fill(1));
      rig.device.receive(new Uint8Array(4000).fill(2));
      receive.add([], [8000]);
      receive.notify();
      assert.deepEqual(receive.used(), [{ head: 0, length: 4096 }]);
    });

    it('prints a byte that is written to its configuration space before any driver is there', () => {
      const { rig, printed } = start();
      rig.transport.status = 0;
      rig.transport.configuration.write(8, 0x41, 4);
      assert.equal(printed(), 'A');
      assert.equal(rig.transport.configuration.read(4, 4), 1);
    });

    it('is saved with what waits to be read and to be printed', () => {
      const [one, copy] = [start(), start()];
      one.rig.device.receive(text('xyz'));
      one.transmit.add([text('later')]);
      one.transmit.notify();
      copy.rig.ram.set(one.rig.ram);
      copy.rig.device.load(structuredClone(one.rig.device.save()));
      for (const { rig } of [one, copy]) rig.run(CYCLES_PER_SECOND / 100);
      assert.equal(copy.printed(), 'later');
      assert.deepEqual(copy.rig.device.save(), one.rig.device.save());
    });
  });
}
