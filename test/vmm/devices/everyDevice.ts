// A machine of devices with one of every kind of drive and card, for tests that treat all devices alike.

import { Drive } from '../../../src/vmm/block/drive.ts';
import type { Device, SavedState } from '../../../src/vmm/device.ts';
import { CARDS, FIRST_CARD_SLOT, type Properties } from '../../../src/vmm/devices/cards.ts';
import { cardName, DEVICES } from '../../../src/vmm/devices/index.ts';
import type { CardConfig } from '../../../src/vmm/protocol.ts';
import { createRig, type Rig } from './rig.ts';

/** Every kind of drive; each machine has its own. */
export const OPTIONS = {
  debugExit: { port: 0x501, size: 2 },
  get cards() {
    return CARD_CONFIGS;
  },
  get drives(): Drive[] {
    const image = Uint8Array.from({ length: 300 * 512 }, (_, n) => n >> 9);
    return DRIVES.map(([kind, index, where]) => new Drive({ kind, index, interface: where, image, readOnly: false }, null));
  },
};
const DRIVES = [
  ['floppy', 0, 'ide'],
  ['disk', 0, 'ide'],
  ['disk', 1, 'ide'],
  ['cdrom', 2, 'ide'],
  ['disk', 0, 'virtio'],
] as const;

/** One of every kind of card, and what those need that cannot do without. */
export const CARD_CONFIGS = Object.entries(CARDS).map(([device, { properties, backends = {}, isUselessAlone }]): CardConfig => {
  const [[type, backend] = []] = Object.entries(backends);
  return {
    device,
    properties: needed(properties),
    ...(isUselessAlone && type && backend ? { backend: { type, properties: needed(backend.properties) } } : {}),
  };
});
function needed(properties: Properties): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { initial }]): [string, string][] => (initial === undefined ? [[name, 'any']] : [])),
  );
}
export const NAMES = [...DEVICES.map(({ name }) => name as string), ...CARD_CONFIGS.map(cardName)];

export const everyDevice = (rig: Rig): Map<string, Device> => new Map([...Object.entries<Device>(rig.devices), ...rig.cards]);
export const deviceOf = (rig: Rig, name: string): Device => everyDevice(rig).get(name)!;

/** Where firmware puts the registers of the PCI cards: enabled, ports from C000h, memory from E0000000h. */
export interface CardRange {
  readonly isPort: boolean;
  readonly base: number;
  readonly bytes: number;
}
export function placeCards(rig: Rig): CardRange[] {
  const ranges: CardRange[] = [];
  let port = 0xc000,
    memory = 0xe0000000;
  for (let slot = FIRST_CARD_SLOT; slot < FIRST_CARD_SLOT + CARD_CONFIGS.length; slot++) {
    const at = (register: number): number => (slot << 11) | register;
    for (let bar = 0x10; bar < 0x28; bar += 4) {
      rig.pci.write(at(bar), 0xffffffff, 4);
      const mask = rig.pci.read(at(bar), 4),
        isPort = (mask & 1) !== 0,
        bytes = -(mask & (isPort ? ~3 : ~15)) >>> 0;
      if (mask === 0 || mask === 0xffffffff) continue;
      const base = isPort ? (port = Math.ceil(port / bytes) * bytes) : (memory = Math.ceil(memory / bytes) * bytes);
      rig.pci.write(at(bar), base, 4);
      ranges.push({ isPort, base, bytes });
      if (isPort) port += bytes;
      else memory += bytes;
    }
    rig.pci.write(at(0x04), 7, 2);
  }
  return ranges;
}
/** A machine with every card placed; they are at the same places in all. */
export function machine(now = 0): Rig {
  const rig = createRig({ ...OPTIONS, now });
  placeCards(rig);
  return rig;
}
export function portsOf(device: Device): number[] {
  return (device.ports ?? []).flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

function saveAll(rig: Rig): { [name: string]: SavedState } {
  return Object.fromEntries([...everyDevice(rig)].map(([name, device]) => [name, device.save()]));
}

/** Everything that can be compared from outside without changing anything. */
export function observe(rig: Rig): unknown {
  return { saved: saveAll(rig), deadline: rig.timers.nextDeadline(), intr: rig.intr, screen: rig.devices.vga.screen() };
}

export function restored(rig: Rig): Rig {
  const copy = createRig({ ...OPTIONS, now: rig.now, startOfTime: 0 });
  copy.video.set(rig.video);
  for (const [name, state] of Object.entries(saveAll(rig))) deviceOf(copy, name).load(state);
  return copy;
}
