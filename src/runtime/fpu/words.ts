// Bits of the x87's control and status words (SDM volume 1, "x87 FPU Status Register", "x87 FPU Control Word"). The mask bits
// of the control word have the places of the exceptions' flags in the status word.

/** Exception flags: invalid operation, denormal operand, zero divide, overflow, underflow, precision (inexact). */
export const IE = 1,
  DE = 2,
  ZE = 4,
  OE = 8,
  UE = 0x10,
  PE = 0x20;
export const EXCEPTIONS = 0x3f;
/** Exceptions found before an operation is done: unmasked, they leave the operands as they were. */
export const BEFORE = IE | DE | ZE;
/** Stack fault, error summary, condition codes, top of stack (3 bits), busy. */
export const SF = 0x40,
  ES = 0x80,
  C0 = 0x100,
  C1 = 0x200,
  C2 = 0x400,
  C3 = 0x4000,
  TOP_SHIFT = 11,
  TOP = 7 << TOP_SHIFT,
  BUSY = 0x8000;

/** Control word after FNINIT: all exceptions masked, 64 bits of precision, to nearest. */
export const INITIAL_CONTROL = 0x37f;
/** Bits of the control word that can be written; bit 6 reads as 1. */
export const CONTROL_BITS = 0x1f3f,
  CONTROL_FIXED = 0x40;
/** Precision control: 64 bits whatever the guest chose, for operations that it does not govern. */
export const FULL_PRECISION = 0x300;

/** Rounding control, bits 10 and 11. */
export const ROUND = { NEAREST: 0, DOWN: 1, UP: 2, ZERO: 3 } as const;
export const roundingOf = (control: number): number => (control >> 10) & 3;
/** Significant bits that precision control asks for; its reserved value acts as 64 bits. */
export function precisionOf(control: number): number {
  const pc = (control >> 8) & 3;
  return pc === 0 ? 24 : pc === 2 ? 53 : 64;
}
