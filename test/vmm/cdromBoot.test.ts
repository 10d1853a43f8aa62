// Real discs, booted by the firmware from the CD-ROM drive to their screens.

import assert from 'node:assert/strict';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { linesOf } from '../support/screen.ts';
import { requireTool, type Tool } from '../support/tools.ts';
import { bootGuest } from './bootedGuest.ts';

const TURN = 500_000;
/** Turns in which a disc must have shown its screen. */
const MOST_TURNS = 800;

const DISCS: readonly (readonly [Tool, RegExp])[] = [
  ['grub-rescue-cdrom.iso', /GNU GRUB .*GNU\/Linux/s],
  ['memtest86+ia32.iso', /Memtest86\+ v6.*Status: Init/s],
  ['ipxe.iso', /Loading ipxe\.krn\.\.\. ok\s+iPXE initialising devices\.\.\.ok.*Open Source Network Boot Firmware/s],
];

describe('a CD-ROM', function () {
  this.timeout(600_000);
  const build = createMachineBuilder({ arenaBytes: 64 << 20 });
  for (const [tool, screen] of DISCS) {
    it(`boots: ${tool}`, function () {
      const path = requireTool(this, tool);
      const { guest, execution } = bootGuest(build, {
        name: 'disc',
        memory: 64 << 20,
        boot: { kind: 'drives', order: 'd' },
        drives: [{ kind: 'cdrom', index: 2, image: { path }, readOnly: true }],
      });
      const shown = (): string => linesOf(guest.screen()).join(' ');
      for (let n = 0; n < MOST_TURNS && execution.isRunning && !screen.test(shown()); n++) execution.turn(TURN);
      assert.match(shown(), screen);
      guest.dispose();
    });
  }
});
