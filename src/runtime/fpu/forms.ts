// What the dispatch table of the x87 holds.

/** An instruction with a memory operand: segment register, offset, operand size 16 or 32. */
export type MemoryForm = (segment: number, offset: number, size: number) => void;
/** An instruction on registers: ST(i) of the ModRM byte. */
export type RegisterForm = (i: number) => void;
