// Unmodified systems from Debian: they run, can be paused, stepped and resumed on the way, and show what they show in QEMU.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { startGuest, type TestGuest } from '../support/guest.ts';
import { type Qemu, startQemu } from '../support/qemu.ts';
import { requireTool } from '../support/tools.ts';

/** Set-1 scan codes. */
const KEY = { ENTER: 0x1c, S: 0x1f, L: 0x26, C: 0x2e } as const;

/** Runs in pieces until the screen is as wanted. */
async function runUntil(guest: TestGuest, wanted: (rows: readonly string[]) => boolean, piece: number, most: number): Promise<string[]> {
  for (let n = 0; n < most; n += piece) {
    const { event } = await guest.run(piece);
    assert.equal(event, 'stopped');
    const rows = await guest.screen();
    if (wanted(rows)) return rows;
  }
  assert.fail(`not shown within ${most} ticks:\n${(await guest.screen()).join('\n')}`);
}
async function qemuUntil(qemu: Qemu, wanted: (rows: readonly string[]) => boolean): Promise<string[]> {
  for (;;) {
    const rows = await qemu.screen();
    if (wanted(rows)) return rows;
    await new Promise((done) => setTimeout(done, 100));
  }
}
const shows = (text: string) => (rows: readonly string[]) => rows.some((row) => row.includes(text));

/** Pauses the guest in the middle of its work, steps it and lets it go on. */
async function interfere(guest: TestGuest): Promise<void> {
  const paused = await guest.runAndPause(50);
  assert.ok(paused.event === 'stopped' && paused.reason === 'pause');
  for (const count of [1, 1, 5, 100]) {
    const before = await guest.ticks(),
      stop = await guest.step('instruction', count);
    assert.ok(stop.event === 'stopped' && stop.reason === 'step');
    assert.equal(stop.tick, before + count);
  }
  const over = await guest.step('over', 3);
  assert.ok(over.event === 'stopped' && over.reason === 'step');
}

describe('memtest86+', function () {
  this.timeout(300_000);
  /** Number of the test that runs, or -1. */
  const testNumber = (rows: readonly string[]): number => Number(/Test #(\d+)/.exec(rows[3] ?? '')?.[1] ?? -1);
  /** Speeds, sizes of caches and RAM, progress and time are the machine's own; the last but one row is its maker's name. */
  const comparable = (rows: readonly string[]): string[] =>
    rows
      .map((row) =>
        row
          .replace(/^(CLK\/Temp:|L[123] Cache:|Memory {2}:)[^\xb3]*/, '$1')
          .replace(/(\xb3 (?:Pass|Test)) .*%.*/, '$1')
          .replace(/(Testing:|Pattern:).*/, '$1')
          .replace(/(Time:) +[\d:]+/, '$1')
          .replace(/(Testing {2}).$/, '$1'),
      )
      .filter((_, y) => y !== 23);
  let guest: TestGuest, image: string;
  before(async function () {
    image = requireTool(this, 'memtest86+');
    guest = await startGuest({ boot: { kind: 'kernel', image: new Uint8Array(readFileSync(image)), commandLine: '' } });
  });
  after(() => guest?.dispose());

  it('completes tests without errors, also after it was paused and stepped', async () => {
    await runUntil(guest, shows('<Enter> to start'), 20_000_000, 1_000_000_000);
    await guest.type([KEY.ENTER]);
    let last = -1;
    const rows = await runUntil(
      guest,
      (now) => {
        assert.ok(testNumber(now) >= last);
        last = testNumber(now);
        return last >= 2;
      },
      20_000_000,
      4_000_000_000,
    );
    for (let n = 0; n < 3; n++) await interfere(guest);
    const end = await runUntil(guest, (now) => testNumber(now) >= 5, 50_000_000, 8_000_000_000);
    assert.match(rows[8]!, /Errors: 0$/);
    assert.match(end[8]!, /Errors: 0$/);
    assert.match(end[7]!, /Status: Testing/);
  });
  it('shows what it shows in QEMU', async function () {
    const qemu = startQemu(requireTool(this, 'qemu-system-i386'), ['-kernel', image]);
    let theirs: string[];
    try {
      await qemuUntil(qemu, shows('<Enter> to start'));
      await qemu.type(['ret']);
      theirs = await qemuUntil(qemu, (rows) => testNumber(rows) >= 5);
    } finally {
      qemu.dispose();
    }
    const ours = await runUntil(guest, (rows) => testNumber(rows) >= testNumber(theirs), 50_000_000, 20_000_000_000);
    assert.deepEqual(comparable(ours), comparable(theirs));
  });
});

describe("GRUB's rescue floppy", function () {
  this.timeout(300_000);
  let guest: TestGuest, image: string;
  /** Seconds left are the clock's. */
  const comparable = (rows: readonly string[]): string[] => rows.map((row) => row.replace(/automatically in \d+s/, 'automatically'));
  const LAST_ENTRY = 'automatically in',
    MENU_TICKS = 2_000_000_000;
  before(async function () {
    image = requireTool(this, 'grub-rescue-floppy.img');
    guest = await startGuest({
      boot: { kind: 'drives', order: 'a' },
      drives: [{ kind: 'floppy', index: 0, image: new Uint8Array(readFileSync(image)), readOnly: true }],
    });
  });
  after(() => guest?.dispose());

  const screens: { menu?: string[]; devices?: string[] } = {};
  const listed = (rows: readonly string[]): boolean => rows.filter((row) => row.startsWith('grub>')).length === 2;
  it('shows its menu, also after it was paused and stepped on the way', async () => {
    for (let n = 0; n < 5; n++) await interfere(guest);
    screens.menu = await runUntil(guest, shows(LAST_ENTRY), 10_000_000, MENU_TICKS);
    assert.ok(screens.menu.some((row) => row.includes('GNU GRUB')));
  });
  it('lists its devices at the command line', async () => {
    await interfere(guest);
    await guest.type([KEY.C, KEY.L, KEY.S, KEY.ENTER]);
    screens.devices = await runUntil(guest, listed, 20_000_000, MENU_TICKS);
    const answer = screens.devices[screens.devices.indexOf('grub> ls') + 1];
    assert.match(answer!, /^\(fd0\)/);
  });
  it('shows what it shows in QEMU', async function () {
    const qemu = startQemu(requireTool(this, 'qemu-system-i386'), [
      '-drive',
      `file=${image},format=raw,if=floppy,readonly=on`,
      '-boot',
      'a',
    ]);
    try {
      const menu = await qemuUntil(qemu, shows(LAST_ENTRY));
      assert.deepEqual(comparable(screens.menu!), comparable(menu));
      await qemu.type(['c', 'l', 's', 'ret']);
      assert.deepEqual(screens.devices, await qemuUntil(qemu, listed));
    } finally {
      qemu.dispose();
    }
  });
});
