// TOUR.md shows what the program really makes, and its recipes name every place that a new thing touches.
// CP86_UPDATE=1 writes the blocks of code anew; the prose around them is still to be read.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { snippetNames, withSnippets } from './support/snippets.ts';
import { tourSnippets } from './support/tour.ts';

const path = join(root, 'TOUR.md'),
  tour = readFileSync(path, 'utf8');

/** Files that make up the program: what a recipe may send somebody to. */
const sources = [
  'package.json',
  ...['src', 'extension', 'media'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
  ),
].filter((file) => /\.(ts|css|json)$/.test(file) && file !== 'src/vmm/firmware/rom.generated.ts');

/** Recipe -> what one thing of its kind is called wherever it is known; in a file's name or in its text. */
const RECIPES: readonly (readonly [title: string, pattern: RegExp])[] = [
  ['An instruction', /\bBSWAP\b/],
  ['A device', /\bport80\b/i],
  ['An exit reason', /\brdpmc\b/],
  ['A register', /\bsysenter_eip\b/i],
  ['A request of the debug adapter', /completions/i],
  ['A panel', /\b(ImageEditor|FromImage)\b|"cp86\.image"|^media\/image\.css$/],
];

describe('TOUR.md', function () {
  this.timeout(120_000);

  it('shows code as the program makes it', () => {
    const snippets = tourSnippets(),
      now = withSnippets(tour, snippets);
    if (process.env.CP86_UPDATE === '1' && now !== tour) writeFileSync(path, now);
    else assert.equal(tour, now);
    assert.deepEqual(snippetNames(tour).sort(), [...snippets.keys()].sort());
  });

  it('has nine stops, each with links to sources', () => {
    const stops = tour.split(/^## /m).filter((section) => /^\d+\. /.test(section));
    assert.deepEqual(
      stops.map((section) => Number.parseInt(section, 10)),
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    for (const stop of stops) assert.match(stop, /\[`[^`]+`\]\([^)]+\.(ts|asm)\)/);
  });

  for (const [title, pattern] of RECIPES) {
    it(`names every place that this touches: ${title.toLowerCase()}`, () => {
      const recipe = tour.split(/^### /m).find((section) => section.startsWith(`${title}\n`)) ?? assert.fail(`no recipe '${title}'`);
      const named = [...recipe.matchAll(/^\d+\. .*?\]\(([^)#]+)\)/gm)].map((match) => match[1]!);
      const known = sources.filter((file) => pattern.test(file) || pattern.test(readFileSync(join(root, file), 'utf8')));
      assert.deepEqual([...new Set(named)].sort(), known.sort());
    });
  }
});
