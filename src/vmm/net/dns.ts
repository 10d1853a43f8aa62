// A DNS server (RFC 1035) that knows a few names and nothing else: it asks nobody. A name that it does not know does not exist.
// Zones, recursion, compression in questions and EDNS are left out; a question about anything but addresses of a known name has
// an empty answer.

import { viewOf } from './ipv4.ts';

export const DNS_PORT = 53;
const HEADER = 12,
  LONGEST_NAME = 255,
  LONGEST_LABEL = 63;
/** Bits of the flags field. */
const RESPONSE = 0x8000,
  OPCODE = 0x7800,
  AUTHORITATIVE = 0x0400,
  RECURSION_DESIRED = 0x0100,
  RECURSION_AVAILABLE = 0x0080;
const CODE = { NO_ERROR: 0, FORMAT_ERROR: 1, NAME_ERROR: 3, NOT_IMPLEMENTED: 4, REFUSED: 5 } as const;
const TYPE_A = 1,
  TYPE_ANY = 255,
  CLASS_INTERNET = 1;
/** Pointer to the name in the question. */
const NAME_POINTER = 0xc000 | HEADER;
const ANSWER_BYTES = 16,
  /** Seconds that an answer may be kept. */
  TIME_TO_LIVE = 60;

/** Answers a query from `names` (lower case, without a final dot); null when it is no query. */
export function serveDns(query: Uint8Array, names: ReadonlyMap<string, number>): Uint8Array | null {
  if (query.length < HEADER) return null;
  const view = viewOf(query),
    flags = view.getUint16(2);
  if ((flags & RESPONSE) !== 0) return null;
  if ((flags & OPCODE) !== 0) return respond(query, HEADER, CODE.NOT_IMPLEMENTED, null);
  const question = view.getUint16(4) === 1 ? readName(query) : null;
  if (!question || question.end + 4 > query.length) return respond(query, HEADER, CODE.FORMAT_ERROR, null);
  const type = view.getUint16(question.end),
    end = question.end + 4;
  if (view.getUint16(question.end + 2) !== CLASS_INTERNET) return respond(query, end, CODE.REFUSED, null);
  const address = names.get(question.name);
  if (address === undefined) return respond(query, end, CODE.NAME_ERROR, null);
  return respond(query, end, CODE.NO_ERROR, type === TYPE_A || type === TYPE_ANY ? address : null);
}

/** The name in the question, in lower case, and where it ends. */
function readName(query: Uint8Array): { readonly name: string; readonly end: number } | null {
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > LONGEST_LABEL || at - HEADER + length >= LONGEST_NAME) return null;
    at++;
    if (length === 0) return { name: labels.join('.').toLowerCase(), end: at };
    if (at + length > query.length) return null;
    labels.push(String.fromCharCode(...query.subarray(at, at + length)));
    at += length;
  }
}

/** Header and question up to `end`, then the address, if there is one. */
function respond(query: Uint8Array, end: number, code: number, address: number | null): Uint8Array {
  const response = new Uint8Array(end + (address === null ? 0 : ANSWER_BYTES)),
    view = viewOf(response);
  response.set(query.subarray(0, end));
  const asked = viewOf(query).getUint16(2) & (OPCODE | RECURSION_DESIRED);
  view.setUint16(2, RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | asked | code);
  view.setUint16(4, end === HEADER ? 0 : 1);
  view.setUint16(6, address === null ? 0 : 1);
  view.setUint32(8, 0);
  if (address !== null) {
    view.setUint16(end, NAME_POINTER);
    view.setUint16(end + 2, TYPE_A);
    view.setUint16(end + 4, CLASS_INTERNET);
    view.setUint32(end + 6, TIME_TO_LIVE);
    view.setUint16(end + 10, 4);
    view.setUint32(end + 12, address);
  }
  return response;
}
