// Which MMX and SSE instructions are compared with the processor, and random states for them: lanes at the ends of their range,
// floating-point values where rounding, cancellation, overflow and underflow happen often, every rounding mode and mask.

import { OPCODE_MAPS, parseEncoding } from '../../src/translator/decode.ts';
import type { Feature } from '../../src/translator/features.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import { type Random, seeded } from '../support/random.ts';
import { isFpu } from './fpuCases.ts';
import { PLACE, type SimdInput, WORD } from './simdRecord.ts';

/** A row with the kind of its operand fixed. */
export interface SimdCase {
  readonly row: Row;
  readonly memory: boolean;
  readonly title: string;
}

/** Rows that these vectors are for; the reason why one of them has none. */
const FEATURES: ReadonlySet<Feature | undefined> = new Set(['mmx', 'fxsr', 'sse', 'sse2', 'pni', 'ssse3', 'sse4_1', 'popcnt', 'clflush']);
export const isSimd = (row: Row): boolean => FEATURES.has(row.feature) && !isFpu(row);
export function withoutVectors(row: Row): string | undefined {
  if (/^FX/.test(row.name)) return 'its image has fields that processors fill differently';
  if (/^R(CP|SQRT)[PS]S$/.test(row.name)) return 'is an approximation';
  return undefined;
}

export function simdCases(): SimdCase[] {
  return ROWS.filter((row) => isSimd(row) && !withoutVectors(row)).flatMap((row) => {
    const { modrm } = parseEncoding(row);
    const kinds = [modrm?.some((place) => place >= 8) !== false ? false : undefined, modrm?.some((place) => place < 8) ? true : undefined];
    return kinds
      .filter((memory) => memory !== undefined)
      .map((memory) => ({
        row,
        memory,
        title: `${row.name} ${row.code}${row.operands.length > 0 ? ` ${row.operands.join(',')}` : ''} ${memory ? 'mem' : 'reg'}`,
      }));
  });
}

// ---- values
const SINGLES = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0x3fc00000, 0x40200000, 0xc0200000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345,
  0x7f800001, 0xffa00000, 0x00000001, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x4effffff, 0x4f000000, 0xcf000000,
  0x4b7fffff, 0x4b800001, 0x33800000, 0x34000000, 0x20000000, 0x5f000000,
] as const;
const DOUBLES = [
  0n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x3fe0000000000000n,
  0x3ff8000000000000n,
  0x4004000000000000n,
  0xc004000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000012345678n,
  0x7ff0000000000001n,
  0xfff4000000000000n,
  1n,
  0x800fffffffffffffn,
  0x0010000000000000n,
  0x8010000000000000n,
  0x7fefffffffffffffn,
  0xffefffffffffffffn,
  0x41dfffffffc00000n,
  0x41dfffffffe00000n,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0xc1e0000000200000n,
  0x433fffffffffffffn,
  0x4340000000000001n,
  0x3ca0000000000000n,
  0x2000000000000000n,
  0x5fe0000000000000n,
  0x47efffffe0000000n,
  0x47effffff0000000n,
  0x380fffffffffffffn,
  0x36a0000000000000n,
  0x3690000000000000n,
] as const;

/** Exponent and mantissa style shared by the lanes of one input, so that operands meet. */
interface Style {
  readonly near: number;
  readonly spread: number;
  readonly short: boolean;
}
function style(random: Random): Style {
  return {
    near: random.pick([-1070, -1021, -149, -126, -62, -1, 0, 1, 22, 51, 63, 126, 511, 1022]),
    spread: random.pick([1, 3, 60]),
    short: random.below(3) === 0,
  };
}
function single(random: Random, { near, spread, short }: Style): number {
  if (random.below(4) === 0) return random.pick(SINGLES) | 0;
  const kind = random.below(8);
  if (kind === 0) return random.word();
  const exponent = Math.max(0, Math.min(254, 127 + Math.max(-127, Math.min(127, near)) + random.below(spread * 2 + 1) - spread));
  const mantissa = short ? (random.word() & 0x70000f) << random.below(18) : random.word();
  return (random.word() & 0x80000000) | (exponent << 23) | (mantissa & 0x7fffff);
}
function double(random: Random, { near, spread, short }: Style): [number, number] {
  if (random.below(4) === 0) {
    const bits = random.pick(DOUBLES);
    return [Number(BigInt.asIntN(32, bits)), Number(BigInt.asIntN(32, bits >> 32n))];
  }
  const kind = random.below(8);
  if (kind === 0) return [random.word(), random.word()];
  // A double that is nearly or exactly a single is what conversions round.
  if (kind === 1)
    return [random.pick([0, 0x10000000, 0x10000001, 0x20000000, 0x30000000]), double(random, { near, spread, short: false })[1]];
  const exponent = Math.max(0, Math.min(2046, 1023 + near + random.below(spread * 2 + 1) - spread));
  const high = short ? random.word() & 0xe0000 : random.word() & 0xfffff;
  return [short ? random.pick([0, 1, -1, 0x400, random.word()]) : random.word(), (random.word() & 0x80000000) | (exponent << 20) | high];
}

