/**
 * What is known to boot, and what is not: each row a command line of `cp86` and what the guest then shows. `npm run guests` boots them
 * (scripts/guests.ts); docs/guests.md lists them.
 *
 * Files are named as in Debian's packages, as in scripts/guestFiles.ts, or from the project's folder.
 */
export interface GuestRow {
  readonly name: string;
  readonly system: string;
  /** How it is booted, in words. */
  readonly way: string;
  /** Options of `cp86`; words with blanks stand in double quotes. */
  readonly options: string;
  /** Typed on the keyboard when a text has appeared; `keys` as they are called, `text` what `textCodes` takes for them. */
  readonly types?: { readonly at: string; readonly keys: string; readonly text: string };
  /** Appears on the screen, on the serial line, or in the reason why the guest ended. */
  readonly shows: string;
  /** Most seconds of the guest's time until then. */
  readonly seconds: number;
  /** For what does not work as it should: what happens, and why. */
  readonly trouble?: string;
}

/** Debian packages that the files are from. */
export const GUEST_PACKAGES = [
  'memtest86+:i386',
  'grub-rescue-pc:i386',
  'grub-legacy:i386',
  'ipxe',
  'isolinux',
  'syslinux-common',
  'grub-invaders:i386',
  'gnumach-image-1.8-486:i386',
  'linux-image-rt-686-pae:i386',
  'debian-installer-12-netboot-i386',
  'seabios',
  'u-boot-qemu',
] as const;

const DISK = '-drive file=debian-12-disk/disk.qcow2';
const debian = (kernel: string, root = '/dev/sda1', more = ''): string =>
  `-kernel debian-12-disk/linux${kernel} -initrd debian-12-disk/initrd${kernel} -append "root=${root} ro console=ttyS0${more}" ${DISK}`;
/** Folder of the installer's kernel. */
export const INSTALLER = 'usr/lib/debian-installer/images/12/i386/text/debian-installer/i386';
/** With less than 273 MiB it stops at a dialog that says so, with less than 485 it asks whether to go on with little memory. */
const installer = `-m 512 -kernel ${INSTALLER}/linux -initrd ${INSTALLER}/initrd.gz`;
/** Without them Linux takes the display adapter over, and the dialog is a picture. */
export const ON_TEXT_SCREEN = 'nomodeset fb=false';
const LANGUAGE = '[!!] Select a language';
const MENU = 'FreeBSD (or GNU/kFreeBSD), via /boot/loader';
const CONTROL_B = { at: 'Ctrl-B', keys: 'Ctrl-B', text: '\x02' };
const PROMPT = 'iPXE>';
const NETWORK = '-nic user,model=virtio-net-pci';
const ADDRESS = 'net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2';

