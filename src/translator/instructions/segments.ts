// Segment register instructions with far pointers (SDM volume 1, "Segment Register Instructions"). MOV, PUSH and POP of
// segment registers are in dataTransfer.ts, far transfers in control.ts.

import { DS, ES, FS, GS, SS } from '../state.ts';
import { memory } from './common.ts';
import { insn } from './notation.ts';

for (const [name, segment, code] of [
  ['LES', ES, 'c4'],
  ['LDS', DS, 'c5'],
  ['LSS', SS, '0f b2'],
  ['LFS', FS, '0f b4'],
  ['LGS', GS, '0f b5'],
] as const) {
  insn(name, [`${code} /r Gv,Mp`], (b, i, d, s) => {
    const offset = b.load(memory(s).seg, b.offset(s), d.w),
      selector = b.read(b.beyond(s, d.w >> 3, 16, i.address));
    b.call('loadSegment', b.imm(segment), selector);
    b.write(d, offset);
  });
}
