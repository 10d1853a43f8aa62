// Random cases of the transcendental x87 instructions. They have a file of their own beside that of test/native/cases.ts, because
// a processor may round them as it likes within one unit in the last place.

import { ROWS } from '../../src/translator/instructions/index.ts';
import { type Random, seeded } from '../support/random.ts';
import { makeFpu } from './fpuCases.ts';
import { LAYOUT, type VectorInput } from './record.ts';

export const TRANSCENDENTALS = ['F2XM1', 'FYL2X', 'FYL2XP1', 'FPTAN', 'FPATAN', 'FSIN', 'FCOS', 'FSINCOS'] as const;
export type Transcendental = (typeof TRANSCENDENTALS)[number];

const codeOf = (name: Transcendental): number[] =>
  ROWS.find((row) => row.name === name)!
    .code.split(' ')
    .map((byte) => Number.parseInt(byte, 16));

/** Ends of what the SDM defines, places where a result is exact, and where an argument is reduced. */
const VALUES = [
  '3fff8000000000000000',
  '3ffe8000000000000000',
  '40008000000000000000',
  '3fff8000000000000001',
  '3ffeffffffffffffffff',
  '3ffd95f619980c4336f7', // 1 - sqrt(2)/2
  '3ffdd413cccfe7799211', // sqrt(2) - 1
  '3ffec90fdaa22168c235', // pi/4, pi/2, pi
  '3fffc90fdaa22168c235',
  '4000c90fdaa22168c235',
  '403dffffffffffffffff',
  '403e8000000000000000',
  '00018000000000000000',
  '00000000000000000001',
] as const;
const digits = (n: number, count: number): string => (n >>> 0).toString(16).padStart(count, '0');
/** An argument within or about the range of the function. */
function argument(name: Transcendental, random: Random): string {
  if (random.below(8) === 0) {
    const value = random.pick(VALUES);
    return random.below(2) ? value : digits(Number.parseInt(value.slice(0, 4), 16) | 0x8000, 4) + value.slice(4);
  }
  const wide = /^F(SIN|COS|SINCOS|PTAN)$/.test(name) ? 64 : name === 'F2XM1' ? 0 : 4;
  const exponent = 0x3fff + (random.below(3) ? random.below(8 + wide) - 8 : random.below(70 + wide) - 70),
    sign = name === 'FYL2X' ? 0 : random.below(2) << 15;
  return digits(sign | exponent, 4) + digits(random.word() | 0x80000000, 8) + digits(random.below(3) ? random.word() : 0, 8);
}

/** The n-th case of an instruction: a random x87 state, mostly with operands that mean something to the function. */
export function makeTranscendental(name: Transcendental, n: number): VectorInput {
  const random = seeded(1 + n + 100_000 * TRANSCENDENTALS.indexOf(name)),
    fpu = makeFpu(random);
  const st = [...fpu.st];
  if (random.below(4) > 0) st[0] = argument(name, random);
  if (random.below(2) > 0) st[1] = argument('FSIN', random);
  return {
    mode: 32,
    regs: Array.from({ length: 8 }, (_, k) => (k === 4 ? LAYOUT.DATA + 0x8000 : 0)),
    eflags: 0,
    seed: 1,
    pokes: [],
    code: codeOf(name),
    fpu: { ...fpu, st },
  };
}
