// Instructions as text in Intel syntax, as the SDM writes them and objdump -M intel prints them; AT&T syntax is in att.ts.

import { formatAtt } from './att.ts';
import type { Instruction } from './decode.ts';
import type { AddressParts, Operand } from './ir/value.ts';
import type { FormatOptions } from './mnemonics.ts';
import {
  defaultSegment,
  displacement,
  hex,
  mnemonic,
  prefixes,
  registerName,
  SEGMENTS,
  shownOperands,
  targetText,
  vectorName,
} from './mnemonics.ts';

export type { FormatOptions } from './mnemonics.ts';

/** Text of an instruction on one line, in lower case. */
export function format(i: Instruction, options: FormatOptions): string {
  return options.syntax === 'att' ? formatAtt(i, options) : formatIntel(i, options);
}

const VECTOR_SIZES: Readonly<Record<string, string>> = { dq: 'XMMWORD', ps: 'XMMWORD', pd: 'XMMWORD', sd: 'QWORD', ss: 'DWORD' };

/** Size of a memory operand by the row's operand code; nothing for addresses without a size and beside an accumulator. */
function sizeText(code: string, w: number): string {
  if (code[0] === 'O') return '';
  const vector = VECTOR_SIZES[code.slice(1)];
  if (vector !== undefined) return `${vector} PTR `;
  switch (code[1]) {
    case undefined:
    case 's':
      return '';
    case 'b':
      return 'BYTE PTR ';
    case 'w':
      return 'WORD PTR ';
    case 'd':
      return 'DWORD PTR ';
    case 'q':
      return 'QWORD PTR ';
    case 't':
      return 'TBYTE PTR ';
    case 'p':
      return w === 32 ? 'FWORD PTR ' : 'DWORD PTR ';
    case 'a':
      return w === 32 ? 'QWORD PTR ' : 'DWORD PTR ';
    default:
      return w === 32 ? 'DWORD PTR ' : 'WORD PTR ';
  }
}

function addressText(i: Instruction, address: AddressParts, seg: number): string {
  const { base, index, shift, width } = address,
    parts: string[] = [],
    disp = displacement(i, address);
  if (base >= 0) parts.push(registerName(base, width));
  if (index >= 0) parts.push(width === 16 ? registerName(index, 16) : `${registerName(index, 32)}*${1 << shift}`);
  if (parts.length === 0) return `${SEGMENTS[seg]}:${hex(width === 16 ? disp & 0xffff : disp)}`;
  const offset = disp === 0 ? '' : disp < 0 ? `-${hex(-disp)}` : `+${hex(disp)}`;
  return `${seg === defaultSegment(address) ? '' : `${SEGMENTS[seg]}:`}[${parts.join('+')}${offset}]`;
}

function operandText(i: Instruction, code: string, o: Operand, options: FormatOptions): string {
  if (o.kind === 'vector') return vectorName(o);
  switch (code[0]) {
    case 'X':
    case 'B':
      return `${sizeText(code, i.w)}${SEGMENTS[i.seg]}:[${registerName(code[0] === 'X' ? 6 : 3, i.address)}]`;
    case 'Y':
      return `${sizeText(code, i.w)}es:[${registerName(7, i.address)}]`;
  }
  switch (o.kind) {
    case 'reg':
      return registerName(o.n as number, o.w);
    case 'sreg':
      return SEGMENTS[o.n as number]!;
    case 'mem':
      return sizeText(code, i.w) + addressText(i, o.address!, o.seg as number);
    case 'imm': {
      const value = o.value as number;
      switch (code) {
        case 'ST':
          return 'st';
        case 'STi':
          return `st(${value})`;
        case 'Cd':
          return `cr${value}`;
        case 'Dd':
          return `dr${value}`;
        case '1':
          return '1';
        case 'Jb':
        case 'Jz':
          return targetText(i, value, options);
        default:
          return hex(value);
      }
    }
  }
}

function formatIntel(i: Instruction, options: FormatOptions): string {
  const { row, operands } = i;
  const texts =
    row.operands[0] === 'A'
      ? [
          operands
            .map((o) => (o.kind === 'imm' ? hex(o.value as number) : ''))
            .reverse()
            .join(':'),
        ]
      : operands
          .slice(0, shownOperands(i))
          .flatMap((o, n) => (row.operands[n] === 'FOP' ? [] : [operandText(i, row.operands[n]!, o, options)]));
  const name = prefixes(i) + mnemonic(i);
  return texts.length === 0 ? name : `${name} ${texts.join(',')}`;
}
