// The attribute `network` of a launch.json: a network card and what it is connected to, in the words of QEMU's option -nic.

import { NETWORK_CARDS, NETWORK_TYPES, plugIn } from '../../src/vmm/devices/networkConfig.ts';
import { joinForwards } from '../../src/vmm/net/forwards.ts';
import type { CardConfig } from '../../src/vmm/protocol.ts';
import { type Fields, messageOf } from './fields.ts';

const FORWARDS = { type: 'array', items: { type: 'string' } } as const;

/** JSON schema of the attribute. */
export const NETWORK_ATTRIBUTE = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: NETWORK_TYPES },
    model: { type: 'string', enum: NETWORK_CARDS },
    mac: { type: 'string' },
    guestfwd: FORWARDS,
    hostfwd: FORWARDS,
    switch: { type: 'string' },
  },
  required: ['type'],
  additionalProperties: false,
  description:
    'A network card: { type: "user", model, mac, guestfwd, hostfwd }, a network of the guest\'s own from which only the services of guestfwd can be reached, as in "tcp:web:80-tcp:127.0.0.1:8080"; or { type: "switch", model, mac, switch }, a switch between the guests of this window.',
} as const;

/** The card, if there is to be one. */
export function readNetwork(launch: Fields, guest: string): CardConfig[] {
  if (!launch.has('network')) return [];
  const fields = launch.object('network');
  const properties: { [name: string]: string } = {};
  for (const name of fields.names()) {
    if (!Object.hasOwn(NETWORK_ATTRIBUTE.properties, name)) throw fields.error(name, 'is not known');
    if (name === 'guestfwd' || name === 'hostfwd') properties[name] = joinForwards(fields.list(name, textOf));
    else if (name === 'switch') properties[name] = fields.text(name);
  }
  const mac = fields.optionalText('mac'),
    device = fields.choice('model', NETWORK_CARDS, NETWORK_CARDS[0]),
    type = fields.choice('type', NETWORK_TYPES);
  try {
    return [plugIn({ device, properties: mac === undefined ? {} : { mac } }, { type, properties }, guest)];
  } catch (error) {
    throw launch.error('network', messageOf(error));
  }
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new Error(`${path}: a text is expected`);
  return value;
}
