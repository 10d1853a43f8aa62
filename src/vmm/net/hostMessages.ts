// What a user network and the host's sockets tell each other. A connection has a number, which says who opened it and how. What the host says reaches the machine by the journal and is not trusted.
// Format: kind, number (4 bytes, big-endian), then a 4-byte value or the bytes.
//
// Neither side sends more than the other can hold: data counts until `written` (towards the host) or `credit` (towards the guest)
// takes it back.

import { viewOf } from './ipv4.ts';

export type ToHost =
  /** Connect to a service, by its place in the list of those that the guest may reach. */
  | { readonly kind: 'open'; readonly id: number; readonly value: number }
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Uint8Array }
  /** The guest sends nothing more. */
  | { readonly kind: 'end'; readonly id: number }
  /** The connection is over; nothing that is said about it after this counts. */
  | { readonly kind: 'close'; readonly id: number }
  /** So many bytes have arrived in the guest. */
  | { readonly kind: 'credit'; readonly id: number; readonly value: number };

export type FromHost =
  /** Somebody connected to a port that is forwarded, by its place in the list. */
  | { readonly kind: 'incoming'; readonly id: number; readonly value: number }
  | { readonly kind: 'opened'; readonly id: number }
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Uint8Array }
  /** The other side sends nothing more. */
  | { readonly kind: 'end'; readonly id: number }
  /** Refused, or broken off. */
  | { readonly kind: 'closed'; readonly id: number }
  /** The host has passed on so many bytes. */
  | { readonly kind: 'written'; readonly id: number; readonly value: number };

/** Connections of the guest by TCP have numbers below the first of these, by UDP below the second; those from outside the others. */
export const FIRST_UDP = 2 ** 30,
  FIRST_INCOMING = 2 ** 31;
/** Bytes of each direction that may be under way on one connection. */
export const MOST_UNDER_WAY = 0xffff;

const TO_HOST = ['open', 'data', 'end', 'close', 'credit'] as const satisfies readonly ToHost['kind'][];
const FROM_HOST = ['incoming', 'opened', 'data', 'end', 'closed', 'written'] as const satisfies readonly FromHost['kind'][];
const HEADER = 5;

export const encodeToHost = (message: ToHost): Uint8Array => encode(TO_HOST.indexOf(message.kind), message);
export const encodeFromHost = (message: FromHost): Uint8Array => encode(FROM_HOST.indexOf(message.kind), message);

/** null for bytes that are no message. */
export const decodeToHost = (bytes: Uint8Array): ToHost | null => decode(TO_HOST, bytes) as ToHost | null;
export const decodeFromHost = (bytes: Uint8Array): FromHost | null => decode(FROM_HOST, bytes) as FromHost | null;

function encode(kind: number, message: ToHost | FromHost): Uint8Array {
  const payload = 'bytes' in message ? message.bytes.length : 'value' in message ? 4 : 0;
  const bytes = new Uint8Array(HEADER + payload),
    view = viewOf(bytes);
  bytes[0] = kind;
  view.setUint32(1, message.id);
  if ('bytes' in message) bytes.set(message.bytes, HEADER);
  else if ('value' in message) view.setUint32(HEADER, message.value);
  return bytes;
}

function decode(kinds: readonly (ToHost | FromHost)['kind'][], bytes: Uint8Array): unknown {
  const kind = kinds[bytes[0]];
  if (kind === undefined || bytes.length < HEADER) return null;
  const view = viewOf(bytes),
    id = view.getUint32(1),
    payload = bytes.subarray(HEADER);
  switch (kind) {
    case 'data':
      return { kind, id, bytes: payload };
    case 'open':
    case 'incoming':
    case 'credit':
    case 'written':
      return payload.length === 4 ? { kind, id, value: view.getUint32(HEADER) } : null;
    case 'end':
    case 'opened':
    case 'close':
    case 'closed':
      return payload.length === 0 ? { kind, id } : null;
  }
}
