import { strict as assert } from 'node:assert';
import { Drive } from '../../../src/vmm/block/drive.ts';
import type { Device, SavedState, SavedValue } from '../../../src/vmm/device.ts';
import { DEVICES, type DeviceName } from '../../../src/vmm/devices/index.ts';
import { type Random, seeded } from '../../support/random.ts';
import { createRig, MICROSECOND, type Rig, setUpPic } from './rig.ts';

const SIZES = [1, 1, 1, 2, 4] as const;
/** Every kind of drive; each machine has its own. */
const OPTIONS = {
  debugExit: { port: 0x501, size: 2 },
  get drives(): Drive[] {
    const image = Uint8Array.from({ length: 300 * 512 }, (_, n) => n >> 9);
    return DRIVES.map(([kind, index]) => new Drive({ kind, index, image, readOnly: false }, null));
  },
};
const DRIVES = [
  ['floppy', 0],
  ['disk', 0],
  ['disk', 1],
  ['cdrom', 2],
] as const;

function portsOf(device: Device): number[] {
  return (device.ports ?? []).flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

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
      const [first, bytes] = random.pick([
        [0xa0000, 0x20000],
        [0xfee00000, 0x400],
        [0xfec00000, 0x20],
      ]);
      const address = first + random.below(bytes);
      const size = random.pick(SIZES);
      const value = rig.bus.memoryRead(address, size);
      rig.bus.memoryWrite(address, random.edgy(), size);
      return `memory ${value}`;
    }
    case 10: {
      const taken = rig.devices.serial0.receive(random.below(256)) && rig.devices.serial1.receive(random.below(256));
      return `${taken} ${rig.devices.keyboard.receive([random.below(256), random.below(256)])}`;
    }
    default: {
      const line = random.below(16);
      if (line !== 2) rig.devices.pic.irq(line).set(random.below(2) === 0);
      return rig.intr ? `vector ${rig.devices.pic.acknowledge()}` : '';
    }
  }
}

function saveAll(rig: Rig): { [name: string]: SavedState } {
  return Object.fromEntries(Object.entries(rig.devices).map(([name, device]) => [name, device.save()]));
}

/** Everything that can be compared from outside without changing anything. */
function observe(rig: Rig): unknown {
  return { saved: saveAll(rig), deadline: rig.timers.nextDeadline(), intr: rig.intr, screen: rig.devices.vga.screen() };
}

function restored(rig: Rig): Rig {
  const copy = createRig({ ...OPTIONS, now: rig.now, startOfTime: 0 });
  for (const [name, state] of Object.entries(saveAll(rig))) copy.devices[name as DeviceName].load(state);
  return copy;
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
    const claimed = new Set(Object.values(rig.devices).flatMap((device) => portsOf(device)));
    for (let port = 0; port < 0x10000; port++) assert.equal(rig.bus.portOwner(port) !== null, claimed.has(port));
  });

  for (const { name } of DEVICES) {
    it(`${name}: used, saved, loaded into a fresh one and saved again is equal, and behaves equally afterwards`, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const random = seeded(seed * 7919);
        const rig = createRig(OPTIONS);
        if (seed % 3 === 0) setUpPic(rig, [0, 1, 3, 4, 8]);
        const ports = [...portsOf(rig.devices[name]), ...portsOf(rig.devices[name]), ...portsOf(rig.devices.pic)];
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
      const rig = createRig(OPTIONS);
      const random = seeded(5);
      const before = rig.devices[name].save();
      const copy = structuredClone(before);
      for (let step = 0; step < 500; step++) act(rig, portsOf(rig.devices[name]), random);
      assert.deepEqual(before, copy);
      rig.devices[name].load(before);
      for (let step = 0; step < 500; step++) act(rig, portsOf(rig.devices[name]), random);
      assert.deepEqual(before, copy);
    });

    it(`${name}: refuses garbage with an error that names the field, and stays as it was`, () => {
      const rig = createRig(OPTIONS);
      const device = rig.devices[name];
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
          place[1](wrong as SavedValue);
          refuses(state, `field ${index}`);
        }
      }
    });

    it(`${name}: any state that load() accepts can be used and saved`, () => {
      const random = seeded(31);
      for (let round = 0; round < 30; round++) {
        const rig = createRig({ ...OPTIONS, now: 10_000_000 });
        const device = rig.devices[name];
        const state = device.save();
        for (const [value, replace] of places(state)) {
          if (typeof value === 'boolean') replace(random.below(2) === 0);
          else if (typeof value === 'number' && random.below(3) === 0) {
            const edge = random.pick([-1, 0, 1, 3, 4, 5, 7, 15, 255, 4095, 65535, 65536, 2 ** 53 - 1, random.below(10_000_000)]);
            replace(edge);
            try {
              rig.devices[name].load(state);
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
      const rig = createRig(OPTIONS);
      for (let step = 0; step < 300; step++) act(rig, portsOf(rig.devices[name]), random);
      rig.devices[name].reset();
      const first = rig.devices[name].save();
      rig.devices[name].reset();
      assert.deepEqual(rig.devices[name].save(), first);
    });
  }
});
