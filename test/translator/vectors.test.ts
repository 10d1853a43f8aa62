// Single instructions against a real processor: what test/vectors holds was recorded by scripts/make-vectors.ts in user mode.
// Interpreted and translated, every row, operand size and operand kind does the same, up to what the SDM leaves undefined
// (test/native/compare.ts). Rows that user mode cannot show name the tests that show them (test/native/exclusions.ts).

import assert from 'node:assert/strict';
import { ROWS } from '../../src/translator/instructions/index.ts';
import { type Case, cases, FILES, type VectorFile } from '../native/cases.ts';
import { difference } from '../native/compare.ts';
import { runEmulated } from '../native/emulated.ts';
import { EXCLUSIONS, exclusionOf, missingCases } from '../native/exclusions.ts';
import { parseLine } from '../native/record.ts';
import { readVectors } from '../native/vectorFile.ts';

function grouped<T>(list: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const name = key(item),
      group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
const all = cases();

for (const [file, each] of Object.entries(FILES) as [VectorFile, number][]) {
  const vectors = readVectors(file),
    processors = new Set([...vectors.values()].map(({ processor }) => processor)),
    here = all.filter((c) => c.file === file);
  describe(`instructions as on the ${[...processors].join(' and the ')} (${file})`, () => {
    for (const [name, list] of grouped<Case>(here, (c) => c.row.name)) {
      it(`${name}: ${list.length} kinds`, () => {
        for (const { title } of list) {
          const lines = vectors.get(title)?.lines ?? [];
          assert.ok(lines.length >= each, `${title}: ${lines.length} vectors`);
          for (const line of lines) {
            const { input, output } = parseLine(line);
            for (const tier of ['interpret', 'translate'] as const) {
              const differs = difference(input, output, runEmulated(input, tier));
              if (differs) assert.fail(`${title}, ${tier}: ${differs}\n${line}`);
            }
          }
        }
      });
    }
    it('has no vectors of anything that is not in the table', () => {
      const titles = new Set(here.map((c) => c.title));
      assert.deepEqual(
        [...vectors.keys()].filter((title) => !titles.has(title)),
        [],
      );
    });
  });
}

describe('rows without vectors', () => {
  for (const exclusion of EXCLUSIONS) {
    const rows = ROWS.filter((row) => exclusionOf(row) === exclusion),
      [file, ...titles] = exclusion.shown;
    it(`${[...new Set(rows.map((row) => row.name))].join(', ')}, which ${exclusion.reason}: ${titles.length} cases of ${file}`, () => {
      assert.ok(rows.length > 0 && titles.length > 0);
      assert.deepEqual(missingCases(exclusion), []);
    });
  }
  it('are no others', () => {
    const shown = new Set(all.map((c) => c.row));
    assert.deepEqual(
      ROWS.filter((row) => !shown.has(row) && !exclusionOf(row)),
      [],
    );
  });
});
