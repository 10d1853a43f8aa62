// What the decoder yields for bytes that are no instruction, or none at present (SDM volume 3, "Interrupt 6" and "Interrupt 13").

import { VECTOR } from '../state.ts';
import { insn } from './notation.ts';

/** Undefined encoding, LOCK where it is not allowed, a register where memory is needed: #UD. */
export const INVALID = insn('(bad)', [''], (b) => b.raise(VECTOR.UD), { transfers: true })[0]!;
/** The operating system has to be asked for the state first (CR0.TS): #NM. */
export const NOT_AVAILABLE = insn('(bad)', [''], (b) => b.raise(VECTOR.NM), { transfers: true })[0]!;
/** More than 15 bytes: #GP(0). */
export const TOO_LONG = insn('(bad)', [''], (b) => b.raise(VECTOR.GP, 0), { transfers: true })[0]!;