/** Whether the row computes with singles, doubles, or integers of any width. */
function kindOf(row: Row): 'single' | 'double' | 'integer' {
  const source = row.operands.find((o, n) => n > 0 && /^[WVUMQP]/.test(o)) ?? '';
  if (/^(CVTSI2|CVTPI2|CVTDQ2)/.test(row.name)) return 'integer';
  return /p?ss?$|ps$/.test(source) ? 'single' : /[ps]d$/.test(source) ? 'double' : 'integer';
}
function lanes(kind: ReturnType<typeof kindOf>, random: Random, shape: Style): number[] {
  const known = kind !== 'integer' || random.below(8) ? kind : random.pick(['single', 'double'] as const);
  switch (known) {
    case 'single':
      return Array.from({ length: 4 }, () => single(random, shape));
    case 'double':
      return [...double(random, shape), ...double(random, shape)];
    default: {
      const half = random.below(2);
      return Array.from({ length: 4 }, () => (half ? (random.edgy() & 0xffff) | (random.edgy() << 16) : random.edgy()));
    }
  }
}

/** MXCSR: mostly all masked; every rounding, DAZ and FTZ; flags that stand already. */
function mxcsr(random: Random): number {
  const masks = random.below(3) ? 0x1f80 : random.word() & 0x1f80;
  const flags = random.below(2) ? 0 : random.word() & 0x3f & (random.below(2) ? 0x3f : 0x20);
  return masks | (random.below(2) ? random.below(4) << 13 : 0) | (random.below(4) ? 0 : 0x8000) | (random.below(4) ? 0 : 0x40) | flags;
}

/** How many different instructions a case is made of: translating one takes longer than running it. */
const FORMS = 12,
  IMMEDIATE_FORMS = 50;
const GENERAL = [0, 1, 2, 3, 6, 7] as const;
/** The input of a case that a seed makes. */
export function simdInput({ row, memory }: SimdCase, seed: number): SimdInput {
  const random = seeded(Math.imul(seed, 0x9e3779b1) ^ (seed >>> 7)),
    encoding = parseEncoding(row);
  const form = seeded(Math.imul(1 + (seed % (row.operands.includes('Ib') ? IMMEDIATE_FORMS : FORMS)), 0x85ebca6b));
  for (let n = 0; n < 4; n++) {
    random.word();
    form.word();
  }
  const words = new Int32Array(WORD.COUNT);
  for (let n = 0; n < 8; n++) words[n] = random.edgy();
  words[4] = PLACE.DATA + 0x800;
  words[WORD.EFLAGS] = random.word() & 0x8d5;
  words[WORD.MXCSR] = mxcsr(random);
  words[WORD.FCW] = 0x37f;
  const kind = kindOf(row),
    shape = style(random);
  if (row.state === 'mmx' || row.operands.some((o) => /^[PQN]/.test(o))) {
    words[WORD.FSW] = random.below(8) << 11;
    words[WORD.TAGS] = random.below(3) ? random.word() & 0xff : 0;
    if (random.below(12) === 0) {
      words[WORD.FCW] = 0x37e;
      words[WORD.FSW]! |= 0x8081;
    }
    for (let n = 0; n < 8; n++) {
      words.set(lanes(kind, random, shape).slice(0, 2), WORD.PHYSICAL + 3 * n);
      words[WORD.PHYSICAL + 3 * n + 2] = random.below(2) ? 0xffff : random.word() & 0xffff;
    }
  }
  for (let n = 0; n < 8; n++) words.set(lanes(kind, random, shape), WORD.XMM + 4 * n);
  for (let n = 0; n < 4; n++) words.set(lanes(kind, random, shape), WORD.DATA + 4 * n);
  if (row.name === 'LDMXCSR') words.fill(mxcsr(random) | (random.below(6) ? 0 : 0x40000), WORD.DATA, WORD.DATA + 16);
  if (/^P(S[RL][AL])|PSLL/.test(row.name) && random.below(4)) {
    for (let n = 0; n < 8; n++) words.set([random.below(70), 0], WORD.XMM + 4 * n);
    for (let n = 0; n < 8; n += 2) words.set([random.below(70), 0], WORD.DATA + 2 * n);
    if (row.state === 'mmx') for (let n = 0; n < 8; n++) words.set([random.below(70), 0], WORD.PHYSICAL + 3 * n);
  }
  const code: number[] = [];
  if (encoding.prefix) code.push(encoding.prefix);
  if (row.name === 'POPCNT' && form.below(3) === 0) code.unshift(0x66);
  code.push(...OPCODE_MAPS[encoding.opcode >> 8]!, encoding.opcode & 0xff);
  if (encoding.modrm) {
    const place = form.pick(encoding.modrm.filter((p) => p < 8 === memory));
    if (memory) {
      const base = form.pick(GENERAL),
        address = PLACE.DATA + PLACE.OPERAND + 16 + (random.below(8) ? 16 * random.below(2) : random.below(17));
      words[base] = address;
      code.push(((row.code.endsWith('/r') ? form.below(8) : place) << 3) | base);
    } else {
      code.push(place + 0xb8);
      if (/^MASKMOV/.test(row.name)) words[7] = PLACE.DATA + PLACE.OPERAND + random.below(40);
    }
  }
  if (row.operands.includes('Ib')) code.push(form.below(3) ? form.below(256) : form.below(20));
  return { words, code };
}
