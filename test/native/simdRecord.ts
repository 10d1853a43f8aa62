// The state around one MMX or SSE instruction as words, for test/native/simdRunner.c and the virtual processor, and how a
// result is kept: one line of text with the seed of the input, the instruction's bytes and the words that changed.

/** First word of each part. Data: 64 bytes of memory that an operand may be in. */
export const WORD = { REGS: 0, EFLAGS: 8, MXCSR: 9, FCW: 10, FSW: 11, TAGS: 12, PHYSICAL: 13, XMM: 37, DATA: 69, COUNT: 85 } as const;
/** Where the runner puts code and data. */
export const PLACE = { CODE: 0x200000, DATA: 0x10000, AT: 0x800, OPERAND: 0x400 } as const;
const CODE_BYTES = 16,
  RECORD_BYTES = 4 * WORD.COUNT + CODE_BYTES + 4;

export interface SimdInput {
  readonly words: Int32Array;
  readonly code: readonly number[];
}
/** Words after the instruction, and the vector of what it raised (0: nothing). */
export interface SimdOutput {
  readonly words: Int32Array;
  readonly trap: number;
}

export function encodeRecord({ words, code }: SimdInput): Buffer {
  const out = Buffer.alloc(RECORD_BYTES);
  words.forEach((word, n) => {
    out.writeInt32LE(word, 4 * n);
  });
  Buffer.from(code).copy(out, 4 * WORD.COUNT);
  out.writeInt32LE(code.length, 4 * WORD.COUNT + CODE_BYTES);
  return out;
}
export function decodeRecords(bytes: Buffer): SimdOutput[] {
  return Array.from({ length: Math.floor(bytes.length / RECORD_BYTES) }, (_, n) => {
    const at = n * RECORD_BYTES;
    return {
      words: Int32Array.from({ length: WORD.COUNT }, (_word, k) => bytes.readInt32LE(at + 4 * k)),
      trap: bytes.readInt32LE(at + 4 * WORD.COUNT + CODE_BYTES),
    };
  });
}

const hex = (n: number): string => (n >>> 0).toString(16);
export function simdLine(seed: number, input: SimdInput, { words, trap }: SimdOutput): string {
  const changes = [...words].flatMap((word, n) => (word === input.words[n] ? [] : [`${n}:${hex(word)}`]));
  return `${seed} ${Buffer.from(input.code).toString('hex')} ${trap} ${changes.join(' ')}`.trimEnd();
}
/** The line's output, given the input that its seed makes. */
export function parseSimdLine(line: string, inputOf: (seed: number) => SimdInput | undefined): { input: SimdInput; output: SimdOutput } {
  const [seed, code, trap, ...changes] = line.split(' '),
    input = inputOf(Number(seed));
  if (!input || Buffer.from(input.code).toString('hex') !== code)
    throw new Error(`the generator no longer makes the input of '${line}': npm run simd-vectors`);
  const words = input.words.slice();
  for (const change of changes) {
    const [n, value] = change.split(':');
    words[Number(n)] = Number.parseInt(value!, 16);
  }
  return { input, output: { words, trap: Number(trap) } };
}
/** A word's name and where in it. */
export function nameOf(word: number): string {
  const from = (first: number, name: string, per: number): string => {
    const n = Math.floor((word - first) / per);
    return `${name}${n}${per > 1 ? `.${(word - first) % per}` : ''}`;
  };
  if (word < WORD.EFLAGS) return from(WORD.REGS, 'register ', 1);
  if (word < WORD.PHYSICAL) return ['eflags', 'mxcsr', 'fcw', 'fsw', 'tags'][word - WORD.EFLAGS]!;
  if (word < WORD.XMM) return from(WORD.PHYSICAL, 'mm', 3);
  return word < WORD.DATA ? from(WORD.XMM, 'xmm', 4) : from(WORD.DATA, 'data ', 1);
}
