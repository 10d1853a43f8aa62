import { strict as assert } from 'node:assert';
import { BROADCAST, buildFrame } from '../../../src/vmm/net/ethernet.ts';
import { MOST_STATIONS, MOST_UNDER_WAY, type PortPeer, Switches } from '../../../src/vmm/net/switch.ts';
import { PORT_MESSAGE } from '../../../src/vmm/net/switchPort.ts';

const mac = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, n >> 16, n >> 8, n);
const frame = (from: number, to: Uint8Array): Uint8Array => buildFrame(to, mac(from), 0x88b5, Uint8Array.of(1, 2, 3));
interface Port extends PortPeer {
  frame(bytes: Uint8Array): void;
  /** Who sent the frames that came; they have arrived now. */
  heard(): number[];
}
function plug(switches: Switches, name = 'lan'): Port {
  let came: number[] = [];
  const port = switches.connect(name, (bytes) => void came.push(bytes[11]));
  return {
    ...port,
    frame: (bytes) => port.send(Uint8Array.of(PORT_MESSAGE.FRAME, ...bytes)),
    heard() {
      const taken = came;
      came = [];
      for (const _ of taken) port.send(Uint8Array.of(PORT_MESSAGE.ARRIVED));
      return taken;
    },
  };
}

describe('switch', () => {
  it('sends to all others until it has learnt where a station is, and groups to all others always', () => {
    const switches = new Switches();
    const [a, b, c] = [plug(switches), plug(switches), plug(switches)];
    a.frame(frame(1, mac(2)));
    assert.deepEqual([a.heard(), b.heard(), c.heard()], [[], [1], [1]]);
    b.frame(frame(2, mac(1)));
    a.frame(frame(1, mac(2)));
    assert.deepEqual([a.heard(), b.heard(), c.heard()], [[2], [1], []]);
    a.frame(frame(1, BROADCAST));
    assert.deepEqual([a.heard(), b.heard(), c.heard()], [[], [1], [1]]);
    a.frame(frame(1, mac(1)));
    assert.deepEqual([a.heard(), b.heard(), c.heard()], [[], [], []], 'to itself');
  });

  it('learns that a station has moved, and forgets those behind a port that is unplugged', () => {
    const switches = new Switches();
    const [a, b, c] = [plug(switches), plug(switches), plug(switches)];
    a.frame(frame(1, BROADCAST));
    b.frame(frame(1, BROADCAST));
    for (const port of [a, b, c]) port.heard();
    c.frame(frame(3, mac(1)));
    assert.deepEqual([a.heard(), b.heard()], [[], [3]]);
    b.close();
    c.frame(frame(3, mac(1)));
    assert.deepEqual([a.heard(), b.heard()], [[3], []]);
  });

  it('keeps networks of other names apart', () => {
    const switches = new Switches();
    const [a, b] = [plug(switches, 'a'), plug(switches, 'b')];
    a.frame(frame(1, BROADCAST));
    assert.deepEqual(b.heard(), []);
    a.close();
    const again = plug(switches, 'a');
    b.frame(frame(2, mac(1)));
    assert.deepEqual(again.heard(), []);
  });

  it('loses frames for a guest that does not take them, and goes on when it does', () => {
    const switches = new Switches();
    const [a, b] = [plug(switches), plug(switches)];
    for (let n = 0; n < MOST_UNDER_WAY + 50; n++) a.frame(frame(1, BROADCAST));
    assert.equal(b.heard().length, MOST_UNDER_WAY);
    for (let n = 0; n < 20; n++) a.frame(frame(1, BROADCAST));
    assert.equal(b.heard().length, 20);
  });

  it('remembers so many stations, and takes what is no frame for nothing', () => {
    const switches = new Switches();
    const [a, b, c] = [plug(switches), plug(switches), plug(switches)];
    for (let n = 0; n < MOST_STATIONS + 1; n++) {
      a.frame(frame(0x10000 + n, mac(0)));
      b.heard();
      c.heard();
    }
    b.frame(frame(2, mac(0x10000)));
    assert.deepEqual([a.heard(), c.heard()], [[2], [2]], 'the first is forgotten');
    c.heard();
    b.frame(frame(2, mac(0x10002)));
    assert.deepEqual(c.heard(), []);
    for (const length of [0, 13, 1515, 70_000]) a.frame(new Uint8Array(length).fill(0xff));
    a.send(new Uint8Array(0));
    assert.deepEqual([b.heard(), c.heard()], [[], []]);
  });
});
