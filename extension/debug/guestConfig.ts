// Turns launch arguments into a guest: loads the files, recognises what program is by its content (boot signature at offset
// 510; ELF; Multiboot's headers; "HdrS" of the Linux boot protocol) and says where its code will be in linear memory.

import { isQcow2 } from '../../src/vmm/block/qcow2Header.ts';
import { findMultiboot1Header, findMultiboot2Header } from '../../src/vmm/boot/multibootHeaders.ts';
import { FIXED_START } from '../../src/vmm/clock.ts';
import type { BootSource, CardConfig, DriveConfig, FirmwareConfig, GuestConfig, ImageFile } from '../../src/vmm/protocol.ts';
import { messageOf } from './fields.ts';
import { CDROM_PLACE, type DriveKind, type LaunchArguments, type ProgramFormat, type SharedFolder } from './launchArguments.ts';
import { baseName } from './paths.ts';

/** Reads a file, or no more than `most` bytes of it from offset `from` on. */
export type ReadFile = (path: string, most?: number, from?: number) => Promise<Uint8Array>;

/** The files that a launch names. */
export interface GuestFiles {
  readonly readFile: ReadFile;
  /** Path by which the hypervisor's worker can open a file itself, or null. */
  localPath(path: string): string | null;
}

/** A guest ready to be defined. */
export interface GuestPlan {
  readonly config: GuestConfig;
  /** The program's bytes, when it is one flat piece that a listing can be compared with. */
  readonly image?: Uint8Array;
  readonly format?: ProgramFormat;
  /** Linear address of the image's first byte, when known before the start. */
  readonly address?: number;
  /** Run to this linear address first when stopping on entry. */
  readonly entry?: number;
}

const BOOT_SECTOR = 0x7c00;
/** Largest floppy format (2.88 MB); larger images are disks. */
const FLOPPY_MAX = 2880 * 1024;
/** Where an ISO 9660 image names its standard (ECMA-119, section "Volume descriptors"); many begin with a disk's boot sector, too. */
const ISO_9660 = 16 * 2048 + 1;

/** What is read of a program before it is known to be more than a disk image, which is read when the guest does. */
const PROGRAM_MOST = 256 << 20;
/** Images that the worker cannot open are read whole: up to so many bytes. */
const WHOLE_MOST = 1 << 30;

/** Loads every file a launch names, but for images that the worker opens itself. Errors begin with the attribute. */
export async function planGuest(args: LaunchArguments, files: GuestFiles): Promise<GuestPlan> {
  const read = (attribute: string, path: string, most?: number): Promise<Uint8Array> => readNamed(files.readFile, attribute, path, most);
  async function imageFile(attribute: string, file: string): Promise<ImageFile> {
    const path = files.localPath(file);
    if (path !== null) return { path };
    const bytes = await read(attribute, file, WHOLE_MOST + 1);
    if (bytes.length > WHOLE_MOST) throw new Error(`${attribute}: ${file} is read whole here, and is larger than ${WHOLE_MOST >> 20} MiB`);
    return { name: file, bytes };
  }
  const drives: DriveConfig[] = [];
  for (const [n, { kind, interface: where, index, readOnly, file, format, backing, snapshot }] of args.drives.entries()) {
    drives.push({
      kind,
      interface: where,
      index,
      readOnly,
      image: await imageFile(`drives[${n}].file`, file),
      ...(format === 'auto' ? {} : { format }),
      backing: await Promise.all(backing.map((name) => imageFile(`drives[${n}].backing`, name))),
      writeThrough: !snapshot,
    });
  }
  const attribute = args.kernel === undefined ? 'program' : 'kernel';
  const path = args.kernel ?? args.program;
  const image = path === undefined ? undefined : await read(attribute, path, PROGRAM_MOST);
  if (image?.length === 0) throw new Error(`${attribute}: ${path} is empty`);
  const format = args.kernel !== undefined ? 'kernel' : image && path !== undefined ? programFormat(args, path, image) : undefined;
  if (image && (format === 'floppy' || format === 'disk' || format === 'cdrom')) {
    const index = format === 'cdrom' ? CDROM_PLACE : 0;
    if (drives.some((drive) => (drive.kind === 'floppy') === (format === 'floppy') && drive.interface === 'ide' && drive.index === index))
      throw new Error(`drives: ${format} ${index} is program already`);
    drives.unshift({ kind: format, index, readOnly: false, image: await imageFile(attribute, path ?? '') });
  }
  const bios = args.bios === undefined ? undefined : await firmware(args.bios, args.vgaBios, read);
  const boot = await bootSource(args, format, image, drives, read);
  return {
    config: {
      name: args.name,
      memory: args.memory << 20,
      cpu: args.cpu,
      boot,
      drives,
      cards: [...args.cards, ...args.sharedFolders.map((shared) => folderCard(shared, files.localPath(shared.folder)))],
      ...(bios ? { bios } : {}),
      clock: args.clock,
      paced: args.paced,
      weight: 1,
      cap: 100,
      tier: args.tier,
      onReset: args.onReset,
      onTripleFault: args.onTripleFault,
      debugExit: args.debugExit,
      startOfTime: args.startOfTime ?? (args.clock === 'instructions' ? FIXED_START : Date.now()),
    },
    image: format === 'kernel' ? undefined : image,
    format,
    address: boot.kind === 'drives' ? BOOT_SECTOR : boot.kind === 'flat' ? boot.address : undefined,
    entry: boot.kind === 'drives' ? BOOT_SECTOR : undefined,
  };
}

