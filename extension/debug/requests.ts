// The base of the debug adapter: Debug Adapter Protocol messages in and out, independent of how they travel (VS Code's inline
// adapters, a stream, a test). Requests are served one after the other in the order they came, so that a breakpoint is set
// before the guest continues; those that must interrupt others (pause, cancel, the ends of a session) are served at once.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { Fields, messageOf } from './fields.ts';

/** Serves one request: the result becomes the response's body, what it throws an error response. */
export type RequestHandler = (fields: Fields, signal: AbortSignal) => Promise<object | void>;
export type RequestTable = ReadonlyMap<string, RequestHandler>;

const URGENT = new Set(['pause', 'cancel', 'terminate', 'disconnect']);

/** Error to throw for a failure that a response names by DAP's short word, such as 'notStopped'. */
export class ShortError extends Error {}

export class RequestServer {
  readonly #table: RequestTable;
  readonly #send: (message: DebugProtocol.ProtocolMessage) => void;
  readonly #pending = new Map<number, AbortController>();
  #queue: Promise<void> = Promise.resolve();
  /** What waits for the response of the request being served. */
  #later: (() => void)[] = [];
  #holding = false;
  #sequence = 1;

  constructor(table: RequestTable, send: (message: DebugProtocol.ProtocolMessage) => void) {
    this.#table = table;
    this.#send = send;
  }

  /** Takes any message; never throws, whatever it is. */
  handle(message: unknown): void {
    const request = message as Partial<DebugProtocol.Request> | null;
    if (typeof request !== 'object' || request === null || request.type !== 'request') return;
    const { seq, command } = request;
    if (typeof seq !== 'number' || typeof command !== 'string') {
      this.#respond(
        typeof seq === 'number' ? seq : 0,
        String(command),
        undefined,
        new Error('a request needs a number seq and a text command'),
      );
      return;
    }
    const controller = new AbortController();
    this.#pending.set(seq, controller);
    const serve = (): Promise<void> => this.#serve(seq, command, request.arguments, controller.signal);
    if (URGENT.has(command)) void serve();
    else this.#queue = this.#queue.then(serve).then(() => this.#release());
  }

  /** Events from now on go out after the response of the request being served (one of those that are served in order). */
  holdEvents(): void {
    this.#holding = true;
  }
  /** Calls back after the response of the request being served. */
  afterResponse(callback: () => void): void {
    this.#later.push(callback);
  }

  #release(): void {
    const later = this.#later;
    this.#later = [];
    this.#holding = false;
    for (const callback of later) callback();
  }

  event(name: string, body: object = {}): void {
    if (this.#holding) {
      this.#later.push(() => this.event(name, body));
      return;
    }
    this.#send({ seq: this.#sequence++, type: 'event', event: name, body } as DebugProtocol.Event);
  }

  /** Gives up a request that has not been answered yet. */
  cancel(seq: number): void {
    this.#pending.get(seq)?.abort();
  }

  async #serve(seq: number, command: string, values: unknown, signal: AbortSignal): Promise<void> {
    try {
      if (signal.aborted) throw new ShortError('cancelled');
      const handler = this.#table.get(command);
      if (!handler) throw new Error(`the request '${command}' is not supported`);
      const body = await handler(new Fields(values), signal);
      if (signal.aborted) throw new ShortError('cancelled');
      this.#respond(seq, command, body ?? {});
    } catch (error) {
      this.#respond(seq, command, undefined, error);
    } finally {
      this.#pending.delete(seq);
    }
  }

  #respond(seq: number, command: string, body: object | undefined, error?: unknown): void {
    const response = {
      seq: this.#sequence++,
      type: 'response',
      request_seq: seq,
      success: body !== undefined,
      command,
    } as DebugProtocol.Response;
    if (body) response.body = body;
    else {
      const text = messageOf(error);
      response.message = text;
      // The text goes through `format` by a variable, so that braces in it are not taken for variables.
      if (!(error instanceof ShortError))
        response.body = { error: { id: 1, format: '{text}', variables: { text }, showUser: command === 'launch' || command === 'attach' } };
    }
    this.#send(response);
  }
}
