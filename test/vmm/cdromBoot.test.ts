// Real discs, booted by the firmware from the CD-ROM drive to their screens.

import assert from 'node:assert/strict';
import { Execution } from '../../src/vmm/execution.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { nodeFiles } from '../../src/vmm/node/files.ts';
import { linesOf } from '../support/screen.ts';
import { requireTool, type Tool } from '../support/tools.ts';
import { manualPlatform } from './platform.ts';

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
      const path = requireTool(this, tool),
        platform = { ...manualPlatform(), files: nodeFiles() };
      const guest = build(
        1,
        {
          name: 'disc',
          memory: 64 << 20,
          boot: { kind: 'drives', order: 'd' },
          drives: [{ kind: 'cdrom', index: 2, image: { path }, readOnly: true }],
          clock: 'instructions',
          paced: false,
          weight: 1,
          cap: 100,
          tier: 'mixed',
          onReset: 'pause',
          onTripleFault: 'pause',
          debugExit: null,
          startOfTime: 1_000_000_000_000,
        },
        { platform, output() {}, outside() {} },
      );
      const execution = new Execution(guest, platform, { stopped() {}, ended: (_, reason) => assert.fail(reason), log() {} });
      guest.restart();
      execution.go({ kind: 'free' });
      const shown = (): string => linesOf(guest.screen()).join(' ');
      for (let n = 0; n < MOST_TURNS && execution.isRunning && !screen.test(shown()); n++) execution.turn(TURN);
      assert.match(shown(), screen);
      guest.dispose();
    });
  }
});
