// The journal: everything that reaches a guest from outside, with the virtual cycle at which it did. The same image and the
// same journal give the same run. Live, events are applied between slices and written down; on replay they are read and
// applied at the same cycles. A cycle, not a tick, because a halted guest's time moves while its ticks stand still.
//
// File: 'CP86JRNL', version, configuration hash, start of time, events, end; then a checksum of all before it. Numbers are
// unsigned LEB128; an event is cycles since the one before it, kind, payload.

import { Hasher } from './hash.ts';

export type JournalEvent =
  /** Host clock sample, in cycles since power-on. */
  | { readonly kind: 'sample'; readonly target: number }
  | { readonly kind: 'serial'; readonly port: 0 | 1; readonly bytes: Uint8Array }
  | { readonly kind: 'keyboard'; readonly scanCodes: Uint8Array }
  /** Counts to the right, down and towards the user, and the buttons that are down (bits 0 to 4: left, right, middle, fourth, fifth). */
  | { readonly kind: 'mouse'; readonly x: number; readonly y: number; readonly wheel: number; readonly buttons: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'powerOff' }
  /** The button on the case, which asks the operating system. */
  | { readonly kind: 'powerButton' }
  | { readonly kind: 'register'; readonly name: string; readonly value: number | string }
  | { readonly kind: 'memory'; readonly address: number; readonly physical: boolean; readonly bytes: Uint8Array }
  /** What the peer of an add-in card sent to it. */
  | { readonly kind: 'card'; readonly card: string; readonly bytes: Uint8Array }
  /** Last entry: where the recording was taken. */
  | { readonly kind: 'end'; readonly tick: number };
export type TimedEvent = JournalEvent & { readonly cycle: number };

export interface JournalHeader {
  /** Hash of what the guest was made from: a replay of something else is refused. */
  readonly configuration: string;
  /** The guest's clock at power-on, milliseconds since 1970 UTC. */
  readonly startOfTime: number;
}

const MAGIC = 'CP86JRNL';
const VERSION = 1;
/** Recording stops at this size; a replay then runs up to that point. */
export const MAXIMUM_JOURNAL = 64 << 20;
const CHECKSUM_LENGTH = 8;

const KINDS = [
  'sample',
  'serial',
  'keyboard',
  'reset',
  'powerOff',
  'register',
  'memory',
  'end',
  'powerButton',
  'card',
  'mouse',
] as const satisfies readonly JournalEvent['kind'][];

/** A journal being written. */
export class Recorder {
  readonly #out = new Writer();
  #last = 0;
  #full: { cycle: number; tick: number } | null = null;
  readonly #limit: number;

  constructor(header: JournalHeader, limit = MAXIMUM_JOURNAL) {
    this.#limit = limit;
    for (let n = 0; n < MAGIC.length; n++) this.#out.byte(MAGIC.charCodeAt(n));
    this.#out.number(VERSION);
    this.#out.text(header.configuration);
    this.#out.number(header.startOfTime);
  }

  /** Adds an event at this cycle and tick; events come in order. Past the size limit nothing is added any more. */
  add(cycle: number, tick: number, event: Exclude<JournalEvent, { kind: 'end' }>): void {
    if (this.#full) return;
    if (this.#out.length + sizeOf(event) > this.#limit) {
      this.#full = { cycle, tick };
      return;
    }
    this.#entry(this.#out, cycle, event);
    this.#last = cycle;
  }

  /** True when the size limit was reached and later events are missing. */
  get full(): boolean {
    return this.#full !== null;
  }

  /** The journal up to now (or up to where it became full), as a file. */
  bytes(cycle: number, tick: number): Uint8Array {
    const end = this.#full ?? { cycle, tick };
    const out = this.#out.copy();
    this.#entry(out, end.cycle, { kind: 'end', tick: end.tick });
    const text = checksum(out.bytes());
    for (let n = 0; n < 16; n += 2) out.byte(Number.parseInt(text.slice(n, n + 2), 16));
    return out.bytes();
  }

  #entry(out: Writer, cycle: number, event: JournalEvent): void {
    out.number(cycle - this.#last);
    out.byte(KINDS.indexOf(event.kind));
    switch (event.kind) {
      case 'sample':
        return out.number(event.target);
      case 'serial':
        return (out.byte(event.port), out.array(event.bytes));
      case 'keyboard':
        return out.array(event.scanCodes);
      case 'register':
        return (out.text(event.name), out.text(String(event.value)), out.byte(typeof event.value === 'number' ? 0 : 1));
      case 'memory':
        return (out.number(event.address), out.byte(event.physical ? 1 : 0), out.array(event.bytes));
      case 'mouse':
        for (const value of [event.x, event.y, event.wheel]) out.number(zigzag(value));
        return out.byte(event.buttons);
      case 'card':
        return (out.text(event.card), out.array(event.bytes));
      case 'end':
        return out.number(event.tick);
      case 'reset':
      case 'powerOff':
      case 'powerButton':
        return;
    }
  }
}

export interface Journal extends JournalHeader {
  /** In order; the last is the end. */
  readonly events: readonly TimedEvent[];
}

/** Reads a journal file; throws a RangeError that says what is wrong and at which offset. */
export function readJournal(bytes: Uint8Array): Journal {
  if (bytes.length > MAXIMUM_JOURNAL * 2) throw new RangeError(`Journal: ${bytes.length} bytes is more than a journal can have.`);
  const input = new Reader(bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_LENGTH)));
  for (let n = 0; n < MAGIC.length; n++)
    if (input.byte() !== MAGIC.charCodeAt(n)) throw new RangeError(`Journal: does not begin with '${MAGIC}'.`);
  const version = input.number();
  if (version !== VERSION) throw new RangeError(`Journal: version ${version}; this program reads version ${VERSION}.`);
  const stored = [...bytes.subarray(bytes.length - CHECKSUM_LENGTH)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (checksum(bytes.subarray(0, bytes.length - CHECKSUM_LENGTH)) !== stored)
    throw new RangeError('Journal: checksum is wrong; the file is damaged or cut short.');
  const configuration = input.text();
  const startOfTime = input.number();
  const events: TimedEvent[] = [];
  let cycle = 0;
  for (;;) {
    cycle += input.number();
    const event = readEvent(input);
    events.push({ ...event, cycle });
    if (event.kind === 'end') break;
  }
  if (!input.atEnd) throw new RangeError(`Journal: bytes after the end entry at offset ${input.offset}.`);
  return { configuration, startOfTime, events };
}

