import { strict as assert } from 'node:assert';
import { MOST_CONNECTIONS } from '../../../src/vmm/net/tcp.ts';
import { FLAG, type Segment } from '../../../src/vmm/net/tcpSegment.ts';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { askFor, createStation, type Station } from './station.ts';

const { SYN, ACK, FIN, RST, PSH } = FLAG;
const SERVICE = '10.0.2.100';
const bytes = (length: number, seed = 0): Uint8Array => Uint8Array.from({ length }, (_, n) => n * 7 + seed);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const words = ({ flags }: Segment): string =>
  Object.entries(FLAG)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name)
    .join(' ');
const station = (): Station => createStation({ guestfwd: `tcp:${SERVICE}:80-tcp:127.0.0.1:8080`, hostfwd: 'tcp::2222-:22' });

/** A guest's connection to the service, established: numbers of the connection and of the two sequences. */
interface Open {
  readonly station: Station;
  readonly id: number;
  /** Next sequence numbers of the guest and of the network. */
  guest: number;
  network: number;
  send(segment: Partial<Segment>): Segment[];
}
function establish(options: Partial<Segment> = {}): Open {
  const there = station();
  there.sendSegment(SERVICE, { flags: SYN, sequence: 1000, maximumSegmentSize: 1460, ...options });
  const [{ kind, id }] = there.told();
  assert.equal(kind, 'open');
  there.host({ kind: 'opened', id });
  const [{ sequence }] = there.segments();
  there.sendSegment(SERVICE, { flags: ACK, sequence: 1001, acknowledgment: sequence + 1, ...options, maximumSegmentSize: null });
  assert.deepEqual(there.segments(), []);
  return {
    station: there,
    id,
    guest: 1001,
    network: sequence + 1,
    send(segment) {
      there.sendSegment(SERVICE, { flags: ACK, sequence: this.guest, acknowledgment: this.network, ...segment });
      return there.segments();
    },
  };
}

