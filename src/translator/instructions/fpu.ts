// x87 instructions: one row per instruction for decoder and disassembler, one meaning for all. What they do is said in
// runtime/fpu on the x87 state (SDM volume 1, "Programming with the x87 FPU"; volume 2, appendix "Escape Opcode
// Instructions"). Encodings the SDM leaves out but the processors take as aliases carry the name of what they do.

import { memory } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

const inMemory: Meaning = (b, i, d, s) => {
  b.call('escape', b.read(d), b.imm(memory(s).seg), b.offset(s), b.imm(i.w));
};
const inRegisters: Meaning = (b, i, d) => {
  b.call('escape', b.read(d), b.imm(-1), b.imm(0), b.imm(i.w));
};
const SIZED = { operandSized: true } as const;
/** `d8 /0 Md` and the like; a register form's code ends in its operands or in none. */
function escape(name: string, ...encodings: string[]): void {
  for (const encoding of encodings) {
    const [opcode, second, operands] = encoding.split(' ');
    insn(name, [`${opcode} ${second} FOP${operands ? `,${operands}` : ''}`], second!.startsWith('/') ? inMemory : inRegisters, SIZED);
  }
}

// ---- arithmetic: single, double, 16- and 32-bit integer, register forms in both directions, popping
// DC and DE register forms reverse what the reg field says in D8 for subtraction and division
const ARITHMETIC = [
  ['ADD', 0, 0],
  ['MUL', 1, 1],
  ['SUB', 4, 5],
  ['SUBR', 5, 4],
  ['DIV', 6, 7],
  ['DIVR', 7, 6],
] as const;
for (const [name, digit, reversed] of ARITHMETIC) {
  const at = (n: number): string => (0xc0 + 8 * n).toString(16);
  escape(`F${name}`, `d8 /${digit} Md`, `dc /${digit} Mq`, `d8 ${at(digit)}+i ST,STi`, `dc ${at(reversed)}+i STi,ST`);
  escape(`FI${name}`, `da /${digit} Md`, `de /${digit} Mw`);
  escape(`F${name}P`, `de ${at(reversed)}+i STi,ST`);
}
escape('FCHS', 'd9 e0');
escape('FABS', 'd9 e1');
escape('FPREM1', 'd9 f5');
escape('FPREM', 'd9 f8');
escape('FSQRT', 'd9 fa');
escape('FRNDINT', 'd9 fc');
escape('FSCALE', 'd9 fd');
escape('FXTRACT', 'd9 f4');

// ---- data transfer
escape('FLD', 'd9 /0 Md', 'dd /0 Mq', 'db /5 Mt', 'd9 c0+i STi');
escape('FST', 'd9 /2 Md', 'dd /2 Mq', 'dd d0+i STi');
escape('FSTP', 'd9 /3 Md', 'dd /3 Mq', 'db /7 Mt', 'dd d8+i STi', 'd9 d8+i STi', 'df d0+i STi', 'df d8+i STi');
escape('FILD', 'df /0 Mw', 'db /0 Md', 'df /5 Mq');
escape('FIST', 'df /2 Mw', 'db /2 Md');
escape('FISTP', 'df /3 Mw', 'db /3 Md', 'df /7 Mq');
escape('FBLD', 'df /4 Mt');
escape('FBSTP', 'df /6 Mt');
escape('FXCH', 'd9 c8+i STi', 'dd c8+i STi', 'df c8+i STi');
for (const [condition, code] of [
  ['B', 'da c0'],
  ['E', 'da c8'],
  ['BE', 'da d0'],
  ['U', 'da d8'],
  ['NB', 'db c0'],
  ['NE', 'db c8'],
  ['NBE', 'db d0'],
  ['NU', 'db d8'],
] as const) {
  escape(`FCMOV${condition}`, `${code}+i ST,STi`);
}

// ---- comparison
escape('FCOM', 'd8 /2 Md', 'dc /2 Mq', 'd8 d0+i STi', 'dc d0+i STi');
escape('FCOMP', 'd8 /3 Md', 'dc /3 Mq', 'd8 d8+i STi', 'dc d8+i STi', 'de d0+i STi');
escape('FCOMPP', 'de d9');
escape('FUCOM', 'dd e0+i STi');
escape('FUCOMP', 'dd e8+i STi');
escape('FUCOMPP', 'da e9');
escape('FICOM', 'da /2 Md', 'de /2 Mw');
escape('FICOMP', 'da /3 Md', 'de /3 Mw');
escape('FCOMI', 'db f0+i ST,STi');
escape('FUCOMI', 'db e8+i ST,STi');
escape('FCOMIP', 'df f0+i ST,STi');
escape('FUCOMIP', 'df e8+i ST,STi');
escape('FTST', 'd9 e4');
escape('FXAM', 'd9 e5');

// ---- constants
for (const [n, name] of ['FLD1', 'FLDL2T', 'FLDL2E', 'FLDPI', 'FLDLG2', 'FLDLN2', 'FLDZ'].entries())
  escape(name, `d9 ${(0xe8 + n).toString(16)}`);

// ---- transcendental
escape('F2XM1', 'd9 f0');
escape('FYL2X', 'd9 f1');
escape('FPTAN', 'd9 f2');
escape('FPATAN', 'd9 f3');
escape('FYL2XP1', 'd9 f9');
escape('FSINCOS', 'd9 fb');
escape('FSIN', 'd9 fe');
escape('FCOS', 'd9 ff');

// ---- control
escape('FLDENV', 'd9 /4 M');
escape('FNSTENV', 'd9 /6 M');
escape('FLDCW', 'd9 /5 Mw');
escape('FNSTCW', 'd9 /7 Mw');
escape('FRSTOR', 'dd /4 M');
escape('FNSAVE', 'dd /6 M');
escape('FNSTSW', 'dd /7 Mw', 'df e0 AX');
escape('FNOP', 'd9 d0');
escape('FDECSTP', 'd9 f6');
escape('FINCSTP', 'd9 f7');
escape('FFREE', 'dd c0+i STi');
escape('FFREEP', 'df c0+i STi');
escape('FNENI', 'db e0'); // of the 8087; ignored since the 80287
escape('FNDISI', 'db e1');
escape('FNCLEX', 'db e2');
escape('FNINIT', 'db e3');
escape('FNSETPM', 'db e4'); // of the 80287; ignored since the 80387
insn('FWAIT', ['9b'], (b) => {
  b.call('wait');
});