/** What is read of a firmware: more is refused when the guest is built. */
const FIRMWARE_MOST = 8 << 20;
const VGA_BIOS = 'vgabios-stdvga.bin';

/** A firmware with its VGA BIOS: the one that is named, or the one beside it. */
async function firmware(
  path: string,
  vgaPath: string | undefined,
  read: (attribute: string, path: string, most?: number) => Promise<Uint8Array>,
): Promise<FirmwareConfig> {
  const rom = await read('bios', path, FIRMWARE_MOST);
  if (vgaPath !== undefined) return { rom, vgaRom: await read('vgaBios', vgaPath, FIRMWARE_MOST) };
  const beside = path.slice(0, path.length - baseName(path).length) + VGA_BIOS;
  const vgaRom = await read('vgaBios', beside, FIRMWARE_MOST).catch(() => undefined);
  return vgaRom ? { rom, vgaRom } : { rom };
}

/** The card by which the guest mounts a folder. */
function folderCard({ folder, tag, readOnly }: SharedFolder, path: string | null): CardConfig {
  if (path === null) throw new Error(`sharedFolders: ${folder} is no folder of this computer, or VS Code runs in the browser`);
  return {
    device: 'virtio-9p-pci',
    properties: { mount_tag: tag },
    backend: { type: 'local', properties: { path, readonly: readOnly ? 'on' : 'off' } },
  };
}

/** Letters of the boot order, in the order of the default. */
const BOOT_LETTERS: readonly (readonly [string, DriveKind])[] = [
  ['a', 'floppy'],
  ['c', 'disk'],
  ['d', 'cdrom'],
];

async function bootSource(
  args: LaunchArguments,
  format: ProgramFormat | undefined,
  image: Uint8Array | undefined,
  drives: readonly DriveConfig[],
  read: (attribute: string, path: string) => Promise<Uint8Array>,
): Promise<BootSource> {
  if (args.boot === undefined && image) {
    if (format === 'com') return { kind: 'com', image, commandLine: args.append };
    if (format === 'kernel') {
      const initrd = args.initrd === undefined ? undefined : await read('initrd', args.initrd);
      return { kind: 'kernel', image, commandLine: args.append, initrd };
    }
    if (format === 'flat') {
      if (args.loadAddress === undefined) throw new Error('loadAddress: a flat binary needs the linear address to load it at');
      return { kind: 'flat', image, address: args.loadAddress, mode: args.mode, entry: args.entry };
    }
  }
  const present = BOOT_LETTERS.filter(([, kind]) => drives.some((drive) => drive.kind === kind)),
    own = BOOT_LETTERS.find(([, kind]) => kind === format);
  const order = args.boot ?? (own ? own[0] : present.map(([letter]) => letter).join(''));
  for (const [letter, kind] of BOOT_LETTERS)
    if (order.includes(letter) && !drives.some((drive) => drive.kind === kind)) throw new Error(`boot: there is no ${kind} to boot from`);
  return { kind: 'drives', order };
}

/** What `program` is: as told, by its name, or by its content. */
function programFormat(args: LaunchArguments, path: string, image: Uint8Array): ProgramFormat {
  if (args.format !== 'auto') return args.format;
  if (args.loadAddress !== undefined) return 'flat';
  if (/\.com$/i.test(path)) return 'com';
  if (isElf(image) || hasText(image, 0x202, 'HdrS') || findMultiboot1Header(image) >= 0 || findMultiboot2Header(image) >= 0)
    return 'kernel';
  const signed = image.length >= 512 && image[510] === 0x55 && image[511] === 0xaa,
    floppy = isFloppyImage(path, image.length);
  if (hasText(image, ISO_9660, 'CD001') && !(signed && floppy)) return 'cdrom';
  if (signed) return floppy ? 'floppy' : 'disk';
  if (isQcow2(image)) return 'disk';
  throw new Error(
    `program: ${baseName(path)} is no .com, ELF or bzImage and has no boot signature (55 AA at offset 510); for a flat binary give loadAddress, for anything else format`,
  );
}

/** Whether what can boot from a floppy is taken for one: GRUB's rescue floppy is an image of a CD-ROM, too. */
export const isFloppyImage = (path: string, size: number): boolean => size <= FLOPPY_MAX && !/\.iso$/i.test(path);

export function isElf(image: Uint8Array): boolean {
  return hasText(image, 0, '\x7fELF');
}

function hasText(image: Uint8Array, at: number, text: string): boolean {
  return [...text].every((character, n) => image[at + n] === character.charCodeAt(0));
}

/** Reads a file; an error says which attribute named it. */
export async function readNamed(readFile: ReadFile, attribute: string, path: string, most?: number, from?: number): Promise<Uint8Array> {
  try {
    return await readFile(path, most, from);
  } catch (error) {
    throw new Error(`${attribute}: ${path} cannot be read (${messageOf(error)})`);
  }
}
