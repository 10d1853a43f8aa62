// The VM Exits panel in a real workbench, with a guest that makes 100,000 exits a second: pictures drawn in the webview, lag of
// the extension host's event loop, memory over a minute, and what of the dropped detail the panel says.
//   node bench/panel.ts

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { FrameLocator, Page } from 'playwright-core';
import { buildAll } from '../scripts/build.ts';
import { root } from '../scripts/root.ts';
import { makeWorkspace, screenshot, startChromium, startServer } from '../test/support/launch.ts';
import { findTool } from '../test/support/tools.ts';
import { webview } from '../test/support/workbench.ts';
import { guestImage } from './kernels.ts';
import { PANEL_PREFIX, type PanelMessage } from './panelMessages.ts';
import { median, table } from './statistics.ts';

type End = Extract<PanelMessage, { type: 'end' }>;

export interface PanelResult extends Omit<End, 'type'> {
  /** Pictures drawn with new content, in each second. */
  readonly frames: readonly number[];
  /** Bytes of live objects in the webview: at the beginning and at the end. */
  readonly webview: readonly [number, number];
  /** What the panel's status line said at the end. */
  readonly status: string;
  /** Load of the machine over the last minute. */
  readonly load: number;
}

/** Targets: exits a second, pictures a second, milliseconds of lag in the 99th percentile, MiB of growth in the minute. */
const RATE = 100_000,
  FRAMES = 10,
  LAG_LIMIT = 50,
  GROWTH_LIMIT = { heap: 8, resident: 16, webview: 8 };
const PATIENCE = 150_000;
const MIB = 2 ** 20;

/** Programs that it needs and this machine does not have. */
export const missingForPanel = (): string[] => (['chromium', 'code-server'] as const).filter((tool) => !findTool(tool));

export async function measurePanel(): Promise<PanelResult> {
  const folder = mkdtempSync(join(tmpdir(), 'cp86-panel-')),
    workspace = makeWorkspace();
  try {
    await buildAll();
    const suite = join(folder, 'panelHost.cjs');
    await build({
      entryPoints: [join(root, 'bench/panelHost.ts')],
      outfile: suite,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['vscode'],
      logLevel: 'warning',
    });
    cpSync(guestImage('exits'), join(workspace.folder, 'exits.elf'));
    const server = await startServer();
    try {
      const browser = await startChromium();
      try {
        const page = await browser.context.newPage();
        const address = server.address(workspace.folder, {
          extensionDevelopmentPath: root,
          extensionTestsPath: suite,
          skipWelcome: 'true',
        });
        return await observe(page, address);
      } finally {
        await browser.stop();
      }
    } finally {
      await server.stop();
    }
  } finally {
    workspace.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens the workbench and watches the panel from the host's `begin` to its `end`. */
async function observe(page: Page, address: string): Promise<PanelResult> {
  let resolveEnd: (end: End) => void, rejectEnd: (error: Error) => void;
  const ended = new Promise<End>((resolve, reject) => ((resolveEnd = resolve), (rejectEnd = reject)));
  const timer = setTimeout(() => rejectEnd(new Error('the panel was not measured in time')), PATIENCE);
  let begun: Promise<{ panel: FrameLocator; memory: number }> | undefined;
  const log: string[] = [];
  await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
    const text = args.map(String).join(' ');
    log.push(text);
    if (!text.startsWith(PANEL_PREFIX)) return;
    const message = JSON.parse(text.slice(PANEL_PREFIX.length)) as PanelMessage;
    if (message.type === 'end') resolveEnd(message);
    else begun = begin(page);
    begun?.catch(rejectEnd);
  });
  await page.exposeFunction('codeAutomationExit', (code: number) =>
    code === 0 ? undefined : rejectEnd(new Error(`the extension host's part failed:\n${log.slice(-20).join('\n')}`)),
  );
  await page.goto(address);
  try {
    const { type: _, ...end } = await ended;
    if (!begun) throw new Error('the panel was not found');
    const { panel, memory } = await begun;
    const frames = await panel.locator('body').evaluate(() => (globalThis as unknown as { drawn: number[] }).drawn);
    const status = await panel.locator('.status').innerText();
    await screenshot(page, 'bench-panel');
    return { ...end, frames, webview: [memory, await heapOf(panel)], status, load: loadavg()[0]! };
  } finally {
    clearTimeout(timer);
  }
}

