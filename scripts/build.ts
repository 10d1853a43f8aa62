/**
 * Builds everything that ships, and with `--tests` what is loaded into VS Code by the tests.
 *
 *   dist/node/extension.cjs   the extension where Node runs (desktop, remote)     dist/node/worker.js    its worker thread
 *   dist/web/extension.cjs    the extension in the browser                        dist/web/worker.js     its web worker, one script
 *   dist/media/VIEW.js       the script of a webview: of each media/VIEW.ts that has a VIEW.css beside it
 *   dist/node/adapter.js      the debug adapter alone, over standard input/output
 *   dist/cli/cp86.js          the command line
 *   out/suite-node, out/suite-web   the mocha suites for the two extension hosts
 *   out/web-only                    a copy of the extension that has no Node entry
 *
 * The package is of type "module", and VS Code for the Web takes CommonJS only: its entries are therefore named .cjs.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { root } from './root.ts';

const common = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: true,
  logLevel: 'warning',
  target: 'es2022',
  legalComments: 'none',
} satisfies BuildOptions;
const node = { ...common, platform: 'node' } satisfies BuildOptions;
const web = { ...common, platform: 'browser' } satisfies BuildOptions;
/** What Node's own globals need in an ES module that holds CommonJS packages. */
const requireBanner = {
  js: "import { createRequire as cp86CreateRequire } from 'node:module'; const require = cp86CreateRequire(import.meta.url);",
};

const shipped: BuildOptions[] = [
  { ...node, format: 'cjs', external: ['vscode'], entryPoints: ['extension/node.ts'], outfile: 'dist/node/extension.cjs' },
  { ...node, format: 'esm', banner: requireBanner, entryPoints: ['src/vmm/node/worker.ts'], outfile: 'dist/node/worker.js' },
  { ...node, format: 'esm', banner: requireBanner, entryPoints: ['extension/debug/standalone.ts'], outfile: 'dist/node/adapter.js' },
  {
    ...node,
    format: 'esm',
    banner: { js: `#!/usr/bin/env node\n${requireBanner.js}` },
    entryPoints: ['src/vmm/node/cli.ts'],
    outfile: 'dist/cli/cp86.js',
  },
  { ...web, format: 'cjs', external: ['vscode'], entryPoints: ['extension/web.ts'], outfile: 'dist/web/extension.cjs' },
  { ...web, format: 'iife', entryPoints: ['src/vmm/web/worker.ts'], outfile: 'dist/web/worker.js' },
];

/** The views: media/VIEW.ts with a media/VIEW.css. */
function views(): BuildOptions {
  const files = readdirSync(join(root, 'media'));
  const names = files.filter((file) => file.endsWith('.ts') && files.includes(file.replace(/ts$/, 'css')));
  return { ...web, format: 'iife', entryPoints: names.map((file) => `media/${file}`), outdir: 'dist/media' };
}

/** `virtual:suites` imports every test/extension/suite/*.test.ts. */
const suites: Plugin = {
  name: 'suites',
  setup(setup) {
    const folder = join(root, 'test/extension/suite');
    setup.onResolve({ filter: /^virtual:suites$/ }, () => ({ path: 'suites', namespace: 'suites' }));
    setup.onLoad({ filter: /.*/, namespace: 'suites' }, () => {
      const files = readdirSync(folder).filter((file) => file.endsWith('.test.ts'));
      return {
        contents: files
          .sort()
          .map((file) => `import './${file}';`)
          .join('\n'),
        resolveDir: folder,
      };
    });
  },
};

const tests: BuildOptions[] = [
  // In Node mocha stays outside the bundle; in the web its browser build goes in. That build is UMD inside a package of
  // type "module": esbuild does not wrap it, and it would overwrite our module.exports, so `module` is hidden from it.
  {
    ...node,
    format: 'cjs',
    external: ['vscode', 'mocha'],
    plugins: [suites],
    entryPoints: ['test/extension/suite/index-node.ts'],
    outfile: 'out/suite-node/index.cjs',
  },
  {
    ...web,
    format: 'cjs',
    external: ['vscode'],
    plugins: [suites],
    alias: { mocha: 'mocha/mocha.js' },
    define: { module: 'undefined', define: 'undefined' },
    entryPoints: ['test/extension/suite/index-web.ts'],
    outfile: 'out/suite-web/index.cjs',
  },
];

/** The files that the build makes for shipping, views aside. */
export function outputs(): string[] {
  return shipped.map((options) => options.outfile ?? '');
}

/**
 * Builds into `dist/`, and with `withTests` into `out/` too.
 * @throws Error when a source does not compile; esbuild has then printed where
 */
export async function buildAll(withTests = false): Promise<void> {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await Promise.all([...shipped, views()].map((options) => build(options)));
  if (!withTests) return;
  for (const folder of ['suite-node', 'suite-web', 'web-only']) rmSync(join(root, 'out', folder), { recursive: true, force: true });
  await Promise.all(tests.map((options) => build(options)));
  writeWebOnly();
}

/** The same extension without a Node entry: the only way to its web entry in a workbench that also has a Node host. */
function writeWebOnly(): void {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const key of ['main', 'bin', 'scripts', 'devDependencies', 'allowScripts']) delete manifest[key];
  const folder = join(root, 'out/web-only');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  cpSync(join(root, 'dist/web'), join(folder, 'dist/web'), { recursive: true });
  cpSync(join(root, 'dist/media'), join(folder, 'dist/media'), { recursive: true });
  cpSync(join(root, 'media'), join(folder, 'media'), { recursive: true });
  cpSync(join(root, 'out/suite-web'), join(folder, 'suite'), { recursive: true });
}

if (import.meta.main) {
  await buildAll(process.argv.includes('--tests')).catch((error) => {
    if (!(error instanceof Error && 'errors' in error)) throw error;
    process.exitCode = 1; // esbuild has printed what is wrong
  });
}
