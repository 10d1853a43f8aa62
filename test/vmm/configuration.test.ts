// The hash that ties a journal to what its guest was made from.

import assert from 'node:assert/strict';
import { DEFAULT_CPU } from '../../src/runtime/cpuModels.ts';
import { configurationHash } from '../../src/vmm/configuration.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';

const CONFIG: GuestConfig = {
  ...GUEST_DEFAULTS,
  name: 'guest',
  memory: 1 << 20,
  boot: { kind: 'com', image: Uint8Array.of(0xc3), commandLine: '' },
  onReset: 'reset',
  startOfTime: 0,
};

/** Of a guest without drives. */
const hash = (config: GuestConfig): string => configurationHash(config, []);

describe('configuration hash', () => {
  it('differs for another processor, and not for the default by name', () => {
    assert.equal(hash({ ...CONFIG, cpu: DEFAULT_CPU }), hash(CONFIG));
    const hashes = ['486', 'max', 'max,-smap', 'max,kvm=off'].map((cpu) => hash({ ...CONFIG, cpu }));
    assert.equal(new Set([...hashes, hash(CONFIG)]).size, 5);
  });
  it('does not differ for what the guest cannot see', () => {
    assert.equal(hash({ ...CONFIG, name: 'other', paced: true, tier: 'translate', weight: 5 }), hash(CONFIG));
  });
});
