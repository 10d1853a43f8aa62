// x87 instructions: one row per instruction for decoder and disassembler, one meaning for all. What they do is said in
// runtime/fpu on the x87 state (SDM volume 1, "Programming with the x87 FPU"; volume 2, appendix "Escape Opcode
// Instructions"). Encodings the SDM leaves out but the processors take as aliases carry the name of what they do.

import type { Feature } from '../features.ts';
import { S, VECTOR } from '../state.ts';
import { memory } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

const inMemory: Meaning = (b, i, d, s) => {
  const { seg } = memory(s);
  if (b.model.flat(seg)) b.attempt(b.read(d), seg, b.offset(s), i.w);
  else b.call('escape', b.read(d), b.imm(seg), b.offset(s), b.imm(i.w));
};
const inRegisters: Meaning = (b, i, d) => b.attempt(b.read(d), -1, b.imm(0), i.w);
/** Of those that set flags: ZF, PF, CF. */
const intoFlags: Meaning = (b, i, d) => {
  b.attempt(b.read(d), -1, b.imm(0), i.w);
  b.flagsAll(b.second());
};
/** Of those that read flags, or that do not wait. */
const controlInMemory: Meaning = (b, i, d, s) => {
  b.call('escape', b.read(d), b.imm(memory(s).seg), b.offset(s), b.imm(i.w));
};
const controlInRegisters: Meaning = (b, i, d) => {
  b.call('escape', b.read(d), b.imm(-1), b.imm(0), b.imm(i.w));
};
/** CR0.EM and CR0.TS. */
export const EM = 4,
  TS = 8;
const SIZED = { operandSized: true } as const;
/** Those that move by or set EFLAGS came with the Pentium Pro. */
const WITH_EFLAGS = /^F(?:CMOV|U?COMI)/;
/** `d8 /0 Md` and the like; a register form's code ends in its operands or in none. */
function declare(inMemoryForm: Meaning, inRegisterForm: Meaning): (name: string, ...encodings: string[]) => void {
  return (name, ...encodings) => {
    const feature: Feature | undefined = WITH_EFLAGS.test(name) ? 'cmov' : name === 'FISTTP' ? 'pni' : undefined,
      options = feature ? { ...SIZED, feature } : SIZED;
    for (const encoding of encodings) {
      const [opcode, second, operands] = encoding.split(' ');
      insn(
        name,
        [`${opcode} ${second} FOP${operands ? `,${operands}` : ''}`],
        second!.startsWith('/') ? inMemoryForm : inRegisterForm,
        options,
      );
    }
  };
}
const x87 = declare(inMemory, inRegisters),
  x87Compare = declare(inMemory, intoFlags),
  x87Control = declare(controlInMemory, controlInRegisters);

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
  x87(`F${name}`, `d8 /${digit} Md`, `dc /${digit} Mq`, `d8 ${at(digit)}+i ST,STi`, `dc ${at(reversed)}+i STi,ST`);
  x87(`FI${name}`, `da /${digit} Md`, `de /${digit} Mw`);
  x87(`F${name}P`, `de ${at(reversed)}+i STi,ST`);
}
x87('FCHS', 'd9 e0');
x87('FABS', 'd9 e1');
x87('FPREM1', 'd9 f5');
x87('FPREM', 'd9 f8');
x87('FSQRT', 'd9 fa');
x87('FRNDINT', 'd9 fc');
x87('FSCALE', 'd9 fd');
x87('FXTRACT', 'd9 f4');

// ---- data transfer
x87('FLD', 'd9 /0 Md', 'dd /0 Mq', 'db /5 Mt', 'd9 c0+i STi');
x87('FST', 'd9 /2 Md', 'dd /2 Mq', 'dd d0+i STi');
x87('FSTP', 'd9 /3 Md', 'dd /3 Mq', 'db /7 Mt', 'dd d8+i STi', 'd9 d8+i STi', 'df d0+i STi', 'df d8+i STi');
x87('FILD', 'df /0 Mw', 'db /0 Md', 'df /5 Mq');
x87('FIST', 'df /2 Mw', 'db /2 Md');
x87('FISTP', 'df /3 Mw', 'db /3 Md', 'df /7 Mq');
x87('FISTTP', 'df /1 Mw', 'db /1 Md', 'dd /1 Mq');
x87('FBLD', 'df /4 Mt');
x87('FBSTP', 'df /6 Mt');
x87('FXCH', 'd9 c8+i STi', 'dd c8+i STi', 'df c8+i STi');
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
  x87Control(`FCMOV${condition}`, `${code}+i ST,STi`);
}

// ---- comparison
x87('FCOM', 'd8 /2 Md', 'dc /2 Mq', 'd8 d0+i STi', 'dc d0+i STi');
x87('FCOMP', 'd8 /3 Md', 'dc /3 Mq', 'd8 d8+i STi', 'dc d8+i STi', 'de d0+i STi');
x87('FCOMPP', 'de d9');
x87('FUCOM', 'dd e0+i STi');
x87('FUCOMP', 'dd e8+i STi');
x87('FUCOMPP', 'da e9');
x87('FICOM', 'da /2 Md', 'de /2 Mw');
x87('FICOMP', 'da /3 Md', 'de /3 Mw');
x87Compare('FCOMI', 'db f0+i ST,STi');
x87Compare('FUCOMI', 'db e8+i ST,STi');
x87Compare('FCOMIP', 'df f0+i ST,STi');
x87Compare('FUCOMIP', 'df e8+i ST,STi');
x87('FTST', 'd9 e4');
x87('FXAM', 'd9 e5');

// ---- constants
for (const [n, name] of ['FLD1', 'FLDL2T', 'FLDL2E', 'FLDPI', 'FLDLG2', 'FLDLN2', 'FLDZ'].entries())
  x87(name, `d9 ${(0xe8 + n).toString(16)}`);

// ---- transcendental
x87('F2XM1', 'd9 f0');
x87('FYL2X', 'd9 f1');
x87('FPTAN', 'd9 f2');
x87('FPATAN', 'd9 f3');
x87('FYL2XP1', 'd9 f9');
x87('FSINCOS', 'd9 fb');
x87('FSIN', 'd9 fe');
x87('FCOS', 'd9 ff');

// ---- control
x87Control('FLDENV', 'd9 /4 M');
x87Control('FNSTENV', 'd9 /6 M');
x87Control('FLDCW', 'd9 /5 Mw');
x87Control('FNSTCW', 'd9 /7 Mw');
x87Control('FRSTOR', 'dd /4 M');
x87Control('FNSAVE', 'dd /6 M');
x87Control('FNSTSW', 'dd /7 Mw');
// The register form stands between comparison and branch of every program before FCOMI: it calls nothing.
insn('FNSTSW', ['df e0 FOP,AX'], (b, _i, _d, s) => {
  b.raiseIf(b.ne(b.and(b.state(S.CR0), b.imm(EM | TS)), b.imm(0)), VECTOR.NM);
  b.write(s, b.trunc(b.state(S.FPU_STATUS), 16));
});
x87('FNOP', 'd9 d0');
x87('FDECSTP', 'd9 f6');
x87('FINCSTP', 'd9 f7');
x87('FFREE', 'dd c0+i STi');
x87('FFREEP', 'df c0+i STi');
x87Control('FNENI', 'db e0'); // of the 8087; ignored since the 80287
x87Control('FNDISI', 'db e1');
x87Control('FNCLEX', 'db e2');
x87Control('FNINIT', 'db e3');
x87Control('FNSETPM', 'db e4'); // of the 80287; ignored since the 80387
insn('FWAIT', ['9b'], (b) => {
  b.call('wait');
});
