// The one hypervisor of an extension host: started with the first request, told to everyone who asks, started again after
// its worker failed. Guests live in the worker and end with the window. Debug sessions, views and commands all go
// through `request`, so that two of them asking for stops on one guest do not undo each other.

import * as vscode from 'vscode';
import type { CommandName, Commands, ExitFilter, GuestId, HypervisorClient, HypervisorEvent } from '../src/vmm/protocol.ts';
import { mergeExitFilters } from './exitFilter.ts';
import { GuestStore } from './guestStore.ts';
import type { Platform } from './platform.ts';

interface BreakOn {
  /** Last request of the debug session. */
  session: Commands['setBreakOn']['args'] | null;
  /** Stops that the exits panel asked for. */
  panel: ExitFilter | null;
}

export class Hypervisor implements HypervisorClient {
  readonly guests = new GuestStore();
  readonly #platform: Platform;
  readonly #log: vscode.LogOutputChannel;
  readonly #listeners = new Set<(event: HypervisorEvent) => void>();
  readonly #breakOn = new Map<GuestId, BreakOn>();
  #client: Promise<HypervisorClient> | null = null;
  #failed = false;
  #disposed = false;

  constructor(platform: Platform, log: vscode.LogOutputChannel) {
    this.#platform = platform;
    this.#log = log;
  }

  /** Whether a worker runs: views ask before a request that would start one. */
  get started(): boolean {
    return this.#client !== null;
  }

  async request<N extends CommandName>(command: N, args: Commands[N]['args']): Promise<Commands[N]['result']> {
    const client = await this.#start();
    if (command === 'setBreakOn') {
      const asked = args as Commands['setBreakOn']['args'];
      this.#breakOf(asked.id).session = asked;
      return client.request('setBreakOn', this.#mergedBreakOn(asked.id)) as Promise<Commands[N]['result']>;
    }
    return client.request(command, args);
  }

  /** Stops a guest at these exits (null: at none), beside what its debug session asks for. */
  async breakOnExits(id: GuestId, exits: ExitFilter | null): Promise<void> {
    this.#breakOf(id).panel = exits;
    await (await this.#start()).request('setBreakOn', this.#mergedBreakOn(id));
  }

  onEvent(listener: (event: HypervisorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The same hypervisor for one of several users, who cannot end it. */
  shared(): HypervisorClient {
    const subscriptions = new Set<() => void>();
    return {
      request: (command, args) => this.request(command, args),
      onEvent: (listener) => {
        const end = this.onEvent(listener);
        subscriptions.add(end);
        return () => {
          subscriptions.delete(end);
          end();
        };
      },
      dispose: () => {
        for (const end of subscriptions) end();
        subscriptions.clear();
      },
    };
  }

  /** Ends the worker and every guest; the next request starts a new one. */
  async restart(): Promise<void> {
    const client = this.#client;
    this.#failed = true;
    this.#client = null;
    if (client) (await client).dispose();
    this.#emit({ event: 'workerFailed', reason: 'the hypervisor was restarted' });
  }

  dispose(): void {
    this.#disposed = true;
    this.#listeners.clear();
    void this.#client?.then((client) => client.dispose());
    this.#client = null;
  }

  #start(): Promise<HypervisorClient> {
    if (this.#disposed) return Promise.reject(new Error('The hypervisor has ended with its window.'));
    if (this.#client) return this.#client;
    if (this.#failed) this.guests.newWorker();
    this.#failed = false;
    this.#breakOn.clear();
    this.#log.info(`starting the hypervisor (${this.#platform.kind} worker)`);
    const starting = this.#platform.startHypervisor().then(
      (client) => {
        client.onEvent((event) => {
          if (this.#client === starting) this.#handle(event);
        });
        return client;
      },
      (error: unknown) => {
        if (this.#client === starting) this.#client = null;
        throw new Error(`The hypervisor did not start: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
    this.#client = starting;
    return starting;
  }

  #handle(event: HypervisorEvent): void {
    if (event.event === 'workerFailed') this.#workerFailed(event.reason);
    else if (event.event === 'removed') this.#breakOn.delete(event.id);
    this.#emit(event);
  }

  #emit(event: HypervisorEvent): void {
    this.guests.handle(event);
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error(error instanceof Error ? error : String(error));
      }
    }
  }

  #workerFailed(reason: string): void {
    const client = this.#client;
    this.#client = null;
    this.#failed = true;
    this.#log.error(`the hypervisor failed: ${reason}`);
    void client?.then((ended) => ended.dispose());
    const show = 'Show Log';
    const text = `The hypervisor stopped: ${reason}. Its guests have failed; a new hypervisor starts with the next guest.`;
    void vscode.window.showErrorMessage(text, show).then((choice) => choice === show && this.#log.show());
  }

  #breakOf(id: GuestId): BreakOn {
    let entry = this.#breakOn.get(id);
    if (!entry) this.#breakOn.set(id, (entry = { session: null, panel: null }));
    return entry;
  }

  #mergedBreakOn(id: GuestId): Commands['setBreakOn']['args'] {
    const { session, panel } = this.#breakOf(id);
    return { id, vectors: session?.vectors ?? [], exits: mergeExitFilters(session?.exits ?? null, panel) };
  }
}
