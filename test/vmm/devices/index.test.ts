import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type { SavedState, SavedValue } from '../../../src/vmm/device.ts';
import { FIRST_CARD_SLOT } from '../../../src/vmm/devices/cards.ts';
import { DEVICES } from '../../../src/vmm/devices/index.ts';
import { MMIO_LINES } from '../../../src/vmm/virtio/mmio.ts';
import { type Random, seeded } from '../../support/random.ts';
import {
  CARD_CONFIGS,
  type CardRange,
  deviceOf,
  everyDevice,
  machine,
  NAMES,
  OPTIONS,
  observe,
  placeCards,
  portsOf,
  restored,
} from './everyDevice.ts';
import { createRig, MICROSECOND, type Rig, setUpPic } from './rig.ts';

const SIZES = [1, 1, 1, 2, 4] as const;
/** The display's memory, the APICs', and the cards' registers. */
const PLACES: readonly CardRange[] = [
  { isPort: false, base: 0xa0000, bytes: 0x20000 },
  { isPort: false, base: 0xfee00000, bytes: 0x400 },
  { isPort: false, base: 0xfec00000, bytes: 0x20 },
  ...placeCards(createRig(OPTIONS)),
];

/** One random access or input; gives what the guest or the outside would see. */
function act(rig: Rig, ports: readonly number[], random: Random): string {
  const kind = random.below(12);
  if (kind < 4 && ports.length > 0) {
    const port = random.pick(ports);
    const size = random.pick(SIZES);
    return `in${size} ${port} ${rig.bus.portRead(port, size)}`;
  }
  if (kind < 8 && ports.length > 0) {
    const port = random.pick(ports);
    const size = random.pick(SIZES);
    rig.bus.portWrite(port, random.edgy(), size);
    return '';
  }
  switch (kind) {
    case 8:
      rig.run(random.below(2000) * random.pick([1, MICROSECOND, 100 * MICROSECOND]));
      return '';
    case 9: {
      const { isPort, base, bytes } = random.pick(PLACES);
      // Registers are few and at the beginning of large ranges.
      const address = base + random.below(random.below(2) ? bytes : Math.min(bytes, 0x100));
      const size = random.pick(SIZES);
      if (random.below(8) === 0) {
        const register = (random.below(CARD_CONFIGS.length) + FIRST_CARD_SLOT) << 11;
        return `configuration ${rig.pci.read(register | (4 * random.below(64)), 4)}`;
      }
      const value = isPort ? rig.bus.portRead(address, size) : rig.bus.memoryRead(address, size);
      if (isPort) rig.bus.portWrite(address, random.edgy(), size);
      else rig.bus.memoryWrite(address, random.edgy(), size);
      return `${isPort ? 'port' : 'memory'} ${value}`;
    }
    case 10: {
      const taken = rig.devices.serial0.receive(random.below(256)) && rig.devices.serial1.receive(random.below(256));
      return `${taken} ${rig.devices.keyboard.receive([random.below(256), random.below(256)])}`;
    }
    default: {
      const line = random.below(16);
      // The lines of cards without PCI are theirs, also when they are loaded.
      if (line !== 2 && !MMIO_LINES.includes(line)) rig.devices.pic.irq(line).set(random.below(2) === 0);
      return rig.intr ? `vector ${rig.devices.pic.acknowledge()}` : '';
    }
  }
}

/** Every value inside a saved state with a function that replaces it. */
function* places(value: SavedValue): Generator<[SavedValue, (replacement: SavedValue) => void]> {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return;
  const container = value as { [key: string]: SavedValue };
  for (const key of Object.keys(container)) {
    yield [
      container[key],
      (replacement) => {
        container[key] = replacement;
      },
    ];
    yield* places(container[key]);
  }
}

