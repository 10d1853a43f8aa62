import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { pattern } from './ata/ataRig.ts';
import { floppyConfig, startRun, TIERS } from './lockstep.ts';

const image = new Uint8Array(readFileSync(new URL('guests/disks.img', import.meta.url)));
const build = createMachineBuilder({ arenaBytes: 4 << 20 });
const floppy = floppyConfig(image, 1 << 20);
const config: GuestConfig = {
  ...floppy,
  drives: [
    ...floppy.drives,
    { kind: 'disk', index: 0, image: pattern(256), readOnly: false },
    { kind: 'cdrom', index: 2, image: pattern(16, 2048), readOnly: true },
  ],
};
const TICKS = [60_000, 200_000, 400_000];

/** Hashes along a run in turns of so many ticks. */
function hashes(tier: GuestConfig['tier'], turn: number): string[] {
  const run = startRun(build, { ...config, tier });
  try {
    const states = TICKS.map((tick) => (run.to(tick, turn), stateHash(run.guest)));
    const { counts } = run.guest.exits.counts(0);
    assert.ok((counts.externalInterrupt ?? 0) > 10 && (counts.hlt ?? 0) > 10, JSON.stringify(counts));
    assert.ok(run.guest.drives[1].commit(), 'it writes to its disk');
    return states;
  } finally {
    run.guest.dispose();
  }
}

describe('a guest that is busy with its disks', function () {
  this.timeout(120_000);
  it('has the same states however it is sliced and executed', () => {
    const expected = hashes('interpret', 333_333);
    assert.equal(new Set(expected).size, TICKS.length);
    for (const tier of TIERS)
      for (const turn of [500_000, 1009, 61]) assert.deepEqual(hashes(tier, turn), expected, `${tier}, turns of ${turn}`);
  });
});
