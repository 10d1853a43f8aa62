// The options of the command line: one table that the parser, its error messages and --help read. Those with one dash are
// qemu-system-i386's ("QEMU User Documentation", section "Invocation") and mean what they mean there; those that cannot matter
// here are taken and ignored. Those with two dashes are our own. As QEMU does, both kinds are recognised with either number of
// dashes.

import { CPU_MODELS, cpuModel, DEFAULT_CPU } from '../../runtime/cpuModels.ts';
import { CARDS, cardOf } from '../devices/cards.ts';
import type { CardConfig } from '../protocol.ts';
import {
  type Backend,
  CHARDEV_HELP,
  type CharacterDevices,
  parseBackend,
  parseChardev,
  parseVirtconsole,
  virtconsoleBackend,
} from './consoleOptions.ts';
import { connectDrives, DRIVE_HELP, type DriveConnections, type DriveSetting, drive, parseDrive } from './driveOptions.ts';
import { connectFolders, type FolderSettings, FSDEV_HELP, noFolders, parseFsdev, parseVirtfs, VIRTFS_HELP } from './folderOptions.ts';
import {
  addCard,
  connectNetwork,
  NETDEV_HELP,
  type NetworkSettings,
  noNetwork,
  parseNet,
  parseNetdev,
  parseNic,
} from './networkOptions.ts';
import { OptionError, parseList } from './optionList.ts';
import { parseRtc, RTC_HELP, type StartDate } from './rtcOption.ts';
export type LogItem = 'in_asm' | 'int' | 'cpu_reset';

export interface Settings {
  help: boolean;
  version: boolean;
  name: string;
  /** MiB. */
  memory: number;
  cpu: string;
  kernel: string | null;
  bios: string | null;
  /** null: the one beside it. */
  vgaBios: string | null;
  /** Besides E9h. */
  debugconPort: number | null;
  initrd: string | null;
  append: string;
  drives: DriveSetting[];
  cards: CardConfig[];
  network: NetworkSettings;
  driveConnections: DriveConnections;
  characters: CharacterDevices;
  folders: FolderSettings;
  bootOrder: string;
  snapshot: boolean;
  commit: boolean;
  /** null: not given; what the default is depends on the other options. */
  serial: (Backend | null)[];
  debugcon: Backend;
  nographic: boolean;
  vga: 'std' | 'none';
  display: string | null;
  reboot: boolean;
  shutdown: boolean;
  debugExit: { readonly port: number; readonly size: number } | null;
  log: LogItem[];
  logFile: string | null;
  stats: boolean;
  traceExits: string | null;
  maxTicks: number;
  /** Seconds. */
  timeout: number;
  clock: 'instructions' | 'host';
  /** null: not given. */
  date: StartDate | null;
  paced: boolean;
  tier: 'mixed' | 'interpret' | 'translate';
  screenshot: string | null;
  record: string | null;
  replay: string | null;
  hash: boolean;
  screen: boolean;
}

export function defaultSettings(): Settings {
  return {
    help: false,
    version: false,
    name: 'guest',
    memory: 128,
    cpu: DEFAULT_CPU,
    kernel: null,
    bios: null,
    vgaBios: null,
    debugconPort: null,
    initrd: null,
    append: '',
    drives: [],
    cards: [],
    network: noNetwork(),
    driveConnections: { ids: new Map(), cards: [] },
    characters: { named: new Map(), virtconsole: null },
    folders: noFolders(),
    bootOrder: 'cad',
    snapshot: false,
    commit: false,
    serial: [],
    debugcon: { kind: 'none' },
    nographic: false,
    vga: 'std',
    display: null,
    reboot: true,
    shutdown: true,
    debugExit: null,
    log: [],
    logFile: null,
    stats: false,
    traceExits: null,
    maxTicks: Infinity,
    timeout: Infinity,
    clock: 'instructions',
    date: null,
    paced: true,
    tier: 'mixed',
    screenshot: null,
    record: null,
    replay: null,
    hash: false,
    screen: false,
  };
}

