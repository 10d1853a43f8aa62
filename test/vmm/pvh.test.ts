// Debian's PAE kernel as an ELF file, entered by its PVH note: no setup code, no decompressor.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Execution } from '../../src/vmm/execution.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { requireTool } from '../support/tools.ts';
import { vmlinux } from '../support/vmlinux.ts';
import { manualPlatform } from './platform.ts';

const MEMORY = 64 << 20,
  TURN = 500_000,
  MOST_TICKS = 2e9;
const COMMAND_LINE = 'earlyprintk=serial,ttyS0,115200';

describe('a PVH kernel', function () {
  this.timeout(300_000);

  it("like Debian's finds memory, initial RAM disk, command line and ACPI as it was told", function () {
    const image = vmlinux(readFileSync(requireTool(this, "Debian's linux-image-686-pae")), requireTool(this, 'xz'));
    const platform = manualPlatform(),
      initrd = new Uint8Array(0x5000);
    let output = '';
    const guest = createMachineBuilder({ arenaBytes: MEMORY })(
      1,
      {
        ...GUEST_DEFAULTS,
        name: 'pvh',
        memory: MEMORY,
        boot: { kind: 'kernel', image, commandLine: COMMAND_LINE, initrd },
        startOfTime: Date.UTC(2026, 0, 2),
      },
      {
        platform,
        outside() {},
        output(channel, byte) {
          if (channel === 'serial0') output += String.fromCharCode(byte);
        },
      },
    );
    const execution = new Execution(guest, platform, { stopped() {}, ended: (_, reason) => assert.fail(reason), log() {} });
    guest.restart();
    execution.go({ kind: 'free' });
    while (guest.cpu.ticks < MOST_TICKS && execution.isRunning && !output.includes('Memory: ')) execution.turn(TURN);
    for (const line of [
      'BIOS-e820: [mem 0x0000000000100000-0x0000000003ffffff] usable',
      `Kernel command line: ${COMMAND_LINE}`,
      /RAMDISK: \[mem 0x0[0-9a-f]{7}-0x0[0-9a-f]{7}\]/,
      'ACPI: RSDP 0x00000000000F8000',
      'Memory: ',
    ])
      assert.ok(typeof line === 'string' ? output.includes(line) : line.test(output), `${line} in ${output}`);
    assert.ok(guest.kernel.look(), 'its symbols');
    guest.dispose();
  });
});
