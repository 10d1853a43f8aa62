/** The documents: what they link to exists, and the commands they name do. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { root } from '../scripts/root.ts';

const documents = execFileSync('git', ['ls-files', '-z', '*.md'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);

/** The text without fenced code. */
function prose(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
}

/** GitHub's anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function anchors(file: string): string[] {
  return [...prose(file).matchAll(/^#+ (.*)$/gm)].map((match) => anchor(match[1] ?? ''));
}

/** Whether a source declares this: a name (Class.member, too), or any other text, which must stand in it, white space aside. */
function declares(source: string, text: string): boolean {
  if (!/^#?[\w$]+(\.#?[\w$]+)*$/.test(text)) return source.replace(/\s+/g, '').includes(text.replace(/\s+/g, ''));
  return text
    .split('.')
    .every((name) =>
      new RegExp(
        `\\b(function|class|interface|type|const|let)\\s+${name}\\b|^\\s+((async|static|get|set|readonly|private)\\s+)*'?${name}'?\\??\\s*[(:=<,]`,
        'm',
      ).test(source),
    );
}

describe('documents', () => {
  it('exist', () => assert.ok(documents.includes('README.md')));

  for (const file of documents) {
    it(`${file}: every link leads somewhere`, () => {
      const lost: string[] = [];
      for (const [, target = ''] of prose(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', place] = target.split('#');
        const to = path ? resolve(root, dirname(file), path) : join(root, file);
        if (!existsSync(to)) lost.push(target);
        else if (place && to.endsWith('.md') && !anchors(to.slice(root.length + 1)).includes(place)) lost.push(target);
        else if (place && /\.ts$/.test(to)) {
          const last = Number(/^L(\d+)/.exec(place)?.[1] ?? Number.NaN);
          if (!(last <= readFileSync(to, 'utf8').split('\n').length)) lost.push(target);
        }
      }
      assert.deepEqual(lost, []);
    });

    it(`${file}: what a link to a source names is in that source`, () => {
      const lost: string[] = [];
      for (const [, name = '', target = ''] of prose(file).matchAll(/\[`([^`]+)`\]\(([^)\s#]+\.ts)\)/g)) {
        const to = resolve(root, dirname(file), target);
        if (!/\.ts$/.test(name) && existsSync(to) && !declares(readFileSync(to, 'utf8'), name)) lost.push(`${name} in ${target}`);
      }
      assert.deepEqual(lost, []);
    });

    it(`${file}: every npm script it names exists`, () => {
      const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
      const named = [...readFileSync(join(root, file), 'utf8').matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
      assert.deepEqual(
        named.filter((name) => !scripts[name]),
        [],
      );
    });
  }
});
