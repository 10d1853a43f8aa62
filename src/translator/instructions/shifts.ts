// Shift and rotate instructions (SDM volume 1, "Shift and Rotate Instructions"; volume 2 for each operation).
// The count is taken modulo 32; a count of zero leaves the flags alone.

import type { Builder } from '../ir/builder.ts';
import type { Operand, Value, Width } from '../ir/value.ts';
import { AF, ARITHMETIC_FLAGS, CF, OF } from '../state.ts';
import { changeFlags, moveBit } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

/** The six encodings of a member of group 2. */
const group2 = (n: number): string[] => [
  `c0 /${n} Eb,Ib`,
  `c1 /${n} Ev,Ib`,
  `d0 /${n} Eb,1`,
  `d1 /${n} Ev,1`,
  `d2 /${n} Eb,CL`,
  `d3 /${n} Ev,CL`,
];
const masked = (b: Builder, s: Operand): Value => b.and(b.read(s), b.imm(31));
/** Runs `then` unless the count is zero. */
const unlessZero = (b: Builder, n: Value, then: () => void): void => b.if(b.ne(n, b.imm(0)), then);

const shift =
  (op: 'shl' | 'shr' | 'sar'): Meaning =>
  (b, _i, d, s) => {
    const w = d.w,
      raw = b.modify(d),
      n = masked(b, s),
      x = op === 'sar' ? b.signed(raw, w) : raw;
    const before = b[op](x, b.sub(n, b.imm(1))),
      r = b.trunc(b[op](x, n), w);
    b.write(d, r);
    unlessZero(b, n, () => (op === 'shl' ? b.flagsShl(r, before, w) : b.flagsShr(r, before, w)));
  };
const shiftUndefined =
  (arithmetic: boolean) =>
  (w: number, count: number): number => {
    const n = count & 31;
    return n === 0 ? 0 : AF | (n === 1 ? 0 : OF) | (!arithmetic && n >= w ? CF : 0);
  };
insn('SHL', [...group2(4), ...group2(6)], shift('shl'), { undefined: shiftUndefined(false) }); // /6 is an undocumented alias
insn('SHR', group2(5), shift('shr'), { undefined: shiftUndefined(false) });
insn('SAR', group2(7), shift('sar'), { undefined: shiftUndefined(true) });

const rotateUndefined = (_w: number, count: number): number => ((count & 31) > 1 ? OF : 0);
/** CF and OF after a rotation, out of the result and the new carry (0 or 1). */
function rotateFlags(b: Builder, r: Value, carry: Value, w: Width, left: boolean): void {
  const top = moveBit(b, r, w - 1, 0),
    other = left ? carry : moveBit(b, r, w - 2, 0);
  changeFlags(b, CF | OF, b.or(carry, b.shl(b.xor(top, other), b.imm(11))));
}
const rotate =
  (left: boolean): Meaning =>
  (b, _i, d, s) => {
    const w = d.w,
      x = b.modify(d),
      count = masked(b, s),
      n = w === 32 ? count : b.and(count, b.imm(w - 1)),
      rest = b.sub(b.imm(w), n);
    const r = b.trunc(left ? b.or(b.shl(x, n), b.shr(x, rest)) : b.or(b.shr(x, n), b.shl(x, rest)), w);
    b.write(d, r);
    unlessZero(b, count, () => b.flagsRotate(left, r, w));
  };
insn('ROL', group2(0), rotate(true), { undefined: rotateUndefined });
insn('ROR', group2(1), rotate(false), { undefined: rotateUndefined });

/** Rotates operand and CF together: w + 1 bits, the count modulo w + 1. */
const rotateCarry =
  (left: boolean): Meaning =>
  (b, _i, d, s) => {
    const w = d.w,
      x = b.modify(d),
      carry = b.carry(),
      count = masked(b, s),
      one = b.imm(1);
    if (w < 32) {
      const n = b.op('divRemainder', b.imm(0), count, b.imm(w + 1)),
        rest = b.sub(b.imm(w + 1), n),
        all = b.or(x, b.shl(carry, b.imm(w)));
      const turned = left ? b.or(b.shl(all, n), b.shr(all, rest)) : b.or(b.shr(all, n), b.shl(all, rest)),
        r = b.trunc(turned, w);
      b.write(d, r);
      unlessZero(b, n, () => rotateFlags(b, r, moveBit(b, turned, w, 0), w, left));
      return;
    }
    const back = b.sub(b.imm(32), count),
      previous = b.sub(count, one); // shifts by 33 - n in two steps: counts are modulo 32
    const turned = left
      ? b.or(b.or(b.shl(x, count), b.shl(carry, previous)), b.shr(b.shr(x, one), back))
      : b.or(b.or(b.shr(x, count), b.shl(carry, back)), b.shl(b.shl(x, one), back));
    const r = b.select(b.ne(count, b.imm(0)), turned, x);
    b.write(d, r);
    unlessZero(b, count, () => rotateFlags(b, r, b.and(b.shr(x, left ? back : previous), one), w, left));
  };
insn('RCL', group2(2), rotateCarry(true), { undefined: rotateUndefined });
insn('RCR', group2(3), rotateCarry(false), { undefined: rotateUndefined });

// ---- double shifts; with 16-bit operands a count above 16 shifts in the destination again, as the processors do
const doubleUndefined = (w: number, count: number): number => {
  const n = count & 31;
  return n === 0 ? 0 : n > w ? ARITHMETIC_FLAGS : AF | (n === 1 ? 0 : OF);
};
insn(
  'SHLD',
  ['0f a4 /r Ev,Gv,Ib', '0f a5 /r Ev,Gv,CL'],
  (b, _i, d, s, t) => {
    const x = b.modify(d),
      y = b.read(s),
      n = masked(b, t),
      one = b.imm(1),
      sixteen = b.imm(16),
      back = b.sub(b.imm(31), n);
    const high = d.w === 32 ? x : b.or(b.shl(x, sixteen), y),
      low = d.w === 32 ? y : b.shl(x, sixteen);
    const whole = b.or(b.shl(high, n), b.shr(b.shr(low, one), back)),
      last = b.shl(high, b.sub(n, one));
    const r = d.w === 32 ? whole : b.shr(whole, sixteen),
      before = d.w === 32 ? last : b.shr(last, sixteen);
    b.write(d, r);
    unlessZero(b, n, () => b.flagsShl(r, before, d.w));
  },
  { undefined: doubleUndefined },
);
insn(
  'SHRD',
  ['0f ac /r Ev,Gv,Ib', '0f ad /r Ev,Gv,CL'],
  (b, _i, d, s, t) => {
    const x = b.modify(d),
      y = b.read(s),
      n = masked(b, t),
      one = b.imm(1),
      back = b.sub(b.imm(31), n);
    const low = d.w === 32 ? x : b.or(b.shl(y, b.imm(16)), x),
      high = d.w === 32 ? y : x;
    const r = b.trunc(b.or(b.shr(low, n), b.shl(b.shl(high, one), back)), d.w),
      before = b.shr(low, b.sub(n, one));
    b.write(d, r);
    unlessZero(b, n, () => b.flagsShr(r, before, d.w));
  },
  { undefined: doubleUndefined },
);
