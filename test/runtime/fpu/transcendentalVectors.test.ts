// The transcendental instructions beside real processors: what test/vectors/transcendental-*.txt.gz hold was recorded by
// scripts/make-transcendental-vectors.ts. Stack, tags, exceptions and condition codes are the same; a result may differ by one unit
// in the last place, and then C1. docs/fpu.md states how many do.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fpuDifferences } from '../../native/compareFpu.ts';
import { runEmulated } from '../../native/emulated.ts';
import { type FpuState, parseLine } from '../../native/record.ts';
import { TRANSCENDENTALS } from '../../native/transcendentalCases.ts';

const root = join(import.meta.dirname, '../../..');
function recorded(vendor: string): { processor: string; vectors: ReadonlyMap<string, readonly string[]> } {
  const [first, ...sections] = gunzipSync(readFileSync(join(root, `test/vectors/transcendental-${vendor}.txt.gz`)))
    .toString()
    .trimEnd()
    .split('\n= ');
  return {
    processor: first!.replace('# processor: ', ''),
    vectors: new Map(sections.map((section) => [section.slice(0, section.indexOf('\n')), section.split('\n').slice(1)])),
  };
}
const C1 = 0x200,
  UE = 0x10,
  ES = 0x80,
  B = 0x8000;
const LEAST_NORMAL = /^[08]00180{15}$/,
  BELOW_LEAST_SCALED = /^[6e]000f{16}$/;

/** Numbers of the register format in order, one apart. */
function ordinal(text: string): bigint {
  const top = Number.parseInt(text.slice(0, 4), 16),
    exponent = BigInt(Math.max(1, top & 0x7fff) - 1),
    magnitude = (exponent << 63n) + BigInt(`0x${text.slice(4)}`);
  return top >> 15 ? -magnitude : magnitude;
}
/**
 * `ours` where it differs in the last place only, replaced by `real`. One place below the least normal number is an underflow, which,
 * unmasked, gives the number times 2 to the 24576th.
 */
function alike(real: FpuState, ours: FpuState): FpuState {
  let follows = C1;
  const st = ours.st.map((text, n) => {
    const apart = ordinal(text) - ordinal(real.st[n]!),
      underflow = LEAST_NORMAL.test(real.st[n]!) && (apart === 1n || apart === -1n || BELOW_LEAST_SCALED.test(text));
    if (underflow) follows |= UE | ES | B;
    return underflow || apart === 1n || apart === -1n ? real.st[n]! : text;
  });
  return { ...ours, st, status: (ours.status & ~follows) | (real.status & follows) };
}

for (const { processor, vectors } of ['amd', 'intel'].map(recorded)) {
  describe(`x87 transcendental instructions beside the ${processor}`, () => {
    const counts: string[] = [];
    for (const name of TRANSCENDENTALS) {
      it(`${name}: the same up to the last place`, () => {
        const lines = vectors.get(name)!;
        let same = 0,
          c1 = 0;
        for (const line of lines) {
          const { input, output } = parseLine(line);
          for (const tier of ['interpret', 'translate'] as const) {
            const ours = runEmulated(input, tier);
            assert.equal(ours.trap, output.trap, line);
            const beyond = fpuDifferences(output.fpu, alike(output.fpu, ours.fpu));
            assert.deepEqual(beyond, [], `${tier} ${line}`);
            if (tier === 'translate') continue;
            const differences = fpuDifferences(output.fpu, ours.fpu);
            if (differences.length === 0) same++;
            else if (!differences.some((text) => text.startsWith('ST'))) c1++;
          }
        }
        counts.push(`| ${name} | ${lines.length} | ${same} | ${c1} | ${lines.length - same - c1} |`);
      });
    }
    it('as often as the documentation says', () => {
      const text = readFileSync(join(root, 'docs/fpu.md'), 'utf8');
      assert.ok(text.includes(processor), processor);
      for (const row of counts) assert.ok(text.includes(row), counts.join('\n'));
    });
  });
}
