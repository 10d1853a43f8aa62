import { strict as assert } from 'node:assert';
import { createRig, type Rig, SECOND, setUpPic } from './rig.ts';

const BASE = 0x600;
/** As the firmware leaves it: registers at 600h, interrupt 9 level-triggered and unmasked. */
function powered(): Rig {
  const rig = createRig();
  setUpPic(rig, [9]);
  rig.out(0x4d1, 0x02);
  rig.bus.portWrite(0xcf8, 0x80000b40, 4);
  rig.bus.portWrite(0xcfc, BASE, 4);
  rig.bus.portWrite(0xcf8, 0x80000b80, 4);
  rig.out(0xcfc, 1);
  return rig;
}
const word = (rig: Rig, offset: number): number => rig.bus.portRead(BASE + offset, 2);
const set = (rig: Rig, offset: number, value: number): void => rig.bus.portWrite(BASE + offset, value, 2);

describe('PIIX4 power management', () => {
  it('is nowhere until its base is set and turned on', () => {
    const rig = createRig();
    assert.equal(rig.bus.portOwner(BASE), null);
    rig.bus.portWrite(0xcf8, 0x80000b40, 4);
    rig.bus.portWrite(0xcfc, 0xfff0, 4);
    assert.equal(rig.bus.portRead(0xcfc, 4), 0xffc1);
    assert.equal(rig.bus.portOwner(0xffc0), null);
    assert.equal(powered().bus.portOwner(BASE + 63), 'piix4Pm');
  });

  it('switches off by a word or a byte with sleep type 0, and only then', () => {
    const rig = powered();
    for (const value of [0x0001, 0x1c01, 0x2400]) set(rig, 4, value);
    assert.deepEqual([rig.pins, word(rig, 4)], [[], 0x0400]);
    set(rig, 4, 0x2001);
    rig.out(BASE + 5, 0x20);
    assert.deepEqual([rig.pins, word(rig, 4)], [['power off', 'power off'], 1]);
  });

  it('counts 24 bits at 3.579545 MHz', () => {
    const rig = powered();
    rig.run(SECOND);
    assert.equal(rig.bus.portRead(BASE + 8, 4), 3579545);
    rig.run(4 * SECOND);
    assert.equal(rig.bus.portRead(BASE + 8, 4), (5 * 3579545) % 2 ** 24);
  });

  it('interrupts when the highest bit of the timer changes, until the event is cleared', () => {
    const rig = powered();
    set(rig, 2, 1);
    rig.run(2.34 * SECOND);
    assert.deepEqual([rig.intr, word(rig, 0)], [false, 0]);
    rig.run(0.01 * SECOND);
    assert.deepEqual([rig.acknowledge(), word(rig, 0)], [0x71, 1]);
    set(rig, 0, 1);
    rig.out(0xa0, 0x20);
    rig.out(0x20, 0x20);
    assert.deepEqual([rig.intr, word(rig, 0)], [false, 0]);
    rig.run(2.35 * SECOND);
    assert.equal(rig.intr, true);
  });

  it('tells of the power button, at once or when it is enabled later', () => {
    const rig = powered();
    rig.devices.piix4Pm.pressPowerButton();
    assert.deepEqual([rig.intr, word(rig, 0)], [false, 0x100]);
    set(rig, 2, 0x100);
    assert.equal(rig.acknowledge(), 0x71);
    set(rig, 0, 0x100);
    assert.equal(word(rig, 0), 0);
    assert.deepEqual(rig.pins, [], 'it is a question, not an order');
  });
});
