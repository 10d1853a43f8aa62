// The benchmarks (`npm run bench`): kernels on CP/86, v86 and QEMU, a whole Linux on them, the x87, guests beside each other, many exits, and
// the VM Exits panel with many exits. README.md says what is measured and how.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { exitsTable, measureExits, missedByExits } from './exits.ts';
import { interactiveTable, measureInteractive, missedByInteractive } from './interactive.ts';
import { KERNELS } from './kernels.ts';
import { differences, linuxTable, measureLinux, missingForLinux } from './linux.ts';
import { measurePanel, missedByPanel, missingForPanel, panelTable } from './panel.ts';
import { figures, figuresTable, slowerThanV86, TOLERANCE } from './report.ts';
import { installed, measure, type Samples } from './rounds.ts';
import { measureX87, x87Table } from './x87.ts';

const HELP = `npm run bench -- [options]
  --only PARTS     comma-separated: kernels, linux, x87, interactive, exits, panel (default: all)
  --kernels NAMES  comma-separated: ${KERNELS.map(({ name }) => name).join(', ')} (default: all)
  --program FILE   for linux: a static i386 program that writes lines as guests/program.c does
  --passes N       times each emulator is started with each kernel (default 3)
  --rounds N       warm rounds of a pass (default 12)
  --json FILE      write all samples and figures
  --check          exit status 1 when a target is missed
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'kernels,linux,x87,interactive,exits,panel' },
    program: { type: 'string' },
    kernels: { type: 'string', default: KERNELS.map(({ name }) => name).join() },
    passes: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '12' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function count(name: 'passes' | 'rounds'): number {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name} ${options[name]}: it must be a positive whole number`);
  return value;
}
function chosen(name: 'only' | 'kernels', known: readonly string[]): string[] {
  const list = options[name].split(',');
  for (const one of list) if (!known.includes(one)) throw new RangeError(`--${name} ${one}: it can be ${known.join(', ')}`);
  return list;
}

async function main(): Promise<number> {
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const parts = chosen('only', ['kernels', 'linux', 'x87', 'interactive', 'exits', 'panel']),
    names = chosen(
      'kernels',
      KERNELS.map(({ name }) => name),
    ),
    passes = count('passes'),
    rounds = count('rounds');
  const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version, v8: process.versions.v8 };
  const result: Record<string, unknown> = { machine, date: new Date().toISOString() },
    missed: string[] = [];
  process.stdout.write(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}\n`);

  if (parts.includes('kernels')) {
    const emulators = installed(),
      samples: Samples[] = [];
    for (let pass = 0; pass < passes; pass++) {
      for (const kernel of KERNELS) if (names.includes(kernel.name)) samples.push(...(await measure(kernel, emulators, pass, rounds)));
    }
    const all = figures(samples);
    process.stdout.write(`\n${figuresTable(all)}`);
    missed.push(...slowerThanV86(all));
    Object.assign(result, { kernels: { samples, figures: all, tolerance: TOLERANCE } });
  }
  if (parts.includes('linux')) {
    const missing = missingForLinux();
    if (missing.length > 0) process.stdout.write(`\nlinux: left out, without ${missing.join(' and ')}\n`);
    else {
      const linux = await measureLinux(options.program);
      process.stdout.write(`\n${linuxTable(linux)}`);
      missed.push(...differences(linux));
      Object.assign(result, { linux });
    }
  }
  if (parts.includes('x87')) {
    const x87 = measureX87();
    process.stdout.write(`\n${x87Table(x87)}`);
    Object.assign(result, { x87 });
  }
  if (parts.includes('interactive')) {
    const interactive = await measureInteractive();
    process.stdout.write(`\n${interactiveTable(interactive)}`);
    missed.push(...missedByInteractive(interactive));
    Object.assign(result, { interactive });
  }
  if (parts.includes('exits')) {
    const exits = await measureExits();
    process.stdout.write(`\n${exitsTable(exits)}`);
    missed.push(...missedByExits(exits));
    Object.assign(result, { exits });
  }
  if (parts.includes('panel')) {
    const missing = missingForPanel();
    if (missing.length > 0) process.stdout.write(`\npanel: left out, without ${missing.join(' and ')}\n`);
    else {
      const panel = await measurePanel();
      process.stdout.write(`\n${panelTable(panel)}`);
      missed.push(...missedByPanel(panel));
      Object.assign(result, { panel });
    }
  }

  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ ...result, missed }, null, 1)}\n`);
  process.stdout.write(missed.length === 0 ? '\nevery target met\n' : `\nmissed:\n${missed.map((line) => `  ${line}\n`).join('')}`);
  return options.check && missed.length > 0 ? 1 : 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
  process.exit(2);
}
