import { strict as assert } from 'node:assert';
import { derivedClock } from '../../../src/vmm/timers.ts';
import { createRig, type Rig, SECOND, setUpPic } from './rig.ts';

const CONTROL = 0x43;
const clock = derivedClock(1_193_182);

/** A machine whose clock stands exactly on a tick of the counters' clock. */
function atTick(tick = 1000): Rig {
  return createRig({ now: clock.cycle(tick) });
}
function ticks(rig: Rig, count: number): void {
  rig.run(clock.cycle(clock.ticks(rig.now) + count) - rig.now);
}
/** Control word for a counter: low then high byte. */
function program(rig: Rig, counter: number, mode: number, count: number, bcd = 0): void {
  rig.out(CONTROL, (counter << 6) | 0x30 | (mode << 1) | bcd);
  rig.out(0x40 + counter, count & 0xff, count >> 8);
}
function count(rig: Rig, counter: number): number {
  rig.out(CONTROL, counter << 6);
  return rig.in(0x40 + counter) | (rig.in(0x40 + counter) << 8);
}
function status(rig: Rig, counter: number): number {
  rig.out(CONTROL, 0xe0 | (2 << counter));
  return rig.in(0x40 + counter);
}
const out = (rig: Rig, counter: number): number => status(rig, counter) >> 7;
/** OUT and count at each of the next clock ticks. */
function trace(rig: Rig, counter: number, length: number): string {
  const steps: string[] = [];
  for (let step = 0; step < length; step++) {
    ticks(rig, 1);
    steps.push(`${out(rig, counter) ? 'H' : 'L'}${count(rig, counter)}`);
  }
  return steps.join(' ');
}
const gate = (rig: Rig, level: 0 | 1): void => rig.out(0x61, level);

