// The network that a guest has for itself, with the addresses of QEMU's (QEMU, "Network emulation", "Using the user mode network
// stack"): 10.0.2.0/24, gateway 10.0.2.2, name server 10.0.2.3, guests from 10.0.2.15. It answers ARP, echo requests, DHCP and DNS,
// and carries TCP and UDP to the services of the host that were listed and from ports that were forwarded, and nothing else: whatever
// goes elsewhere is refused. No frame leaves it; what the host's sockets do comes by messages (hostMessages.ts).
//
// It is part of the machine: what it does is a function of the guest's frames, the host's messages and virtual time.

import { bytes, integer, listUpTo, record, type State } from '../devices/fields.ts';
import type { Timer, Timers } from '../timers.ts';
import { ARP_REPLY, ARP_REQUEST, buildArp, readArp } from './arp.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, serveDhcp } from './dhcp.ts';
import { DNS_PORT, serveDns } from './dns.ts';
import { BROADCAST, buildFrame, ETHERTYPE, type Frame, type FrameSink, isGroup, MAC_BYTES, readFrame, sameMac } from './ethernet.ts';
import {
  FIRST_GUEST,
  GATEWAY,
  GUESTS,
  NAME_SERVER,
  NETMASK,
  NETWORK,
  placeServices,
  type Service,
  type UserNetworkConfig,
} from './forwards.ts';
import { decodeFromHost, encodeToHost, FIRST_INCOMING, type FromHost, type ToHost } from './hostMessages.ts';
import { echoReply, UNREACHABLE_CODE, unreachable } from './icmp.ts';
import { buildDatagram, type Datagram, LIMITED_BROADCAST, PROTOCOL, parseAddress, readDatagram } from './ipv4.ts';
import { type Endpoint, TCP, Tcp } from './tcp.ts';
import { buildSegment } from './tcpSegment.ts';
import { buildUdp, readUdp, type UdpDatagram } from './udp.ts';
import { UDP, UdpSessions } from './udpSessions.ts';

/** The station that all addresses of the network's own are at. */
const STATION: Uint8Array = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
const UNKNOWN = new Uint8Array(MAC_BYTES);
const SUBNET_BROADCAST = (NETWORK | ~NETMASK) >>> 0;
const FIRST_MULTICAST = 0xe0000000;
/** Stations whose addresses are remembered. */
const MOST_STATIONS = 32;

const USER_NETWORK = record({
  leases: listUpTo(GUESTS, bytes(MAC_BYTES)),
  stations: listUpTo(MOST_STATIONS, record({ address: integer(0, 0, 0xffffffff), mac: bytes(MAC_BYTES) })),
  tcp: TCP,
  udp: UDP,
});

type UserNetworkState = State<typeof USER_NETWORK>;

export class UserNetwork {
  readonly fields = USER_NETWORK;
  private leases: Uint8Array[] = [];
  private stations: UserNetworkState['stations'] = [];
  private readonly tcp: Tcp;
  private readonly udp: UdpSessions;
  private readonly config: UserNetworkConfig;
  private readonly addresses: readonly number[];
  private readonly names: ReadonlyMap<string, number>;
  private readonly timers: Timers;
  private readonly timer: Timer;
  private readonly output: FrameSink;
  private readonly tell: (message: ToHost) => void;

  /** `output` takes frames for the guest, `outside` messages for the host. */
  constructor(config: UserNetworkConfig, timers: Timers, output: FrameSink, outside: (message: Uint8Array) => void) {
    this.config = config;
    const { addresses, names } = placeServices(config.services);
    this.addresses = addresses;
    this.names = names;
    this.timers = timers;
    this.output = output;
    this.tell = (message) => outside(encodeToHost(message));
    this.timer = timers.create('user network', () => {
      this.tcp.expire();
      this.udp.expire();
      this.arm();
    });
    this.tcp = new Tcp({
      now: () => timers.now(),
      send: (to, from, segment) => this.sendDatagram(to, from, PROTOCOL.TCP, buildSegment(from, to.address, segment)),
      tell: this.tell,
      service: (address, port) => this.service('tcp', address, port),
    });
    this.udp = new UdpSessions({
      now: () => timers.now(),
      send: (to, from, datagram) => this.sendUdp(to, from, datagram),
      tell: this.tell,
    });
  }

