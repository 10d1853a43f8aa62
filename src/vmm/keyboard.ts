// Keys of a US keyboard with 104 keys: by KeyboardEvent.code (W3C, "UI Events KeyboardEvent code Values"), by the characters they
// type and by the sequences terminals send for them (ECMA-48 cursor keys, xterm's function keys), with their scan codes of set 1
// (PS/2 Hardware Interface Technical Reference, "Keyboard scan codes").

/** A key; `scan` is its make code, `extended` means a prefix of E0h. */
interface Key {
  readonly code: string;
  readonly scan: number;
  readonly extended?: boolean;
  /** Character without and with Shift. */
  readonly plain?: string;
  readonly shifted?: string;
  /** What terminals send for it, without the leading ESC. */
  readonly sequences?: readonly string[];
}

const ESCAPE = '\x1b';
const EXTENDED = 0xe0;
const BREAK = 0x80;
const SHIFT = 0x2a;
const CONTROL = 0x1d;

const letter = (character: string, scan: number): Key => ({
  code: `Key${character.toUpperCase()}`,
  scan,
  plain: character,
  shifted: character.toUpperCase(),
});
const digit = (plain: string, shifted: string, scan: number): Key => ({ code: `Digit${plain}`, scan, plain, shifted });
const pad = (name: string, scan: number): Key => ({ code: `Numpad${name}`, scan });
const special = (code: string, scan: number, ...sequences: string[]): Key => ({ code, scan, extended: true, sequences });
const functionKey = (number: number, scan: number, ...sequences: string[]): Key => ({ code: `F${number}`, scan, sequences });

/** Every key but Print Screen and Pause, whose codes are no make and break of one number. */
const KEYS: readonly Key[] = [
  { code: 'Escape', scan: 0x01, plain: ESCAPE },
  digit('1', '!', 0x02),
  digit('2', '@', 0x03),
  digit('3', '#', 0x04),
  digit('4', '$', 0x05),
  digit('5', '%', 0x06),
  digit('6', '^', 0x07),
  digit('7', '&', 0x08),
  digit('8', '*', 0x09),
  digit('9', '(', 0x0a),
  digit('0', ')', 0x0b),
  { code: 'Minus', scan: 0x0c, plain: '-', shifted: '_' },
  { code: 'Equal', scan: 0x0d, plain: '=', shifted: '+' },
  { code: 'Backspace', scan: 0x0e, plain: '\b' },
  { code: 'Tab', scan: 0x0f, plain: '\t' },
  letter('q', 0x10),
  letter('w', 0x11),
  letter('e', 0x12),
  letter('r', 0x13),
  letter('t', 0x14),
  letter('y', 0x15),
  letter('u', 0x16),
  letter('i', 0x17),
  letter('o', 0x18),
  letter('p', 0x19),
  { code: 'BracketLeft', scan: 0x1a, plain: '[', shifted: '{' },
  { code: 'BracketRight', scan: 0x1b, plain: ']', shifted: '}' },
  { code: 'Enter', scan: 0x1c, plain: '\r' },
  { code: 'ControlLeft', scan: CONTROL },
  letter('a', 0x1e),
  letter('s', 0x1f),
  letter('d', 0x20),
  letter('f', 0x21),
  letter('g', 0x22),
  letter('h', 0x23),
  letter('j', 0x24),
  letter('k', 0x25),
  letter('l', 0x26),
  { code: 'Semicolon', scan: 0x27, plain: ';', shifted: ':' },
  { code: 'Quote', scan: 0x28, plain: "'", shifted: '"' },
  { code: 'Backquote', scan: 0x29, plain: '`', shifted: '~' },
  { code: 'ShiftLeft', scan: SHIFT },
  { code: 'Backslash', scan: 0x2b, plain: '\\', shifted: '|' },
  letter('z', 0x2c),
  letter('x', 0x2d),
  letter('c', 0x2e),
  letter('v', 0x2f),
  letter('b', 0x30),
  letter('n', 0x31),
  letter('m', 0x32),
  { code: 'Comma', scan: 0x33, plain: ',', shifted: '<' },
  { code: 'Period', scan: 0x34, plain: '.', shifted: '>' },
  { code: 'Slash', scan: 0x35, plain: '/', shifted: '?' },
  { code: 'ShiftRight', scan: 0x36 },
  pad('Multiply', 0x37),
  { code: 'AltLeft', scan: 0x38 },
  { code: 'Space', scan: 0x39, plain: ' ' },
  { code: 'CapsLock', scan: 0x3a },
  functionKey(1, 0x3b, 'OP', '[11~'),
  functionKey(2, 0x3c, 'OQ', '[12~'),
  functionKey(3, 0x3d, 'OR', '[13~'),
  functionKey(4, 0x3e, 'OS', '[14~'),
  functionKey(5, 0x3f, '[15~'),
  functionKey(6, 0x40, '[17~'),
  functionKey(7, 0x41, '[18~'),
  functionKey(8, 0x42, '[19~'),
  functionKey(9, 0x43, '[20~'),
  functionKey(10, 0x44, '[21~'),
  { code: 'NumLock', scan: 0x45 },
  { code: 'ScrollLock', scan: 0x46 },
  pad('7', 0x47),
  pad('8', 0x48),
  pad('9', 0x49),
  pad('Subtract', 0x4a),
  pad('4', 0x4b),
  pad('5', 0x4c),
  pad('6', 0x4d),
  pad('Add', 0x4e),
  pad('1', 0x4f),
  pad('2', 0x50),
  pad('3', 0x51),
  pad('0', 0x52),
  pad('Decimal', 0x53),
  { code: 'IntlBackslash', scan: 0x56 },
  functionKey(11, 0x57, '[23~'),
  functionKey(12, 0x58, '[24~'),
  special('NumpadEnter', 0x1c),
  special('ControlRight', 0x1d),
  special('NumpadDivide', 0x35),
  special('AltRight', 0x38),
  special('Home', 0x47, '[H', 'OH', '[1~'),
  special('ArrowUp', 0x48, '[A', 'OA'),
  special('PageUp', 0x49, '[5~'),
  special('ArrowLeft', 0x4b, '[D', 'OD'),
  special('ArrowRight', 0x4d, '[C', 'OC'),
  special('End', 0x4f, '[F', 'OF', '[4~'),
  special('ArrowDown', 0x50, '[B', 'OB'),
  special('PageDown', 0x51, '[6~'),
  special('Insert', 0x52, '[2~'),
  special('Delete', 0x53, '[3~'),
  special('MetaLeft', 0x5b),
  special('MetaRight', 0x5c),
  special('ContextMenu', 0x5d),
];

