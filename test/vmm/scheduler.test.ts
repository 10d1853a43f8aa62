import assert from 'node:assert/strict';
import { type Runnable, Scheduler, type TurnResult } from '../../src/vmm/scheduler.ts';
import { seeded } from '../support/random.ts';
import { type ManualPlatform, manualPlatform } from './platform.ts';

/** A guest that does nothing but count, so many ticks a millisecond. */
class Counter implements Runnable {
  ticks = 0;
  turns = 0;
  longest = 0;
  readonly weight: number;
  readonly cap: number;
  readonly #platform: ManualPlatform;
  readonly #rate: number;
  preemptions = 0;
  after: (ticks: number) => TurnResult = () => ({ kind: 'ready' });
  constructor(platform: ManualPlatform, rate: number, weight = 1, cap = 100) {
    this.#platform = platform;
    this.#rate = rate;
    this.weight = weight;
    this.cap = cap;
  }
  preempted(): void {
    this.preemptions++;
  }
  turn(ticks: number): TurnResult {
    this.ticks += ticks;
    this.turns++;
    this.longest = Math.max(this.longest, ticks / this.#rate);
    this.#platform.spend(ticks / this.#rate);
    return this.after(ticks);
  }
}

const world = () => {
  const platform = manualPlatform();
  return { platform, scheduler: new Scheduler(platform, () => {}) };
};
const within = (actual: number, expected: number, part: number) =>
  assert.ok(Math.abs(actual / expected - 1) <= part, `${actual} is not within ${part * 100} % of ${expected}`);

describe('scheduler', () => {
  for (const weights of [
    [1, 1],
    [1, 3],
    [2, 3, 5],
  ]) {
    it(`gives ticks in proportion to the weights ${weights.join(':')}`, () => {
      const { platform, scheduler } = world();
      const guests = weights.map((weight, n) => new Counter(platform, 50_000 + 20_000 * n, weight));
      for (const guest of guests) scheduler.wake(guest);
      platform.advance(10_000);
      for (const guest of guests) within(guest.ticks / guests[0].ticks, guest.weight / weights[0], 0.05);
    });
  }

  for (const [rate, ratio] of [
    [200_000, 3],
    [500, 3 / 400],
  ] as const) {
    it(`keeps shares while other programs take the processor from every twentieth turn, the other guest running ${rate} ticks a millisecond`, () => {
      const { platform, scheduler } = world();
      const random = seeded(5);
      const guests = [new Counter(platform, 200_000), new Counter(platform, rate, 3)];
      for (const guest of guests) {
        guest.after = () => {
          if (random.below(20) === 0) platform.spend(5 + random.below(100));
          return { kind: 'ready' };
        };
        scheduler.wake(guest);
      }
      platform.advance(30_000);
      within(guests[1].ticks / guests[0].ticks, ratio, 0.05);
    });
  }

  it('keeps a turn short once it knows how fast the guest is', () => {
    const { platform, scheduler } = world();
    const guests = [new Counter(platform, 300_000), new Counter(platform, 900)];
    for (const guest of guests) scheduler.wake(guest);
    platform.advance(500);
    for (const guest of guests) guest.longest = 0;
    platform.advance(2000);
    for (const guest of guests) assert.ok(guest.longest <= 8, `a turn took ${guest.longest} ms`);
  });

  it('does not let a guest that only faults take the worker from the others', () => {
    const { platform, scheduler } = world();
    const fast = new Counter(platform, 200_000),
      faulting = new Counter(platform, 500);
    scheduler.wake(fast);
    scheduler.wake(faulting);
    platform.advance(5000);
    within(fast.ticks / 200_000, 2500, 0.05);
  });

  for (const [slower, part] of [
    [1.5, 0.6],
    [3.9, 3.9 / 4.9],
    [4.1, 0.797],
    [8, 2 / 3],
    [16, 0.5],
    [400, 0.5],
  ] as const) {
    it(`gives a guest ${slower} times slower than its neighbour ${Math.round(part * 100)} % of the time`, () => {
      const { platform, scheduler } = world();
      const fast = new Counter(platform, 200_000),
        slow = new Counter(platform, 200_000 / slower);
      scheduler.wake(fast);
      scheduler.wake(slow);
      platform.advance(10_000);
      within((slow.ticks * slower) / 200_000 / 10_000, part, 0.05);
    });
  }

  it('gives guests that only fault time by their weights', () => {
    const { platform, scheduler } = world();
    const fast = new Counter(platform, 200_000, 3),
      faulting = new Counter(platform, 500);
    scheduler.wake(fast);
    scheduler.wake(faulting);
    platform.advance(10_000);
    within(fast.ticks / 200_000, 7500, 0.05);
  });

  for (const order of ['first', 'last']) {
    it(`gives a guest that wakes the next turn, before busy ones, defined ${order}`, () => {
      const { platform, scheduler } = world();
      const idle = new Counter(platform, 100_000),
        busy = [new Counter(platform, 100_000), new Counter(platform, 100_000)];
      const turns: Counter[] = [];
      for (const guest of busy) guest.after = () => (turns.push(guest), { kind: 'ready' });
      idle.after = () => ({ kind: 'wait', milliseconds: Infinity });
      for (const guest of order === 'first' ? [idle, ...busy] : [...busy, idle]) scheduler.wake(guest);
      for (let n = 0; n < 20; n++) {
        platform.advance(100 + n);
        idle.after = () => (turns.push(idle), { kind: 'wait', milliseconds: Infinity });
        turns.length = 0;
        scheduler.wake(idle);
        platform.advance(50);
        assert.ok(turns.length > 1 && turns[0] === idle, `the busy guests had ${turns.indexOf(idle)} turns first`);
      }
    });
  }

  it('gives a guest that slept no claim to the past, also when it wakes while the others wait', () => {
    const { platform, scheduler } = world();
    const busy = new Counter(platform, 100_000),
      sleeper = new Counter(platform, 100_000);
    sleeper.after = () => ({ kind: 'wait', milliseconds: Infinity });
    scheduler.wake(sleeper);
    scheduler.wake(busy);
    platform.advance(10_000);
    busy.after = () => ({ kind: 'wait', milliseconds: 100 });
    platform.advance(50);
    sleeper.after = () => ({ kind: 'ready' });
    scheduler.wake(sleeper);
    busy.after = () => ({ kind: 'ready' });
    const before = busy.ticks;
    platform.advance(1000);
    within((busy.ticks - before) / 100_000, 450, 0.1);
  });

  it('gives a guest that its cap held back no claim to the past, and a new guest none through it', () => {
    const { platform, scheduler } = world();
    const capped = new Counter(platform, 100_000, 1, 10),
      free = new Counter(platform, 100_000),
      late = new Counter(platform, 100_000);
    scheduler.wake(capped);
    scheduler.wake(free);
    platform.advance(10_000);
    scheduler.wake(late);
    const before = free.ticks;
    platform.advance(1000);
    within((free.ticks - before) / 100_000, 450, 0.1);
    within(late.ticks / 100_000, 450, 0.1);
  });

  it('gives a waiting guest no turn, and wakes it when its time has come', () => {
    const { platform, scheduler } = world();
    const guest = new Counter(platform, 100_000);
    guest.after = () => ({ kind: 'wait', milliseconds: 100 });
    scheduler.wake(guest);
    platform.advance(1000);
    assert.ok(guest.turns >= 9 && guest.turns <= 11, `${guest.turns} turns`);
  });

  it('tells a guest when another gets the processor while it has more to do, and not when it goes on itself', () => {
    const { platform, scheduler } = world();
    const first = new Counter(platform, 100_000),
      second = new Counter(platform, 100_000);
    scheduler.wake(first);
    platform.advance(500);
    assert.equal(first.preemptions, 0);
    scheduler.wake(second);
    platform.advance(500);
    assert.ok(first.preemptions > 20 && second.preemptions > 20, `${first.preemptions} and ${second.preemptions}`);
    second.after = () => ({ kind: 'wait', milliseconds: 1 });
    platform.advance(20);
    const { preemptions } = second;
    platform.advance(500);
    assert.equal(second.preemptions, preemptions, 'who waits is not preempted');
  });

  it('gives a stopped guest no turn until it is woken, and leaves the others running', () => {
    const { platform, scheduler } = world();
    const stopped = new Counter(platform, 100_000),
      other = new Counter(platform, 100_000);
    scheduler.wake(stopped);
    scheduler.wake(other);
    platform.advance(100);
    scheduler.stop(stopped);
    const { ticks } = stopped,
      before = other.ticks;
    platform.advance(100);
    assert.equal(stopped.ticks, ticks);
    assert.ok(other.ticks > before);
    scheduler.wake(stopped);
    platform.advance(100);
    assert.ok(stopped.ticks > ticks);
  });

  it('does not let a guest with a cap use more of wall time than that, even alone', () => {
    const { platform, scheduler } = world();
    const guest = new Counter(platform, 100_000, 1, 25);
    scheduler.wake(guest);
    platform.advance(10_000);
    within(guest.ticks / 100_000 / 10_000, 0.25, 0.05);
    within(scheduler.usage(guest).share, 0.25, 0.2);
  });

  it('tells share and speed over the last second', () => {
    const { platform, scheduler } = world();
    const guests = [new Counter(platform, 100_000), new Counter(platform, 100_000)];
    for (const guest of guests) scheduler.wake(guest);
    platform.advance(5000);
    for (const guest of guests) {
      within(scheduler.usage(guest).share, 0.5, 0.05);
      within(scheduler.usage(guest).speed, 50_000_000, 0.05);
    }
  });
});
