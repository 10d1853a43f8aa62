// Virtual-8086 mode and task switches as guest code: what the monitor is called for, the map of ports, gates, nested tasks, faults
// in the middle of a switch; run here in every tier and under QEMU. QEMU pushes no RF: the guest leaves that flag out.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../support/tools.ts';
import { assemble, caseTitles, checkKnown, runGuest, runQemuGuest } from './asmGuest.ts';

const LIMIT = "QEMU's interpreter checks no segment limits";
/** Where QEMU does not do what the SDM says: the vector that the SDM wants, and why QEMU has none. */
const KNOWN: { readonly [title: string]: readonly [vector: number, reason: string] } = {
  'segment end': [13, LIMIT],
  'stack end': [12, LIMIT],
  'address beyond 64 KiB': [13, LIMIT],
  'segment end at IOPL 3': [13, LIMIT],
  'stack end at IOPL 3': [12, LIMIT],
  'address beyond 64 KiB at IOPL 3': [13, LIMIT],
  'new EIP beyond the limit': [
    13,
    'QEMU faults with the old EIP; SDM volume 3, "Task Switching": the fault is in the context of the new task',
  ],
  'trap bit': [1, 'QEMU has no T bit; SDM volume 3, "Task-Switch Exception Condition": #DB with BT before the first instruction'],
  'LTR of null': [13, 'QEMU loads a null selector; SDM volume 2, LTR: #GP(0)'],
};

describe('virtual-8086 mode and tasks as guest code', () => {
  let folder: string, file: string, lines: string[];
  const titles = caseTitles('virtual8086');
  before(function () {
    const nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-v86-'));
    file = assemble(nasm, folder, 'virtual8086');
    lines = runGuest(file, 'interpret');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it(`runs all ${titles.length} cases to their end`, () => {
    assert.deepEqual(lines.slice(titles.length), ['D', '']);
    for (const [n, line] of lines.slice(0, titles.length).entries()) assert.equal(Number.parseInt(line.slice(0, 8), 16), n, line);
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
