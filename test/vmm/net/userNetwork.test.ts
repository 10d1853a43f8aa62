import { strict as assert } from 'node:assert';
import { readArp } from '../../../src/vmm/net/arp.ts';
import { ETHERTYPE } from '../../../src/vmm/net/ethernet.ts';
import { formatAddress, PROTOCOL } from '../../../src/vmm/net/ipv4.ts';
import { FLAG } from '../../../src/vmm/net/tcpSegment.ts';
import { askFor, createStation, dhcpRequest, ip, type Station } from './station.ts';

const ANYWHERE = '255.255.255.255';
/** Message type and options of a DHCP reply. */
function readDhcp(station: Station): { yours: string; to: string; options: Map<number, number[]> } {
  const [reply, ...others] = station.udp();
  assert.deepEqual([others.length, reply.sourcePort, reply.destinationPort], [0, 67, 68]);
  const options = new Map<number, number[]>();
  for (let at = 240; reply.data[at] !== 255; at += 2 + reply.data[at + 1])
    options.set(reply.data[at], [...reply.data.subarray(at + 2, at + 2 + reply.data[at + 1])]);
  assert.deepEqual([...reply.data.subarray(4, 8)], [0xde, 0xad, 0xbe, 0xef]);
  return { yours: [...reply.data.subarray(16, 20)].join('.'), to: formatAddress(reply.destination), options };
}
const discover = (station: Station, how?: Parameters<typeof dhcpRequest>[1]): void =>
  station.sendUdp(ANYWHERE, 68, 67, dhcpRequest([53, 1, 1], how), '0.0.0.0');
const request = (station: Station, address: string, how?: Parameters<typeof dhcpRequest>[1]): void =>
  station.sendUdp(ANYWHERE, 68, 67, dhcpRequest([53, 1, 3, 50, 4, ...address.split('.').map(Number)], how), '0.0.0.0');
const echo = (length = 40): Uint8Array => {
  const message = Uint8Array.from({ length }, (_, n) => (n < 8 ? [8, 0, 0, 0, 0x12, 0x34, 0, 1][n] : n));
  let sum = 0;
  for (let n = 0; n < length; n += 2) sum += (message[n] << 8) | (message[n + 1] ?? 0);
  sum = (sum & 0xffff) + (sum >> 16);
  message[2] = (~sum >> 8) & 0xff;
  message[3] = ~sum & 0xff;
  return message;
};
const query = (name: string, type = 1, flags = 0x0100): Uint8Array =>
  Uint8Array.of(
    0x56,
    0x78,
    flags >> 8,
    flags & 0xff,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    ...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]),
    0,
    0,
    type,
    0,
    1,
  );
const ask = (station: Station, message: Uint8Array): Uint8Array | undefined => {
  station.sendUdp('10.0.2.3', 4000, 53, message);
  return station.udp()[0]?.data;
};

