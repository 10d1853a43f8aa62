// The debug adapter inside the extension: a session per VS Code debug session, all on the one hypervisor. Knows which
// session belongs to which guest, for the exits panel and the guest's views.

import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { GuestId } from '../src/vmm/protocol.ts';
import type { AssemblyBuilder } from './assemble.ts';
import { kindOfFile } from './configuration.ts';
import { DebugSession } from './debug/session.ts';
import { readPart, toUri } from './files.ts';
import type { GuestEntry } from './guestStore.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Platform } from './platform.ts';

export class DebugSessions implements vscode.DebugAdapterDescriptorFactory {
  readonly #platform: Platform;
  readonly #hypervisor: Hypervisor;
  readonly #builder: AssemblyBuilder;
  readonly #byGuest = new Map<GuestId, vscode.DebugSession>();

  constructor(platform: Platform, hypervisor: Hypervisor, builder: AssemblyBuilder) {
    this.#platform = platform;
    this.#hypervisor = hypervisor;
    this.#builder = builder;
  }

  /** Registers the adapter. `started` is told of every guest that a session launches or attaches to. */
  register(started: (id: GuestId, session: vscode.DebugSession) => void): vscode.Disposable {
    return vscode.Disposable.from(
      vscode.debug.registerDebugAdapterDescriptorFactory('cp86', this),
      vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
        if (session.type !== 'cp86' || event !== 'cp86Guest') return;
        this.#byGuest.set(body.id, session);
        this.#removeEnded((guest) => guest.id !== body.id && guest.info.name === body.name && guest.info.status === 'failed');
        started(body.id, session);
      }),
      vscode.debug.onDidTerminateDebugSession((ended) => {
        for (const [id, session] of this.#byGuest) {
          if (session !== ended) continue;
          this.#byGuest.delete(id);
          // VS Code disconnects from a guest that has ended as if it should live on. A failed one stays to tell why.
          if (ended.configuration.request === 'launch') this.#removeEnded((guest) => guest.id === id && guest.info.status === 'off');
        }
      }),
    );
  }

  #removeEnded(which: (guest: GuestEntry) => boolean): void {
    const { guests } = this.#hypervisor;
    for (const guest of guests.all.filter(which)) {
      if (!guest.alive) guests.forget(guest.key);
      // It may have been removed by its session in the meantime.
      else this.#hypervisor.request('remove', { id: guest.id }).catch(() => undefined);
    }
  }

  sessionOf(guest: GuestId): vscode.DebugSession | undefined {
    return this.#byGuest.get(guest);
  }

  createDebugAdapterDescriptor(): vscode.DebugAdapterDescriptor {
    const messages = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
    const session = new DebugSession({
      client: this.#hypervisor.shared(),
      readFile: (path, most, from) => readPart(this.#platform, toUri(path), most, from),
      localPath: (path) => this.#platform.localPath(toUri(path)),
      send: (message: DebugProtocol.ProtocolMessage) => messages.fire(message),
      rebuild: (configuration) => this.#rebuild(configuration),
    });
    return new vscode.DebugAdapterInlineImplementation({
      onDidSendMessage: messages.event,
      handleMessage: (message) => session.handle(message),
      dispose: () => {
        session.dispose();
        messages.dispose();
      },
    });
  }

  /** Restarting assembles a source again, so that what runs is what is on the screen. */
  async #rebuild(configuration: object): Promise<object> {
    const { program, source } = configuration as Record<string, unknown>;
    if (
      typeof program !== 'string' ||
      typeof source !== 'string' ||
      kindOfFile(source) !== 'assembly' ||
      !this.#builder.made(toUri(program))
    )
      return configuration;
    const assembled = await this.#builder.assemble(toUri(source));
    if (!assembled) throw new Error(`${source} was not assembled`);
    return { ...configuration, ...assembled };
  }
}
