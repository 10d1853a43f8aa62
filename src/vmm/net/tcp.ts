// All TCP connections of a user network: which segment belongs to which, and what is refused (RFC 9293, section 3.10.7.1).

import { integer, listUpTo, record } from '../devices/fields.ts';
import { CYCLES_PER_SECOND } from '../timers.ts';
import { FIRST_UDP, type FromHost, type ToHost } from './hostMessages.ts';
import type { Datagram } from './ipv4.ts';
import { CONNECTION, type ConnectionState, TcpConnection } from './tcpConnection.ts';
import { FLAG, readSegment, type Segment } from './tcpSegment.ts';

/** Connections at one time; more are refused. */
export const MOST_CONNECTIONS = 64;
/** The number that a connection begins with counts these (RFC 9293, section 3.4.1: every 4 µs). */
const CYCLES_PER_SEQUENCE = CYCLES_PER_SECOND / 250_000;
/** Ports of ours that connections into the guest come from (RFC 6335, section 6). */
const FIRST_DYNAMIC = 49152,
  DYNAMIC_PORTS = 0x10000 - FIRST_DYNAMIC;

export const TCP = record({
  connections: listUpTo(MOST_CONNECTIONS, CONNECTION),
  nextId: integer(0, 0, FIRST_UDP - 1),
  nextPort: integer(0, 0, DYNAMIC_PORTS - 1),
});

/** Who the guest's end of a conversation is. */
export interface Endpoint {
  readonly mac: Uint8Array;
  readonly address: number;
}

export interface TcpOwner {
  now(): number;
  /** Sends a segment to the guest; a MAC address of zeros is not known yet. */
  send(to: Endpoint, from: number, segment: Segment): void;
  tell(message: ToHost): void;
  /** The service at an address and port, by its place in the list; -1 for none. */
  service(address: number, port: number): number;
}

export class Tcp {
  private connections: TcpConnection[] = [];
  private nextId = 0;
  private nextPort = 0;
  private readonly owner: TcpOwner;

  constructor(owner: TcpOwner) {
    this.owner = owner;
  }

  /** When the first connection has to do something by itself; Infinity for never. */
  get deadline(): number {
    return this.connections.reduce((least, { state: { deadline } }) => (deadline < 0 ? least : Math.min(least, deadline)), Infinity);
  }
  get count(): number {
    return this.connections.length;
  }

  expire(): void {
    const now = this.owner.now();
    for (const connection of this.connections) if (connection.state.deadline >= 0 && connection.state.deadline <= now) connection.expire();
    this.forgetClosed();
  }

  has(id: number): boolean {
    return this.find(id) !== undefined;
  }

  /** A datagram of the guest's, from this station. */
  receive(datagram: Datagram, mac: Uint8Array): void {
    const segment = readSegment(datagram);
    if (!segment) return;
    const { source, destination } = datagram;
    const connection = this.connections.find(
      ({ state }) =>
        state.guestPort === segment.sourcePort &&
        state.localPort === segment.destinationPort &&
        state.guest === source &&
        state.local === destination,
    );
    if (connection) {
      connection.receive(segment);
      this.forgetClosed();
      return;
    }
    const guest: Endpoint = { mac: mac.slice(), address: source };
    const opens = (segment.flags & (FLAG.SYN | FLAG.ACK | FLAG.RST | FLAG.FIN)) === FLAG.SYN;
    const service = opens && this.connections.length < MOST_CONNECTIONS ? this.owner.service(destination, segment.destinationPort) : -1;
    if (service < 0) return this.refuse(segment, guest, destination);
    this.add(this.takeId(), guest, segment.sourcePort, destination, segment.destinationPort).open(segment, service);
  }

  /** What the host says of a connection; whether it is one of these. */
  hear(message: Exclude<FromHost, { kind: 'incoming' }>): boolean {
    const connection = this.find(message.id);
    if (!connection) return false;
    switch (message.kind) {
      case 'opened':
        connection.hostOpened();
        break;
      case 'data':
        connection.hostData(message.bytes);
        break;
      case 'end':
        connection.hostEnd();
        break;
      case 'closed':
        connection.hostClosed();
        break;
      case 'written':
        connection.hostWritten(message.value);
        break;
    }
    this.forgetClosed();
    return true;
  }

