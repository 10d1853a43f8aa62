import { strict as assert } from 'node:assert';
import { set1OfSet2, set2OfSet1 } from '../../../src/vmm/devices/scanCodes.ts';
import { createRig, MICROSECOND, MILLISECOND, type Rig, setUpPic } from './rig.ts';

const BYTE = 100 * MICROSECOND;

function controller(rig: Rig, command: number, ...data: number[]): void {
  rig.out(0x64, command);
  rig.out(0x60, ...data);
}
const status = (rig: Rig): number => rig.in(0x64);
/** Reads whatever comes until nothing more does. */
function drain(rig: Rig): number[] {
  const bytes: number[] = [];
  for (;;) {
    rig.run(BYTE * 2);
    if ((status(rig) & 1) === 0) return bytes;
    bytes.push(rig.in(0x60));
  }
}
/** Answers to a byte for the keyboard, without translation. */
function keyboard(rig: Rig, ...bytes: number[]): number[] {
  return bytes.flatMap((value) => {
    rig.out(0x60, value);
    return drain(rig);
  });
}
function untranslated(): Rig {
  const rig = createRig();
  controller(rig, 0x60, 0x05);
  return rig;
}

describe('8042', () => {
  it('is after power-on as firmware leaves it: translating, interrupting, unlocked', () => {
    const rig = createRig();
    assert.equal(status(rig), 0x14);
    rig.out(0x64, 0x20);
    assert.equal(status(rig), 0x1d);
    assert.equal(rig.in(0x60), 0x65);
    assert.equal(status(rig), 0x1c);
  });

  it('status tells command from data', () => {
    const rig = createRig();
    rig.out(0x60, 0xee);
    assert.equal(status(rig) & 0x08, 0);
    rig.out(0x64, 0xae);
    assert.equal(status(rig) & 0x08, 0x08);
  });

  it('answers self test, keyboard test, password, input port and test inputs', () => {
    const rig = createRig();
    for (const [command, answer] of [
      [0xaa, 0x55],
      [0xab, 0x00],
      [0xa4, 0xf1],
      [0xc0, 0xa0],
      [0xe0, 0x00],
      [0xa9, 0x00],
    ]) {
      rig.out(0x64, command);
      assert.equal(rig.in(0x60), answer, command.toString(16));
    }
  });

  it('keeps 32 bytes of RAM', () => {
    const rig = createRig();
    for (let address = 1; address < 32; address++) controller(rig, 0x60 + address, address * 7);
    for (let address = 1; address < 32; address++) {
      rig.out(0x64, 0x20 + address);
      assert.equal(rig.in(0x60), (address * 7) & 0xff);
    }
  });

  it('opens and closes A20 by the output port and its two commands', () => {
    const rig = createRig();
    controller(rig, 0xd1, 0xdd);
    controller(rig, 0xd1, 0xdf);
    rig.out(0x64, 0xdd, 0xdf);
    assert.deepEqual(rig.pins, ['a20 closed', 'a20 open', 'a20 closed', 'a20 open']);
    rig.out(0x64, 0xd0);
    assert.equal(rig.in(0x60) & 0x03, 0x03);
  });

  it('resets the processor by FEh and by output port bit 0, not by other pulses', () => {
    const rig = createRig();
    rig.out(0x64, 0xff, 0xfd);
    assert.deepEqual(rig.pins, []);
    rig.out(0x64, 0xfe);
    controller(rig, 0xd1, 0xde);
    assert.deepEqual(rig.pins, ['reset', 'a20 open', 'reset']);
  });

  it('interrupts on IRQ 1 with a full buffer until it is read, when the command byte says so', () => {
    const rig = createRig();
    setUpPic(rig, [1]);
    rig.devices.keyboard.receive([0x1e]);
    assert.equal(rig.intr, false);
    rig.run(BYTE);
    assert.equal(rig.intr, true);
    assert.equal(rig.devices.pic.acknowledge(), 0x09);
    rig.out(0x20, 0x20);
    assert.equal(rig.in(0x60), 0x1e);
    controller(rig, 0x60, 0x44);
    rig.devices.keyboard.receive([0x9e]);
    rig.run(2 * BYTE);
    assert.equal(rig.intr, false);
    assert.equal(status(rig) & 1, 1);
    assert.equal(rig.in(0x60), 0x9e);
  });

  it('D2h puts a byte into the buffer as if the keyboard had sent it', () => {
    const rig = createRig();
    setUpPic(rig, [1]);
    controller(rig, 0xd2, 0x77);
    assert.equal(rig.intr, true);
    assert.equal(rig.in(0x60), 0x77);
  });

  it('holds the keyboard while it is disabled, and enables it when something is sent to it', () => {
    const rig = createRig();
    rig.out(0x64, 0xad);
    rig.devices.keyboard.receive([0x1e]);
    assert.deepEqual(drain(rig), []);
    rig.out(0x64, 0xae);
    assert.deepEqual(drain(rig), [0x1e]);
    rig.out(0x64, 0xad);
    assert.deepEqual(keyboard(rig, 0xee), [0xee]);
  });

  it('gives the guest the set 1 codes that the host gave, with translation', () => {
    const codes = [0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0xc1, 0x54, 0xd4, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5];
    const rig = createRig();
    rig.devices.keyboard.receive(codes);
    assert.deepEqual(drain(rig), codes);
    for (let code = 1; code < 0x7f; code++) {
      rig.devices.keyboard.receive([code, code | 0x80]);
      assert.deepEqual(drain(rig), [code, code | 0x80]);
    }
  });

  it('gives set 2 without translation, and set 1 when the keyboard is told', () => {
    const rig = untranslated();
    rig.devices.keyboard.receive([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41]);
    assert.deepEqual(drain(rig), [0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x83]);
    assert.deepEqual(keyboard(rig, 0xf0, 0x01), [0xfa, 0xfa]);
    rig.devices.keyboard.receive([0x1e, 0x9e]);
    assert.deepEqual(drain(rig), [0x1e, 0x9e]);
    assert.deepEqual(keyboard(rig, 0xf0, 0x00), [0xfa, 0xfa, 0x01]);
    assert.deepEqual(keyboard(rig, 0xf0, 0x03), [0xfa, 0xfe]);
  });

  it('translates every set 1 code back to itself', () => {
    for (let code = 1; code < 0x80; code++) assert.equal(set1OfSet2(set2OfSet1(code)), code);
  });

  it('keyboard: indicators, echo, identity, typematic, enable, resend, reset, unknown', () => {
    const rig = untranslated();
    assert.deepEqual(keyboard(rig, 0xed, 0x07), [0xfa, 0xfa]);
    assert.deepEqual(keyboard(rig, 0xee), [0xee]);
    assert.deepEqual(keyboard(rig, 0xf2), [0xfa, 0xab, 0x83]);
    assert.deepEqual(keyboard(rig, 0xfe), [0x83]);
    assert.deepEqual(keyboard(rig, 0xf3, 0x20), [0xfa, 0xfa]);
    assert.deepEqual(keyboard(rig, 0xf4), [0xfa]);
    assert.deepEqual(keyboard(rig, 0xff), [0xfa, 0xaa]);
    assert.deepEqual(keyboard(rig, 0xf7), [0xfe]);
    assert.deepEqual(keyboard(rig, 0xed, 0xf4), [0xfa, 0xfa], 'a command in place of an argument is a command');
    assert.deepEqual(keyboard(rig, 0x07), [0xfe]);
  });

  it('keyboard: F5 stops the keys, F4 and F6 start them, F6 and FF go back to set 2', () => {
    const rig = untranslated();
    keyboard(rig, 0xf5);
    assert.equal(rig.devices.keyboard.receive([0x1e]), true);
    assert.deepEqual(drain(rig), []);
    keyboard(rig, 0xf4);
    rig.devices.keyboard.receive([0x1e]);
    assert.deepEqual(drain(rig), [0x1c]);
    for (const command of [0xf6, 0xff]) {
      keyboard(rig, 0xf0, 0x01, command);
      rig.devices.keyboard.receive([0x1e]);
      assert.deepEqual(drain(rig), [0x1c]);
    }
  });

  it('keyboard: keys wait during a command with an argument', () => {
    const rig = untranslated();
    rig.out(0x60, 0xed);
    rig.devices.keyboard.receive([0x1e]);
    assert.deepEqual(drain(rig), [0xfa]);
    rig.out(0x60, 0x00);
    assert.deepEqual(drain(rig), [0xfa, 0x1c]);
  });

  it('takes all codes of a call or none', () => {
    const rig = createRig();
    rig.out(0x64, 0xad);
    const text = new Uint8Array(1000).fill(0x1e);
    let taken = 0;
    while (rig.devices.keyboard.receive(text)) taken++;
    assert.ok(taken >= 4);
    while (rig.devices.keyboard.receive([0x1f])) taken++;
    assert.equal(rig.devices.keyboard.receive([0xe0, 0xc8]), false);
    rig.out(0x64, 0xae);
    const read = drain(rig);
    assert.equal(read.indexOf(0x1f), read.lastIndexOf(0x1e) + 1);
    assert.equal(read.includes(0xe0), false);
    assert.equal(rig.devices.keyboard.receive([0xe0, 0xc8]), true);
  });

  it('a reset opens A20 and forgets keys', () => {
    const rig = createRig();
    rig.devices.keyboard.receive([0x1e]);
    rig.devices.keyboard.reset();
    rig.run(MILLISECOND);
    assert.equal(status(rig) & 1, 0);
    assert.deepEqual(rig.pins, ['a20 open']);
  });
});
