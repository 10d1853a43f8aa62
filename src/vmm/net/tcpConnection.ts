// One TCP connection between the guest and a socket of the host: the side that is not the guest (RFC 9293, section 3.10). The
// cable keeps the order and loses next to nothing, so what comes out of order is not kept, and there is no congestion control. A
// segment that is not acknowledged is sent again after a second, then after two, and so on (RFC 6298). TIME-WAIT is left out: what
// comes for a connection that is over is answered by a reset.
//
// How states are kept: OPEN is ESTABLISHED and all after it; `hostEnded`, `guestEnded` and `finAcknowledged` say which.

import { bytesUpTo, type Field, flag, integer, record, type State, time, word } from '../devices/fields.ts';
import { CYCLES_PER_SECOND } from '../timers.ts';
import { ENDS } from './ends.ts';
import { MOST_UNDER_WAY, type ToHost } from './hostMessages.ts';
import { FLAG, LONGEST_SEGMENT, type Segment } from './tcpSegment.ts';

export const STATE = { OPENING: 0, SYN_SENT: 1, SYN_RECEIVED: 2, OPEN: 3, CLOSED: 4 } as const;
/** What a peer that says nothing about it takes (RFC 9293, section 3.7.1), and the least that is believed. */
const DEFAULT_SEGMENT = 536,
  LEAST_SEGMENT = 64;
const RETRANSMISSION = CYCLES_PER_SECOND,
  MOST_TRIES = 6;
const MOST_DUPLICATES = 3;

const sequence = integer(0, 0, 0xffffffff);
const FIELDS = record({
  ...ENDS,
  state: integer(STATE.OPENING, STATE.OPENING, STATE.CLOSED),
  // Send sequence variables (RFC 9293, section 3.3.1), and the highest number that was sent.
  sendUnacknowledged: sequence,
  sendNext: sequence,
  sendHighest: sequence,
  sendWindow: word(),
  maximumSegmentSize: integer(DEFAULT_SEGMENT, LEAST_SEGMENT, LONGEST_SEGMENT),
  /** Bytes from the host from sendUnacknowledged on. */
  outgoing: bytesUpTo(MOST_UNDER_WAY),
  hostEnded: flag(),
  finAcknowledged: flag(),
  receiveNext: sequence,
  /** First number beyond the window that the guest was told. */
  receiveEdge: sequence,
  /** Bytes that the host has not passed on. */
  unwritten: integer(0, 0, MOST_UNDER_WAY),
  guestEnded: flag(),
  duplicates: integer(0, 0, MOST_DUPLICATES),
  tries: integer(0, 0, MOST_TRIES),
  deadline: time(),
});
export type ConnectionState = State<typeof FIELDS>;

/** Also checks that no more is under way than there is. */
export const CONNECTION: Field<ConnectionState> = {
  ...FIELDS,
  load(value, where) {
    const state = FIELDS.load(value, where);
    const sent = difference(state.sendNext, state.sendUnacknowledged),
      most = difference(state.sendHighest, state.sendUnacknowledged);
    if (sent < 0 || sent > most || most > state.outgoing.length + 1)
      throw new RangeError(`${where}.sendHighest must be what has been sent, not ${state.sendHighest}`);
    return state;
  },
};

export interface ConnectionOwner {
  now(): number;
  send(connection: ConnectionState, segment: Segment): void;
  tell(message: ToHost): void;
}

/** a - b in the space of sequence numbers. */
const difference = (a: number, b: number): number => (a - b) | 0;
const advance = (number: number, by: number): number => (number + by) >>> 0;
const EMPTY = new Uint8Array(0);

export class TcpConnection {
  readonly state: ConnectionState;
  private readonly owner: ConnectionOwner;

  constructor(state: ConnectionState, owner: ConnectionOwner) {
    this.state = state;
    this.owner = owner;
  }

  get isClosed(): boolean {
    return this.state.state === STATE.CLOSED;
  }

  /** The guest's first segment: the host is asked for the service. */
  open(syn: Segment, service: number): void {
    const { state } = this;
    this.takeSyn(syn);
    state.state = STATE.OPENING;
    this.owner.tell({ kind: 'open', id: state.id, value: service });
  }

  /** Somebody outside connects to the guest. */
  connect(): void {
    this.state.state = STATE.SYN_SENT;
    this.sendSyn();
  }

  /** The host has the service that the guest asked for. */
  hostOpened(): void {
    if (this.state.state !== STATE.OPENING) return;
    this.state.state = STATE.SYN_RECEIVED;
    this.sendSyn();
  }