describe('TCP of a user network', () => {
  it('asks the host first, and answers the guest when the host has the service', () => {
    const there = station();
    there.sendSegment(SERVICE, { flags: SYN, sequence: 0xffffffff, maximumSegmentSize: 1460 });
    assert.deepEqual([there.told(), there.frames()], [[{ kind: 'open', id: 0, value: 0 }], []]);
    there.sendSegment(SERVICE, { flags: SYN, sequence: 0xffffffff, maximumSegmentSize: 1460 });
    assert.deepEqual([there.told(), there.frames()], [[], []], 'asked once');
    there.host({ kind: 'opened', id: 0 });
    const [answer] = there.segments();
    assert.deepEqual([words(answer), answer.acknowledgment, answer.maximumSegmentSize, answer.window], ['SYN ACK', 0, 1460, 65535]);
  });

  it('refuses the guest when the host was refused', () => {
    const there = station();
    there.sendSegment(SERVICE, { flags: SYN, sequence: 5 });
    there.told();
    there.host({ kind: 'closed', id: 0 });
    assert.deepEqual(
      there.segments().map((segment) => [words(segment), segment.acknowledgment]),
      [['RST ACK', 6]],
    );
  });

  it('carries data both ways, each byte once, and both ends', () => {
    const open = establish(),
      { station: there, id } = open;
    assert.deepEqual(
      open.send({ data: text('GET'), flags: ACK | PSH }).map((segment) => [words(segment), segment.acknowledgment]),
      [['ACK', 1004]],
    );
    assert.deepEqual(
      open.send({ data: text('GET /'), flags: ACK | PSH }).map(({ acknowledgment }) => acknowledgment),
      [1006],
    );
    assert.deepEqual(there.told(), [
      { kind: 'data', id, bytes: text('GET') },
      { kind: 'data', id, bytes: text(' /') },
    ]);
    open.guest = 1006;
    there.host({ kind: 'data', id, bytes: bytes(3000) });
    const segments = there.segments();
    assert.deepEqual(
      segments.map(({ data }) => data.length),
      [1460, 1460, 80],
    );
    assert.deepEqual(segments.map(words), ['ACK', 'ACK', 'PSH ACK']);
    assert.deepEqual(Buffer.concat(segments.map(({ data }) => data)), Buffer.from(bytes(3000)));
    open.network += 3000;
    assert.deepEqual(open.send({}), []);
    assert.deepEqual(there.told(), [{ kind: 'credit', id, value: 3000 }]);
    there.host({ kind: 'end', id });
    assert.deepEqual(there.segments().map(words), ['FIN ACK']);
    open.network++;
    assert.deepEqual(
      open.send({ data: text('x') }).map(({ acknowledgment }) => acknowledgment),
      [1007],
      'half closed',
    );
    open.guest++;
    assert.deepEqual(
      open.send({ flags: ACK | FIN }).map(({ acknowledgment }) => acknowledgment),
      [1008],
    );
    assert.deepEqual(there.told(), [
      { kind: 'data', id, bytes: text('x') },
      { kind: 'end', id },
    ]);
    assert.equal(there.network.awaitsHost, false);
    assert.deepEqual(open.send({ flags: ACK | FIN }).map(words), ['RST'], 'it is over');
  });

  it('delivers to the guest what was sent before the host broke off, when both had ended', () => {
    const open = establish(),
      { station: there, id } = open;
    open.send({ flags: ACK | FIN, window: 100 });
    open.guest++;
    there.host({ kind: 'data', id, bytes: bytes(150) });
    there.host({ kind: 'end', id });
    there.host({ kind: 'closed', id });
    assert.deepEqual(
      there.segments().map(({ data }) => data.length),
      [100],
    );
    open.network += 100;
    assert.deepEqual(
      open.send({}).map((segment) => [words(segment), segment.data.length]),
      [['FIN PSH ACK', 50]],
    );
  });

  it('keeps to the window of the guest, and asks when it stays closed', () => {
    const open = establish({ window: 2000 }),
      { station: there, id } = open;
    there.host({ kind: 'data', id, bytes: bytes(5000) });
    assert.deepEqual(
      there.segments().map(({ data }) => data.length),
      [1460, 540],
    );
    open.network += 2000;
    assert.deepEqual(open.send({ window: 0 }), []);
    there.run(1.5 * CYCLES_PER_SECOND);
    assert.deepEqual(
      there.segments().map(({ data }) => data.length),
      [1],
      'a probe',
    );
    for (let n = 0; n < 20; n++) {
      there.run(100 * CYCLES_PER_SECOND);
      assert.ok(there.segments().length > 0);
      open.send({ window: 0 });
    }
    assert.deepEqual(
      open.send({ window: 65535 }).reduce((sum, { data }) => sum + data.length, 0),
      3000 - 1,
    );
  });

  it('sends again what is not acknowledged, later each time, and gives up', () => {
    const open = establish(),
      { station: there, id } = open;
    there.host({ kind: 'data', id, bytes: bytes(100) });
    there.segments();
    const times: number[] = [];
    const start = there.now;
    for (let second = 1; second < 200; second++) {
      there.run(CYCLES_PER_SECOND);
      for (const segment of there.segments()) times.push(words(segment) === 'RST ACK' ? -second : second);
    }
    assert.equal(start, 0);
    assert.deepEqual(times, [1, 3, 7, 15, 31, 63, -127]);
    assert.deepEqual(there.told(), [{ kind: 'close', id }]);
  });

  it('sends again at once after three acknowledgments of the same', () => {
    const open = establish(),
      { station: there, id } = open;
    there.host({ kind: 'data', id, bytes: bytes(3000) });
    there.segments();
    assert.deepEqual([open.send({}), open.send({})], [[], []]);
    assert.deepEqual(
      open.send({}).map(({ sequence }) => sequence - open.network),
      [0, 1460, 2920],
    );
  });

  it('closes its window while the host does not pass on, and opens it again', () => {
    const open = establish(),
      { station: there, id } = open;
    let taken = 0,
      window = 65535;
    for (let n = 0; n < 60; n++) {
      const [answer] = open.send({ data: bytes(1460) });
      open.guest = answer.acknowledgment;
      window = answer.window;
      taken = answer.acknowledgment - 1001;
    }
    assert.deepEqual([taken, window], [65535, 0]);
    assert.equal(
      there.told().reduce((sum, message) => sum + (message.kind === 'data' ? message.bytes.length : 0), 0),
      65535,
    );
    there.host({ kind: 'written', id, value: 100 });
    assert.deepEqual(there.segments(), [], 'not for a few bytes');
    there.host({ kind: 'written', id, value: 65435 });
    assert.deepEqual(
      there.segments().map(({ window: now }) => now),
      [65535],
    );
  });

  it('breaks off a host that sends more than it may', () => {
    const { station: there, id } = establish({ window: 0 });
    there.host({ kind: 'data', id, bytes: bytes(65535) });
    assert.deepEqual(there.frames(), []);
    there.host({ kind: 'data', id, bytes: bytes(1) });
    assert.deepEqual([there.segments().map(words), there.told()], [['RST ACK'], [{ kind: 'close', id }]]);
  });

  it('takes a reset that fits, and no other', () => {
    const open = establish(),
      { station: there, id } = open;
    for (const sequence of [1000, 1001 + 65536, 0]) assert.deepEqual(open.send({ flags: RST, sequence }), []);
    assert.deepEqual(there.told(), []);
    open.send({ flags: RST });
    assert.deepEqual(there.told(), [{ kind: 'close', id }]);
    assert.equal(there.network.awaitsHost, false);
  });

  it('answers a new SYN on an old connection with what it knows', () => {
    const open = establish();
    assert.deepEqual(
      open.send({ flags: SYN, sequence: 5555 }).map((segment) => [words(segment), segment.acknowledgment]),
      [['ACK', 1001]],
    );
  });

  it('connects into the guest, whose station it asks for', () => {
    const there = station(),
      id = 2 ** 31;
    there.host({ kind: 'incoming', id, value: 0 });
    const [question] = there.frames();
    assert.deepEqual([question.type, [...question.payload.subarray(24, 28)]], [0x0806, [10, 0, 2, 15]]);
    there.host({ kind: 'data', id, bytes: text('hello') });
    askFor(there, '10.0.2.2');
    const [syn] = there.segments();
    assert.deepEqual([words(syn), syn.destinationPort, syn.sourcePort], ['SYN', 22, 49152]);
    there.sendSegment('10.0.2.2', {
      sourcePort: 22,
      destinationPort: 49152,
      flags: SYN | ACK,
      sequence: 70,
      acknowledgment: syn.sequence + 1,
      maximumSegmentSize: 1000,
    });
    assert.deepEqual(
      there.segments().map((segment) => [words(segment), segment.acknowledgment, segment.data.length]),
      [['PSH ACK', 71, 5]],
    );
    there.host({ kind: 'incoming', id, value: 0 });
    assert.deepEqual(there.told(), [{ kind: 'close', id }], 'the number is taken');
    there.host({ kind: 'incoming', id: 7, value: 0 });
    there.host({ kind: 'incoming', id: id + 1, value: 1 });
    assert.deepEqual(
      there.told().map(({ kind }) => kind),
      ['close', 'close'],
    );
  });

  it('tells the host when the guest refuses, or is not there', () => {
    const there = station();
    askFor(there, '10.0.2.2');
    there.frames();
    there.host({ kind: 'incoming', id: 2 ** 31, value: 0 });
    const [syn] = there.segments();
    there.sendSegment('10.0.2.2', { sourcePort: 22, destinationPort: 49152, flags: RST | ACK, acknowledgment: syn.sequence + 1 });
    assert.deepEqual(there.told(), [{ kind: 'close', id: 2 ** 31 }]);
    there.host({ kind: 'incoming', id: 2 ** 31 + 1, value: 0 });
    there.run(200 * CYCLES_PER_SECOND);
    assert.deepEqual(there.told(), [{ kind: 'close', id: 2 ** 31 + 1 }]);
    assert.equal(there.segments().length, 7);
  });

  it('has so many connections and no more', () => {
    const there = station();
    for (let port = 1; port <= MOST_CONNECTIONS + 3; port++) there.sendSegment(SERVICE, { flags: SYN, sourcePort: port });
    assert.equal(there.told().length, MOST_CONNECTIONS);
    assert.deepEqual(there.segments().map(words), ['RST ACK', 'RST ACK', 'RST ACK']);
    there.host({ kind: 'incoming', id: 2 ** 31, value: 0 });
    assert.deepEqual(there.told(), [{ kind: 'close', id: 2 ** 31 }]);
  });

  it('is saved and loaded in the middle of everything', () => {
    const open = establish({ window: 1000 }),
      { station: there, id } = open;
    there.host({ kind: 'data', id, bytes: bytes(3000) });
    open.send({ data: text('abc') });
    const { fields } = there.network;
    const copy = station();
    copy.now = there.now;
    copy.network.restore(fields.load(fields.save(there.network.saved), 'network'));
    there.frames();
    there.told();
    const both = (act: (which: Station) => unknown): void => assert.deepEqual(act(copy), act(there));
    both((which) => (which.run(2 * CYCLES_PER_SECOND), which.segments()));
    both((which) => {
      which.sendSegment(SERVICE, { flags: ACK, sequence: 1004, acknowledgment: open.network + 1000 });
      return [which.segments(), which.told(), which.network.fields.save(which.network.saved)];
    });
    const saved = fields.save(there.network.saved) as { tcp: { connections: { sendHighest: number }[] } };
    saved.tcp.connections[0].sendHighest += 5000;
    assert.throws(() => fields.load(saved as never, 'network'), /network\.tcp\.connections\[0\]\.sendHighest/);
  });
});
