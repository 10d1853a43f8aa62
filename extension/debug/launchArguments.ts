// What a launch.json of type `cp86` may say: one table of attributes, read by the validation below, by package.json's
// contribution (a test compares them) and by docs/debugging.md. Reading is pure; guestConfig.ts loads the files named here.

import { CPU_MODELS, cpuModel, DEFAULT_CPU } from '../../src/runtime/cpuModels.ts';
import { EXITS, type ExitName } from '../../src/runtime/exits.ts';
import { VECTOR } from '../../src/translator/state.ts';
import { CARDS, cardOf, MOST_CARDS } from '../../src/vmm/devices/cards.ts';
import { MOUNT_TAG } from '../../src/vmm/ninep/share.ts';
import type { CardConfig, ImageFormat } from '../../src/vmm/protocol.ts';
import { Fields } from './fields.ts';
import { NETWORK_ATTRIBUTE, readNetwork } from './networkArguments.ts';
import { baseName } from './paths.ts';

/** JSON schema of each attribute, as VS Code wants it in `configurationAttributes.launch.properties`. */
export const LAUNCH_ATTRIBUTES = {
  program: {
    type: 'string',
    description:
      'What the guest boots: a boot sector, floppy, disk or CD-ROM image, a DOS .com program, a kernel (Multiboot or other ELF, bzImage) or a flat binary (with loadAddress).',
  },
  format: {
    type: 'string',
    enum: ['auto', 'floppy', 'disk', 'cdrom', 'com', 'kernel', 'flat'],
    default: 'auto',
    description: 'How program is booted. auto goes by its content and name.',
  },
  listing: {
    type: ['string', 'object', 'array'],
    description:
      'NASM listing file (nasm -l) of program, or several: each a path or { file, source, address }. address is where the code is in linear memory; without it 0x7C00 for boot sectors, the load address of other formats, or ORG. Default: program with the extension .lst, when it exists.',
  },
  source: { type: 'string', description: 'Assembly source that the listing was made from. Default: the listing with the extension .asm.' },
  symbols: {
    type: 'string',
    description:
      'ELF file with the symbols of the guest, for a Linux kernel its vmlinux. Default: program, when it is ELF; else those that a Linux kernel has in memory.',
  },
  memory: { type: 'integer', minimum: 1, maximum: 1024, default: 16, description: 'RAM in MiB.' },
  cpu: {
    type: 'string',
    default: DEFAULT_CPU,
    description: `Processor: ${Object.keys(CPU_MODELS).join(', ')}, with features added or taken away as in max,-smap,kvm=off.`,
  },
  drives: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        file: { type: 'string' },
        kind: { type: 'string', enum: ['floppy', 'disk', 'cdrom'] },
        interface: { type: 'string', enum: ['ide', 'virtio'] },
        index: { type: 'integer', minimum: 0, maximum: MOST_CARDS - 1 },
        format: { type: 'string', enum: ['auto', 'raw', 'qcow2'] },
        backing: { type: 'array', items: { type: 'string' } },
        readOnly: { type: 'boolean' },
        snapshot: { type: 'boolean' },
      },
      required: ['file', 'kind'],
    },
    description:
      'Further floppy, disk and CD-ROM images: { file, kind, interface, index, format, backing, readOnly, snapshot }. A disk with the interface virtio gets a virtio-blk-pci, unless a device has its index as drive. What the guest writes stays in memory unless snapshot is false; backing names files for a qcow2 image that are not in its folder.',
  },
  devices: {
    type: 'array',
    items: {
      type: 'object',
      properties: { device: { type: 'string', enum: Object.keys(CARDS).filter((name) => !CARDS[name].isUselessAlone) } },
      required: ['device'],
      additionalProperties: { type: ['string', 'number'] },
    },
    description: 'Add-in cards by QEMU\'s names, with their properties: { device: "edu", dma_mask: "0xffffffff" }.',
  },
  network: NETWORK_ATTRIBUTE,
  sharedFolders: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        folder: { type: 'string' },
        tag: { type: 'string', default: 'host' },
        readOnly: { type: 'boolean', default: false },
      },
      required: ['folder'],
    },
    description:
      'Folders of this computer that the guest can mount: { folder, tag, readOnly }. In Linux: mount -t 9p -o trans=virtio TAG /mnt; the tag is host unless given. Not in the browser.',
  },
  cdrom: { type: 'string', description: 'Image of a CD-ROM, in the third place of the IDE channels.' },
  kernel: { type: 'string', description: 'Kernel to boot instead of program.' },
  initrd: { type: 'string', description: 'Initial RAM disk for a Linux kernel.' },
  append: { type: 'string', default: '', description: 'Command line of the kernel or .com program.' },
  boot: {
    type: 'string',
    pattern: '^[acd]+$',
    description: 'Order of drives to boot from: a floppy, c disk, d CD-ROM. Default: the kind of program.',
  },
  loadAddress: { type: ['integer', 'string'], description: 'Linear address of a flat binary.' },
  entry: { type: ['integer', 'string'], description: 'Linear address of the first instruction of a flat binary. Default: loadAddress.' },
  mode: {
    type: 'integer',
    enum: [16, 32],
    default: 16,
    description: 'A flat binary starts in real mode (16) or flat protected mode (32).',
  },
  stopOnEntry: {
    type: 'boolean',
    default: false,
    description: 'Stop before the first instruction of program (for drives: of the boot sector).',
  },
  clock: {
    type: 'string',
    enum: ['instructions', 'host'],
    default: 'instructions',
    description: "What the guest's time follows: instructions makes every run the same.",
  },
  date: {
    type: 'string',
    description:
      "Date and time the guest's clock starts from, for instance 2026-01-01T00:00:00Z. Default: that date with clock instructions, now with clock host.",
  },
  paced: { type: 'boolean', default: true, description: 'true: the guest never runs ahead of wall time; false: as fast as possible.' },
  tier: { type: 'string', enum: ['mixed', 'interpret', 'translate'], default: 'mixed', description: 'How guest code is executed.' },
  onReset: { type: 'string', enum: ['reset', 'pause', 'off'], default: 'reset', description: 'What a reset by the guest does.' },
  onTripleFault: {
    type: 'string',
    enum: ['reset', 'pause', 'off'],
    default: 'pause',
    description: 'What a triple fault does; pause keeps the machine for inspection.',
  },
  breakOn: {
    type: 'object',
    properties: {
      exceptions: { type: 'array', items: { type: 'string' } },
      exits: { type: 'array', items: { type: 'string', enum: Object.keys(EXITS) } },
    },
    description: 'Exceptions (#PF, #GP...) and VM exits (cpuid, ioInstruction...) to stop at from the start, besides the breakpoints view.',
  },
  debugExit: {
    type: 'object',
    properties: { port: { type: ['integer', 'string'] }, size: { type: 'integer', enum: [1, 2, 4] } },
    description: "Port whose write ends the guest, as QEMU's isa-debug-exit: { port, size }.",
  },
  serial: {
    type: 'string',
    enum: ['terminal', 'console'],
    default: 'terminal',
    description: 'Where serial output goes: a terminal with input, or the debug console.',
  },
} as const;
export type ProgramFormat = 'floppy' | 'disk' | 'cdrom' | 'com' | 'kernel' | 'flat';

