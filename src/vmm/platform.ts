// What the hypervisor needs of the program it runs in: a clock, a way to let messages in, timers. Node and web workers
// supply it (vmm/node, vmm/web); tests supply one they drive by hand. Nothing a guest can see comes from here except through
// the journal.

import type { Block } from './block/block.ts';
import type { HostSockets } from './net/hostSockets.ts';
import type { HostFolder } from './ninep/hostFolder.ts';

/** Files of the host that a worker can open itself. All is synchronous; errors are BlockErrors. */
export interface HostFiles {
  open(path: string, writable: boolean): Block;
  /** One text for every path to the same file. */
  identity(path: string): string;
  /** Path of a file beside another by a name that nobody trusts; null when it would lead elsewhere. */
  sibling(path: string, name: string): string | null;
}

export interface Platform {
  /** null where images have to be handed over whole. */
  readonly files: HostFiles | null;
  /** null where there are no sockets. */
  readonly sockets: HostSockets | null;
  /** Opens a folder of the host for a guest, or throws an Error that says why not; null where there are none. */
  readonly openFolder: ((path: string, writable: boolean) => HostFolder) | null;
  /** Monotonic milliseconds with fraction. */
  now(): number;
  /** Calls back in a new macrotask as soon as waiting messages and timers have had their turn. */
  defer(callback: () => void): void;
  /** Calls back once after this many milliseconds; the result cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
}
