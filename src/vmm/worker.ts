// The worker's side of the protocol: a hypervisor behind a port. Requests are answered in order; events go out in one message
// per macrotask, before any answer that follows them; a heartbeat says that the worker still gets around to its messages.

import { createHypervisor, type MachineBuilder } from './hypervisor.ts';
import type { Platform } from './platform.ts';
import type { CommandName, Commands, HypervisorEvent, RequestMessage, WorkerMessage } from './protocol.ts';

/** One end of a channel to another thread. */
export interface Port {
  post(message: unknown): void;
  /** There is one listener. */
  onMessage(listener: (message: unknown) => void): void;
}

/** Milliseconds between heartbeats. */
export const HEARTBEAT = 500;

/** Serves a hypervisor on this port for as long as the worker lives. */
export function serve(port: Port, platform: Platform, build: MachineBuilder): void {
  let events: HypervisorEvent[] = [];
  const send = (message: WorkerMessage): void => port.post(message);

  function sendEvents(): void {
    if (events.length === 0) return;
    const batch = events;
    events = [];
    send({ events: batch });
  }
  const hypervisor = createHypervisor(platform, build, (event) => {
    if (events.push(event) === 1) queueMicrotask(sendEvents);
  });

  port.onMessage((message) => {
    const request = message as RequestMessage;
    let answer: WorkerMessage;
    try {
      answer = {
        id: request.id,
        result: hypervisor.request(request.command as CommandName, request.args as Commands[CommandName]['args']),
      };
    } catch (error) {
      answer = { id: request.id, error: error instanceof Error ? error.message : String(error) };
    }
    sendEvents();
    send(answer);
  });

  let beats = 0;
  const beat = (): void => {
    send({ heartbeat: beats++ });
    platform.after(HEARTBEAT, beat);
  };
  beat();
}