/** Attributes of an attach configuration. */
export const ATTACH_ATTRIBUTES = {
  guest: { type: 'string', description: 'Name of the running guest.' },
  program: LAUNCH_ATTRIBUTES.program,
  listing: LAUNCH_ATTRIBUTES.listing,
  source: LAUNCH_ATTRIBUTES.source,
  symbols: LAUNCH_ATTRIBUTES.symbols,
  stopOnEntry: { type: 'boolean', default: false, description: 'Pause the guest when attached.' },
  breakOn: LAUNCH_ATTRIBUTES.breakOn,
  serial: LAUNCH_ATTRIBUTES.serial,
} as const;

export interface ListingFile {
  readonly file: string;
  readonly source?: string;
  readonly address?: number;
}
export type DriveKind = 'floppy' | 'disk' | 'cdrom';
/** Where a CD-ROM drive is unless that is said. */
export const CDROM_PLACE = 2;
export interface DriveFile {
  readonly file: string;
  readonly kind: DriveKind;
  readonly interface: 'ide' | 'virtio';
  readonly index: number;
  readonly format: 'auto' | ImageFormat;
  /** Files that the image may name as its backing file, besides those in its folder. */
  readonly backing: readonly string[];
  readonly readOnly: boolean;
  /** false: what the guest writes goes to the image. */
  readonly snapshot: boolean;
}

/** A folder of the host that the guest can mount by a tag. */
export interface SharedFolder {
  readonly folder: string;
  readonly tag: string;
  readonly readOnly: boolean;
}

