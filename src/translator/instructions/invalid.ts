// What the decoder yields for bytes that are no instruction (SDM volume 3, "Interrupt 6" and "Interrupt 13").

import { VECTOR } from '../state.ts';
import { insn } from './notation.ts';

/** Undefined encoding, LOCK where it is not allowed, a register where memory is needed: #UD. */
export const INVALID = insn('(bad)', [''], (b) => b.raise(VECTOR.UD), { transfers: true })[0]!;
/** More than 15 bytes: #GP(0). */
export const TOO_LONG = insn('(bad)', [''], (b) => b.raise(VECTOR.GP, 0), { transfers: true })[0]!;
