// The screen of a guest as an editor beside the source: one panel per guest, used again by the next guest of its name.

import * as vscode from 'vscode';
import { type Picture, patch } from '../src/vmm/picture.ts';
import type { GuestInfo, HypervisorEvent, ScreenState } from '../src/vmm/protocol.ts';
import { describeGuest, type GuestEntry } from './guestStore.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { FromScreen, ToScreen } from './messages.ts';
import { webviewHtml, webviewRoots } from './webview.ts';

/** The hypervisor reports changes for a second after each question. */
const KEEP_WATCHING = 500;
/** Most scan codes taken from one message of the webview. */
const MAX_CODES = 64;

interface Screen {
  readonly panel: vscode.WebviewPanel;
  key: string;
  readonly name: string;
  ready: boolean;
  latest: ScreenState | null;
  /** Of graphics all rows, for a document that begins anew. */
  picture: Picture | null;
  timer: ReturnType<typeof setInterval> | null;
}

export class ScreenViews {
  readonly #hypervisor: Hypervisor;
  readonly #extension: vscode.Uri;
  readonly #screens = new Map<string, Screen>();
  readonly #ends: (() => void)[];

  constructor(hypervisor: Hypervisor, extension: vscode.Uri) {
    this.#hypervisor = hypervisor;
    this.#extension = extension;
    this.#ends = [hypervisor.onEvent((event) => this.#handle(event)), hypervisor.guests.onChange((entry) => this.#guestsChanged(entry))];
  }

  /** What a guest's panel shows, for tests; undefined without a panel. */
  latest(key: string): ScreenState | null | undefined {
    return this.#byKey(key)?.latest;
  }

  /** Takes a message as if the document of a guest's panel had sent it, for tests. */
  receive(key: string, message: FromScreen): void {
    const screen = this.#byKey(key);
    if (screen) this.#receive(screen, message);
  }