interface OptionRow {
  readonly name: string;
  /** Name of the argument in --help; absent: the option has none. */
  readonly argument?: string;
  readonly help: string;
  apply(settings: Settings, value: string): void;
}
const option = (name: string, argument: string, help: string, apply: OptionRow['apply']): OptionRow => ({ name, argument, help, apply });
const flag = (name: string, help: string, apply: (settings: Settings) => void): OptionRow => ({ name, help, apply });
const nothing = (): void => {};
/** Options as in QEMU, then our own, in the order of --help. */
export const OPTIONS: readonly { readonly title: string; readonly rows: readonly OptionRow[] }[] = [
  {
    title: 'As in qemu-system-i386',
    rows: [
      option('-kernel', 'FILE', 'boot this kernel: Linux, Multiboot 1 or 2, PVH or plain ELF', (s, v) => void (s.kernel = v)),
      option(
        '-bios',
        'FILE',
        "firmware in place of our own: SeaBIOS; a name alone is looked for in QEMU's folders",
        (s, v) => void (s.bios = v),
      ),
      option('-global', 'PROPERTY', 'VGA.romfile=FILE (default vgabios-stdvga.bin beside -bios) or isa-debugcon.iobase=PORT', parseGlobal),
      option('-initrd', 'FILE', "initial RAM disk, or a Multiboot kernel's first module", (s, v) => void (s.initrd = v)),
      option('-append', 'TEXT', "the kernel's command line", (s, v) => void (s.append = v)),
      option('-m', 'SIZE', 'memory, in MiB unless it ends in K, M or G (default 128)', (s, v) => void (s.memory = parseMemory(v))),
      option('-cpu', 'MODEL', `${Object.keys(CPU_MODELS).join(', ')} (default ${DEFAULT_CPU}), [,+FEATURE][,-FEATURE][,kvm=off]`, parseCpu),
      option('-fda', 'FILE', 'image of floppy drive A', drive('floppy', 0)),
      option('-fdb', 'FILE', 'image of floppy drive B', drive('floppy', 1)),
      option('-hda', 'FILE', 'image of the first hard disk; a file name alone means the same', drive('disk', 0)),
      option('-hdb', 'FILE', 'image of the second hard disk', drive('disk', 1)),
      option('-hdc', 'FILE', 'image of the third hard disk', drive('disk', 2)),
      option('-hdd', 'FILE', 'image of the fourth hard disk', drive('disk', 3)),
      option('-cdrom', 'FILE', 'image of a CD-ROM, in the place of the third hard disk', drive('cdrom', 2)),
      option('-drive', 'OPTIONS', DRIVE_HELP, parseDrive),
      option('-boot', 'ORDER', 'drives to boot from, in order: a floppy, c hard disk, d CD-ROM (default cad)', parseBoot),
      flag('-snapshot', 'do not write to image files, whatever -drive says', (s) => void (s.snapshot = true)),
      option(
        '-serial',
        'WHERE',
        'stdio, mon:stdio, file:FILE or none; for COM1, given again for COM2',
        (s, v) => void s.serial.push(parseBackend('-serial', v)),
      ),
      option(
        '-debugcon',
        'WHERE',
        'the same for the debug console at port 0xe9',
        (s, v) => void (s.debugcon = parseBackend('-debugcon', v)),
      ),
      option('-chardev', 'TYPE,id=ID[,...]', CHARDEV_HELP, parseChardev),
      flag('-nographic', 'COM1 on standard input and output; Ctrl-A x quits', (s) => void (s.nographic = true)),
      option('-vga', 'TYPE', 'display adapter: std (default) or none', parseVga),
      option('-display', 'KIND', 'no display is opened, whatever is said', (s, v) => void (s.display = v)),
      flag('-no-reboot', 'end instead of resetting', (s) => void (s.reboot = false)),
      flag('-no-shutdown', 'stay when the guest powers off', (s) => void (s.shutdown = false)),
      option(
        '-device',
        'DEVICE[,PROPERTY=VALUE...]',
        'a card, or isa-debug-exit (iobase=0x501, iosize=2) or virtconsole (chardev=ID)',
        parseDevice,
      ),
      option('-fsdev', 'local,id=ID,path=FOLDER[,readonly=on]', FSDEV_HELP, parseFsdev),
      option('-virtfs', 'local,path=FOLDER,mount_tag=TAG[,readonly=on]', VIRTFS_HELP, parseVirtfs),
      option('-d', 'ITEMS', 'log, separated by commas: in_asm, int, cpu_reset', parseLog),
      option('-D', 'FILE', 'write the log to this file instead of standard error', (s, v) => void (s.logFile = v)),
      option('-name', 'NAME', 'name of the guest', (s, v) => void (s.name = v.split(',')[0])),
      option('-rtc', 'base=DATE', RTC_HELP, parseRtc),
      option('-smp', 'COUNT', 'number of processors: 1', parseProcessors),
      option('-monitor', 'WHERE', 'none: there is no monitor', parseMonitor),
      option('-netdev', 'TYPE,id=ID[,...]', NETDEV_HELP, parseNetdev),
      option('-nic', 'TYPE[,model=CARD][,mac=MAC][,...]', 'a card and what it is connected to in one; or none', parseNic),
      option('-net', 'nic[,model=CARD][,macaddr=MAC] or TYPE[,...]', 'the same in two parts; or none', parseNet),
      option('-parallel', 'WHERE', 'none: there is no parallel port', parseNone('-parallel')),
      option('-machine', 'TYPE', 'ignored', nothing),
      option('-M', 'TYPE', 'ignored', nothing),
      option('-accel', 'NAME', 'ignored', nothing),
      flag('-enable-kvm', 'ignored', nothing),
      flag('-no-hpet', 'ignored', nothing),
      flag('-no-acpi', 'ignored', nothing),
      flag('-no-fd-bootchk', 'ignored', nothing),
    ],
  },
  {
    title: 'Our own',
    rows: [
      flag('--warp', 'run as fast as possible; otherwise time never runs ahead of the wall clock', (s) => void (s.paced = false)),
      option(
        '--clock',
        'SOURCE',
        "instructions (default): the guest's time is counted, every run is alike; host: it follows the host",
        parseClock,
      ),
      flag('--interpret', 'interpreter only', (s) => void (s.tier = 'interpret')),
      flag('--translate', 'translate everything at first sight', (s) => void (s.tier = 'translate')),
      flag('--commit', 'at the end, write what the guest changed to the image files', (s) => void (s.commit = true)),
      option(
        '--max-ticks',
        'N',
        'stop after exactly N ticks (instructions, repetitions and interrupts)',
        (s, v) => void (s.maxTicks = parseCount('--max-ticks', v)),
      ),
      option('--timeout', 'S', 'stop after S seconds, with status 124', (s, v) => void (s.timeout = parseSeconds(v))),
      option('--record', 'FILE', 'write the journal of everything that came from outside', (s, v) => void (s.record = v)),
      option('--replay', 'FILE', 'run a journal again, as fast as possible, to where it ends', (s, v) => void (s.replay = v)),
      option('--trace-exits', 'FILE', 'write every VM exit to this file (- for standard error)', (s, v) => void (s.traceExits = v)),
      flag('--stats', 'print counters to standard error at the end', (s) => void (s.stats = true)),
      flag('--hash', 'print tick and hash of the state at the end', (s) => void (s.hash = true)),
      option('--screenshot', 'FILE', 'write the screen at the end to this file, as PNG', (s, v) => void (s.screenshot = v)),
      flag('--screen', 'print the text screen at the end', (s) => void (s.screen = true)),
      flag('--version', 'print the version', (s) => void (s.version = true)),
      flag('--help', 'print this text', (s) => void (s.help = true)),
    ],
  },
];

