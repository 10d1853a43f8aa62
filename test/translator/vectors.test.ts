// Single instructions against a real processor: what test/vectors holds was recorded by scripts/make-vectors.ts in user mode.
// Interpreted and translated, every row, operand size and operand kind does the same, up to flags the SDM leaves undefined.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ROWS } from '../../src/translator/instructions/index.ts';
import { type Case, cases, excluded } from '../native/cases.ts';
import { difference } from '../native/compare.ts';
import { runEmulated } from '../native/emulated.ts';
import { parseLine } from '../native/record.ts';

const EACH = 100;

/** Of the first file the processor is named. */
const FILES = ['user-mode', 'fisttp'];

/** Lines of the files by the title above them. */
function readVectors(): { processor: string; vectors: Map<string, string[]> } {
  const files = FILES.map((name) =>
    gunzipSync(readFileSync(join(import.meta.dirname, `../vectors/${name}.txt.gz`)))
      .toString()
      .split('\n= '),
  );
  const vectors = new Map(
    files.flatMap(([, ...sections]) =>
      sections.map((section) => {
        const [title, ...lines] = section.trimEnd().split('\n');
        return [title!, lines] as const;
      }),
    ),
  );
  return { processor: files[0]![0]!.replace('# processor: ', ''), vectors };
}
function grouped<T>(list: readonly T[], key: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const name = key(item);
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return groups;
}

const { processor, vectors } = readVectors();

describe(`instructions as on the ${processor}`, () => {
  for (const [name, list] of grouped<Case>(cases(), (c) => c.row.name)) {
    it(`${name}: ${list.length} kinds`, () => {
      for (const { title } of list) {
        const lines = vectors.get(title) ?? [];
        assert.ok(lines.length >= EACH, `${title}: ${lines.length} vectors`);
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
    const titles = new Set(cases().map((c) => c.title));
    assert.deepEqual(
      [...vectors.keys()].filter((title) => !titles.has(title)),
      [],
    );
  });
  for (const [reason, rows] of grouped(ROWS, excluded)) {
    it(`is not the place for ${[...new Set(rows.map((row) => row.name))].join(', ')}: ${reason}`, () => {
      assert.ok(!rows.some((row) => cases().some((c) => c.row === row)));
    });
  }
});
