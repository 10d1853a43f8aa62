// THE list of add-in cards: devices that a machine has only when its configuration names them, by QEMU's name of the device and
// with its properties as text ("QEMU User Documentation", `-device driver,prop=value`). Command line, launch.json, --help and the
// check of a configuration all read this table.

import type { Device, DeviceContext } from '../device.ts';
import type { Switches } from '../net/switch.ts';
import type { Platform } from '../platform.ts';
import type { CardConfig, GuestConfig } from '../protocol.ts';
import { VIRTIO_CARDS } from '../virtio/cards.ts';
import { DMA_MASK, Edu } from './edu.ts';
import { Ne2kIsa, Ne2kPci } from './ne2000.ts';
import { IOBASE, IRQ, MAC, NETWORK_BACKENDS } from './networkCards.ts';

/** A property of a card or of what it is connected to on the host's side. */
export interface CardProperty {
  /** What it says, for people. */
  readonly help: string;
  /** Its text when nothing is said; absent: it must be said. */
  readonly initial?: string;
  /** Throws a RangeError that says what can be said. */
  check(text: string): void;
}
export type Properties = { readonly [name: string]: CardProperty };
export type CardValues = { readonly [name: string]: string };

/** What a card gets besides what every device does. */
export interface CardContext extends DeviceContext {
  /** Its name in save files and panels. */
  readonly name: string;
  /** Its place among the cards, from 0. */
  readonly index: number;
  /** Device number on the PCI bus, for cards of that bus; for virtio devices without PCI the place among them, from 0. */
  readonly slot: number;
  /** What is at the other end of its connection: type and complete properties; null for nothing. */
  readonly backend: { readonly type: string; readonly values: CardValues } | null;
  /** To the card's peer; lost in a replay, where what the peer answered comes from the journal to `Card.receive`. */
  send(bytes: Uint8Array): void;
}

/** The other end of a card's connection, outside the machine: what it does is not deterministic and reaches the card by the journal. */
export interface Peer {
  /** What the card sent. */
  send(bytes: Uint8Array): void;
  close(): void;
}
export interface PeerServices {
  readonly platform: Platform;
  /** The switches between the guests of this hypervisor. */
  readonly switches: Switches;
  /** Bytes for the card's `receive`, written into the journal. */
  deliver(bytes: Uint8Array): void;
  /** A line for the guest's log. */
  log(line: string): void;
}

export interface Card extends Device {
  /** Bytes from the peer. */
  receive?(bytes: Uint8Array): void;
  /** It expects something of its peer: the time of a guest that has nothing else to do is not to run ahead of the wall's. */
  readonly awaitsPeer?: boolean;
}

export interface Backends {
  readonly [type: string]: { readonly properties: Properties; connect(values: CardValues, services: PeerServices): Peer };
}

export interface CardKind {
  /** What a person calls it. */
  readonly title: string;
  readonly bus: 'pci' | 'isa' | 'virtio-mmio';
  readonly properties: Properties;
  /** A machine can have one of the cards with this word. */
  readonly single?: string;
  create(context: CardContext, values: CardValues): Card;
  /** It must be connected to something. */
  readonly isUselessAlone?: boolean;
  /** What can be at the other end, by QEMU's name of the back end's type ('user' of `-netdev user`). */
  readonly backends?: Backends;
}

export const CARDS: { readonly [device: string]: CardKind } = {
  edu: {
    title: "QEMU's educational device",
    bus: 'pci',
    properties: { dma_mask: DMA_MASK },
    create: (context, values) => new Edu(context, Number(values.dma_mask)),
  },
  ne2k_pci: {
    title: 'RTL8029AS Ethernet card (NE2000)',
    bus: 'pci',
    properties: { mac: MAC },
    backends: NETWORK_BACKENDS,
    create: (context, { mac }) => new Ne2kPci(context, mac),
  },
  ne2k_isa: {
    title: 'NE2000 Ethernet card',
    bus: 'isa',
    properties: { mac: MAC, iobase: IOBASE, irq: IRQ },
    backends: NETWORK_BACKENDS,
    create: (context, { mac, iobase, irq }) => new Ne2kIsa(context, mac, Number(iobase), Number(irq)),
  },
  ...VIRTIO_CARDS,
};

/** Cards that a machine can have: slots 3 to 31 of the bus. */
export const MOST_CARDS = 29;
/** Slot of the first card: 0 and 1 are the chip set's, 2 the display's. */
export const FIRST_CARD_SLOT = 3;

/**
 * The cards of a machine: those that its configuration names, then a virtio-blk-pci for each virtio drive that none of them has.
 * Throws a RangeError when two have the same drive.
 */
export function cardsOf({ cards = [], drives }: Pick<GuestConfig, 'cards' | 'drives'>): CardConfig[] {
  const taken = new Set<number>();
  for (const card of cards) {
    const { drive } = cardOf(card).values;
    if (drive === undefined) continue;
    if (taken.has(Number(drive))) throw new RangeError(`Device '${card.device}': another one has the virtio drive ${drive}.`);
    taken.add(Number(drive));
  }
  const left = drives.filter((drive) => drive.interface === 'virtio' && !taken.has(drive.index));
  return [...cards, ...left.map(({ index }) => ({ device: 'virtio-blk-pci', properties: { drive: String(index) } }))];
}

/** The row and the complete properties of a card; throws a RangeError that says what is wrong. */
export function cardOf(config: CardConfig): { kind: CardKind; values: CardValues } {
  const { device } = config,
    kind = Object.hasOwn(CARDS, device) ? CARDS[device] : undefined;
  if (!kind) throw new RangeError(`Device '${device}': it can be ${Object.keys(CARDS).join(', ')}.`);
  return { kind, values: complete(device, kind.properties, config.properties) };
}

/** The same of the other end of its connection; null where it has none. */
export function backendOf(
  config: CardConfig,
): { readonly type: string; readonly values: CardValues; connect: (services: PeerServices) => Peer } | null {
  const { device, backend } = config;
  if (!backend) {
    if (CARDS[device].isUselessAlone) throw new RangeError(`Device '${device}': it must be connected to something.`);
    return null;
  }
  const backends = CARDS[device].backends ?? {},
    kind = Object.hasOwn(backends, backend.type) ? backends[backend.type] : undefined;
  if (!kind) throw new RangeError(`Device '${device}' cannot be connected to '${backend.type}'.`);
  const values = complete(backend.type, kind.properties, backend.properties);
  return { type: backend.type, values, connect: (services) => kind.connect(values, services) };
}

function complete(of: string, properties: Properties, given: CardValues): CardValues {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(properties, name)) throw new RangeError(`${of}: '${name}' is not known.`);
  }
  const values: { [name: string]: string } = {};
  for (const [name, { initial, check }] of Object.entries(properties)) {
    const text = given[name] ?? initial;
    if (text === undefined) throw new RangeError(`${of}: ${name}= is missing.`);
    try {
      check(text);
    } catch (error) {
      throw new RangeError(`${of}: ${name}=${text}: ${(error as RangeError).message}`);
    }
    values[name] = text;
  }
  return values;
}
