// Binary arithmetic instructions (SDM volume 1, "Binary Arithmetic Instructions"; volume 2 for each operation).

import type { Builder } from '../ir/builder.ts';
import type { Operand, Value, Width } from '../ir/value.ts';
import { AF, ARITHMETIC_FLAGS, CF, OF, PF, SF, VECTOR, ZF } from '../state.ts';
import { AH, carryFlags, EAX, EDX, when } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

/** The nine encodings of a two-operand ALU instruction; 82 is an alias of 80. */
export function aluEncodings(n: number): string[] {
  const at = (k: number): string => (n * 8 + k).toString(16).padStart(2, '0');
  return [
    `${at(0)} /r Eb,Gb`,
    `${at(1)} /r Ev,Gv`,
    `${at(2)} /r Gb,Eb`,
    `${at(3)} /r Gv,Ev`,
    `${at(4)} AL,Ib`,
    `${at(5)} eAX,Iz`,
    `80 /${n} Eb,Ib`,
    `81 /${n} Ev,Iz`,
    `82 /${n} Eb,Ib`,
    `83 /${n} Ev,Ibs`,
  ];
}

insn(
  'ADD',
  aluEncodings(0),
  (b, _i, d, s) => {
    const x = b.modify(d),
      y = b.read(s),
      r = b.add(x, y, d.w);
    b.write(d, r);
    b.flagsAdd(r, y, d.w);
  },
  { lock: true },
);
insn(
  'ADC',
  aluEncodings(2),
  (b, _i, d, s) => {
    const x = b.modify(d),
      y = b.read(s),
      r = b.add(b.add(x, y), b.carry(), d.w);
    const bits = carryFlags(b, b.or(b.and(x, y), b.and(b.or(x, y), b.not(r))), d.w);
    b.write(d, r);
    b.flagsResult(r, bits, d.w);
  },
  { lock: true },
);
insn(
  'SBB',
  aluEncodings(3),
  (b, _i, d, s) => {
    const x = b.modify(d),
      y = b.read(s),
      r = b.sub(b.sub(x, y), b.carry(), d.w),
      notX = b.not(x);
    const bits = carryFlags(b, b.or(b.and(notX, y), b.and(b.or(notX, y), r)), d.w);
    b.write(d, r);
    b.flagsResult(r, bits, d.w);
  },
  { lock: true },
);
insn(
  'SUB',
  aluEncodings(5),
  (b, _i, d, s) => {
    const x = b.modify(d),
      y = b.read(s);
    b.write(d, b.sub(x, y, d.w));
    b.flagsSub(x, y, d.w);
  },
  { lock: true },
);
insn('CMP', aluEncodings(7), (b, _i, d, s) => b.flagsSub(b.read(d), b.read(s), d.w));
insn(
  'NEG',
  ['f6 /3 Eb', 'f7 /3 Ev'],
  (b, _i, d) => {
    const x = b.modify(d),
      zero = b.imm(0);
    b.write(d, b.sub(zero, x, d.w));
    b.flagsSub(zero, x, d.w);
  },
  { lock: true },
);

insn(
  'INC',
  ['40+r Zv', 'fe /0 Eb', 'ff /0 Ev'],
  (b, _i, d) => {
    const r = b.add(b.modify(d), b.imm(1), d.w);
    b.write(d, r);
    b.flagsInc(r, d.w);
  },
  { lock: true },
);
insn(
  'DEC',
  ['48+r Zv', 'fe /1 Eb', 'ff /1 Ev'],
  (b, _i, d) => {
    const r = b.sub(b.modify(d), b.imm(1), d.w);
    b.write(d, r);
    b.flagsDec(r, d.w);
  },
  { lock: true },
);

// ---- multiplication
const PRODUCT_UNDEFINED = SF | ZF | AF | PF;
const productFlags = (b: Builder, low: Value, overflows: Value, w: Width): void => b.flagsResult(low, when(b, overflows, CF | OF), w);

