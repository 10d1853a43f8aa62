// Lazy EFLAGS: the last setter's kind and two operands stand for the six arithmetic flags until somebody reads them
// (SDM volume 1, "EFLAGS Register"). Interpreter and translated code share the three words and the texts below.
//   kind word = kind | shift << 3 with shift = 32 - width; operands are moved to the top of the word, so that every
//   condition but parity and AF ignores the width.

export const FLAGS = {
  /** a - b: CMP, SUB, NEG; logic results as r - 0. */
  SUB: 0,
  /** a = result, b = addend. */
  ADD: 1,
  /** a = result, b = CF before. */
  INC: 2,
  DEC: 3,
  /** a = result, b = operand shifted by count - 1. */
  SHL: 4,
  SHR: 5,
  /** a = result, b = CF, AF and OF at their places. */
  RESULT: 6,
  /** b = all six at their places. */
  ALL: 7,
} as const;

/** 1 when the low byte has an even number of ones. */
function parityEven(x: number): number {
  const folded = x ^ (x >> 4);
  return (0x9669 >> (folded & 15)) & 1;
}

/** The six arithmetic flags at their EFLAGS places. */
export function flagsOf(kindWord: number, a: number, b: number): number {
  const kind = kindWord & 7,
    shift = kindWord >> 3;
  if (kind === FLAGS.ALL) return b;
  const r = kind === FLAGS.SUB ? (a - b) | 0 : a;
  const bits = (r === 0 ? 0x40 : 0) | (r < 0 ? 0x80 : 0) | (parityEven((r >> shift) & 0xff) << 2);
  switch (kind) {
    case FLAGS.SUB:
      return bits | (a >>> 0 < b >>> 0 ? 1 : 0) | ((((a ^ b) & (a ^ r)) >>> 31) << 11) | (((a ^ b ^ r) >> shift) & 0x10);
    case FLAGS.ADD: {
      const x = (a - b) | 0;
      return bits | (a >>> 0 < b >>> 0 ? 1 : 0) | ((((a ^ b) & (a ^ x)) >>> 31) << 11) | (((x ^ b ^ r) >> shift) & 0x10);
    }
    case FLAGS.INC:
      return bits | b | (r === -0x80000000 ? 0x800 : 0) | (((r >> shift) & 15) === 0 ? 0x10 : 0);
    case FLAGS.DEC:
      return bits | b | (r === (0x7fffffff & (-1 << shift)) ? 0x800 : 0) | (((r >> shift) & 15) === 15 ? 0x10 : 0);
    case FLAGS.SHL:
      return bits | (b >>> 31) | (((a ^ b) >>> 31) << 11);
    case FLAGS.SHR:
      return bits | ((b >>> shift) & 1) | (((a ^ b) >>> 31) << 11);
    default:
      return bits | b;
  }
}

/** How a rotation is written down: bit 0 set for left, the shift of the kind words above it; never 0. */
export function rotationWord(left: boolean, w: number): number {
  return (left ? 1 : 2) | ((32 - w) << 3);
}
/** The six flags after a rotation with this result (at the top of the word): CF and OF are the rotation's, the others stay. */
export function flagsRotated(rotation: number, result: number, kindWord: number, a: number, b: number): number {
  const top = result >>> 31,
    carry = (rotation & 1) === 1 ? (result >>> (rotation >> 3)) & 1 : top,
    other = (rotation & 1) === 1 ? carry : (result >>> 30) & 1;
  return (flagsOf(kindWord, a, b) & ~0x801) | carry | ((top ^ other) << 11);
}

const CONDITION_MASK = [0x800, 1, 0x40, 0x41, 0x80, 4] as const;
/** Whether condition code 0-15 holds. */
export function condition(cc: number, kindWord: number, a: number, b: number): boolean {
  const f = flagsOf(kindWord, a, b),
    pair = cc >> 1;
  const holds = pair < 6 ? (f & CONDITION_MASK[pair]!) !== 0 : ((f >> 7) & 1) !== ((f >> 11) & 1) || (pair === 7 && (f & 0x40) !== 0);
  return (cc & 1) === 1 ? !holds : holds;
}

