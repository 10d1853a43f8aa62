import { strict as assert } from 'node:assert';
import { buildFrame } from '../../../src/vmm/net/ethernet.ts';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { INTERRUPT } from '../../../src/vmm/virtio/device.ts';
import { VirtioNet } from '../../../src/vmm/virtio/net.ts';
import { startDriver, TRANSPORTS, type TransportName, type VirtioRig, virtioRig } from './virtioRig.ts';

const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56),
  OTHER = Uint8Array.of(2, 0, 0, 0, 0, 1);
const MERGED_BUFFERS = 15,
  MILLISECOND = CYCLES_PER_SECOND / 1000;
/** A card on a switch; what it sent there. */
function netRig(name: TransportName): VirtioRig & { readonly sent: Uint8Array[] } {
  const sent: Uint8Array[] = [];
  const rig = virtioRig(
    name,
    (core) =>
      new VirtioNet(
        core,
        {
          name: 'net',
          timers: core.timers,
          backend: { type: 'switch', values: {} },
          send: (bytes) => void (bytes[0] === 0 && sent.push(bytes.slice(1))),
        },
        MAC,
      ),
  );
  return Object.assign(rig, { sent });
}
const frame = (length: number, seed = 0): Uint8Array =>
  buildFrame(
    MAC,
    OTHER,
    0x88b5,
    Uint8Array.from({ length: length - 14 }, (_, n) => n + seed),
  );
const bytesAt = (rig: VirtioRig, at: number, length: number): Uint8Array => rig.ram.slice(at, at + length);

for (const name of TRANSPORTS) {
  const header = name === 'legacy pci' ? 10 : 12;
  describe(`virtio-net over ${name}`, () => {
    it('tells its address and that the link is up', () => {
      const { transport } = netRig(name);
      assert.deepEqual(
        Array.from({ length: 8 }, (_, n) => transport.configuration.read(n, 1)),
        [...MAC, 1, 0],
      );
    });

    it('sends what is behind the header, and gives the buffers back', () => {
      const rig = netRig(name),
        [, transmit] = startDriver(rig);
      transmit!.add([new Uint8Array(header), frame(60)]);
      transmit!.add([Uint8Array.of(...new Uint8Array(header), ...frame(1514, 1))]);
      transmit!.add([new Uint8Array(header + 1515)]);
      transmit!.add([new Uint8Array(3)]);
      transmit!.notify();
      assert.deepEqual(rig.sent, []);
      rig.run(MILLISECOND);
      assert.deepEqual(rig.sent, [frame(60), frame(1514, 1)]);
      assert.deepEqual(
        transmit!.used().map(({ length }) => length),
        [0, 0, 0, 0],
      );
      assert.equal(rig.transport.interruptStatus(), INTERRUPT.QUEUE);
    });

    it('receives into one buffer, and lets frames wait for buffers', () => {
      const rig = netRig(name),
        [receive] = startDriver(rig);
      rig.device.receive(frame(100));
      rig.device.receive(frame(200, 1));
      rig.run(MILLISECOND);
      assert.deepEqual(receive!.used(), []);
      const [first] = receive!.add([], [header + 1514]),
        [second] = receive!.add([], [header, 1514]);
      rig.run(MILLISECOND);
      assert.deepEqual(
        receive!.used().map(({ length }) => length),
        [header + 100, header + 200],
      );
      assert.deepEqual(bytesAt(rig, first! + header, 100), frame(100));
      assert.equal(rig.ram[first! + 10], header === 12 ? 1 : frame(100)[0]);
      assert.equal(rig.ram[second!], 0);
    });

    it('merges buffers when the driver wants that, and waits until there are enough', () => {
      const rig = netRig(name),
        [receive] = startDriver(rig, [MERGED_BUFFERS]);
      const [first] = receive!.add([], [512]),
        [second] = receive!.add([], [512]);
      rig.device.receive(frame(1200));
      rig.run(MILLISECOND);
      assert.deepEqual(receive!.used(), []);
      const [third] = receive!.add([], [512]);
      rig.run(MILLISECOND);
      assert.deepEqual(
        receive!.used().map(({ length }) => length),
        [512, 512, 1212 - 1024],
      );
      assert.equal(rig.ram[first! + 10], 3);
      const all = Uint8Array.of(...bytesAt(rig, first! + 12, 500), ...bytesAt(rig, second!, 512), ...bytesAt(rig, third!, 188));
      assert.deepEqual(all, frame(1200));
    });

    it('loses a frame that the only buffer is too small for', () => {
      const rig = netRig(name),
        [receive] = startDriver(rig);
      receive!.add([], [100]);
      receive!.add([], [2000]);
      rig.device.receive(frame(300));
      rig.device.receive(frame(400));
      rig.run(MILLISECOND);
      assert.deepEqual(
        receive!.used().map(({ length }) => length),
        [0, header + 400],
      );
    });

    it('loses what comes before a driver is ready, and goes on where it is loaded', () => {
      const rig = netRig(name),
        copy = netRig(name);
      rig.device.receive(frame(60));
      rig.run(MILLISECOND);
      const [receive, transmit] = startDriver(rig);
      receive!.add([], [2000]);
      transmit!.add([new Uint8Array(header), frame(60, 5)]);
      transmit!.notify();
      rig.device.receive(frame(70));
      copy.ram.set(rig.ram);
      copy.now = rig.now;
      copy.device.load(rig.device.save());
      for (const one of [rig, copy]) one.run(MILLISECOND);
      assert.deepEqual(copy.sent, [frame(60, 5)]);
      assert.deepEqual(copy.ram, rig.ram);
      assert.deepEqual(
        receive!.used().map(({ length }) => length),
        [header + 70],
      );
    });
  });
}
