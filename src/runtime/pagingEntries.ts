// Entries of the paging structures: their bits, and the same in words for people who look at a page walk (SDM volume 3,
// "Paging", tables of the formats).

import { HIGH } from './memory.ts';

/** Bits of page-directory and page-table entries. */
export const ENTRY = { P: 1, RW: 2, US: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const;
/** Bit 31 of an entry's high half: no instructions are fetched from the page. */
export const NO_EXECUTE = 1 << 31;

/** An address, int32 or beyond 32 bits, or an entry of 64 bits as two halves. */
export function hex(value: number, upper?: number): string {
  const digits = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  if (upper !== undefined) return `0x${digits(upper)}${digits(value)}`;
  return `0x${value >= HIGH ? value.toString(16) : digits(value)}`;
}

/** The flags of an entry by its halves. */
export function describeEntry(low: number, high: number): string {
  const words = [
    (low & ENTRY.P) !== 0 ? 'present' : 'absent',
    (low & ENTRY.RW) !== 0 ? 'writable' : 'read-only',
    (low & ENTRY.US) !== 0 ? 'user' : 'supervisor',
  ];
  if ((low & ENTRY.A) !== 0) words.push('accessed');
  if ((low & ENTRY.D) !== 0) words.push('dirty');
  if ((low & ENTRY.PS) !== 0) words.push('PS');
  if ((low & ENTRY.G) !== 0) words.push('global');
  if ((high & NO_EXECUTE) !== 0) words.push('no-execute');
  return words.join(', ');
}
