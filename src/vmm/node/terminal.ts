// The terminal that the command line runs in: standard input to the guest's serial port, with QEMU's escape (Ctrl-A x quits,
// Ctrl-A Ctrl-A sends Ctrl-A) when input is a terminal. The terminal is given back as it was when the program ends.

const CTRL_A = 0x01,
  CTRL_C = 0x03;

export interface TerminalHandlers {
  input(bytes: Uint8Array): void;
  quit(): void;
}

/** What a chunk of typed bytes means: bytes for the guest, and whether the user wants out. */
export class EscapeFilter {
  readonly #controlC: boolean;
  #escaped = false;

  /** `controlC`: Ctrl-C goes to the guest instead of ending the program. */
  constructor(controlC: boolean) {
    this.#controlC = controlC;
  }

  take(chunk: Uint8Array): { bytes: Uint8Array; quit: boolean } {
    const bytes: number[] = [];
    for (const byte of chunk) {
      if (this.#escaped) {
        this.#escaped = false;
        if (byte === 0x78) return { bytes: Uint8Array.from(bytes), quit: true };
        if (byte === CTRL_A) bytes.push(CTRL_A);
      } else if (byte === CTRL_A) this.#escaped = true;
      else if (byte === CTRL_C && !this.#controlC) return { bytes: Uint8Array.from(bytes), quit: true };
      else bytes.push(byte);
    }
    return { bytes: Uint8Array.from(bytes), quit: false };
  }
}

/** Reads standard input until the result is called. */
export function openTerminal(controlC: boolean, handlers: TerminalHandlers): () => void {
  const { stdin } = process;
  const raw = stdin.isTTY === true;
  const filter = raw ? new EscapeFilter(controlC) : null;
  const onData = (chunk: Uint8Array): void => {
    const { bytes, quit } = filter ? filter.take(chunk) : { bytes: new Uint8Array(chunk), quit: false };
    if (bytes.length > 0) handlers.input(bytes);
    if (quit) handlers.quit();
  };
  if (raw) stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.resume();
  return () => {
    stdin.off('data', onData);
    stdin.pause();
    if (raw) stdin.setRawMode(false);
  };
}