const bare = (name: string): string => name.replace(/^--?/, '');
const BY_NAME = new Map(OPTIONS.flatMap(({ rows }) => rows).map((row) => [bare(row.name), row]));
BY_NAME.set('h', BY_NAME.get('help') as OptionRow);

/** Parses the arguments behind the program's name; throws OptionError. */
export function parseOptions(args: readonly string[]): Settings {
  const settings = defaultSettings();
  for (let n = 0; n < args.length; n++) {
    const arg = args[n];
    if (!/^-./.test(arg)) {
      drive('disk', 0)(settings, arg);
      continue;
    }
    const row = BY_NAME.get(bare(arg));
    if (!row) throw new OptionError(`${arg}: there is no such option; cp86 --help lists them`);
    if (row.argument === undefined) row.apply(settings, '');
    else if (++n < args.length) row.apply(settings, args[n]);
    else throw new OptionError(`${arg}: ${row.argument} is missing`);
  }
  connectDrives(settings);
  virtconsoleBackend(settings.characters);
  connectNetwork(settings);
  connectFolders(settings);
  if (settings.initrd !== null && settings.kernel === null) throw new OptionError('-initrd: needs -kernel');
  if (settings.bios !== null && settings.kernel !== null) throw new OptionError('-bios: boots from drives; -kernel needs the own firmware');
  if (settings.append !== '' && settings.kernel === null) throw new OptionError('-append: needs -kernel');
  if (settings.record !== null && settings.replay !== null) throw new OptionError('--record: a replay records nothing new');
  return settings;
}

