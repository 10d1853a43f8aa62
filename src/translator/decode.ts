// Bytes to instructions (SDM volume 2, chapter "Instruction Format"). The decoder has no opcode knowledge of its own: its
// tables are built at start-up from the encodings of the instruction rows, and rows that overlap are refused there.

import { type Feature, refusal } from './features.ts';
import { INVALID, NOT_AVAILABLE, ROWS, TOO_LONG } from './instructions/index.ts';
import type { Row } from './instructions/notation.ts';
import type { AddressParts, MemoryOperand, Operand, Width } from './ir/value.ts';
import { MODE } from './mode.ts';
import { CS, DS, ES, FS, GS, S, SS } from './state.ts';

export interface Instruction {
  readonly row: Row;
  /** Place of the first byte, as the caller of `decode` counts. */
  readonly at: number;
  /** Bytes; of an invalid instruction those that were needed to see it. */
  readonly length: number;
  /** Operand and address size in bits. */
  readonly w: 16 | 32;
  readonly address: 16 | 32;
  /**
   * In the row's order. A relative target is an immediate with the value `at + length + displacement`, not cut to any width.
   * Codes X, Y and B give the index register with the element's width: segment and address size are `seg` and `address`.
   */
  readonly operands: readonly Operand[];
  /** Condition of `+cc` rows, else 0. */
  readonly cc: number;
  /** Repeat prefix of string rows, else 'none'. */
  readonly rep: 'none' | 'rep' | 'repne';
  /** Source segment of string instructions and XLAT: DS or the override. */
  readonly seg: number;
  readonly lock: boolean;
}

/** The architecture's limit on an instruction's bytes. */
export const MAX_LENGTH = 15;

// ---- tables

/** By ModRM: reg of memory forms at 0-7, ModRM bytes C0-FF at 8-71. */
type ModrmTable = (Row | undefined)[];
type Entry = Row | ModrmTable | undefined;
const modrmIndex = (modrm: number): number => (modrm < 0xc0 ? (modrm >> 3) & 7 : modrm - 0xb8);

/** An encoding of the notation, taken apart. */
export interface Encoding {
  /** 66, F2 or F3 when the encoding needs that prefix, else 0. */
  readonly prefix: number;
  /** In which of the tables it stands. */
  readonly table: keyof Tables;
  /** First opcode, plus the map's number * 0x100 (OPCODE_MAPS); `count` opcodes from there belong to the row. */
  readonly opcode: number;
  readonly count: number;
  /** ModRM entries (see modrmIndex) of the row; undefined when no ModRM byte follows. */
  readonly modrm?: readonly number[];
}

/** Bytes that lead to each opcode map, by the map's number. */
export const OPCODE_MAPS: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const MAP_NUMBERS: Readonly<Record<string, number>> = { '0f ': 1, '0f 38 ': 2, '0f 3a ': 3 };

/** First bytes that are prefixes or lead to the second map. */
const NO_OPCODE = /^(?:0f|26|2e|36|3e|6[4-7]|f[023])$/;

