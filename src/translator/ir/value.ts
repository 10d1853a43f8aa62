// What instruction semantics are recorded as: micro-ops and the values they yield, the operands of an instruction, and what
// its surroundings say about memory. ir/builder.ts records them, ir/print.ts prints them.

import type { PureName } from './ops.ts';

export type Width = 8 | 16 | 32;
/** A number known now, or the text of the record field that holds it when a handler serves many instructions. */
export type Known = number | string;

export type EffectName =
  | 'const'
  | 'gpr'
  | 'setGpr'
  | 'state'
  | 'setState'
  | 'next'
  | 'self'
  | 'load'
  | 'modify'
  | 'store'
  | 'storeModified'
  | 'probe'
  | 'elements'
  | 'loadWords'
  | 'storeWords'
  | 'vector'
  | 'offset'
  | 'flags'
  | 'flagsRotate'
  | 'condition'
  | 'arithmeticFlags'
  | 'if'
  | 'else'
  | 'end'
  | 'call'
  | 'attempt'
  | 'second'
  | 'raise'
  | 'raiseIf'
  | 'jump'
  | 'branch';
/** A recorded micro-op and the value it yields. */
export interface Value {
  readonly op: PureName | EffectName;
  readonly a?: Value;
  readonly b?: Value;
  readonly c?: Value;
  readonly d?: Value;
  /** Register number, state word, constant, condition code, flags kind, call name, name of an element loop, vector. */
  readonly k: Known;
  readonly w: Width;
  /** Segment of a memory access. */
  readonly seg: Known;
  /** State words that an access reads or writes at once. */
  readonly words?: number;
  /** How many recorded ops still read it. */
  uses: number;
}

export type Operand =
  | { readonly kind: 'reg'; readonly w: Width; readonly n: Known }
  | { readonly kind: 'imm'; readonly w: Width; readonly value: Known }
  | { readonly kind: 'sreg'; readonly w: Width; readonly n: Known }
  | VectorOperand
  | MemoryOperand;
/** An MMX or XMM register: its first state word. */
export interface VectorOperand {
  readonly kind: 'vector';
  readonly word: Known;
  /** It is read and written in words. */
  readonly w: 32;
  /** Bytes of it that are used as a source. */
  readonly bytes: number;
}
export interface MemoryOperand {
  readonly kind: 'mem';
  readonly w: Width;
  readonly seg: Known;
  /** Parts of the effective address; absent when `offset` is given or the record holds it. */
  readonly address?: AddressParts;
  /** Offset already computed. */
  readonly offset?: Value;
  /** Size of an operand that could be a vector register as well. */
  readonly bytes?: number;
}
/** Effective address (SDM volume 2, "Addressing-Mode Encoding of ModR/M and SIB Bytes"); -1 = no base, no index. */
export interface AddressParts {
  readonly base: number;
  readonly index: number;
  readonly shift: number;
  readonly disp: number;
  readonly width: 16 | 32;
}

/**
 * Loops over elements in flat segments (runtime/elements.ts), by what their iterations do: MOVS, STOS, and CMPS and SCAS as long as the
 * elements are equal or as long as they are not.
 */
export type ElementLoop = 'copy' | 'fill' | 'compareEqual' | 'compareUnequal' | 'scanEqual' | 'scanUnequal';

/** What the surroundings of an instruction say about its memory accesses. */
export interface MemoryModel {
  /** Segments known to be flat: base 0, limit 4 GiB, accesses allowed. */
  flat(seg: Known): boolean;
  /** Bits of ESP that address the stack; undefined when only known at run time. */
  readonly stackMask: number | undefined;
}
