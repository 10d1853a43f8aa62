// The configuration that guests of tests and benchmarks share.

import type { GuestConfig } from '../../src/vmm/protocol.ts';

/** Unpaced, with a time of its own, stopping where it resets or fails; `name`, `memory` and `boot` are missing. */
export const GUEST_DEFAULTS = {
  drives: [],
  clock: 'instructions',
  paced: false,
  weight: 1,
  cap: 100,
  tier: 'mixed',
  onReset: 'pause',
  onTripleFault: 'pause',
  debugExit: null,
  startOfTime: Date.UTC(2026, 0, 2, 3, 4, 5),
} as const satisfies Partial<GuestConfig>;
