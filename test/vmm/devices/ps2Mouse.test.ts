import { strict as assert } from 'node:assert';
import { seeded } from '../../support/random.ts';
import { createRig, MICROSECOND, MILLISECOND, type Rig, setUpPic } from './rig.ts';

const BYTE = 100 * MICROSECOND;
const STILL = { x: 0, y: 0, wheel: 0, buttons: 0 };

/** Reads whatever comes until nothing more does; only the mouse may send. */
function drain(rig: Rig): number[] {
  const bytes: number[] = [];
  for (;;) {
    rig.run(200 * MILLISECOND);
    const status = rig.in(0x64);
    if ((status & 1) === 0) return bytes;
    assert.equal(status & 0x20, 0x20);
    bytes.push(rig.in(0x60));
  }
}
/** Sends bytes to the mouse; gives what it answers. */
function mouse(rig: Rig, ...values: number[]): number[] {
  return values.flatMap((value) => {
    rig.out(0x64, 0xd4);
    rig.out(0x60, value);
    return drain(rig);
  });
}
function enabled(...before: number[]): Rig {
  const rig = createRig();
  mouse(rig, ...before, 0xf4);
  return rig;
}

describe('PS/2 mouse', () => {
  it('passes its tests, identifies as a plain mouse and tells its settings', () => {
    const rig = createRig();
    rig.out(0x64, 0xa9);
    assert.equal(rig.in(0x60), 0);
    assert.deepEqual(mouse(rig, 0xff), [0xfa, 0xaa, 0x00]);
    assert.deepEqual(mouse(rig, 0xf2), [0xfa, 0x00]);
    assert.deepEqual(mouse(rig, 0xe9), [0xfa, 0x00, 2, 100]);
    assert.deepEqual(mouse(rig, 0xe8, 3, 0xf3, 60, 0xe7, 0xf4), [0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa]);
    rig.devices.keyboard.move({ ...STILL, buttons: 5 });
    drain(rig);
    assert.deepEqual(mouse(rig, 0xe9), [0xfa, 0x36, 3, 60]);
    assert.deepEqual(mouse(rig, 0xf6, 0xe9), [0xfa, 0xfa, 0x06, 2, 100]);
  });

  it('refuses what it does not know and values that are none', () => {
    const rig = createRig();
    assert.deepEqual(mouse(rig, 0xe5), [0xfe]);
    assert.deepEqual(mouse(rig, 0xf3, 55), [0xfa, 0xfc]);
    assert.deepEqual(mouse(rig, 0xe8, 4), [0xfa, 0xfc]);
  });

  it('says nothing before it is enabled, and forgets what happened until then', () => {
    const rig = createRig();
    rig.out(0x64, 0xa8);
    rig.devices.keyboard.move({ ...STILL, x: 5 });
    assert.deepEqual(drain(rig), []);
    assert.deepEqual(mouse(rig, 0xf4), [0xfa]);
    rig.devices.keyboard.move({ ...STILL, x: 3, y: 2, buttons: 1 });
    assert.deepEqual(drain(rig), [0x29, 3, 0xfe]);
  });

  it('adds up what one packet cannot hold', () => {
    const rig = enabled();
    rig.devices.keyboard.move({ ...STILL, x: -300, y: -300 });
    assert.deepEqual(drain(rig), [0x18, 0x01, 0xff, 0x18, 0xd3, 45]);
  });

  it('sends no more packets than the sample rate says', () => {
    const rig = enabled(0xf3, 10);
    let packets = 0;
    for (let n = 0; n < 1000; n++) {
      rig.devices.keyboard.move({ ...STILL, x: 1 });
      rig.run(MILLISECOND);
      while (rig.in(0x64) & 1) {
        rig.in(0x60);
        packets++;
        rig.run(2 * BYTE);
      }
    }
    assert.ok(packets >= 27 && packets <= 36, `${packets} bytes`);
  });

  it('has a wheel after the rates 200, 100, 80, and five buttons after 200, 200, 80', () => {
    const rig = enabled(0xf3, 200, 0xf3, 100, 0xf3, 80);
    assert.deepEqual(mouse(rig, 0xf2), [0xfa, 3]);
    rig.devices.keyboard.move({ ...STILL, wheel: -1 });
    assert.deepEqual(drain(rig), [0x08, 0, 0, 0xff]);
    mouse(rig, 0xf3, 200, 0xf3, 200, 0xf3, 80);
    assert.deepEqual(mouse(rig, 0xf2), [0xfa, 4]);
    rig.devices.keyboard.move({ ...STILL, wheel: -1, buttons: 0x18 });
    assert.deepEqual(drain(rig), [0x08, 0, 0, 0x3f]);
    assert.deepEqual(mouse(rig, 0xff, 0xf2), [0xfa, 0xaa, 0, 0xfa, 0]);
  });

  it('waits to be asked in remote mode, and gives back what it gets in wrap mode', () => {
    const rig = enabled(0xf0);
    rig.devices.keyboard.move({ ...STILL, x: 9 });
    assert.deepEqual(drain(rig), []);
    assert.deepEqual(mouse(rig, 0xeb), [0xfa, 0x08, 9, 0]);
    mouse(rig, 0xea, 0xee);
    assert.deepEqual(mouse(rig, 0x55, 0xf4), [0x55, 0xf4]);
    assert.deepEqual(mouse(rig, 0xec, 0xf2), [0xfa, 0xfa, 0]);
  });

  it('interrupts on IRQ 12 when the command byte says so, and not on IRQ 1', () => {
    const rig = enabled();
    setUpPic(rig, [1, 12]);
    rig.devices.keyboard.move({ ...STILL, x: 1 });
    rig.run(20 * MILLISECOND);
    assert.equal(rig.intr, false);
    rig.out(0x64, 0x60);
    rig.out(0x60, 0x47);
    assert.equal(rig.intr, true);
    assert.equal(rig.acknowledge(), 0x74);
    rig.in(0x60);
    rig.out(0x64, 0xd3);
    rig.out(0x60, 0x99);
    assert.equal(rig.in(0x64) & 0x21, 0x21, 'D3h puts a byte into the buffer as if the mouse had sent it');
    assert.equal(rig.in(0x60), 0x99);
  });

  it('is held while its interface is disabled, as the keyboard is by its own', () => {
    const rig = enabled();
    rig.out(0x64, 0xa7);
    rig.devices.keyboard.move({ ...STILL, x: 1 });
    rig.devices.keyboard.receive([0x1e]);
    rig.run(20 * MILLISECOND);
    assert.deepEqual([rig.in(0x64) & 0x21, rig.in(0x60)], [0x01, 0x1e]);
    rig.out(0x64, 0xad);
    rig.out(0x64, 0xa8);
    rig.devices.keyboard.receive([0x1f]);
    assert.deepEqual(drain(rig), [0x08, 1, 0]);
  });

  it('keeps to its protocol whatever it is told: a million accesses', () => {
    const rig = createRig(),
      random = seeded(12);
    for (let n = 0; n < 1_000_000; n++) {
      switch (random.below(6)) {
        case 0:
          rig.out(0x64, random.below(3) ? 0xd4 : random.below(0xf0));
          break;
        case 1:
        case 2:
          rig.out(0x60, random.below(2) ? 0xe6 + random.below(26) : random.below(256));
          break;
        case 3:
          rig.devices.keyboard.move({
            x: random.below(0x10000) - 0x8000,
            y: random.below(64) - 32,
            wheel: random.below(9) - 4,
            buttons: random.below(256),
          });
          break;
        case 4:
          assert.ok(rig.in(0x60) <= 0xff && rig.in(0x64) <= 0xff);
          break;
        default:
          rig.run(random.below(20) * BYTE);
      }
      if (n % 50_000 === 0) rig.devices.keyboard.load(rig.devices.keyboard.save());
    }
    // The keyboard says nothing any more; what is left of before is read.
    rig.out(0x64, 0xad);
    rig.in(0x60);
    rig.out(0x64, 0xd4);
    rig.out(0x60, 0xff);
    drain(rig);
    assert.deepEqual(mouse(rig, 0xff, 0xf4), [0xfa, 0xaa, 0, 0xfa]);
    rig.devices.keyboard.move({ ...STILL, x: 2 });
    assert.deepEqual(drain(rig), [0x08, 2, 0]);
  }).timeout(60_000);
});
