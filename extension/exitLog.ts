// What the extension host keeps of VM exits: the newest records in a ring of fixed capacity, the positions of those that
// pass the panel's filter, and counts by reason with their rate. Memory does not grow with the number of exits, and the
// panel asks only for the rows that it draws.

import type { ExitName } from '../src/runtime/exits.ts';
import type { ExitCounts, ExitRecord } from '../src/vmm/protocol.ts';

/**
 * A ring of records and a filtered view of it. Every record that entered the view has a position: 0, 1, 2... since the
 * filter was set. Positions of records still held are `first` to `end - 1`; they do not change while records leave.
 */
export class ExitLog {
  readonly #ring: ExitRecord[] = [];
  readonly #capacity: number;
  /** Number of records ever added; the record with serial n is at n % capacity. */
  #added = 0;
  #passes: (record: ExitRecord) => boolean = () => true;
  /** Serials of the records in the view; those before `#head` have left the ring. */
  #view: number[] = [];
  #head = 0;
  /** Position of `#view[0]`. */
  #base = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get first(): number {
    return this.#base + this.#head;
  }
  get end(): number {
    return this.#base + this.#view.length;
  }
  /** Records held, whether or not they pass the filter. */
  get held(): number {
    return this.#ring.length;
  }

  add(records: readonly ExitRecord[]): void {
    // More than a ring full: the first ones would be overwritten in this very call.
    const from = Math.max(0, records.length - this.#capacity);
    for (let n = from; n < records.length; n++) {
      const record = records[n]!;
      this.#ring[this.#added % this.#capacity] = record;
      if (this.#passes(record)) this.#view.push(this.#added);
      this.#added++;
    }
    const oldest = this.#added - this.#ring.length;
    while (this.#head < this.#view.length && this.#view[this.#head]! < oldest) this.#head++;
    if (this.#head > this.#capacity) {
      this.#view.splice(0, this.#head);
      this.#base += this.#head;
      this.#head = 0;
    }
  }

  setFilter(passes: (record: ExitRecord) => boolean): void {
    this.#passes = passes;
    this.#view = [];
    this.#head = 0;
    this.#base = 0;
    for (let serial = this.#added - this.#ring.length; serial < this.#added; serial++)
      if (passes(this.#ring[serial % this.#capacity]!)) this.#view.push(serial);
  }

  clear(): void {
    this.#ring.length = 0;
    this.#added = 0;
    this.#view = [];
    this.#head = 0;
    this.#base = 0;
  }

  /** Records of the view at positions `from` to `from + count - 1`, as far as they are held. */
  rows(from: number, count: number): ExitRecord[] {
    const start = Math.max(from, this.first) - this.#base;
    return this.#view.slice(start, Math.max(start, from + count - this.#base)).map((serial) => this.#ring[serial % this.#capacity]!);
  }

  at(position: number): ExitRecord | undefined {
    return this.rows(position, 1)[0];
  }
}

export interface ReasonCount {
  readonly reason: ExitName;
  readonly count: number /** Per second of wall time over the last second or so. */;
  readonly rate: number;
}
interface Sample {
  readonly time: number;
  readonly counts: ExitCounts['counts'];
}
interface GuestCounts {
  zero: ExitCounts;
  latest: ExitCounts;
  samples: Sample[];
}

const RATE_WINDOW = 1000;

/** Counts by guest and reason, and how fast they grow. Times are milliseconds of any steady clock, given by the caller. */
export class ExitCounters {
  readonly #guests = new Map<string, GuestCounts>();

  update(guest: string, counts: ExitCounts, time: number): void {
    const entry = this.#guests.get(guest) ?? { zero: { ...counts, counts: {}, dropped: 0 }, latest: counts, samples: [] };
    this.#guests.set(guest, entry);
    // A guest that was reset counts from zero again.
    if (counts.tick < entry.latest.tick) {
      entry.zero = { ...counts, counts: {}, dropped: 0 };
      entry.samples = [];
    }
    entry.latest = counts;
    entry.samples.push({ time, counts: counts.counts });
    while (entry.samples.length > 2 && entry.samples[1]!.time <= time - RATE_WINDOW) entry.samples.shift();
  }

  /** Counts since the last `clear`, of one guest or (null) of all, most frequent first. */
  reasons(guest: string | null, time: number): ReasonCount[] {
    const sums = new Map<ExitName, { count: number; rate: number }>();
    for (const entry of this.#selected(guest)) {
      const first = entry.samples[0],
        last = entry.samples.at(-1);
      const seconds = first && last && time - last.time < 2 * RATE_WINDOW ? (last.time - first.time) / 1000 : 0;
      for (const [name, value] of Object.entries(entry.latest.counts)) {
        const reason = name as ExitName;
        const count = value - (entry.zero.counts[reason] ?? 0);
        if (count <= 0) continue;
        const sum = sums.get(reason) ?? { count: 0, rate: 0 };
        sum.count += count;
        if (seconds > 0) sum.rate += (value - (first!.counts[reason] ?? 0)) / seconds;
        sums.set(reason, sum);
      }
    }
    return [...sums]
      .map(([reason, { count, rate }]) => ({ reason, count, rate: Math.round(rate) }))
      .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  }

  /** Exits that were counted but whose detail was dropped, since the last `clear`. */
  dropped(guest: string | null): number {
    return this.#selected(guest).reduce((sum, { latest, zero }) => sum + latest.dropped - zero.dropped, 0);
  }

  clear(): void {
    for (const entry of this.#guests.values()) entry.zero = entry.latest;
  }

  forget(guest: string): void {
    this.#guests.delete(guest);
  }

  #selected(guest: string | null): GuestCounts[] {
    if (guest === null) return [...this.#guests.values()];
    const entry = this.#guests.get(guest);
    return entry ? [entry] : [];
  }
}
