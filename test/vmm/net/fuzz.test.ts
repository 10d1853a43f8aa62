// What a hostile guest can do to the network: any frame to a user network, any access to the registers of a card, any story told
// by TCP; and what a damaged journal can say in the host's name. Nothing throws, and what is kept stays within its bounds.

import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { buildFrame, ETHERTYPE, LONGEST_FRAME } from '../../../src/vmm/net/ethernet.ts';
import { GUESTS } from '../../../src/vmm/net/forwards.ts';
import { FIRST_INCOMING, type FromHost, MOST_UNDER_WAY } from '../../../src/vmm/net/hostMessages.ts';
import { buildDatagram, PROTOCOL } from '../../../src/vmm/net/ipv4.ts';
import { MOST_CONNECTIONS } from '../../../src/vmm/net/tcp.ts';
import { buildSegment } from '../../../src/vmm/net/tcpSegment.ts';
import { buildUdp } from '../../../src/vmm/net/udp.ts';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { type Random, seeded } from '../../support/random.ts';
import { createRig, MICROSECOND, type Rig } from '../devices/rig.ts';
import { createStation, dhcpRequest, ip, NETWORK_MAC } from './station.ts';

const SERVICES = 'tcp:10.0.2.100:80-tcp::1 udp:10.0.2.100:53-udp::1 tcp:web:7-tcp::1';
const ADDRESSES = [
  '10.0.2.2',
  '10.0.2.3',
  '10.0.2.15',
  '10.0.2.16',
  '10.0.2.100',
  '10.0.2.101',
  '10.0.2.255',
  '0.0.0.0',
  '224.0.0.1',
  '9.9.9.9',
];
const bytes = (random: Random, most: number): Uint8Array => Uint8Array.from({ length: random.below(most + 1) }, () => random.below(256));
const address = (random: Random): number => (random.below(8) ? ip(random.pick(ADDRESSES)) : random.edgy() >>> 0);
const port = (random: Random): number => random.pick([7, 22, 53, 67, 68, 80, 40000, 40001, 49152, random.below(65536)]);

/** A frame that is right as far as chance lets it, and then perhaps damaged. */
function anyFrame(random: Random, memory: { sequence: number; acknowledgment: number }): Uint8Array {
  const [source, destination] = [random.below(4) ? ip('10.0.2.15') : address(random), address(random)];
  const near = (value: number): number => (value + random.pick([0, 0, 0, 1, -1, 1460, 65535, random.edgy()])) >>> 0;
  const payload = ((): Uint8Array => {
    switch (random.below(6)) {
      case 0:
        return buildDatagram(
          source,
          destination,
          PROTOCOL.UDP,
          buildUdp(source, destination, {
            sourcePort: port(random),
            destinationPort: port(random),
            data: random.below(3)
              ? bytes(random, 60)
              : dhcpRequest([53, 1, random.below(9), ...bytes(random, 20)], { mac: Uint8Array.of(2, 0, 0, 0, 0, random.below(256)) }),
          }),
        );
      case 1:
        return buildDatagram(source, destination, PROTOCOL.ICMP, bytes(random, 80));
      case 2:
        return Uint8Array.of(0, 1, 8, 0, 6, 4, 0, random.below(3), ...bytes(random, 20), 10, 0, 2, random.below(256), ...bytes(random, 10));
      case 3:
        return bytes(random, LONGEST_FRAME - 14);
      default:
        return buildDatagram(
          source,
          destination,
          PROTOCOL.TCP,
          buildSegment(source, destination, {
            sourcePort: random.pick([40000, 40001, 22, random.below(65536)]),
            destinationPort: port(random),
            sequence: near(memory.sequence),
            acknowledgment: near(memory.acknowledgment),
            flags: random.pick([2, 16, 16, 16, 24, 17, 18, 4, random.below(64)]),
            window: random.pick([0, 1, 500, 65535]),
            maximumSegmentSize: random.below(2) ? null : random.below(65536),
            data: bytes(random, random.pick([0, 3, 1460])),
          }),
        );
    }
  })();
  const type = payload.length === 38 ? ETHERTYPE.ARP : random.below(20) ? ETHERTYPE.IPV4 : random.below(65536);
  const frame = buildFrame(
    random.below(9) ? NETWORK_MAC : bytes(random, 6),
    Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56),
    type,
    payload.subarray(0, LONGEST_FRAME - 14),
  );
  if (random.below(10) === 0) frame[random.below(frame.length)] ^= 1 << random.below(8);
  return random.below(50) ? frame : frame.subarray(0, random.below(frame.length));
}

