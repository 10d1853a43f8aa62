/**
 * Drives a workbench as a user does. Needs `node scripts/build.ts --tests`.
 *
 *   node test/extension/workbench.e2e.ts server|web|isolated|untrusted [dark|light]
 *
 * `server`: VS Code's server with the packaged extension installed (Node extension host); `web`: VS Code for the Web;
 * `isolated`: that with SharedArrayBuffer; `untrusted`: the server with a folder that is not trusted. Screenshots are kept in out/shots.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root } from '../../scripts/root.ts';
import { makeWorkspace, type Running, screenshot, startChromium, startServer, startWeb, type Theme } from '../support/launch.ts';
import { findTool } from '../support/tools.ts';
import { type Step, steps, untrustedSteps } from './workbench.steps.ts';

const [mode = 'server', theme = 'dark'] = process.argv.slice(2) as [string?, Theme?];
const watchdog = setTimeout(() => {
  console.error('NOT OK the run as a whole: over time');
  process.exit(1);
}, 560_000);
watchdog.unref();

let passed = 0;
let failed = 0;
let skipped = 0;

async function main(): Promise<void> {
  const workspace = makeWorkspace(theme);
  const running = await start(workspace.folder);
  const browser = await startChromium();
  try {
    const page = await browser.context.newPage();
    page.setDefaultTimeout(60_000);
    if (process.env.VERBOSE) page.on('console', (message) => console.log(`[${message.type()}] ${message.text().slice(0, 1000)}`));
    await page.goto(running.address(workspace.folder));
    for (const [name, act, needs] of mode === 'untrusted' ? untrustedSteps : steps) {
      if (needs && !findTool(needs)) {
        skipped++;
        console.log(`  skipped ${name} [${needs} not found]`);
        continue;
      }
      // Later steps stand on earlier ones, and an error dialog blocks them all: stop at the first failure.
      if (!(await step(page, name, act))) break;
    }
  } finally {
    await browser.stop();
    await running.stop();
    workspace.remove();
  }
}

function start(folder: string): Promise<Running> {
  if (mode === 'server' || mode === 'untrusted') return startServer({ vsix: [packaged()], theme, untrusted: mode === 'untrusted' });
  if (mode === 'web' || mode === 'isolated') return startWeb({ folder, isolated: mode === 'isolated' });
  throw new Error(`unknown mode: ${mode}`);
}

/** Packages what is in dist/ now. */
function packaged(): string {
  const file = join(root, 'out/cp86.vsix');
  const flags = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', file];
  execFileSync(process.execPath, [join(root, 'node_modules/@vscode/vsce/vsce'), 'package', ...flags], { cwd: root });
  return file;
}

async function step(page: Page, name: string, act: Step[1]): Promise<boolean> {
  const began = Date.now();
  try {
    await act(page, (picture) => screenshot(page, `${mode}-${theme}-${picture}`));
    passed++;
    console.log(`  ok ${name} (${Date.now() - began} ms)`);
    return true;
  } catch (error) {
    failed++;
    console.log(`  NOT OK ${name}\n${error instanceof Error ? error.stack : error}`);
    await screenshot(page, `${mode}-${theme}-failed`).catch(() => console.log('(no screenshot)'));
    return false;
  }
}

main()
  .catch((error) => {
    failed++;
    console.error(error);
  })
  .finally(() => {
    console.log(`counts passed=${passed} failed=${failed} skipped=${skipped}`);
    process.exit(failed ? 1 : 0);
  });
