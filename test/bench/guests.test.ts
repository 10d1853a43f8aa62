/** The benchmark guests: the committed images are what the sources build, and they compute what they should on every tier. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGuests, GUESTS } from '../../bench/guests/build.ts';
import { KERNELS } from '../../bench/kernels.ts';
import { measure } from '../../bench/rounds.ts';
import { requireTool, skip } from '../support/tools.ts';

const committed = fileURLToPath(new URL('../../bench/guests/', import.meta.url));

describe('benchmark guests', () => {
  it('rebuild byte for byte', function () {
    requireTool(this, 'gcc -m32');
    const version = spawnSync('gcc', ['-dumpversion'], { encoding: 'utf8' }).stdout.trim();
    if (!/^12\b/.test(version)) skip(this, `gcc ${version} chooses other instructions than gcc 12`);
    const target = mkdtempSync(join(tmpdir(), 'cp86-guests-'));
    try {
      buildGuests(target);
      for (const { image } of GUESTS) assert.ok(readFileSync(join(target, image)).equals(readFileSync(join(committed, image))), image);
    } finally {
      rmSync(target, { recursive: true });
    }
  });

  for (const kernel of KERNELS) {
    it(`${kernel.name} has its known result, translated and on v86`, async () => {
      const samples = await measure(kernel, ['mixed', 'v86'], 0, 1);
      assert.deepEqual(
        samples.map(({ emulator, milliseconds }) => [emulator, milliseconds.length]),
        [
          ['mixed', 2],
          ['v86', 2],
        ],
      );
    });
  }
});
