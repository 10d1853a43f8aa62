// Address resolution (RFC 826) between Ethernet and IPv4.

import { viewOf } from './ipv4.ts';

export const ARP_REQUEST = 1,
  ARP_REPLY = 2;
const LENGTH = 28,
  /** Hardware type Ethernet, protocol type IPv4, addresses of 6 and 4 bytes. */
  KIND = [0, 1, 8, 0, 6, 4];

export interface ArpPacket {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly sender: number;
  readonly targetMac: Uint8Array;
  readonly target: number;
}

export function readArp(bytes: Uint8Array): ArpPacket | null {
  if (bytes.length < LENGTH || KIND.some((byte, n) => bytes[n] !== byte)) return null;
  const view = viewOf(bytes);
  return {
    operation: view.getUint16(6),
    senderMac: bytes.subarray(8, 14),
    sender: view.getUint32(14),
    targetMac: bytes.subarray(18, 24),
    target: view.getUint32(24),
  };
}

export function buildArp({ operation, senderMac, sender, targetMac, target }: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(LENGTH),
    view = viewOf(bytes);
  bytes.set(KIND);
  view.setUint16(6, operation);
  bytes.set(senderMac, 8);
  view.setUint32(14, sender);
  bytes.set(targetMac, 18);
  view.setUint32(24, target);
  return bytes;
}
