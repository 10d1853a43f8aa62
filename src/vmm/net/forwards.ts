// What of the host a guest on a user network can reach, and what of the guest can be reached from the host, in the words of QEMU's
// options guestfwd and hostfwd ("QEMU User Documentation", -netdev user):
//   guestfwd=tcp:SERVER:PORT-tcp:HOST:PORT   SERVER is an address in the network, or a name, which then gets an address
//   hostfwd=tcp:HOST:PORT-GUEST:PORT         without HOST only this computer, without GUEST the first address that is lent
// Both also with udp. As in QEMU, an empty protocol is tcp.

import { formatAddress, parseAddress } from './ipv4.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}
/** A service of the host that the guest can reach. */
export interface Service {
  readonly protocol: 'tcp' | 'udp';
  /** Where the guest finds it: address or name. */
  readonly server: SocketAddress;
  readonly target: SocketAddress;
}
/** A port of the host behind which is one of the guest. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  readonly listen: SocketAddress;
  /** An address of the network. */
  readonly guest: SocketAddress;
}

export interface UserNetworkConfig {
  readonly services: readonly Service[];
  readonly forwards: readonly Forward[];
}
/** Both lists as text: a card's properties have one text for each name. */
const SEPARATOR = ' ';

/** Reads the properties of a user network; throws a RangeError. */
export function userNetworkConfig({ guestfwd = '', hostfwd = '' }: { readonly [name: string]: string }): UserNetworkConfig {
  const items = (text: string): string[] => text.split(SEPARATOR).filter((item) => item !== '');
  const services = items(guestfwd).map(parseService),
    forwards = items(hostfwd).map(parseForward);
  if (forwards.length > MOST_FORWARDS) throw new RangeError(`${forwards.length} forwarded ports: a network has at most ${MOST_FORWARDS}.`);
  placeServices(services);
  return { services, forwards };
}
/** The text of a list. */
export const joinForwards = (items: readonly string[]): string => items.join(SEPARATOR);

/** The network and its own addresses: as in QEMU. */
export const NETWORK = 0x0a000200,
  NETMASK = 0xffffff00,
  GATEWAY = NETWORK + 2,
  NAME_SERVER = NETWORK + 3,
  FIRST_GUEST = NETWORK + 15,
  GUESTS = 16;
const FIRST_NAMED = NETWORK + 100,
  LAST = NETWORK + 254;
const LOOPBACK = '127.0.0.1';
const MOST_SERVICES = 64,
  MOST_FORWARDS = 64;

/** Reads a guestfwd value; throws a RangeError that quotes it. */
function parseService(text: string): Service {
  const match = /^(tcp|udp|):([^:]+):(\d+)-(tcp|udp):([^:]*|\[[^\]]+\]):(\d+)$/.exec(text);
  const [, protocol, server, port, target, host, hostPort] = match ?? [];
  if (!match || (protocol || 'tcp') !== target)
    throw new RangeError(`guestfwd ${text}: it is written tcp:SERVER:PORT-tcp:HOST:PORT, or both with udp`);
  if (!/^\d[\d.]*$/.test(server) && !isName(server)) throw new RangeError(`guestfwd ${text}: '${server}' is no address and no name`);
  if (/^\d[\d.]*$/.test(server)) checkServer(`guestfwd ${text}`, server);
  return {
    protocol: target as Service['protocol'],
    server: { host: server.toLowerCase(), port: parsePort(text, port) },
    target: { host: withoutBrackets(host) || LOOPBACK, port: parsePort(text, hostPort) },
  };
}

/** Reads a hostfwd value; throws a RangeError that quotes it. */
function parseForward(text: string): Forward {
  const match = /^(tcp|udp|):([^:]*|\[[^\]]+\]):(\d+)-([\d.]*):(\d+)$/.exec(text);
  if (!match) throw new RangeError(`hostfwd ${text}: it is written tcp:[HOST]:PORT-[GUEST]:PORT, or udp`);
  const [, protocol, host, hostPort, guest, port] = match;
  const address = guest === '' ? FIRST_GUEST : parseAddress(guest);
  if (address === null || !isGuest(address))
    throw new RangeError(`hostfwd ${text}: guests are at ${formatAddress(FIRST_GUEST)} to ${formatAddress(FIRST_GUEST + GUESTS - 1)}`);
  return {
    protocol: (protocol || 'tcp') as Forward['protocol'],
    listen: { host: withoutBrackets(host) || LOOPBACK, port: parsePort(text, hostPort, 0) },
    guest: { host: formatAddress(address), port: parsePort(text, port) },
  };
}

function parsePort(text: string, digits: string, least = 1): number {
  const port = Number(digits);
  if (port < least || port > 0xffff) throw new RangeError(`${text}: port ${digits} is not from ${least} to 65535`);
  return port;
}
const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');
const isName = (text: string): boolean =>
  text.length <= 200 && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text);
const isGuest = (address: number): boolean => address >= FIRST_GUEST && address < FIRST_GUEST + GUESTS;

function checkServer(what: string, text: string): number {
  const address = parseAddress(text);
  if (address === null || address < GATEWAY || address > LAST || isGuest(address))
    throw new RangeError(`${what}: a service is at ${formatAddress(GATEWAY)} to ${formatAddress(LAST)} and not where guests are`);
  return address;
}

/** Addresses of the services in their order, and the names that stand for them. Throws a RangeError when two are at one place. */
export function placeServices(services: readonly Service[]): {
  readonly addresses: readonly number[];
  readonly names: Map<string, number>;
} {
  if (services.length > MOST_SERVICES) throw new RangeError(`${services.length} services: a network has at most ${MOST_SERVICES}.`);
  const fixed = services.map(({ server }) =>
    isName(server.host) && !/^\d[\d.]*$/.test(server.host) ? null : checkServer('guestfwd', server.host),
  );
  const names = new Map<string, number>();
  let next = FIRST_NAMED;
  const addresses = services.map(({ server }, n) => {
    const known = fixed[n] ?? names.get(server.host);
    if (known !== undefined) return known;
    while (fixed.includes(next)) next++;
    names.set(server.host, next);
    return next++;
  });
  for (const [n, { protocol, server }] of services.entries()) {
    const isSame = (other: Service, m: number): boolean =>
      m < n && addresses[m] === addresses[n] && other.protocol === protocol && other.server.port === server.port;
    if (services.some(isSame)) throw new RangeError(`guestfwd ${protocol}:${server.host}:${server.port} is given twice.`);
  }
  return { addresses, names };
}
