/**
 * Runs the mocha suite inside an extension host. Needs `node scripts/build.ts --tests` first.
 *
 *   node test/extension/run.ts node       through @vscode/test-electron: the Node extension host. VSCODE_TEST_EXECUTABLE
 *                                         names a desktop VS Code; otherwise VS Code's server stands in for it.
 *   node test/extension/run.ts server-web the web extension host of VS Code's server
 *   node test/extension/run.ts web        VS Code for the Web; `isolated` with SharedArrayBuffer
 *   node test/extension/run.ts as-code FOLDER --extensionDevelopmentPath=P --extensionTestsPath=P    (used by code-shim)
 */
import { isAbsolute, join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { root } from '../../scripts/root.ts';
import { makeWorkspace, type Running, runSuiteInPage, startChromium, startServer, startWeb } from '../support/launch.ts';

const [mode, ...args] = process.argv.slice(2);

async function main(): Promise<number> {
  if (mode === 'as-code') {
    const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
    const folder = args.find((arg) => isAbsolute(arg)) ?? root;
    return inServer(folder, option('extensionDevelopmentPath'), option('extensionTestsPath'));
  }
  const workspace = makeWorkspace();
  try {
    switch (mode) {
      case 'node':
        process.env.CP86_NODE = process.execPath;
        return await runTests({
          vscodeExecutablePath: process.env.VSCODE_TEST_EXECUTABLE ?? join(root, 'test/extension/code-shim'),
          extensionDevelopmentPath: root,
          extensionTestsPath: join(root, 'out/suite-node/index.cjs'),
          launchArgs: [workspace.folder, '--disable-extensions'],
        });
      case 'server-web':
        return await inServer(workspace.folder, join(root, 'out/web-only'), join(root, 'out/web-only/suite/index.cjs'));
      case 'web':
      case 'isolated':
        return await inPage(
          await startWeb({ folder: workspace.folder, tests: join(root, 'out/web-only/suite/index.cjs'), isolated: mode === 'isolated' }),
          workspace.folder,
        );
      default:
        throw new Error(`unknown mode: ${mode}`);
    }
  } finally {
    workspace.remove();
  }
}

async function inServer(folder: string, extensionDevelopmentPath: string, extensionTestsPath: string): Promise<number> {
  return inPage(await startServer(), folder, { extensionDevelopmentPath, extensionTestsPath, skipWelcome: 'true' });
}

async function inPage(running: Running, folder: string, payload?: Record<string, string>): Promise<number> {
  try {
    const browser = await startChromium();
    try {
      return await runSuiteInPage(browser, running.address(folder, payload));
    } finally {
      await browser.stop();
    }
  } finally {
    await running.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
