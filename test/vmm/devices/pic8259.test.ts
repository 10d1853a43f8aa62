import { strict as assert } from 'node:assert';
import type { SavedState } from '../../../src/vmm/device.ts';
import { createRig, type Rig, setUpPic } from './rig.ts';

const EOI = 0x20;

function ready(...enabled: number[]): Rig {
  const rig = createRig();
  setUpPic(rig, enabled);
  return rig;
}
const raise = (rig: Rig, line: number): void => rig.devices.pic.irq(line).set(true);
const lower = (rig: Rig, line: number): void => rig.devices.pic.irq(line).set(false);
const pulse = (rig: Rig, line: number): void => {
  lower(rig, line);
  raise(rig, line);
};
const acknowledge = (rig: Rig): number => rig.devices.pic.acknowledge();
const irr = (rig: Rig, port = 0x20): number => {
  rig.out(port, 0x0a);
  return rig.in(port);
};
const isr = (rig: Rig, port = 0x20): number => {
  rig.out(port, 0x0b);
  return rig.in(port);
};

describe('8259A', () => {
  it('lets nothing through before its initialisation', () => {
    const rig = createRig();
    for (let line = 0; line < 16; line++) if (line !== 2) raise(rig, line);
    assert.equal(rig.intr, false);
  });

  it('gives ICW2 plus level for each line of master and slave', () => {
    for (let line = 0; line < 16; line++) {
      if (line === 2) continue;
      const rig = ready(line);
      raise(rig, line);
      assert.equal(rig.intr, true);
      assert.equal(acknowledge(rig), line < 8 ? 0x08 + line : 0x70 + line - 8);
      assert.equal(rig.intr, false);
      assert.equal(isr(rig), line < 8 ? 1 << line : 4);
      assert.equal(isr(rig, 0xa0), line < 8 ? 0 : 1 << (line - 8));
    }
    assert.throws(() => createRig().devices.pic.irq(2), RangeError);
    assert.throws(() => createRig().devices.pic.irq(16), RangeError);
  });

  it('keeps a masked request until it is unmasked', () => {
    const rig = ready();
    raise(rig, 5);
    assert.equal(rig.intr, false);
    assert.equal(irr(rig), 0x20);
    rig.out(0x21, 0xdf);
    assert.equal(rig.intr, true);
    assert.equal(rig.in(0x21), 0xdf);
  });

  it('serves lower levels first and blocks equal and higher ones until EOI', () => {
    const rig = ready(1, 3, 4);
    raise(rig, 4);
    raise(rig, 3);
    assert.equal(acknowledge(rig), 0x0b);
    assert.equal(rig.intr, false);
    raise(rig, 1);
    assert.equal(rig.intr, true);
    assert.equal(acknowledge(rig), 0x09);
    assert.equal(isr(rig), 0x0a);
    rig.out(0x20, EOI);
    assert.equal(isr(rig), 0x08);
    assert.equal(rig.intr, false);
    rig.out(0x20, EOI);
    assert.equal(rig.intr, true);
    assert.equal(acknowledge(rig), 0x0c);
  });

  it('slave levels rank between IRQ 1 and IRQ 3', () => {
    const rig = ready(1, 3, 9, 14);
    for (const line of [3, 14, 9]) raise(rig, line);
    assert.equal(acknowledge(rig), 0x71);
    raise(rig, 1);
    assert.equal(acknowledge(rig), 0x09);
    rig.out(0x20, EOI);
    rig.out(0xa0, EOI);
    rig.out(0x20, EOI);
    assert.equal(acknowledge(rig), 0x76);
    rig.out(0xa0, EOI);
    rig.out(0x20, EOI);
    assert.equal(acknowledge(rig), 0x0b);
  });

  it('an edge counts once; a line that stays up does not interrupt again', () => {
    const rig = ready(4);
    raise(rig, 4);
    acknowledge(rig);
    rig.out(0x20, EOI);
    assert.equal(rig.intr, false);
    pulse(rig, 4);
    assert.equal(rig.intr, true);
  });

  it('a level-triggered line (ELCR) interrupts again until it goes down', () => {
    const rig = ready(5);
    rig.out(0x4d0, 0xff);
    assert.equal(rig.in(0x4d0), 0xf8);
    rig.out(0x4d1, 0xff);
    assert.equal(rig.in(0x4d1), 0xde);
    raise(rig, 5);
    assert.equal(acknowledge(rig), 0x0d);
    assert.equal(rig.intr, false);
    rig.out(0x20, EOI);
    assert.equal(rig.intr, true);
    lower(rig, 5);
    assert.equal(rig.intr, false);
  });

  it('ICW1 clears edges but not level-triggered lines that are up', () => {
    const rig = ready(4, 5);
    rig.out(0x4d0, 0x20);
    raise(rig, 4);
    raise(rig, 5);
    setUpPic(rig, [4, 5]);
    assert.equal(irr(rig), 0x20);
    assert.equal(acknowledge(rig), 0x0d);
  });

  it('a request that is gone at the acknowledge is spurious IRQ 7, without an ISR bit', () => {
    const rig = ready(4);
    raise(rig, 4);
    lower(rig, 4);
    assert.equal(rig.intr, false);
    assert.equal(acknowledge(rig), 0x0f);
    assert.equal(isr(rig), 0);
  });

  it('a slave without a request at the acknowledge gives IRQ 15, with IR2 in service on the master', () => {
    const rig = ready(9);
    const state = rig.devices.pic.save() as { chips: { irr: number; lines: number }[] };
    state.chips[0].irr = state.chips[0].lines = 0x04;
    rig.devices.pic.load(state as unknown as SavedState);
    assert.equal(rig.intr, true);
    assert.equal(acknowledge(rig), 0x77);
    assert.equal(isr(rig), 0x04);
    assert.equal(isr(rig, 0xa0), 0);
  });

  it('polling the slave withdraws what it asked of the master', () => {
    const rig = ready(9);
    raise(rig, 9);
    assert.equal(rig.intr, true);
    rig.out(0xa0, 0x0c);
    assert.equal(rig.in(0xa0), 0x81);
    assert.equal(rig.intr, false);
    assert.equal(isr(rig, 0xa0), 0x02);
  });

  it('specific EOI ends its level, non-specific EOI the highest', () => {
    const rig = ready(0, 1, 3);
    raise(rig, 3);
    acknowledge(rig);
    raise(rig, 1);
    acknowledge(rig);
    rig.out(0x20, 0x63);
    assert.equal(isr(rig), 0x02);
    rig.out(0x20, EOI);
    assert.equal(isr(rig), 0);
    rig.out(0x20, EOI);
    assert.equal(isr(rig), 0);
  });

  it('rotate on EOI puts the ended level last; set priority puts any level last', () => {
    const rig = ready(0, 3, 4, 6);
    raise(rig, 3);
    acknowledge(rig);
    rig.out(0x20, 0xa0);
    raise(rig, 0);
    raise(rig, 4);
    assert.equal(acknowledge(rig), 0x0c, 'level 4 is highest after 3 rotated');
    rig.out(0x20, EOI);
    rig.out(0x20, 0xc5);
    raise(rig, 6);
    assert.equal(acknowledge(rig), 0x0e, 'level 6 is highest after 5');
    rig.out(0x20, 0xe6);
    assert.equal(acknowledge(rig), 0x08);
  });

  it('automatic EOI leaves no ISR bit and rotates when told', () => {
    const rig = ready();
    rig.out(0x20, 0x11);
    rig.out(0x21, 0x08, 0x04, 0x03, 0x00);
    rig.out(0x20, 0x80);
    raise(rig, 1);
    raise(rig, 3);
    assert.equal(acknowledge(rig), 0x09);
    assert.equal(isr(rig), 0);
    pulse(rig, 1);
    assert.equal(acknowledge(rig), 0x0b, 'level 1 is lowest after rotation');
    assert.equal(acknowledge(rig), 0x09);
    rig.out(0x20, 0x00);
    pulse(rig, 3);
    pulse(rig, 1);
    assert.equal(acknowledge(rig), 0x0b, 'no rotation any more: 1 stays lowest');
    pulse(rig, 3);
    assert.equal(acknowledge(rig), 0x0b);
  });

  it('special mask mode lets every unmasked level but the one in service through', () => {
    const rig = ready(3, 5);
    raise(rig, 3);
    acknowledge(rig);
    raise(rig, 5);
    assert.equal(rig.intr, false);
    rig.out(0x20, 0x68);
    rig.out(0x21, rig.in(0x21) | 0x08);
    assert.equal(rig.intr, true);
    assert.equal(acknowledge(rig), 0x0d);
    rig.out(0x20, EOI);
    assert.equal(isr(rig), 0x08, 'a masked level is not ended by non-specific EOI');
    rig.out(0x20, 0x48);
    rig.out(0x20, EOI);
    assert.equal(isr(rig), 0);
  });

  it('special fully nested mode lets higher slave levels interrupt lower ones', () => {
    const rig = ready(8, 14);
    const nested = (mode: number): boolean => {
      rig.out(0x20, 0x11);
      rig.out(0x21, 0x08, 0x04, mode, 0xfb);
      rig.out(0xa0, 0x11);
      rig.out(0xa1, 0x70, 0x02, 0x01, 0xbe);
      lower(rig, 8);
      pulse(rig, 14);
      assert.equal(acknowledge(rig), 0x76);
      raise(rig, 8);
      return rig.intr;
    };
    assert.equal(nested(0x01), false);
    assert.equal(nested(0x11), true);
    assert.equal(acknowledge(rig), 0x70);
  });

  it('a slave with automatic EOI and two requests interrupts twice', () => {
    const rig = ready();
    rig.out(0xa0, 0x11);
    rig.out(0xa1, 0x70, 0x02, 0x03, 0x00);
    rig.out(0x21, 0x00);
    raise(rig, 9);
    raise(rig, 10);
    assert.equal(acknowledge(rig), 0x71);
    rig.out(0x20, EOI);
    assert.equal(rig.intr, true);
    assert.equal(acknowledge(rig), 0x72);
  });

  it('a poll command acknowledges by the next read', () => {
    const rig = ready(3);
    rig.out(0x20, 0x0c);
    assert.equal(rig.in(0x20) & 0x80, 0);
    raise(rig, 3);
    rig.out(0x20, 0x0c);
    assert.equal(rig.in(0x20), 0x83);
    assert.equal(rig.intr, false);
    assert.equal(isr(rig), 0x08);
  });

  it('single mode skips ICW3, absent IC4 skips ICW4 and clears its bits', () => {
    const rig = createRig();
    rig.out(0x20, 0x13);
    rig.out(0x21, 0x40, 0x03, 0xfe);
    assert.equal(rig.in(0x21), 0xfe);
    raise(rig, 0);
    assert.equal(acknowledge(rig), 0x40);
    assert.equal(isr(rig), 0, 'automatic EOI of ICW4');
    rig.out(0x20, 0x12);
    rig.out(0x21, 0x50, 0xfe);
    pulse(rig, 0);
    assert.equal(acknowledge(rig), 0x50);
    assert.equal(isr(rig), 1);
  });

  it('ICW2 gives the upper five bits of the vector only', () => {
    const rig = createRig();
    rig.out(0x20, 0x11);
    rig.out(0x21, 0x4f, 0x04, 0x01, 0x00);
    raise(rig, 1);
    assert.equal(acknowledge(rig), 0x49);
  });
});
