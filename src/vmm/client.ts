// The driver's side of the protocol: a HypervisorClient over a port to a worker. It watches the worker's heartbeat: a worker
// that ends, or that misses its heartbeats, is ended, its open requests fail, and a workerFailed event says why.

import type { Platform } from './platform.ts';
import type { CommandName, Commands, HypervisorClient, HypervisorEvent, WorkerMessage } from './protocol.ts';
import type { Port } from './worker.ts';

/** A port to a worker that can be ended. */
export interface WorkerPort extends Port {
  terminate(): void;
  /** The worker ended by itself or could not be started. There is one listener. */
  onFailure(listener: (reason: string) => void): void;
}

/** Milliseconds without a message after which a worker counts as hung; longer than its start may take. */
export const PATIENCE = 15_000;
const CHECK = 1000;

interface Open {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Connects to a worker. The platform's clock and timers drive the watchdog. */
export function createClient(port: WorkerPort, platform: Pick<Platform, 'now' | 'after'>): HypervisorClient {
  const listeners = new Set<(event: HypervisorEvent) => void>();
  const open = new Map<number, Open>();
  let nextId = 1;
  let ended: string | null = null;
  let lastMessage = platform.now();

  function end(reason: string): void {
    if (ended !== null) return;
    ended = reason;
    cancelCheck();
    port.terminate();
    for (const { reject } of open.values()) reject(new Error(reason));
    open.clear();
  }
  function fail(reason: string): void {
    if (ended !== null) return;
    end(reason);
    for (const listener of [...listeners]) listener({ event: 'workerFailed', reason });
  }

  // A sleeping computer stops this timer as well: only a check that came in time counts what it sees.
  let lastCheck = platform.now();
  let cancelCheck = platform.after(CHECK, check);
  function check(): void {
    const now = platform.now();
    if (now - lastCheck > 3 * CHECK) lastMessage = now;
    lastCheck = now;
    if (now - lastMessage > PATIENCE)
      return fail(`The worker has not answered for ${Math.round((now - lastMessage) / 1000)} seconds and was ended; its guests are lost.`);
    cancelCheck = platform.after(CHECK, check);
  }

  port.onFailure((reason) => fail(`The worker failed: ${reason}`));
  port.onMessage((data) => {
    if (ended !== null) return;
    lastMessage = platform.now();
    const message = data as WorkerMessage;
    if ('events' in message) {
      for (const event of message.events) for (const listener of [...listeners]) listener(event);
    } else if ('id' in message) {
      const request = open.get(message.id);
      open.delete(message.id);
      if (message.error === undefined) request?.resolve(message.result);
      else request?.reject(new Error(message.error));
    }
  });

  return {
    request<N extends CommandName>(command: N, args: Commands[N]['args']): Promise<Commands[N]['result']> {
      if (ended !== null) return Promise.reject(new Error(ended));
      const id = nextId++;
      return new Promise<Commands[N]['result']>((resolve, reject) => {
        open.set(id, { resolve: resolve as Open['resolve'], reject });
        port.post({ id, command, args });
      });
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    dispose() {
      end('The hypervisor was closed.');
      listeners.clear();
    },
  };
}
