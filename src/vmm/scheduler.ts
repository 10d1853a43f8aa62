// The scheduler: which guest runs next on this worker, and for how many ticks. Shares are counted in ticks: guests with work
// to do get ticks in proportion to their weights (stride scheduling; Waldspurger and Weihl, "Stride Scheduling"). A turn is so
// short that no guest's turn takes more than about LONGEST_TURN milliseconds, and a guest whose ticks are far slower than its
// neighbours' (one that does nothing but fault) pays so much more for them that it gets its share of time instead. A guest that
// wakes is next, before those that were busy meanwhile. A cap limits a guest's part of wall time. Where turns end cannot be
// observed by the guests.

import type { Platform } from './platform.ts';

/** What a turn came to. */
export type TurnResult =
  /** The guest has more to do. */
  | { readonly kind: 'ready' }
  /** It has nothing to do until this many milliseconds from now have passed (Infinity: until somebody calls wake). */
  | { readonly kind: 'wait'; readonly milliseconds: number }
  /** It does not run any more: paused, off, failed. */
  | { readonly kind: 'stopped' };

/** Something that can be given turns. */
export interface Runnable {
  readonly weight: number;
  /** Most percent of the worker's time, 1-100. */
  readonly cap: number;
  /** Ticks run since the beginning. */
  readonly ticks: number;
  /** Runs about so many ticks; fewer when it has to wait or stops. */
  turn(ticks: number): TurnResult;
  /** Another guest gets the next turn, and this one has more to do. */
  preempted(): void;
}

/**
 * Wall time of a turn in milliseconds: short enough for pause and step to arrive at once, long enough to pay for the switch.
 * Several busy guests get shorter turns, so that a round stays near ROUND.
 */
const LONGEST_TURN = 6;
const SHORTEST_TURN = 4;
const ROUND = 16;
const MINIMUM_TICKS = 1000;
const MAXIMUM_TICKS = 20_000_000;
/** Ticks per millisecond assumed of a guest that has not run. */
const FIRST_GUESS = 5000;
/**
 * Guests up to this many times slower than the fastest share ticks. Guests slower than the square of it share time: equal ticks
 * would give them nearly all of it, since a guest that only faults is thousands of times slower than a hot loop. In between the
 * price of a millisecond rises from a quarter of what the fastest would have run to all of it, so that no guest gains by becoming
 * slower: with equal weights a guest 4 times slower than its neighbour has 80 % of the time, and one 16 times slower 50 %.
 *
 * Prices rest on a mean of the last turns' rates, which a turn that waited for a processor that other programs had hardly moves.
 * So that nobody gains by fast turns between slow ones, a turn's first LONG_TURN milliseconds cost at least that quarter each.
 */
const ORDINARY = 4,
  LONG_TURN = 12;
/** Milliseconds of unused cap that can be saved up. */
const CAP_CREDIT = 50;
/** Milliseconds after which the shares shown are averaged anew. */
const SHARE_WINDOW = 1000;

interface Entry {
  readonly guest: Runnable;
  state: 'ready' | 'waiting' | 'stopped';
  /** Charged ticks over weight: the guest with the least runs next. */
  pass: number;
  /** Ticks per millisecond, smoothed. */
  rate: number;
  credit: number;
  creditAt: number;
  cancelWait: () => void;
  /** Wall time and ticks in this window, and the result of the last. */
  used: number;
  ticksBefore: number;
  share: number;
  speed: number;
}

export class Scheduler {
  readonly #platform: Platform;
  readonly #afterTurn: () => void;
  readonly #entries = new Map<Runnable, Entry>();
  #scheduled = false;
  /** Had the last turn. */
  #last: Entry | null = null;
  /** The pass at which the last turn began: nobody who had work then had less. */
  #pass = 0;
  #windowStart: number;

  /** `afterTurn` is called after every turn: the place to send what piled up. */
  constructor(platform: Platform, afterTurn: () => void) {
    this.#platform = platform;
    this.#afterTurn = afterTurn;
    this.#windowStart = platform.now();
  }

  /** The guest has something to do (again). Does nothing when it is being given turns already. */
  wake(guest: Runnable): void {
    let entry = this.#entries.get(guest);
    if (!entry) {
      entry = {
        guest,
        state: 'stopped',
        pass: 0,
        rate: FIRST_GUESS,
        credit: CAP_CREDIT,
        creditAt: this.#platform.now(),
        cancelWait: () => {},
        used: 0,
        ticksBefore: guest.ticks,
        share: 0,
        speed: 0,
      };
      this.#entries.set(guest, entry);
    }
    if (entry.state === 'ready') return;
    entry.cancelWait();
    this.#forgetUnused(entry);
    // Among equals the last is next: the one that woke last.
    this.#entries.delete(guest);
    this.#entries.set(guest, entry);
    entry.state = 'ready';
    this.#schedule();
  }

  /** Takes the guest off the worker until the next wake. */
  stop(guest: Runnable): void {
    const entry = this.#entries.get(guest);
    if (!entry) return;
    entry.cancelWait();
    entry.state = 'stopped';
  }

