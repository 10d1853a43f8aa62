// A DHCP server (RFC 2131, options of RFC 2132) that gives the same addresses in every run: the first station gets the first
// address, and keeps it. There are few addresses; a station that comes after the last gets no answer. BOOTP clients, relays and
// reservations of declined addresses are left out.

import { MAC_BYTES, sameMac } from './ethernet.ts';
import { viewOf } from './ipv4.ts';

export const DHCP_SERVER_PORT = 67,
  DHCP_CLIENT_PORT = 68;
const BOOT_REQUEST = 1,
  BOOT_REPLY = 2,
  ETHERNET = 1;
const MAGIC_COOKIE = 0x63825363,
  OPTIONS = 240,
  /** Bytes that a message has at least for clients that count on BOOTP's. */
  LEAST_MESSAGE = 300;
const MESSAGE = { DISCOVER: 1, OFFER: 2, REQUEST: 3, ACK: 5, NAK: 6, INFORM: 8 } as const;
const OPTION = {
  PAD: 0,
  SUBNET_MASK: 1,
  ROUTER: 3,
  NAME_SERVER: 6,
  REQUESTED_ADDRESS: 50,
  LEASE_TIME: 51,
  MESSAGE_TYPE: 53,
  SERVER: 54,
  END: 255,
} as const;
/** Seconds that an address is lent for. */
const LEASE = 86_400;
/** Offsets of fields. */
const AT = { transaction: 4, flags: 10, client: 12, yours: 16, relay: 24, hardware: 28 } as const;

export interface DhcpSettings {
  readonly server: number;
  readonly mask: number;
  readonly router: number;
  readonly nameServer: number;
  /** The first address to lend, and how many. */
  readonly first: number;
  readonly count: number;
}

export interface DhcpReply {
  readonly message: Uint8Array;
  /** The station it goes to, and by which address; null: to everyone. */
  readonly mac: Uint8Array;
  readonly address: number | null;
}

/** Answers a client's message; null when there is nothing to say. `leases`: the stations that have addresses, in order; grows. */
export function serveDhcp(request: Uint8Array, settings: DhcpSettings, leases: Uint8Array[]): DhcpReply | null {
  if (request.length < OPTIONS || request[0] !== BOOT_REQUEST || request[1] !== ETHERNET || request[2] !== MAC_BYTES) return null;
  const view = viewOf(request);
  if (view.getUint32(OPTIONS - 4) !== MAGIC_COOKIE || view.getUint32(AT.relay) !== 0) return null;
  const options = readOptions(request.subarray(OPTIONS));
  const mac = request.slice(AT.hardware, AT.hardware + MAC_BYTES),
    current = view.getUint32(AT.client);
  const server = options.get(OPTION.SERVER);
  const type = options.get(OPTION.MESSAGE_TYPE)?.[0];
  const reply = (kind: number, yours: number): DhcpReply => {
    const toAll = kind === MESSAGE.NAK || (current === 0 && (view.getUint16(AT.flags) & 0x8000) !== 0);
    return { message: buildReply(request, kind, yours, settings), mac, address: toAll ? null : current || yours };
  };
  switch (type) {
    case MESSAGE.DISCOVER: {
      const address = leaseOf(mac, settings, leases);
      return address === null ? null : reply(MESSAGE.OFFER, address);
    }
    case MESSAGE.REQUEST: {
      if (server && (server.length !== 4 || viewOf(server).getUint32(0) !== settings.server)) return null;
      const requested = options.get(OPTION.REQUESTED_ADDRESS);
      const wanted = requested?.length === 4 ? viewOf(requested).getUint32(0) : current;
      const address = leaseOf(mac, settings, leases);
      if (address === null) return null;
      return wanted === address ? reply(MESSAGE.ACK, address) : reply(MESSAGE.NAK, 0);
    }
    case MESSAGE.INFORM:
      return current === 0 ? null : reply(MESSAGE.ACK, 0);
    default:
      return null;
  }
}

function leaseOf(mac: Uint8Array, { first, count }: DhcpSettings, leases: Uint8Array[]): number | null {
  const index = leases.findIndex((other) => sameMac(other, mac));
  if (index >= 0) return first + index;
  if (leases.length === count) return null;
  return first + leases.push(mac) - 1;
}

/** The first value of each option. */
function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== OPTION.END; ) {
    if (bytes[at] === OPTION.PAD) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0,
      value = bytes.subarray(at + 2, at + 2 + length);
    if (value.length === length && !options.has(bytes[at])) options.set(bytes[at], value);
    at += 2 + length;
  }
  return options;
}

function buildReply(request: Uint8Array, kind: number, yours: number, settings: DhcpSettings): Uint8Array {
  const message = new Uint8Array(LEAST_MESSAGE),
    view = viewOf(message);
  message.set([BOOT_REPLY, ETHERNET, MAC_BYTES]);
  for (const [at, length] of [
    [AT.transaction, 4],
    [AT.flags, 2],
    [AT.client, 4],
    [AT.hardware, 16],
  ])
    message.set(request.subarray(at, at + length), at);
  view.setUint32(AT.yours, yours);
  view.setUint32(OPTIONS - 4, MAGIC_COOKIE);
  let at = OPTIONS;
  const option = (code: number, value: number): void => {
    view.setUint16(at, (code << 8) | 4);
    view.setUint32(at + 2, value);
    at += 6;
  };
  message.set([OPTION.MESSAGE_TYPE, 1, kind], at);
  at += 3;
  option(OPTION.SERVER, settings.server);
  if (kind !== MESSAGE.NAK) {
    option(OPTION.SUBNET_MASK, settings.mask);
    option(OPTION.ROUTER, settings.router);
    option(OPTION.NAME_SERVER, settings.nameServer);
    if (yours !== 0) option(OPTION.LEASE_TIME, LEASE);
  }
  message[at] = OPTION.END;
  return message;
}