/** @throws Error when a row's encoding is not in the notation */
export function parseEncoding(row: Row): Encoding {
  const match = /^(np |66 |f[23] )?(0f (?:3[8a] )?)?([0-9a-f]{2})(\+r|\+cc)?(?: \/(r|[0-7])(?:-([0-7]))?| ([c-f][0-9a-f])(\+i)?)?$/.exec(
    row.code,
  );
  const [, prefix, map, opcode, span, digit, last, fixed, eight] = match ?? [];
  if (!match || (!map && NO_OPCODE.test(opcode!))) throw new Error(`${row.name}: encoding '${row.code}' is not understood`);
  const table = (prefix?.trim() ?? 'plain') as keyof Tables;
  const encoding = {
    prefix: prefix && table !== 'np' ? Number.parseInt(prefix, 16) : 0,
    table,
    opcode: Number.parseInt(opcode!, 16) + (map ? MAP_NUMBERS[map]! * 0x100 : 0),
    count: span === '+r' ? 8 : span ? 16 : 1,
  };
  const places: number[] = [];
  if (fixed !== undefined) {
    const first = modrmIndex(Number.parseInt(fixed, 16));
    for (let n = 0; n < (eight ? 8 : 1); n++) places.push(first + n);
  } else if (digit !== undefined) {
    const low = digit === 'r' ? 0 : Number(digit),
      high = digit === 'r' ? 7 : Number(last ?? digit);
    const anyMod = row.operands.some((code) => code === 'Cd' || code === 'Dd');
    const memory = anyMod || !row.operands.some((code) => REGISTER_ONLY.test(code)),
      register = anyMod || !row.operands.some((code) => code[0] === 'M');
    for (let reg = low; reg <= high; reg++) {
      if (memory) places.push(reg);
      if (register) for (let rm = 0; rm < 8; rm++) places.push(8 + reg * 8 + rm);
    }
  } else return encoding;
  return { ...encoding, modrm: places };
}

/** Operand codes of ModRM.rm that exclude memory. */
const REGISTER_ONLY = /^(?:R[dv]|[NU]\w+)$/;

/** The opcode tables of some rows, by opcode: without mandatory prefix, for none of the three prefixes, and for each of them. */
export interface Tables {
  readonly plain: readonly Entry[];
  readonly np: readonly Entry[];
  readonly 66: readonly Entry[];
  readonly f2: readonly Entry[];
  readonly f3: readonly Entry[];
}
const OPCODES = OPCODE_MAPS.length * 0x100;

/** @throws Error when two rows claim the same bytes */
export function buildTables(rows: readonly Row[]): Tables {
  const empty = (): Entry[] => new Array<Entry>(OPCODES);
  const tables: Record<keyof Tables, Entry[]> = { plain: empty(), np: empty(), 66: empty(), f2: empty(), f3: empty() };
  const encodings = rows.filter((row) => row.code !== '').map((row) => ({ row, ...parseEncoding(row) }));
  const clash = (row: Row): never => {
    throw new Error(`${row.name} '${row.code}' overlaps another row`);
  };
  // exact opcodes first: `+r` and `+cc` take what is left
  for (const { row, table: name, opcode, modrm } of encodings.filter(({ count }) => count === 1)) {
    const table = tables[name];
    const entry = table[opcode];
    if (!modrm) table[opcode] = entry ? clash(row) : row;
    else {
      if (entry && !Array.isArray(entry)) clash(row);
      const places = (table[opcode] ??= new Array<Row | undefined>(72)) as ModrmTable;
      for (const place of modrm) places[place] = places[place] ? clash(row) : row;
    }
  }
  const ranged = new Set<number>();
  for (const { row, opcode, count, modrm } of encodings.filter((encoding) => encoding.count > 1)) {
    for (let n = opcode; n < opcode + count; n++) {
      if (ranged.has(n)) clash(row);
      ranged.add(n);
      if (!modrm) tables.plain[n] ??= row;
      else if (tables.plain[n]) clash(row);
      else {
        const places: ModrmTable = new Array<Row | undefined>(72);
        for (const place of modrm) places[place] = row;
        tables.plain[n] = places;
      }
    }
  }
  return tables;
}
const TABLES = buildTables(ROWS);

// ---- decoding

/** Thrown and caught here only: the sixteenth byte was asked for. */
class LengthExceeded extends Error {}
const LENGTH_EXCEEDED = new LengthExceeded();

