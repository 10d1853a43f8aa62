// Instructions as text in AT&T syntax, as the GNU assembler's manual describes it ("AT&T Syntax versus Intel Syntax",
// "i386-Mnemonics") and objdump -M att prints it.

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

/** Mnemonics that AT&T syntax spells differently. */
const RENAMED: Readonly<Record<string, string>> = { cbw: 'cbtw', cwde: 'cwtl', cwd: 'cwtd', cdq: 'cltd', retf: 'lret', int1: 'int1' };
/** x87 instructions whose memory operand is an integer. */
const INTEGER_X87 = /^fi(?!ncstp)/;
/** Operands the Intel order of which is kept. */
const KEEPS_ORDER = new Set(['bound', 'enter']);

function addressText(i: Instruction, address: AddressParts, seg: number): string {
  const { base, index, shift, width } = address,
    disp = displacement(i, address);
  const prefix = seg === defaultSegment(address) ? '' : `%${SEGMENTS[seg]}:`;
  if (base < 0 && index < 0) return prefix + hex(width === 16 ? disp & 0xffff : disp);
  const offset = disp === 0 ? '' : disp < 0 ? `-${hex(-disp)}` : hex(disp);
  const name = (n: number): string => (n < 0 ? '' : `%${registerName(n, width)}`);
  const scaled = index < 0 ? '' : width === 16 ? `,${name(index)}` : `,${name(index)},${1 << shift}`;
  return `${prefix}${offset}(${name(base)}${scaled})`;
}

function operandText(i: Instruction, code: string, o: Operand, options: FormatOptions): string {
  switch (code) {
    case 'Xb':
    case 'Xv':
    case 'Bb':
      return `%${SEGMENTS[i.seg]}:(%${registerName(code === 'Bb' ? 3 : 6, i.address)})`;
    case 'Yb':
    case 'Yv':
      return `%es:(%${registerName(7, i.address)})`;
    case 'DX':
      return '(%dx)';
  }
  switch (o.kind) {
    case 'reg':
      return `%${registerName(o.n as number, o.w)}`;
    case 'sreg':
      return `%${SEGMENTS[o.n as number]}`;
    case 'vector':
      return `%${vectorName(o)}`;
    case 'mem':
      return addressText(i, o.address!, o.seg as number);
    case 'imm': {
      const value = o.value as number;
      switch (code) {
        case 'ST':
          return '%st';
        case 'STi':
          return `%st(${value})`;
        case 'Cd':
          return `%cr${value}`;
        case 'Dd':
          return `%dr${value}`;
        case 'Jb':
        case 'Jz':
          return targetText(i, value, options);
        default:
          return `$${hex(value)}`;
      }
    }
  }
}

/** Size suffix of a memory operand where no register says the size. */
function suffix(i: Instruction, name: string): string {
  const at = i.operands.findIndex((o) => o.kind === 'mem');
  if (at < 0)
    return /^(?:movs|cmps|ins|outs)$/.test(name)
      ? i.row.operands.some((code) => /^[XY]b$/.test(code))
        ? 'b'
        : i.w === 32
          ? 'l'
          : 'w'
      : '';
  const code = i.row.operands[at]!;
  if (i.row.operands[0] === 'FOP') {
    if (INTEGER_X87.test(name)) return code === 'Mw' ? 's' : code === 'Mq' ? 'll' : 'l';
    return code === 'Md' ? 's' : code === 'Mq' ? 'l' : code === 'Mt' && !name.startsWith('fb') ? 't' : '';
  }
  const shaped = i.row.operands.some((other, n) => n !== at && other !== 'CL' && i.operands[n]!.kind !== 'imm');
  if (shaped || code[0] !== 'E' || i.cc !== 0 || /^(?:set|prefetch|call$|jmp$)/.test(name) || (code === 'Ew' && !/^nop/.test(name)))
    return '';
  return code === 'Eb' ? 'b' : i.w === 32 ? 'l' : 'w';
}

function spelling(i: Instruction): string {
  const { row, w } = i,
    name = mnemonic(i),
    first = row.operands[0];
  if (name === 'movzx' || name === 'movsx') return `${name.slice(0, 4)}${row.operands[1] === 'Eb' ? 'b' : 'w'}${w === 32 ? 'l' : 'w'}`;
  if (first === 'A' || first === 'Mp') return `l${name}`;
  // the GNU assembler kept an exchange of the reversed forms that write ST(i)
  if (row.operands[1] === 'STi' && /^f(?:sub|div)/.test(name))
    return name.includes('r') ? name.replace('r', '') : name.replace(/^(f(?:sub|div))/, '$1r');
  return (RENAMED[name] ?? name) + suffix(i, name);
}

/** See `format`. */
export function formatAtt(i: Instruction, options: FormatOptions): string {
  const { row } = i,
    name = spelling(i);
  if (row.operands[0] === 'A') {
    const [offset, selector] = i.operands.map((o) => (o.kind === 'imm' ? `$${hex(o.value as number)}` : ''));
    return `${prefixes(i)}${name} ${selector},${offset}`;
  }
  const texts = i.operands.slice(0, shownOperands(i)).flatMap((o, n) => {
    const code = row.operands[n]!;
    if (code === 'FOP' || code === '1') return [];
    const indirect = /^l?(?:jmp|call)$/.test(name) && !code.startsWith('J');
    return [(indirect ? '*' : '') + operandText(i, code, o, options)];
  });
  if (!KEEPS_ORDER.has(name)) texts.reverse();
  return prefixes(i) + (texts.length === 0 ? name : `${name} ${texts.join(',')}`);
}