describe('8254', () => {
  it('mode 0: OUT goes low with the control word and high when the count is over', () => {
    const rig = atTick();
    program(rig, 0, 0, 4);
    assert.equal(out(rig, 0), 0);
    assert.equal(trace(rig, 0, 7), 'L4 L3 L2 L1 H0 H65535 H65534');
    rig.out(0x40, 3);
    assert.equal(out(rig, 0), 0, 'the first byte of a new count stops it');
    const stopped = count(rig, 0);
    ticks(rig, 5);
    assert.equal(count(rig, 0), stopped);
    rig.out(0x40, 0);
    assert.equal(trace(rig, 0, 4), 'L3 L2 L1 H0');
  });

  it('mode 0: GATE low stops the counting', () => {
    const rig = atTick();
    gate(rig, 1);
    program(rig, 2, 0, 4);
    assert.equal(trace(rig, 2, 2), 'L4 L3');
    gate(rig, 0);
    assert.equal(trace(rig, 2, 3), 'L3 L3 L3');
    gate(rig, 1);
    assert.equal(trace(rig, 2, 3), 'L2 L1 H0');
  });

  it('mode 1: a trigger starts a low pulse of N ticks and restarts it', () => {
    const rig = atTick();
    program(rig, 2, 1, 3);
    ticks(rig, 5);
    assert.equal(out(rig, 2), 1);
    gate(rig, 1);
    assert.equal(trace(rig, 2, 5), 'L3 L2 L1 H0 H65535');
    gate(rig, 0);
    gate(rig, 1);
    assert.equal(trace(rig, 2, 2), 'L3 L2');
    gate(rig, 0);
    gate(rig, 1);
    assert.equal(trace(rig, 2, 4), 'L3 L2 L1 H0');
  });

  it('mode 2: one low tick at the end of every N', () => {
    const rig = atTick();
    program(rig, 0, 2, 4);
    assert.equal(trace(rig, 0, 9), 'H4 H3 H2 L1 H4 H3 H2 L1 H4');
  });

  it('mode 2: a new count takes effect at the end of the period', () => {
    const rig = atTick();
    program(rig, 0, 2, 4);
    assert.equal(trace(rig, 0, 2), 'H4 H3');
    rig.out(0x40, 3, 0);
    assert.equal(status(rig, 0) & 0x40, 0x40, 'null count until then');
    assert.equal(trace(rig, 0, 6), 'H2 L1 H3 H2 L1 H3');
    assert.equal(status(rig, 0) & 0x40, 0);
  });

  it('mode 2: GATE low makes OUT high at once, GATE high starts a period', () => {
    const rig = atTick();
    gate(rig, 1);
    program(rig, 2, 2, 3);
    assert.equal(trace(rig, 2, 3), 'H3 H2 L1');
    gate(rig, 0);
    assert.equal(out(rig, 2), 1);
    assert.equal(trace(rig, 2, 2), 'H1 H1');
    gate(rig, 1);
    assert.equal(trace(rig, 2, 4), 'H3 H2 L1 H3');
  });

  it('mode 3: a square wave that counts by two, an odd count high for one tick more', () => {
    const even = atTick();
    program(even, 0, 3, 4);
    assert.equal(trace(even, 0, 9), 'H4 H2 L4 L2 H4 H2 L4 L2 H4');
    const odd = atTick();
    program(odd, 0, 3, 5);
    assert.equal(trace(odd, 0, 8), 'H4 H2 H0 L4 L2 H4 H2 H0');
  });

  it('mode 3: a new count takes effect at the end of the half cycle', () => {
    const rig = atTick();
    program(rig, 0, 3, 6);
    assert.equal(trace(rig, 0, 1), 'H6');
    rig.out(0x40, 4, 0);
    assert.equal(trace(rig, 0, 7), 'H4 H2 L4 L2 H4 H2 L4');
  });

  it('mode 4: one low tick after the count, and no more', () => {
    const rig = atTick();
    program(rig, 0, 4, 3);
    assert.equal(out(rig, 0), 1);
    assert.equal(trace(rig, 0, 6), 'H3 H2 H1 L0 H65535 H65534');
  });

  it('mode 5: the same after a trigger', () => {
    const rig = atTick();
    program(rig, 2, 5, 2);
    ticks(rig, 4);
    gate(rig, 1);
    assert.equal(trace(rig, 2, 4), 'H2 H1 L0 H65535');
  });

  it('takes modes 6 and 7 for 2 and 3', () => {
    const rig = atTick();
    rig.out(CONTROL, 0x3c);
    assert.equal((status(rig, 0) >> 1) & 7, 2);
    rig.out(CONTROL, 0x3e);
    assert.equal((status(rig, 0) >> 1) & 7, 3);
  });

  it('counts in BCD when told', () => {
    const rig = atTick();
    program(rig, 0, 0, 0x0102, 1);
    ticks(rig, 1);
    assert.equal(count(rig, 0), 0x0102);
    ticks(rig, 3);
    assert.equal(count(rig, 0), 0x0099);
    ticks(rig, 100);
    assert.equal(count(rig, 0), 0x9999);
    program(rig, 0, 2, 0, 1);
    ticks(rig, 2);
    assert.equal(count(rig, 0), 0x9999, 'zero is 10,000');
  });

  it('takes a zero count for 65,536', () => {
    const rig = atTick();
    program(rig, 0, 2, 0);
    ticks(rig, 1);
    assert.equal(count(rig, 0), 0);
    ticks(rig, 1);
    assert.equal(count(rig, 0), 65535);
    ticks(rig, 65535);
    assert.equal(count(rig, 0), 0);
  });

  it('reads and writes one byte or two as the control word says', () => {
    const rig = atTick();
    rig.out(CONTROL, 0x14);
    rig.out(0x40, 200);
    ticks(rig, 11);
    assert.deepEqual([rig.in(0x40), rig.in(0x40)], [190, 190]);
    rig.out(CONTROL, 0x24);
    rig.out(0x40, 2);
    ticks(rig, 1);
    assert.deepEqual([rig.in(0x40), rig.in(0x40)], [2, 2]);
    ticks(rig, 1);
    assert.equal(rig.in(0x40), 1);
  });

  it('keeps a latched count until it has been read, ignoring later latches', () => {
    const rig = atTick();
    program(rig, 0, 2, 1000);
    ticks(rig, 1);
    rig.out(CONTROL, 0x00);
    ticks(rig, 10);
    rig.out(CONTROL, 0x00);
    assert.equal(rig.in(0x40) | (rig.in(0x40) << 8), 1000);
    assert.equal(rig.in(0x40) | (rig.in(0x40) << 8), 990);
  });

  it('read-back latches status before count, for several counters', () => {
    const rig = atTick();
    program(rig, 0, 3, 0x1234);
    program(rig, 1, 2, 18);
    ticks(rig, 1);
    rig.out(CONTROL, 0xc0 | 0x02 | 0x04);
    ticks(rig, 3);
    assert.equal(rig.in(0x40), 0x80 | 0x30 | (3 << 1));
    assert.equal(rig.in(0x40) | (rig.in(0x40) << 8), 0x1234);
    assert.equal(rig.in(0x41), 0x80 | 0x30 | (2 << 1));
    assert.equal(rig.in(0x41) | (rig.in(0x41) << 8), 18);
    assert.equal(rig.in(CONTROL), 0xff);
  });

  it('shows null count from control word until the count is loaded', () => {
    const rig = atTick();
    rig.out(CONTROL, 0x34);
    assert.equal(status(rig, 0) & 0x40, 0x40);
    rig.out(0x40, 10, 0);
    assert.equal(status(rig, 0) & 0x40, 0x40);
    ticks(rig, 1);
    assert.equal(status(rig, 0) & 0x40, 0);
  });

  it('port 61h: gate, stored bits, refresh toggle and OUT2', () => {
    const rig = atTick();
    rig.out(0x61, 0xff);
    assert.equal(rig.in(0x61) & 0xcf, 0x0f);
    program(rig, 2, 3, 1000);
    ticks(rig, 1);
    assert.equal(rig.in(0x61) & 0x20, 0x20);
    ticks(rig, 500);
    assert.equal(rig.in(0x61) & 0x20, 0);
    let changes = 0;
    let before = rig.in(0x61) & 0x10;
    for (let step = 0; step < 180; step++) {
      ticks(rig, 1);
      const now = rig.in(0x61) & 0x10;
      if (now !== before) changes++;
      before = now;
    }
    assert.equal(changes, 10, 'the refresh toggle changes every 18 ticks, 15 us');
  });

  for (const mode of [2, 3]) {
    it(`mode ${mode}: OUT0 interrupts 1,193,182 / N times a second for ever`, () => {
      const rig = createRig();
      setUpPic(rig, [0]);
      program(rig, 0, mode, 11932);
      let interrupts = 0;
      const end = 5 * SECOND;
      while (rig.now < end) {
        rig.run(Math.min(end, rig.timers.nextDeadline()) - rig.now);
        if (rig.intr) {
          assert.equal(rig.devices.pic.acknowledge(), 0x08);
          rig.out(0x20, 0x20);
          interrupts++;
        }
      }
      // The control word itself raises OUT; the counting element is loaded at tick 1.
      assert.equal(interrupts, 1 + Math.floor((clock.ticks(end) - 1) / 11932));
    });
  }

  it('interrupts exactly at the cycle of the tick', () => {
    const rig = createRig();
    setUpPic(rig, [0]);
    program(rig, 0, 0, 5000);
    const due = clock.cycle(5001);
    rig.run(due - 1);
    assert.equal(rig.intr, false);
    rig.run(1);
    assert.equal(rig.intr, true);
  });

  it('merges edges that time has jumped over into one interrupt', () => {
    const rig = createRig();
    setUpPic(rig, [0]);
    program(rig, 0, 2, 1000);
    ticks(rig, 1);
    rig.devices.pic.acknowledge();
    rig.out(0x20, 0x20);
    rig.jump(clock.cycle(10_500));
    assert.equal(rig.intr, true);
    rig.devices.pic.acknowledge();
    rig.out(0x20, 0x20);
    assert.equal(rig.intr, false);
    ticks(rig, 1000);
    assert.equal(rig.intr, true);
  });

  it('counts of one make no events', () => {
    for (const mode of [2, 3]) {
      const rig = createRig();
      program(rig, 0, mode, 1);
      ticks(rig, 10);
      assert.equal(rig.timers.nextDeadline(), Infinity);
    }
  });
});