/** The text of --help. */
export function helpText(): string {
  const lines = ['Usage: cp86 [options] [disk image]', '', 'Runs an x86 guest without a display.'];
  for (const { title, rows } of OPTIONS) {
    lines.push('', `${title}:`);
    for (const { name, argument, help } of rows) lines.push(`  ${`${name}${argument ? ` ${argument}` : ''}`.padEnd(22)} ${help}`);
  }
  lines.push('', 'Cards of -device:', ...Object.entries(CARDS).map(cardHelp));
  lines.push('', "Exit status: isa-debug-exit's (value << 1 | 1), 0 after power-off, 1 after an error, 124 after --timeout.", '');
  return lines.join('\n');
}

/** What COM1 is connected to when -serial does not say: standard input and output, unless something else wants them or a display was chosen. */
export function serialBackend(settings: Settings, port: 0 | 1): Backend {
  const given = settings.serial[port];
  if (given) return given;
  if (port === 1 || settings.serial.length > 0) return { kind: 'none' };
  if (settings.nographic) return { kind: 'stdio', monitor: true };
  const taken = [settings.debugcon, virtconsoleBackend(settings.characters)].some(({ kind }) => kind === 'stdio');
  return settings.display === null && !taken ? { kind: 'stdio', monitor: true } : { kind: 'none' };
}

// ---- values

function parseBoot(settings: Settings, text: string): void {
  const values = parseList('-boot', text, 'order');
  const order = values.get('order') ?? values.get('once');
  for (const key of values.keys())
    if (!['order', 'once', 'menu', 'strict', 'splash', 'splash-time', 'reboot-timeout'].includes(key))
      throw new OptionError(`-boot ${text}: '${key}' is not known`);
  if (order === undefined) return;
  if (!/^[a-dnp]+$/.test(order)) throw new OptionError(`-boot ${text}: the order is made of the letters a, c and d`);
  // QEMU's n is the network, which cannot be booted from: it is passed over.
  settings.bootOrder = order.replace(/[^acd]/g, '');
  if (settings.bootOrder === '') throw new OptionError(`-boot ${text}: the order is made of the letters a, c and d`);
}

function parseMemory(text: string): number {
  const values = parseList('-m', text, 'size');
  const match = /^(\d+(?:\.\d+)?)([KMG]?)B?$/i.exec(values.get('size') ?? '');
  if (!match) throw new OptionError(`-m ${text}: a size such as 64, 64M or 1G is needed`);
  const memory = Number(match[1]) * { K: 1 / 1024, M: 1, G: 1024, '': 1 }[match[2].toUpperCase()]!;
  if (!Number.isInteger(memory) || memory < 1 || memory > 1024)
    throw new OptionError(`-m ${text}: memory can be 1 MiB to 1 GiB in whole MiB`);
  return memory;
}

function parseCpu(settings: Settings, text: string): void {
  try {
    cpuModel(text);
  } catch (error) {
    throw new OptionError(`-${(error as RangeError).message}`);
  }
  settings.cpu = text;
}

/** As QEMU does, 'virtio-blk' stands for virtio-blk-pci. */
const fullName = (driver: string): string => (Object.hasOwn(CARDS, `${driver}-pci`) ? `${driver}-pci` : driver);

/** '  edu    QEMU's educational device (dma_mask=0xfffffff)'. */
function cardHelp([device, { title, properties }]: [string, (typeof CARDS)[string]]): string {
  const words = Object.entries(properties).map(([name, { initial, help }]) => `${name}=${initial ?? help}`);
  return `  ${device.padEnd(22)} ${title}${words.length > 0 ? ` (${words.join(', ')})` : ''}`;
}

