// A million random steps of hostile drivers.

import { strict as assert } from 'node:assert';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { VirtioBalloon } from '../../../src/vmm/virtio/balloon.ts';
import { VirtioBlk } from '../../../src/vmm/virtio/blk.ts';
import { VirtioConsole } from '../../../src/vmm/virtio/console.ts';
import type { CreateType } from '../../../src/vmm/virtio/device.ts';
import { VirtioRng } from '../../../src/vmm/virtio/rng.ts';
import { fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { fuzzVirtio } from './fuzzVirtio.ts';
import { TRANSPORTS } from './virtioRig.ts';

const STEPS = 2000,
  ROUNDS = 45;
const nowhere = { read: () => new Uint8Array(0), write() {} };
const DEVICES: Record<string, CreateType> = {
  'virtio-rng': (core) => new VirtioRng(core, 1),
  'virtio-blk': (core) =>
    new VirtioBlk(
      core,
      new Drive({ kind: 'disk', interface: 'virtio', index: 0, image: new Uint8Array(100_000), readOnly: false }, null),
      'x',
    ),
  'virtio-balloon': (core) => new VirtioBalloon(core, nowhere),
  'virtio-serial': (core) => new VirtioConsole(core, { write() {} }),
};

describe('virtio devices with hostile drivers', function () {
  this.timeout(fuzzTimeout(300_000));
  for (const [name, create] of Object.entries(DEVICES)) {
    for (const transport of TRANSPORTS) {
      it(`${name} over ${transport} breaks at most until its reset`, () => {
        let used = 0,
          broken = 0;
        for (let seed = 1; seed <= fuzzRounds(ROUNDS); seed++) {
          const done = fuzzVirtio(transport, create, seed, STEPS);
          used += done.used;
          broken += done.broken;
        }
        // Both must have happened, or nothing was tried.
        assert.ok(used > ROUNDS && broken > ROUNDS, `${used} chains came back, it broke ${broken} times`);
      });
    }
  }
});
