// Logical instructions (SDM volume 1, "Logical Instructions"; volume 2 for each operation).

import { AF } from '../state.ts';
import { aluEncodings } from './arithmetic.ts';
import { insn } from './notation.ts';

for (const [name, n, op] of [
  ['OR', 1, 'or'],
  ['AND', 4, 'and'],
  ['XOR', 6, 'xor'],
] as const) {
  insn(
    name,
    aluEncodings(n),
    (b, _i, d, s) => {
      const r = b[op](b.modify(d), b.read(s));
      b.write(d, r);
      b.flagsLogic(r, d.w);
    },
    { lock: true, undefined: AF },
  );
}
insn('NOT', ['f6 /2 Eb', 'f7 /2 Ev'], (b, _i, d) => b.write(d, b.not(b.modify(d), d.w)), { lock: true });
insn(
  'TEST',
  ['84 /r Eb,Gb', '85 /r Ev,Gv', 'a8 AL,Ib', 'a9 eAX,Iz', 'f6 /0-1 Eb,Ib', 'f7 /0-1 Ev,Iz'],
  (b, _i, d, s) => {
    b.flagsLogic(b.and(b.read(d), b.read(s)), d.w); // F6 /1 and F7 /1 are undocumented aliases
  },
  { undefined: AF },
);
