// Machine code for a table row: its opcode with random operands, for fuzzing and vectors.

import { decode, type Instruction, OPCODE_MAPS, parseEncoding } from '../../src/translator/decode.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import type { Random } from './random.ts';

export interface EncodeOptions {
  readonly code32: boolean;
  /** Memory or register form of a row that has both; undefined = either. */
  readonly memory?: boolean;
  /** Operand size to encode; undefined = either. */
  readonly w?: 16 | 32;
  /** Address size; undefined = the code segment's. */
  readonly address?: 16 | 32;
  readonly rep?: 'none' | 'rep' | 'repne';
  readonly lock?: boolean;
  /** Base registers that a memory operand may use; undefined = any. */
  readonly displacement?: (random: Random) => number;
}
export interface Encoded {
  readonly bytes: number[];
  readonly instruction: Instruction;
}

const encodings = new Map<Row, ReturnType<typeof parseEncoding>>();

/** Bytes of an instruction of this row, or undefined when the options do not fit the row. */
export function encodeRow(row: Row, random: Random, options: EncodeOptions): Encoded | undefined {
  let encoding = encodings.get(row);
  if (!encoding) encodings.set(row, (encoding = parseEncoding(row)));
  for (let attempt = 0; attempt < 40; attempt++) {
    const bytes: number[] = [];
    const native = options.code32 ? 32 : 16,
      other = options.code32 ? 16 : 32;
    // The operand size prefix is a part of some encodings, and is not allowed in others.
    const fixed = encoding.prefix === 0x66 ? other : encoding.table === 'np' ? native : undefined;
    if (fixed !== undefined && options.w !== undefined && options.w !== fixed) return undefined;
    const w = fixed ?? options.w ?? (random.below(3) === 0 ? 16 : 32),
      address = options.address ?? (options.code32 ? 32 : 16);
    if (options.lock) bytes.push(0xf0);
    if (w !== native) bytes.push(0x66);
    if (address !== native) bytes.push(0x67);
    if (encoding.prefix === 0xf2 || encoding.prefix === 0xf3) bytes.push(encoding.prefix);
    else if (options.rep === 'rep') bytes.push(0xf3);
    else if (options.rep === 'repne') bytes.push(0xf2);
    bytes.push(...OPCODE_MAPS[encoding.opcode >> 8]!);
    bytes.push((encoding.opcode & 0xff) + random.below(encoding.count));
    if (encoding.modrm) {
      const places = encoding.modrm.filter((p) => options.memory === undefined || options.memory === p < 8);
      if (places.length === 0) return undefined;
      const place = random.pick(places);
      bytes.push(place >= 8 ? place + 0xb8 : (place << 3) | (random.below(3) << 6) | random.below(8));
    }
    const displacement = options.displacement?.(random) ?? random.word();
    // A SIB byte, displacement or immediate follow as the form wants; what is too many is cut off.
    const modrm = bytes[bytes.length - 1]!;
    const hasSib = encoding.modrm && modrm < 0xc0 && address === 32 && (modrm & 7) === 4;
    if (hasSib) bytes.push(random.below(256));
    const tail = [displacement, random.edgy(), random.edgy()].flatMap((v) => [v & 0xff, (v >> 8) & 0xff, (v >> 16) & 0xff, v >>> 24]);
    const all = [...bytes, ...tail];
    const instruction = decode((n) => all[n] ?? 0, 0, options.code32);
    if (instruction.row !== row || (options.w !== undefined && instruction.w !== options.w)) continue;
    return { bytes: all.slice(0, instruction.length), instruction };
  }
  return undefined;
}
