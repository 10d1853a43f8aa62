// Privilege checks as guest code: thousands of random descriptors, gates and transfers, run here in every tier and under QEMU.
// What QEMU's interpreter is known to do otherwise is left out of the guest (guests/privilege.asm says what).

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../support/tools.ts';
import { assemble, runGuest, runQemuGuest } from './asmGuest.ts';

const ROUNDS = 2500;

describe('privilege checks as guest code', () => {
  let folder: string, file: string, expected: string[];
  before(function () {
    const nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-privilege-'));
    file = assemble(nasm, folder, 'privilege');
    expected = runGuest(file, 'interpret');
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
      assert.deepEqual(runGuest(file, tier), expected);
    });
  }
  it('does the same as QEMU', function () {
    const lines = runQemuGuest(requireTool(this, 'qemu-system-i386'), file);
    assert.equal(lines.length, expected.length);
    for (const [n, line] of lines.entries()) assert.equal(expected[n], line, `round ${n}`);
  });
});