/** What launch and attach have in common: the files that explain the guest, and where to stop. */
export interface CommonArguments {
  readonly name: string;
  readonly program?: string;
  readonly listings: readonly ListingFile[];
  readonly symbols?: string;
  readonly stopOnEntry: boolean;
  readonly serial: 'terminal' | 'console';
  readonly breakOnVectors: readonly number[];
  readonly breakOnExits: readonly ExitName[];
}
export interface LaunchArguments extends CommonArguments {
  readonly format: 'auto' | ProgramFormat;
  readonly memory: number;
  readonly cpu: string;
  readonly drives: readonly DriveFile[];
  readonly cards: readonly CardConfig[];
  readonly sharedFolders: readonly SharedFolder[];
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append: string;
  readonly boot?: string;
  readonly loadAddress?: number;
  readonly entry?: number;
  readonly mode: 16 | 32;
  readonly clock: 'instructions' | 'host';
  readonly startOfTime?: number;
  readonly paced: boolean;
  readonly tier: 'mixed' | 'interpret' | 'translate';
  readonly onReset: 'reset' | 'pause' | 'off';
  readonly onTripleFault: 'reset' | 'pause' | 'off';
  readonly debugExit: { port: number; size: number } | null;
}
export interface AttachArguments extends CommonArguments {
  readonly guest: string;
}

const LINEAR_MAX = 0xffffffff;
const SOURCE = /\.(asm|nasm|s|inc|c|cc|cpp|rs|zig)$/i;

/** Checks a launch configuration. Errors begin with the attribute's name. */
export function readLaunchArguments(fields: Fields): LaunchArguments {
  const common = readCommon(fields);
  const given = fields.objects('drives', (drive) => ({
    file: drive.text('file'),
    kind: drive.choice('kind', ['floppy', 'disk', 'cdrom'] as const),
    interface: drive.choice('interface', ['ide', 'virtio'] as const, 'ide'),
    index: drive.integer(
      'index',
      0,
      drive.raw('interface') === 'virtio' ? MOST_CARDS - 1 : 3,
      drive.raw('kind') === 'cdrom' ? CDROM_PLACE : 0,
    ),
    format: drive.choice('format', ['auto', 'raw', 'qcow2'] as const, 'auto'),
    backing: drive.list('backing', (value, path) => {
      if (typeof value !== 'string') throw new Error(`${path}: the path of a file is expected`);
      return value;
    }),
    readOnly: drive.flag('readOnly', false),
    snapshot: drive.flag('snapshot', true),
  }));
  const cdrom = fields.optionalText('cdrom'),
    drives: readonly DriveFile[] = cdrom === undefined ? given : [...given, disc(cdrom)];
  const kernel = fields.optionalText('kernel');
  if (common.program === undefined && kernel === undefined && drives.length === 0)
    throw fields.error('program', 'the file to boot is missing');
  if (common.program !== undefined && kernel !== undefined) throw fields.error('kernel', 'give program or kernel, not both');
  if (common.program !== undefined && SOURCE.test(common.program))
    throw fields.error('program', 'this is a source file; assemble it and name the image, and its listing in listing');
  const boot = fields.optionalText('boot');
  if (boot !== undefined && !/^[acd]{1,3}$/.test(boot))
    throw fields.error('boot', 'letters such as a (floppy), c (disk), d (CD-ROM) or cd are expected');
  const date = fields.optionalText('date');
  const startOfTime = date === undefined ? undefined : Date.parse(date);
  if (startOfTime !== undefined && !(startOfTime >= 0 && startOfTime < 4102444800000))
    throw fields.error('date', 'a date from 1970 to 2099 such as 2026-01-01T00:00:00Z is expected');
  const cpu = fields.optionalText('cpu') ?? DEFAULT_CPU;
  try {
    cpuModel(cpu);
  } catch (error) {
    throw fields.error('cpu', (error as RangeError).message);
  }
  const debugExit = fields.object('debugExit');
  return {
    ...common,
    drives,
    cards: [...fields.objects('devices', readCard), ...readNetwork(fields, common.name)],
    sharedFolders: readSharedFolders(fields),
    kernel,
    boot,
    startOfTime,
    format: fields.choice('format', LAUNCH_ATTRIBUTES.format.enum, 'auto'),
    memory: fields.integer('memory', LAUNCH_ATTRIBUTES.memory.minimum, LAUNCH_ATTRIBUTES.memory.maximum, LAUNCH_ATTRIBUTES.memory.default),
    cpu,
    initrd: fields.optionalText('initrd'),
    append: fields.optionalText('append') ?? '',
    loadAddress: fields.optionalInteger('loadAddress', 0, LINEAR_MAX),
    entry: fields.optionalInteger('entry', 0, LINEAR_MAX),
    mode: fields.choice('mode', LAUNCH_ATTRIBUTES.mode.enum, 16),
    clock: fields.choice('clock', LAUNCH_ATTRIBUTES.clock.enum, 'instructions'),
    paced: fields.flag('paced', true),
    tier: fields.choice('tier', LAUNCH_ATTRIBUTES.tier.enum, 'mixed'),
    onReset: fields.choice('onReset', LAUNCH_ATTRIBUTES.onReset.enum, 'reset'),
    onTripleFault: fields.choice('onTripleFault', LAUNCH_ATTRIBUTES.onTripleFault.enum, 'pause'),
    debugExit: fields.has('debugExit')
      ? { port: debugExit.integer('port', 0, 0xffff), size: debugExit.choice('size', [1, 2, 4], 4) }
      : null,
  };
}

