import { strict as assert } from 'node:assert';
import { createRig, MICROSECOND, MILLISECOND, type Rig, setUpPic } from './rig.ts';

const BASE = 0x3f8;
const CHARACTER = 10 * MICROSECOND;
const [IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR] = [1, 2, 2, 3, 4, 5, 6, 7];

const get = (rig: Rig, register: number): number => rig.in(BASE + register);
const set = (rig: Rig, register: number, ...values: number[]): void => rig.out(BASE + register, ...values);

/** Interrupts on: OUT2, FIFO control and interrupt enable as given. */
function ready(ier: number, fcr = 0): Rig {
  const rig = createRig();
  setUpPic(rig, [3, 4]);
  set(rig, FCR, fcr);
  set(rig, MCR, 0x0b);
  set(rig, IER, ier);
  return rig;
}
function type(rig: Rig, text: string): void {
  for (const letter of text) assert.equal(rig.devices.serial0.receive(letter.charCodeAt(0)), true);
}

describe('16550A', () => {
  it("has the data sheet's registers after a reset", () => {
    const rig = createRig();
    assert.deepEqual(
      [IER, IIR, LCR, MCR, LSR, MSR, SCR].map((register) => get(rig, register)),
      [0, 1, 3, 0, 0x60, 0xb0, 0],
    );
  });

  it('DLAB gives the divisor latch in place of data and IER', () => {
    const rig = createRig();
    set(rig, LCR, 0x83);
    set(rig, 0, 0x80);
    set(rig, 1, 0x25);
    assert.deepEqual([get(rig, 0), get(rig, 1), get(rig, LCR)], [0x80, 0x25, 0x83]);
    set(rig, LCR, 0x03);
    set(rig, IER, 0xff);
    assert.equal(get(rig, IER), 0x0f);
    assert.deepEqual(rig.sent.serial0, []);
    set(rig, SCR, 0xa5);
    assert.equal(get(rig, SCR), 0xa5);
  });

  it('sends at once, on the channel of its own port', () => {
    const rig = createRig();
    set(rig, 0, 0x48, 0x69);
    rig.out(0x2f8, 0x21);
    assert.deepEqual(rig.sent, { serial0: [0x48, 0x69], serial1: [0x21], debugcon: [], virtconsole: [] });
  });

  it('THRE goes when THR is written and comes back with time, TEMT after the character', () => {
    const rig = createRig();
    set(rig, 0, 0x41);
    assert.equal(get(rig, LSR) & 0x60, 0);
    rig.run(CHARACTER / 10);
    assert.equal(get(rig, LSR) & 0x60, 0x20);
    set(rig, 0, 0x42);
    rig.run(CHARACTER / 2);
    assert.equal(get(rig, LSR) & 0x60, 0, 'the second waits for the first');
    rig.run(CHARACTER / 2);
    assert.equal(get(rig, LSR) & 0x60, 0x20);
    rig.run(CHARACTER);
    assert.equal(get(rig, LSR) & 0x60, 0x60);
  });

  it('THRE waits for the whole FIFO, and a flood takes no longer than a full one', () => {
    const rig = createRig();
    set(rig, FCR, 0x01);
    set(rig, 0, ...Array<number>(4).fill(0x41));
    rig.run(2 * CHARACTER);
    assert.equal(get(rig, LSR) & 0x20, 0);
    rig.run(2 * CHARACTER);
    assert.equal(get(rig, LSR) & 0x20, 0x20);
    set(rig, 0, ...Array<number>(1000).fill(0x41));
    rig.run(18 * CHARACTER);
    assert.equal(get(rig, LSR) & 0x60, 0x60);
    assert.equal(rig.sent.serial0.length, 1004);
  });

  it('THRE interrupt: on enabling, cleared by IIR or THR, again when empty', () => {
    const rig = ready(0x02);
    assert.equal(rig.intr, true);
    assert.equal(get(rig, IIR), 0x02);
    assert.equal(get(rig, IIR), 0x01);
    assert.equal(rig.intr, false);
    set(rig, 0, 0x41);
    assert.equal(rig.intr, false);
    rig.run(CHARACTER);
    assert.equal(rig.intr, true);
    assert.equal(rig.devices.pic.acknowledge(), 0x0c);
    set(rig, 0, 0x42);
    assert.equal(get(rig, IIR), 0x01);
    set(rig, IER, 0);
    rig.run(2 * CHARACTER);
    assert.equal(get(rig, IIR), 0x01);
  });

  it("receives a byte after a character's time and interrupts until it is read", () => {
    const rig = ready(0x01);
    type(rig, 'a');
    assert.equal(get(rig, LSR) & 1, 0);
    rig.run(CHARACTER);
    assert.equal(rig.intr, true);
    assert.equal(get(rig, IIR), 0x04);
    assert.equal(get(rig, LSR) & 1, 1);
    assert.equal(get(rig, 0), 0x61);
    assert.equal(rig.intr, false);
    assert.equal(get(rig, LSR) & 1, 0);
    assert.equal(get(rig, 0), 0x61, 'RBR keeps what it had');
  });

  it('loses no input, however slowly the guest reads', () => {
    const rig = createRig();
    type(rig, 'hello');
    rig.run(MILLISECOND);
    let text = '';
    for (let step = 0; step < 5; step++) {
      assert.equal(get(rig, LSR) & 3, 1, 'data without overrun');
      text += String.fromCharCode(get(rig, 0));
      rig.run(CHARACTER);
    }
    assert.equal(text, 'hello');
    assert.equal(get(rig, LSR) & 1, 0);
  });

  it('says when its queue is full and takes bytes again after reading', () => {
    const rig = createRig();
    let taken = 0;
    while (rig.devices.serial0.receive(taken & 0xff)) taken++;
    assert.ok(taken >= 4096);
    rig.run(CHARACTER);
    assert.equal(get(rig, 0), 0);
    assert.equal(rig.devices.serial0.receive(1), true);
  });

  it("FIFO: interrupts at the trigger level, or four characters' time after the last", () => {
    for (const [fcr, level] of [
      [0x01, 1],
      [0x41, 4],
      [0x81, 8],
      [0xc1, 14],
    ]) {
      const rig = ready(0x01, fcr);
      assert.equal(get(rig, IIR), 0xc1);
      type(rig, 'x'.repeat(level));
      rig.run(CHARACTER * level - 1);
      assert.equal(rig.intr, false);
      rig.run(1);
      assert.equal(get(rig, IIR), 0xc4);
      get(rig, 0);
      if (level === 1) continue;
      assert.equal(get(rig, IIR), 0xc1);
      rig.run(4 * CHARACTER - 1);
      assert.equal(rig.intr, false);
      rig.run(1);
      assert.equal(rig.intr, true);
      assert.equal(get(rig, IIR), 0xcc);
      get(rig, 0);
      assert.equal(get(rig, IIR), 0xc1);
    }
  });

  it('FIFO: holds sixteen bytes, can be cleared, and disabling empties it', () => {
    const rig = ready(0x00, 0xc1);
    type(rig, 'abcdefghijklmnopqrst');
    rig.run(MILLISECOND);
    set(rig, FCR, 0xc3);
    assert.equal(get(rig, LSR) & 1, 0);
    rig.run(MILLISECOND);
    assert.equal(get(rig, 0), 'q'.charCodeAt(0));
    set(rig, FCR, 0);
    assert.equal(get(rig, LSR) & 1, 0);
    assert.equal(get(rig, IIR) & 0xc0, 0);
  });

  it('interrupts by priority: line status, data, THRE, modem status', () => {
    const rig = ready(0x0f);
    set(rig, MCR, 0x10);
    set(rig, 0, 0x31, 0x32);
    set(rig, MCR, 0x1b);
    rig.run(MILLISECOND);
    assert.equal(rig.intr, false, 'OUT2 is off in loopback');
    const seen: number[] = [];
    seen.push(get(rig, IIR));
    assert.equal(get(rig, LSR) & 0x02, 0x02);
    seen.push(get(rig, IIR));
    assert.equal(get(rig, 0), 0x32, 'RBR is overwritten');
    seen.push(get(rig, IIR), get(rig, IIR));
    get(rig, MSR);
    seen.push(get(rig, IIR));
    assert.deepEqual(seen, [0x06, 0x04, 0x02, 0x00, 0x01]);
  });

  it('loopback: returns what is sent, and the modem outputs as inputs, and nothing leaves', () => {
    const rig = createRig();
    set(rig, MCR, 0x10);
    get(rig, MSR);
    for (const [mcr, msr] of [
      [0x11, 0x20],
      [0x12, 0x10],
      [0x14, 0x40],
      [0x18, 0x80],
    ]) {
      set(rig, MCR, mcr);
      assert.equal(get(rig, MSR) & 0xf0, msr);
    }
    set(rig, MCR, 0x14);
    get(rig, MSR);
    set(rig, MCR, 0x10);
    assert.equal(get(rig, MSR), 0x04, 'trailing edge of RI');
    set(rig, 0, 0x5a);
    assert.equal(get(rig, 0), 0x5a);
    assert.deepEqual(rig.sent.serial0, []);
    type(rig, 'z');
    rig.run(MILLISECOND);
    assert.equal(get(rig, LSR) & 1, 0, 'the line is cut off');
    set(rig, MCR, 0);
    rig.run(CHARACTER);
    assert.equal(get(rig, 0), 0x7a);
  });

  it('loopback: a full FIFO keeps its bytes and notes the overrun', () => {
    const rig = createRig();
    set(rig, FCR, 0x01);
    set(rig, MCR, 0x10);
    for (let value = 0; value < 20; value++) set(rig, 0, value);
    assert.equal(get(rig, LSR) & 3, 3);
    assert.equal(get(rig, LSR) & 3, 1);
    for (let value = 0; value < 16; value++) assert.equal(get(rig, 0), value);
    assert.equal(get(rig, LSR) & 1, 0);
  });

  it('requests interrupts only with OUT2, on IRQ 4 and IRQ 3', () => {
    const rig = ready(0x02);
    assert.equal(rig.devices.pic.acknowledge(), 0x0c);
    rig.out(0x20, 0x20);
    set(rig, MCR, 0x03);
    set(rig, IER, 0);
    set(rig, IER, 2);
    assert.equal(rig.intr, false);
    assert.equal(get(rig, IIR), 0x02);
    rig.out(0x2fc, 0x08);
    rig.out(0x2f9, 0x02);
    assert.equal(rig.devices.pic.acknowledge(), 0x0b);
  });

  it('a reset keeps what the host has typed', () => {
    const rig = createRig();
    type(rig, 'k');
    rig.devices.serial0.reset();
    rig.run(CHARACTER);
    assert.equal(get(rig, 0), 0x6b);
  });
});
