// Makes test/vectors: builds test/native/runner.c, runs random cases of every row on this machine's processor and keeps what
// it did. Needs gcc with 32-bit libraries on x86. Usage: npm run vectors [-- NAME-PATTERN [FILE]]; the
// file is user-mode unless the vectors of a few rows go to one of their own.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Case, cases, isFpu, makeInput } from '../test/native/cases.ts';
import { decodeOutputs, encodeInput, LAYOUT, lineOf, type VectorInput, type VectorOutput } from '../test/native/record.ts';

/** Vectors of a row, operand size and operand kind. */
const EACH = 100;
const root = join(import.meta.dirname, '..');

/** Results of inputs; the runner is started again after one that it did not survive, which is dropped. */
export function runNative(runner: string, inputs: readonly VectorInput[]): (VectorOutput | undefined)[] {
  const out: (VectorOutput | undefined)[] = [];
  while (out.length < inputs.length) {
    const rest = inputs.slice(out.length);
    const { stdout } = spawnSync(runner, { input: Buffer.concat(rest.map(encodeInput)), maxBuffer: 1 << 30 });
    const got = decodeOutputs(stdout);
    out.push(...got);
    if (got.length < rest.length) out.push(undefined);
  }
  return out;
}
export function buildRunner(folder: string): string {
  const runner = join(folder, 'runner');
  const { status, stderr } = spawnSync('gcc', ['-m32', '-O1', '-static', '-o', runner, join(root, 'test/native/runner.c')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`gcc -m32 cannot build the runner:\n${stderr}`);
  return runner;
}

/** A result that says something of the instruction: it ran or faulted by itself, inside the regions. */
function kept(c: Case, v: VectorInput, o: VectorOutput | undefined): o is VectorOutput {
  if (!o) return false;
  if (o.trap === 14 || o.trap === 1 || o.trap === 17) return false;
  if (o.trap < 0) return o.eip < 0 || o.eip === 0 || o.eip >= v.code.length;
  // A CALL whose target is beyond the limit has already stored its return address, below the stack pointer.
  return o.eip === 0 && (o.memory.length === 0 || c.row.name !== 'CALL');
}

function vectorsOf(runner: string, c: Case, seed: number): string[] {
  const lines: string[] = [];
  for (let round = 0; lines.length < EACH && round < 30; round++) {
    const inputs: VectorInput[] = [];
    for (let n = 0; n < EACH; n++) {
      const v = makeInput(c, seed + round * EACH + n);
      if (v) inputs.push(v);
    }
    const outputs = runNative(runner, inputs);
    inputs.forEach((v, n) => {
      const o = outputs[n];
      if (lines.length < EACH && kept(c, v, o)) lines.push(lineOf(v, o, isFpu(c.row)));
    });
  }
  return lines;
}

function main(): void {
  const pattern = new RegExp(process.argv[2] ?? '.'),
    file = process.argv[3] ?? 'user-mode',
    folder = mkdtempSync(join(tmpdir(), 'cp86-vectors-'));
  const runner = buildRunner(folder);
  const model = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const text: string[] = [`# processor: ${model}`];
  const short: string[] = [];
  cases().forEach((c, n) => {
    if (!pattern.test(c.title)) return;
    const lines = vectorsOf(runner, c, 1 + n * 100_000);
    if (lines.length < EACH) short.push(`${c.title}: ${lines.length}`);
    text.push(`= ${c.title}`, ...lines);
  });
  rmSync(folder, { recursive: true });
  mkdirSync(join(root, 'test/vectors'), { recursive: true });
  writeFileSync(join(root, `test/vectors/${file}.txt.gz`), gzipSync(`${text.join('\n')}\n`, { level: 9 }));
  console.log(`${text.length} lines; data at ${LAYOUT.DATA.toString(16)}`);
  if (short.length > 0) console.log(`fewer than ${EACH}:\n${short.join('\n')}`);
}
if (import.meta.main) main();
