// System instructions, paging and exceptions as guest code, run here in every tier and under QEMU. What the SDM has each case end
// in stands in the guest itself (guests/system.asm).

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../support/tools.ts';
import { assemble, caseTitles, runGuest, runQemuGuest } from './asmGuest.ts';

const READS_FIRST = 'QEMU reads before it tries to write, and sets the accessed bit of a page that it then may not write';
/** Where QEMU does otherwise, and why. */
const KNOWN: { readonly [title: string]: string } = {
  'general detect': 'QEMU has no GD; SDM volume 3, "Debug Control Register": #DB before the access',
  'LOCK of an instruction that does not lock': 'QEMU takes LOCK before MOV; SDM volume 2, LOCK: #UD',
  'a misaligned access with AC': "QEMU's interpreter checks no alignment",
  'an inner stack that is not present': 'QEMU raises #TS; SDM volume 2, CALL: "IF new stack segment not present THEN #SS"',
  'ADD to a read-only page': READS_FIRST,
  'CMPXCHG of a read-only page that does not compare': READS_FIRST,
  'XCHG with a read-only page': READS_FIRST,
  'a reserved bit of a large page': 'QEMU leaves P clear in the error code beside RSVD',
};

describe('system instructions, paging and exceptions as guest code', () => {
  let folder: string, file: string, lines: string[];
  const titles = caseTitles('system');
  before(function () {
    const nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-system-'));
    file = assemble(nasm, folder, 'system');
    lines = runGuest(file, 'interpret');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it(`runs all ${titles.length} cases to their end`, () => {
    assert.deepEqual(lines.slice(titles.length), ['D', '']);
    assert.equal(new Set(titles).size, titles.length);
  });
  for (const [n, title] of titles.entries()) {
    it(`${title}: vector, error code and CR2 as in the SDM`, () => {
      const [number, ...words] = lines[n]!.split(' ');
      assert.equal(Number.parseInt(number!, 16), n);
      assert.deepEqual(words.slice(0, 3), words.slice(3, 6), lines[n]);
    });
  }
  for (const tier of ['mixed', 'translate'] as const) {
    it(`tier ${tier} does the same as the interpreter`, () => {
      assert.deepEqual(runGuest(file, tier), lines);
    });
  }
  it('does the same as QEMU, but for what QEMU is known to do otherwise', function () {
    const theirs = runQemuGuest(requireTool(this, 'qemu-system-i386'), file);
    assert.equal(theirs.length, lines.length);
    for (const [n, title] of titles.entries()) {
      if (KNOWN[title]) assert.notEqual(lines[n], theirs[n], `${title} is the same by now`);
      else assert.equal(lines[n], theirs[n], title);
    }
  });
});
