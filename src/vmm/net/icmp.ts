// ICMP messages (RFC 792): echo, and the ways to say that a destination is unreachable (RFC 1122 section 3.2.2, RFC 1812 section
// 5.2.7). About other messages of ICMP nothing is ever said.

import { addWords, fold } from './checksum.ts';
import { IPV4_HEADER, viewOf } from './ipv4.ts';

const ECHO_REPLY = 0,
  UNREACHABLE = 3,
  ECHO_REQUEST = 8;
/** Why a destination is unreachable: the code field. */
export const UNREACHABLE_CODE = { PORT: 3, PROHIBITED: 13 } as const;
const HEADER = 8;
/** Bytes of the datagram's payload that an error quotes. */
const QUOTED = 8;

/** The reply to an echo request; null for anything else. */
export function echoReply(message: Uint8Array): Uint8Array | null {
  if (message.length < HEADER || message[0] !== ECHO_REQUEST || message[1] !== 0 || fold(addWords(message)) !== 0) return null;
  const reply = message.slice();
  reply[0] = ECHO_REPLY;
  return withChecksum(reply);
}

/** The message about a datagram that was not delivered. */
export function unreachable(code: number, datagram: Uint8Array): Uint8Array {
  const header = Math.max(IPV4_HEADER, (datagram[0] & 15) * 4),
    quote = datagram.subarray(0, header + QUOTED);
  const message = new Uint8Array(HEADER + quote.length);
  message[0] = UNREACHABLE;
  message[1] = code;
  message.set(quote, HEADER);
  return withChecksum(message);
}

function withChecksum(message: Uint8Array): Uint8Array {
  message[2] = message[3] = 0;
  viewOf(message).setUint16(2, fold(addWords(message)));
  return message;
}
