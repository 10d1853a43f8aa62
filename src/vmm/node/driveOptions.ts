// The drive options of the command line, with QEMU's names and meanings ("QEMU User Documentation", section "Block device options"):
// -drive, what -hda and its like are short for, and the drives of -device virtio-blk-pci,drive=ID.

import { MOST_CARDS } from '../devices/cards.ts';
import type { CardConfig, DriveConfig, ImageFormat } from '../protocol.ts';
import { OptionError, parseList } from './optionList.ts';

export interface DriveSetting {
  readonly kind: DriveConfig['kind'];
  readonly interface: NonNullable<DriveConfig['interface']>;
  readonly index: number;
  readonly file: string;
  /** null: by the image's first bytes. */
  readonly format: ImageFormat | null;
  /** File that the image may name as its backing file. */
  readonly backing: string | null;
  readonly readOnly: boolean;
  /** false: what the guest writes goes to the image. */
  readonly snapshot: boolean;
}
/** Drives that are not on any interface by themselves (if=none) by their ids, and the cards that name them. */
export interface DriveConnections {
  readonly ids: Map<string, { readonly index: number; readonly option: string }>;
  readonly cards: { readonly card: number; readonly id: string; readonly option: string }[];
}
/** The part of the settings that these options are about. */
interface WithDrives {
  readonly drives: DriveSetting[];
  readonly cards: CardConfig[];
  readonly driveConnections: DriveConnections;
}

/** TYPE: ide, floppy, virtio or none. */
export const DRIVE_HELP = 'file=FILE[,format=F][,if=TYPE][,id=ID][,media=cdrom][,index=N][,readonly=on][,snapshot=off][,backing=F]';

/** The option that is short for a drive in this place. */
export const drive =
  (kind: DriveConfig['kind'], index: number) =>
  (settings: WithDrives, file: string): void =>
    addDrive(settings, { kind, interface: 'ide', index, file, format: null, backing: null, readOnly: false, snapshot: true });

type Place = Pick<DriveSetting, 'kind' | 'interface' | 'index'>;
/** Hard disks and CD-ROM drives share the places on the ATA channels. */
const isSame = (one: Place, other: Place): boolean =>
  (one.kind === 'floppy') === (other.kind === 'floppy') && one.interface === other.interface && one.index === other.index;

function addDrive(settings: WithDrives, setting: DriveSetting): void {
  if (settings.drives.some((other) => isSame(other, setting)))
    throw new OptionError(`${setting.file}: ${setting.kind} drive ${setting.index} is given twice`);
  settings.drives.push(setting);
}

const PROPERTIES = new Set(['file', 'format', 'if', 'index', 'media', 'readonly', 'read-only', 'snapshot', 'cache', 'id', 'backing']);

export function parseDrive(settings: WithDrives, text: string): void {
  const values = parseList('-drive', text, 'file');
  const bad = (what: string): never => {
    throw new OptionError(`-drive ${text}: ${what}`);
  };
  for (const key of values.keys()) if (!PROPERTIES.has(key)) bad(`'${key}' is not known`);
  const file = values.get('file') || bad('file= is missing');
  const format = values.get('format') ?? null;
  if (format !== null && format !== 'raw' && format !== 'qcow2') return bad('format= can be raw or qcow2');
  const media = values.get('media') ?? 'disk';
  if (media !== 'disk' && media !== 'cdrom') return bad('media= can be disk or cdrom');
  const where = values.get('if') ?? 'ide';
  if (!['ide', 'floppy', 'virtio', 'none'].includes(where)) bad('if= can be ide, floppy, virtio or none');
  const kind = where === 'floppy' ? 'floppy' : media,
    isVirtio = where === 'virtio' || where === 'none',
    place = { kind, interface: isVirtio ? 'virtio' : 'ide' } as const;
  if (isVirtio && kind === 'cdrom') bad('a CD-ROM drive can be on the interface ide');
  const places = isVirtio ? MOST_CARDS : kind === 'floppy' ? 2 : 4,
    numbers = Array.from({ length: places }, (_, index) => index);
  const next = numbers.find((index) => !settings.drives.some((other) => isSame(other, { ...place, index }))) ?? 0,
    given = values.get('index');
  const index = given === undefined ? next : /^\d+$/.test(given) ? Number(given) : -1;
  if (!numbers.includes(index)) bad(`index= can be 0 to ${places - 1}`);
  if (where === 'none') {
    const id = values.get('id') || bad('if=none needs id=');
    if (settings.driveConnections.ids.has(id)) bad(`id ${id} is given twice`);
    settings.driveConnections.ids.set(id, { index, option: `-drive ${text}` });
  }
  const on = (key: string, otherwise = 'off') => ['on', 'true', 'yes'].includes(values.get(key) ?? otherwise);
  addDrive(settings, {
    ...place,
    index,
    file,
    format,
    backing: values.get('backing') ?? null,
    readOnly: on('readonly') || on('read-only'),
    snapshot: on('snapshot', 'on'),
  });
}

/** Gives the cards that name a drive by its id the drive's number; every drive that is on no interface must be named by one. */
export function connectDrives({ cards, driveConnections: { ids, cards: named } }: WithDrives): void {
  const left = new Map(ids);
  for (const { card, id, option } of named) {
    const found = ids.get(id);
    if (!found) throw new OptionError(`${option}: there is no -drive with if=none and id=${id}`);
    if (!left.delete(id)) throw new OptionError(`${option}: another device has the drive ${id}`);
    cards[card] = { ...cards[card], properties: { ...cards[card].properties, drive: String(found.index) } };
  }
  for (const [id, { option }] of left) throw new OptionError(`${option}: no -device has drive=${id}`);
}
