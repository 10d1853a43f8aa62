/** The files of guests (scripts/guestTable.ts): Debian's packages, unpacked in the cache folder, and images made of what is in them. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cacheFolder } from './cache.ts';
import { GUEST_PACKAGES, INSTALLER, ON_TEXT_SCREEN } from './guestTable.ts';
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
  'hdt.iso': () => isolinuxDisc(modules('libcom32', 'libutil', 'libmenu', 'libgpl', 'hdt'), 'default hdt.c32\nprompt 1\ntimeout 30\n'),
  'meminfo.iso': () => isolinuxDisc(modules('libcom32', 'meminfo'), 'default meminfo.c32\n'),
  'installer.iso': () =>
    isolinuxDisc(
      [join(INSTALLER, 'linux'), join(INSTALLER, 'initrd.gz')],
      `default install\nlabel install\nkernel linux\nappend initrd=initrd.gz ${ON_TEXT_SCREEN}\n`,
    ),
  'grub-legacy.iso': () => disc('usr/lib/grub/i386-pc/stage2_eltorito', [], {}),
};

/** Unpacks the packages, once; again when others are listed. */
export function fetchGuestFiles(): void {
  const packages = GUEST_PACKAGES.join('\n'),
    list = join(folder(), 'packages');
  if (existsSync(list) && readFileSync(list, 'utf8') === packages) return;
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    unpackPackages32(GUEST_PACKAGES, temporary, join(temporary, 'unpacked'));
    writeFileSync(join(temporary, 'unpacked', 'packages'), packages);
    rmSync(folder(), { recursive: true, force: true });
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

const modules = (...names: string[]): string[] => names.map((name) => join(SYSLINUX_MODULES, `${name}.c32`));

/** A disc that ISOLINUX boots from, with these files and this configuration. */
const isolinuxDisc = (files: readonly string[], configuration: string): Uint8Array =>
  disc('usr/lib/ISOLINUX/isolinux.bin', [...modules('ldlinux'), ...files], { 'isolinux.cfg': configuration });

/**
 * A disc that boots without emulation.
 * @param boot the boot image, and `files` what else is on it: from the packages
 * @param texts files by name that are made for it
 */
function disc(boot: string, files: readonly string[], texts: Readonly<Record<string, string>>): Uint8Array {
  const temporary = mkdtempSync(join(tmpdir(), 'cp86-disc-')),
    tree = join(temporary, 'tree'),
    image = join(temporary, 'image.iso');
  try {
    mkdirSync(tree);
    for (const file of [boot, ...files]) copyFileSync(join(folder(), file), join(tree, basename(file)));
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(tree, name), text);
    const options = ['-b', basename(boot), '-c', 'boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
    execFileSync('genisoimage', ['-quiet', '-o', image, ...options, tree]);
    return readFileSync(image);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