/** An add-in card: its device, and every other name is a property. */
function readCard(fields: Fields): CardConfig {
  const properties: { [name: string]: string } = {};
  for (const name of fields.names()) {
    const value = fields.raw(name);
    if (name === 'device' || value === undefined) continue;
    if (typeof value !== 'string' && typeof value !== 'number') throw fields.error(name, 'a text or number is expected');
    properties[name] = String(value);
  }
  const card = { device: fields.text('device'), properties };
  try {
    if (cardOf(card).kind.isUselessAlone) throw new RangeError('sharedFolders gives it its folder, too');
  } catch (error) {
    throw fields.error('device', (error as RangeError).message);
  }
  return card;
}

function readSharedFolders(fields: Fields): SharedFolder[] {
  const { tag, readOnly } = LAUNCH_ATTRIBUTES.sharedFolders.items.properties,
    tags = new Set<string>();
  return fields.objects('sharedFolders', (shared) => {
    const read = {
      folder: shared.text('folder'),
      tag: shared.optionalText('tag') ?? tag.default,
      readOnly: shared.flag('readOnly', readOnly.default),
    };
    try {
      MOUNT_TAG.check(read.tag);
    } catch (error) {
      throw shared.error('tag', (error as RangeError).message);
    }
    if (tags.has(read.tag)) throw shared.error('tag', `another folder has the tag ${read.tag}`);
    tags.add(read.tag);
    return read;
  });
}

/** The drive of the attribute cdrom. */
const disc = (file: string): DriveFile => ({
  file,
  kind: 'cdrom',
  interface: 'ide',
  index: CDROM_PLACE,
  format: 'auto',
  backing: [],
  readOnly: true,
  snapshot: true,
});

/** Checks an attach configuration. Errors begin with the attribute's name. */
export function readAttachArguments(fields: Fields): AttachArguments {
  const guest = fields.text('guest');
  if (guest === '') throw fields.error('guest', 'the name of a guest is expected');
  return { ...readCommon(fields), guest };
}

function readCommon(fields: Fields): CommonArguments {
  const program = fields.optionalText('program');
  const source = fields.optionalText('source');
  const listing = fields.raw('listing');
  const listings = (Array.isArray(listing) ? listing : listing === undefined ? [] : [listing]).map((value: unknown, n): ListingFile => {
    const path = Array.isArray(listing) ? `listing[${n}]` : 'listing';
    if (typeof value === 'string') return { file: value };
    const one = new Fields(value, `${path}.`);
    return { file: one.text('file'), source: one.optionalText('source'), address: one.optionalInteger('address', 0, LINEAR_MAX) };
  });
  const first = listings[0];
  if (first && first.source === undefined && source !== undefined) listings[0] = { ...first, source };
  const breakOn = fields.object('breakOn');
  const names = Object.keys(EXITS) as ExitName[];
  return {
    name: fields.optionalText('name') || baseName(program ?? fields.optionalText('kernel') ?? 'guest'),
    program,
    listings,
    symbols: fields.optionalText('symbols'),
    stopOnEntry: fields.flag('stopOnEntry', false),
    serial: fields.choice('serial', LAUNCH_ATTRIBUTES.serial.enum, 'terminal'),
    breakOnVectors: breakOn.list('exceptions', (value, path) => {
      const vector = typeof value === 'string' ? vectorOf(value) : undefined;
      if (vector === undefined) throw new Error(`${path}: an exception such as #PF is expected`);
      return vector;
    }),
    breakOnExits: breakOn.list('exits', (value, path) => {
      const exit = names.find((name) => name === value);
      if (!exit) throw new Error(`${path}: the name of a VM exit is expected: ${names.join(', ')}`);
      return exit;
    }),
  };
}

/** '#PF', 'PF' or '14' as a vector; undefined for anything else. */
export function vectorOf(text: string): number | undefined {
  const name = text.trim().replace(/^#/, '').toUpperCase();
  const named = Object.entries(VECTOR).find(([key]) => key === name)?.[1];
  if (named !== undefined) return named;
  const number = Number(name);
  return /^\d{1,3}$/.test(name) && number < 256 ? number : undefined;
}
