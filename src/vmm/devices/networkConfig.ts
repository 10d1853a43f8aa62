// Configurations of network cards from the words that a user has for them: command line and launch.json read these.

import type { CardConfig } from '../protocol.ts';
import { backendOf, CARDS, cardOf } from './cards.ts';
import { macOfName, NETWORK_BACKENDS } from './networkCards.ts';

/** The cards that have a cable, by QEMU's names; the first is the one that people get who name none. */
export const NETWORK_CARDS: readonly string[] = Object.keys(CARDS).filter((device) => CARDS[device].backends === NETWORK_BACKENDS);
export const NETWORK_TYPES: readonly string[] = Object.keys(NETWORK_BACKENDS);

/** A card with its cable plugged in. Guests on a switch get addresses of their own. Throws a RangeError. */
export function plugIn(card: CardConfig, backend: NonNullable<CardConfig['backend']>, guest: string): CardConfig {
  const { device, properties } = card;
  if (!NETWORK_CARDS.includes(device)) throw new RangeError(`'${device}' is no network card; those are ${NETWORK_CARDS.join(', ')}`);
  const needsMac = backend.type === 'switch' && properties.mac === undefined;
  const plugged: CardConfig = { device, properties: needsMac ? { ...properties, mac: macOfName(guest) } : properties, backend };
  cardOf(plugged);
  backendOf(plugged);
  return plugged;
}
