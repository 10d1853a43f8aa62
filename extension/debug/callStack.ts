// The call stack by the chain of frame pointers (SDM volume 1, "Calling Procedures Using CALL and RET"), in 16- and 32-bit
// code and with segments as they are. Guests are assembly more often than not, so nothing is believed that does not look
// right: a return address must follow a CALL or INT, frames must go up the stack, and memory must be there.

import { hexDigits, littleEndian, wrap } from './memory.ts';
import type { Registers, Target } from './target.ts';

export interface Frame {
  /** Linear address of the next instruction (frame 0) or of the return. */
  readonly linear: number;
  /** Where to look for line and procedure: a caller is at its CALL, which is before the return address. */
  readonly inside: number;
  /** Code segment: selector and base. */
  readonly selector: number;
  readonly base: number;
  /** Frame and stack pointer as they are in this frame. */
  readonly bp: number;
  readonly sp: number;
  /** The frame was guessed from the stack's content, not from a frame pointer. */
  readonly guessed: boolean;
}

const MAX_FRAMES = 200;
/** Stack words looked at for the return address of a procedure without a frame pointer. */
const GUESS_WORDS = 16;
const PUSH_EBP = 0x55;
/** What compilers put before a procedure's PUSH EBP, for tracers and for CET: a call or its five-byte NOPs, ENDBR32. */
const PROLOGUES: readonly (readonly number[])[] = [
  [0xf3, 0x0f, 0x1e, 0xfb],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x3e, 0x8d, 0x74, 0x26, 0x00],
];
/** Bytes of a procedure before its frame is set up. */
const LONGEST_PROLOGUE = 32;
const LONGEST_CALL = 7;
const INT = 0xcd;
/** Bits of FLAGS that have one value always, and that value; above FLAGS_END EFLAGS has none (SDM volume 1, "EFLAGS Register"). */
const FLAGS_FIXED = 0x802a;
const FLAGS_SET = 2;
const FLAGS_END = 0x400000;

/** Frames from the innermost. */
export async function unwind(target: Target): Promise<Frame[]> {
  const registers = await target.registers();
  const walker = new Walker(target, registers);
  const first: Frame = {
    linear: registers.ip,
    inside: registers.ip,
    selector: registers.number('cs'),
    base: registers.number('cs_base'),
    bp: walker.mask(registers.number('ebp')),
    sp: walker.mask(registers.number('esp')),
    guessed: false,
  };
  const frames = [first];
  let frame =
    (await walker.entered(first)) ??
    (await walker.entering(first)) ??
    (await walker.interrupted(first)) ??
    (await walker.chained(first)) ??
    (await walker.guessed(first));
  while (frame && frames.length < MAX_FRAMES) {
    frames.push(frame);
    frame = await walker.chained(frame);
  }
  return frames;
}

class Walker {
  readonly #target: Target;
  readonly #registers: Registers;
  /** Bytes a near CALL pushes. */
  readonly #size: 2 | 4;

  constructor(target: Target, registers: Registers) {
    this.#target = target;
    this.#registers = registers;
    this.#size = registers.codeBits === 32 ? 4 : 2;
  }

  mask(offset: number): number {
    return this.#registers.stackBits === 16 ? offset & 0xffff : offset;
  }

  /** The caller of a procedure that has not yet set up its frame: at PUSH EBP, or at MOV EBP, ESP after it. */
  async entered(frame: Frame): Promise<Frame | undefined> {
    const code = await this.#target.read(Math.max(0, frame.linear - 1), 16);
    let at = frame.linear === 0 ? 0 : 1;
    for (const bytes of PROLOGUES) if (bytes.every((byte, n) => code[at + n] === byte)) at += bytes.length;
    const moves = (n: number): boolean => (code[n] === 0x89 && code[n + 1] === 0xe5) || (code[n] === 0x8b && code[n + 1] === 0xec);
    if (code[at] === PUSH_EBP && moves(at + 1)) return this.#caller(frame, frame.bp, frame.sp, false);
    if (frame.linear > 0 && code[0] === PUSH_EBP && moves(1)) return this.#caller(frame, frame.bp, frame.sp + this.#size, false);
    return undefined;
  }

  /** The same where compilers mix other instructions into the beginning of a procedure: what it has pushed since is on the stack. */
  async entering(frame: Frame): Promise<Frame | undefined> {
    const procedure = this.#target.symbols.near(frame.linear);
    if (!procedure?.procedure || frame.linear - procedure.address > LONGEST_PROLOGUE) return undefined;
    const { client, id } = this.#target;
    const { instructions } = await client.request('disassemble', {
      id,
      address: procedure.address,
      before: 0,
      count: LONGEST_PROLOGUE,
      bits: 0,
    });
    let pushed = 0;
    for (const { address, text } of instructions) {
      if (address >= frame.linear) break;
      if (/^push\b/.test(text)) pushed++;
      else if (/\be?[sb]p\b|^(?:j|ret|pop|leave)/.test(text)) return undefined;
    }
    return this.#caller(frame, frame.bp, frame.sp + pushed * this.#size, false);
  }

