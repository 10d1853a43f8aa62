// A hypervisor in a worker thread, as the extension uses it, with guests of bench/guests/ on it.

import { readFileSync } from 'node:fs';
import { connectNode } from '../src/vmm/node/connect.ts';
import type { GuestConfig, HypervisorClient } from '../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../test/support/guestDefaults.ts';
import { guestImage } from './kernels.ts';

export const connect = (): HypervisorClient => connectNode(new URL('../src/vmm/node/worker.ts', import.meta.url));

/** Defines and starts a guest; its number. */
export async function startGuest(client: HypervisorClient, image: string, settings: Partial<GuestConfig>): Promise<number> {
  const { id } = await client.request('define', {
    config: {
      ...GUEST_DEFAULTS,
      name: image,
      memory: 2 << 20,
      boot: { kind: 'kernel', image: new Uint8Array(readFileSync(guestImage(image))), commandLine: '' },
      paced: true,
      onReset: 'off',
      onTripleFault: 'off',
      startOfTime: 0,
      ...settings,
    },
  });
  await client.request('start', { id, stopOnEntry: false });
  return id;
}

export const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
