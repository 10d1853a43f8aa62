// Debian's unmodified kernel with its own virtio drivers, over PCI and without it: a disk, random numbers, a console and a balloon.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULE_GROUPS, type Module686 } from '../../scripts/cache.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { balloonMessage } from '../../src/vmm/virtio/balloon.ts';
import { initramfs } from '../support/initramfs.ts';
import { LONG } from '../support/long.ts';
import { requireTool } from '../support/tools.ts';
import { BOOT, bootLinux, type LinuxGuest } from './linuxGuest.ts';

const MODULES: readonly Module686[] = [...MODULE_GROUPS.virtio, ...MODULE_GROUPS.virtioMmio, ...MODULE_GROUPS.virtioDevices];
const MEMORY = 128 << 20,
  BALLOON = 32 << 20;
const SECTORS = 2048;
/** Every sector has its number in every byte. */
const image = Uint8Array.from({ length: SECTORS * 512 }, (_, n) => n >> 9);

const text = (line: string): Uint8Array => new TextEncoder().encode(line);
const total = (linux: LinuxGuest): number => 1024 * Number(/MemTotal: +(\d+) kB/.exec(linux.command('cat /proc/meminfo'))?.[1]);

/** Form of the devices, what is said to the PCI driver, and the interrupts of the devices in /proc/interrupts. */
const CASES = [
  ['pci', '', /: +[1-9]\d* +PCI-MSI \d+-edge +virtio0-req\.0/],
  ['device', 'force_legacy=1', /[57]: +[1-9]\d* +IO-APIC +[57]-fasteoi .*virtio/],
] as const;

for (const [bus, parameters, interrupts] of CASES) {
  describe(`Debian's virtio drivers, virtio-*-${bus}`, function () {
    this.timeout(1_800_000);
    const cards = ['blk', 'rng', 'balloon', 'serial'].map((kind) => ({ device: `virtio-${kind}-${bus}`, properties: {} }));
    const [, , balloon, serial] = cards.map(({ device }, n) => `${device}.${n}`);
    const options: Partial<GuestConfig> = {
      memory: MEMORY,
      cards,
      // The second disk has no card and gets a PCI one.
      drives: [0, 1].map((index) => ({ kind: 'disk', interface: 'virtio', index, image, readOnly: index === 1 })),
    };
    // The driver for PCI is loaded first: its disk gets the first name.
    const [own, second] = bus === 'pci' ? ['vda', 'vdb'] : ['vdb', 'vda'];
    let linux: LinuxGuest | null = null;
    let boot: (more?: Partial<GuestConfig>) => LinuxGuest;

    before(function () {
      const kernel = requireTool(this, "Debian's linux-image-686"),
        folder = requireTool(this, "modules of Debian's linux-image-686"),
        busybox = readFileSync(requireTool(this, "Debian's busybox-static, i386"));
      const initrd = initramfs(
        busybox,
        MODULES.map((name) => ({ image: readFileSync(join(folder, `${name}.ko`)), parameters: name === 'virtio_pci' ? parameters : '' })),
      );
      boot = (more = {}) => bootLinux(kernel, initrd, { ...options, ...more });
      linux = boot();
      linux.until(/init: up[\s\S]*\/ # /, BOOT);
    });
    after(() => linux?.dispose());

    it('find their devices, without a complaint', () => {
      assert.match(linux!.console(), /virtio0: \[vda\] 2048 512-byte logical blocks/);
      assert.doesNotMatch(linux!.console(), /virtio.*(error|fail|invalid|timeout)|nobody cared|WARNING:/i);
    });

    it('read a second disk, which is on the PCI bus and read-only', () => {
      assert.match(linux!.command(`ls -l /sys/block/${second}/device/..`), /pci0000:00|virtio/);
      assert.match(linux!.command(`cat /sys/block/${second}/ro`), /\n1\r\n/);
      assert.match(linux!.command(`hexdump -C -s 1044992 -n 64 /dev/${second}`), /000ff200 {2}f9 f9/);
      assert.match(linux!.command(`cat /sys/block/${second}/device/features`), bus === 'pci' ? /\n.{32}1/ : /\n.{32}0/);
    });

    it('read and write the disk, which keeps what was synchronised', () => {
      assert.match(linux!.command(`hexdump -C -s 3584 -n 1024 /dev/${own}`), /00000e00 {2}07( 07)+[\s\S]*00001000 {2}08 08[\s\S]*00001200/);
      linux!.command(`echo "written by the guest" | dd of=/dev/${own} bs=512 seek=5 conv=notrunc; sync; echo 3 > /proc/sys/vm/drop_caches`);
      assert.match(linux!.command(`hexdump -C -s 2560 -n 32 /dev/${own}`), /\|written by the g\|[\s\S]*\|uest\.{12}\|/);
      assert.match(linux!.command(`cat /sys/block/${own}/serial`), /CP86-VIRTIO/);
    });

    it('give random bytes', () => {
      assert.match(linux!.command('cat /sys/class/misc/hw_random/rng_current'), /virtio_rng\.0/);
      const bytes = linux!.command('dd if=/dev/hwrng bs=16 count=2 | hexdump -C');
      assert.match(bytes, /00000020/);
      const [first, second] = bytes.split('\n').filter((line) => /^000000[01]0/.test(line));
      assert.notEqual(first!.slice(10), second!.slice(10));
    });

    it('print on hvc0 and hear what is typed there', () => {
      linux!.command('echo hello on hvc0 > /dev/hvc0');
      assert.match(linux!.output('virtconsole'), /hello on hvc0\r\n/);
      linux!.type('read line < /dev/hvc0; echo "heard: $line."');
      linux!.outside({ kind: 'card', card: serial!, bytes: text('typed\n') });
      linux!.until(/heard: typed\./);
    });

    it('give memory up to the balloon, and take it back', () => {
      const before = total(linux!);
      linux!.outside({ kind: 'card', card: balloon!, bytes: balloonMessage(MEMORY, MEMORY - BALLOON) });
      linux!.command('sleep 2');
      assert.equal(total(linux!), before - BALLOON);
      linux!.outside({ kind: 'card', card: balloon!, bytes: balloonMessage(MEMORY, MEMORY) });
      linux!.command('sleep 2');
      assert.equal(total(linux!), before);
    });

    it('get their interrupts', () => assert.match(linux!.command('cat /proc/interrupts'), interrupts));

    if (LONG)
      it('do the same in a replay', () => {
        linux!.pause();
        const journal = linux!.journal(),
          hash = linux!.hash(),
          output = linux!.console();
        linux!.dispose();
        linux = boot({ replay: journal });
        linux.untilEnd(2 * BOOT);
        assert.equal(linux.hash(), hash);
        assert.equal(linux.console(), output);
      });
  });
}