/** Names that hold the three words in generated code. */
export interface FlagNames {
  readonly kind: string;
  readonly a: string;
  readonly b: string;
}

/**
 * JavaScript of a condition. `kindWord` is the setter's when it is statically known: then the test fuses with it; else the
 * commonest kind is tested inline and the rest goes through `condition`.
 */
export function conditionText(cc: number, kindWord: number | undefined, { kind: fk, a: fa, b: fb }: FlagNames): string {
  const general = `condition(${cc},${fk},${fa},${fb})`;
  const subtract = subtractText(cc, fa, fb);
  if (kindWord === undefined) return subtract === undefined ? general : `(${fk}&7)===0?${subtract}:${general}`;
  const known = knownText(cc, kindWord, fa, fb);
  return known ?? general;
}
function subtractText(cc: number, fa: string, fb: string): string | undefined {
  switch (cc) {
    case 0:
      return `((${fa}^${fb})&(${fa}^${fa}-${fb}))<0`;
    case 1:
      return `((${fa}^${fb})&(${fa}^${fa}-${fb}))>=0`;
    case 2:
      return `${fa}>>>0<${fb}>>>0`;
    case 3:
      return `${fa}>>>0>=${fb}>>>0`;
    case 4:
      return `${fa}===${fb}`;
    case 5:
      return `${fa}!==${fb}`;
    case 6:
      return `${fa}>>>0<=${fb}>>>0`;
    case 7:
      return `${fa}>>>0>${fb}>>>0`;
    case 8:
      return `(${fa}-${fb}|0)<0`;
    case 9:
      return `(${fa}-${fb}|0)>=0`;
    case 12:
      return `${fa}<${fb}`;
    case 13:
      return `${fa}>=${fb}`;
    case 14:
      return `${fa}<=${fb}`;
    case 15:
      return `${fa}>${fb}`;
    default:
      return undefined;
  }
}
function knownText(cc: number, kindWord: number, fa: string, fb: string): string | undefined {
  const kind = kindWord & 7,
    shift = kindWord >> 3,
    not = (cc & 1) === 1,
    pair = cc >> 1;
  if (kind === FLAGS.SUB) return subtractText(cc, fa, fb);
  if (kind === FLAGS.ALL) {
    if (pair < 6) return `(${fb}&${CONDITION_MASK[pair]})${not ? '===' : '!=='}0`;
    return undefined;
  }
  if (pair === 2) return `${fa}${not ? '!==' : '==='}0`;
  if (pair === 4) return `${fa}${not ? '>=' : '<'}0`;
  if (pair === 1) {
    switch (kind) {
      case FLAGS.ADD:
        return `${fa}>>>0${not ? '>=' : '<'}${fb}>>>0`;
      case FLAGS.INC:
      case FLAGS.DEC:
        return `${fb}${not ? '===' : '!=='}0`;
      case FLAGS.SHL:
        return `${fb}${not ? '>=' : '<'}0`;
      case FLAGS.SHR:
        return `(${fb}>>>${shift}&1)${not ? '===' : '!=='}0`;
      default:
        return `(${fb}&1)${not ? '===' : '!=='}0`;
    }
  }
  const one = 1 << shift;
  // x + 1 and x - 1 compared as x with -1 and 1, on operands at the top of the word.
  if (kind === FLAGS.DEC && pair === 6) return `(${fa}+${one}|0)${not ? '>=' : '<'}${one}`;
  if (kind === FLAGS.DEC && pair === 7) return `(${fa}+${one}|0)${not ? '>' : '<='}${one}`;
  if (kind === FLAGS.INC && pair === 6) return `(${fa}-${one}|0)${not ? '>=' : '<'}-${one}`;
  if (kind === FLAGS.INC && pair === 7) return `(${fa}-${one}|0)${not ? '>' : '<='}-${one}`;
  return undefined;
}
