// The VM Exits panel: counts and rates by reason, and a list of the newest exits. The records stay here (exitLog.ts); the
// webview gets, at most twenty times a second, the rows in its sight. The hypervisor bounds what it sends of a guest that makes a
// hundred thousand exits a second; while the panel is paused it only counts.

import * as vscode from 'vscode';
import { EXITS, type ExitName } from '../src/runtime/exits.ts';
import type { ExitRecord, HypervisorEvent } from '../src/vmm/protocol.ts';
import { compileFilter, formatAddress, NO_FILTER, type PanelFilter, workerFilter } from './exitFilter.ts';
import { ExitCounters, ExitLog } from './exitLog.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { ExitRow, FromExits, ToExits } from './messages.ts';
import { webviewHtml, webviewRoots } from './webview.ts';

/** Where an exit happened: argument of the command `cp86.revealAddress`. */
export interface ExitPlace {
  readonly guest: number;
  readonly cs: number;
  readonly eip: number;
  readonly linear: number;
}

const CAPACITY = 20_000;
const UPDATE_INTERVAL = 50;
const SETTLE_INTERVAL = 2500;

/** What tests read of the panel. */
export interface ExitsState {
  readonly visible: boolean;
  readonly paused: boolean;
  readonly filter: PanelFilter;
  readonly rows: readonly ExitRow[];
  readonly reasons: readonly { readonly reason: ExitName; readonly count: number }[];
  readonly held: number;
  readonly dropped: number;
  /** Updates posted to the webview so far. */
  readonly updates: number;
}

export class ExitsPanel implements vscode.WebviewViewProvider {
  readonly #hypervisor: Hypervisor;
  readonly #extension: vscode.Uri;
  readonly #log = new ExitLog(CAPACITY);
  readonly #counters = new ExitCounters();
  readonly #ends: (() => void)[];
  readonly #breakOn = new Set<ExitName>();
  #view: vscode.WebviewView | null = null;
  #ready = false;
  #paused = false;
  #filter = NO_FILTER;
  #problem = '';
  #window = { from: 0, count: 50, follow: true };
  #timer: ReturnType<typeof setTimeout> | null = null;
  #settle: ReturnType<typeof setTimeout> | null = null;
  /** Names by guest key, also of guests that are gone while their exits are listed. */
  readonly #names = new Map<string, string>();
  /** What each guest was last asked to record, as JSON, so that nothing is asked twice. */
  readonly #watched = new Map<string, string>();
  #generation = 0;
  #updates = 0;
  /** When the webview was last sent an update (milliseconds). */
  #updated = 0;