function readEvent(input: Reader): JournalEvent {
  const at = input.offset;
  const kind = KINDS[input.byte()];
  switch (kind) {
    case 'sample':
      return { kind, target: input.number() };
    case 'serial': {
      const port = input.byte();
      if (port > 1) throw new RangeError(`Journal: serial port ${port} at offset ${at}.`);
      return { kind, port: port === 0 ? 0 : 1, bytes: input.array() };
    }
    case 'keyboard':
      return { kind, scanCodes: input.array() };
    case 'reset':
    case 'powerOff':
    case 'powerButton':
      return { kind };
    case 'register': {
      const name = input.text(),
        value = input.text();
      return { kind, name, value: input.byte() === 0 ? Number(value) : value };
    }
    case 'memory':
      return { kind, address: input.number(), physical: input.byte() === 1, bytes: input.array() };
    case 'mouse':
      return { kind, x: unzigzag(input.number()), y: unzigzag(input.number()), wheel: unzigzag(input.number()), buttons: input.byte() };
    case 'card':
      return { kind, card: input.text(), bytes: input.array() };
    case 'end':
      return { kind, tick: input.number() };
    case undefined:
      throw new RangeError(`Journal: unknown event at offset ${at}.`);
  }
}

/** Reads a journal's events at their cycles. */
export class Player {
  readonly #journal: Journal;
  #next = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Cycle of the next event; Infinity after the end. */
  get nextCycle(): number {
    return this.#journal.events[this.#next]?.cycle ?? Infinity;
  }

  /** The next event when it is due at this cycle, else null. A cycle that was passed means that the runs differ: throws. */
  take(cycle: number): TimedEvent | null {
    const event = this.#journal.events[this.#next];
    if (!event || event.cycle > cycle) return null;
    if (event.cycle < cycle)
      throw new Error(`Replay: event for cycle ${event.cycle} met at cycle ${cycle}; this run is not the recorded one.`);
    this.#next++;
    return event;
  }
}

const checksum = (bytes: Uint8Array): string => {
  const hasher = new Hasher();
  hasher.bytes(bytes);
  return hasher.digest();
};

/** Signed numbers as unsigned ones, small for those near zero. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

/** An upper bound of an entry's size. */
function sizeOf(event: JournalEvent): number {
  const payload =
    event.kind === 'serial' || event.kind === 'memory' || event.kind === 'card'
      ? event.bytes.length
      : event.kind === 'keyboard'
        ? event.scanCodes.length
        : event.kind === 'register'
          ? 64
          : 0;
  return payload + 32;
}

class Writer {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }
  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(this.#length + 1);
    this.#bytes[this.#length++] = value;
  }
  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Journal: ${value} is not an unsigned integer.`);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    this.byte(rest);
  }
  array(bytes: Uint8Array): void {
    this.number(bytes.length);
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(this.#length + bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
  text(value: string): void {
    this.array(new TextEncoder().encode(value));
  }
  copy(): Writer {
    const copy = new Writer();
    copy.#bytes = this.#bytes.slice(0, this.#length + 64);
    copy.#length = this.#length;
    return copy;
  }
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
  #grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get offset(): number {
    return this.#offset;
  }
  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }
  byte(): number {
    if (this.#offset >= this.#bytes.length) throw new RangeError(`Journal: cut short at offset ${this.#offset}.`);
    return this.#bytes[this.#offset++];
  }
  number(): number {
    const at = this.#offset;
    let value = 0,
      scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError(`Journal: number too large at offset ${at}.`);
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }
  array(): Uint8Array {
    const at = this.#offset;
    const length = this.number();
    if (length > this.#bytes.length - this.#offset)
      throw new RangeError(`Journal: ${length} bytes announced at offset ${at}, fewer are left.`);
    this.#offset += length;
    return this.#bytes.slice(this.#offset - length, this.#offset);
  }
  text(): string {
    return new TextDecoder().decode(this.array());
  }
}
