// Memory for the debugger: references as DAP passes them around ('0x00007c00' linear, 'phys:0x1000' physical), reads in
// chunks, base64 without the platform's help.

import type { GuestId, HypervisorClient } from '../../src/vmm/protocol.ts';
import { parseNumber } from './fields.ts';

export interface Place {
  readonly address: number;
  readonly physical: boolean;
}

/** Most bytes one request may read or write. */
export const MAX_TRANSFER = 16 << 20;
const CHUNK = 1 << 18;
const PAGE = 4096;
const ADDRESS_SPACE = 2 ** 32;

/** '0x00007c00' */
export function hex32(value: number): string {
  return `0x${hexDigits(value, 8)}`;
}
/** The digits alone, at least `width`. */
export function hexDigits(value: number, width: number): string {
  return (value >>> 0).toString(16).padStart(width, '0');
}

/** Reads a memory reference; throws when it is none. Addresses wrap at 4 GiB as the processor's do. */
export function parsePlace(reference: string, offset = 0): Place {
  const physical = /^phys:/i.test(reference);
  const number = parseNumber(physical ? reference.slice('phys:'.length) : reference);
  if (!(number >= 0 && number < ADDRESS_SPACE))
    throw new Error(`'${reference.slice(0, 80)}' is no memory reference; an address such as 0x7c00 or phys:0x7c00 is expected`);
  return { address: wrap(number + offset), physical };
}

export function wrap(address: number): number {
  return ((address % ADDRESS_SPACE) + ADDRESS_SPACE) % ADDRESS_SPACE;
}

/** Bytes up to the first unreadable one or the end of the address space. */
export async function readMemory(
  client: HypervisorClient,
  id: GuestId,
  place: Place,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = Math.min(length, MAX_TRANSFER, ADDRESS_SPACE - place.address);
  const out = new Uint8Array(size);
  let done = 0;
  while (done < size && !signal?.aborted) {
    const wanted = Math.min(CHUNK, size - done);
    const { bytes } = await client.request('readMemory', { id, address: place.address + done, length: wanted, physical: place.physical });
    out.set(bytes.subarray(0, wanted), done);
    done += Math.min(bytes.length, wanted);
    if (bytes.length < wanted) break;
  }
  return out.subarray(0, done);
}

/** How many bytes from `address` on cannot be read, as far as it is sensible to say: to the end of the page. */
export function unreadableFrom(address: number, wanted: number): number {
  return Math.min(wanted, PAGE - (address % PAGE));
}

/** Little-endian number of 1 to 4 bytes. */
export function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let n = size - 1; n >= 0; n--) value = value * 256 + (bytes[at + n] ?? 0);
  return value;
}
export function toLittleEndian(value: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, n) => Math.floor(wrap(value) / 256 ** n) & 0xff);
}

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
/** Throws when the text is no base64. */
export function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new Error('data: base64 is expected');
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
