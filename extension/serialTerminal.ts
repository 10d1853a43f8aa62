// Serial ports and the virtio console as terminals: one per guest and port, opened by the first output, used again by the next guest of the same
// name. Closing a terminal closes only the window to the guest. Output before the terminal was opened is kept.

import * as vscode from 'vscode';
import type { HypervisorEvent } from '../src/vmm/protocol.ts';
import type { GuestEntry } from './guestStore.ts';
import type { Hypervisor } from './hypervisor.ts';
import { SerialText } from './serialText.ts';

/** Output kept for a terminal that is opened later. */
const KEPT = 64 * 1024;

/** The channels that are terminals, and how theirs are told from the first port's. */
const TITLES = { serial0: '', serial1: ' (COM2)', virtconsole: ' (hvc0)' } as const;
export type TerminalChannel = keyof typeof TITLES;

interface Port {
  key: string;
  readonly name: string;
  readonly channel: TerminalChannel;
  readonly text: SerialText;
  kept: string;
  terminal: vscode.Terminal | null;
  /** The user closed it: it opens again only when asked for. */
  closed: boolean;
  /** Sends text to the open terminal. */
  write: ((text: string) => void) | null;
}

export class SerialTerminals {
  readonly #hypervisor: Hypervisor;
  readonly #ports = new Map<string, Port>();
  readonly #wanted: (guest: GuestEntry) => boolean;
  readonly #end: () => void;

  /** `wanted` says whether a guest's first output opens a terminal. */
  constructor(hypervisor: Hypervisor, wanted: (guest: GuestEntry) => boolean) {
    this.#hypervisor = hypervisor;
    this.#wanted = wanted;
    this.#end = hypervisor.onEvent((event) => this.#handle(event));
  }

  /** What a port has printed (the last 64 KiB), for tests. */
  output(name: string, channel: TerminalChannel = 'serial0'): string {
    return this.#ports.get(`${name} ${channel}`)?.kept ?? '';
  }

  terminal(name: string, channel: TerminalChannel = 'serial0'): vscode.Terminal | null {
    return this.#ports.get(`${name} ${channel}`)?.terminal ?? null;
  }

  /** Opens the terminal of a guest's port, or shows it again. */
  open(entry: GuestEntry, channel: TerminalChannel, preserveFocus: boolean): void {
    this.#show(this.#port(entry.key, entry.info.name, channel), preserveFocus);
  }

  dispose(): void {
    this.#end();
    for (const { terminal } of this.#ports.values()) terminal?.dispose();
  }

  #handle(event: HypervisorEvent): void {
    if (event.event === 'output') {
      if (isTerminal(event.channel)) this.#output(event.id, event.channel, event.bytes);
    } else if (event.event === 'ended') this.#note(event.id, event.reason || `ended with status ${event.status}`);
    else if (event.event === 'workerFailed') for (const port of this.#ports.values()) this.#mark(port, event.reason);
  }

  #output(id: number, channel: TerminalChannel, bytes: Uint8Array): void {
    const entry = this.#hypervisor.guests.byId(id);
    if (!entry) return;
    const port = this.#port(entry.key, entry.info.name, channel);
    this.#write(port, port.text.decode(bytes));
    if (!port.terminal && !port.closed && this.#wanted(entry)) this.#show(port, true);
  }

  #note(id: number, text: string): void {
    const key = this.#hypervisor.guests.keyOf(id);
    for (const port of this.#ports.values()) if (port.key === key) this.#mark(port, text);
  }

  /** A line of our own, told from the guest's by its dim letters. */
  #mark(port: Port, text: string): void {
    if (port.kept) this.#write(port, `${port.text.atLineStart ? '' : '\r\n'}\x1b[2m[${text}]\x1b[0m\r\n`);
  }

  #write(port: Port, text: string): void {
    port.kept = (port.kept + text).slice(-KEPT);
    port.write?.(text);
  }

  #port(key: string, name: string, channel: TerminalChannel): Port {
    const found = this.#ports.get(`${name} ${channel}`);
    if (!found) {
      const port: Port = { key, name, channel, text: new SerialText(), kept: '', terminal: null, closed: false, write: null };
      this.#ports.set(`${name} ${channel}`, port);
      return port;
    }
    if (found.key !== key && !this.#hypervisor.guests.get(found.key)?.alive) {
      this.#mark(found, 'started again');
      found.key = key;
      found.closed = false;
    }
    return found;
  }

  #show(port: Port, preserveFocus: boolean): void {
    if (!port.terminal) {
      const write = new vscode.EventEmitter<string>();
      let opened = false;
      const pty: vscode.Pseudoterminal = {
        onDidWrite: write.event,
        open: () => {
          opened = true;
          write.fire(port.kept);
        },
        close: () => {
          port.terminal = null;
          port.write = null;
          port.closed = true;
          write.dispose();
        },
        handleInput: (data) => this.#input(port, data),
      };
      // What comes before `open` is in `kept` already.
      port.write = (text) => {
        if (opened) write.fire(text);
      };
      port.closed = false;
      port.terminal = vscode.window.createTerminal({
        name: `${port.name}${TITLES[port.channel]}`,
        pty,
        iconPath: new vscode.ThemeIcon('vm'),
        isTransient: true,
      });
    }
    port.terminal.show(preserveFocus);
  }

  #input(port: Port, data: string): void {
    const entry = this.#hypervisor.guests.get(port.key);
    if (!entry?.alive) return;
    const bytes = new TextEncoder().encode(data),
      { id } = entry;
    const done =
      port.channel === 'virtconsole'
        ? this.#hypervisor.request('virtconsoleInput', { id, bytes })
        : this.#hypervisor.request('serialInput', { id, port: port.channel === 'serial0' ? 0 : 1, bytes });
    done.catch((error: unknown) => this.#mark(port, error instanceof Error ? error.message : String(error)));
  }
}

const isTerminal = (channel: string): channel is TerminalChannel => Object.hasOwn(TITLES, channel);
