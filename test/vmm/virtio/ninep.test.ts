import { strict as assert } from 'node:assert';
import { decode, encode, LERROR, MESSAGES } from '../../../src/vmm/ninep/messages.ts';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { STATUS } from '../../../src/vmm/virtio/device.ts';
import { VirtioNinep } from '../../../src/vmm/virtio/ninep.ts';
import { startDriver, TRANSPORTS, type TransportName, virtioRig } from './virtioRig.ts';

const MILLISECOND = CYCLES_PER_SECOND / 1000;
const clunk = (fid: number) => encode(MESSAGES.clunk.type, 7, MESSAGES.clunk.request, { fid });

/** A device, what it sent to its peer, and the peer's answer to the last. */
function ninepRig(transport: TransportName, tag = 'host') {
  const sent: Uint8Array[] = [];
  const rig = virtioRig(transport, (core) => new VirtioNinep(core, tag, (bytes) => void sent.push(bytes.slice())));
  const numbered = (request: Uint8Array, reply: Uint8Array) => Uint8Array.from([...request.subarray(0, 8), ...reply]);
  return {
    rig,
    sent,
    answer: (reply: Uint8Array, request = sent.at(-1)!) => rig.device.receive(numbered(request, reply)),
  };
}

for (const transport of TRANSPORTS) {
  describe(`virtio-9p over ${transport}`, () => {
    it('says its mount tag', () => {
      const { rig } = ninepRig(transport, 'tägg');
      startDriver(rig, [0]);
      const { configuration } = rig.transport;
      assert.equal(configuration.read(0, 2), 5);
      const bytes = Array.from({ length: 5 }, (_, n) => configuration.read(2 + n, 1));
      assert.equal(new TextDecoder().decode(Uint8Array.from(bytes)), 'tägg');
    });

    it('sends requests one after the other, and gives each back when the reply is there and its time is over', () => {
      const { rig, sent, answer } = ninepRig(transport),
        [queue] = startDriver(rig, [0]);
      sent.length = 0;
      queue!.add([clunk(1).subarray(0, 5), clunk(1).subarray(5)], [4, 100]);
      queue!.add([clunk(2)], [100]);
      queue!.notify();
      assert.deepEqual(
        sent.map((bytes) => [...bytes.subarray(8)]),
        [[...clunk(1)]],
      );
      answer(Uint8Array.of(7, 0, 0, 0, 121, 7, 0));
      assert.deepEqual(queue!.used(), [], 'not at once');
      rig.run(MILLISECOND);
      assert.deepEqual(queue!.used(), [{ head: 0, length: 7 }]);
      assert.deepEqual([...rig.ram.subarray(0x80020, 0x80024), ...rig.ram.subarray(0x80030, 0x80033)], [7, 0, 0, 0, 121, 7, 0]);
      assert.equal(sent.length, 2);
      rig.run(MILLISECOND);
      assert.deepEqual(queue!.used(), [], 'not without a reply');
      answer(Uint8Array.of(7, 0, 0, 0, 121, 7, 0));
      assert.equal(queue!.used().length, 1, 'late replies are used at once');
    });

    it('uses a reply at the same time whenever it came', () => {
      const times = [0, 1000, 5000, 5100].map((delay) => {
        const { rig, answer } = ninepRig(transport),
          [queue] = startDriver(rig, [0]);
        queue!.add([clunk(1)], [100]);
        queue!.notify();
        rig.run(delay);
        answer(clunk(1));
        for (;;) {
          if (queue!.used().length > 0) return rig.now;
          rig.run(1);
        }
      });
      assert.equal(new Set(times).size, 1, `${times}`);
    });

    it('knows a reply to what it asked before a reset, and tells the peer of resets', () => {
      const { rig, sent, answer } = ninepRig(transport);
      let [queue] = startDriver(rig, [0]);
      queue!.add([clunk(1)], [100]);
      queue!.notify();
      const old = sent.at(-1)!;
      rig.run(10);
      rig.ram.fill(0);
      [queue] = startDriver(rig, [0]);
      assert.equal(sent.at(-1)!.length, 8, 'a number alone: the client is gone');
      queue!.add([clunk(2)], [100]);
      queue!.notify();
      answer(clunk(1), old);
      rig.run(MILLISECOND);
      assert.deepEqual(queue!.used(), []);
      answer(clunk(2));
      assert.equal(queue!.used().length, 1);
    });

    it('says so when a reply has no room, and answers requests of nothing by nothing', () => {
      const { rig, answer } = ninepRig(transport),
        [queue] = startDriver(rig, [0]);
      const [, room] = queue!.add([clunk(1)], [11]);
      queue!.add([clunk(1)], [5]);
      queue!.add([], [100]);
      queue!.notify();
      answer(encode(MESSAGES.read.type + 1, 7, MESSAGES.read.reply, { data: new Uint8Array(50) }));
      rig.run(MILLISECOND);
      answer(encode(MESSAGES.read.type + 1, 7, MESSAGES.read.reply, { data: new Uint8Array(50) }));
      rig.run(MILLISECOND);
      rig.run(MILLISECOND);
      assert.deepEqual(
        queue!.used().map(({ length }) => length),
        [11, 0, 0],
      );
      const error = rig.ram.subarray(room, room! + 11);
      assert.deepEqual([error[4], error[5], decode(error, LERROR.layout).ecode], [LERROR.type, 7, 90]);
    });

    it('is saved while it waits, and asks again where it is loaded', () => {
      const { rig } = ninepRig(transport),
        copy = ninepRig(transport);
      const [queue] = startDriver(rig, [0]);
      queue!.add([clunk(3)], [100]);
      queue!.notify();
      copy.rig.ram.set(rig.ram);
      copy.rig.device.load(structuredClone(rig.device.save()));
      assert.deepEqual(copy.rig.device.save(), rig.device.save());
      assert.deepEqual([...copy.sent.at(-1)!.subarray(8)], [...clunk(3)]);
      copy.answer(clunk(3));
      copy.rig.run(MILLISECOND);
      assert.equal(copy.rig.device.virtio.queues[0]!.state.used, 1);
    });

    it('breaks for a chain that is none', () => {
      const { rig } = ninepRig(transport),
        [queue] = startDriver(rig, [0]);
      queue!.offer(500);
      queue!.notify();
      rig.run(MILLISECOND);
      assert.equal(rig.transport.status & STATUS.NEEDS_RESET, STATUS.NEEDS_RESET);
    });
  });
}