class Fetch {
  readonly byte: (index: number) => number;
  readonly at: number;
  p: number;
  constructor(byte: (index: number) => number, at: number) {
    this.byte = byte;
    this.at = at;
    this.p = at;
  }
  u8(): number {
    if (this.p - this.at >= MAX_LENGTH) throw LENGTH_EXCEEDED;
    return this.byte(this.p++) & 0xff;
  }
  s8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    const low = this.u8();
    return low | (this.u8() << 8);
  }
  s16(): number {
    return (this.u16() << 16) >> 16;
  }
  i32(): number {
    const low = this.u16();
    return low | (this.u16() << 16);
  }
  /** An immediate or displacement of that many bits, zero-extended. */
  unsigned(w: Width): number {
    return w === 8 ? this.u8() : w === 16 ? this.u16() : this.i32();
  }
  signed(w: Width): number {
    return w === 8 ? this.s8() : w === 16 ? this.s16() : this.i32();
  }
}

/** Prefixes, opcode and what follows from them, before the operands. */
interface Head {
  readonly w: 16 | 32;
  readonly address: 16 | 32;
  /** Segment override or -1. */
  readonly override: number;
  readonly opcode: number;
  readonly modrm: number;
}

/** Registers of 16-bit addresses: base (BX, BP, SI, DI) and index. */
const BASE16 = [3, 3, 5, 5, 6, 7, 5, 3],
  INDEX16 = [6, 7, 6, 7, -1, -1, -1, -1];

function address16(fetch: Fetch, modrm: number): AddressParts {
  const mod = modrm >> 6,
    rm = modrm & 7,
    direct = mod === 0 && rm === 6;
  return {
    base: direct ? -1 : BASE16[rm]!,
    index: direct ? -1 : INDEX16[rm]!,
    shift: 0,
    width: 16,
    disp: direct ? fetch.u16() : mod === 0 ? 0 : mod === 1 ? fetch.s8() : fetch.s16(),
  };
}
function address32(fetch: Fetch, modrm: number): AddressParts {
  const mod = modrm >> 6;
  let base = modrm & 7,
    index = -1,
    shift = 0;
  if (base === 4) {
    const sib = fetch.u8();
    base = sib & 7;
    index = (sib >> 3) & 7;
    shift = sib >> 6;
    if (index === 4) index = -1;
    if (index < 0) shift = 0;
  }
  if (mod === 0 && base === 5) return { base: -1, index, shift, disp: fetch.i32(), width: 32 };
  return { base, index, shift, disp: mod === 0 ? 0 : mod === 1 ? fetch.s8() : fetch.i32(), width: 32 };
}

const FIXED_REGISTERS: Readonly<Record<string, readonly [width: Width | 'v', n: number]>> = {
  AL: [8, 0],
  CL: [8, 1],
  AX: [16, 0],
  eAX: ['v', 0],
  DX: [16, 2],
};
const FIXED_SEGMENTS: Readonly<Record<string, number>> = { ES, CS, SS, DS, FS, GS };

/** Bytes of a vector register's or its memory operand's part that an operand uses, by the size in its code. */
const VECTOR_BYTES: Readonly<Record<string, number>> = { dq: 16, ps: 16, pd: 16, q: 8, sd: 8, d: 4, ss: 4, w: 2 };
const vectorBytes = (code: string): number => VECTOR_BYTES[code.slice(1)]!;
const mmxRegister = (n: number, code: string): Operand => ({ kind: 'vector', word: S.FPU_R0 + 4 * n, w: 32, bytes: vectorBytes(code) });
const xmmRegister = (n: number, code: string): Operand => ({ kind: 'vector', word: S.XMM0 + 4 * n, w: 32, bytes: vectorBytes(code) });

/** Width of an operand's size letter; what is wider than 32 bits or has no size counts as the operand size or 32. */
function width(code: string, w: 16 | 32): Width {
  switch (code[1]) {
    case 'b':
      return 8;
    case 'w':
      return 16;
    case 'd':
    case 'q':
    case 't':
    case 's':
      return 32;
    default:
      return w;
  }
}

