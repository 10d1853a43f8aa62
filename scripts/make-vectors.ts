// Makes test/vectors: builds test/native/runner.c, runs random cases of every row on this machine's processor and keeps what
// it did. Needs gcc with 32-bit libraries on x86. Usage: npm run vectors -- FILE [PATTERN [FOLDER]]; FILE is one of test/native/cases.ts,
// PATTERN selects titles, and what is written to FOLDER then is not complete.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { VECTOR } from '../src/translator/state.ts';
import { type Case, cases, FILES, isFpu, makeInput, type VectorFile } from '../test/native/cases.ts';
import { encodeLdt } from '../test/native/ldt.ts';
import { decodeOutputs, encodeInput, lineOf, type VectorInput, type VectorOutput } from '../test/native/record.ts';

const root = join(import.meta.dirname, '..');

/** Results of inputs; the runner is started again after one that it did not survive, which is dropped. */
export function runNative(runner: string, inputs: readonly VectorInput[]): (VectorOutput | undefined)[] {
  const out: (VectorOutput | undefined)[] = [];
  while (out.length < inputs.length) {
    const rest = inputs.slice(out.length);
    const { stdout, status } = spawnSync(runner, { input: Buffer.concat([encodeLdt(), ...rest.map(encodeInput)]), maxBuffer: 1 << 30 });
    if (status === 1 || status === 2) throw new Error('the runner could not lay out its memory or its LDT');
    const got = decodeOutputs(rest, stdout);
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

/** A result that says something of the instruction: it ran or raised something by itself, inside the regions. */
function kept(c: Case, v: VectorInput, o: VectorOutput | undefined): o is VectorOutput {
  if (!o || o.trap === VECTOR.PF || (o.trap === VECTOR.DB && c.row.name !== 'INT1')) return false;
  if (o.trap < 0) return o.eip < 0 || o.eip === 0 || o.eip >= v.code.length;
  if (o.eip === v.code.length) return TRAPS.includes(o.trap);
  if (TRAPS.includes(o.trap)) return false;
  // A CALL whose target is beyond the limit, an ENTER that faults, have already stored something below the stack pointer.
  return o.eip === 0 && (o.memory.length === 0 || !/^(CALL|ENTER)$/.test(c.row.name));
}
/** Vectors of software interrupts that the operating system lets through. */
const TRAPS: readonly number[] = [VECTOR.DB, VECTOR.BP, VECTOR.OF];

function vectorsOf(runner: string, c: Case, seed: number): string[] {
  const lines: string[] = [],
    each = FILES[c.file];
  for (let round = 0; lines.length < each && round < 30; round++) {
    const inputs: VectorInput[] = [];
    for (let n = 0; n < each; n++) {
      const v = makeInput(c, seed + round * each + n);
      if (v) inputs.push(v);
    }
    const outputs = runNative(runner, inputs);
    inputs.forEach((v, n) => {
      const o = outputs[n];
      if (lines.length < each && kept(c, v, o)) lines.push(lineOf(v, o, isFpu(c.row)));
    });
  }
  return lines;
}

function main(): void {
  const file = process.argv[2] as VectorFile,
    pattern = new RegExp(process.argv[3] ?? '.'),
    to = process.argv[4] ?? join(root, 'test/vectors');
  if (!Object.hasOwn(FILES, file)) throw new Error(`name one of ${Object.keys(FILES).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'cp86-vectors-')),
    runner = buildRunner(folder);
  const model = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const text: string[] = [`# processor: ${model}`];
  const short: string[] = [];
  cases().forEach((c, n) => {
    if (c.file !== file || !pattern.test(c.title)) return;
    const lines = vectorsOf(runner, c, 1 + n * 100_000);
    if (lines.length < FILES[file]) short.push(`${c.title}: ${lines.length}`);
    text.push(`= ${c.title}`, ...lines);
  });
  rmSync(folder, { recursive: true });
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, `${file}.txt.gz`), gzipSync(`${text.join('\n')}\n`, { level: 9 }));
  console.log(`${text.length} lines`);
  if (short.length > 0) console.log(`fewer than ${FILES[file]}:\n${short.join('\n')}`);
}
if (import.meta.main) main();
