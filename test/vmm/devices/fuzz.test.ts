// Random accesses to every device: its ports, its memory, its configuration space, in any order and size, with commands that stand in
// its data sheet more often than chance would have them, while time passes and the outside talks to it. Nothing throws, what is kept stays
// small, and the state can be saved and loaded at any time. CP86_FUZZ=50 makes a million accesses to each.

import { strict as assert } from 'node:assert';
import type { Device } from '../../../src/vmm/device.ts';
import { FIRST_CARD_SLOT } from '../../../src/vmm/devices/cards.ts';
import { MMIO_LINES } from '../../../src/vmm/virtio/mmio.ts';
import { fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { type Random, seeded } from '../../support/random.ts';
import { CARD_CONFIGS, type CardRange, deviceOf, everyDevice, machine, NAMES, observe, restored } from './everyDevice.ts';
import { MICROSECOND, type Rig, SECOND, setUpPic } from './rig.ts';

/** Accesses to a machine before the next one begins anew. */
const ACCESSES = 5000,
  ROUNDS = 4;
/** Bytes of text that the state of all devices may take, 8 of them for a byte: memories, queues, what waits to be sent. */
const MOST_STATE = 64 << 20;
const SIZES = [1, 1, 1, 2, 4] as const;

/** Where functions of the chip set and the display adapter are on the PCI bus, and what has to be written so that all of it answers. */
const FUNCTIONS: Readonly<Record<string, { readonly at: number; readonly set: readonly (readonly [register: number, value: number])[] }>> =
  {
    hostBridge: { at: 0, set: [] },
    piix3: { at: 0x0800, set: [] },
    ide: {
      at: 0x0900,
      set: [
        [0x20, 0xb000],
        [0x04, 5],
      ],
    },
    piix4Pm: {
      at: 0x0b00,
      set: [
        [0x40, 0xb100],
        [0x80, 1],
        [0x90, 0xb200],
        [0xd0, 1],
      ],
    },
    vga: {
      at: 0x1000,
      set: [
        [0x10, 0xd0000000],
        [0x18, 0xd1000000],
        [0x04, 7],
      ],
    },
  };
/** Values that begin something where a random byte seldom does: commands and mode words. */
const TELLING: Readonly<Record<string, readonly number[]>> = {
  ide: [0x20, 0x30, 0xc8, 0xca, 0x25, 0x35, 0xc4, 0xc5, 0xc6, 0xa0, 0xa1, 0xec, 0xe7, 0x08, 0x09, 0x01, 0xe0, 0xf0, 0x28, 0xa8, 0x43, 0x4a],
  floppy: [0x46, 0x45, 0xe6, 0xc5, 0x4d, 0x0f, 0x07, 0x08, 0x03, 0x13, 0x4a, 0x1c, 0x0c, 0x02, 0x00, 0x12, 0x1b],
  dma: [0x46, 0x4a, 0x56, 0x5a, 0x00, 0x02, 0x06, 0x0a],
  pic: [0x11, 0x13, 0x19, 0x20, 0x60, 0xa0, 0x0a, 0x0b, 0x0c, 0x68, 0x04, 0x02, 0x01, 0x03],
  keyboard: [0xd4, 0x60, 0x20, 0xd1, 0xd0, 0xaa, 0xa8, 0xa7, 0xff, 0xf4, 0xf3, 0xf2, 0xed, 0xe8, 0xeb],
  fwCfg: [0x19, 0x20, 0x21, 0x1900, 0x2000, 0x4000],
  localApic: [0x1ff, 0xff, 0x20030, 0x40030, 0x30, 0x700, 0x84030, 0xfee00000],
  ioApic: [0x10, 0x11, 0x20, 0x3f, 0x30, 0x8030, 0xa030, 0x10030],
};

/** The device's ranges: fixed ones, and those of its function as they are placed. */
function rangesOf(rig: Rig, name: string): CardRange[] {
  const device: Device = deviceOf(rig, name),
    ranges: CardRange[] = (device.memory ?? []).map(({ first, last }) => ({ isPort: false, base: first, bytes: last - first + 1 }));
  for (const { first, last } of device.ports ?? []) ranges.push({ isPort: true, base: first, bytes: last - first + 1 });
  let first = -1;
  for (let port = 0xb000; port <= 0x10000; port++) {
    const own = port < 0x10000 && rig.bus.portOwner(port) === name;
    if (own && first < 0) first = port;
    if (!own && first >= 0) {
      ranges.push({ isPort: true, base: first, bytes: port - first });
      first = -1;
    }
  }
  // Movable memory lies on pages.
  for (const [from, to] of [
    [0xd0000000, 0xd1010000],
    [0xe0000000, 0xe0200000],
    [0xfeb00000, 0xff000000],
  ] as const)
    for (let base = from; base < to; base += 0x200) {
      if (rig.bus.memoryOwner(base) === name) ranges.push({ isPort: false, base, bytes: 0x200 });
    }
  return ranges;
}
function functionOf(name: string): number | undefined {
  const card = Number(name.split('.')[1]);
  if (!Number.isInteger(card)) return FUNCTIONS[name]?.at;
  // Cards that are not on the bus have no slot there.
  const onBus = (device: string): boolean => !/_isa$|-device$/.test(device);
  if (!onBus(CARD_CONFIGS[card]!.device)) return undefined;
  return (FIRST_CARD_SLOT + CARD_CONFIGS.slice(0, card).filter(({ device }) => onBus(device)).length) << 11;
}
function placed(): Rig {
  const rig = machine();
  for (const { at, set } of Object.values(FUNCTIONS)) for (const [register, value] of set) rig.pci.write(at | register, value, 4);
  setUpPic(rig, [0, 1, 3, 4, 6, 8, 14, 15]);
  return rig;
}

describe('every device', function () {
  this.timeout(fuzzTimeout(60_000));

  /** One machine, so many accesses to one of its devices. */
  function storm(name: string, seed: number): number {
    const random = seeded(seed * 7919 + name.length),
      rig = placed(),
      ranges = rangesOf(rig, name),
      at = functionOf(name),
      telling = TELLING[name] ?? [];
    const value = (): number => {
      if (telling.length > 0 && random.below(3) === 0) return random.pick(telling);
      return random.below(3) ? random.edgy() : random.below(256);
    };
    let accesses = 0;
    const access = (range: CardRange, offset: number, size: 1 | 2 | 4, write: boolean): void => {
      accesses++;
      const address = range.base + offset;
      if (range.isPort && write) rig.bus.portWrite(address, value(), size);
      else if (range.isPort) rig.bus.portRead(address, size);
      else if (write) rig.bus.memoryWrite(address, value(), size);
      else rig.bus.memoryRead(address, size);
    };
    while (accesses < ACCESSES) {
      if (at !== undefined && (ranges.length === 0 || random.below(24) === 0)) {
        accesses++;
        const register = random.below(256),
          port = 0xcfc + (register & 3),
          size = random.pick(SIZES);
        rig.bus.portWrite(0xcf8, 0x80000000 | at | (register & ~3), 4);
        if (random.below(3)) rig.bus.portRead(port, size);
        else rig.bus.portWrite(port, value(), size);
        // What is somewhere else now would not be met any more.
        if (random.below(2)) for (const [where, what] of FUNCTIONS[name]?.set ?? [[4, 7]]) rig.pci.write(at | where, what, 4);
      } else if (ranges.length > 0) {
        const range = random.pick(ranges),
          // Registers are few and at the beginning of large ranges.
          offset = random.below(random.below(4) ? Math.min(range.bytes, 0x40) : range.bytes),
          size = random.pick(SIZES),
          // Data ports are read and written many times in a row.
          times = random.below(40) ? 1 : random.below(600);
        const write = random.below(5) > 1;
        for (let n = 0; n < times; n++) access(range, offset, size, write);
      } else accesses++;
      outside(rig, name, random);
    }
    assert.ok(JSON.stringify(observe(rig)).length < MOST_STATE);
    const copy = restored(rig);
    assert.deepEqual(observe(copy), observe(rig), `seed ${seed}`);
    for (const device of everyDevice(rig).values()) device.reset();
    return accesses;
  }

  /** Time, memory that others write, and what comes from the host. */
  function outside(rig: Rig, name: string, random: Random): void {
    switch (random.below(32)) {
      case 0:
        rig.run(random.below(2000) * random.pick([1, MICROSECOND, 10 * MICROSECOND]));
        break;
      case 1:
        if (random.below(20) === 0) rig.jump(random.below(3) * SECOND + random.below(1000));
        break;
      case 2:
        for (let n = 0; n < 32; n++) rig.ram[random.below(random.below(2) ? 0x1000 : rig.ram.length)] = random.edgy();
        break;
      case 3:
        rig.devices.serial0.receive(random.below(256));
        rig.devices.serial1.receive(random.below(256));
        rig.devices.keyboard.receive([random.below(256), random.below(256)]);
        break;
      case 4:
        // What the balloon is told is a number of pages.
        rig.cards.get(name)?.receive?.(Uint8Array.from({ length: /balloon/.test(name) ? 4 : random.below(200) }, () => random.below(256)));
        break;
      case 5: {
        const line = random.below(16);
        if (line !== 2 && !MMIO_LINES.includes(line)) rig.devices.pic.irq(line).set(random.below(2) === 0);
        if (rig.intr) rig.acknowledge();
        break;
      }
      case 6:
        rig.pins.length = 0;
        for (const list of Object.values(rig.sent)) list.length = 0;
        break;
      default:
    }
  }

  for (const name of NAMES) {
    it(`${name} takes any access`, () => {
      let accesses = 0;
      const rounds = fuzzRounds(ROUNDS);
      for (let seed = 1; seed <= rounds; seed++) accesses += storm(name, seed);
      assert.ok(accesses >= rounds * ACCESSES);
    });
  }
  it('has ranges or a function to try it by', () => {
    const rig = placed();
    const nothing = NAMES.filter((name) => rangesOf(rig, name).length === 0 && functionOf(name) === undefined);
    assert.deepEqual(nothing, []);
  });
});