function operand(code: string, fetch: Fetch, head: Head, memory: MemoryOperand | undefined): Operand {
  const fixed = FIXED_REGISTERS[code];
  if (fixed) return { kind: 'reg', w: fixed[0] === 'v' ? head.w : fixed[0], n: fixed[1] };
  const segment = FIXED_SEGMENTS[code];
  if (segment !== undefined) return { kind: 'sreg', w: 16, n: segment };
  const { modrm } = head,
    w = width(code, head.w),
    imm = (value: number, bits: Width): Operand => ({ kind: 'imm', w: bits, value });
  switch (code) {
    case '1':
      return imm(1, 8);
    case 'ST':
      return imm(0, 8);
    case 'STi':
      return imm(modrm & 7, 8);
    case 'XMM0':
      return xmmRegister(0, 'Vdq');
    case 'FOP':
      return imm(((head.opcode & 7) << 8) | modrm, 16);
    case 'Ibs': {
      const value = fetch.s8();
      return imm(head.w === 16 ? value & 0xffff : value, head.w);
    }
  }
  switch (code[0]) {
    case 'E':
      return memory ? { ...memory, w } : { kind: 'reg', w, n: modrm & 7 };
    case 'M':
      return { ...memory!, w, ...(code.length === 3 ? { bytes: vectorBytes(code) } : {}) };
    case 'P':
      return mmxRegister((modrm >> 3) & 7, code);
    case 'Q':
      return memory ? { ...memory, w, bytes: vectorBytes(code) } : mmxRegister(modrm & 7, code);
    case 'N':
      return mmxRegister(modrm & 7, code);
    case 'V':
      return xmmRegister((modrm >> 3) & 7, code);
    case 'W':
      return memory ? { ...memory, w, bytes: vectorBytes(code) } : xmmRegister(modrm & 7, code);
    case 'U':
      return xmmRegister(modrm & 7, code);
    case 'R':
      return { kind: 'reg', w, n: modrm & 7 };
    case 'G':
      return { kind: 'reg', w, n: (modrm >> 3) & 7 };
    case 'Z':
      return { kind: 'reg', w, n: head.opcode & 7 };
    case 'S':
      return { kind: 'sreg', w: 16, n: (modrm >> 3) & 7 };
    case 'C':
    case 'D':
      return imm((modrm >> 3) & 7, 8);
    case 'I':
      return imm(fetch.unsigned(w), w);
    case 'J':
      return imm(fetch.signed(w), head.w); // `decode` adds the next instruction's place
    case 'O':
      return direct(head, w, head.address === 16 ? fetch.u16() : fetch.i32());
    case 'X':
      return { kind: 'reg', w, n: 6 };
    case 'Y':
      return { kind: 'reg', w, n: 7 };
    case 'B':
      return { kind: 'reg', w, n: 3 };
    default:
      throw new Error(`operand code ${code} is not understood`);
  }
}
/** Memory at a constant offset in DS or the override. */
function direct({ address, override }: Head, w: Width, disp: number): MemoryOperand {
  return { kind: 'mem', w, seg: override < 0 ? DS : override, address: { base: -1, index: -1, shift: 0, disp, width: address } };
}

/**
 * Decodes one instruction. Bytes are fetched strictly in order and only those needed; what `byte` throws passes through.
 * Bytes that are no instruction, or one of a feature that is not in `features`, give the row INVALID; more than 15 bytes the
 * row TOO_LONG.
 */
export function decode(byte: (index: number) => number, at: number, code32: boolean, features?: ReadonlySet<Feature>): Instruction {
  const fetch = new Fetch(byte, at);
  try {
    return decodeWith(fetch, code32, features);
  } catch (error) {
    if (error !== LENGTH_EXCEEDED) throw error;
    return unusable(TOO_LONG, at, MAX_LENGTH, code32 ? 32 : 16);
  }
}
function unusable(row: Row, at: number, length: number, w: 16 | 32): Instruction {
  return { row, at, length, w, address: w, operands: [], cc: 0, rep: 'none', seg: DS, lock: false };
}

