// A guest on a platform driven by hand, started and not yet run, for tests that boot something and look at its screen.

import assert from 'node:assert/strict';
import { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import type { MachineBuilder } from '../../src/vmm/hypervisor.ts';
import { nodeFiles } from '../../src/vmm/node/files.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { manualPlatform } from './platform.ts';

/** Drives may be files. A guest that ends fails the test. */
export function bootGuest(
  build: MachineBuilder,
  config: Pick<GuestConfig, 'name' | 'memory' | 'boot' | 'drives'> & Partial<GuestConfig>,
): { guest: Guest; execution: Execution } {
  const platform = { ...manualPlatform(), files: nodeFiles() };
  const guest = build(
    1,
    {
      ...GUEST_DEFAULTS,
      startOfTime: 1_000_000_000_000,
      ...config,
    },
    { platform, output() {}, outside() {} },
  );
  const execution = new Execution(guest, platform, { stopped() {}, ended: (_, reason) => assert.fail(reason), log() {} });
  guest.restart();
  execution.go({ kind: 'free' });
  return { guest, execution };
}