function anyMessage(random: Random, ids: readonly number[]): FromHost {
  const id = random.below(6) ? random.pick(ids) : random.edgy() >>> 0;
  const kind = random.pick(['incoming', 'opened', 'data', 'data', 'end', 'closed', 'written'] as const);
  switch (kind) {
    case 'incoming':
      return { kind, id: random.below(2) ? FIRST_INCOMING + random.below(100) : id, value: random.below(4) };
    case 'written':
      return { kind, id, value: random.edgy() >>> 0 };
    case 'data':
      return { kind, id, bytes: bytes(random, random.pick([3, 2000, MOST_UNDER_WAY])) };
    default:
      return { kind, id };
  }
}

describe('a hostile guest', function () {
  this.timeout(fuzzTimeout(300_000));

  it('can send any frame to a user network, whatever the host says meanwhile, and gets the same every time', () => {
    const first = Array.from({ length: fuzzRounds(15) }, (_, round) => storm(round + 1));
    assert.equal(storm(1), first[0]);
  });

  /** Frames, messages and time; gives all that the network said, and what it kept. */
  function storm(seed: number): string {
    const random = seeded(seed),
      station = createStation({ guestfwd: SERVICES, hostfwd: 'tcp::1-:22 udp::1-:53 tcp::2-10.0.2.16:22' });
    const memory = { sequence: 1000, acknowledgment: 0 },
      ids = new Set<number>([0, 1, FIRST_INCOMING]),
      hash = createHash('md5');
    for (let n = 0; n < 2000; n++) {
      if (random.below(3)) station.network.receive(anyFrame(random, memory));
      else if (random.below(4)) station.host(anyMessage(random, [...ids]));
      else if (random.below(2)) station.network.hear(bytes(random, 20));
      else station.run(random.pick([1000, CYCLES_PER_SECOND / 100, CYCLES_PER_SECOND]));
      const told = station.told(),
        segments = station.segments(),
        last = segments.at(-1);
      for (const { id } of told) ids.add(id);
      if (ids.size > 50) ids.clear();
      ids.add(0);
      if (last) {
        memory.sequence = last.acknowledgment;
        memory.acknowledgment = last.sequence + last.data.length + (last.flags & 2 ? 1 : 0);
      }
      hash.update(JSON.stringify([told, segments]));
    }
    const { fields, saved } = station.network,
      { tcp, udp, leases, stations } = saved;
    assert.ok(tcp.connections.length <= MOST_CONNECTIONS && udp.sessions.length <= 64 && leases.length <= GUESTS && stations.length <= 32);
    for (const { outgoing, unwritten } of tcp.connections) assert.ok(outgoing.length <= MOST_UNDER_WAY && unwritten <= MOST_UNDER_WAY);
    assert.deepEqual(fields.save(fields.load(fields.save(saved), 'network')), fields.save(saved));
    return hash.update(JSON.stringify(fields.save(saved))).digest('hex');
  }

  for (const [device, backend] of [
    ['ne2k_isa', { type: 'user', properties: { guestfwd: SERVICES } }],
    ['ne2k_isa', { type: 'switch', properties: {} }],
  ] as const) {
    it(`can do anything to the registers of a card (${device}, ${backend.type})`, () => {
      const random = seeded(7),
        rig: Rig = createRig({ cards: [{ device, properties: { irq: '5' }, backend }] });
      const card = rig.cards.get(`${device}.0`);
      const accesses = 250_000 * Math.min(4, fuzzRounds(2));
      for (let n = 0; n < accesses; n++) {
        const register = random.below(4) ? random.below(16) : random.below(32),
          size = random.pick([1, 1, 1, 2, 4] as const);
        if (random.below(4) === 0) rig.bus.portRead(0x300 + register, size);
        // Commands and the places of buffers matter most.
        else
          rig.bus.portWrite(
            0x300 + register,
            random.below(3) ? random.edgy() >>> 0 : random.pick([0x22, 0x0a, 0x12, 0x26, 0x62, 0x40, 0x46, 0x80]),
            size,
          );
        if (n % 16 === 0)
          card?.receive?.(
            random.below(2) ? bytes(random, 1600) : buildFrame(new Uint8Array(6).fill(0xff), new Uint8Array(6), 1, bytes(random, 200)),
          );
        if (n % 64 === 0) rig.run(random.pick([10, 100, 10_000]) * MICROSECOND);
      }
      const saved = card?.save();
      assert.deepEqual(
        saved &&
          createRig({ cards: [{ device, properties: { irq: '5' }, backend }] })
            .cards.get(`${device}.0`)
            ?.load(saved),
        undefined,
      );
    });
  }
});
