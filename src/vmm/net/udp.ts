// UDP (RFC 768).

import { addWords, fold, pseudoHeader } from './checksum.ts';
import { type Datagram, IPV4_HEADER, IPV4_MTU, PROTOCOL, viewOf } from './ipv4.ts';

const HEADER = 8;
/** Most bytes of data that go into one frame. */
export const LONGEST_UDP = IPV4_MTU - IPV4_HEADER - HEADER;

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

/** What an IPv4 datagram of protocol UDP holds; null when it is damaged. A checksum of 0 is none. */
export function readUdp({ source, destination, payload }: Datagram): UdpDatagram | null {
  if (payload.length < HEADER) return null;
  const view = viewOf(payload),
    length = view.getUint16(4);
  if (length < HEADER || length > payload.length) return null;
  const used = payload.subarray(0, length);
  if (view.getUint16(6) !== 0 && fold(addWords(used, pseudoHeader(source, destination, PROTOCOL.UDP, length))) !== 0) return null;
  return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), data: used.subarray(HEADER) };
}

export function buildUdp(source: number, destination: number, { sourcePort, destinationPort, data }: UdpDatagram): Uint8Array {
  const bytes = new Uint8Array(HEADER + data.length),
    view = viewOf(bytes);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(data, HEADER);
  view.setUint16(6, fold(addWords(bytes, pseudoHeader(source, destination, PROTOCOL.UDP, bytes.length))) || 0xffff);
  return bytes;
}
