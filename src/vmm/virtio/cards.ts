// The virtio devices as rows of the table of cards (devices/cards.ts): each kind by QEMU's names of its PCI and its MMIO form.

import type { Backends, CardContext, CardKind, CardProperty, CardValues } from '../devices/cards.ts';
import { MAC, macOf, NETWORK_BACKENDS } from '../devices/networkCards.ts';
import { LOCAL_FOLDER, MOUNT_TAG } from '../ninep/share.ts';
import { VirtioBalloon } from './balloon.ts';
import { VirtioBlk } from './blk.ts';
import { VirtioConsole } from './console.ts';
import type { CreateType, VirtioType } from './device.ts';
import { mmioPlace, VirtioMmio } from './mmio.ts';
import { VirtioNet } from './net.ts';
import { VirtioNinep } from './ninep.ts';
import { VirtioPci } from './pci.ts';
import { VirtioRng } from './rng.ts';

/** Properties of every PCI form. */
const PCI_PROPERTIES = {
  'disable-legacy': {
    help: 'no registers for drivers of before version 1: on or off',
    initial: 'off',
    check(text: string): void {
      if (text !== 'on' && text !== 'off') throw new RangeError('it can be on or off');
    },
  },
};
const DRIVE: CardProperty = {
  help: 'number of the drive with the interface virtio',
  initial: '0',
  check(text) {
    if (!/^\d{1,2}$/.test(text)) throw new RangeError('the number of a drive is needed');
  },
};
const SERIAL: CardProperty = {
  help: 'what the guest is told as its serial number',
  initial: 'CP86-VIRTIO',
  check(text) {
    if (!/^[\x20-\x7e]{1,20}$/.test(text)) throw new RangeError('1 to 20 characters of ASCII are needed');
  },
};

interface Row extends Pick<CardKind, 'isUselessAlone' | 'backends'> {
  readonly title: string;
  /** A machine can have one. */
  readonly single?: boolean;
  readonly properties?: { readonly [name: string]: CardProperty };
  readonly backends?: Backends;
  type(context: CardContext, values: CardValues, ...core: Parameters<CreateType>): VirtioType;
}
const ROWS: { readonly [name: string]: Row } = {
  'virtio-blk': {
    title: 'virtio disk',
    properties: { drive: DRIVE, serial: SERIAL },
    type(context, { drive, serial }, core) {
      const found = context.drives.find((one) => one.interface === 'virtio' && one.index === Number(drive));
      if (!found) throw new RangeError(`${context.name}: there is no virtio drive ${drive}.`);
      return new VirtioBlk(core, found, serial);
    },
  },
  'virtio-rng': {
    title: 'virtio source of random numbers',
    // Two of them are not to give the same numbers, nor those of RDRAND.
    type: ({ startOfTime, name }, _, core) => new VirtioRng(core, startOfTime + (seedOf(name) + 1) * 2 ** 44),
  },
  'virtio-net': {
    title: 'virtio network card',
    properties: { mac: MAC },
    backends: NETWORK_BACKENDS,
    type: (context, { mac }, core) => new VirtioNet(core, context, macOf(mac, context.index)),
  },
  'virtio-balloon': { title: 'virtio memory balloon', single: true, type: ({ dma }, _, core) => new VirtioBalloon(core, dma) },
  'virtio-serial': {
    title: 'virtio console',
    single: true,
    type: (context, _, core) => new VirtioConsole(core, context.channel('virtconsole')),
  },
  'virtio-9p': {
    title: 'folder of the host (virtio 9P)',
    properties: { mount_tag: MOUNT_TAG },
    isUselessAlone: true,
    backends: { local: LOCAL_FOLDER },
    type: ({ send }, { mount_tag }, core) => new VirtioNinep(core, mount_tag, send),
  },
};
/** A number below 64 from the place in the list of cards, with which names end. */
const seedOf = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? 0) % 64;

/** Rows by QEMU's names: 'virtio-blk-pci', 'virtio-blk-device'. */
export const VIRTIO_CARDS: { readonly [device: string]: CardKind } = Object.fromEntries(
  Object.entries(ROWS).flatMap(([name, { title, single, properties = {}, type, ...rest }]): [string, CardKind][] => [
    [
      `${name}-pci`,
      {
        ...rest,
        title,
        ...(single ? { single: name } : {}),
        bus: 'pci',
        properties: { ...properties, ...PCI_PROPERTIES },
        create: (context, values) =>
          new VirtioPci(context, context.slot, (core) => type(context, values, core), values['disable-legacy'] === 'on'),
      },
    ],
    [
      `${name}-device`,
      {
        ...rest,
        title: `${title} without PCI`,
        ...(single ? { single: name } : {}),
        bus: 'virtio-mmio',
        properties,
        create(context, values) {
          const { address, line } = mmioPlace(context.slot);
          return new VirtioMmio(context, address, context.irq(line), (core) => type(context, values, core));
        },
      },
    ],
  ]),
);
