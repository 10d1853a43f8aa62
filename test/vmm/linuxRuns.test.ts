// Debian's kernel, and a program that computes with floating point, run in all tiers and in turns of different lengths: the same state at
// the same tick. With CP86_LONG=1 up to the end, otherwise the first part of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { CHARACTER, cpio, DIRECTORY, PROGRAM } from '../support/initramfs.ts';
import { LONG } from '../support/long.ts';
import { requireTool } from '../support/tools.ts';
import { type Run, startRun } from './lockstep.ts';

const MILLION = 1_000_000;
const MEMORY = 64 << 20;

/** Sums of roots and powers of e, which need no more of awk than arithmetic: Debian's busybox knows no sines. */
const SUMS = `for (n = 1; n < 2000; n++) {
  r = n; for (k = 0; k < 20; k++) r = (r + n / r) / 2
  e = t = 1; for (k = 1; k < 40; k++) { t *= -n / 300 / k; e += t }
  s += r; u += e * (n % 7.25)
}`;
/** What comes out, as JavaScript has it. */
function sums(): string {
  let roots = 0,
    powers = 0;
  for (let n = 1; n < 2000; n++) {
    roots += Math.sqrt(n);
    powers += Math.exp(-n / 300) * (n % 7.25);
  }
  return `${roots.toFixed(6)} ${powers.toFixed(6)}`;
}
const SCRIPT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox awk 'BEGIN { ${SUMS}; printf "%.6f %.6f\\n", s, u }'
/bin/busybox cat /proc/interrupts
while :; do :; done
`;

describe("Debian's kernel and a program with floating point", function () {
  this.timeout(LONG ? 3 * 3_600_000 : 300_000);
  const build = createMachineBuilder({ arenaBytes: MEMORY });
  const LENGTH = LONG ? 8000 * MILLION : 60 * MILLION,
    STEP = LENGTH / 20;
  /** Ticks of a turn, tier, and how far the run goes. */
  const RUNS: readonly (readonly [turn: number, tier: GuestConfig['tier'], length: number])[] = [
    [1009, 'mixed', LENGTH],
    [777_777, 'translate', LENGTH],
    [250_000, 'interpret', LENGTH / 2],
  ];
  let start: (tier: GuestConfig['tier']) => Run;
  let reference: readonly string[];

  before(function () {
    const image = new Uint8Array(readFileSync(requireTool(this, "Debian's linux-image-686"))),
      busybox = readFileSync(requireTool(this, "Debian's busybox-static, i386"));
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const initrd = cpio([
      ...['bin', 'dev', 'proc'].map((path) => ({ path, mode: DIRECTORY })),
      { path: 'dev/console', mode: CHARACTER, device: [5, 1] },
      { path: 'bin/busybox', mode: PROGRAM, data: busybox },
      { path: 'init', mode: PROGRAM, data: text(SCRIPT) },
    ]);
    start = (tier) =>
      startRun(build, {
        ...GUEST_DEFAULTS,
        name: 'linux',
        memory: MEMORY,
        boot: { kind: 'kernel', image, commandLine: 'console=ttyS0', initrd },
        tier,
      });
    const run = start('mixed');
    reference = Array.from({ length: LENGTH / STEP }, (_, n) => {
      run.to((n + 1) * STEP);
      return stateHash(run.guest);
    });
    assert.equal(new Set(reference).size, reference.length, 'every state is another one');
    const console = String.fromCharCode(...run.output);
    if (LONG) assert.ok(console.includes(sums()), `${sums()}, not ${console.slice(-2000)}`);
    run.guest.dispose();
  });

  for (const [turn, tier, length] of RUNS) {
    it(`have the same state every ${STEP / MILLION} of ${length / MILLION} million ticks, in turns of ${turn}, tier ${tier}`, () => {
      const run = start(tier);
      for (let n = 0; n < length / STEP; n++) {
        run.to((n + 1) * STEP, turn);
        assert.equal(stateHash(run.guest), reference[n], `at tick ${(n + 1) * STEP}`);
      }
      run.guest.dispose();
    });
  }
});
