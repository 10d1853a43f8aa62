// The network options of the command line, with QEMU's names and meanings ("QEMU User Documentation", section "Network options"):
// -netdev with -device, -nic, and the older -net. What is QEMU's own hub between several -net has no counterpart here.

import { NETWORK_CARDS, NETWORK_TYPES, plugIn } from '../devices/networkConfig.ts';
import { joinForwards } from '../net/forwards.ts';
import type { CardConfig } from '../protocol.ts';
import { OptionError, parseList } from './optionList.ts';

type Backend = NonNullable<CardConfig['backend']>;
/** What a card is connected to: named by a -netdev, given with it, or the next of -net. */
type Plug = { readonly netdev: string } | { readonly backend: Backend } | 'next';
/** The older option says one half at a time. */
export interface NetworkSettings {
  readonly netdevs: Map<string, { readonly backend: Backend; readonly option: string }>;
  readonly plugs: { readonly card: number; readonly plug: Plug; readonly option: string }[];
  readonly nets: { readonly backend: Backend; readonly option: string }[];
}
/** The part of the settings that these options are about. */
interface WithNetwork {
  readonly name: string;
  readonly cards: CardConfig[];
  readonly network: NetworkSettings;
}

export const noNetwork = (): NetworkSettings => ({ netdevs: new Map(), plugs: [], nets: [] });
export const NETDEV_HELP = 'user[,guestfwd=FORWARD][,hostfwd=FORWARD] or switch[,switch=NAME], for -device CARD,netdev=ID';

const FORWARDS = ['guestfwd', 'hostfwd'];
const listOf = (name: string, text: string): Map<string, string> => parseList(name, text, 'type', FORWARDS, joinForwards);

export function parseNetdev(settings: WithNetwork, text: string): void {
  const option = `-netdev ${text}`,
    values = listOf('-netdev', text);
  const id = values.get('id');
  values.delete('id');
  if (!id) throw new OptionError(`${option}: id= is missing`);
  if (settings.network.netdevs.has(id)) throw new OptionError(`${option}: id ${id} is given twice`);
  settings.network.netdevs.set(id, { backend: backendOf(option, values), option });
}

export function parseNic(settings: WithNetwork, text: string): void {
  if (text === 'none') return;
  const option = `-nic ${text}`,
    values = listOf('-nic', text);
  values.delete('id');
  const card = cardOf(option, values, 'mac');
  addCard(settings, card, { backend: backendOf(option, values) }, option);
}

export function parseNet(settings: WithNetwork, text: string): void {
  if (text === 'none') return;
  const option = `-net ${text}`,
    values = listOf('-net', text);
  for (const name of ['id', 'name']) values.delete(name);
  if (values.get('type') !== 'nic') {
    settings.network.nets.push({ backend: backendOf(option, values), option });
    return;
  }
  const card = cardOf(option, values, 'macaddr');
  values.delete('type');
  for (const name of values.keys()) throw new OptionError(`${option}: '${name}' is not known`);
  addCard(settings, card, 'next', option);
}

/** Takes the card's properties out of the values. */
function cardOf(option: string, values: Map<string, string>, macName: string): CardConfig {
  const model = values.get('model') ?? NETWORK_CARDS[0],
    device = model === 'virtio' ? 'virtio-net-pci' : model,
    mac = values.get(macName);
  if (!NETWORK_CARDS.includes(device)) throw new OptionError(`${option}: model= can be ${NETWORK_CARDS.join(', ')}`);
  values.delete('model');
  values.delete(macName);
  return { device, properties: mac === undefined ? {} : { mac } };
}

function backendOf(option: string, values: Map<string, string>): Backend {
  const type = values.get('type') ?? '';
  if (!NETWORK_TYPES.includes(type)) throw new OptionError(`${option}: the type can be ${NETWORK_TYPES.join(', ')}`);
  values.delete('type');
  if (type === 'user') {
    const restrict = values.get('restrict') ?? 'on';
    if (!['on', 'yes', 'y', 'true'].includes(restrict)) throw new OptionError(`${option}: guests reach listed services only, restrict=on`);
    values.delete('restrict');
  }
  return { type, properties: Object.fromEntries(values) };
}

/** Adds a card; what it is connected to is looked up when all options are known. */
export function addCard({ cards, network }: WithNetwork, card: CardConfig, plug: Plug | undefined, option: string): void {
  if (plug) network.plugs.push({ card: cards.length, plug, option });
  cards.push(card);
}

/** Connects cards and networks; a network that nothing is connected to is a mistake. */
export function connectNetwork({ name, cards, network: { netdevs, plugs, nets } }: WithNetwork): void {
  const unused = new Map(netdevs),
    waiting = [...nets];
  for (const { card, plug, option } of plugs) {
    let backend: Backend | undefined;
    if (plug === 'next') backend = waiting.shift()?.backend;
    else if ('backend' in plug) ({ backend } = plug);
    else {
      backend = unused.get(plug.netdev)?.backend;
      if (!backend)
        throw new OptionError(`${option}: there is no -netdev with id=${plug.netdev}${netdevs.has(plug.netdev) ? ' left' : ''}`);
      unused.delete(plug.netdev);
    }
    if (!backend) continue;
    try {
      cards[card] = plugIn(cards[card], backend, card === 0 ? name : `${name}.${card}`);
    } catch (error) {
      throw new OptionError(`${option}: ${(error as RangeError).message}`);
    }
  }
  for (const { option } of [...unused.values(), ...waiting]) throw new OptionError(`${option}: no card is connected to it`);
}
