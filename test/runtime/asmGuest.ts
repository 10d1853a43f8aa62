// Guests in assembly that write lines to port E9h until they write to port F4h: run here in any tier and under QEMU.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cpu } from '../../src/runtime/cpu.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { emptyHost } from '../support/emptyHost.ts';

const RAM = 4 << 20,
  MOST_TICKS = 50_000_000;
/** Bytes of the image that the machine without BIOS gets at 7C00h: more than the guests' own loader reads. */
const LOADED = 0x8000;

/** The image of test/runtime/guests/NAME.asm, made in `folder`. */
export function assemble(nasm: string, folder: string, name: string): string {
  const file = join(folder, `${name}.img`);
  const made = spawnSync(nasm, ['-w-prefix-lock', '-f', 'bin', '-o', file, join(import.meta.dirname, 'guests', `${name}.asm`)]);
  assert.equal(made.status, 0, String(made.stderr));
  return file;
}

/** Lines that the guest writes, started behind its loader at 0:7E00h. */
export function runGuest(file: string, tier: 'interpret' | 'mixed' | 'translate'): string[] {
  let text = '';
  const host: CpuHost = {
    ...emptyHost,
    portWrite(port, value) {
      if (port === 0xe9) text += String.fromCharCode(value);
      if (port === 0xf4) cpu.requestStop();
    },
  };
  const cpu: Cpu = createProcessor({ arenaBytes: RAM }).createCpu({ host, offset: 0, bytes: RAM, tier });
  cpu.writePhysical(0x7c00, readFileSync(file).subarray(0, LOADED));
  for (const [name, value] of [
    ['cs', 0],
    ['cs_base', 0],
    ['eip', 0x7e00],
  ] as const)
    cpu.set(name, value);
  const cause = cpu.run(MOST_TICKS);
  assert.equal(cause, 'stopRequested', `${text.slice(-300)} then ${cause} at ${Number(cpu.get('eip')).toString(16)}`);
  return text.split('\n');
}

/** Lines that it writes under QEMU, booted from a floppy, on a processor of QEMU's. */
export function runQemuGuest(qemu: string, file: string, cpu = 'pentium2'): string[] {
  const log = `${file}.txt`;
  const devices = ['-debugcon', `file:${log}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
  const drive = ['-drive', `file=${file},format=raw,if=floppy`, '-boot', 'a'];
  spawnSync(qemu, ['-display', 'none', '-no-reboot', '-cpu', cpu, ...drive, ...devices], { timeout: 50_000 });
  return readFileSync(log, 'latin1').split('\n');
}

/** What the cases of a guest are called, in order: the comments behind its CASE lines. */
export function caseTitles(name: string): string[] {
  const source = readFileSync(join(import.meta.dirname, 'guests', `${name}.asm`), 'utf8');
  return [...source.matchAll(/^ +CASE\b[^;]*; (.*)$/gm)].map(([, title]) => title!);
}

/** Asserts that each of the cases has the vector that the SDM wants, the second number of its line. */
export function checkKnown(
  titles: readonly string[],
  lines: readonly string[],
  known: { readonly [title: string]: readonly [vector: number, reason: string] },
): void {
  for (const [title, [vector, reason]] of Object.entries(known)) {
    const n = titles.indexOf(title);
    assert.ok(n >= 0, title);
    assert.equal(Number.parseInt(lines[n]!.split(' ')[1]!, 16), vector, `${title} (${reason}): ${lines[n]}`);
  }
}
