// The keyboard at the end of the 8042's serial line (IBM PS/2 Hardware Interface Technical Reference, "Keyboard"): commands from
// the system and scan codes to it. The host gives keys as set 1 codes; the keyboard sends them in the set that the system chose
// (2 after power-on), and the controller usually translates them back.
//   commands ED indicators, EE echo, F0 scan code set (1, 2, or 0 to ask), F2 identify, F3 typematic, F4 enable, F5 disable,
//   F6 defaults, FE resend, FF reset
// Left out on purpose: scan code set 3, the indicators themselves, typematic repetition (the host's keyboard repeats).

import { byte, bytes, flag, integer, record } from './fields.ts';
import { RELEASE, RELEASE_BIT, set2OfSet1 } from './scanCodes.ts';

const SET_INDICATORS = 0xed;
const ECHO = 0xee;
const SET_SCAN_CODES = 0xf0;
const IDENTIFY = 0xf2;
const SET_TYPEMATIC = 0xf3;
const ENABLE = 0xf4;
const DISABLE = 0xf5;
const SET_DEFAULTS = 0xf6;
const RESEND = 0xfe;
const RESET = 0xff;
const ACK = 0xfa;
const SELF_TEST_PASSED = 0xaa;
const IDENTITY = [0xab, 0x83];
const EXTENDED = 0xe0;
const PAUSE_PREFIX = 0xe1;
const FIRST_COMMAND = SET_INDICATORS;

/** Bytes of keys that wait; far more than the 17 of a real keyboard, so that pasted text is not lost. */
const KEYS = 4096;
const ANSWERS = 16;

/** The keyboard's state, saved with its controller. */
export const KEYBOARD = record({
  set: integer(2, 1, 2),
  scanning: flag(true),
  /** Command that waits for its argument, 0 for none. */
  command: byte(),
  lastSent: byte(),
  answers: bytes(ANSWERS),
  answersHead: integer(0, 0, ANSWERS - 1),
  answersCount: integer(0, 0, ANSWERS),
  keys: bytes(KEYS),
  keysHead: integer(0, 0, KEYS - 1),
  keysCount: integer(0, 0, KEYS),
});

export class Ps2Keyboard {
  state = KEYBOARD.initial();

  /** Keys as set 1 codes; false when they do not all fit and none was taken. A keyboard told not to scan loses them. */
  press(set1: ArrayLike<number>): boolean {
    const { state } = this;
    if (!state.scanning) return true;
    const codes: number[] = [];
    for (let index = 0; index < set1.length; index++) {
      const code = set1[index] & 0xff;
      if (code === EXTENDED || code === PAUSE_PREFIX || state.set === 1) codes.push(code);
      else if (code & RELEASE_BIT) codes.push(RELEASE, set2OfSet1(code));
      else codes.push(set2OfSet1(code));
    }
    if (codes.length > KEYS - state.keysCount) return false;
    for (const code of codes) state.keys[(state.keysHead + state.keysCount++) % KEYS] = code;
    return true;
  }

  /** There is a byte to send. */
  get waiting(): boolean {
    return this.state.answersCount > 0 || (this.state.keysCount > 0 && this.state.command === 0);
  }

  /** The next byte on the line; answers go before keys. */
  send(): number {
    const { state } = this;
    if (state.answersCount > 0) {
      state.lastSent = state.answers[state.answersHead];
      state.answersHead = (state.answersHead + 1) % ANSWERS;
      state.answersCount--;
    } else if (state.keysCount > 0) {
      state.lastSent = state.keys[state.keysHead];
      state.keysHead = (state.keysHead + 1) % KEYS;
      state.keysCount--;
    }
    return state.lastSent;
  }

  /** A byte from the system: a command or the argument of the last one. */
  write(value: number): void {
    const { state } = this;
    const { command } = state;
    state.command = 0;
    if (command !== 0 && value < FIRST_COMMAND) this.argument(command, value);
    else this.command(value);
  }

  private command(value: number): void {
    switch (value) {
      case SET_INDICATORS:
      case SET_SCAN_CODES:
      case SET_TYPEMATIC:
        this.state.command = value;
        this.answer(ACK);
        break;
      case ECHO:
        this.answer(ECHO);
        break;
      case IDENTIFY:
        this.answer(ACK, ...IDENTITY);
        break;
      case ENABLE:
        this.dropKeys();
        this.state.scanning = true;
        this.answer(ACK);
        break;
      case DISABLE:
      case SET_DEFAULTS:
        this.setDefaults();
        this.state.scanning = value === SET_DEFAULTS;
        this.answer(ACK);
        break;
      case RESEND:
        this.answer(this.state.lastSent);
        break;
      case RESET:
        this.setDefaults();
        this.answer(ACK, SELF_TEST_PASSED);
        break;
      default:
        this.answer(RESEND);
    }
  }

  private argument(command: number, value: number): void {
    if (command !== SET_SCAN_CODES) this.answer(ACK);
    else if (value === 0) this.answer(ACK, this.state.set);
    else if (value === 1 || value === 2) {
      this.dropKeys();
      this.state.set = value;
      this.answer(ACK);
    } else this.answer(RESEND);
  }

  private setDefaults(): void {
    this.dropKeys();
    this.state.set = 2;
    this.state.scanning = true;
  }

  private dropKeys(): void {
    this.state.keysCount = 0;
  }

  /** Answers that a system does not read are lost when the buffer is full. */
  private answer(...values: number[]): void {
    const { state } = this;
    for (const value of values) {
      if (state.answersCount < ANSWERS) state.answers[(state.answersHead + state.answersCount++) % ANSWERS] = value;
    }
  }
}
