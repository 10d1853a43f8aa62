import { strict as assert } from 'node:assert';
import { CYCLES_PER_SECOND, createTimers, derivedClock } from '../../src/vmm/timers.ts';
import { seeded } from '../support/random.ts';

function queue() {
  const clock = { now: 0 };
  return { clock, timers: createTimers(() => clock.now), fired: [] as string[] };
}

describe('timer queue', () => {
  it('has no deadline while nothing is armed', () => {
    const { timers } = queue();
    timers.create('idle', () => assert.fail());
    assert.equal(timers.nextDeadline(), Infinity);
    timers.runDue();
  });

  it('fires at the deadline, not before, and once', () => {
    const { clock, timers, fired } = queue();
    const timer = timers.create('a', () => fired.push('a'));
    timer.at(100);
    assert.equal(timers.nextDeadline(), 100);
    clock.now = 99;
    timers.runDue();
    assert.deepEqual(fired, []);
    clock.now = 100;
    timers.runDue();
    timers.runDue();
    assert.deepEqual(fired, ['a']);
    assert.equal(timer.deadline, Infinity);
  });

  it('fires by deadline, then by order of creation, whatever the order of arming', () => {
    const { clock, timers, fired } = queue();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => timers.create(name, () => fired.push(name)));
    c.at(5);
    b.at(7);
    a.at(7);
    clock.now = 10;
    timers.runDue();
    assert.deepEqual(fired, ['c', 'a', 'b']);
  });

  it('replaces and cancels settings and keeps the earliest deadline right', () => {
    const { timers } = queue();
    const a = timers.create('a', () => {});
    const b = timers.create('b', () => {});
    a.at(10);
    b.at(20);
    a.at(30);
    assert.equal(timers.nextDeadline(), 20);
    b.cancel();
    assert.equal(timers.nextDeadline(), 30);
    a.at(5);
    assert.equal(timers.nextDeadline(), 5);
    a.cancel();
    assert.equal(timers.nextDeadline(), Infinity);
  });

  it('fires in the same run what an event arms for now', () => {
    const { clock, timers, fired } = queue();
    const second = timers.create('second', () => fired.push('second'));
    const first = timers.create('first', () => second.at(clock.now));
    first.at(1);
    clock.now = 1;
    timers.runDue();
    assert.deepEqual(fired, ['second']);
  });

  it('refuses times that are none and a device that would never let time pass', () => {
    const { clock, timers } = queue();
    const timer = timers.create('stuck', () => timer.at(clock.now));
    assert.throws(() => timer.at(Number.NaN), RangeError);
    assert.throws(() => timer.at(Infinity), RangeError);
    timer.at(0);
    assert.throws(() => timers.runDue(), /stuck/);
  });

  it('agrees with a plain sorted list over random use', () => {
    const random = seeded(86);
    const { clock, timers, fired } = queue();
    const expected: string[] = [];
    const armed = new Map<number, number>();
    const list = Array.from({ length: 6 }, (_, index) => timers.create(`${index}`, () => fired.push(`${index}@${clock.now}`)));
    for (let step = 0; step < 5000; step++) {
      const index = random.below(6);
      if (random.below(4) === 0) {
        armed.delete(index);
        list[index].cancel();
      } else {
        const cycle = clock.now + random.below(50);
        armed.set(index, cycle);
        list[index].at(cycle);
      }
      assert.equal(timers.nextDeadline(), Math.min(Infinity, ...armed.values()));
      clock.now += random.below(10);
      const due = [...armed].filter(([, cycle]) => cycle <= clock.now).sort((a, b) => a[1] - b[1] || a[0] - b[0]);
      for (const [timer] of due) {
        armed.delete(timer);
        expected.push(`${timer}@${clock.now}`);
      }
      timers.runDue();
    }
    assert.deepEqual(fired, expected);
  });
});

describe('derived clock', () => {
  for (const hertz of [1_193_182, 32_768, 3_579_545, 1_000_000, 1]) {
    it(`at ${hertz} Hz is exact integer division of virtual time, without drift`, () => {
      const clock = derivedClock(hertz);
      const random = seeded(hertz);
      for (let step = 0; step < 500; step++) {
        const cycle = Math.floor((random.word() >>> 0) * (step % 2 ? 1 : 2 ** 21 - 1));
        const ticks = clock.ticks(cycle);
        assert.equal(BigInt(ticks), (BigInt(cycle) * BigInt(hertz)) / BigInt(CYCLES_PER_SECOND));
        const first = clock.cycle(ticks + 1);
        assert.equal(clock.ticks(first), ticks + 1);
        assert.equal(clock.ticks(first - 1), ticks);
      }
    });
  }

  it('refuses frequencies that it cannot divide exactly', () => {
    assert.throws(() => derivedClock(0.3), RangeError);
  });
});