  /**
   * What an interrupt or exception handler interrupted, at the handler's first instruction: the stack has the place and FLAGS
   * (SDM volume 3, "Exception- or Interrupt-Handler Procedures"), below them perhaps an error code.
   */
  async interrupted(frame: Frame): Promise<Frame | undefined> {
    const real = this.#registers.real;
    for (const slot of real ? [frame.sp] : [frame.sp, frame.sp + this.#size]) {
      const ip = await this.#word(slot);
      const selector = await this.#word(slot + this.#size);
      const flags = await this.#word(slot + 2 * this.#size);
      if (ip === undefined || selector === undefined || flags === undefined) return undefined;
      if ((flags & FLAGS_FIXED) !== FLAGS_SET || flags >= FLAGS_END || (!real && selector !== frame.selector)) continue;
      const base = real ? selector * 16 : frame.base;
      const linear = wrap(base + ip);
      const code = await this.#target.read(wrap(linear - 2), 2);
      if (code[0] !== INT && this.#target.sources.between(linear, linear + 1).length === 0 && !this.#target.symbols.near(linear)) continue;
      const called = code[0] === INT;
      return {
        linear,
        inside: called ? wrap(linear - 1) : linear,
        selector,
        base,
        bp: frame.bp,
        sp: this.mask(slot + 3 * this.#size),
        guessed: !called,
      };
    }
    return undefined;
  }

  /** The caller by the saved frame pointer and the return address above it. */
  async chained(frame: Frame): Promise<Frame | undefined> {
    if (frame.bp < frame.sp || frame.bp === 0 || (this.#size === 4 && frame.bp % 4 !== 0)) return undefined;
    const saved = await this.#word(frame.bp);
    if (saved === undefined) return undefined;
    return this.#caller(frame, saved > frame.bp ? saved : 0, frame.bp + this.#size, false);
  }

  /** The caller of a procedure without a frame: the first word that returns behind a CALL of code at or shortly before here. */
  async guessed(frame: Frame): Promise<Frame | undefined> {
    for (let n = 0; n < GUESS_WORDS; n++) {
      const slot = frame.sp + n * this.#size;
      const ip = await this.#word(slot);
      if (ip === undefined) return undefined;
      const called = await this.#callBefore(frame.base, ip);
      if (called === undefined || called === 'indirect') continue;
      const here = this.#target.symbols.near(frame.linear);
      const there = this.#target.symbols.near(called);
      const same =
        here && there
          ? called <= frame.linear && (here === there || here.name.startsWith(`${there.name}.`))
          : called <= frame.linear && frame.linear - called < 0x100;
      if (same) return this.#caller(frame, frame.bp, slot, true);
    }
    return undefined;
  }

  /** The frame whose return address is at stack offset `slot`. */
  async #caller({ selector, base }: Frame, bp: number, slot: number, guessed: boolean): Promise<Frame | undefined> {
    const ip = await this.#word(slot);
    if (ip === undefined || (await this.#callBefore(base, ip)) === undefined) return undefined;
    const linear = wrap(base + ip);
    return { linear, inside: wrap(linear - 1), selector, base, bp: this.mask(bp), sp: this.mask(slot + this.#size), guessed };
  }

  async #word(offset: number): Promise<number | undefined> {
    const at = this.mask(offset);
    if (at + this.#size - 1 > this.#registers.number('ss_limit') && this.#registers.real) return undefined;
    const bytes = await this.#target.read(this.#registers.linear('ss', at), this.#size);
    return bytes.length < this.#size ? undefined : littleEndian(bytes, 0, this.#size);
  }

  /** Linear address that the CALL or INT before `ip` goes to, 'indirect' when memory decides; undefined when there is none. */
  async #callBefore(base: number, ip: number): Promise<number | 'indirect' | undefined> {
    if (ip > this.#registers.number('cs_limit') || ip < 2) return undefined;
    const length = Math.min(LONGEST_CALL, ip);
    const code = await this.#target.read(wrap(base + ip - length), length + 1);
    if (code.length <= length) return undefined;
    const back = (n: number): number => code[length - n] ?? 0;
    const near = 1 + this.#size;
    if (ip > near && back(near) === 0xe8) {
      const to = ip + littleEndian(code, length - this.#size, this.#size);
      return wrap(base + (this.#size === 2 ? to & 0xffff : to >>> 0));
    }
    if (ip > near + 2 && back(near + 2) === 0x9a) return 'indirect';
    // FF /2 and FF /3 with each length of addressing; INT n.
    for (let n = 2; n <= length; n++) if (back(n) === 0xff && [2, 3].includes((back(n - 1) >> 3) & 7)) return 'indirect';
    return back(2) === 0xcd ? 'indirect' : undefined;
  }
}

/** How a frame is called in the Call Stack view, which has little room: its procedure, else its logical address. */
export function frameName(target: Target, registers: Registers, frame: Frame): string {
  const symbol = target.symbols.describe(frame.linear, frame.inside);
  return symbol ?? `${hexDigits(frame.selector, 4)}:${hexDigits(wrap(frame.linear - frame.base), registers.codeBits / 4)}`;
}