describe('user network', () => {
  it('lends addresses by DHCP, the same one to the same station, with mask, router and name server', () => {
    const station = createStation();
    discover(station);
    const offer = readDhcp(station);
    assert.deepEqual([offer.yours, offer.to, offer.options.get(53)], ['10.0.2.15', '10.0.2.15', [2]]);
    request(station, '10.0.2.15', { broadcast: true });
    const { yours, to, options } = readDhcp(station);
    assert.deepEqual([yours, to], ['10.0.2.15', ANYWHERE]);
    assert.deepEqual(
      [53, 54, 1, 3, 6].map((code) => options.get(code)),
      [[5], [10, 0, 2, 2], [255, 255, 255, 0], [10, 0, 2, 2], [10, 0, 2, 3]],
    );
    discover(station, { mac: Uint8Array.of(2, 0, 0, 0, 0, 1) });
    assert.equal(readDhcp(station).yours, '10.0.2.16');
    discover(station);
    assert.equal(readDhcp(station).yours, '10.0.2.15');
  });

  it('refuses another address than the one that it lent, and lends no more than it has', () => {
    const station = createStation();
    request(station, '10.0.2.77');
    assert.deepEqual(readDhcp(station).options.get(53), [6]);
    for (let n = 1; n < 40; n++) discover(station, { mac: Uint8Array.of(2, 0, 0, 0, 0, n) });
    assert.equal(station.udp().length, 15);
  });

  it('answers ARP for its own addresses and those of services only', () => {
    const station = createStation({ guestfwd: 'tcp:10.0.2.100:80-tcp::1 tcp:web:80-tcp::1' });
    for (const [address, answers] of [
      ['10.0.2.2', 1],
      ['10.0.2.3', 1],
      ['10.0.2.100', 1],
      ['10.0.2.101', 1],
      ['10.0.2.102', 0],
      ['10.0.2.15', 0],
      ['8.8.8.8', 0],
    ] as const) {
      askFor(station, address);
      const frames = station.frames();
      assert.equal(frames.length, answers, address);
      for (const { payload } of frames) assert.deepEqual([readArp(payload)?.operation, readArp(payload)?.sender], [2, ip(address)]);
    }
  });

  it('answers echo requests to itself, and says of others that it is prohibited', () => {
    const station = createStation();
    for (const to of ['10.0.2.2', '10.0.2.3']) {
      station.sendIcmp(to, echo());
      const [reply] = station.datagrams(PROTOCOL.ICMP);
      assert.deepEqual([reply.source, reply.payload[0], reply.payload.length], [ip(to), 0, 40]);
    }
    station.sendIcmp('8.8.8.8', echo(1472));
    const [refusal] = station.datagrams(PROTOCOL.ICMP);
    assert.deepEqual([refusal.source, refusal.payload[0], refusal.payload[1], refusal.payload.length], [ip('10.0.2.2'), 3, 13, 36]);
    const damaged = echo();
    damaged[20] ^= 1;
    station.sendIcmp('10.0.2.2', damaged);
    assert.deepEqual(station.frames(), []);
  });

  it('knows the names of services, and that there are no others', () => {
    const station = createStation({ guestfwd: 'tcp:Web:80-tcp::1 tcp:files.test:80-tcp::1 udp:web:53-udp::1' });
    const web = ask(station, query('WEB'));
    assert.deepEqual([...(web?.subarray(2, 8) ?? [])], [0x85, 0x80, 0, 1, 0, 1]);
    assert.deepEqual([...(web?.subarray(-4) ?? [])], [10, 0, 2, 100]);
    assert.deepEqual([...(ask(station, query('files.test'))?.subarray(-4) ?? [])], [10, 0, 2, 101]);
    const code = (message: Uint8Array): number => (ask(station, message)?.[3] ?? 0) & 15;
    assert.deepEqual([code(query('example.org')), code(query('web', 28)), code(query('web', 1, 0x2800))], [3, 0, 4]);
    assert.equal(ask(station, query('web', 28))?.[7], 0, 'no address of version 6');
    assert.equal(code(query('web').subarray(0, 15)), 1);
    assert.equal(ask(station, query('web', 1, 0x8100)), undefined, 'a response is no question');
    const pointer = query('web');
    pointer[12] = 0xc0;
    assert.equal(code(pointer), 1);
  });

  it('refuses TCP to what is not listed by a reset, and UDP by ICMP', () => {
    const station = createStation({ guestfwd: 'tcp:10.0.2.100:80-tcp::1' });
    for (const [to, destinationPort] of [
      ['1.2.3.4', 80],
      ['10.0.2.2', 22],
      ['10.0.2.100', 81],
    ] as const) {
      station.sendSegment(to, { flags: FLAG.SYN, sequence: 1000, destinationPort });
      const [reset] = station.segments();
      assert.deepEqual([reset.flags, reset.acknowledgment, reset.sourcePort], [FLAG.RST | FLAG.ACK, 1001, destinationPort]);
    }
    station.sendSegment('1.2.3.4', { flags: FLAG.ACK, acknowledgment: 77 });
    assert.deepEqual(
      station.segments().map(({ flags, sequence }) => [flags, sequence]),
      [[FLAG.RST, 77]],
    );
    station.sendSegment('1.2.3.4', { flags: FLAG.RST });
    assert.deepEqual(station.frames(), [], 'a reset is not answered');
    for (const [to, code] of [
      ['10.0.2.2', 3],
      ['9.9.9.9', 13],
    ] as const) {
      station.sendUdp(to, 1, 2, new Uint8Array(5));
      assert.equal(station.datagrams(PROTOCOL.ICMP)[0].payload[1], code);
    }
    assert.deepEqual(station.told(), []);
  });

  it('takes fragments, damaged datagrams and frames to others for nothing', () => {
    const station = createStation();
    const good = (): Uint8Array => {
      const bytes = new Uint8Array(48);
      bytes.set([0x45, 0, 0, 48, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2]);
      bytes.set(echo(28), 20);
      return bytes;
    };
    const checked = (bytes: Uint8Array): Uint8Array => {
      let sum = 0;
      for (let n = 0; n < 20; n += 2) sum += (bytes[n] << 8) | bytes[n + 1];
      sum = (sum & 0xffff) + (sum >> 16);
      bytes.set([(~sum >> 8) & 0xff, ~sum & 0xff], 10);
      return bytes;
    };
    station.sendFrame(ETHERTYPE.IPV4, checked(good()));
    assert.equal(station.frames().length, 1);
    const fragment = good();
    fragment[6] = 0x20;
    const long = good();
    long[3] = 49;
    const short = good();
    short[0] = 0x44;
    const foreign = good();
    foreign[12] = 11;
    for (const bytes of [checked(fragment), checked(long), checked(short), checked(foreign), good()])
      station.sendFrame(ETHERTYPE.IPV4, bytes);
    station.sendFrame(ETHERTYPE.IPV4, checked(good()), Uint8Array.of(2, 2, 2, 2, 2, 2));
    assert.deepEqual(station.frames(), []);
  });
});
