// The table of vector functions: what MMX and SSE instructions do to registers that is more than a few micro-ops. A function
// works on state words and never on memory; generated code calls it by its number. Instruction files make them where they
// declare the instruction.

/** The state block under every element type. */
export interface Vectors {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly signedBytes: Int8Array;
  readonly shorts: Uint16Array;
  readonly signedShorts: Int16Array;
  readonly singles: Float32Array;
  readonly doubles: Float64Array;
}

export function vectorViews(state: ArrayBuffer): Vectors {
  return {
    words: new Int32Array(state),
    bytes: new Uint8Array(state),
    signedBytes: new Int8Array(state),
    shorts: new Uint16Array(state),
    signedShorts: new Int16Array(state),
    singles: new Float32Array(state),
    doubles: new Float64Array(state),
  };
}

/**
 * Destination and source as first state words, and up to two numbers: what they mean is the function's own. The result is
 * an int32. A function that raises an unmasked exception changes nothing but the flags in MXCSR and returns 1, otherwise 0.
 */
export type VectorFunction = (v: Vectors, d: number, s: number, x: number, y: number) => number;

/** By number. */
export const VECTOR_FUNCTIONS: VectorFunction[] = [];
const numbers = new Map<VectorFunction, number>();

/** The number of a function, which gets one when it is met first. */
export function vectorNumber(f: VectorFunction): number {
  let n = numbers.get(f);
  if (n === undefined) {
    n = VECTOR_FUNCTIONS.push(f) - 1;
    numbers.set(f, n);
  }
  return n;
}

/** What saturation does. */
export const clamp = (low: number, high: number, x: number): number => Math.max(low, Math.min(high, x));