  /** Opens the panel of a guest, or shows it again. */
  open(entry: GuestEntry, preserveFocus: boolean): void {
    const known = this.#screens.get(entry.info.name);
    if (known) {
      connect(known, entry.key);
      known.panel.reveal(undefined, preserveFocus);
      this.#update(known);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      'cp86.screen',
      `Screen: ${entry.info.name}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus },
      { enableScripts: true, localResourceRoots: webviewRoots(this.#extension) },
    );
    panel.iconPath = vscode.Uri.joinPath(this.#extension, 'media', 'screen.svg');
    const screen: Screen = { panel, key: entry.key, name: entry.info.name, ready: false, latest: null, picture: null, timer: null };
    this.#screens.set(screen.name, screen);
    panel.webview.onDidReceiveMessage((message: FromScreen) => this.#receive(screen, message));
    panel.onDidChangeViewState(() => this.#update(screen));
    panel.onDidDispose(() => {
      this.#screens.delete(screen.name);
      this.#watch(screen, false);
    });
    panel.webview.html = webviewHtml(panel.webview, this.#extension, 'screen', 'Screen', '<main id="screen"></main>');
  }

  dispose(): void {
    for (const end of this.#ends) end();
    for (const screen of this.#screens.values()) screen.panel.dispose();
  }

  #byKey(key: string): Screen | undefined {
    return [...this.#screens.values()].find((screen) => screen.key === key);
  }

  #receive(screen: Screen, message: FromScreen): void {
    if (message.type === 'ready') {
      screen.ready = true;
      this.#update(screen);
      this.#postAll(screen);
    } else if (message.type === 'copy') {
      void vscode.env.clipboard.writeText(message.text).then(() => vscode.window.setStatusBarMessage('Screen text copied', 2000));
    } else if (message.type === 'mouse') {
      const entry = this.#hypervisor.guests.get(screen.key),
        { x, y, wheel, buttons } = message;
      if (entry?.alive) this.#hypervisor.request('mouse', { id: entry.id, x, y, wheel, buttons }).catch(() => this.#update(screen));
    } else {
      const entry = this.#hypervisor.guests.get(screen.key);
      const scanCodes = Uint8Array.from(message.scanCodes.slice(0, MAX_CODES));
      if (entry?.alive) this.#hypervisor.request('keyboard', { id: entry.id, scanCodes }).catch(() => this.#update(screen));
    }
  }

  #handle(event: HypervisorEvent): void {
    if (event.event === 'screen') {
      const screen = this.#byKey(this.#hypervisor.guests.keyOf(event.id));
      if (screen) this.#show(screen, event.screen);
    } else if (event.event === 'stopped') {
      const screen = this.#byKey(this.#hypervisor.guests.keyOf(event.id));
      if (screen?.panel.visible) void this.#ask(screen);
    }
  }

  #guestsChanged(entry: GuestEntry | null): void {
    for (const each of entry ? [entry] : this.#hypervisor.guests.all) {
      const screen = this.#screens.get(each.info.name);
      if (!screen) continue;
      // The panel of a guest that is gone serves the next one of its name.
      if (screen.key !== each.key && !this.#hypervisor.guests.get(screen.key)?.alive) connect(screen, each.key);
    }
    for (const screen of this.#screens.values()) if (!entry || screen.key === entry.key) this.#update(screen);
  }

  #update(screen: Screen): void {
    const entry = this.#hypervisor.guests.get(screen.key);
    const active = entry?.alive === true && isActive(entry.info);
    this.#watch(screen, active && screen.panel.visible);
    if (screen.ready) this.#post(screen, { type: 'status', text: entry ? describeGuest(entry.info) : 'the guest is gone', live: active });
  }

  #watch(screen: Screen, on: boolean): void {
    if (on && screen.timer === null) {
      void this.#ask(screen);
      screen.timer = setInterval(() => void this.#ask(screen), KEEP_WATCHING);
    } else if (!on && screen.timer !== null) {
      clearInterval(screen.timer);
      screen.timer = null;
      // The last picture: what the guest showed when it stopped.
      if (screen.panel.visible) void this.#ask(screen);
    }
  }

  async #ask(screen: Screen): Promise<void> {
    const entry = this.#hypervisor.guests.get(screen.key);
    if (!entry?.alive) return;
    try {
      const since = screen.latest?.mode === 'graphics' ? screen.latest.version : 0;
      this.#show(screen, (await this.#hypervisor.request('screen', { id: entry.id, since })).screen);
    } catch {
      // Gone in the meantime: the list of guests says so.
    }
  }

  #show(screen: Screen, state: ScreenState): void {
    if (screen.latest && sameScreen(screen.latest, state)) return;
    screen.picture = state.mode === 'graphics' ? patch(screen.picture, state) : null;
    // Rows of a picture that is not here: the next question asks for all.
    screen.latest = state.mode === 'graphics' && !screen.picture ? null : state;
    if (screen.latest && screen.ready && screen.panel.visible) this.#post(screen, { type: 'screen', screen: state });
  }

  /** For a document that shows nothing yet. */
  #postAll(screen: Screen): void {
    const { latest, picture } = screen;
    if (latest?.mode === 'graphics' && picture)
      this.#post(screen, { type: 'screen', screen: { ...latest, bands: [{ top: 0, pixels: picture.pixels }] } });
    else if (latest) this.#post(screen, { type: 'screen', screen: latest });
  }

  #post(screen: Screen, message: ToScreen): void {
    void screen.panel.webview.postMessage(message);
  }
}

/** Whether a guest is powered on. */
export function isActive(info: GuestInfo): boolean {
  return info.status === 'running' || info.status === 'halted' || info.status === 'paused';
}

/** Connects a panel to another guest, or the same again. */
function connect(screen: Screen, key: string): void {
  if (screen.key === key) return;
  screen.key = key;
  screen.latest = screen.picture = null;
}

function sameScreen(a: ScreenState, b: ScreenState): boolean {
  if (a.mode === 'graphics' || b.mode === 'graphics') return a.mode === 'graphics' && b.mode === 'graphics' && b.bands.length === 0;
  return (
    a.columns === b.columns &&
    a.cursor === b.cursor &&
    a.cursorStart === b.cursorStart &&
    a.cursorEnd === b.cursorEnd &&
    a.cells.length === b.cells.length &&
    a.cells.every((byte, n) => byte === b.cells[n])
  );
}
