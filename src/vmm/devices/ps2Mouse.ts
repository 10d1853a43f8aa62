// The mouse at the 8042's auxiliary port (IBM PS/2 Hardware Interface Technical Reference, "Mouse"), with the wheel of Microsoft's
// IntelliMouse and the two further buttons of its Explorer ("Plug and Play External PS/2 Mouse", and Windows' wheel protocol).
//   commands E6/E7 scaling 1:1 and 2:1, E8 resolution, E9 status, EA stream mode, EB read data, EC end of wrap mode, EE wrap mode,
//   F0 remote mode, F2 identify, F3 sample rate, F4 enable, F5 disable, F6 defaults, FE resend, FF reset
// Sample rates 200, 100, 80 in this order turn the wheel on (identity 3), 200, 200, 80 then the further buttons (4). What moves
// between two samples is added up; what one packet cannot hold comes with the next.

import { CYCLES_PER_SECOND } from '../timers.ts';
import { byte, bytes, flag, integer, record, time } from './fields.ts';

const ACK = 0xfa;
const ERROR = 0xfc;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
const SET_RESOLUTION = 0xe8;
const SET_RATE = 0xf3;
const RATES = [10, 20, 40, 60, 80, 100, 200];

const RATES_KEPT = 4;
const ANSWERS = 16;
/** Counts that wait for a packet at most: more is not believed of a hand. */
const MOST = 0x7fff;
/** Bits of the first byte of a packet. */
const PACKET = { ALWAYS: 0x08, X_SIGN: 0x10, Y_SIGN: 0x20, X_OVERFLOW: 0x40, Y_OVERFLOW: 0x80 } as const;

const counts = () => integer(0, -MOST, MOST);
/** The mouse's state, saved with its controller. */
export const MOUSE = record({
  enabled: flag(),
  remote: flag(),
  wrap: flag(),
  scaling: flag(),
  resolution: integer(2, 0, 3),
  rate: integer(100, 10, 200),
  /** The last sample rates that were set, for the wheel. */
  rates: bytes(RATES_KEPT),
  identity: byte(),
  /** Command that waits for its argument, 0 for none. */
  command: byte(),
  lastSent: byte(),
  /** Left, right, middle, fourth and fifth button in bits 0 to 4, now and as the last packet had them. */
  buttons: byte(),
  told: byte(),
  x: counts(),
  y: counts(),
  wheel: counts(),
  answers: bytes(ANSWERS),
  answersHead: integer(0, 0, ANSWERS - 1),
  answersCount: integer(0, 0, ANSWERS),
  /** Cycle from which the next packet may be made. */
  sampleAt: time(0),
});

/** What hands do: counts to the right, down and towards the user, and the buttons that are down. */
export interface MouseInput {
  readonly x: number;
  readonly y: number;
  readonly wheel: number;
  readonly buttons: number;
}

const clamp = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

export class Ps2Mouse {
  state = MOUSE.initial();

  move({ x, y, wheel, buttons }: MouseInput): void {
    const { state } = this;
    state.x = clamp(state.x + x, MOST);
    // A mouse counts up, a screen down.
    state.y = clamp(state.y - y, MOST);
    state.wheel = clamp(state.wheel + wheel, MOST);
    state.buttons = buttons & 0x1f;
  }

  /** Cycle from which there is a byte to send; Infinity: none. */
  get waitsFrom(): number {
    const { state } = this;
    if (state.answersCount > 0) return 0;
    const streams = state.enabled && !state.remote && !state.wrap && state.command === 0;
    const news = state.buttons !== state.told || state.x !== 0 || state.y !== 0 || (state.wheel !== 0 && state.identity !== 0);
    return streams && news ? state.sampleAt : Infinity;
  }

  /** The next byte on the line; `now` is not before `waitsFrom`. */
  send(now: number): number {
    const { state } = this;
    if (state.answersCount === 0) {
      state.sampleAt = now + Math.floor(CYCLES_PER_SECOND / state.rate);
      this.packet(state.scaling);
    }
    state.lastSent = state.answers[state.answersHead];
    state.answersHead = (state.answersHead + 1) % ANSWERS;
    state.answersCount--;
    return state.lastSent;
  }

  /** A byte from the system: a command or the argument of the last one. */
  write(value: number): void {
    const { state } = this;
    if (state.wrap && value !== 0xff && value !== 0xec) {
      this.answer(value);
      return;
    }
    // What was not yet sent is not sent any more.
    state.answersCount = 0;
    const { command } = state;
    state.command = 0;
    if (command !== 0 && value < 0xe6) this.argument(command, value);
    else this.command(value);
  }

