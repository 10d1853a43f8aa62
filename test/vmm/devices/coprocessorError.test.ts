import { strict as assert } from 'node:assert';
import { createRig, type Rig, setUpPic } from './rig.ts';

/** Rotated through the slave: vector of IRQ 13. */
const VECTOR = 0x75;
function taken(rig: Rig): number {
  const vector = rig.devices.pic.acknowledge();
  rig.out(0xa0, 0x20);
  rig.out(0x20, 0x20);
  return vector;
}
function rig(): Rig {
  const made = createRig();
  setUpPic(made, [13]);
  return made;
}

describe('coprocessor error logic', () => {
  it('requests IRQ 13 when FERR# is asserted', () => {
    const r = rig();
    assert.equal(r.intr, false);
    r.devices.coprocessorError.ferr(true);
    assert.equal(r.intr, true);
    assert.equal(taken(r), VECTOR);
    assert.equal(r.intr, false);
  });
  it('keeps the request when FERR# goes before anybody looked', () => {
    const r = rig();
    r.devices.coprocessorError.ferr(true);
    r.devices.coprocessorError.ferr(false);
    assert.equal(r.intr, true);
  });
  it('takes the request back at a write to F0h and holds IGNNE# until FERR# goes', () => {
    const r = rig();
    r.devices.coprocessorError.ferr(true);
    r.out(0xf0, 0);
    assert.equal(r.intr, false);
    assert.deepEqual(r.pins, ['ignne on']);
    r.devices.coprocessorError.ferr(false);
    assert.deepEqual(r.pins, ['ignne on', 'ignne off']);
  });
  it('asserts no IGNNE# while no exception waits', () => {
    const r = rig();
    r.out(0xf0, 0);
    r.out(0xf1, 0);
    assert.deepEqual(r.pins, []);
  });
  it('requests again for the next exception', () => {
    const r = rig();
    for (let n = 0; n < 2; n++) {
      r.devices.coprocessorError.ferr(true);
      assert.equal(taken(r), VECTOR);
      r.out(0xf0, 0);
      r.devices.coprocessorError.ferr(false);
    }
  });
  it('asserts IGNNE# again when a state with it is loaded', () => {
    const r = rig();
    r.devices.coprocessorError.ferr(true);
    r.out(0xf0, 0);
    const state = r.devices.coprocessorError.save();
    const other = rig();
    other.devices.coprocessorError.load(state);
    assert.deepEqual(other.pins, ['ignne on']);
    other.devices.coprocessorError.ferr(false);
    assert.deepEqual(other.pins, ['ignne on', 'ignne off']);
  });
});