function decodeWith(fetch: Fetch, code32: boolean, features: ReadonlySet<Feature> | undefined): Instruction {
  const { at } = fetch;
  let w: 16 | 32 = code32 ? 32 : 16,
    address = w,
    override = -1,
    repeat = 0,
    lock = false,
    opcode: number;
  for (;;) {
    opcode = fetch.u8();
    if (opcode === 0x66) w = code32 ? 16 : 32;
    else if (opcode === 0x67) address = code32 ? 16 : 32;
    else if (opcode === 0xf0) lock = true;
    else if (opcode === 0xf2 || opcode === 0xf3) repeat = opcode;
    else if ((opcode & 0xe7) === 0x26) override = (opcode >> 3) & 3;
    else if (opcode === 0x64 || opcode === 0x65) override = opcode - 0x60;
    else break;
  }
  if (opcode === 0x0f) {
    opcode = 0x100 + fetch.u8();
    if (opcode === 0x138) opcode = 0x200 + fetch.u8();
    else if (opcode === 0x13a) opcode = 0x300 + fetch.u8();
  }
  const special = TABLES[repeat === 0xf2 ? 'f2' : repeat === 0xf3 ? 'f3' : w !== (code32 ? 32 : 16) ? 66 : 'np'][opcode],
    plain = TABLES.plain[opcode],
    entry = special ?? plain;
  let row: Row | undefined,
    modrm = 0,
    memory: MemoryOperand | undefined;
  if (Array.isArray(entry)) {
    modrm = fetch.u8();
    row = entry[modrmIndex(modrm)] ?? (Array.isArray(plain) ? plain[modrmIndex(modrm)] : undefined);
  } else row = entry;
  if (!row || (row.feature && features && !features.has(row.feature))) return unusable(INVALID, at, fetch.p - at, w);
  const head: Head = { w, address, override, opcode, modrm };
  if (Array.isArray(entry) && modrm < 0xc0 && !row.operands.some((code) => REGISTER_ONLY.test(code))) {
    const parts = address === 16 ? address16(fetch, modrm) : address32(fetch, modrm);
    const seg = override >= 0 ? override : parts.base === 4 || parts.base === 5 ? SS : DS;
    memory = { kind: 'mem', w, seg, address: row.pops && parts.base === 4 ? { ...parts, disp: (parts.disp + (w >> 3)) | 0 } : parts };
  }
  const operands: Operand[] = [];
  for (const code of row.operands) {
    if (code === 'A') operands.push({ kind: 'imm', w, value: fetch.unsigned(w) }, { kind: 'imm', w: 16, value: fetch.u16() });
    else operands.push(operand(code, fetch, head, memory));
  }
  const length = fetch.p - at;
  if (lock && !(row.lock && operands[0]!.kind === 'mem')) return unusable(INVALID, at, length, w);
  const first = operands[0];
  if (first?.kind === 'imm' && row.operands[0]![0] === 'J') operands[0] = { ...first, value: at + length + (first.value as number) };
  return {
    row,
    at,
    length,
    w,
    address,
    operands,
    lock,
    cc: /\+cc/.test(row.code) ? opcode & 15 : 0,
    rep: !row.string || repeat === 0 ? 'none' : repeat === 0xf3 ? 'rep' : 'repne',
    seg: override < 0 ? DS : override,
  };
}

/**
 * The instruction as a processor in that mode executes it: what it has not, or may not use at present, becomes the row that
 * raises #UD or #NM.
 */
export function decodeIn(byte: (index: number) => number, at: number, mode: number, features?: ReadonlySet<Feature>): Instruction {
  const i = decode(byte, at, (mode & MODE.CODE32) !== 0, features);
  const refused = refusal(i.row.state, mode);
  if (refused === undefined) return i;
  return { ...i, row: refused === 'undefined' ? INVALID : NOT_AVAILABLE, operands: [] };
}
