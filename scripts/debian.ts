/**
 * Debian 12 for i386 on a hard disk, for whoever wants a whole system as a guest: packages as Debian made them, unpacked and
 * configured by debootstrap in a folder, then written to an image. Needs root, debootstrap, e2fsprogs and qemu-img, on a
 * processor that runs 32-bit code; takes two to five minutes.
 *
 * The image has an MBR with GRUB behind it and one ext4 partition. Both of Debian's kernels for i386 are in it; copies lie
 * beside it for -kernel and -initrd. /sbin/init is sysvinit's, and systemd is there too, for init=/lib/systemd/systemd. root
 * has no password.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Bytes of the image, and where its partition begins: at 1 MiB, as partitioning tools have it. */
const DISK = 1 << 30,
  PARTITION = 1 << 20,
  SECTOR = 512;
const PACKAGES = [
  'linux-image-686',
  'linux-image-686-pae',
  'initramfs-tools',
  'zstd',
  'grub-common',
  'grub-pc-bin',
  'sysvinit-core',
  'systemd',
  'udev',
  'kmod',
  'e2fsprogs',
  'login',
  'iproute2',
  'wget',
  'gcc',
  'libc6-dev',
];
/** What initramfs-tools puts into the initial RAM disks: the drivers of disks, instead of all drivers there are. */
const BOOT_MODULES = ['ata_piix', 'ata_generic', 'sd_mod', 'sr_mod', 'ext4', 'virtio_pci', 'virtio_blk'];
/** Files that the packages' configuration finds there already. */
const EARLY_FILES: Readonly<Record<string, string>> = {
  'etc/dpkg/dpkg.cfg.d/small': `force-unsafe-io\n${['doc', 'locale', 'man', 'info'].map((f) => `path-exclude=/usr/share/${f}/*\n`).join('')}`,
  'etc/initramfs-tools/conf.d/small': 'MODULES=list\n',
  'usr/share/initramfs-tools/modules.d/disks': `${BOOT_MODULES.join('\n')}\n`,
};
/** Files of the finished system. */
const LATE_FILES: Readonly<Record<string, string>> = {
  'etc/hostname': 'cp86\n',
  'etc/resolv.conf': '',
  'etc/fstab': 'LABEL=root / ext4 errors=remount-ro 0 1\n',
};
const MODULES_OF_GRUB = ['biosdisk', 'part_msdos', 'ext2'];

/** The kernels and initial RAM disks that are copied, by what their names in /boot are. */
const KERNELS = {
  linux686: /^vmlinuz-.*\d-686$/,
  initrd686: /^initrd.*\d-686$/,
  linux686pae: /^vmlinuz-.*-686-pae$/,
  initrd686pae: /^initrd.*-686-pae$/,
};
const DISK_FILE = 'disk.qcow2';
/** The files that `makeDebianDisk` leaves in its folder. */
export const DEBIAN_DISK_FILES = {
  debianDisk: DISK_FILE,
  debianLinux686: 'linux686',
  debianInitrd686: 'initrd686',
  debianLinux686pae: 'linux686pae',
  debianInitrd686pae: 'initrd686pae',
} as const satisfies Record<string, typeof DISK_FILE | keyof typeof KERNELS>;

/**
 * Makes the disk and the kernels in an empty folder.
 * @throws Error when a program fails; what it said last is in the message
 */
export function makeDebianDisk(folder: string): void {
  if (process.getuid?.() !== 0) throw new Error('making the disk with Debian needs root, for debootstrap');
  const root = join(folder, 'root'),
    raw = join(folder, 'disk.raw');
  const inside = (...command: string[]): void => run('chroot', root, ...command);
  run('debootstrap', '--arch=i386', '--variant=minbase', '--foreign', `--include=${PACKAGES}`, 'bookworm', root);
  writeFiles(root, EARLY_FILES);
  inside('/debootstrap/debootstrap', '--second-stage');
  writeFiles(root, LATE_FILES);
  inside('passwd', '-q', '-d', 'root');
  inside('apt-get', 'clean');
  appendFileSync(join(root, 'etc/inittab'), 'T0:23:respawn:/sbin/getty -L ttyS0 115200 vt100\n');

  const boot = readdirSync(join(root, 'boot'));
  const nameOf = (pattern: RegExp): string => {
    const name = boot.find((file) => pattern.test(file));
    if (!name) throw new Error(`the packages left no file ${pattern} in /boot`);
    return name;
  };
  for (const [name, pattern] of Object.entries(KERNELS)) copyFileSync(join(root, 'boot', nameOf(pattern)), join(folder, name));
  writeGrubFolder(root, nameOf(KERNELS.linux686), nameOf(KERNELS.initrd686));
  inside('grub-mkimage', '-O', 'i386-pc', '-o', '/boot/grub/core.img', '-p', '(hd0,msdos1)/boot/grub', ...MODULES_OF_GRUB);

  // Initialised now and not by the guest in the background; the same identifiers in every image.
  const identifiers = ['-U', '43502f38-3600-4000-8000-000000000000', '-E', `offset=${PARTITION},lazy_itable_init=0,lazy_journal_init=0`];
  writeFileSync(raw, '');
  run('mke2fs', '-q', '-t', 'ext4', '-L', 'root', '-d', root, ...identifiers, raw, `${(DISK - PARTITION) >> 10}k`);
  writeBootSectors(raw, join(root, 'usr/lib/grub/i386-pc/boot.img'), join(root, 'boot/grub/core.img'));
  run('qemu-img', 'convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', raw, join(folder, DISK_FILE));
  rmSync(raw);
  rmSync(root, { recursive: true });
}

/** GRUB's modules and a menu of one entry, on the screen and on the serial line. */
function writeGrubFolder(root: string, kernel: string, initrd: string): void {
  const from = join(root, 'usr/lib/grub/i386-pc'),
    to = join(root, 'boot/grub/i386-pc');
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) if (/\.(mod|lst)$/.test(file)) copyFileSync(join(from, file), join(to, file));
  const menu = `serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=3
menuentry "Debian GNU/Linux" {
  linux /boot/${kernel} root=/dev/sda1 ro console=ttyS0
  initrd /boot/${initrd}
}
`;
  writeFileSync(join(root, 'boot/grub/grub.cfg'), menu);
}