/** Counts the webview's pictures from now on. */
async function begin(page: Page): Promise<{ panel: FrameLocator; memory: number }> {
  const panel = await webview(page, '.records .row');
  await panel.locator('body').evaluate((body) => {
    const drawn: number[] = [];
    let changed = false,
      count = 0;
    new MutationObserver(() => {
      changed = true;
    }).observe(body, { subtree: true, childList: true, characterData: true, attributes: true });
    const picture = (): void => {
      // What changed since the last picture is in this one.
      if (changed) count++;
      changed = false;
      requestAnimationFrame(picture);
    };
    requestAnimationFrame(picture);
    setInterval(() => {
      drawn.push(count);
      count = 0;
    }, 1000);
    Object.assign(globalThis, { drawn });
  });
  return { panel, memory: await heapOf(panel) };
}

const heapOf = (panel: FrameLocator): Promise<number> =>
  panel.locator('body').evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize);

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

export function panelTable({ seconds, exits, updates, dropped, frames, lag, memory, webview: heaps, status, load }: PanelResult): string {
  return `${table([
    ['panel', 'value'],
    ['seconds', seconds.toFixed(1)],
    ['exits / s', (exits / seconds).toFixed(0)],
    ['updates / s', (updates / seconds).toFixed(1)],
    ['pictures / s, median', `${median(frames)}`],
    ['pictures / s, least', `${Math.min(...frames)}`],
    ['extension host lag ms: median, p99, most', lag.map((value) => value.toFixed(1)).join(', ')],
    ['extension host heap MiB, by quarters', memory.map(({ heap }) => mib(heap)).join(' ')],
    ['extension host resident MiB, by quarters', memory.map(({ resident }) => mib(resident)).join(' ')],
    ['webview heap MiB', heaps.map(mib).join(' -> ')],
    ['detail dropped', `${dropped}`],
    ['load of the machine', load.toFixed(1)],
  ])}the panel says: ${status}\n`;
}

/** Missed targets in words. */
export function missedByPanel({ seconds, exits, dropped, frames, lag: [, lag], memory, webview: heaps, status }: PanelResult): string[] {
  const first = memory[0]!,
    last = memory.at(-1)!;
  const growth = { heap: last.heap - first.heap, resident: last.resident - first.resident, webview: heaps[1] - heaps[0] };
  return [
    ...(exits / seconds >= RATE ? [] : [`the panel's guest made ${(exits / seconds).toFixed(0)} exits a second: ${RATE} is the target`]),
    ...(median(frames) >= FRAMES ? [] : [`${median(frames)} pictures a second in the panel: ${FRAMES} is the target`]),
    ...(lag < LAG_LIMIT ? [] : [`extension host lag ${lag.toFixed(1)} ms in the 99th percentile: less than ${LAG_LIMIT} ms is the target`]),
    ...Object.entries(GROWTH_LIMIT).flatMap(([name, limit]) => {
      const grown = growth[name as keyof typeof growth] / MIB;
      return grown <= limit ? [] : [`${name} memory grows by ${grown.toFixed(0)} MiB in a minute: at most ${limit} is the target`];
    }),
    ...(dropped === 0 || /only counted/.test(status) ? [] : ['the panel does not say that detail was dropped']),
  ];
}

if (import.meta.main) {
  const result = await measurePanel();
  process.stdout.write(panelTable(result));
  for (const line of missedByPanel(result)) process.stdout.write(`missed: ${line}\n`);
}
