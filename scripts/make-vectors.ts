// Makes test/vectors: builds test/native/runner.c, runs random cases of every row on this machine's processor and keeps what
// it did. Needs gcc with 32-bit libraries on x86. Usage: npm run vectors -- FILE [PATTERN]; FILE is one of test/native/cases.ts. Cases
// without vectors and those whose titles match are recorded, without a pattern all; the others keep theirs.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VECTOR } from '../src/translator/state.ts';
import { type Case, cases, FILES, makeInput, type VectorFile } from '../test/native/cases.ts';
import { isFpu } from '../test/native/fpuCases.ts';
import { encodeLdt } from '../test/native/ldt.ts';
import { decodeOutputs, encodeInput, lineOf, type VectorInput, type VectorOutput } from '../test/native/record.ts';
import { readVectors, type Section, writeVectors } from '../test/native/vectorFile.ts';

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
    pattern = new RegExp(process.argv[3] ?? '.');
  if (!Object.hasOwn(FILES, file)) throw new Error(`name one of ${Object.keys(FILES).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'cp86-vectors-')),
    runner = buildRunner(folder);
  const processor = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const before = readVectors(file),
    sections = new Map<string, Section>();
  cases().forEach((c, n) => {
    if (c.file !== file) return;
    const kept = before.get(c.title);
    if (kept && !pattern.test(c.title)) {
      sections.set(c.title, kept);
      return;
    }
    const lines = vectorsOf(runner, c, 1 + n * 100_000);
    console.log(`${c.title}: ${lines.length}${lines.length < FILES[file] ? `, fewer than ${FILES[file]}` : ''}`);
    sections.set(c.title, { processor, lines });
  });
  rmSync(folder, { recursive: true });
  writeVectors(file, sections);
}
if (import.meta.main) main();