/** The MBR: GRUB's code, which reads sectors from 1 on, where the rest of it goes; and a table of one partition. */
function writeBootSectors(raw: string, bootImage: string, coreImage: string): void {
  const core = readFileSync(coreImage),
    mbr = Buffer.alloc(SECTOR);
  if (core.length > PARTITION - SECTOR) throw new Error(`GRUB's core image is too long: ${core.length} bytes`);
  readFileSync(bootImage).copy(mbr, 0, 0, 440);
  // Active, type 83h, by LBA: the CHS fields say "beyond what can be said".
  mbr.set([0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff], 446);
  mbr.writeUInt32LE(PARTITION / SECTOR, 454);
  mbr.writeUInt32LE((DISK - PARTITION) / SECTOR, 458);
  mbr.writeUInt16LE(0xaa55, 510);
  const file = openSync(raw, 'r+');
  try {
    writeSync(file, mbr, 0, mbr.length, 0);
    writeSync(file, core, 0, core.length, SECTOR);
  } finally {
    closeSync(file);
  }
}

function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    rmSync(join(root, name), { force: true });
    writeFileSync(join(root, name), text);
  }
}

/** Runs a program for at most ten minutes. Its messages are shown when it fails. */
function run(program: string, ...args: string[]): void {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const done = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 600_000,
    maxBuffer: 64 << 20,
    env: environment,
  });
  if (done.status !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${done.error?.message ?? `${done.stdout}${done.stderr}`.slice(-2000)}`);
}
