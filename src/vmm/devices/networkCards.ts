// What network cards have in common in the list of cards: their properties, and what can be at the other end of the cable (QEMU's
// -netdev): a network of the guest's own, or a switch between the guests of this hypervisor.

import { formatMac, parseMac } from '../net/ethernet.ts';
import { userNetworkConfig } from '../net/forwards.ts';
import { decodeToHost, encodeFromHost } from '../net/hostMessages.ts';
import { connectHostServices } from '../net/hostServices.ts';
import type { Backends, CardProperty, Peer, PeerServices } from './cards.ts';

/** Without a property of that name a card's address is this one plus the card's place among the cards, as in QEMU. */
const FIRST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56] as const;
const AUTOMATIC = 'auto';

export const MAC: CardProperty = {
  help: 'Ethernet address; auto is 52:54:00:12:34:56 and up',
  initial: AUTOMATIC,
  check(text) {
    if (text !== AUTOMATIC) parseMac(text);
  },
};
export const IOBASE: CardProperty = {
  help: 'first of its 32 ports',
  initial: '0x300',
  check: (text) => number(text, 0x200, 0x3e0, 0x20),
};
export const IRQ: CardProperty = { help: 'interrupt line', initial: '9', check: (text) => number(text, 3, 15) };

function number(text: string, least: number, most: number, multiple = 1): void {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most) || value % multiple !== 0)
    throw new RangeError(`a number from ${least} to ${most}${multiple > 1 ? `, a multiple of ${multiple}` : ''} is expected.`);
}

/** The address of the card at this place. */
export function macOf(text: string, index: number): Uint8Array {
  if (text !== AUTOMATIC) return parseMac(text);
  return Uint8Array.from(FIRST_MAC, (byte, n) => (n === FIRST_MAC.length - 1 ? byte + index : byte));
}

/** An address that is the same whenever a guest of this name starts, for guests that share a network. */
export function macOfName(name: string): string {
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return formatMac(Uint8Array.of(...FIRST_MAC.slice(0, 3), hash >>> 24, hash >>> 16, hash >>> 8));
}

const forwards = (check: (text: string) => void, help: string): CardProperty => ({ help, initial: '', check });

export const NETWORK_BACKENDS: Backends = {
  user: {
    properties: {
      guestfwd: forwards((guestfwd) => userNetworkConfig({ guestfwd }), 'services of the host that the guest can reach'),
      hostfwd: forwards((hostfwd) => userNetworkConfig({ hostfwd }), 'ports of the host that lead into the guest'),
    },
    connect: (values, services) => connectUser(values, services),
  },
  switch: {
    properties: {
      switch: {
        help: 'name of the switch',
        initial: 'default',
        check(text) {
          if (!/^[\w.-]{1,100}$/.test(text)) throw new RangeError('a name of letters, digits, dots and dashes is expected.');
        },
      },
    },
    connect: (values, { switches, deliver }) => switches.connect(values.switch, deliver),
  },
};

function connectUser(values: { readonly [name: string]: string }, { platform, deliver, log }: PeerServices): Peer {
  const config = userNetworkConfig(values);
  if (platform.sockets) return connectHostServices(config, platform.sockets, deliver, log);
  if (config.services.length + config.forwards.length > 0)
    log('guestfwd and hostfwd need sockets, and a browser has none: those connections are refused. The rest of the network works.');
  return {
    send(bytes) {
      const message = decodeToHost(bytes);
      if (message?.kind === 'open') deliver(encodeFromHost({ kind: 'closed', id: message.id }));
    },
    close() {},
  };
}
