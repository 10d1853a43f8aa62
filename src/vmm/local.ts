// A HypervisorClient on a hypervisor in the same thread: for the command line and for tests. Guests run between the thread's
// other callbacks, a few milliseconds at a time.

import { createHypervisor, type Hypervisor, type MachineBuilder } from './hypervisor.ts';
import type { Platform } from './platform.ts';
import type { CommandName, Commands, HypervisorClient, HypervisorEvent } from './protocol.ts';

export interface LocalClient extends HypervisorClient {
  readonly hypervisor: Hypervisor;
}

export function createLocalClient(platform: Platform, build: MachineBuilder): LocalClient {
  const listeners = new Set<(event: HypervisorEvent) => void>();
  const hypervisor = createHypervisor(platform, build, (event) => {
    for (const listener of [...listeners]) listener(event);
  });
  return {
    hypervisor,
    async request<N extends CommandName>(command: N, args: Commands[N]['args']): Promise<Commands[N]['result']> {
      return hypervisor.request(command, args);
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    dispose() {
      hypervisor.dispose();
      listeners.clear();
    },
  };
}
