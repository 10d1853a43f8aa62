// How an instruction is written down: its mnemonic, its encodings in the SDM's notation, and its meaning, in one place
// (SDM volume 2, "Interpreting the Instruction Reference Pages", and the codes of appendix "Opcode Map" for operands).
//
//   insn('ADD', ['00 /r Eb,Gb', '01 /r Ev,Gv', '04 AL,Ib', '83 /0 Ev,Ibs'], meaning, { lock: true })
//
// Encoding: opcode bytes in lower-case hexadecimal, a mandatory prefix first if any (`66`, `f2`, `f3`; `np`: none of them may
// stand there; without any of the four, the three prefixes have their usual meaning), then `/r` or `/0`-`/7`
// (ModRM follows; `/0-3` for a range) or the ModRM byte itself (`0f 01 c1`, with `+i` for eight of them: `d8 c0+i`), `+r`
// (register in the low three bits; an exact opcode byte goes before it), `+cc` (condition in the low four bits), last the
// operands. Operand codes: E ModRM register or memory, G ModRM reg, M memory only, R register only (ModRM.rm), I immediate,
// J relative target, O direct offset, S segment register (ModRM.reg), C control and D debug register (ModRM.rm is then a
// register whatever mod says), Z register in the opcode byte, X DS:(E)SI, Y ES:(E)DI, B DS:(E)BX (operands are the
// registers), A far pointer in the instruction (two operands: offset, selector); sizes b byte, w word, d double word, q
// quad word, dq 128 bits, ps and pd packed, ss and sd scalar single and double, t 80 bits, v operand size, z immediate of operand size, bs byte sign-extended to the operand size, p far
// pointer, a pair of operand size, s pseudo-descriptor in memory. P MMX register (ModRM.reg), Q MMX register or memory, N MMX register
// (ModRM.rm), V XMM register (ModRM.reg), W XMM register or memory, U XMM register (ModRM.rm); fixed operands XMM0 and AL CL AX eAX DX 1, ES CS SS DS FS GS, ST,
// STi (x87 register in ModRM.rm) and FOP (low three bits of the opcode and ModRM: the x87 last instruction opcode; not
// displayed). Register numbers of C, D, ST and STi are immediates.

import type { ExtendedState, Feature } from '../features.ts';
import type { Builder } from '../ir/builder.ts';
import type { Known, Operand, Value } from '../ir/value.ts';

/** What a meaning sees besides its operands. */
export interface Context {
  /** Operand size in bits. */
  readonly w: 16 | 32;
  /** Address size in bits. */
  readonly address: 16 | 32;
  /** Condition code of `+cc` rows. */
  readonly cc: number;
  /** Repeat prefix of a string instruction: none, F3 or F2. */
  readonly rep: 'none' | 'rep' | 'repne';
  /** Segment of the source of string instructions, XLAT: DS or the override. */
  readonly seg: Known;
}
export type Meaning = (b: Builder, i: Context, d: Operand, s: Operand, t: Operand) => void;

export interface RowOptions {
  /** The processor's feature that it comes with: bytes of a row whose feature the guest's model lacks are undefined. */
  readonly feature?: Feature;
  /** LOCK is legal when the destination is memory. */
  readonly lock?: true;
  /** String instruction: repeat prefixes apply, the source segment can be overridden. */
  readonly string?: true;
  /** EFLAGS bits that the SDM leaves undefined after it, or left undefined for some counts. */
  readonly undefined?: number | ((w: number, count: number) => number);
  /** Its meaning depends on address size although it has no memory operand (LOOP, JCXZ, XLAT, strings). */
  readonly addressSized?: true;
  /** Its meaning depends on the operand size although no operand shows it (PUSHF, IRET, RET, PUSHA...). */
  readonly operandSized?: true;
  /** Mnemonics by operand size (by address size when `addressSized`) where they differ: CBW/CWDE, PUSHF/PUSHFD, JCXZ/JECXZ. */
  readonly names?: readonly [word: string, dword: string];
  /** POP to memory: the address uses the stack pointer after it was incremented; the decoder adds that to the displacement. */
  readonly pops?: true;
  /** The registers it uses that CR0 and CR4 can withhold. */
  readonly state?: ExtendedState;
  /** Nothing after it in the block is reached by falling through. */
  readonly transfers?: true;
}
export interface Row extends RowOptions {
  readonly id: number;
  /** Mnemonic in upper case; `cc` stands for the condition. */
  readonly name: string;
  /** Encoding without operands: '81 /0'. */
  readonly code: string;
  readonly operands: readonly string[];
  readonly meaning: Meaning;
}

/** All rows, in the order in which the groups declare them. */
export const ROWS: Row[] = [];

/** Declares an instruction: one row per encoding, returned in that order. */
export function insn(name: string, encodings: readonly string[], meaning: Meaning, options: RowOptions = {}): Row[] {
  const rows = encodings.map((encoding, n): Row => {
    const parts = encoding.split(' ');
    const last = parts[parts.length - 1]!;
    const has = /^(?:[A-Z]|eAX)/.test(last);
    return {
      ...options,
      id: ROWS.length + n,
      name,
      code: (has ? parts.slice(0, -1) : parts).join(' '),
      operands: has ? last.split(',') : [],
      meaning,
    };
  });
  ROWS.push(...rows);
  return rows;
}
export type { Builder, Operand, Value };
