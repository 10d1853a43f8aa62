// Random x87 states and memory operands for vectors: ordinary numbers, special values, and numbers chosen so that rounding,
// cancellation, overflow and underflow of every format happen often.

import type { Row } from '../../src/translator/instructions/notation.ts';
import type { Random } from '../support/random.ts';
import type { FpuState } from './record.ts';

/** Sign and exponent, significand: zeros, ones, infinities, NaNs, denormals, unsupported encodings, limits of integers and decimals. */
const SPECIALS = [
  '00000000000000000000',
  '80000000000000000000',
  '3fff8000000000000000',
  'bfff8000000000000000',
  '7fff8000000000000000',
  'ffff8000000000000000',
  '7fffc000000000000000',
  'ffffc000000000000000',
  '7fffc000000012345678',
  'ffffe000000000000000',
  '7fff8000000000000001',
  'ffffa000000000000000',
  '00000000000000000001',
  '80000000000000000001',
  '00007fffffffffffffff',
  '00008000000000000000',
  '00018000000000000000',
  '7ffeffffffffffffffff',
  'fffeffffffffffffffff',
  '7fff0000000000000000',
  '7fff4000000000000000',
  '3fff0000000000000000',
  '40007fffffffffffffff',
  '4000c90fdaa22168c235',
  '3ffe8000000000000000',
  '3fffc000000000000000',
  'c000a000000000000000',
  '400dfffe000000000000',
  'c00e8000000000000000',
  'c00e8000800000000000',
  '401dffffffff00000000',
  'c01e8000000000000000',
  '403dfffffffffffffffe',
  '403dffffffffffffffff',
  '403e8000000000000000',
  'c03e8000000000000000',
  '403ade0b6b3a763ffff0',
  '403ade0b6b3a763ffff8',
  '403ade0b6b3a76400000',
] as const;
/** Exponents where formats end: double extended, double, single, integers. */
const BORDERS = [0, 1, 0x20, 0x3c01, 0x3bcd, 0x3f81, 0x3f6a, 0x3ffe, 0x400d, 0x401d, 0x403d, 0x407e, 0x43fe, 0x7fbe, 0x7ffe] as const;

const digits = (n: number, count: number): string => (n >>> 0).toString(16).padStart(count, '0');

/** Significands as two words: random, few bits, and ties of each precision. */
function significand(random: Random): readonly [number, number] {
  const high = random.word() | 0x80000000,
    low = random.word();
  switch (random.below(8)) {
    case 0:
      return [high, 0];
    case 1:
      return [high & 0xfffff000, 0];
    case 2:
      return [high & ~0xff, 0];
    case 3:
      return [(high & ~0xff) | 0x80, random.below(2)];
    case 4:
      return [high, (low & ~0x7ff) | 0x400 | random.below(2)];
    case 5:
      return [-1, low | (random.below(2) ? ~0x7ff : 0)];
    default:
      return [high, low];
  }
}
function value(random: Random, near: number): string {
  if (random.below(4) === 0) return random.pick(SPECIALS);
  const kind = random.below(5);
  const exponent =
    kind === 0
      ? random.below(0x8000)
      : kind === 1
        ? random.pick(BORDERS) + random.below(5) - 2
        : kind === 2
          ? 0x3fff + random.below(80) - 16
          : kind === 3
            ? near
            : near + random.below(140) - 70;
  const top = Math.max(0, Math.min(0x7fff, exponent)) | (random.below(2) ? 0x8000 : 0),
    [high, low] = significand(random);
  return digits(top, 4) + digits(high, 8) + digits(low, 8);
}

/** Rows of the x87: opcodes D8 to DF. */
export const isFpu = (row: Row): boolean => /^d[89a-f]/.test(row.code);

/** A register file around one exponent; masks and flags of every combination, sometimes with an exception that waits. */
export function makeFpu(random: Random): FpuState {
  const kind = random.below(4);
  const tags = kind === 0 ? random.word() & 0xffff : kind === 1 ? (0xffff << (2 * random.below(8))) & 0xffff : 0;
  const control = 0x40 | (random.below(16) << 8) | (random.below(2) ? 0x3f : random.word() & 0x3f);
  const flags = random.below(2) ? 0 : random.word() & (random.below(16) === 0 ? 0x3f : control & 0x3f);
  const pending = (flags & ~control) !== 0 ? 0x8080 : 0;
  const near = random.below(3) ? 0x3fff + random.below(12) - 6 : random.pick(BORDERS) + random.below(9) - 4;
  return {
    control,
    status: (random.below(8) << 11) | (random.word() & 0x4700) | flags | pending,
    tags,
    st: Array.from({ length: 8 }, () => value(random, near)),
  };
}

const SINGLES = [0, 1 << 31, 0x7f800000, 0xff800000, 0x7fc00001, 0xffa00000, 0x7f800001, 1, 0x807fffff, 0x3f800000, 0xbf000000] as const;
const DOUBLES = [0, 1 << 31, 0x7ff00000, 0xfff00000, 0x7ff80000, 1, 0x800fffff, 0x3ff00000, 0x7fefffff, 0x00100000] as const;
/** A word worth having in the memory operand of an x87 row: its offset in the operand and its value. */
export function memoryWord(row: Row, random: Random): { readonly offset: number; readonly value: number } | undefined {
  if (random.below(3) === 0) return undefined;
  switch (row.operands.find((o) => o.startsWith('M'))) {
    case 'Mw':
      return { offset: 0, value: random.edgy() };
    case 'Md': {
      if (row.name.startsWith('FI')) return { offset: 0, value: random.edgy() };
      const sign = random.word() & 0x80000000;
      return {
        offset: 0,
        value: random.below(2) ? random.pick(SINGLES) : sign | (random.word() & 0x7fffff) | ((120 + random.below(16)) << 23),
      };
    }
    case 'Mq': {
      if (row.name.startsWith('FI')) return { offset: 4, value: random.edgy() };
      const sign = random.word() & 0x80000000;
      return {
        offset: 4,
        value: random.below(2) ? random.pick(DOUBLES) : sign | (random.word() & 0xfffff) | ((1010 + random.below(26)) << 20),
      };
    }
    case 'Mt': {
      const [high] = significand(random);
      if (row.name === 'FBLD') return { offset: 6, value: 0x00123456 | (random.below(2) << 31) };
      return { offset: 6, value: Number.parseInt(value(random, 0x3fff).slice(0, 4), 16) * 0x10000 + (high >>> 16) };
    }
    default:
      return undefined;
  }
}
