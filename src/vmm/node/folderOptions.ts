// The command line's options for folders of the host, with QEMU's names and meanings ("QEMU User Documentation", `-fsdev` and
// `-virtfs`): -fsdev with -device, or both in one.

import { backendOf, CARDS } from '../devices/cards.ts';
import type { CardConfig } from '../protocol.ts';
import { OptionError, parseList } from './optionList.ts';

type Backend = NonNullable<CardConfig['backend']>;
export interface FolderSettings {
  readonly fsdevs: Map<string, { readonly backend: Backend; readonly option: string }>;
  /** Cards, by their place in the list, and the names of their folders. */
  readonly plugs: { readonly card: number; readonly fsdev: string; readonly option: string }[];
}
interface WithFolders {
  readonly cards: CardConfig[];
  readonly folders: FolderSettings;
}

const CARD = 'virtio-9p-pci',
  TYPE = 'local';
export const noFolders = (): FolderSettings => ({ fsdevs: new Map(), plugs: [] });
export const FSDEV_HELP = `a folder of the host for -device ${CARD},fsdev=ID,mount_tag=TAG`;
export const VIRTFS_HELP = 'the same in one; Linux mounts it by mount -t 9p -o trans=virtio TAG /mnt';

export function parseFsdev(settings: WithFolders, text: string): void {
  const option = `-fsdev ${text}`,
    values = parseList('-fsdev', text, 'type'),
    id = values.get('id');
  values.delete('id');
  if (!id) throw new OptionError(`${option}: id= is missing`);
  if (settings.folders.fsdevs.has(id)) throw new OptionError(`${option}: id ${id} is given twice`);
  settings.folders.fsdevs.set(id, { backend: localFolder(option, values), option });
}

export function parseVirtfs({ cards }: WithFolders, text: string): void {
  const option = `-virtfs ${text}`,
    values = parseList('-virtfs', text, 'type'),
    mount_tag = values.get('mount_tag');
  if (!mount_tag) throw new OptionError(`${option}: mount_tag= is missing`);
  for (const name of ['mount_tag', 'id']) values.delete(name);
  const card = { device: CARD, properties: { mount_tag }, backend: localFolder(option, values) };
  checkBackend(card, option);
  cards.push(card);
}

function localFolder(option: string, values: Map<string, string>): Backend {
  if (values.get('type') !== TYPE) throw new OptionError(`${option}: the type can be ${TYPE}`);
  values.delete('type');
  if (!values.get('path')) throw new OptionError(`${option}: path= is missing`);
  return { type: TYPE, properties: Object.fromEntries(values) };
}

function checkBackend(card: CardConfig, option: string): void {
  try {
    backendOf(card);
  } catch (error) {
    throw new OptionError(`${option}: ${(error as RangeError).message}`);
  }
}

/** Connects the cards that name a folder; a folder that no card names is a mistake. */
export function connectFolders({ cards, folders: { fsdevs, plugs } }: WithFolders): void {
  for (const { card, fsdev, option } of plugs) {
    const found = fsdevs.get(fsdev);
    if (!found) throw new OptionError(`${option}: there is no -fsdev with id=${fsdev}`);
    cards[card] = { ...cards[card], backend: found.backend };
    checkBackend(cards[card], found.option);
  }
  for (const { device, backend } of cards)
    if (CARDS[device].isUselessAlone && !backend) throw new OptionError(`-device ${device}: fsdev= is missing`);
  for (const [id, { option }] of fsdevs)
    if (!plugs.some(({ fsdev }) => fsdev === id)) throw new OptionError(`${option}: no -device is connected to it`);
}