function parseDevice(settings: Settings, text: string): void {
  const values = parseList('-device', text, 'driver');
  const driver = fullName(values.get('driver') ?? '');
  if (Object.hasOwn(CARDS, driver)) {
    const netdev = values.get('netdev'),
      fsdev = values.get('fsdev');
    for (const name of ['driver', 'id', 'netdev', 'fsdev']) values.delete(name);
    const drive = CARDS[driver].properties.drive ? values.get('drive') : undefined;
    if (drive !== undefined) {
      settings.driveConnections.cards.push({ card: settings.cards.length, id: drive, option: `-device ${text}` });
      values.delete('drive');
    } else if (CARDS[driver].properties.drive) throw new OptionError(`-device ${text}: drive= is missing`);
    const card = { device: driver, properties: Object.fromEntries(values) };
    try {
      cardOf(card);
    } catch (error) {
      throw new OptionError(`-device ${text}: ${(error as RangeError).message}`);
    }
    if (fsdev !== undefined) settings.folders.plugs.push({ card: settings.cards.length, fsdev, option: `-device ${text}` });
    addCard(settings, card, netdev === undefined ? undefined : { netdev }, `-device ${text}`);
    return;
  }
  if (driver === 'virtconsole') return parseVirtconsole(settings, text);
  if (driver !== 'isa-debug-exit')
    throw new OptionError(`-device ${text}: the device can be ${['isa-debug-exit', 'virtconsole', ...Object.keys(CARDS)].join(', ')}`);
  for (const key of values.keys())
    if (!['driver', 'iobase', 'iosize', 'id'].includes(key)) throw new OptionError(`-device ${text}: '${key}' is not known`);
  const port = parseCount('-device iobase=', values.get('iobase') ?? '0x501');
  const size = parseCount('-device iosize=', values.get('iosize') ?? '2');
  if (![1, 2, 4].includes(size) || port + size > 0x10000)
    throw new OptionError(`-device ${text}: iosize can be 1, 2 or 4, and the ports must lie within 64 Ki`);
  settings.debugExit = { port, size };
}

function parseGlobal(settings: Settings, text: string): void {
  const [, property, value] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  if (property === 'VGA.romfile') settings.vgaBios = value;
  else if (property === 'isa-debugcon.iobase') {
    const port = parseCount('-global isa-debugcon.iobase=', value);
    if (port > 0xffff) throw new OptionError(`-global ${text}: the port must lie within 64 Ki`);
    settings.debugconPort = port === 0xe9 ? null : port;
  } else throw new OptionError(`-global ${text}: it can be VGA.romfile=FILE or isa-debugcon.iobase=PORT`);
}

/** What other adapters QEMU has are run by the VGA's drivers or not at all. */
function parseVga(settings: Settings, text: string): void {
  if (text !== 'std' && text !== 'none') throw new OptionError(`-vga ${text}: it can be std or none`);
  settings.vga = text;
}

function parseLog(settings: Settings, text: string): void {
  for (const item of text.split(',')) {
    if (item !== 'in_asm' && item !== 'int' && item !== 'cpu_reset')
      throw new OptionError(`-d ${text}: '${item}' is not known; it can be in_asm, int, cpu_reset`);
    settings.log.push(item);
  }
}

function parseProcessors(_: Settings, text: string): void {
  const values = parseList('-smp', text, 'cpus');
  for (const [key, value] of values) if (value !== '1') throw new OptionError(`-smp ${text}: a guest has one processor, ${key}=1`);
}

function parseMonitor(_: Settings, text: string): void {
  if (!['none', 'null', 'stdio', 'mon:stdio', 'vc'].includes(text))
    throw new OptionError(`-monitor ${text}: there is no monitor; none is what can be said`);
}

function parseNone(name: string): OptionRow['apply'] {
  return (_, text) => {
    if (text !== 'none') throw new OptionError(`${name} ${text}: it can be none`);
  };
}

function parseClock(settings: Settings, text: string): void {
  if (text !== 'instructions' && text !== 'host') throw new OptionError(`--clock ${text}: it can be instructions or host`);
  settings.clock = text;
}

/** A whole number, decimal or hexadecimal with 0x. */
function parseCount(name: string, text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new OptionError(`${name} ${text}: a whole number is needed`);
  return value;
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) throw new OptionError(`--timeout ${text}: a number of seconds is needed`);
  return value;
}
