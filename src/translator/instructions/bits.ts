// Bit and byte instructions (SDM volume 1, "Bit and Byte Instructions"; volume 2 for each operation).

import type { Builder } from '../ir/builder.ts';
import type { Operand, Value } from '../ir/value.ts';
import { AF, CF, OF, PF, SF } from '../state.ts';
import { changeFlags } from './common.ts';
import type { Context, Meaning } from './notation.ts';
import { insn } from './notation.ts';

insn('SETcc', ['0f 90+cc /r Eb'], (b, i, d) => b.write(d, b.bit(b.condition(i.cc))));

/** The operand that holds the bit: a register as bit offset reaches beyond the addressed word of memory, in both directions. */
function holder(b: Builder, i: Context, d: Operand, s: Operand): Operand {
  if (d.kind !== 'mem' || s.kind !== 'reg') return d;
  const index = b.sar(b.signed(b.read(s), s.w), b.imm(d.w === 32 ? 5 : 4));
  return b.memory(d.seg, b.add(b.offset(d), b.shl(index, b.imm(d.w === 32 ? 2 : 1)), i.address), d.w);
}
const bitTest =
  (change?: (b: Builder, x: Value, mask: Value) => Value): Meaning =>
  (b, i, d, s) => {
    const place = holder(b, i, d, s),
      n = b.and(b.read(s), b.imm(d.w - 1));
    const x = change ? b.modify(place) : b.read(place);
    const carry = b.and(b.shr(x, n), b.imm(1));
    if (change) b.write(place, change(b, x, b.shl(b.imm(1), n)));
    changeFlags(b, CF, carry);
  };
const UNDEFINED = { undefined: OF | SF | AF | PF } as const;
insn('BT', ['0f a3 /r Ev,Gv', '0f ba /4 Ev,Ib'], bitTest(), UNDEFINED);
insn(
  'BTS',
  ['0f ab /r Ev,Gv', '0f ba /5 Ev,Ib'],
  bitTest((b, x, mask) => b.or(x, mask)),
  { lock: true, ...UNDEFINED },
);
insn(
  'BTR',
  ['0f b3 /r Ev,Gv', '0f ba /6 Ev,Ib'],
  bitTest((b, x, mask) => b.and(x, b.not(mask))),
  { lock: true, ...UNDEFINED },
);
insn(
  'BTC',
  ['0f bb /r Ev,Gv', '0f ba /7 Ev,Ib'],
  bitTest((b, x, mask) => b.xor(x, mask)),
  { lock: true, ...UNDEFINED },
);

/** A source of zero leaves the destination as it is, which the SDM calls undefined and the processors do. */
const scan =
  (position: (b: Builder, x: Value) => Value): Meaning =>
  (b, _i, d, s) => {
    const x = b.read(s);
    b.write(d, b.select(b.eq(x, b.imm(0)), b.read(d), position(b, x)));
    b.flagsLogic(x, s.w);
  };
insn(
  'BSF',
  ['0f bc /r Gv,Ev'],
  scan((b, x) => b.op('countTrailingZeros', x)),
  { undefined: CF | OF | SF | AF | PF },
);
insn(
  'BSR',
  ['0f bd /r Gv,Ev'],
  scan((b, x) => b.sub(b.imm(31), b.op('countLeadingZeros', x))),
  { undefined: CF | OF | SF | AF | PF },
);
