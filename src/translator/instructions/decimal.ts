// Decimal arithmetic instructions (SDM volume 1, "Decimal Arithmetic Instructions"; volume 2 for each operation).

import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/value.ts';
import { AF, CF, OF, PF, SF, VECTOR, ZF } from '../state.ts';
import { AH, EAX, when } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

/** Whether the low digit of AL is above 9 or AF is set. */
function digitAdjusts(b: Builder, al: Value, flags: Value): Value {
  return b.either(b.ltu(b.imm(9), b.and(al, b.imm(15))), b.ne(b.and(flags, b.imm(AF)), b.imm(0)));
}

const packed =
  (subtract: boolean): Meaning =>
  (b) => {
    const al = b.gpr(EAX, 8),
      flags = b.arithmeticFlags();
    const low = digitAdjusts(b, al, flags);
    const high = b.either(b.ltu(b.imm(0x99), al), b.ne(b.and(flags, b.imm(CF)), b.imm(0)));
    const correction = b.add(when(b, low, 6), when(b, high, 0x60));
    const r = subtract ? b.sub(al, correction, 8) : b.add(al, correction, 8);
    // DAS keeps the borrow of AL - 6 although the second test clears nothing
    const carry = subtract ? b.either(high, b.both(low, b.ltu(al, b.imm(6)))) : high;
    b.setGpr(EAX, r, 8);
    b.flagsResult(r, b.or(when(b, carry, CF), when(b, low, AF)), 8);
  };
insn('DAA', ['27'], packed(false), { undefined: OF });
insn('DAS', ['2f'], packed(true), { undefined: OF });

const unpacked =
  (subtract: boolean): Meaning =>
  (b) => {
    const ax = b.gpr(EAX, 16),
      adjusts = digitAdjusts(b, b.gpr(EAX, 8), b.arithmeticFlags());
    const correction = when(b, adjusts, 0x106);
    const r = b.and(subtract ? b.sub(ax, correction) : b.add(ax, correction), b.imm(0xff0f));
    b.setGpr(EAX, r, 16);
    b.flagsResult(b.trunc(r, 8), when(b, adjusts, CF | AF), 8);
  };
insn('AAA', ['37'], unpacked(false), { undefined: OF | SF | ZF | PF });
insn('AAS', ['3f'], unpacked(true), { undefined: OF | SF | ZF | PF });

insn(
  'AAM',
  ['d4 Ib'],
  (b, _i, d) => {
    const al = b.gpr(EAX, 8),
      base = b.read(d),
      zero = b.imm(0);
    b.raiseIf(b.eq(base, zero), VECTOR.DE);
    const quotient = b.op('divQuotient', zero, al, base),
      remainder = b.op('divRemainder', zero, al, base);
    b.setGpr(AH, quotient, 8);
    b.setGpr(EAX, remainder, 8);
    b.flagsLogic(remainder, 8);
  },
  { undefined: OF | AF | CF },
);
insn(
  'AAD',
  ['d5 Ib'],
  (b, _i, d) => {
    const product = b.mul(b.gpr(AH, 8), b.read(d), 8),
      r = b.add(b.gpr(EAX, 8), product, 8);
    b.setGpr(EAX, r, 16); // AH := 0
    b.flagsAdd(r, product, 8); // the SDM defines SF, ZF and PF only
  },
  { undefined: OF | AF | CF },
);
