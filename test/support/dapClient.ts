// A Debug Adapter Protocol client for tests: sends requests, waits for answers and events, keeps everything it saw.

import assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';

type Body = Record<string, unknown>;

export class DapClient {
  /** Every event, in order. */
  readonly events: DebugProtocol.Event[] = [];
  readonly #send: (message: DebugProtocol.ProtocolMessage) => void;
  readonly #answers = new Map<number, (response: DebugProtocol.Response) => void>();
  readonly #waiting = new Set<() => void>();
  #sequence = 1;
  #seen = 0;

  /** @param send takes a message to the adapter; the adapter's messages come in through `receive`. */
  constructor(send: (message: DebugProtocol.ProtocolMessage) => void) {
    this.#send = send;
  }

  receive(message: DebugProtocol.ProtocolMessage): void {
    // What VS Code gets has been through JSON.
    const plain = JSON.parse(JSON.stringify(message)) as DebugProtocol.ProtocolMessage;
    if (plain.type === 'response') {
      const response = plain as DebugProtocol.Response;
      this.#answers.get(response.request_seq)?.(response);
      this.#answers.delete(response.request_seq);
    } else if (plain.type === 'event') {
      this.events.push(plain as DebugProtocol.Event);
      for (const check of [...this.#waiting]) check();
    }
  }

  /** The whole response, also of a failure. */
  respond(command: string, args?: unknown): Promise<DebugProtocol.Response> {
    const seq = this.#sequence++;
    return new Promise((resolve) => {
      this.#answers.set(seq, resolve);
      this.#send({ seq, type: 'request', command, arguments: args } as DebugProtocol.Request);
    });
  }

  /** The body of a success. */
  async request<T = Body>(command: string, args?: unknown): Promise<T> {
    const response = await this.respond(command, args);
    assert.ok(response.success, `${command}: ${response.message}`);
    return response.body as T;
  }

  /** The message of a failure. */
  async failure(command: string, args?: unknown): Promise<string> {
    const response = await this.respond(command, args);
    assert.ok(!response.success, `${command} must fail`);
    return response.message ?? '';
  }

  /** The next event of a name after those already taken. */
  event<T = Body>(name: string): Promise<T> {
    return new Promise((resolve) => {
      const check = (): void => {
        for (let n = this.#seen; n < this.events.length; n++) {
          const event = this.events[n];
          if (event?.event !== name) continue;
          this.#seen = n + 1;
          this.#waiting.delete(check);
          resolve(event.body as T);
          return;
        }
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** initialize, launch, breakpoints by `configure`, configurationDone: as VS Code does it. */
  async start(configuration: object, configure: () => Promise<unknown> = async () => undefined): Promise<void> {
    await this.request('initialize', { adapterID: 'cp86', linesStartAt1: true, supportsInvalidatedEvent: true, supportsMemoryEvent: true });
    const launched = this.request('guest' in configuration ? 'attach' : 'launch', configuration);
    await Promise.race([this.event('initialized'), launched.then(() => this.event('initialized'))]);
    await configure();
    await this.request('configurationDone');
    await launched;
  }
}
