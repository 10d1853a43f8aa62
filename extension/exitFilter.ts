// What the VM Exits panel shows: a filter by reason, I/O port, guest and text. The same value decides in the extension
// host which records are listed, goes to the worker as an `ExitFilter`, and is what the panel's controls edit.

import type { ExitName } from '../src/runtime/exits.ts';
import type { ExitFilter, ExitRecord } from '../src/vmm/protocol.ts';

/** The panel's filter. Empty lists and texts let everything pass. */
export interface PanelFilter {
  /** Key of the guest whose exits are shown (guestStore.ts), or null for all guests. */
  readonly guest: string | null;
  readonly reasons: readonly ExitName[];
  /** Ports as typed: hexadecimal numbers and ranges, separated by commas or blanks: `3f8-3ff, 60`. */
  readonly ports: string;
  /** Matched without regard to case against the record's words and its cs:eip. */
  readonly text: string;
}
export const NO_FILTER: PanelFilter = { guest: null, reasons: [], ports: '', text: '' };

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads a list of ports; throws an Error that names the part it cannot read. */
export function parsePorts(text: string): PortRange[] {
  const ranges: PortRange[] = [];
  for (const part of text.replace(/\s*-\s*/g, '-').split(/[\s,;]+/)) {
    if (!part) continue;
    const ends = part.split('-').map(parsePort);
    const [first, last = first] = ends;
    if (ends.length > 2 || first === undefined || last === undefined || last < first)
      throw new Error(`Not a port or range of ports: ${part} (write 3f8 or 3f8-3ff)`);
    ranges.push({ first, last });
  }
  return ranges;
}

function parsePort(text: string): number | undefined {
  const digits = /^(?:0x)?([0-9a-f]{1,4})h?$/i.exec(text)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** First port of an I/O exit, or null for any other exit (exits.ts, `ioQualification`). */
export function portOf(record: ExitRecord): number | null {
  return record.reason === 'ioInstruction' ? record.qualification >>> 16 : null;
}

/** Address of an exit as the panel prints it: `cs:eip` in hexadecimal. */
export function formatAddress(record: ExitRecord): string {
  return `${hex(record.cs, 4)}:${hex(record.eip, record.eip > 0xffff ? 8 : 4)}`;
}

const hex = (value: number, digits: number): string => (value >>> 0).toString(16).padStart(digits, '0');

/** Compiles a filter; `guestOf` gives a record's guest key. Throws as `parsePorts` does. */
export function compileFilter(filter: PanelFilter, guestOf: (record: ExitRecord) => string): (record: ExitRecord) => boolean {
  const reasons = filter.reasons.length ? new Set<ExitName>(filter.reasons) : null;
  const ports = parsePorts(filter.ports);
  const text = filter.text.trim().toLowerCase();
  return (record) => {
    if (reasons && !reasons.has(record.reason)) return false;
    if (filter.guest !== null && guestOf(record) !== filter.guest) return false;
    if (ports.length) {
      const port = portOf(record);
      if (port === null || !ports.some(({ first, last }) => port >= first && port <= last)) return false;
    }
    return !text || record.text.toLowerCase().includes(text) || formatAddress(record).includes(text);
  };
}

/** The part of a filter that the worker applies before it records in detail, so that rare exits are not lost among frequent ones. */
export function workerFilter(filter: PanelFilter): ExitFilter {
  const ports = parsePorts(filter.ports);
  const reasons = ports.length ? ['ioInstruction' as const] : filter.reasons;
  return { ...(reasons.length ? { reasons } : {}), ...(ports.length ? { ports } : {}) };
}

/**
 * A filter that passes what either passes; null passes nothing, an absent list everything. Ports limit I/O instructions
 * only, vectors exceptions and interrupts only, so a list stays when the other filter passes none of those.
 */
export function mergeExitFilters(a: ExitFilter | null, b: ExitFilter | null): ExitFilter | null {
  if (!a || !b) return a ?? b;
  const reasons = a.reasons && b.reasons ? [...new Set([...a.reasons, ...b.reasons])] : undefined;
  const limit = <T>(list: (filter: ExitFilter) => readonly T[] | undefined, kinds: readonly ExitName[]): readonly T[] | undefined => {
    const passing = [a, b].filter(({ reasons: names }) => !names || kinds.some((kind) => names.includes(kind)));
    return passing.length && passing.every(list) ? passing.flatMap((filter) => list(filter) ?? []) : undefined;
  };
  const ports = limit((filter) => filter.ports, ['ioInstruction']),
    vectors = limit((filter) => filter.vectors, ['exception', 'externalInterrupt']);
  return { ...(reasons ? { reasons } : {}), ...(ports ? { ports } : {}), ...(vectors ? { vectors } : {}) };
}