  remove(guest: Runnable): void {
    this.stop(guest);
    if (this.#last?.guest === guest) this.#last = null;
    this.#entries.delete(guest);
  }

  /** Part of the worker's time (0-1) and ticks per second over the last second. */
  usage(guest: Runnable): { share: number; speed: number } {
    this.#rollWindow();
    const entry = this.#entries.get(guest);
    return { share: entry?.share ?? 0, speed: entry?.speed ?? 0 };
  }

  #ready(): Entry[] {
    return [...this.#entries.values()].filter(({ state }) => state === 'ready');
  }

  /**
   * A guest has no claim to the turns that it did not need or was not allowed. It stands where the last turn began, which is before
   * whoever had that turn.
   */
  #forgetUnused(entry: Entry): void {
    entry.pass = Math.max(entry.pass, this.#pass);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#platform.defer(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  /** One turn of one guest, then let messages in. */
  #run(): void {
    const now = this.#platform.now();
    const ready = this.#ready();
    const allowed = ready.filter((entry) => this.#hasCredit(entry, now));
    if (allowed.length > 0) {
      const entry = allowed.reduce((best, candidate) => (candidate.pass <= best.pass ? candidate : best));
      this.#pass = entry.pass;
      for (const other of ready) this.#forgetUnused(other);
      if (this.#last !== entry && this.#last?.state === 'ready') this.#last.guest.preempted();
      this.#last = entry;
      this.#turn(entry, this.#turnTicks(entry, allowed), allowed, now);
      this.#rollWindow();
      this.#afterTurn();
    } else if (ready.length > 0) {
      this.#waitForCredit(ready);
    }
    if (this.#ready().length > 0) this.#schedule();
  }

  #turn(entry: Entry, ticks: number, ready: readonly Entry[], start: number): void {
    const before = entry.guest.ticks;
    const result = entry.guest.turn(ticks);
    const spent = Math.max(0, this.#platform.now() - start);
    const done = entry.guest.ticks - before;
    if (spent > 0 && done > 0) entry.rate += (Math.max(1, done / spent) - entry.rate) / 4;
    const fastest = fastestOf(ready);
    const charge = Math.max(done * price(entry, fastest), (Math.min(spent, LONG_TURN) * fastest) / ORDINARY);
    entry.pass += charge / entry.guest.weight;
    entry.credit -= spent;
    entry.used += spent;
    if (entry.state !== 'ready') return; // it was stopped while it ran
    if (result.kind === 'stopped') entry.state = 'stopped';
    else if (result.kind === 'wait') {
      entry.state = 'waiting';
      entry.cancelWait = Number.isFinite(result.milliseconds)
        ? this.#platform.after(result.milliseconds, () => this.wake(entry.guest))
        : () => {};
    }
  }

  /** So many ticks that a whole round, weights included, keeps every guest's turn within a few milliseconds. */
  #turnTicks(entry: Entry, ready: readonly Entry[]): number {
    const turn = Math.min(LONGEST_TURN, Math.max(SHORTEST_TURN, ROUND / ready.length));
    const fastest = fastestOf(ready);
    const perWeight = Math.min(...ready.map((each) => (each.rate * price(each, fastest) * turn) / each.guest.weight));
    const ticks = (perWeight * entry.guest.weight) / price(entry, fastest);
    return Math.round(Math.min(MAXIMUM_TICKS, Math.max(MINIMUM_TICKS, ticks)));
  }

  #hasCredit(entry: Entry, now: number): boolean {
    const { cap } = entry.guest;
    entry.credit = Math.min(CAP_CREDIT, entry.credit + ((now - entry.creditAt) * cap) / 100);
    entry.creditAt = now;
    return cap >= 100 || entry.credit > 0;
  }

  /** Every guest with work has used up its cap: sleep until the first has credit again. */
  #waitForCredit(ready: readonly Entry[]): void {
    for (const entry of ready) {
      entry.state = 'waiting';
      const milliseconds = Math.max(1, (-entry.credit * 100) / entry.guest.cap);
      entry.cancelWait = this.#platform.after(milliseconds, () => this.wake(entry.guest));
    }
  }

  #rollWindow(): void {
    const now = this.#platform.now();
    const length = now - this.#windowStart;
    if (length < SHARE_WINDOW) return;
    for (const entry of this.#entries.values()) {
      entry.share = Math.min(1, entry.used / length);
      entry.speed = ((entry.guest.ticks - entry.ticksBefore) * 1000) / length;
      entry.used = 0;
      entry.ticksBefore = entry.guest.ticks;
    }
    this.#windowStart = now;
  }
}

const fastestOf = (entries: readonly Entry[]): number => Math.max(...entries.map(({ rate }) => rate));
/** What a guest is charged for a tick, beside guests of which the fastest runs `fastest` ticks in a millisecond. */
function price({ rate }: Entry, fastest: number): number {
  const slower = fastest / rate;
  return slower <= ORDINARY ? 1 : slower * Math.min(1, slower / ORDINARY ** 2);
}