  /** Whether somebody on the host is being waited for. */
  get awaitsHost(): boolean {
    return this.tcp.count > 0;
  }

  /** A frame that the guest sent. */
  receive(bytes: Uint8Array): void {
    const frame = readFrame(bytes);
    if (!frame || isGroup(frame.source) || !(isGroup(frame.destination) || sameMac(frame.destination, STATION))) return;
    if (frame.type === ETHERTYPE.ARP) this.receiveArp(frame);
    else if (frame.type === ETHERTYPE.IPV4) this.receiveDatagram(frame);
    this.arm();
  }

  /** A message of the host's. */
  hear(bytes: Uint8Array): void {
    const message = decodeFromHost(bytes);
    if (!message) return;
    if (message.kind === 'incoming') this.incoming(message);
    else if (!this.tcp.hear(message) && !this.udp.hear(message) && message.kind === 'data') this.tell({ kind: 'close', id: message.id });
    this.arm();
  }

  private incoming({ id, value }: FromHost & { kind: 'incoming' }): void {
    const forward = this.config.forwards[value];
    if (!forward || id < FIRST_INCOMING || this.tcp.has(id) || this.udp.has(id)) return this.tell({ kind: 'close', id });
    const address = parseAddress(forward.guest.host) ?? FIRST_GUEST;
    const guest: Endpoint = { address, mac: this.locate(address) ?? UNKNOWN };
    (forward.protocol === 'tcp' ? this.tcp : this.udp).connect(id, guest, forward.guest.port, GATEWAY);
  }

  private service(protocol: Service['protocol'], address: number, port: number): number {
    return this.config.services.findIndex(
      (service, n) => service.protocol === protocol && this.addresses[n] === address && service.server.port === port,
    );
  }
  private isOurs(address: number): boolean {
    return address === GATEWAY || address === NAME_SERVER || this.addresses.includes(address);
  }

  private receiveArp({ payload }: Frame): void {
    const packet = readArp(payload);
    if (!packet) return;
    this.learn(packet.sender, packet.senderMac);
    if (packet.operation !== ARP_REQUEST || !this.isOurs(packet.target) || packet.sender === packet.target) return;
    const { senderMac: targetMac, sender: target } = packet;
    const reply = buildArp({ operation: ARP_REPLY, senderMac: STATION, sender: packet.target, targetMac, target });
    this.output(buildFrame(targetMac, STATION, ETHERTYPE.ARP, reply));
  }

  private receiveDatagram({ source: mac, payload }: Frame): void {
    const datagram = readDatagram(payload);
    if (!datagram) return;
    const { source, destination, protocol } = datagram;
    const udp = protocol === PROTOCOL.UDP ? readUdp(datagram) : null;
    if (udp?.destinationPort === DHCP_SERVER_PORT && (destination === LIMITED_BROADCAST || destination === GATEWAY))
      return this.receiveDhcp(udp);
    if (!isInNetwork(source) || this.isOurs(source)) return;
    this.learn(source, mac);
    if (destination === LIMITED_BROADCAST || destination === SUBNET_BROADCAST || destination >= FIRST_MULTICAST) return;
    const guest: Endpoint = { address: source, mac: mac.slice() };
    if (protocol === PROTOCOL.TCP) this.tcp.receive(datagram, mac);
    else if (udp) this.receiveUdp(guest, datagram, udp);
    else if (protocol === PROTOCOL.ICMP) this.receiveIcmp(guest, datagram);
  }

