// Conversations by UDP between the guest and sockets of the host: one for each pair of ports, forgotten when nothing has been said
// for a minute. UDP has no flow control: what does not fit is lost.

import { integer, listUpTo, record, type State, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND } from '../timers.ts';
import { ENDS } from './ends.ts';
import { FIRST_INCOMING, FIRST_UDP, type FromHost, MOST_UNDER_WAY, type ToHost } from './hostMessages.ts';
import type { Endpoint } from './tcp.ts';
import { LONGEST_UDP, type UdpDatagram } from './udp.ts';

export const MOST_SESSIONS = 64;
const LIFETIME = 60 * CYCLES_PER_SECOND;
const FIRST_DYNAMIC = 49152;

const SESSION = record({
  ...ENDS,
  /** Bytes that the host has not passed on. */
  unwritten: integer(0, 0, MOST_UNDER_WAY),
  deadline: time(0),
});
type Session = State<typeof SESSION>;

export const UDP = record({
  sessions: listUpTo(MOST_SESSIONS, SESSION),
  nextId: integer(FIRST_UDP, FIRST_UDP, FIRST_INCOMING - 1),
});

export interface UdpOwner {
  now(): number;
  send(to: Endpoint, from: number, datagram: UdpDatagram): void;
  tell(message: ToHost): void;
}

export class UdpSessions {
  private state = UDP.initial();
  private readonly owner: UdpOwner;

  constructor(owner: UdpOwner) {
    this.owner = owner;
  }

  get deadline(): number {
    return this.state.sessions.reduce((least, { deadline }) => Math.min(least, deadline), Infinity);
  }

  expire(): void {
    const now = this.owner.now();
    for (const session of this.state.sessions.filter(({ deadline }) => deadline <= now)) this.end(session);
  }

  has(id: number): boolean {
    return this.state.sessions.some((session) => session.id === id);
  }

  /** A datagram of the guest's to a service, or an answer to one from outside; whether there is such a conversation. */
  receive(guest: Endpoint, local: number, { sourcePort, destinationPort, data }: UdpDatagram, service: number): boolean {
    const { sessions } = this.state;
    let session = sessions.find(
      (other) =>
        other.guestPort === sourcePort && other.localPort === destinationPort && other.guest === guest.address && other.local === local,
    );
    if (!session) {
      if (service < 0) return false;
      if (sessions.length === MOST_SESSIONS) return true;
      session = this.add(this.takeId(), guest, sourcePort, local, destinationPort);
      this.owner.tell({ kind: 'open', id: session.id, value: service });
    }
    this.prolong(session);
    if (session.unwritten + data.length > MOST_UNDER_WAY) return true;
    session.unwritten += data.length;
    this.owner.tell({ kind: 'data', id: session.id, bytes: data.slice() });
    return true;
  }

  /** Somebody outside sends to a forwarded port of the guest for the first time. */
  connect(id: number, guest: Endpoint, guestPort: number, local: number): void {
    const { sessions } = this.state;
    if (sessions.length === MOST_SESSIONS) return this.owner.tell({ kind: 'close', id });
    let localPort = FIRST_DYNAMIC;
    while (sessions.some((other) => other.localPort === localPort)) localPort++;
    this.prolong(this.add(id, guest, guestPort, local, localPort));
  }

  hear(message: Exclude<FromHost, { kind: 'incoming' }>): boolean {
    const session = this.state.sessions.find(({ id }) => id === message.id);
    if (!session) return false;
    if (message.kind === 'written') session.unwritten = Math.max(0, session.unwritten - message.value);
    else if (message.kind === 'data') this.pass(session, message.bytes);
    else if (message.kind === 'closed') this.state.sessions = this.state.sessions.filter((other) => other !== session);
    return true;
  }

  private pass(session: Session, data: Uint8Array): void {
    this.owner.tell({ kind: 'credit', id: session.id, value: data.length });
    if (data.length > LONGEST_UDP) return;
    this.prolong(session);
    const { mac, guest: address, guestPort: destinationPort, local, localPort: sourcePort } = session;
    this.owner.send({ mac, address }, local, { sourcePort, destinationPort, data });
  }

  located(address: number, mac: Uint8Array): void {
    for (const session of this.state.sessions) if (session.guest === address) session.mac = mac.slice();
  }

  private add(id: number, guest: Endpoint, guestPort: number, local: number, localPort: number): Session {
    const session = { ...SESSION.initial(), id, mac: guest.mac.slice(), guest: guest.address, guestPort, local, localPort };
    this.state.sessions.push(session);
    return session;
  }

  private takeId(): number {
    const { state } = this;
    const next = (id: number): number => (id + 1 < FIRST_INCOMING ? id + 1 : FIRST_UDP);
    while (state.sessions.some(({ id }) => id === state.nextId)) state.nextId = next(state.nextId);
    const id = state.nextId;
    state.nextId = next(id);
    return id;
  }

  private prolong(session: Session): void {
    session.deadline = this.owner.now() + LIFETIME;
  }

  private end(session: Session): void {
    this.state.sessions = this.state.sessions.filter((other) => other !== session);
    this.owner.tell({ kind: 'close', id: session.id });
  }

  get saved(): ReturnType<typeof UDP.initial> {
    return this.state;
  }
  restore(state: ReturnType<typeof UDP.initial>): void {
    this.state = state;
  }
}
