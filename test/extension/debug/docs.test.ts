/** docs/debugging.md says what the tables in the code say. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND_WORDS } from '../../../extension/debug/console.ts';
import { ATTACH_ATTRIBUTES, LAUNCH_ATTRIBUTES } from '../../../extension/debug/launchArguments.ts';
import { root } from '../../../scripts/root.ts';

const text = readFileSync(join(root, 'docs/debugging.md'), 'utf8');
const section = (title: string): string => text.split(/^## /m).find((one) => one.startsWith(title)) ?? assert.fail(title);

/** A row of an attribute table. */
function row(name: string, schema: { description: string; default?: unknown; enum?: readonly unknown[] }): string {
  const choices = schema.enum ? ` One of ${schema.enum.map((one) => `\`${one}\``).join(', ')}.` : '';
  return `| \`${name}\` | ${schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``} | ${schema.description}${choices} |`;
}

describe('docs/debugging.md', () => {
  for (const [title, table] of [
    ['Launch', LAUNCH_ATTRIBUTES],
    ['Attach', ATTACH_ATTRIBUTES],
  ] as const) {
    it(`has the table of ${title.toLowerCase()} attributes as they are`, () => {
      const rows = section(title)
        .split('\n')
        .filter((line) => line.startsWith('| `'));
      assert.deepEqual(
        rows,
        Object.entries(table).map(([name, schema]) => row(name, schema)),
      );
    });
  }

  it('names every command of the debug console', () => {
    for (const word of COMMAND_WORDS) assert.ok(section('Expressions').includes(`\`${word.trim().replace(/\/$/, '')}`), word);
  });
});
