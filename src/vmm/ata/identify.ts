// The words of IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA/ATAPI-6, sections of these commands).

/** What a device says about itself. */
export interface Identity {
  readonly serial: string;
  readonly model: string;
  /** 256 words at their places; the texts and the checksum are added. */
  readonly words: ReadonlyMap<number, number>;
}

const FIRMWARE = '1.0';

/** 512 bytes. */
export function identifyData({ serial, model, words }: Identity): Uint8Array {
  const bytes = new Uint8Array(512),
    view = new DataView(bytes.buffer);
  for (const [word, value] of words) view.setUint16(word * 2, value & 0xffff, true);
  text(bytes, 10, 10, serial);
  text(bytes, 23, 4, FIRMWARE);
  text(bytes, 27, 20, model);
  bytes[510] = 0xa5;
  bytes[511] = -bytes.reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

/** Text in words: the first character of a pair is the high byte; blanks fill up. */
function text(bytes: Uint8Array, word: number, words: number, value: string): void {
  const padded = value.padEnd(words * 2, ' ');
  for (let n = 0; n < words * 2; n++) bytes[word * 2 + (n ^ 1)] = padded.charCodeAt(n);
}

/** Two words of a 32-bit number. */
export const double = (word: number, value: number): [number, number][] => [
  [word, value & 0xffff],
  [word + 1, Math.floor(value / 65536) & 0xffff],
];

/** Modes that are supported, and the one that SET FEATURES chose (section "SET FEATURES", "Transfer mode"). */
const MULTIWORD_DMA = 0x20,
  ULTRA_DMA = 0x40;
const MOST_MULTIWORD = 2,
  MOST_ULTRA = 5;
export function transferWords(mode: number): [number, number][] {
  const chosen = (kind: number): number => ((mode & 0xf8) === kind ? 0x100 << (mode & 7) : 0);
  return [
    [63, ((1 << (MOST_MULTIWORD + 1)) - 1) | chosen(MULTIWORD_DMA)],
    // PIO modes 3 and 4, all cycle times 120 ns.
    [64, 0x0003],
    ...[65, 66, 67, 68].map((word): [number, number] => [word, 120]),
    [88, ((1 << (MOST_ULTRA + 1)) - 1) | chosen(ULTRA_DMA)],
  ];
}
/** Whether SET FEATURES may choose a mode: PIO 0-4, the multiword and ultra DMA modes above. */
export function isTransferMode(mode: number): boolean {
  const number = mode & 7;
  switch (mode & 0xf8) {
    case 0x00:
      return number <= 1;
    case 0x08:
      return number <= 4;
    case MULTIWORD_DMA:
      return number <= MOST_MULTIWORD;
    case ULTRA_DMA:
      return number <= MOST_ULTRA;
    default:
      return false;
  }
}