export const GUESTS: readonly GuestRow[] = [
  {
    name: 'debian',
    system: 'Debian 12, Linux 6.1, sysvinit',
    way: 'Linux boot protocol, root on IDE disk',
    options: debian('686'),
    shows: 'cp86 login:',
    seconds: 120,
  },
  {
    name: 'debian-pae',
    system: 'Debian 12, Linux 6.1 with PAE',
    way: 'Linux boot protocol, root on IDE disk',
    options: debian('686pae'),
    shows: 'cp86 login:',
    seconds: 120,
  },
  {
    name: 'debian-virtio',
    system: 'Debian 12, Linux 6.1',
    way: 'Linux boot protocol, root on virtio disk',
    options: `${debian('686', '/dev/vda1')},if=virtio`,
    shows: 'cp86 login:',
    seconds: 120,
  },
  {
    name: 'debian-systemd',
    system: 'Debian 12, systemd',
    way: 'Linux boot protocol, root on IDE disk',
    options: debian('686', '/dev/sda1', ' init=/lib/systemd/systemd'),
    shows: 'cp86 login:',
    seconds: 240,
  },
  {
    name: 'debian-mbr',
    system: 'Debian 12, started by GRUB 2',
    way: 'hard disk: MBR, menu, kernel from ext4',
    options: DISK,
    shows: 'Linux version 6.1',
    seconds: 180,
  },
  {
    name: 'linux-rt',
    system: 'Linux 6.1 PREEMPT_RT',
    way: 'Linux boot protocol, without a root file system',
    options: '-kernel vmlinuz-rt -append console=ttyS0',
    shows: 'evm: HMAC attrs',
    seconds: 60,
  },
  {
    name: 'installer',
    system: "Debian's installer 12",
    way: 'Linux boot protocol, dialog on the serial line',
    options: `${installer} -append "console=ttyS0 TERM=vt102"`,
    shows: LANGUAGE,
    seconds: 240,
  },
  {
    name: 'installer-screen',
    system: "Debian's installer 12",
    way: 'Linux boot protocol, dialog on the screen',
    options: `${installer} -append "${ON_TEXT_SCREEN}" -serial none`,
    shows: LANGUAGE,
    seconds: 240,
  },
  {
    name: 'installer-cdrom',
    system: "Debian's installer 12, started by ISOLINUX",
    way: 'CD-ROM',
    options: '-m 512 -cdrom installer.iso -boot d -serial none',
    shows: LANGUAGE,
    seconds: 300,
  },
  {
    name: 'memtest',
    system: 'Memtest86+ 6.10',
    way: 'Linux boot protocol',
    options: '-kernel boot/memtest86+ia32.bin -m 8 -serial none',
    shows: 'Pass:  1        Errors: 0',
    seconds: 600,
  },
  {
    name: 'memtest-cdrom',
    system: 'Memtest86+ 6.10',
    way: 'CD-ROM',
    options: '-cdrom usr/lib/memtest86+/memtest86+ia32.iso -serial none',
    shows: 'Memtest86+ v6.10',
    seconds: 30,
  },
  {
    name: 'grub-floppy',
    system: 'GRUB 2.06',
    way: 'floppy',
    options: '-fda usr/lib/grub-rescue/grub-rescue-floppy.img -serial none',
    shows: MENU,
    seconds: 30,
  },
  {
    name: 'grub-cdrom',
    system: 'GRUB 2.06',
    way: 'CD-ROM',
    options: '-cdrom usr/lib/grub-rescue/grub-rescue-cdrom.iso -serial none',
    shows: MENU,
    seconds: 30,
  },
  {
    name: 'grub-hybrid',
    system: 'GRUB 2.06',
    way: 'image of a CD-ROM as hard disk',
    options: '-hda usr/lib/grub-rescue/grub-rescue-cdrom.iso -serial none',
    shows: MENU,
    seconds: 30,
  },
  {
    name: 'memdisk',
    system: 'SYSLINUX MEMDISK 6.04, then GRUB 2.06',
    way: 'Linux boot protocol, floppy image in memory behind INT 13h',
    options: '-kernel usr/lib/syslinux/memdisk -initrd usr/lib/grub-rescue/grub-rescue-floppy.img -serial none',
    shows: MENU,
    seconds: 30,
  },
  {
    name: 'memdisk-cdrom',
    system: 'SYSLINUX MEMDISK 6.04, then Memtest86+ 6.10',
    way: 'Linux boot protocol, image of a CD-ROM in memory behind INT 13h',
    options: '-kernel usr/lib/syslinux/memdisk -initrd usr/lib/memtest86+/memtest86+ia32.iso -append iso -serial none',
    shows: 'Memtest86+ v6.10',
    seconds: 30,
  },
  {
    name: 'grub-legacy',
    system: 'GRUB 0.97',
    way: 'floppy',
    options: '-fda grub-legacy.img -serial none',
    shows: 'grub>',
    seconds: 30,
  },
  {
    name: 'grub-legacy-cdrom',
    system: 'GRUB 0.97',
    way: 'CD-ROM',
    options: '-cdrom grub-legacy.iso -serial none',
    shows: 'grub>',
    seconds: 30,
  },
  {
    name: 'isolinux',
    system: 'ISOLINUX 6.04',
    way: 'CD-ROM',
    options: '-cdrom hdt.iso -boot d -serial none',
    shows: 'ISOLINUX 6.04',
    seconds: 30,
  },
  {
    name: 'hdt',
    system: 'Hardware Detection Tool 0.5.2, started by ISOLINUX',
    way: 'CD-ROM',
    options: '-cdrom hdt.iso -boot d -serial none',
    shows: 'Switch to CLI',
    seconds: 60,
  },
  {
    name: 'meminfo',
    system: "SYSLINUX's list of the BIOS's memory maps, started by ISOLINUX",
    way: 'CD-ROM',
    options: '-cdrom meminfo.iso -boot d -serial none',
    shows: '0000000000100000x 0000000007f00000x 0000000008000000x 1 [-] usable',
    seconds: 30,
  },
  {
    name: 'geodsp-disk',
    system: "SYSLINUX's geometry test",
    way: 'hard disk',
    options: '-hda geodsp1s.img -serial none',
    shows: 'D=EDD',
    seconds: 30,
  },
  {
    name: 'geodsp-several',
    system: "SYSLINUX's geometry test, several sectors at once",
    way: 'hard disk',
    options: '-hda geodspms.img -serial none',
    shows: 'D=EDD',
    seconds: 30,
  },
  {
    name: 'ipxe',
    system: 'iPXE 1.0.0+',
    way: 'Linux boot protocol',
    options: `-kernel boot/ipxe.lkrn -serial none ${NETWORK}`,
    shows: ADDRESS,
    seconds: 120,
  },
  {
    name: 'ipxe-cdrom',
    system: 'iPXE 1.0.0+, started by ISOLINUX',
    way: 'CD-ROM',
    options: `-cdrom usr/lib/ipxe/ipxe.iso -serial none`,
    types: CONTROL_B,
    shows: PROMPT,
    seconds: 60,
  },
  {
    name: 'ipxe-hybrid',
    system: 'iPXE 1.0.0+, started by ISOLINUX',
    way: 'image of a CD-ROM as hard disk',
    options: `-hda usr/lib/ipxe/ipxe.iso -serial none ${NETWORK}`,
    shows: ADDRESS,
    seconds: 120,
  },
  {
    name: 'invaders',
    system: 'GRUB Invaders 1.0.0',
    way: 'Multiboot 1',
    options: '-kernel boot/invaders.exec -serial none',
    shows: '-*--*-',
    seconds: 30,
  },
  {
    name: 'gnumach',
    system: 'GNU Mach 1.8',
    way: 'Multiboot 1, console on the serial line',
    options: '-kernel gnumach -append console=com0',
    shows: 'No bootstrap code loaded with the kernel!',
    seconds: 60,
  },
  {
    name: 'seabios-floppy',
    system: 'SeaBIOS 1.16, then GRUB 2.06',
    way: 'another firmware, floppy',
    options: '-bios usr/share/seabios/bios-256k.bin -fda usr/lib/grub-rescue/grub-rescue-floppy.img -serial none',
    shows: MENU,
    seconds: 60,
  },
  {
    name: 'seabios-cdrom',
    system: 'SeaBIOS 1.16, then Memtest86+ 6.10',
    way: 'another firmware, CD-ROM',
    options: '-bios usr/share/seabios/bios-256k.bin -cdrom usr/lib/memtest86+/memtest86+ia32.iso -serial none',
    shows: 'Memtest86+ v6.10',
    seconds: 60,
  },
  {
    name: 'seabios-486',
    system: 'SeaBIOS 1.16, then GRUB 2.06',
    way: 'another firmware, floppy, a processor without local APIC',
    options: '-cpu 486 -bios usr/share/seabios/bios-256k.bin -fda usr/lib/grub-rescue/grub-rescue-floppy.img -serial none',
    shows: MENU,
    seconds: 60,
  },
  {
    name: 'u-boot',
    system: 'U-Boot 2023.01',
    way: 'another firmware, without a display adapter',
    options: '-bios usr/lib/u-boot/qemu-x86/u-boot.rom -vga none -hda examples/hello.img',
    shows: 'Device 0: Model: CP86 HARD DISK',
    seconds: 60,
  },
  {
    name: 'hello',
    system: 'hello, an example',
    way: 'floppy',
    options: '-fda examples/hello.img',
    shows: 'Hello from a boot sector!',
    seconds: 20,
  },
  {
    name: 'example-kernel',
    system: 'kernel, an example',
    way: 'Multiboot 1',
    options: '-kernel examples/kernel/kernel.elf -device isa-debug-exit,iobase=0xf4,iosize=1',
    shows: 'kernel: done',
    seconds: 10,
  },
  {
    name: 'memtest-x64',
    system: 'Memtest86+ 6.10 for 64 bits',
    way: 'Linux boot protocol',
    options: '-kernel boot/memtest86+x64.bin -serial none -no-reboot',
    shows: 'Triple fault',
    seconds: 5,
    trouble: 'a triple fault: there is no 64-bit mode, and the program does not ask',
  },
];
