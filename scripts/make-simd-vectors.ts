// Makes the vectors of MMX and SSE instructions: builds test/native/simdRunner.c, runs random cases of every row on this
// machine's processor and keeps what it did. Needs gcc with 32-bit libraries on x86.
// Usage: npm run simd-vectors [-- NAME-PATTERN FILE]

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type SimdCase, simdCases, simdInput } from '../test/native/simdCases.ts';
import { decodeRecords, encodeRecord, type SimdInput, type SimdOutput, simdLine } from '../test/native/simdRecord.ts';

/** Vectors of a row and operand kind; of those that round, more. */
const EACH = 100,
  EACH_FLOAT = 200;
const root = join(import.meta.dirname, '..');

function buildRunner(folder: string): string {
  const runner = join(folder, 'runner');
  const { status, stderr } = spawnSync('gcc', ['-m32', '-O1', '-static', '-o', runner, join(root, 'test/native/simdRunner.c')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`gcc -m32 cannot build the runner:\n${stderr}`);
  return runner;
}
function runNative(runner: string, inputs: readonly SimdInput[]): SimdOutput[] {
  const { stdout } = spawnSync(runner, { input: Buffer.concat(inputs.map(encodeRecord)), maxBuffer: 1 << 30 });
  const out = decodeRecords(stdout);
  if (out.length !== inputs.length) throw new Error(`the runner answered ${out.length} of ${inputs.length} inputs`);
  return out;
}
function linesOf(runner: string, c: SimdCase, first: number): string[] {
  const count = /[ps][sd](,|$)/.test(c.row.operands.join()) ? EACH_FLOAT : EACH;
  const seeds = Array.from({ length: count }, (_, n) => first + n),
    inputs = seeds.map((seed) => simdInput(c, seed)),
    outputs = runNative(runner, inputs);
  return seeds.flatMap((seed, n) => {
    // #PF and #AC would be the runner's own.
    const { trap } = outputs[n]!;
    return trap === 14 || trap === 17 || trap === 99 ? [] : [simdLine(seed, inputs[n]!, outputs[n]!)];
  });
}

function main(): void {
  const pattern = new RegExp(process.argv[2] ?? '.'),
    file = process.argv[3] ?? join(root, 'test/vectors/simd.txt.gz'),
    folder = mkdtempSync(join(tmpdir(), 'cp86-simd-'));
  const runner = buildRunner(folder);
  const model = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const text: string[] = [`# processor: ${model}`];
  for (const c of simdCases()) {
    if (!pattern.test(c.title)) continue;
    const lines = linesOf(runner, c, 1);
    text.push(`= ${c.title}`, ...lines);
  }
  rmSync(folder, { recursive: true });
  writeFileSync(file, gzipSync(`${text.join('\n')}\n`, { level: 9 }));
  console.log(`${text.length} lines`);
}
main();
