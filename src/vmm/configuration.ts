// Checks a guest's configuration before anything is built from it, and says what is wrong in words. The hash of what a guest is
// made from ties a journal to its configuration.

import { cpuModel, DEFAULT_CPU } from '../runtime/cpuModels.ts';
import type { Drive } from './block/drive.ts';
import { backendOf, cardOf, cardsOf, MOST_CARDS } from './devices/cards.ts';
import { Hasher } from './hash.ts';
import type { DriveConfig, GuestConfig } from './protocol.ts';
import { checkShare } from './shares.ts';

const MIB = 1 << 20;
const MAXIMUM_MEMORY = 1 << 30;

/** Throws a RangeError that names the setting and its limits. */
export function checkConfiguration(config: GuestConfig): void {
  const { memory, debugExit, name } = config;
  if (typeof name !== 'string' || name.length === 0 || name.length > 200)
    throw new RangeError('A guest needs a name of 1 to 200 characters.');
  if (!Number.isInteger(memory) || memory < MIB || memory > MAXIMUM_MEMORY || memory % MIB !== 0) {
    throw new RangeError(`Memory of ${memory} bytes: it can be 1 MiB to 1 GiB in whole MiB.`);
  }
  cpuModel(config.cpu ?? DEFAULT_CPU);
  checkShare(config.weight, config.cap);
  oneOf('clock', config.clock, ['instructions', 'host']);
  oneOf('tier', config.tier, ['mixed', 'interpret', 'translate']);
  oneOf('onReset', config.onReset, ['reset', 'pause', 'off']);
  oneOf('onTripleFault', config.onTripleFault, ['reset', 'pause', 'off']);
  if (!Number.isSafeInteger(config.startOfTime) || config.startOfTime < 0)
    throw new RangeError(`Start of time ${config.startOfTime}: it must be milliseconds since 1970.`);
  if (
    debugExit !== null &&
    (!Number.isInteger(debugExit.port) ||
      debugExit.port < 0 ||
      debugExit.port + debugExit.size > 0x10000 ||
      ![1, 2, 4].includes(debugExit.size))
  ) {
    throw new RangeError(
      `isa-debug-exit: port ${debugExit.port}, size ${debugExit.size}; the size must be 1, 2 or 4 and the ports within 64 Ki.`,
    );
  }
  for (const [n, drive] of config.drives.entries()) checkDrive(drive, config.drives.slice(0, n));
  const cards = cardsOf(config);
  if (cards.length > MOST_CARDS) throw new RangeError(`${cards.length} cards: there is room for ${MOST_CARDS}.`);
  const rows = new Set<string>();
  for (const card of cards) {
    const { title, single } = cardOf(card).kind;
    backendOf(card);
    if (single && rows.has(single)) throw new RangeError(`Device '${card.device}': a machine can have one ${title}.`);
    if (single) rows.add(single);
  }
}

function checkDrive(drive: DriveConfig, before: readonly DriveConfig[]): void {
  const { kind, index, format, interface: where = 'ide' } = drive;
  oneOf('drive', kind, ['floppy', 'disk', 'cdrom']);
  oneOf('interface', where, kind === 'disk' ? ['ide', 'virtio'] : ['ide']);
  const last = kind === 'floppy' ? 1 : where === 'virtio' ? MOST_CARDS - 1 : 3;
  if (!Number.isInteger(index) || index < 0 || index > last) throw new RangeError(`Drive ${kind} ${index}: it can be 0 to ${last}.`);
  if (
    before.some(
      (other) => (other.kind === 'floppy') === (kind === 'floppy') && (other.interface ?? 'ide') === where && other.index === index,
    )
  )
    throw new RangeError(`Drive ${kind} ${index} is given twice.`);
  if (format !== undefined) oneOf('format', format, ['raw', 'qcow2']);
}

function oneOf(what: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new RangeError(`${what} '${value}': it can be ${allowed.join(', ')}.`);
}

/** 16 hexadecimal digits for all that decides what a guest does, given the same input; of large images samples. */
export function configurationHash(config: GuestConfig, drives: readonly Drive[]): string {
  const { memory, cpu, boot, clock, onReset, onTripleFault, debugExit } = config;
  const hasher = new Hasher();
  hasher.number(memory);
  hasher.text(cpu ?? DEFAULT_CPU);
  hasher.text([clock, onReset, onTripleFault, boot.kind].join());
  hasher.saved(debugExit && { ...debugExit });
  switch (boot.kind) {
    case 'drives':
      hasher.text(boot.order);
      break;
    case 'kernel':
      for (const { image, commandLine } of [boot, ...(boot.modules ?? [])]) hasher.saved([image, commandLine]);
      hasher.saved([boot.initrd ?? null, boot.linuxEntry ?? 'setup']);
      break;
    case 'flat':
      hasher.saved([boot.image, boot.address, boot.mode, boot.entry ?? null]);
      break;
    case 'com':
      hasher.saved([boot.image, boot.commandLine]);
      break;
  }
  for (const { device, properties, backend } of cardsOf(config))
    hasher.saved([device, { ...properties }, backend ? { ...backend, properties: { ...backend.properties } } : null]);
  for (const drive of drives) drive.hash(hasher);
  return hasher.digest();
}
