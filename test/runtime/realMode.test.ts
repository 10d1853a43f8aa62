// Real mode as guest code: faults, limits, flags, debug traps, tables and unreal mode, run here in every tier and under QEMU.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../support/tools.ts';
import { assemble, caseTitles, checkKnown, runGuest, runQemuGuest } from './asmGuest.ts';

const LIMIT = "QEMU's interpreter checks no segment limits",
  FLOW = "QEMU's interpreter checks no code segment limit";
/** Where QEMU does not do what the SDM says: the vector that the SDM wants, and why QEMU has none. */
const KNOWN: { readonly [title: string]: readonly [vector: number, reason: string] } = {
  'LOCK of a load': [
    6,
    'QEMU refuses LOCK for less than the SDM ("LOCK": #UD unless the destination is memory and the instruction on the list)',
  ],
  'word at the end of the segment': [13, LIMIT],
  'dword at the end of the segment': [13, LIMIT],
  'word at the end of the stack': [12, LIMIT],
  'address beyond 64 KiB': [13, LIMIT],
  'LODSW at the end of the segment': [13, LIMIT],
  'REP MOVSW with a fault in the middle': [13, LIMIT],
  "XCHG of a segment's end": [13, LIMIT],
  'segments of protected mode are left by loads': [13, LIMIT],
  'IRETD beyond the limit': [13, FLOW],
  'far CALL beyond the limit': [13, FLOW],
  'far RET beyond the limit': [13, FLOW],
  'near JMP beyond the limit': [13, FLOW],
  'near RET beyond the limit': [13, FLOW],
  'not write through needs a disabled cache': [13, 'QEMU has no caches; SDM volume 3, "Control Registers": NW without CD is #GP'],
  ICEBP: [0x80, 'QEMU takes F1 for undefined on processors of this family; the trap is noted, then the case ends'],
  'paging needs protection': [13, 'QEMU accepts PG without PE and is lost; SDM volume 3, "Control Registers": #GP'],
};

describe('real mode as guest code', () => {
  let folder: string, file: string, lines: string[];
  const titles = caseTitles('realMode');
  before(function () {
    const nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-real-'));
    file = assemble(nasm, folder, 'realMode');
    lines = runGuest(file, 'interpret');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it(`runs all ${titles.length} cases to their end`, () => {
    assert.deepEqual(lines.slice(titles.length), ['D', '']);
    for (const [n, line] of lines.slice(0, titles.length).entries()) assert.equal(Number.parseInt(line.slice(0, 4), 16), n, line);
  });
  it('raises what the SDM says where QEMU is known to be wrong', () => checkKnown(titles, lines, KNOWN));
  for (const tier of ['mixed', 'translate'] as const) {
    it(`tier ${tier} does the same as the interpreter`, () => {
      assert.deepEqual(runGuest(file, tier), lines);
    });
  }
  it('does the same as QEMU', function () {
    const theirs = runQemuGuest(requireTool(this, 'qemu-system-i386'), file);
    for (const [n, title] of titles.entries()) if (!KNOWN[title]) assert.equal(lines[n], theirs[n], title);
  });
});
