// Collects what guests produce and lets it out at rates that a user interface can take: output of a channel and exits in
// batches, the screen only while somebody looks and only when it changed, status once a second. The first byte after a quiet
// time goes out at once, so that an echo is not held back.

import type { Platform } from './platform.ts';
import type { GuestId, HypervisorEvent, ScreenState } from './protocol.ts';

export type Channel = 'serial0' | 'serial1' | 'debugcon' | 'virtconsole' | 'log';

/** Milliseconds between two batches of the same kind. */
const OUTPUT_INTERVAL = 16,
  EXITS_INTERVAL = 67,
  SCREEN_INTERVAL = 50,
  STATUS_INTERVAL = 1000;
/** Bytes of a channel after which a batch goes out at once. */
const OUTPUT_LIMIT = 64 << 10;
/** Records in a batch of exits. */
export const EXITS_BATCH = 1000;
/** Milliseconds for which a request of the screen keeps it being sent. */
const SCREEN_INTEREST = 1000;

/** What the outbox asks a guest for when it is time to send it. */
export interface Source {
  readonly id: GuestId;
  isRunning(): boolean;
  status(): HypervisorEvent & { event: 'status' };
  hasExits(): boolean;
  exits(most: number): HypervisorEvent & { event: 'exits' };
  screen(): ScreenState;
}

interface Pending {
  bytes: Uint8Array<ArrayBuffer>;
  length: number;
  sent: number;
}
interface Watched {
  readonly source: Source;
  readonly channels: Map<Channel, Pending>;
  exitsSent: number;
  statusSent: number;
  screenSent: number;
  screenWanted: number;
  lastScreen: ScreenState | null;
}

export class Outbox {
  readonly #platform: Platform;
  readonly #emit: (event: HypervisorEvent) => void;
  readonly #guests = new Map<GuestId, Watched>();
  #cancelTimer: (() => void) | null = null;

  constructor(platform: Platform, emit: (event: HypervisorEvent) => void) {
    this.#platform = platform;
    this.#emit = emit;
  }

  add(source: Source): void {
    this.#guests.set(source.id, {
      source,
      channels: new Map(),
      exitsSent: -Infinity,
      statusSent: -Infinity,
      screenSent: -Infinity,
      screenWanted: -Infinity,
      lastScreen: null,
    });
  }

  /** Sends what is left of a guest and forgets it. */
  remove(id: GuestId): void {
    this.flush(id);
    this.#guests.delete(id);
  }

  /** A byte that a guest sent. */
  write(id: GuestId, channel: Channel, byte: number): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    let pending = guest.channels.get(channel);
    if (!pending) guest.channels.set(channel, (pending = { bytes: new Uint8Array(256), length: 0, sent: -Infinity }));
    if (pending.length === pending.bytes.length) {
      const larger = new Uint8Array(pending.bytes.length * 2);
      larger.set(pending.bytes);
      pending.bytes = larger;
    }
    pending.bytes[pending.length++] = byte;
    if (pending.length === OUTPUT_LIMIT) this.#sendOutput(id, channel, pending, this.#platform.now());
  }

  /** A line for the log channel. */
  log(id: GuestId, line: string): void {
    for (const byte of new TextEncoder().encode(`${line}\n`)) this.write(id, 'log', byte);
  }

  /** Somebody looks at the screen: it is sent when it changes, for a second from now. */
  wantScreen(id: GuestId, shown: ScreenState): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    guest.screenWanted = this.#platform.now();
    guest.lastScreen = shown;
  }

  /** Sends all of a guest's output and exits now, whatever the rate: it stopped, and what it said comes before that news. */
  flush(id: GuestId): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    const now = this.#platform.now();
    for (const [channel, pending] of guest.channels) if (pending.length > 0) this.#sendOutput(id, channel, pending, now);
    this.#sendExits(guest, now);
    if (now - guest.screenWanted < SCREEN_INTEREST) this.#sendScreen(guest, now);
  }

  /** Sends what is due; call it after every turn. What is due later goes out by itself. */
  pump(): void {
    const now = this.#platform.now();
    let next = Infinity;
    const due = (sent: number, interval: number): boolean => {
      if (now - sent >= interval) return true;
      next = Math.min(next, sent + interval - now);
      return false;
    };
    for (const guest of this.#guests.values()) {
      for (const [channel, pending] of guest.channels) {
        if (pending.length > 0 && due(pending.sent, OUTPUT_INTERVAL)) this.#sendOutput(guest.source.id, channel, pending, now);
      }
      if (guest.source.isRunning()) {
        if (guest.source.hasExits() && due(guest.exitsSent, EXITS_INTERVAL)) this.#sendExits(guest, now);
        if (due(guest.statusSent, STATUS_INTERVAL)) this.sendStatus(guest.source.id);
        if (now - guest.screenWanted < SCREEN_INTEREST && due(guest.screenSent, SCREEN_INTERVAL)) this.#sendScreen(guest, now);
      }
    }
    this.#wait(next);
  }

  /** Sends a guest's status now. */
  sendStatus(id: GuestId): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    guest.statusSent = this.#platform.now();
    this.#emit(guest.source.status());
  }

  dispose(): void {
    this.#cancelTimer?.();
    this.#guests.clear();
  }

  #wait(milliseconds: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (milliseconds === Infinity) return;
    this.#cancelTimer = this.#platform.after(Math.max(1, milliseconds), () => {
      this.#cancelTimer = null;
      this.pump();
    });
  }

  #sendOutput(id: GuestId, channel: Channel, pending: Pending, now: number): void {
    const bytes = pending.bytes.slice(0, pending.length);
    pending.length = 0;
    pending.sent = now;
    this.#emit({ event: 'output', id, channel, bytes });
  }

  #sendExits(guest: Watched, now: number): void {
    guest.exitsSent = now;
    if (guest.source.hasExits()) this.#emit(guest.source.exits(EXITS_BATCH));
  }

  #sendScreen(guest: Watched, now: number): void {
    guest.screenSent = now;
    const screen = guest.source.screen();
    if (guest.lastScreen && sameScreen(guest.lastScreen, screen)) return;
    guest.lastScreen = screen;
    this.#emit({ event: 'screen', id: guest.source.id, screen });
  }
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((byte, n) => byte === b[n]));

const sameScreen = (a: ScreenState, b: ScreenState): boolean =>
  a.mode === b.mode &&
  a.columns === b.columns &&
  a.rows === b.rows &&
  a.cursor === b.cursor &&
  a.cursorStart === b.cursorStart &&
  a.cursorEnd === b.cursorEnd &&
  sameBytes(a.cells, b.cells) &&
  sameBytes(a.pixels, b.pixels) &&
  sameBytes(a.palette, b.palette);
