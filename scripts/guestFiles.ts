/** The files of guests (scripts/guestTable.ts): Debian's packages, unpacked in the cache folder, and images made of what is in them. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cacheFolder } from './cache.ts';
import { GUEST_PACKAGES, INSTALLER } from './guestTable.ts';
import { unpackPackages32 } from './packages32.ts';
import { root } from './root.ts';

const folder = (): string => join(cacheFolder(), 'guests');
const GEOMETRY_TESTS = 'usr/lib/syslinux/mbr/diag/geodsp';
const SYSLINUX_MODULES = 'usr/lib/syslinux/modules/bios';

/** Files that are made of those in the packages. */
const MADE_FILES: Readonly<Record<string, () => Uint8Array>> = {
  'vmlinuz-rt': () => readFileSync(inBoot(/^vmlinuz-.*-rt-686-pae$/)),
  gnumach: () => gunzipSync(readFileSync(inBoot(/^gnumach-.*\.gz$/))),
  'grub-legacy.img': () => Buffer.concat(['stage1', 'stage2'].map((name) => readFileSync(join(folder(), 'usr/lib/grub/i386-pc', name)))),
  'geodsp1s.img': () => execFileSync('xz', ['-dc', join(folder(), GEOMETRY_TESTS, 'geodsp1s.img.xz')], { maxBuffer: 64 << 20 }),
  'geodspms.img': () => execFileSync('xz', ['-dc', join(folder(), GEOMETRY_TESTS, 'geodspms.img.xz')], { maxBuffer: 64 << 20 }),
  'hdt.iso': () =>
    disc(
      ['libcom32.c32', 'libutil.c32', 'libmenu.c32', 'libgpl.c32', 'hdt.c32'].map((name) => join(SYSLINUX_MODULES, name)),
      ['default hdt', 'prompt 1', 'timeout 30', 'label hdt', 'com32 hdt.c32'],
    ),
  'installer.iso': () =>
    disc(
      [join(INSTALLER, 'linux'), join(INSTALLER, 'initrd.gz')],
      ['default install', 'label install', 'kernel linux', 'append initrd=initrd.gz'],
    ),
};

/** Unpacks the packages, once. */
export function fetchGuestFiles(): void {
  if (existsSync(folder())) return;
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    unpackPackages32(GUEST_PACKAGES, temporary, join(temporary, 'unpacked'));
    renameSync(join(temporary, 'unpacked'), folder());
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The path of a file that an option of the table names; undefined when it is none of ours. */
export function guestFile(name: string): string | undefined {
  const make = MADE_FILES[name];
  if (make && !existsSync(join(folder(), name))) writeFileSync(join(folder(), name), make());
  return [folder(), cacheFolder(), root].map((where) => join(where, name)).find((file) => existsSync(file));
}

function inBoot(pattern: RegExp): string {
  const boot = join(folder(), 'boot'),
    name = readdirSync(boot).find((file) => pattern.test(file));
  if (!name) throw new Error(`the packages have no file ${pattern} in /boot`);
  return join(boot, name);
}

/** A disc that ISOLINUX boots from, with these files and this configuration. */
function disc(files: readonly string[], configuration: readonly string[]): Uint8Array {
  const temporary = mkdtempSync(join(tmpdir(), 'cp86-disc-')),
    tree = join(temporary, 'tree'),
    image = join(temporary, 'image.iso');
  try {
    mkdirSync(tree);
    for (const file of [...files, 'usr/lib/ISOLINUX/isolinux.bin', join(SYSLINUX_MODULES, 'ldlinux.c32')])
      copyFileSync(join(folder(), file), join(tree, file.slice(file.lastIndexOf('/') + 1)));
    writeFileSync(join(tree, 'isolinux.cfg'), `${configuration.join('\n')}\n`);
    const boot = ['-b', 'isolinux.bin', '-c', 'boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
    execFileSync('genisoimage', ['-quiet', '-o', image, ...boot, tree]);
    return readFileSync(image);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
