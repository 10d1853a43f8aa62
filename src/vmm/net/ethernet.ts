// Ethernet frames (IEEE 802.3, "MAC frame format"; DIX type field): addresses, header and padding. A frame here has no preamble
// and no frame check sequence: those are the wire's, and there is no wire.

/** Values of the type field. */
export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806 } as const;
export const ETHERNET_HEADER = 14;
/** Bytes of a frame without its check sequence. */
export const SHORTEST_FRAME = 60,
  LONGEST_FRAME = 1514;
export const MAC_BYTES = 6;
export const BROADCAST: Uint8Array = new Uint8Array(MAC_BYTES).fill(0xff);

/** Something that frames can be put into: a card, a network, a port of a switch. */
export type FrameSink = (frame: Uint8Array) => void;

export interface Frame {
  /** 6 bytes each. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly type: number;
  /** With padding. */
  readonly payload: Uint8Array;
}

/** The parts of a frame; null when it is too short or too long to be one. */
export function readFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < ETHERNET_HEADER || bytes.length > LONGEST_FRAME) return null;
  return {
    destination: bytes.subarray(0, 6),
    source: bytes.subarray(6, 12),
    type: (bytes[12] << 8) | bytes[13],
    payload: bytes.subarray(ETHERNET_HEADER),
  };
}

/** A frame, padded to the least length. */
export function buildFrame(destination: Uint8Array, source: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(Math.max(SHORTEST_FRAME, ETHERNET_HEADER + payload.length));
  frame.set(destination, 0);
  frame.set(source, 6);
  frame[12] = type >>> 8;
  frame[13] = type;
  frame.set(payload, ETHERNET_HEADER);
  return frame;
}

/** Broadcast or multicast. */
export const isGroup = (mac: Uint8Array): boolean => (mac[0] & 1) !== 0;
export const sameMac = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, n) => byte === b[n]);

/** '52:54:00:12:34:56', also with '-'; throws a RangeError. An address of one station is not a group's. */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
    throw new RangeError(`'${text}' is no MAC address: it is written like 52:54:00:12:34:56.`);
  const mac = Uint8Array.from(text.split(/[:-]/), (part) => Number.parseInt(part, 16));
  if (isGroup(mac)) throw new RangeError(`MAC address ${text} is a group's: the first byte must be even.`);
  return mac;
}

export const formatMac = (mac: Uint8Array): string => Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
