// Debian's unmodified 32-bit kernels: they find the machine by its tables, and a shell on the serial console can be worked with.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { initramfs } from '../support/initramfs.ts';
import { requireTool, type Tool } from '../support/tools.ts';
import { BOOT, bootLinux } from './linuxGuest.ts';

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
      const linux = bootLinux(
        requireTool(this, kernel),
        initramfs(readFileSync(busybox), [readFileSync(requireTool(this, module))]),
        {},
        // No special command line is needed.
        'console=ttyS0',
      );
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

      // Without mitigations=off: the kernel knows of every speculation bug that this processor does not have it.
      const bugs = linux.command("cd /sys/devices/system/cpu/vulnerabilities; ls | grep -c .; grep -L '^Not affected' *; cd /");
      assert.match(bugs, /\n1\d\s+\/ # /, 'ten bugs and more are known, and none concerns it');

      // What debuggers are told is what the kernel itself says, modules aside.
      const symbols = linux.symbols();
      assert.ok(symbols);
      const lines = symbols.names.split('\n').slice(0, -1);
      const listed = lines.map((line, n) => `${symbols.addresses[n].toString(16).padStart(8, '0')} ${line[0]} ${line.slice(1)}\n`);
      linux.type("grep -v '\\[' /proc/kallsyms | busybox md5sum");
      assert.ok(linux.until(/ -[\s\S]*# /).includes(createHash('md5').update(listed.join('')).digest('hex')), `${listed.length} symbols`);

      linux.type(`${command} -f`);
      linux.untilEnd();
      assert.deepEqual(linux.events, [end]);
      assert.match(linux.console(), words);
      linux.dispose();
    });
  }
});
