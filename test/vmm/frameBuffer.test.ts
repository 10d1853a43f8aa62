// The frame buffer as the processor has it: memory, not a device.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { asPicture, pixelAt } from '../support/screen.ts';
import { floppyConfig, startRun, TIERS } from './lockstep.ts';

const image = new Uint8Array(readFileSync(new URL('guests/frames.img', import.meta.url)));
const build = createMachineBuilder({ arenaBytes: 4 << 20 });
const config = floppyConfig(image, 1 << 20);
const TICKS = [30_000, 700_000, 2_000_000];

describe('a guest that draws into the frame buffer', function () {
  this.timeout(120_000);

  function hashes(tier: GuestConfig['tier'], turn: number, watched: boolean): string[] {
    const run = startRun(build, { ...config, tier });
    try {
      return TICKS.map((tick) => {
        run.to(tick, turn);
        if (watched) run.guest.screen();
        return stateHash(run.guest);
      });
    } finally {
      run.guest.dispose();
    }
  }

  it('has the same states however it is sliced and executed, and whether anybody looks or not', () => {
    const expected = hashes('interpret', 333_333, false);
    assert.equal(new Set(expected).size, TICKS.length);
    for (const tier of TIERS) {
      assert.deepEqual(hashes(tier, 500_000, true), expected, tier);
      assert.deepEqual(hashes(tier, 1009, false), expected, tier);
    }
  });

  it('leaves for no pixel, shows what it drew, and runs code in the frame buffer that it changes through the bank', () => {
    const run = startRun(build, { ...config, tier: 'mixed' });
    try {
      run.to(1_900_000, 500_000);
      const { counts } = run.guest.exits.counts(0),
        frames = Number(run.guest.cpu.get('ebp'));
      assert.equal(counts.mmio ?? 0, 0);
      assert.ok(frames >= 3, `${frames} frames`);
      const picture = asPicture(run.guest.screen());
      assert.deepEqual([picture.width, picture.height], [320, 200]);
      // The frame that is drawn, or the one before it.
      const colour = (frame: number, n: number) => (frame * 0x010307 + n * 0x10203) & 0xffffff;
      assert.ok([frames, frames - 1].map((frame) => colour(frame, 5)).includes(pixelAt(picture, 5, 0)));
    } finally {
      run.guest.dispose();
    }
  });

  it('gives who has a picture only the rows that changed since', () => {
    const run = startRun(build, config);
    try {
      run.to(100_000, 100_000);
      const first = asPicture(run.guest.screen());
      assert.deepEqual(
        first.bands.map(({ top, pixels }) => [top, pixels.length]),
        [[0, 320 * 200 * 4]],
      );
      assert.deepEqual(asPicture(run.guest.screen(first.version)).bands, []);
      const base = run.guest.cpu.get('esi') as number;
      run.guest.cpu.writePhysical(base + 7 * 320 * 4, Uint8Array.of(1, 2, 3, 0, 9));
      const second = asPicture(run.guest.screen(first.version));
      assert.deepEqual(
        second.bands.map(({ top, pixels }) => [top, pixels.length, ...pixels.subarray(0, 4)]),
        [[7, 320 * 4, 3, 2, 1, 255]],
      );
      assert.equal(asPicture(run.guest.screen(first.version)).bands.length, 1, 'who missed it gets it, too');
      assert.equal(asPicture(run.guest.screen(second.version + 1000)).bands[0].pixels.length, 320 * 200 * 4);
    } finally {
      run.guest.dispose();
    }
  });

  it('loses the frame buffer when memory decoding is switched off, and finds it elsewhere when it is moved', () => {
    const run = startRun(build, config);
    try {
      run.to(100_000, 100_000);
      const { cpu, devices } = run.guest,
        bridge = devices.get('hostBridge')!,
        base = cpu.get('esi') as number;
      const write = (register: number, value: number): void => {
        bridge.portWrite!(0xcf8, (0x80001000 | register) >>> 0, 4);
        bridge.portWrite!(0xcfc, value, 4);
      };
      const before = cpu.readPhysical(base, 8);
      assert.equal(before.length, 8);
      write(0x04, 0);
      assert.equal(cpu.readPhysical(base, 8).length, 0);
      write(0x10, 0xd0000000);
      write(0x04, 2);
      assert.deepEqual(cpu.readPhysical(0xd0000000, 8), before);
      assert.equal(cpu.readPhysical(base, 8).length, 0);
      write(0x10, 0x00000000);
      assert.equal(cpu.readPhysical(0xd0000000, 8).length, 0);
    } finally {
      run.guest.dispose();
    }
  });
});
