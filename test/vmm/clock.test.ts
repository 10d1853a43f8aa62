import assert from 'node:assert/strict';
import { Clock, CYCLES_PER_MILLISECOND } from '../../src/vmm/clock.ts';
import { Pacing } from '../../src/vmm/pacing.ts';

describe('clock', () => {
  it('is ticks plus skipped cycles', () => {
    let ticks = 5;
    const clock = new Clock(() => ticks);
    clock.skipTo(100);
    ticks = 7;
    assert.equal(clock.now(), 102);
    assert.equal(clock.idle, 95);
  });

  it('never goes back', () => {
    const clock = new Clock(() => 5);
    assert.throws(() => clock.skipTo(4), RangeError);
    assert.throws(() => clock.skipTo(Number.NaN), RangeError);
  });

  it("follows the host's samples, one timer at a time, and lets a busy guest run in between", () => {
    let ticks = 10_000;
    const clock = new Clock(() => ticks);
    assert.equal(clock.followHost(Infinity, false), null);
    clock.sample(50_000);
    assert.equal(clock.followHost(20_000, false), 20_000);
    clock.skipTo(20_000);
    assert.equal(clock.followHost(30_000, false), null);
    ticks += clock.ticksUntilSkip();
    assert.equal(clock.followHost(30_000, false), 30_000);
    assert.equal(clock.followHost(90_000, true), 50_000);
  });

  it('ignores samples from the past', () => {
    const clock = new Clock(() => 0);
    clock.sample(100);
    clock.sample(50);
    assert.equal(clock.target, 100);
  });
});

describe('pacing', () => {
  it('holds a guest at wall time', () => {
    const pacing = new Pacing(true);
    pacing.restart(1000, 500);
    assert.equal(pacing.allowed(1010, 500), 500 + 10 * CYCLES_PER_MILLISECOND);
    assert.equal(pacing.wait(1010, 500 + 30 * CYCLES_PER_MILLISECOND), 20);
  });

  it('does not let a guest that fell far behind race to catch up', () => {
    const pacing = new Pacing(true);
    pacing.restart(0, 0);
    assert.ok(pacing.allowed(60_000, 1000) <= 1000 + 100 * CYCLES_PER_MILLISECOND);
    assert.ok(pacing.wait(60_000, 500 * CYCLES_PER_MILLISECOND) > 300);
  });

  it('does not hold a guest that is not paced', () => {
    const pacing = new Pacing(false);
    assert.equal(pacing.allowed(0, 5), Infinity);
    assert.equal(pacing.wait(0, 1e12), 0);
  });
});
