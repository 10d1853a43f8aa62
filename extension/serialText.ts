// Bytes of a serial port as terminal text: UTF-8 across batches, and a line feed without carriage return starts a new line
// as a Unix terminal's ONLCR does, since guests differ in which of the two they send.

export class SerialText {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #last = '\n';

  /** Whether what was decoded last ended a line. */
  get atLineStart(): boolean {
    return this.#last === '\n' || this.#last === '\r';
  }

  decode(bytes: Uint8Array): string {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (!text) return '';
    let result = '',
      last = this.#last;
    for (const character of text) {
      result += character === '\n' && last !== '\r' ? '\r\n' : character;
      last = character;
    }
    this.#last = last;
    return result;
  }
}
