// Debian's unmodified 32-bit kernels: they find the machine by its tables, and a shell on the serial console can be worked with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Execution } from '../../src/vmm/execution.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { initramfs } from '../support/initramfs.ts';
import { requireTool, type Tool } from '../support/tools.ts';
import { manualPlatform } from './platform.ts';

const TURN = 500_000,
  MEMORY = 128 << 20;
/** Ticks that are more than enough to reach the shell, and for one command. */
const BOOT = 12e9,
  COMMAND = 1e9;
const build = createMachineBuilder({ arenaBytes: MEMORY });

/** A guest at work: its console, and what it ended with. */
interface Linux {
  readonly console: () => string;
  readonly events: string[];
  /** Runs until this appears in what came after the last call; gives that. */
  until(text: RegExp, ticks?: number): string;
  /** Runs until the guest has ended or asked for a reset. */
  untilEnd(): void;
  type(line: string): void;
  pressPowerButton(): void;
  dispose(): void;
}

function boot(kernel: string, busybox: string, module: string): Linux {
  const platform = manualPlatform(),
    events: string[] = [];
  let output = '',
    seen = 0;
  const guest = build(
    1,
    {
      name: 'linux',
      memory: MEMORY,
      boot: {
        kind: 'kernel',
        image: new Uint8Array(readFileSync(kernel)),
        commandLine: 'console=ttyS0',
        initrd: initramfs(readFileSync(busybox), readFileSync(module)),
      },
      drives: [],
      clock: 'instructions',
      paced: false,
      weight: 1,
      cap: 100,
      tier: 'mixed',
      onReset: 'pause',
      onTripleFault: 'pause',
      debugExit: null,
      startOfTime: Date.UTC(2026, 0, 2, 3, 4, 5),
    },
    {
      platform,
      outside() {},
      output(channel, byte) {
        if (channel === 'serial0') output += String.fromCharCode(byte);
      },
    },
  );
  const execution = new Execution(guest, platform, {
    stopped: (reason, text) => void events.push(`${reason}: ${text}`),
    ended: (status, reason) => void events.push(`ended ${status}: ${reason}`),
    log() {},
  });
  guest.restart();
  execution.go({ kind: 'free' });
  return {
    console: () => output,
    events,
    until(text, ticks = COMMAND) {
      const end = guest.cpu.ticks + ticks,
        start = seen;
      while (execution.isRunning && guest.cpu.ticks < end && !text.test(output.slice(start))) execution.turn(TURN);
      assert.match(output.slice(start), text, events.join());
      seen = output.length;
      return output.slice(start);
    },
    untilEnd() {
      for (const end = guest.cpu.ticks + COMMAND; execution.isRunning && guest.cpu.ticks < end; ) execution.turn(TURN);
    },
    type: (line) => execution.outside({ kind: 'serial', port: 0, bytes: Uint8Array.from(`${line}\n`, (letter) => letter.charCodeAt(0)) }),
    pressPowerButton: () => execution.outside({ kind: 'powerButton' }),
    dispose: () => guest.dispose(),
  };
}

/** Lines of the kernel's log that show what it found. */
const FOUND: readonly RegExp[] = [
  /DMI: CP\/86 Standard PC/,
  /found SMP MP-table at/,
  /ACPI: PM-Timer IO Port: 0x608/,
  /IOAPIC\[0\]: apic_id 0, version 17, address 0xfec00000, GSI 0-23/,
  /ACPI: Using ACPI \(MADT\) for SMP configuration information/,
  /Enabling APIC mode: +Flat\. +Using 1 I\/O APICs/,
  /\.\.TIMER: vector=0x30 apic1=0 pin1=2 apic2=-1 pin2=-1/,
  /ACPI: Interpreter enabled/,
  /ACPI: PCI Root Bridge \[PCI0\]/,
  /pci 0000:00:00\.0: \[8086:1237\]/,
  /pci 0000:00:01\.0: \[8086:7000\]/,
  /pci 0000:00:01\.3: \[8086:7113\]/,
  /ttyS0 at I\/O 0x3f8 \(irq = 4, base_baud = 115200\) is a 16550A/,
  /input: Power Button as/,
];
/** What must not be in it: the tables or the devices are not as they should be. */
const WRONG = /ACPI (BIOS )?(Error|Warning)|\[Firmware Bug\]|WARNING:|BUG:|Oops|MP-BIOS bug|can't find IRQ|nobody cared/;

describe("Debian's kernel", function () {
  this.timeout(1_200_000);

  /** Name, image and module; the command that ends the guest, with what, and the kernel's last words. */
  const KERNELS: readonly (readonly [string, Tool, Tool, string, string, RegExp])[] = [
    [
      '686',
      "Debian's linux-image-686",
      "button.ko of Debian's linux-image-686",
      'poweroff',
      'ended 0: The guest powered off.',
      /ACPI: PM: Preparing to enter system sleep state S5/,
    ],
  ];

  for (const [name, kernel, module, command, end, words] of KERNELS) {
    it(`${name} boots to a shell with ACPI, APICs and PCI, hears the power button, and does what ${command} says`, function () {
      const busybox = requireTool(this, "Debian's busybox-static, i386");
      const linux = boot(requireTool(this, kernel), busybox, requireTool(this, module));
      linux.until(/init: up[\s\S]*\/ # /, BOOT);
      for (const line of FOUND) assert.match(linux.console(), line);
      assert.doesNotMatch(linux.console(), WRONG);

      linux.pressPowerButton();
      linux.type('cat /sys/firmware/acpi/interrupts/ff_pwr_btn; cat /proc/interrupts');
      const interrupts = linux.until(/ERR:[\s\S]*# /);
      assert.match(interrupts, / +1 +EN +enabled/, 'one press of the button');
      assert.match(interrupts, /4: +\d+ +IO-APIC +4-edge +ttyS0/);
      assert.match(interrupts, /9: +1 +IO-APIC +9-fasteoi +acpi/);
      assert.match(interrupts, /LOC: +[1-9]\d+ /, 'the local timer ticks');
      linux.type(`${command} -f`);
      linux.untilEnd();
      assert.deepEqual(linux.events, [end]);
      assert.match(linux.console(), words);
      linux.dispose();
    });
  }
});