const PRINT_SCREEN = { make: [0xe0, 0x2a, 0xe0, 0x37], break: [0xe0, 0xb7, 0xe0, 0xaa] };
/** Pause sends everything when it is pressed and nothing when it is released. */
const PAUSE = { make: [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], break: [] };

/** Scan codes of set 1 of a key. */
export interface KeyCodes {
  /** Sent when the key is pressed, and again while it is held. */
  readonly make: readonly number[];
  /** Sent when it is released. */
  readonly break: readonly number[];
}

function codesOf({ scan, extended }: Key): KeyCodes {
  const prefix = extended ? [EXTENDED] : [];
  return { make: [...prefix, scan], break: [...prefix, scan | BREAK] };
}

const BY_CODE = new Map<string, KeyCodes>([
  ...KEYS.map((key): [string, KeyCodes] => [key.code, codesOf(key)]),
  ['PrintScreen', PRINT_SCREEN],
  ['Pause', PAUSE],
]);

/** Names of all keys, as KeyboardEvent.code has them. */
export const KEY_CODES: readonly string[] = [...BY_CODE.keys()];

/** Scan codes of the key with this KeyboardEvent.code, or null when the keyboard has no such key. */
export function keyCodes(code: string): KeyCodes | null {
  return BY_CODE.get(code) ?? null;
}

/** Presses and releases a key while others are held. */
function stroke(key: Key, held: readonly number[] = []): number[] {
  const codes = codesOf(key);
  return [...held, ...codes.make, ...codes.break, ...held.toReversed().map((scan) => scan | BREAK)];
}

const BY_CHARACTER = new Map<string, readonly number[]>();
const BY_SEQUENCE = new Map<string, readonly number[]>();
for (const key of KEYS) {
  const { plain, shifted } = key;
  if (plain !== undefined) BY_CHARACTER.set(plain, stroke(key));
  if (shifted !== undefined) BY_CHARACTER.set(shifted, stroke(key, [SHIFT]));
  for (const sequence of key.sequences ?? []) BY_SEQUENCE.set(sequence, stroke(key));
}
for (const key of KEYS) {
  // Ctrl with a letter or one of [ \ ] types the character's low five bits; those that have keys of their own keep them.
  const { plain } = key;
  if (plain === undefined || !/^[a-z[\\\]]$/.test(plain)) continue;
  const control = String.fromCharCode(plain.charCodeAt(0) & 0x1f);
  if (!BY_CHARACTER.has(control)) BY_CHARACTER.set(control, stroke(key, [CONTROL]));
}
// A line feed is the Enter key's other name, DEL is what terminals send for Backspace; the codes are those of the key's row.
for (const [alias, character] of [
  ['\n', '\r'],
  ['\x7f', '\b'],
])
  BY_CHARACTER.set(alias, BY_CHARACTER.get(character) ?? []);
const LONGEST_SEQUENCE = Math.max(...[...BY_SEQUENCE.keys()].map((sequence) => sequence.length));

/** Presses and releases that type one character on a US keyboard with Caps Lock off, or null when no key does. */
export function characterCodes(character: string): readonly number[] | null {
  return BY_CHARACTER.get(character) ?? null;
}

/**
 * Presses and releases that type a text, or what a terminal sends: characters, control characters and the sequences of cursor and
 * function keys. Characters that no key types are left out.
 */
export function textCodes(text: string): Uint8Array {
  const codes: number[] = [];
  for (let index = 0; index < text.length; ) {
    const sequence = text[index] === ESCAPE ? sequenceAt(text, index + 1) : '';
    if (sequence !== '') {
      codes.push(...(BY_SEQUENCE.get(sequence) ?? []));
      index += 1 + sequence.length;
    } else {
      codes.push(...(BY_CHARACTER.get(text[index]) ?? []));
      index++;
    }
  }
  return Uint8Array.from(codes);
}

function sequenceAt(text: string, start: number): string {
  for (let length = LONGEST_SEQUENCE; length > 0; length--) {
    const sequence = text.slice(start, start + length);
    if (sequence.length === length && BY_SEQUENCE.has(sequence)) return sequence;
  }
  return '';
}
