// TCP segments (RFC 9293, section 3.1). Of the options the maximum segment size is understood; others are passed over.

import { addWords, fold, pseudoHeader } from './checksum.ts';
import { type Datagram, IPV4_HEADER, IPV4_MTU, PROTOCOL, viewOf } from './ipv4.ts';

export const FLAG = { FIN: 0x01, SYN: 0x02, RST: 0x04, PSH: 0x08, ACK: 0x10 } as const;
const HEADER = 20;
/** Most bytes of data that go into one frame. */
export const LONGEST_SEGMENT = IPV4_MTU - IPV4_HEADER - HEADER;
const OPTION = { END: 0, NO_OPERATION: 1, MAXIMUM_SEGMENT_SIZE: 2 } as const,
  MSS_BYTES = 4;

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  /** The option of a SYN; null when it is not there. */
  readonly maximumSegmentSize: number | null;
  readonly data: Uint8Array;
}

/** What an IPv4 datagram of protocol TCP holds; null when it is damaged. */
export function readSegment({ source, destination, payload }: Datagram): Segment | null {
  if (payload.length < HEADER) return null;
  const view = viewOf(payload),
    header = (payload[12] >> 4) * 4;
  if (header < HEADER || header > payload.length) return null;
  if (fold(addWords(payload, pseudoHeader(source, destination, PROTOCOL.TCP, payload.length))) !== 0) return null;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: payload[13] & 0x3f,
    window: view.getUint16(14),
    maximumSegmentSize: readMaximumSegmentSize(payload.subarray(HEADER, header)),
    data: payload.subarray(header),
  };
}

function readMaximumSegmentSize(options: Uint8Array): number | null {
  for (let at = 0; at < options.length; ) {
    if (options[at] === OPTION.END) return null;
    if (options[at] === OPTION.NO_OPERATION) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) return null;
    if (options[at] === OPTION.MAXIMUM_SEGMENT_SIZE && length === MSS_BYTES) return (options[at + 2] << 8) | options[at + 3];
    at += length;
  }
  return null;
}

export function buildSegment(source: number, destination: number, segment: Segment): Uint8Array {
  const { maximumSegmentSize, data } = segment,
    header = HEADER + (maximumSegmentSize === null ? 0 : MSS_BYTES);
  const bytes = new Uint8Array(header + data.length),
    view = viewOf(bytes);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgment);
  bytes[12] = (header / 4) << 4;
  bytes[13] = segment.flags;
  view.setUint16(14, segment.window);
  if (maximumSegmentSize !== null) {
    bytes.set([OPTION.MAXIMUM_SEGMENT_SIZE, MSS_BYTES], HEADER);
    view.setUint16(HEADER + 2, maximumSegmentSize);
  }
  bytes.set(data, header);
  view.setUint16(16, fold(addWords(bytes, pseudoHeader(source, destination, PROTOCOL.TCP, bytes.length))));
  return bytes;
}