  hostData(data: Uint8Array): void {
    const { state } = this;
    if (state.hostEnded || state.state === STATE.OPENING) return;
    // A host that sends more than it may has lost count.
    if (state.outgoing.length + data.length > MOST_UNDER_WAY) return this.abort();
    const outgoing = new Uint8Array(state.outgoing.length + data.length);
    outgoing.set(state.outgoing);
    outgoing.set(data, state.outgoing.length);
    state.outgoing = outgoing;
    this.transmit(false);
  }

  hostEnd(): void {
    if (this.state.state === STATE.OPENING) return;
    this.state.hostEnded = true;
    this.transmit(false);
  }

  /** What is on its way to the guest still arrives when both sides had ended. */
  hostClosed(): void {
    const { state } = this;
    if (state.hostEnded && state.guestEnded) return;
    this.reset();
  }

  hostWritten(count: number): void {
    const { state } = this;
    state.unwritten = Math.max(0, state.unwritten - count);
    const gain = difference(advance(state.receiveNext, this.window()), state.receiveEdge);
    if (state.state === STATE.OPEN && gain >= 2 * LONGEST_SEGMENT) this.transmit(true);
  }

  /** The time set has come: what was not acknowledged is sent again, until it is hopeless. */
  expire(): void {
    const { state } = this;
    state.deadline = -1;
    if (state.tries === MOST_TRIES) return this.abort();
    state.tries++;
    if (state.state !== STATE.OPEN) return this.sendSyn();
    state.sendNext = state.sendUnacknowledged;
    this.transmit(false, true);
  }

  /** A segment of the guest's. */
  receive(segment: Segment): void {
    const { state } = this,
      { flags, data } = segment;
    if (state.state === STATE.OPENING) {
      if ((flags & FLAG.RST) !== 0) this.close();
      return;
    }
    if (state.state === STATE.SYN_SENT) return this.receiveInSynSent(segment);
    const offset = difference(segment.sequence, state.receiveNext);
    if ((flags & FLAG.RST) !== 0) {
      if (offset >= 0 && offset <= this.window()) this.close();
      return;
    }
    if ((flags & FLAG.SYN) !== 0) {
      if (state.state === STATE.SYN_RECEIVED && offset === -1) this.sendSyn();
      else this.transmit(true);
      return;
    }
    const isBeyond = difference(segment.acknowledgment, state.sendHighest) > 0;
    if ((flags & FLAG.ACK) === 0) return;
    if (offset > 0 || isBeyond) return this.transmit(true);
    const isRepeated = data.length === 0 && offset === 0 && (flags & FLAG.FIN) === 0 && segment.window === state.sendWindow;
    this.takeAcknowledgment(segment, isRepeated);
    if (state.state !== STATE.OPEN) return;
    const accepted = this.takeData(segment, -offset);
    this.transmit(accepted || offset < 0 || data.length > 0);
    // The host knows that both have ended, and may still have to pass on what the guest sent.
    if (state.guestEnded && state.finAcknowledged) this.finish();
  }

  /** RFC 9293, section 3.10.7.3. */
  private receiveInSynSent(segment: Segment): void {
    const { state } = this,
      { flags, acknowledgment } = segment;
    if ((flags & FLAG.ACK) === 0) return;
    if (acknowledgment !== state.sendHighest) return;
    if ((flags & FLAG.RST) !== 0) return this.close();
    if ((flags & FLAG.SYN) === 0) return;
    this.takeSyn(segment);
    state.sendUnacknowledged = acknowledgment;
    this.nowOpen();
    this.transmit(true);
  }

  private takeSyn({ sequence, window, maximumSegmentSize }: Segment): void {
    const { state } = this;
    state.receiveNext = advance(sequence, 1);
    state.sendWindow = window;
    state.maximumSegmentSize = Math.min(LONGEST_SEGMENT, Math.max(LEAST_SEGMENT, maximumSegmentSize ?? DEFAULT_SEGMENT));
  }

  private nowOpen(): void {
    const { state } = this;
    state.state = STATE.OPEN;
    state.tries = 0;
    state.deadline = -1;
  }

