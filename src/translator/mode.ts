// The mode word: every property of the processor's state that the meaning of code depends on, so that code decoded or
// translated under one mode word is right whenever the word is the same. runtime/mode.ts computes it.

/** Bits of S.MODE. */
export const MODE = {
  /** CS.D: default operand and address size 32. */
  CODE32: 1,
  /** SS.B: the stack pointer is ESP, else SP. */
  STACK32: 2,
  /** CPL is 3. */
  USER: 4,
  /** The segment has base 0 and may be read and written up to 4 GiB (CS: read and executed). */
  FLAT_DS: 8,
  FLAT_ES: 16,
  FLAT_SS: 32,
  FLAT_CS: 64,
  /** CR0.PE is set and EFLAGS.VM is clear. */
  PROTECTED: 128,
  /** Virtual-8086 mode. */
  VM86: 256,
  /** CR0.EM or CR0.TS is set: x87 instructions raise #NM, MMX and SSE instructions by TS. */
  NO_FPU: 512,
  /** CR0.EM is set: MMX and SSE instructions are undefined. */
  EMULATE: 1024,
  /** CR4.OSFXSR is set: the operating system saves the XMM registers. */
  OSFXSR: 2048,
  /** CR4.SMAP and EFLAGS.AC are set below CPL 3: user pages are open to the supervisor. */
  OPEN: 1 << 24,
} as const;
