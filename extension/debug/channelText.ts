// Output of a guest as text: each channel is UTF-8 of its own, whose characters may come in pieces.

export class ChannelText {
  readonly #decoders = new Map<string, TextDecoder>();

  /** What the bytes complete. */
  decode(channel: string, bytes: Uint8Array): string {
    let decoder = this.#decoders.get(channel);
    if (!decoder) this.#decoders.set(channel, (decoder = new TextDecoder()));
    return decoder.decode(bytes, { stream: true });
  }
}
