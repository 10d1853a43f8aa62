// Flag control instructions (SDM volume 1, "Flag Control (EFLAG) Instructions"; volume 2 for each operation). LAHF and SAHF
// are in dataTransfer.ts.

import { AC, CF, DF, S } from '../state.ts';
import { changeFlags } from './common.ts';
import { insn } from './notation.ts';

insn('CLC', ['f8'], (b) => changeFlags(b, CF, b.imm(0)));
insn('STC', ['f9'], (b) => changeFlags(b, CF, b.imm(CF)));
insn('CMC', ['f5'], (b) => b.flagsAll(b.xor(b.arithmeticFlags(), b.imm(CF))));
insn('CLD', ['fc'], (b) => b.setState(S.SYSTEM_FLAGS, b.and(b.state(S.SYSTEM_FLAGS), b.imm(~DF))));
insn('STD', ['fd'], (b) => b.setState(S.SYSTEM_FLAGS, b.or(b.state(S.SYSTEM_FLAGS), b.imm(DF))));
insn('CLI', ['fa'], (b) => {
  b.call('clearInterruptFlag');
});
insn('STI', ['fb'], (b) => {
  b.call('setInterruptFlag');
});
insn('CLAC', ['0f 01 ca'], (b) => void b.call('setAccessFlag', b.imm(0)), { feature: 'smap' });
insn('STAC', ['0f 01 cb'], (b) => void b.call('setAccessFlag', b.imm(AC)), { feature: 'smap' });
insn('PUSHF', ['9c'], (b, i) => b.push(b.call('flagsForPush', b.imm(i.w)), i.w), { operandSized: true, names: ['PUSHF', 'PUSHFD'] });
insn(
  'POPF',
  ['9d'],
  (b, i) => {
    const value = b.peek(0, i.w);
    b.call('popFlags', value, b.imm(i.w));
    b.moveStack(i.w >> 3);
  },
  { operandSized: true, names: ['POPF', 'POPFD'] },
);
