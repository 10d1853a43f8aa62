// The frame buffer as the processor has it: memory, not a device.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { asPicture, pixelAt } from '../support/screen.ts';
import { elf, multibootHeader } from './boot/images.ts';
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

describe('a Multiboot kernel that asks for graphics', () => {
  /** What it finds in the information structure when it asks for this mode. */
  function started(type: number, ...mode: number[]) {
    const bytes = new Uint8Array(128);
    bytes.set(multibootHeader(7), 16);
    new Uint32Array(bytes.buffer).set([type, ...mode], (16 + 32) / 4);
    bytes.set([0xeb, 0xfe], 0x40);
    const kernel = elf({ segments: [{ virtual: 0x100000, bytes }], entry: 0x100040 });
    const run = startRun(build, { ...config, memory: 4 << 20, drives: [], boot: { kind: 'kernel', image: kernel, commandLine: '' } });
    const information = run.guest.cpu.get('ebx') as number,
      field = (offset: number, length: number): number =>
        run.guest.cpu.readPhysical(information + offset, length).reduceRight((sum, value) => sum * 256 + value, 0);
    return { guest: run.guest, field };
  }

  it('gets the nearest mode, its frame buffer and what VBE says of it', () => {
    const { guest, field } = started(0, 810, 590, 16);
    try {
      const base = field(88, 4);
      assert.deepEqual([field(96, 4), field(100, 4), field(104, 4), field(108, 1), field(109, 1)], [1600, 800, 600, 16, 1]);
      assert.deepEqual(
        Array.from({ length: 6 }, (_, n) => field(110 + n, 1)),
        [11, 5, 5, 6, 0, 5],
      );
      assert.deepEqual([field(0, 2) & 0x1800, field(80, 2)], [0x1800, 0x4114]);
      assert.deepEqual([...guest.cpu.readPhysical(field(72, 4), 4)], [0x56, 0x45, 0x53, 0x41]);
      assert.equal(new DataView(guest.cpu.readPhysical(field(76, 4), 256).buffer).getUint32(40, true), base);
      guest.cpu.writePhysical(base, Uint8Array.of(0x00, 0xf8));
      assert.equal(pixelAt(asPicture(guest.screen()), 0, 0), 0xff0000);
    } finally {
      guest.dispose();
    }
  });

  it('gets 1024 by 768 by 32 without a preference, and text when it asks for that', () => {
    for (const [type, expected] of [
      [0, [1024, 768, 32, 1]],
      [1, [80, 25, 16, 2]],
    ] as const) {
      const { guest, field } = started(type, 0, 0, 0);
      assert.deepEqual([field(100, 4), field(104, 4), field(108, 1), field(109, 1)], expected);
      guest.dispose();
    }
  });
});
