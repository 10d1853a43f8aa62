// Page rights as guest code: thousands of random entries under PAE paging with no-execute pages, SMEP and SMAP, run here in every
// tier and under QEMU.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../support/tools.ts';
import { assemble, runGuest, runQemuGuest } from './asmGuest.ts';

const ROUNDS = 3000;
/**
 * QEMU's line with P beside RSVD in the error code, which it leaves out. SDM volume 3, "Page-Fault Exceptions": bit 3 can be set
 * only if bit 0 is also set.
 */
function withPresent(line: string): string {
  const fields = line.split(' '),
    code = Number.parseInt(fields[3] ?? '', 16);
  if (fields[2] === '0000000E' && (code & 8) !== 0) fields[3] = (code | 1).toString(16).toUpperCase().padStart(8, '0');
  return fields.join(' ');
}

describe('page rights as guest code', () => {
  let folder: string, file: string, expected: string[];
  before(function () {
    const nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-paging-'));
    file = assemble(nasm, folder, 'paging');
    expected = runGuest(file, 'interpret');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('reaches its end, with accesses that succeed and faults for every reason', () => {
    assert.equal(expected.length, ROUNDS + 2);
    const ends = new Set(expected.slice(0, ROUNDS).map((line) => line.toLowerCase().split(' ').slice(2, 4).join(' ')));
    const codes = ['00', '01', '02', '03', '04', '05', '06', '07', '09', '0b', '0d', '0f', '10', '11', '14', '15', '19', '1d'];
    for (const end of ['00000080 00000000', ...codes.map((code) => `0000000e 000000${code}`)]) assert.ok(ends.has(end), end);
  });
  for (const tier of ['mixed', 'translate'] as const) {
    it(`tier ${tier} does the same as the interpreter`, () => {
      assert.deepEqual(runGuest(file, tier), expected);
    });
  }
  it('does the same as QEMU', function () {
    const lines = runQemuGuest(requireTool(this, 'qemu-system-i386'), file, 'max');
    assert.equal(lines.length, expected.length);
    for (const [n, line] of lines.entries()) assert.equal(expected[n], withPresent(line), `round ${n}`);
  });
});