/** Double-width product of the accumulator and an operand. */
const multiply =
  (signed: boolean): Meaning =>
  (b, _i, d) => {
    const w = d.w,
      y = b.read(d),
      x = b.gpr(EAX, w);
    if (w === 32) {
      const low = b.mul(x, y),
        high = b.op(signed ? 'mulHighS' : 'mulHighU', x, y);
      b.setGpr(EAX, low);
      b.setGpr(EDX, high);
      productFlags(b, low, b.ne(high, signed ? b.sar(low, b.imm(31)) : b.imm(0)), w);
      return;
    }
    const product = signed ? b.mul(b.signed(x, w), b.signed(y, w)) : b.mul(x, y),
      low = b.trunc(product, w);
    if (w === 8) b.setGpr(EAX, b.trunc(product, 16), 16);
    else {
      b.setGpr(EAX, low, 16);
      b.setGpr(EDX, b.shr(product, b.imm(16)), 16);
    }
    productFlags(b, low, b.ne(product, signed ? b.signed(low, w) : low), w);
  };
insn('MUL', ['f6 /4 Eb', 'f7 /4 Ev'], multiply(false), { undefined: PRODUCT_UNDEFINED });
insn('IMUL', ['f6 /5 Eb', 'f7 /5 Ev'], multiply(true), { undefined: PRODUCT_UNDEFINED });

const truncatedProduct = (b: Builder, d: Operand, x: Value, y: Value): void => {
  if (d.w === 32) {
    const r = b.mul(x, y),
      overflows = b.ne(b.op('mulHighS', x, y), b.sar(r, b.imm(31)));
    b.write(d, r);
    productFlags(b, r, overflows, 32);
    return;
  }
  const product = b.mul(b.signed(x, 16), b.signed(y, 16)),
    r = b.trunc(product, 16);
  b.write(d, r);
  productFlags(b, r, b.ne(b.signed(r, 16), product), 16);
};
insn('IMUL', ['0f af /r Gv,Ev'], (b, _i, d, s) => truncatedProduct(b, d, b.read(d), b.read(s)), { undefined: PRODUCT_UNDEFINED });
insn('IMUL', ['69 /r Gv,Ev,Iz', '6b /r Gv,Ev,Ibs'], (b, _i, d, s, t) => truncatedProduct(b, d, b.read(s), b.read(t)), {
  undefined: PRODUCT_UNDEFINED,
});

// ---- division: #DE for a zero divisor and for a quotient that does not fit
insn(
  'DIV',
  ['f6 /6 Eb', 'f7 /6 Ev'],
  (b, _i, d) => {
    const w = d.w,
      y = b.read(d),
      zero = b.imm(0);
    if (w === 32) {
      const low = b.gpr(EAX),
        high = b.gpr(EDX);
      b.raiseIf(b.op('divOverflows', high, y), VECTOR.DE);
      setQuotient(b, w, b.op('divQuotient', high, low, y), b.op('divRemainder', high, low, y));
      return;
    }
    const high = w === 8 ? b.gpr(AH, 8) : b.gpr(EDX, 16);
    const dividend = w === 8 ? b.gpr(EAX, 16) : b.or(b.shl(high, b.imm(16)), b.gpr(EAX, 16));
    b.raiseIf(b.negate(b.ltu(high, y)), VECTOR.DE);
    setQuotient(b, w, b.op('divQuotient', zero, dividend, y), b.op('divRemainder', zero, dividend, y));
  },
  { undefined: ARITHMETIC_FLAGS },
);
insn(
  'IDIV',
  ['f6 /7 Eb', 'f7 /7 Ev'],
  (b, _i, d) => {
    const w = d.w,
      y = b.signed(b.read(d), w);
    if (w === 32) {
      const low = b.gpr(EAX),
        high = b.gpr(EDX);
      b.raiseIf(b.op('idivOverflows', high, low, y), VECTOR.DE);
      setQuotient(b, w, b.op('idivQuotient', high, low, y), b.op('idivRemainder', high, low, y));
      return;
    }
    const dividend = w === 8 ? b.signed(b.gpr(EAX, 16), 16) : b.or(b.shl(b.gpr(EDX, 16), b.imm(16)), b.gpr(EAX, 16));
    const high = b.sar(dividend, b.imm(31));
    b.raiseIf(b.eq(y, b.imm(0)), VECTOR.DE);
    const quotient = b.op('idivQuotient', high, dividend, y);
    b.raiseIf(b.ne(b.signed(quotient, w), quotient), VECTOR.DE);
    setQuotient(b, w, b.trunc(quotient, w), b.trunc(b.op('idivRemainder', high, dividend, y), w));
  },
  { undefined: ARITHMETIC_FLAGS },
);
function setQuotient(b: Builder, w: Width, quotient: Value, remainder: Value): void {
  b.setGpr(EAX, quotient, w);
  b.setGpr(w === 8 ? AH : EDX, remainder, w);
}
