// IPv4 datagrams (RFC 791). What is sent here is never fragmented and says so (RFC 6864: its identification is then 0). Fragments
// are not put together: they are taken for no datagram. Options are passed over.

import { addWords, fold } from './checksum.ts';

/** Values of the protocol field. */
export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17 } as const;
export const IPV4_HEADER = 20;
/** Most bytes of a datagram that fits into a frame. */
export const IPV4_MTU = 1500;
export const LIMITED_BROADCAST = 0xffffffff;
const TIME_TO_LIVE = 64;
const DO_NOT_FRAGMENT = 0x4000,
  FRAGMENT = 0x3fff;

export interface Datagram {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Header and payload. */
  readonly whole: Uint8Array;
}

/** A datagram; null when it is damaged, a fragment, or cut short. Bytes behind it are padding. */
export function readDatagram(bytes: Uint8Array): Datagram | null {
  if (bytes.length < IPV4_HEADER || bytes[0] >> 4 !== 4) return null;
  const view = viewOf(bytes),
    header = (bytes[0] & 15) * 4,
    total = view.getUint16(2);
  if (header < IPV4_HEADER || total < header || total > bytes.length) return null;
  if (fold(addWords(bytes.subarray(0, header))) !== 0 || (view.getUint16(6) & FRAGMENT) !== 0) return null;
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    protocol: bytes[9],
    payload: bytes.subarray(header, total),
    whole: bytes.subarray(0, total),
  };
}

export function buildDatagram(source: number, destination: number, protocol: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER + payload.length),
    view = viewOf(bytes);
  bytes[0] = 0x45;
  view.setUint16(2, bytes.length);
  view.setUint16(6, DO_NOT_FRAGMENT);
  bytes[8] = TIME_TO_LIVE;
  bytes[9] = protocol;
  view.setUint32(12, source);
  view.setUint32(16, destination);
  view.setUint16(10, fold(addWords(bytes.subarray(0, IPV4_HEADER))));
  bytes.set(payload, IPV4_HEADER);
  return bytes;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** '10.0.2.15' as an unsigned number; null when it is no address. */
export function parseAddress(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((address, part) => address * 256 + Number(part), 0);
}
export const formatAddress = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
