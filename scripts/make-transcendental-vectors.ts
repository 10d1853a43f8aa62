// Makes test/vectors/transcendental-VENDOR.txt.gz: what this machine's processor does with the transcendental x87 instructions, VENDOR
// being amd or intel. Needs gcc with 32-bit libraries on x86. Usage: node scripts/make-transcendental-vectors.ts

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lineOf } from '../test/native/record.ts';
import { makeTranscendental, TRANSCENDENTALS } from '../test/native/transcendentalCases.ts';
import { buildRunner, runNative } from './make-vectors.ts';
import { root } from './root.ts';

/** Vectors of an instruction. */
const EACH = 1000;

const folder = mkdtempSync(join(tmpdir(), 'cp86-vectors-'));
const runner = buildRunner(folder);
const cpuinfo = readFileSync('/proc/cpuinfo', 'utf8'),
  model = /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? 'unknown',
  vendor = /^vendor_id\s*:\s*AuthenticAMD$/m.test(cpuinfo) ? 'amd' : 'intel';
const text: string[] = [`# processor: ${model}`];
for (const name of TRANSCENDENTALS) {
  const inputs = Array.from({ length: EACH }, (_, n) => makeTranscendental(name, n)),
    outputs = runNative(runner, inputs);
  text.push(`= ${name}`, ...inputs.map((v, n) => lineOf(v, outputs[n]!, true)));
}
rmSync(folder, { recursive: true });
writeFileSync(join(root, `test/vectors/transcendental-${vendor}.txt.gz`), gzipSync(`${text.join('\n')}\n`, { level: 9 }));
console.log(`${text.length} lines`);
