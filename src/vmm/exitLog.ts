// The exit log of a guest: a count per reason always, and, while somebody watches, a ring of records with tick, cs:eip, reason,
// qualification and cost. Recording writes numbers into typed arrays; words are made when a batch is taken. What the ring had
// to drop because nobody took it in time is counted. Reasons and fields: runtime/exits.ts.

import { EXITS, type ExitName } from '../runtime/exits.ts';
import { qualificationText } from './exitText.ts';
import type { ExitCounts, ExitFilter, ExitRecord, GuestId } from './protocol.ts';

export const EXIT_NAMES = Object.keys(EXITS) as readonly ExitName[];
const INDEX = Object.fromEntries(EXIT_NAMES.map((name, n) => [name, n])) as { readonly [N in ExitName]: number };

/** Records kept until they are taken. */
const CAPACITY = 4096;

/** Where the processor is, for a record. */
export interface ExitPlace {
  readonly tick: number;
  readonly cs: number;
  readonly eip: number;
  readonly linear: number;
}

export class ExitLog {
  readonly #guest: GuestId;
  readonly #place: () => ExitPlace;
  readonly #counts = new Float64Array(EXIT_NAMES.length);
  #watch: Matcher | null = null;
  #break: Matcher | null = null;
  #tap: ((record: ExitRecord) => void) | null = null;

  readonly #ticks: Float64Array;
  /** Per record: cs, eip, linear, reason, qualification, detail. */
  readonly #words: Uint32Array;
  readonly #costs: Float64Array;
  readonly #capacity: number;
  #first = 0;
  #length = 0;
  #sequence = 0;
  #dropped = 0;
  /** The exit that happened last is in the ring. */
  #recorded = false;

  /** `place` is asked only for exits that are recorded. */
  constructor(guest: GuestId, place: () => ExitPlace, capacity = CAPACITY) {
    this.#guest = guest;
    this.#place = place;
    this.#capacity = capacity;
    this.#ticks = new Float64Array(capacity);
    this.#words = new Uint32Array(capacity * 6);
    this.#costs = new Float64Array(capacity);
  }

  /** Record these exits in detail; null: count only. */
  watch(filter: ExitFilter | null): void {
    this.#watch = filter ? matcher(filter) : null;
  }

  /** Exits for which `record` answers true: those of the filter (null: none) and exceptions with these vectors. */
  breakOn(filter: ExitFilter | null, vectors: readonly number[]): void {
    const exits = filter && matcher(filter);
    const exceptions = vectors.length > 0 ? new Set(vectors) : null;
    this.#break =
      exits || exceptions
        ? (reason, qualification) =>
            (exits?.(reason, qualification) ?? false) || (reason === 'exception' && (exceptions?.has(qualification) ?? false))
        : null;
  }

  /** Calls back for every recorded exit when it happens, so that none is lost; null: no longer. For programs in the same thread. */
  tap(listener: ((record: ExitRecord) => void) | null): void {
    this.#tap = listener;
  }

  /** True while details are recorded, so that costs are worth measuring. */
  get watched(): boolean {
    return this.#watch !== null;
  }

  /** Counts an exit and records it when watched; true when the guest should stop for it. */
  record(reason: ExitName, qualification: number, detail: number): boolean {
    const index = INDEX[reason];
    this.#counts[index]++;
    this.#recorded = this.#watch?.(reason, qualification) ?? false;
    if (this.#recorded) this.#add(index, qualification, detail);
    return this.#break?.(reason, qualification) ?? false;
  }

  /** Adds to the cost, in host microseconds, of the exit that happened last. */
  cost(microseconds: number): void {
    if (this.#recorded && this.#length > 0) this.#costs[(this.#first + this.#length - 1) % this.#capacity] += microseconds;
  }

  #add(index: number, qualification: number, detail: number): void {
    if (this.#length === this.#capacity) {
      this.#first = (this.#first + 1) % this.#capacity;
      this.#length--;
      this.#dropped++;
    }
    const slot = (this.#first + this.#length) % this.#capacity,
      { tick, cs, eip, linear } = this.#place();
    this.#ticks[slot] = tick;
    this.#costs[slot] = 0;
    // One by one: with an array handed to `set` a record took 142 ns instead of 34.
    const words = this.#words;
    let at = slot * 6;
    words[at++] = cs;
    words[at++] = eip;
    words[at++] = linear;
    words[at++] = index;
    words[at++] = qualification;
    words[at] = detail;
    this.#length++;
    this.#sequence++;
    this.#tap?.(this.#recordAt(this.#length - 1));
  }

  /** Takes the newest `most` records out of the ring; older ones that are left over count as dropped. */
  take(most: number): ExitRecord[] {
    const count = Math.min(most, this.#length);
    this.#dropped += this.#length - count;
    const records: ExitRecord[] = [];
    for (let n = this.#length - count; n < this.#length; n++) records.push(this.#recordAt(n));
    this.#first = 0;
    this.#length = 0;
    return records;
  }

  #recordAt(n: number): ExitRecord {
    const slot = (this.#first + n) % this.#capacity;
    const [cs, eip, linear, index, qualification, detail] = this.#words.subarray(slot * 6, slot * 6 + 6);
    const reason = EXIT_NAMES[index];
    return {
      sequence: this.#sequence - this.#length + n,
      guest: this.#guest,
      tick: this.#ticks[slot],
      cs,
      eip,
      linear,
      reason,
      qualification,
      detail,
      text: qualificationText(reason, qualification, detail),
      cost: this.#costs[slot],
    };
  }

  counts(tick: number): ExitCounts {
    const counts: { [N in ExitName]?: number } = {};
    EXIT_NAMES.forEach((name, n) => {
      if (this.#counts[n] > 0) counts[name] = this.#counts[n];
    });
    return { guest: this.#guest, tick, counts, dropped: this.#dropped };
  }

  /** Exits of all reasons. */
  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}

type Matcher = (reason: ExitName, qualification: number) => boolean;

/** Reasons, ports and vectors restrict separately: ports only I/O instructions, vectors only exceptions and interrupts. */
function matcher(filter: ExitFilter): Matcher {
  const reasons = filter.reasons ? new Set<ExitName>(filter.reasons) : null;
  const { ports, vectors } = filter;
  return (reason, qualification) => {
    if (reasons && !reasons.has(reason)) return false;
    if (ports && reason === 'ioInstruction') {
      const port = qualification >>> 16;
      return ports.some(({ first, last }) => port >= first && port <= last);
    }
    if (vectors && (reason === 'exception' || reason === 'externalInterrupt')) return vectors.includes(qualification);
    return true;
  };
}
