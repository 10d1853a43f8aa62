// Why Debian's kernels log other lines on our machine than on QEMU's `pc`. docs/devices.md has the table; dmesg.test.ts finds a row for
// every line that differs.

export interface Difference {
  /** The lines in short, and the reason. */
  readonly lines: string;
  readonly why: string;
  readonly patterns: readonly RegExp[];
}

export const DIFFERENCES: readonly Difference[] = [
  {
    lines: 'no `HPET`, no `hpet0`, no `WAET`',
    why: "no high precision event timer: nothing here needs one; WAET is about hypervisors' own clocks",
    patterns: [/\bHPET\b/, /\bhpet/, /\bWAET\b/],
  },
  {
    lines: 'addresses and identifiers of the tables, `SMBIOS 2.4`, no reserved range below the end of RAM, which is so much larger',
    why: "the tables are in the ROM, which is smaller, QEMU's in RAM",
    patterns: [
      /^BIOS-e820: /,
      /^ACPI: (RSDP|RSDT|FACP|DSDT|FACS|APIC) 0x/,
      /^ACPI: Reserving \w+ table memory at/,
      /^SMBIOS 2\.\d present/,
      /^DMI: /,
      /^found SMP MP-table at/,
      /^last_pfn = /,
      / low ram: /,
      /^ {2}(Normal|HighMem) +\[mem/,
      /^ {2}node +0: \[mem/,
      /^Initmem setup node/,
      /^Built 1 zonelists/,
      /available for PCI devices$/,
      /^PCI: PCI BIOS revision 2\.10 entry at/,
    ],
  },
  {
    lines: 'interrupt overrides for 0 and 9 only, no link for IRQ 9',
    why: 'PCI wires are at inputs 16 to 19 as well, where operating systems with APICs take them from; QEMU has them at 5, 10 and 11',
    patterns: [/^ACPI: INT_SRC_OVR \(bus 0 bus_irq (5|10|11) /, /^ACPI: PCI: Interrupt link LNKS/],
  },
  { lines: '`supports S0 S5`', why: 'no sleep that keeps or saves memory', patterns: [/^ACPI: PM: \(supports S0/, /RTC can wake from S4/] },
  {
    lines: 'no `acpiphp` slots, no GPE block',
    why: 'nothing can be plugged in while it runs',
    patterns: [/^acpiphp: Slot \[\d+\] registered/, /^ACPI: Enabled 2 GPEs/],
  },
  {
    lines: 'no SMBus (`PIIX4 SMB`)',
    why: 'not built',
    patterns: [/claimed by PIIX4 SMB$/],
  },
  {
    lines: 'root bus memory from E0000000h, no window above 4 GiB, no use of E820 for windows',
    why: 'the firmware gives addresses from there; the year of its date tells kernels that they need not look at E820',
    patterns: [
      /(root bus resource|resource 7) \[mem 0x(08|e0)000000-/,
      /^acpi (resource|PNP0A03:00: host bridge) window/,
      /^PCI: (Using|Ignoring) E820 reservations/,
    ],
  },
  {
    lines: '`version 17` of the I/O APIC',
    why: "QEMU's has the EOI register of later ones",
    patterns: [/^IOAPIC\[0\]: apic_id 0, version/],
  },
  {
    lines: 'KVM is found, with its clock; nothing is calibrated',
    why: "KVM's interface says the time-stamp counter's rate; QEMU has it with hardware acceleration only, and its clocks do not agree when the host is busy",
    patterns: [
      /^Hypervisor detected: KVM/,
      /^kvm-(clock|guest): /,
      /^clocksource: (kvm-clock|tsc|Switched to clocksource (kvm-clock|tsc|tsc-early))/,
      /^tsc: /,
      /^Booting paravirtualized kernel on/,
      /^Calibrating delay loop/,
      /^sched_clock: Marking stable/,
      /^APIC (calibration|delta)/,
      /PM-Timer running at invalid rate/,
    ],
  },
  {
    lines: 'pages of 4 MiB for HugeTLB, no PSE erratum',
    why: "an Atom needs a microcode of some version to be trusted with large pages; ours has it, QEMU's is 0",
    patterns: [/^Atom PSE erratum detected/, /^HugeTLB: /, /^hugetlbfs: disabling/],
  },
  {
    lines: 'addresses of the display adapter, and no ROM of its own',
    why: 'the firmware gives addresses from E0000000h, and does itself what a VGA BIOS does',
    patterns: [/^pci 0000:00:02\.0: (BAR|ROM) /],
  },
  {
    lines: 'COM2; numbers of PnP devices',
    why: 'QEMU has COM2 only when it is asked for',
    patterns: [/^0\d:0\d: ttyS\d at/, /^rtc_cmos 00:0\d: /, /^system 00:0\d: /, /^pnp: PnP ACPI: found \d+ devices/],
  },
  {
    lines: '`FACP v03`, `PnPBIOS: Disabled by ACPI PNP`',
    why: 'our FADT has the reset register and the flag that there are legacy devices, which version 1 of it, as QEMU has, lacks',
    patterns: [/^PnPBIOS: Disabled/],
  },
  {
    lines: 'when `audit` and the initial RAM disk come',
    why: 'they run beside the other lines, and the machines are not equally fast',
    patterns: [/^audit: type=2000 audit/, /^Freeing initrd memory/, /^Trying to unpack rootfs/],
  },
];