  private receiveDhcp({ sourcePort, data }: UdpDatagram): void {
    if (sourcePort !== DHCP_CLIENT_PORT) return;
    const settings = {
      server: GATEWAY,
      mask: NETMASK,
      router: GATEWAY,
      nameServer: NAME_SERVER,
      first: FIRST_GUEST,
      count: GUESTS,
    };
    const reply = serveDhcp(data, settings, this.leases);
    if (!reply) return;
    const to: Endpoint = { mac: reply.address === null ? BROADCAST : reply.mac, address: reply.address ?? LIMITED_BROADCAST };
    this.sendUdp(to, GATEWAY, { sourcePort: DHCP_SERVER_PORT, destinationPort: DHCP_CLIENT_PORT, data: reply.message });
  }

  private receiveUdp(guest: Endpoint, { destination, whole }: Datagram, udp: UdpDatagram): void {
    const { sourcePort, destinationPort } = udp;
    if (destination === NAME_SERVER && destinationPort === DNS_PORT) {
      const data = serveDns(udp.data, this.names);
      if (data) this.sendUdp(guest, destination, { sourcePort: destinationPort, destinationPort: sourcePort, data });
      return;
    }
    if (this.udp.receive(guest, destination, udp, this.service('udp', destination, destinationPort))) return;
    this.refuse(guest, destination, whole);
  }

  private receiveIcmp(guest: Endpoint, { destination, payload, whole }: Datagram): void {
    const reply = echoReply(payload);
    if (!reply) return;
    if (this.isOurs(destination)) this.sendDatagram(guest, destination, PROTOCOL.ICMP, reply);
    else this.refuse(guest, destination, whole);
  }

  /** Says that nothing gets to where a datagram was sent. */
  private refuse(guest: Endpoint, destination: number, datagram: Uint8Array): void {
    const isOurs = this.isOurs(destination);
    const message = unreachable(isOurs ? UNREACHABLE_CODE.PORT : UNREACHABLE_CODE.PROHIBITED, datagram);
    this.sendDatagram(guest, isOurs ? destination : GATEWAY, PROTOCOL.ICMP, message);
  }

  private sendUdp(to: Endpoint, from: number, datagram: UdpDatagram): void {
    this.sendDatagram(to, from, PROTOCOL.UDP, buildUdp(from, to.address, datagram));
  }

  private sendDatagram({ mac, address }: Endpoint, from: number, protocol: number, payload: Uint8Array): void {
    if (sameMac(mac, UNKNOWN)) return this.ask(address);
    this.output(buildFrame(mac, STATION, ETHERTYPE.IPV4, buildDatagram(from, address, protocol, payload)));
  }

  /** Asks where a guest is. */
  private ask(target: number): void {
    const request = buildArp({ operation: ARP_REQUEST, senderMac: STATION, sender: GATEWAY, targetMac: UNKNOWN, target });
    this.output(buildFrame(BROADCAST, STATION, ETHERTYPE.ARP, request));
  }

  private locate(address: number): Uint8Array | undefined {
    return this.stations.find((station) => station.address === address)?.mac;
  }

  private learn(address: number, mac: Uint8Array): void {
    if (!isInNetwork(address) || this.isOurs(address) || isGroup(mac) || sameMac(mac, UNKNOWN)) return;
    const known = this.locate(address);
    if (known && sameMac(known, mac)) return;
    this.stations = this.stations.filter((station) => station.address !== address).slice(1 - MOST_STATIONS);
    this.stations.push({ address, mac: mac.slice() });
    this.tcp.located(address, mac);
    this.udp.located(address, mac);
  }

  private arm(): void {
    const deadline = Math.min(this.tcp.deadline, this.udp.deadline);
    if (deadline === Infinity) this.timer.cancel();
    else this.timer.at(Math.max(deadline, this.timers.now()));
  }

  get saved(): UserNetworkState {
    return { leases: this.leases, stations: this.stations, tcp: this.tcp.saved, udp: this.udp.saved };
  }
  restore({ leases, stations, tcp, udp }: UserNetworkState): void {
    this.tcp.restore(tcp);
    this.udp.restore(udp);
    this.leases = leases;
    this.stations = stations;
    this.arm();
  }
}

const isInNetwork = (address: number): boolean =>
  (address & NETMASK) >>> 0 === NETWORK && address !== NETWORK && address !== SUBNET_BROADCAST;
