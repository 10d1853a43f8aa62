// Privilege checks as guest code: thousands of random descriptors, gates and transfers, run here in every tier and under QEMU.
// What QEMU's interpreter is known to do otherwise is left out of the guest (guests/privilege.asm says what).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cpu } from '../../src/runtime/cpu.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { requireTool } from '../support/tools.ts';

const ROUNDS = 2500,
  RAM = 4 << 20;

/** Lines that the guest writes to port E9h until it ends. */
function run(image: Uint8Array, tier: 'interpret' | 'mixed' | 'translate'): string[] {
  let text = '';
  const host: CpuHost = {
    portRead: () => 0xff,
    portWrite(port, value) {
      if (port === 0xe9) text += String.fromCharCode(value);
      if (port === 0xf4) cpu.requestStop();
    },
    mmioRead: () => 0xff,
    mmioWrite() {},
    acknowledgeInterrupt: () => 0,
    vmcall: () => false,
    cycles: () => 0,
    exit() {},
  };
  const cpu: Cpu = createProcessor({ arenaBytes: RAM }).createCpu({ host, offset: 0, bytes: RAM, tier });
  cpu.writePhysical(0x7c00, image.subarray(0, 0x4000));
  for (const [name, value] of [
    ['cs', 0],
    ['cs_base', 0],
    ['eip', 0x7e00],
  ] as const)
    cpu.set(name, value);
  assert.equal(cpu.run(50_000_000), 'stopRequested');
  return text.split('\n');
}

describe('privilege checks as guest code', () => {
  let folder: string, image: Uint8Array, expected: string[];
  before(function () {
    const nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-privilege-'));
    const file = join(folder, 'guest.img');
    const made = spawnSync(nasm, ['-f', 'bin', '-o', file, join(import.meta.dirname, 'guests', 'privilege.asm')]);
    assert.equal(made.status, 0, String(made.stderr));
    image = readFileSync(file);
    expected = run(image, 'interpret');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('reaches its end, with faults of every kind and instructions that succeed', () => {
    assert.equal(expected.length, ROUNDS + 2);
    const vectors = new Set(expected.slice(0, ROUNDS).map((line) => Number.parseInt(line.split(' ')[2]!, 16)));
    for (const vector of [3, 11, 13, 0x80]) assert.ok(vectors.has(vector), `vector ${vector}`);
  });
  for (const tier of ['mixed', 'translate'] as const) {
    it(`tier ${tier} does the same as the interpreter`, () => {
      assert.deepEqual(run(image, tier), expected);
    });
  }
  it('does the same as QEMU', function () {
    const qemu = requireTool(this, 'qemu-system-i386'),
      log = join(folder, 'qemu.txt');
    const devices = ['-debugcon', `file:${log}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
    const drive = ['-drive', `file=${join(folder, 'guest.img')},format=raw,if=floppy`, '-boot', 'a'];
    spawnSync(qemu, ['-display', 'none', '-no-reboot', '-cpu', 'pentium2', ...drive, ...devices], { timeout: 50_000 });
    const lines = readFileSync(log, 'latin1').split('\n');
    assert.equal(lines.length, expected.length);
    for (const [n, line] of lines.entries()) assert.equal(expected[n], line, `round ${n}`);
  });
});
