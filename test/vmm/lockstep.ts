// Guests for tests that compare runs: built with a platform driven by hand, run to exact ticks in turns of any length.

import assert from 'node:assert/strict';
import { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import type { MachineBuilder } from '../../src/vmm/hypervisor.ts';
import type { GuestConfig, StopReason } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { type ManualPlatform, manualPlatform } from './platform.ts';

export const TIERS = ['interpret', 'mixed', 'translate'] as const;

export interface Run {
  readonly guest: Guest;
  readonly execution: Execution;
  readonly platform: ManualPlatform;
  readonly output: number[];
  /** Runs to a tick in turns of this many ticks. */
  to(tick: number, turn?: number): StopReason | null;
}

/** A guest that has been powered on and not run; its end or a line for the log fails the test. */
export function startRun(build: MachineBuilder, config: GuestConfig): Run {
  const platform = manualPlatform(),
    output: number[] = [];
  const guest = build(1, config, { platform, outside() {}, output: (_, byte) => void output.push(byte) });
  let stopped: StopReason | null = null;
  const execution = new Execution(guest, platform, {
    stopped: (reason) => void (stopped = reason),
    ended: (_, reason) => assert.fail(reason),
    log: (line) => assert.fail(line),
  });
  guest.restart();
  return {
    guest,
    execution,
    platform,
    output,
    to(tick, turn = 500_000) {
      stopped = null;
      execution.go({ kind: 'to', tick, reason: 'tick' });
      while (stopped === null) {
        const result = execution.turn(turn);
        if (result.kind === 'wait') {
          assert.ok(Number.isFinite(result.milliseconds), 'the guest waits for ever');
          platform.advance(result.milliseconds);
        }
      }
      return stopped;
    },
  };
}

/** A configuration with a floppy in drive A and nothing else, not paced. */
export const floppyConfig = (image: Uint8Array, memory: number): GuestConfig => ({
  ...GUEST_DEFAULTS,
  name: 'floppy',
  memory,
  boot: { kind: 'drives', order: 'a' },
  drives: [{ kind: 'floppy', index: 0, image, readOnly: false }],
  onReset: 'reset',
  startOfTime: 1_000_000_000_000,
});

/** Numbers below `most` that look random and are the same in every run. */
export function random(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * most);
  };
}