  private command(value: number): void {
    const { state } = this;
    switch (value) {
      case 0xe6:
      case 0xe7:
        state.scaling = value === 0xe7;
        return this.answer(ACK);
      case SET_RESOLUTION:
      case SET_RATE:
        state.command = value;
        return this.answer(ACK);
      case 0xe9:
        return this.answer(ACK, this.status(), state.resolution, state.rate);
      case 0xea:
      case 0xf0:
        state.remote = value === 0xf0;
        this.forget();
        return this.answer(ACK);
      case 0xeb:
        this.answer(ACK);
        return this.packet(false);
      case 0xec:
      case 0xee:
        state.wrap = value === 0xee;
        this.forget();
        return this.answer(ACK);
      case 0xf2:
        return this.answer(ACK, state.identity);
      case 0xf4:
      case 0xf5:
        state.enabled = value === 0xf4;
        this.forget();
        return this.answer(ACK);
      case 0xf6:
        this.setDefaults();
        return this.answer(ACK);
      case RESEND:
        return this.answer(state.lastSent);
      case 0xff:
        this.setDefaults();
        state.identity = 0;
        state.rates.fill(0);
        return this.answer(ACK, SELF_TEST_PASSED, 0);
      default:
        return this.answer(RESEND);
    }
  }

  private argument(command: number, value: number): void {
    const { state } = this;
    if (command === SET_RESOLUTION && value <= 3) state.resolution = value;
    else if (command === SET_RATE && RATES.includes(value)) {
      state.rate = value;
      state.rates.copyWithin(0, 1);
      state.rates[RATES_KEPT - 1] = value;
      const [first, second, third] = state.rates.subarray(RATES_KEPT - 3);
      if (first === 200 && third === 80) {
        if (second === 100 && state.identity === 0) state.identity = 3;
        else if (second === 200 && state.identity === 3) state.identity = 4;
      }
    } else return this.answer(ERROR);
    this.answer(ACK);
  }

  private status(): number {
    const { state } = this,
      { buttons } = state;
    // Left, middle, right from bit 2 down.
    const shown = ((buttons & 1) << 2) | ((buttons & 4) >> 1) | ((buttons & 2) >> 1);
    return shown | (state.scaling ? 0x10 : 0) | (state.enabled ? 0x20 : 0) | (state.remote ? 0x40 : 0);
  }

  /** Puts a packet of what has happened since the last one into the buffer. */
  private packet(scaled: boolean): void {
    const { state } = this,
      x = clamp(state.x, 0xff),
      y = clamp(state.y, 0xff);
    state.x -= x;
    state.y -= y;
    state.told = state.buttons;
    const [shownX, shownY] = scaled ? [doubled(x), doubled(y)] : [x, y];
    const [outX, outY] = [clamp(shownX, 0xff), clamp(shownY, 0xff)];
    this.answer(
      PACKET.ALWAYS |
        (state.buttons & 7) |
        (outX < 0 ? PACKET.X_SIGN : 0) |
        (outY < 0 ? PACKET.Y_SIGN : 0) |
        (outX === shownX ? 0 : PACKET.X_OVERFLOW) |
        (outY === shownY ? 0 : PACKET.Y_OVERFLOW),
      outX & 0xff,
      outY & 0xff,
    );
    if (state.identity === 0) {
      state.wheel = 0;
      return;
    }
    const wheel = clamp(state.wheel, 7);
    state.wheel -= wheel;
    this.answer(state.identity === 4 ? (wheel & 0x0f) | ((state.buttons & 0x18) << 1) : wheel & 0xff);
  }

  private forget(): void {
    const { state } = this;
    state.x = state.y = state.wheel = 0;
    state.told = state.buttons;
  }

  private setDefaults(): void {
    const { state } = this;
    this.forget();
    state.enabled = state.remote = state.wrap = state.scaling = false;
    state.resolution = 2;
    state.rate = 100;
  }

  /** Answers that a system does not read are lost when the buffer is full. */
  private answer(...values: number[]): void {
    const { state } = this;
    for (const value of values) {
      if (state.answersCount < ANSWERS) state.answers[(state.answersHead + state.answersCount++) % ANSWERS] = value & 0xff;
    }
  }
}

/** Scaling 2:1 of counts up to 5; above, twice as many. */
function doubled(counted: number): number {
  const size = Math.abs(counted),
    scaled = [0, 1, 1, 3, 6, 9][size] ?? 2 * size;
  return counted < 0 ? -scaled : scaled;
}
