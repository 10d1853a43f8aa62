// The base protocol that carries DAP messages over a byte stream: a header with Content-Length, an empty line, JSON in UTF-8
// (Debug Adapter Protocol, "Base Protocol").

const MAX_HEADER = 4096;
/** Larger messages than any client sends: a write of 16 MiB in base64 fits. */
const MAX_CONTENT = 64 << 20;

/** A message as bytes. */
export function encodeMessage(message: unknown): Uint8Array {
  const content = new TextEncoder().encode(JSON.stringify(message));
  const header = new TextEncoder().encode(`Content-Length: ${content.length}\r\n\r\n`);
  const bytes = new Uint8Array(header.length + content.length);
  bytes.set(header);
  bytes.set(content, header.length);
  return bytes;
}

/** Puts messages together from pieces of a stream. */
export class MessageDecoder {
  #pieces: Uint8Array[] = [];
  #buffered = 0;
  /** Bytes that must be there before it is worth looking again. */
  #needed = 0;

  /** The messages that `bytes` completes. Throws when the stream is not the protocol: it cannot be read on then. */
  push(bytes: Uint8Array): unknown[] {
    this.#pieces.push(bytes);
    this.#buffered += bytes.length;
    if (this.#buffered < this.#needed) return [];
    const all = this.#join();
    const messages: unknown[] = [];
    let at = 0;
    this.#needed = 0;
    for (;;) {
      const end = headerEnd(all, at);
      if (end < 0) {
        if (all.length - at > MAX_HEADER) throw new Error('the stream has no message header');
        break;
      }
      const header = new TextDecoder().decode(all.subarray(at, end));
      const length = Number(/^content-length:\s*(\d{1,9})\s*$/im.exec(header)?.[1] ?? Number.NaN);
      if (!(length <= MAX_CONTENT))
        throw new Error(`the message header has no usable Content-Length: ${JSON.stringify(header.slice(0, 100))}`);
      if (all.length < end + 4 + length) {
        this.#needed = end + 4 + length - at;
        break;
      }
      messages.push(parse(all.subarray(end + 4, end + 4 + length)));
      at = end + 4 + length;
    }
    this.#pieces = [all.slice(at)];
    this.#buffered = all.length - at;
    return messages;
  }

  #join(): Uint8Array {
    const all = new Uint8Array(this.#buffered);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

/** Content that is no JSON is no message; the stream goes on behind it. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** Index of the \r\n\r\n that ends the header, or -1. */
function headerEnd(bytes: Uint8Array, from: number): number {
  const last = Math.min(bytes.length - 4, from + MAX_HEADER);
  for (let at = from; at <= last; at++)
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  return -1;
}