  private takeAcknowledgment({ acknowledgment, window }: Segment, isRepeated: boolean): void {
    const { state } = this;
    let count = difference(acknowledgment, state.sendUnacknowledged);
    if (count < 0) return;
    state.sendWindow = window;
    if (window === 0) state.tries = 0;
    if (count === 0) {
      if (!isRepeated || state.sendHighest === state.sendUnacknowledged) return;
      // The third of a kind: something was lost, and the guest has what followed (RFC 5681, section 3.2).
      if (++state.duplicates < MOST_DUPLICATES) return;
      state.duplicates = 0;
      state.sendNext = state.sendUnacknowledged;
      return;
    }
    state.sendUnacknowledged = acknowledgment;
    if (difference(acknowledgment, state.sendNext) > 0) state.sendNext = acknowledgment;
    state.tries = state.duplicates = 0;
    state.deadline = -1;
    if (state.state === STATE.SYN_RECEIVED) {
      count--;
      this.nowOpen();
    }
    const arrived = Math.min(count, state.outgoing.length);
    state.outgoing = state.outgoing.subarray(arrived);
    if (arrived > 0) this.owner.tell({ kind: 'credit', id: state.id, value: arrived });
    if (count > arrived) state.finAcknowledged = true;
  }

  /** Data in order, without the first bytes if they are known; whether there was news. */
  private takeData({ data, flags, sequence }: Segment, known: number): boolean {
    const { state } = this;
    if (state.guestEnded) return false;
    const news = data.slice(known, known + this.window());
    if (news.length > 0) {
      state.receiveNext = advance(state.receiveNext, news.length);
      state.unwritten += news.length;
      this.owner.tell({ kind: 'data', id: state.id, bytes: news });
    }
    const ends = (flags & FLAG.FIN) !== 0 && advance(sequence, data.length) === state.receiveNext;
    if (ends) {
      state.receiveNext = advance(state.receiveNext, 1);
      state.guestEnded = true;
      this.owner.tell({ kind: 'end', id: state.id });
    }
    return ends || news.length > 0;
  }

  /** Sends what the guest's window has room for; with `probe` at least a byte. An acknowledgment goes along, or alone if it must. */
  private transmit(mustAcknowledge: boolean, probe = false): void {
    const { state } = this;
    if (state.state !== STATE.OPEN) return;
    for (let alone = true; ; alone = false, probe = false) {
      const sent = difference(state.sendNext, state.sendUnacknowledged),
        unsent = state.outgoing.length - sent;
      const room = Math.max(state.sendWindow - sent, probe ? 1 : 0);
      const length = Math.min(unsent, room, state.maximumSegmentSize);
      const ends = state.hostEnded && !state.finAcknowledged && length === unsent;
      if (length <= 0 && !(ends && unsent === 0)) {
        if (alone && mustAcknowledge) this.send(FLAG.ACK, EMPTY);
        break;
      }
      const flags = FLAG.ACK | (length > 0 && length === unsent ? FLAG.PSH : 0) | (ends ? FLAG.FIN : 0);
      this.send(flags, state.outgoing.subarray(sent, sent + length));
      state.sendNext = advance(state.sendNext, length + (ends ? 1 : 0));
      if (difference(state.sendNext, state.sendHighest) > 0) state.sendHighest = state.sendNext;
    }
    const waits = state.sendHighest !== state.sendUnacknowledged || state.outgoing.length > 0;
    if (!waits) state.deadline = -1;
    else if (state.deadline < 0) this.setDeadline();
  }

  private sendSyn(): void {
    const { state } = this;
    state.sendNext = advance(state.sendUnacknowledged, 1);
    state.sendHighest = state.sendNext;
    const flags = FLAG.SYN | (state.state === STATE.SYN_RECEIVED ? FLAG.ACK : 0);
    this.send(flags, EMPTY, state.sendUnacknowledged, LONGEST_SEGMENT);
    this.setDeadline();
  }

  private setDeadline(): void {
    this.state.deadline = this.owner.now() + RETRANSMISSION * 2 ** this.state.tries;
  }

  private window(): number {
    return MOST_UNDER_WAY - this.state.unwritten;
  }

  private send(flags: number, data: Uint8Array, sequence = this.state.sendNext, maximumSegmentSize: number | null = null): void {
    const { state } = this,
      window = this.window();
    state.receiveEdge = advance(state.receiveNext, window);
    this.owner.send(state, {
      sourcePort: state.localPort,
      destinationPort: state.guestPort,
      sequence,
      acknowledgment: (flags & FLAG.ACK) === 0 ? 0 : state.receiveNext,
      flags,
      window,
      maximumSegmentSize,
      data,
    });
  }

  /** Breaks it off on the guest's side. */
  private reset(): void {
    const { state } = this;
    if (state.state !== STATE.SYN_SENT) this.send(FLAG.RST | FLAG.ACK, EMPTY);
    this.finish();
  }

  private finish(): void {
    this.state.state = STATE.CLOSED;
    this.state.deadline = -1;
  }

  /** The guest broke it off. */
  private close(): void {
    this.finish();
    this.owner.tell({ kind: 'close', id: this.state.id });
  }

  private abort(): void {
    this.reset();
    this.close();
  }
}
