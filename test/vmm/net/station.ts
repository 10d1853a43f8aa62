// A station on a network in tests: sends and takes apart frames without any of the code under test but its readers.

import { ARP_REQUEST, buildArp } from '../../../src/vmm/net/arp.ts';
import { buildFrame, ETHERTYPE, type Frame, readFrame } from '../../../src/vmm/net/ethernet.ts';
import { userNetworkConfig } from '../../../src/vmm/net/forwards.ts';
import { decodeToHost, encodeFromHost, type FromHost, type ToHost } from '../../../src/vmm/net/hostMessages.ts';
import { buildDatagram, type Datagram, PROTOCOL, parseAddress, readDatagram } from '../../../src/vmm/net/ipv4.ts';
import { buildSegment, readSegment, type Segment } from '../../../src/vmm/net/tcpSegment.ts';
import { buildUdp, readUdp, type UdpDatagram } from '../../../src/vmm/net/udp.ts';
import { UserNetwork } from '../../../src/vmm/net/userNetwork.ts';
import { createTimers, type MachineTimers } from '../../../src/vmm/timers.ts';

export const ip = (text: string): number => parseAddress(text)!;
export const GUEST_MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
export const NETWORK_MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
export const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

export interface Station {
  readonly network: UserNetwork;
  now: number;
  readonly timers: MachineTimers;
  /** Frames that the network sent, taken out. */
  frames(): Frame[];
  datagrams(protocol: number): Datagram[];
  udp(): (UdpDatagram & { source: number; destination: number })[];
  segments(): Segment[];
  /** What the network said to the host, taken out. */
  told(): ToHost[];
  sendFrame(type: number, payload: Uint8Array, destination?: Uint8Array): void;
  sendUdp(to: string, sourcePort: number, destinationPort: number, data: Uint8Array, from?: string): void;
  sendSegment(to: string, segment: Partial<Segment>): void;
  sendIcmp(to: string, message: Uint8Array): void;
  host(message: FromHost): void;
  run(cycles: number): void;
}

export function createStation(values: { guestfwd?: string; hostfwd?: string } = {}, from = '10.0.2.15'): Station {
  let frames: Uint8Array[] = [],
    told: ToHost[] = [];
  const timers = createTimers(() => station.now);
  const network = new UserNetwork(
    userNetworkConfig(values),
    timers,
    (frame) => void frames.push(frame),
    (message) => void told.push(decodeToHost(message)!),
  );
  const station: Station = {
    network,
    now: 0,
    timers,
    frames() {
      const taken = frames;
      frames = [];
      return taken.map((frame) => readFrame(frame)!);
    },
    datagrams: (protocol) =>
      station
        .frames()
        .flatMap(({ type, payload }) => (type === ETHERTYPE.IPV4 ? [readDatagram(payload)!] : []))
        .filter((datagram) => datagram.protocol === protocol),
    udp: () =>
      station
        .datagrams(PROTOCOL.UDP)
        .map((datagram) => ({ ...readUdp(datagram)!, source: datagram.source, destination: datagram.destination })),
    segments: () => station.datagrams(PROTOCOL.TCP).map((datagram) => readSegment(datagram)!),
    told() {
      const taken = told;
      told = [];
      return taken;
    },
    sendFrame: (type, payload, destination = NETWORK_MAC) => network.receive(buildFrame(destination, GUEST_MAC, type, payload)),
    sendUdp(to, sourcePort, destinationPort, data, source = from) {
      const payload = buildUdp(ip(source), ip(to), { sourcePort, destinationPort, data });
      const destination = to === '255.255.255.255' ? BROADCAST_MAC : NETWORK_MAC;
      station.sendFrame(ETHERTYPE.IPV4, buildDatagram(ip(source), ip(to), PROTOCOL.UDP, payload), destination);
    },
    sendSegment(to, segment) {
      const payload = buildSegment(ip(from), ip(to), {
        sourcePort: 40000,
        destinationPort: 80,
        sequence: 0,
        acknowledgment: 0,
        flags: 0,
        window: 65535,
        maximumSegmentSize: null,
        data: new Uint8Array(0),
        ...segment,
      });
      station.sendFrame(ETHERTYPE.IPV4, buildDatagram(ip(from), ip(to), PROTOCOL.TCP, payload));
    },
    sendIcmp: (to, message) => station.sendFrame(ETHERTYPE.IPV4, buildDatagram(ip(from), ip(to), PROTOCOL.ICMP, message)),
    host: (message) => network.hear(encodeFromHost(message)),
    run(cycles) {
      const end = station.now + cycles;
      for (let next = timers.nextDeadline(); next <= end; next = timers.nextDeadline()) {
        station.now = Math.max(station.now, next);
        timers.runDue();
      }
      station.now = end;
    },
  };
  return station;
}

/** Asks by ARP who has an address. */
export function askFor(station: Station, target: string, from = '10.0.2.15'): void {
  station.sendFrame(
    ETHERTYPE.ARP,
    buildArp({ operation: ARP_REQUEST, senderMac: GUEST_MAC, sender: ip(from), targetMac: new Uint8Array(6), target: ip(target) }),
    BROADCAST_MAC,
  );
}

/** A DHCP message as a client sends it, with these options. */
export function dhcpRequest(options: readonly number[], { mac = GUEST_MAC, current = '0.0.0.0', broadcast = false } = {}): Uint8Array {
  const message = new Uint8Array(300),
    view = new DataView(message.buffer);
  message.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
  if (broadcast) message[10] = 0x80;
  view.setUint32(12, ip(current));
  message.set(mac, 28);
  view.setUint32(236, 0x63825363);
  message.set([...options, 255], 240);
  return message;
}
