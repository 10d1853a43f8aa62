// The guests as the user interface knows them: built from the hypervisor's events, kept when their worker dies (shown as
// failed, with the reason) until they are removed or another worker starts. Knows no editor.

import type { GuestId, GuestInfo, HypervisorEvent } from '../src/vmm/protocol.ts';

export interface GuestEntry {
  /** Unique over the life of the window; the hypervisor's numbers start again with every worker. */
  readonly key: string;
  readonly id: GuestId;
  readonly info: GuestInfo;
  /** false: its worker is gone, it can only be removed. */
  readonly alive: boolean;
}

export class GuestStore {
  readonly #entries = new Map<string, GuestEntry>();
  readonly #listeners = new Set<(entry: GuestEntry | null) => void>();
  #generation = 1;

  /** Number of the worker, from 1. */
  get generation(): number {
    return this.#generation;
  }

  /** Key of a guest of the running worker. */
  keyOf(id: GuestId): string {
    return `${this.#generation}.${id}`;
  }

  get(key: string): GuestEntry | undefined {
    return this.#entries.get(key);
  }

  /** Guest of the running worker. */
  byId(id: GuestId): GuestEntry | undefined {
    return this.#entries.get(this.keyOf(id));
  }

  /** In order of definition. */
  get all(): readonly GuestEntry[] {
    return [...this.#entries.values()];
  }

  /** Calls back with a guest that changed, or null when guests came or went. Returns what ends the subscription. */
  onChange(listener: (entry: GuestEntry | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  handle(event: HypervisorEvent): void {
    if (event.event === 'status') this.update(event.guest);
    else if (event.event === 'removed') this.forget(this.keyOf(event.id));
    else if (event.event === 'workerFailed') this.#workerGone(event.reason);
  }

  update(info: GuestInfo): void {
    const key = this.keyOf(info.id),
      known = this.#entries.has(key);
    const entry = { key, id: info.id, info, alive: true };
    this.#entries.set(key, entry);
    this.#tell(known ? entry : null);
  }

  /** Takes a guest off the list. */
  forget(key: string): void {
    if (this.#entries.delete(key)) this.#tell(null);
  }

  /** A new worker starts: guests of the former one leave the list. */
  newWorker(): void {
    this.#generation++;
    this.#entries.clear();
    this.#tell(null);
  }

  #workerGone(reason: string): void {
    for (const entry of this.#entries.values()) {
      const info: GuestInfo = { ...entry.info, status: 'failed', reason, speed: 0, share: 0 };
      this.#entries.set(entry.key, { ...entry, info, alive: false });
    }
    this.#tell(null);
  }

  #tell(entry: GuestEntry | null): void {
    for (const listener of [...this.#listeners]) listener(entry);
  }
}

/** '12.3 M', '950 k', '80': a count a second or in all, short. */
export function formatCount(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${Math.round(value / 1e3)} k`;
  return String(Math.round(value));
}

/** What a guest's row says beside its name: `running · protected 32 · 120.4 M/s`. */
export function describeGuest(info: GuestInfo): string {
  const parts: string[] = [info.status];
  if (info.status === 'running' || info.status === 'paused' || info.status === 'halted')
    parts.push(info.paging ? `${info.mode}, paging` : info.mode);
  if (info.status === 'running' && info.speed >= 1) parts.push(`${formatCount(info.speed)} ticks/s`);
  if ((info.status === 'paused' || info.status === 'off' || info.status === 'failed') && info.reason) parts.push(info.reason);
  return parts.join(' · ');
}