describe('devices', () => {
  it('have unique names and titles', () => {
    assert.equal(new Set(DEVICES.map(({ name }) => name)).size, DEVICES.length);
    assert.equal(new Set(DEVICES.map(({ title }) => title)).size, DEVICES.length);
  });

  it('claim no port beside those that some device lists', () => {
    const rig = createRig(OPTIONS);
    const claimed = new Set([...everyDevice(rig).values()].flatMap((device) => portsOf(device)));
    for (let port = 0; port < 0x10000; port++) assert.equal(rig.bus.portOwner(port) !== null, claimed.has(port));
  });

  for (const name of NAMES) {
    it(`${name}: used, saved, loaded into a fresh one and saved again is equal, and behaves equally afterwards`, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const random = seeded(seed * 7919);
        const rig = machine();
        if (seed % 3 === 0) setUpPic(rig, [0, 1, 3, 4, 8]);
        const ports = [...portsOf(deviceOf(rig, name)), ...portsOf(deviceOf(rig, name)), ...portsOf(rig.devices.pic)];
        for (let step = 0; step < 400; step++) act(rig, ports, random);
        const copy = restored(rig);
        assert.deepEqual(observe(copy), observe(rig));
        const [left, right] = [seeded(seed), seeded(seed)];
        for (const list of [rig.pins, copy.pins, ...Object.values(rig.sent), ...Object.values(copy.sent)]) list.length = 0;
        for (let step = 0; step < 200; step++) assert.equal(act(copy, ports, right), act(rig, ports, left));
        assert.deepEqual(observe(copy), observe(rig));
        assert.deepEqual([copy.pins, copy.sent], [rig.pins, rig.sent]);
      }
    });

    it(`${name}: a saved state shares nothing with the device`, () => {
      const rig = machine();
      const random = seeded(5);
      const before = deviceOf(rig, name).save();
      const copy = structuredClone(before);
      for (let step = 0; step < 500; step++) act(rig, portsOf(deviceOf(rig, name)), random);
      assert.deepEqual(before, copy);
      deviceOf(rig, name).load(before);
      for (let step = 0; step < 500; step++) act(rig, portsOf(deviceOf(rig, name)), random);
      assert.deepEqual(before, copy);
    });

    it(`${name}: refuses garbage with an error that names the field, and stays as it was`, () => {
      const rig = machine();
      const device = deviceOf(rig, name);
      const unchanged = device.save();
      const refuses = (state: unknown, what: string): void => {
        assert.throws(
          () => device.load(state as SavedState),
          (error) =>
            (error instanceof TypeError || error instanceof RangeError) && /^[\w.[\]]+ (must|is not known|is later)/.test(error.message),
          what,
        );
        assert.deepEqual(device.save(), unchanged);
      };
      for (const garbage of [null, undefined, 0, 'x', [], new Uint8Array(4), { nonsense: 1 }]) refuses(garbage, `${garbage}`);
      const fields = [...places(device.save())].length;
      for (let index = 0; index < fields; index++) {
        for (const wrong of [
          null,
          undefined,
          'text',
          -(2 ** 40),
          0.5,
          Number.NaN,
          2 ** 60,
          [],
          {},
          new Uint8Array(3),
          { __proto__: null, x: 1 },
        ]) {
          const state = device.save();
          const place = [...places(state)][index];
          // Lists may be empty, and some records have no fields.
          if (isDeepStrictEqual(place[0], wrong)) continue;
          place[1](wrong as SavedValue);
          refuses(state, `field ${index}`);
        }
      }
    });

    it(`${name}: any state that load() accepts can be used and saved`, () => {
      const random = seeded(31);
      for (let round = 0; round < 30; round++) {
        const rig = machine(10_000_000);
        const device = deviceOf(rig, name);
        const state = device.save();
        for (const [value, replace] of places(state)) {
          if (typeof value === 'boolean') replace(random.below(2) === 0);
          else if (typeof value === 'number' && random.below(3) === 0) {
            const edge = random.pick([-1, 0, 1, 3, 4, 5, 7, 15, 255, 4095, 65535, 65536, 2 ** 53 - 1, random.below(10_000_000)]);
            replace(edge);
            try {
              deviceOf(rig, name).load(state);
            } catch {
              replace(value);
            }
          } else if (value instanceof Uint8Array) {
            for (let index = 0; index < Math.min(64, value.length); index++) value[index] = random.below(256);
          }
        }
        device.load(state);
        for (let step = 0; step < 150; step++) act(rig, [...portsOf(device), ...portsOf(rig.devices.pic)], random);
        device.load(device.save());
      }
    });

    it(`${name}: reset is possible at any time and gives the same state every time`, () => {
      const random = seeded(77);
      const rig = machine();
      for (let step = 0; step < 300; step++) act(rig, portsOf(deviceOf(rig, name)), random);
      deviceOf(rig, name).reset();
      const first = deviceOf(rig, name).save();
      deviceOf(rig, name).reset();
      assert.deepEqual(deviceOf(rig, name).save(), first);
    });
  }
});
