// A million random steps of hostile drivers.

import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { connectFolder } from '../../../src/vmm/ninep/peer.ts';
import { openFolder } from '../../../src/vmm/node/folder.ts';
import { VirtioBalloon } from '../../../src/vmm/virtio/balloon.ts';
import { VirtioBlk } from '../../../src/vmm/virtio/blk.ts';
import { VirtioConsole } from '../../../src/vmm/virtio/console.ts';
import type { CreateType } from '../../../src/vmm/virtio/device.ts';
import { VirtioNet } from '../../../src/vmm/virtio/net.ts';
import { VirtioNinep } from '../../../src/vmm/virtio/ninep.ts';
import { VirtioRng } from '../../../src/vmm/virtio/rng.ts';
import { fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { fuzzVirtio } from './fuzzVirtio.ts';
import { TRANSPORTS } from './virtioRig.ts';

const STEPS = 2000,
  ROUNDS = 45;
/** A folder with nothing in it. */
const share = mkdtempSync(join(tmpdir(), 'cp86-ninep-')),
  folder = openFolder(share, false);
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
  'virtio-net': (core) =>
    new VirtioNet(core, { name: 'net', timers: core.timers, backend: { type: 'user', values: {} }, send() {} }, new Uint8Array(6)),
  'virtio-serial': (core) => new VirtioConsole(core, { write() {} }),
  'virtio-9p': (core) => {
    const peer = connectFolder(folder, (bytes) => type.receive(bytes)),
      type = new VirtioNinep(core, 'host', (bytes) => peer.send(bytes));
    return type;
  },
};

describe('virtio devices with hostile drivers', function () {
  this.timeout(fuzzTimeout(300_000));
  after(() => {
    folder.close();
    rmSync(share, { recursive: true });
  });
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