  constructor(hypervisor: Hypervisor, extension: vscode.Uri) {
    this.#hypervisor = hypervisor;
    this.#extension = extension;
    this.#ends = [
      hypervisor.onEvent((event) => this.#handle(event)),
      hypervisor.guests.onChange((entry) => entry ?? this.#guestsChanged()),
    ];
  }

  get state(): ExitsState {
    return {
      visible: this.#view?.visible ?? false,
      paused: this.#paused,
      filter: this.#filter,
      rows: this.#rows(),
      reasons: this.#counters.reasons(this.#filter.guest, Date.now()),
      held: this.#log.held,
      dropped: this.#counters.dropped(this.#filter.guest),
      updates: this.#updates,
    };
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    this.#ready = false;
    view.webview.options = { enableScripts: true, localResourceRoots: webviewRoots(this.#extension) };
    view.webview.onDidReceiveMessage((message: FromExits) => this.receive(message));
    view.onDidChangeVisibility(() => this.#recordingChanged());
    view.onDidDispose(() => {
      this.#view = null;
      this.#recordingChanged();
    });
    view.webview.html = webviewHtml(view.webview, this.#extension, 'exits', 'VM Exits', '<main id="exits"></main>');
    this.#recordingChanged();
  }

  /** A message of the webview, or of a command that does the same. */
  receive(message: FromExits): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#postState();
        this.#schedule();
        return;
      case 'window':
        this.#window = { from: message.from, count: Math.min(message.count, 500), follow: message.follow };
        this.#postUpdate();
        return;
      case 'filter':
        this.#setFilter(message.filter);
        return;
      case 'pause':
        this.#paused = message.paused;
        void vscode.commands.executeCommand('setContext', 'cp86.exits.paused', message.paused);
        this.#recordingChanged();
        this.#postState();
        return;
      case 'clear':
        this.#clear();
        return;
      case 'reveal':
        this.#reveal(this.#log.at(message.position));
        return;
      case 'breakOn':
        this.#setBreakOn(message.reason, message.on);
        return;
      case 'debug':
        void vscode.commands.executeCommand('workbench.action.debug.start');
    }
  }

  /** Shows the exits of one guest. */
  async show(guest: string | null): Promise<void> {
    this.#setFilter({ ...this.#filter, guest });
    await vscode.commands.executeCommand('cp86.exits.focus');
  }

  dispose(): void {
    for (const end of this.#ends) end();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#settle !== null) clearTimeout(this.#settle);
  }

  #clear(): void {
    this.#log.clear();
    this.#counters.clear();
    for (const key of this.#names.keys()) {
      if (this.#hypervisor.guests.get(key)) continue;
      this.#names.delete(key);
      this.#counters.forget(key);
    }
    this.#postUpdate();
  }

  #handle(event: HypervisorEvent): void {
    if (event.event === 'exits') {
      const key = this.#hypervisor.guests.keyOf(event.counts.guest);
      this.#counters.update(key, event.counts, Date.now());
      if (!this.#paused && event.records.length) this.#log.add(event.records);
      this.#schedule();
    } else if (event.event === 'workerFailed') this.#guestsChanged();
  }

  #guestsChanged(): void {
    const { guests } = this.#hypervisor;
    // Records name guests by the worker's numbers, which another worker gives again.
    if (guests.generation !== this.#generation) this.#clear();
    this.#generation = guests.generation;
    for (const { key, info } of guests.all) this.#names.set(key, info.name);
    if (this.#filter.guest !== null && !guests.get(this.#filter.guest)) this.#setFilter({ ...this.#filter, guest: null });
    for (const { id, key, alive } of guests.all) if (alive && !this.#watched.has(key)) this.#watch(id, key);
    for (const key of this.#watched.keys()) if (!guests.get(key)?.alive) this.#watched.delete(key);
    this.#postState();
    this.#schedule();
  }

  #setFilter(filter: PanelFilter): void {
    try {
      this.#log.setFilter(compileFilter(filter, (record) => this.#hypervisor.guests.keyOf(record.guest)));
      this.#filter = filter;
      this.#problem = '';
      this.#recordingChanged();
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.#postState();
    this.#postUpdate();
  }

  #recordingChanged(): void {
    for (const { id, key, alive } of this.#hypervisor.guests.all) if (alive) this.#watch(id, key);
    this.#schedule();
  }

  #watch(id: number, key: string): void {
    const wanted = !this.#paused && (this.#filter.guest === null || this.#filter.guest === key);
    const filter = wanted ? workerFilter(this.#filter) : null;
    const text = JSON.stringify(filter);
    const before = this.#watched.get(key);
    this.#watched.set(key, text);
    if (before !== text && !(before === undefined && filter === null))
      this.#request(this.#hypervisor.request('watchExits', { id, filter }));
    if (before === undefined && this.#breakOn.size) this.#request(this.#hypervisor.breakOnExits(id, { reasons: [...this.#breakOn] }));
  }

  #setBreakOn(reason: ExitName, on: boolean): void {
    if (!(reason in EXITS)) return;
    if (on) this.#breakOn.add(reason);
    else this.#breakOn.delete(reason);
    const exits = this.#breakOn.size ? { reasons: [...this.#breakOn] } : null;
    for (const { id, alive } of this.#hypervisor.guests.all) if (alive) this.#request(this.#hypervisor.breakOnExits(id, exits));
    this.#postState();
  }

  /** A guest may be gone by the time a request reaches it: nothing is lost then. */
  #request(answer: Promise<unknown>): void {
    answer.catch((error: unknown) => {
      if (this.#hypervisor.started) console.warn(`CP/86 VM Exits: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  #reveal(record: ExitRecord | undefined): void {
    if (!record) return;
    const place: ExitPlace = { guest: record.guest, cs: record.cs, eip: record.eip, linear: record.linear };
    void vscode.commands.executeCommand('cp86.revealAddress', place);
  }

  /** One update per interval, however much arrives, and one more after the last, when the rates have fallen to zero. */
  #schedule(): void {
    if (this.#timer !== null || !this.#ready || !this.#view?.visible) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#postUpdate();
        if (this.#settle !== null) clearTimeout(this.#settle);
        this.#settle = setTimeout(() => this.#postUpdate(), SETTLE_INTERVAL);
      },
      Math.max(0, this.#updated + UPDATE_INTERVAL - Date.now()),
    );
  }

  #rows(): ExitRow[] {
    const { first, end } = this.#log;
    const count = this.#window.count;
    const from = this.#window.follow
      ? Math.max(first, end - count)
      : Math.min(Math.max(this.#window.from, first), Math.max(first, end - 1));
    return this.#log.rows(from, count).map((record, n) => ({
      position: from + n,
      tick: record.tick,
      guest: this.#names.get(this.#hypervisor.guests.keyOf(record.guest)) ?? `guest ${record.guest}`,
      address: formatAddress(record),
      reason: record.reason,
      text: record.text,
      cost: record.cost,
    }));
  }

  #postUpdate(): void {
    if (!this.#ready || !this.#view?.visible) return;
    const now = Date.now();
    this.#updates++;
    this.#updated = now;
    this.#post({
      type: 'update',
      first: this.#log.first,
      end: this.#log.end,
      rows: this.#rows(),
      reasons: this.#counters.reasons(this.#filter.guest, now),
      held: this.#log.held,
      dropped: this.#counters.dropped(this.#filter.guest),
    });
  }

  #postState(): void {
    if (!this.#ready) return;
    const guests = this.#hypervisor.guests.all.map(({ key, info }) => ({ key, name: info.name }));
    this.#post({ type: 'state', guests, filter: this.#filter, problem: this.#problem, paused: this.#paused, breakOn: [...this.#breakOn] });
  }

  #post(message: ToExits): void {
    void this.#view?.webview.postMessage(message);
  }
}
