// The part of bench/panel.ts that runs inside the extension host: starts the guest with the VM Exits panel open, and says what
// that does to the host's event loop and memory. VS Code loads it as a suite and calls `run`.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';
import type { Api } from '../extension/activate.ts';
import { PANEL_PREFIX, type PanelMemory, type PanelMessage } from './panelMessages.ts';

/** Milliseconds until the heaps of host and worker have grown to what this load needs. */
const SETTLE = 40_000,
  SECONDS = 60,
  LAST_LOOK = 10_000,
  QUARTERS = 4;
/** The histogram's resolution in milliseconds, part of every value in it. */
const RESOLUTION = 5;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const tell = (message: PanelMessage): void => console.log(PANEL_PREFIX + JSON.stringify(message));

export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension<Api>('cp86.cp86');
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!extension || !folder) throw new Error('the extension or its folder is not there');
  const { exits } = await extension.activate();
  await vscode.workspace.getConfiguration('cp86').update('screen.openOnStart', false);
  await vscode.commands.executeCommand('cp86.exits.focus');
  const started = await vscode.debug.startDebugging(
    folder,
    { type: 'cp86', request: 'launch', name: 'exits', program: 'exits.elf' },
    { noDebug: true },
  );
  if (!started) throw new Error('the guest did not start');
  await sleep(SETTLE);
  if (!exits.state.visible || exits.state.held === 0) throw new Error('the panel is not open, or lists nothing');

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const memory = (): PanelMemory => {
    collect();
    return { heap: process.memoryUsage().heapUsed, resident: process.memoryUsage.rss() };
  };
  const counted = (): number => exits.state.reasons.reduce((sum, { count }) => sum + count, 0);
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  const samples = [memory()],
    before = { exits: counted(), updates: exits.state.updates, dropped: exits.state.dropped },
    start = performance.now();
  tell({ type: 'begin' });
  for (let quarter = 0; quarter < QUARTERS; quarter++) {
    // A collection asked for here is no lag of the panel's: it is left out.
    histogram.enable();
    await sleep((SECONDS * 1000) / QUARTERS);
    histogram.disable();
    samples.push(memory());
  }
  const lag = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  tell({
    type: 'end',
    seconds: (performance.now() - start) / 1000,
    exits: counted() - before.exits,
    updates: exits.state.updates - before.updates,
    dropped: exits.state.dropped - before.dropped,
    lag: [lag(histogram.percentile(50)), lag(histogram.percentile(99)), lag(histogram.max)],
    memory: samples,
  });
  // The part outside looks at the panel once more, which closes with the extension host.
  await sleep(LAST_LOOK);
  await vscode.debug.stopDebugging();
}