  /** Somebody outside wants to reach a port of the guest: a connection from `local` to it. */
  connect(id: number, guest: Endpoint, guestPort: number, local: number): void {
    if (this.connections.length === MOST_CONNECTIONS) return this.owner.tell({ kind: 'close', id });
    this.add(id, guest, guestPort, local, this.takePort(guest.address, guestPort)).connect();
  }

  private find(id: number): TcpConnection | undefined {
    return this.connections.find(({ state }) => state.id === id);
  }

  private add(id: number, guest: Endpoint, guestPort: number, local: number, localPort: number): TcpConnection {
    const first = Math.floor(this.owner.now() / CYCLES_PER_SEQUENCE) >>> 0;
    const connection = this.make({
      ...CONNECTION.initial(),
      id,
      mac: guest.mac,
      guest: guest.address,
      guestPort,
      local,
      localPort,
      sendUnacknowledged: first,
      sendNext: first,
      sendHighest: first,
    });
    this.connections.push(connection);
    return connection;
  }

  private make(state: ConnectionState): TcpConnection {
    const { owner } = this;
    return new TcpConnection(state, {
      now: () => owner.now(),
      send: ({ mac, guest, local }, segment) => owner.send({ mac, address: guest }, local, segment),
      tell: (message) => owner.tell(message),
    });
  }

  private takeId(): number {
    while (this.find(this.nextId)) this.nextId = (this.nextId + 1) % FIRST_UDP;
    const id = this.nextId;
    this.nextId = (id + 1) % FIRST_UDP;
    return id;
  }

  private takePort(guest: number, guestPort: number): number {
    const isTaken = (port: number): boolean =>
      this.connections.some(({ state }) => state.localPort === port && state.guestPort === guestPort && state.guest === guest);
    while (isTaken(FIRST_DYNAMIC + this.nextPort)) this.nextPort = (this.nextPort + 1) % DYNAMIC_PORTS;
    const port = FIRST_DYNAMIC + this.nextPort;
    this.nextPort = (this.nextPort + 1) % DYNAMIC_PORTS;
    return port;
  }

  private refuse({ flags, sequence, acknowledgment, data, sourcePort, destinationPort }: Segment, guest: Endpoint, from: number): void {
    if ((flags & FLAG.RST) !== 0) return;
    const hasAck = (flags & FLAG.ACK) !== 0;
    const length = data.length + ((flags & FLAG.SYN) === 0 ? 0 : 1) + ((flags & FLAG.FIN) === 0 ? 0 : 1);
    this.owner.send(guest, from, {
      sourcePort: destinationPort,
      destinationPort: sourcePort,
      sequence: hasAck ? acknowledgment : 0,
      acknowledgment: hasAck ? 0 : (sequence + length) >>> 0,
      flags: hasAck ? FLAG.RST : FLAG.RST | FLAG.ACK,
      window: 0,
      maximumSegmentSize: null,
      data: new Uint8Array(0),
    });
  }

  private forgetClosed(): void {
    if (this.connections.some(({ isClosed }) => isClosed)) this.connections = this.connections.filter(({ isClosed }) => !isClosed);
  }

  /** A station is known now: what could not be sent to it for want of its address is. */
  located(address: number, mac: Uint8Array): void {
    for (const connection of this.connections) {
      const { state } = connection;
      if (state.guest !== address || state.mac.some((byte) => byte !== 0)) continue;
      state.mac = mac.slice();
      connection.connect();
    }
  }

  get saved(): ReturnType<typeof TCP.initial> {
    return { connections: this.connections.map(({ state }) => state), nextId: this.nextId, nextPort: this.nextPort };
  }
  restore({ connections, nextId, nextPort }: ReturnType<typeof TCP.initial>): void {
    this.connections = connections.map((state) => this.make(state));
    this.nextId = nextId;
    this.nextPort = nextPort;
  }
}
