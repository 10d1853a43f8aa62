// A whole system: Debian's unmodified kernel from power-on to its first program, and that program's kernels of work
// (guests/program.c), on CP/86, v86 and QEMU, one after the other. Times are the host's between lines on COM1.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findImage } from '../scripts/cache.ts';
import { CHARACTER, cpio, DIRECTORY, PROGRAM } from '../test/support/initramfs.ts';
import { findTool } from '../test/support/tools.ts';
import { COMMAND_LINE, MEMORY, type Report } from './linuxGuest.ts';
import { table } from './statistics.ts';

const EMULATORS = ['cp86', 'v86', 'qemu'] as const;
type Emulator = (typeof EMULATORS)[number];
const FIRMWARE = '/usr/share/seabios';
/** Milliseconds until a system counts as stuck. */
const PATIENCE = 600_000;
/** A line of the program: 'BENCH name result'; 'start' is its first, 'total' its last. */
const LINE = /^BENCH +(\w+) +(.*?)\s*$/;

export interface LinuxResult {
  readonly emulator: Emulator;
  /** Milliseconds by name: 'boot' is from the start of the emulator's process to the program's first line. */
  readonly times: { readonly [name: string]: number };
  /** What the program computed, by name. */
  readonly results: { readonly [name: string]: string };
  readonly report: Report | null;
}

/** What is missing on this machine, in words; without it nothing is measured. */
export function missingForLinux(): string[] {
  return [...(findImage('linux686') ? [] : ["Debian's linux-image-686"]), ...(findTool('gcc -m32') ? [] : ['gcc with 32-bit libraries'])];
}

/** Runs all emulators that are there. `program`: a static i386 program instead of guests/program.c. */
export async function measureLinux(program: string | undefined): Promise<LinuxResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cp86-bench-')),
    initrd = join(folder, 'initrd');
  try {
    const file = program ?? compiled(folder);
    writeFileSync(
      initrd,
      cpio([
        { path: 'dev', mode: DIRECTORY },
        { path: 'dev/console', mode: CHARACTER, device: [5, 1] },
        { path: 'init', mode: PROGRAM, data: readFileSync(file) },
      ]),
    );
    const results: LinuxResult[] = [];
    for (const emulator of EMULATORS) {
      if (emulator === 'qemu' && !findTool('qemu-system-i386')) continue;
      if (emulator === 'v86' && !existsSync(FIRMWARE)) continue;
      results.push(await run(emulator, findImage('linux686')!, initrd));
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compiled(folder: string): string {
  const out = join(folder, 'program'),
    source = fileURLToPath(new URL('guests/program.c', import.meta.url)),
    options = ['-m32', '-O2', '-march=i686', '-mfpmath=387', '-static', '-o', out, source, '-lm'];
  const { status, stderr } = spawnSync('gcc', options, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc: ${stderr}`);
  return out;
}

function started(emulator: Emulator, kernel: string, initrd: string): ChildProcess {
  if (emulator !== 'qemu') {
    const script = fileURLToPath(new URL('linuxGuest.ts', import.meta.url));
    return spawn(process.execPath, [script, emulator, kernel, initrd, FIRMWARE], { stdio: ['pipe', 'pipe', 'pipe'] });
  }
  const options = ['-accel', 'tcg', '-m', `${MEMORY}`, '-display', 'none', '-monitor', 'none', '-nic', 'none', '-serial', 'stdio'];
  return spawn(findTool('qemu-system-i386')!, [...options, '-no-reboot', '-kernel', kernel, '-initrd', initrd, '-append', COMMAND_LINE], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function run(emulator: Emulator, kernel: string, initrd: string): Promise<LinuxResult> {
  const times: { [name: string]: number } = {},
    results: { [name: string]: string } = {};
  let last = performance.now();
  const child = started(emulator, kernel, initrd);
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  let errors = '';
  child.stderr!.on('data', (bytes: Buffer) => {
    errors += bytes;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${emulator}: the system was not through after ${PATIENCE / 1000} seconds`)),
        PATIENCE,
      );
      child.on('exit', (code) => reject(new Error(`${emulator} ended (${code}): ${errors}`)));
      createInterface(child.stdout!).on('line', (line) => {
        // A program that ends takes the kernel with it, sometimes before its last line is out.
        if (line.includes('Kernel panic')) return (clearTimeout(timer), resolve());
        const [, name, result] = LINE.exec(line) ?? [];
        if (name === undefined) return;
        const now = performance.now();
        if (name === 'total') return (clearTimeout(timer), resolve());
        times[name === 'start' ? 'boot' : name] = now - last;
        if (name !== 'start') results[name] = result!;
        last = now;
      });
    });
    child.removeAllListeners('exit');
    if (emulator !== 'cp86') return { emulator, times, results, report: null };
    const said = new Promise<void>((resolve) => child.on('exit', () => resolve()));
    child.stdin!.write('\n');
    await said;
    return { emulator, times, results, report: JSON.parse(errors.trim().split('\n').at(-1)!) as Report };
  } finally {
    process.removeListener('exit', end);
    end();
  }
}

/** Results that differ between emulators: somebody computes wrongly. */
export function differences(all: readonly LinuxResult[]): string[] {
  const [first, ...others] = all;
  return others.flatMap(({ emulator, results }) =>
    Object.keys(results)
      .filter((name) => results[name] !== first!.results[name])
      .map((name) => `${name}: ${first!.emulator} says ${first!.results[name]}, ${emulator} ${results[name]}`),
  );
}

export function linuxTable(all: readonly LinuxResult[]): string {
  const cp86 = all[0]!,
    seconds = (value: number | undefined): string => (value === undefined ? '-' : (value / 1000).toFixed(2));
  const rows = Object.keys(cp86.times).map((name) => {
    const of = (emulator: Emulator): number | undefined => all.find((result) => result.emulator === emulator)?.times[name],
      ratio = (emulator: Emulator): string =>
        ((cp86.times[name] ?? Number.NaN) / (of(emulator) ?? Number.NaN)).toFixed(2).replace('NaN', '-');
    return [name, ...EMULATORS.map((emulator) => seconds(of(emulator))), ratio('v86'), ratio('qemu')];
  });
  const text = table([['seconds', ...EMULATORS, '/ v86', '/ qemu'], ...rows]);
  if (!cp86.report) return text;
  const { time, exits, counters } = cp86.report,
    sorted = (values: { readonly [name: string]: number }): [string, number][] => Object.entries(values).sort(([, a], [, b]) => b - a);
  return `${text}
${table([['where the time of CP/86 goes', '%'], ...sorted(time).map(([place, part]) => [place, (part * 100).toFixed(1)])])}
${table([['exits', ''], ...sorted(exits).map(([name, count]) => [name, `${count}`])])}
${table([['counters', ''], ...Object.entries(counters).map(([name, count]) => [name, `${count}`])])}`;
}
