/** The project's own laws: the arrows between the parts are dependency-cruiser's; here is what it cannot see. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';

const platformFile = /^src\/vmm\/(node|web)\//;

function sources(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
  );
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** The code without comments: a word in a comment breaks no law. Strings stay. */
function code(file: string): string {
  return read(file).replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '$1');
}

/** Fails with every place that matches. */
function nowhere(files: string[], pattern: RegExp, text: (file: string) => string = code): void {
  const found = files.flatMap((file) =>
    text(file)
      .split('\n')
      .flatMap((line) => (pattern.test(line) ? [`${file}: ${line.trim()}`] : [])),
  );
  assert.deepEqual(found, []);
}

describe('architecture', () => {
  const core = sources('src').filter((file) => !platformFile.test(file));

  it('has sources to look at', () => assert.ok(core.length > 0));

  it('src reads no clock and no random source but the ones handed in', () => {
    nowhere(
      core,
      /\bDate\.now\b|\bnew Date\(\)|\bnew Date\b(?!\()|\bperformance\.now\b|\bMath\.random\b|\bcrypto\.getRandomValues\b|\bprocess\.hrtime\b/,
    );
  });

  it('src starts no timer of the host', () => {
    nowhere(core, /\b(setTimeout|setInterval|setImmediate|requestAnimationFrame)\s*\(/);
  });

  it('src names neither Node nor VS Code', () => {
    nowhere(core, /from 'node:|import\('node:|from 'vscode'|\bprocess\.(env|argv|platform|exit|stdout|stderr)\b|\brequire\(['"`]/);
  });

  it('src/translator and src/runtime touch no worker, window or network', () => {
    nowhere(
      core.filter((file) => !file.startsWith('src/vmm/')),
      /\b(globalThis\.|new Worker\b|XMLHttpRequest\b|postMessage\()/,
    );
  });

  it('the debug adapter does not name VS Code', () => nowhere(sources('extension/debug'), /from 'vscode'/));

  it('every source opens with a comment that says what it is', () => {
    const silent = sources('src', 'extension', 'media').filter((file) => !/^(#!.*\n)?(\/\*|\/\/)/.test(read(file)));
    assert.deepEqual(silent, []);
  });

  it('every source is at most 500 lines, tables excepted', () => {
    const tables = /(^src\/translator\/instructions\/|[Tt]able|font)/;
    const long = sources('src', 'extension', 'media', 'scripts').filter(
      (file) => !tables.test(file) && read(file).split('\n').length > 501,
    );
    assert.deepEqual(long, []);
  });

  it('nothing that is kept names a path of the machine it was written on', () => {
    const kept = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
    const text = kept.filter((file) => /\.(ts|mjs|js|json|md|sh|asm|c|s|html|css|yml)$|^\.ci\//.test(file));
    const folders = [root, homedir()].filter((folder) => folder.length > 1);
    const places = new RegExp(`(^|[\\s"'\`(=:])(${[...folders, '/home/[a-z]+', '/Users/[a-z]+'].join('|')})(/|\\b)`);
    nowhere(text, places, read);
  });
});
