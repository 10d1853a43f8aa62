// What is saved of every conversation between the guest and a socket of the host: its number (hostMessages.ts), and who talks to whom.

import { bytes, integer, word } from '../devices/fields.ts';
import { MAC_BYTES } from './ethernet.ts';

const number = integer(0, 0, 0xffffffff);
/** Fields of a record: the guest's end with its Ethernet address, and ours. */
export const ENDS = { id: number, mac: bytes(MAC_BYTES), guest: number, guestPort: word(), local: number, localPort: word() };
