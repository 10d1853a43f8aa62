/** The packaged extension: what it must contain, and nothing else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputs } from '../scripts/build.ts';
import { root } from '../scripts/root.ts';

interface Manifest {
  main: string;
  browser: string;
  bin: Record<string, string>;
  dependencies?: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

describe('the package', () => {
  it('has as entries what the build makes', () => {
    const made = outputs();
    for (const entry of [manifest.main, manifest.browser, ...Object.values(manifest.bin)]) {
      assert.ok(made.includes(entry.replace(/^\.\//, '')), `${entry} is not built`);
    }
  });

  it('depends on no package at run time', () => assert.deepEqual(manifest.dependencies ?? {}, {}));

  it('holds no source, test, map or tool', () => {
    const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
    const listed = execFileSync(process.execPath, [vsce, 'ls', '--no-dependencies'], {
      cwd: root,
      encoding: 'utf8',
    });
    const files = listed.split('\n').filter(Boolean);
    const documents = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'NOTICE.md'];
    for (const file of documents) assert.ok(files.includes(file), `${file} is missing`);
    const strange = files.filter(
      (file) =>
        !documents.includes(file) &&
        !/^(dist\/(node|web|cli|media)\/[\w.]+\.c?js|media\/[\w-]+(\.tmLanguage)?\.(css|svg|png|json)|media\/walkthrough\/\w+\.md)$/.test(
          file,
        ),
    );
    assert.deepEqual(strange, []);
  });
});
