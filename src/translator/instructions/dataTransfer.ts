// Data transfer instructions (SDM volume 1, "Data Transfer Instructions"; volume 2 for each operation).

import type { Builder } from '../ir/builder.ts';
import { AF, CF, CS, DS, ES, FS, GS, OF, PF, S, SF, SS, VECTOR, ZF } from '../state.ts';
import { AH, EAX, EBX, ECX, EDX, ESP, memory, segmentBase, zeroFlag } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

const mov: Meaning = (b, _i, d, s) => b.write(d, b.read(s));
insn(
  'MOV',
  [
    '88 /r Eb,Gb',
    '89 /r Ev,Gv',
    '8a /r Gb,Eb',
    '8b /r Gv,Ev',
    'a0 AL,Ob',
    'a1 eAX,Ov',
    'a2 Ob,AL',
    'a3 Ov,eAX',
    'b0+r Zb,Ib',
    'b8+r Zv,Iz',
    'c6 /0 Eb,Ib',
    'c7 /0 Ev,Iz',
    '8c /0-5 Mw,Sw',
    '8c /0-5 Rv,Sw',
    '8e /0 Sw,Ew',
    '8e /3-5 Sw,Ew',
  ],
  mov,
);
insn('MOV', ['8e /2 Sw,Ew'], (b, i, d, s, t) => {
  mov(b, i, d, s, t);
  b.call('shadowSs');
});

insn('MOVZX', ['0f b6 /r Gv,Eb', '0f b7 /r Gv,Ew'], mov);
insn('MOVSX', ['0f be /r Gv,Eb', '0f bf /r Gv,Ew'], (b, _i, d, s) => b.write(d, b.trunc(b.signed(b.read(s), s.w), d.w)));
insn(
  'CMOVcc',
  ['0f 40+cc /r Gv,Ev'],
  (b, i, d, s) => {
    const y = b.read(s); // loaded whether or not the condition holds
    b.write(d, b.select(b.condition(i.cc), y, b.read(d)));
  },
  { feature: 'cmov' },
);

const xchg: Meaning = (b, _i, d, s) => {
  const x = b.modify(d),
    y = b.read(s);
  b.write(d, y);
  b.write(s, x);
};
insn('XCHG', ['86 /r Eb,Gb', '87 /r Ev,Gv'], xchg, { lock: true });
insn('XCHG', ['90+r Zv,eAX'], xchg);
insn('BSWAP', ['0f c8+r Zv'], (b, i, d) => {
  if (i.w === 16) {
    // undefined by the SDM; the processors clear the register
    b.write(d, b.imm(0));
    return;
  }
  const x = b.read(d),
    eight = b.imm(8),
    twentyFour = b.imm(24),
    byte1 = b.imm(0xff00);
  const outer = b.or(b.shl(x, twentyFour), b.shr(x, twentyFour));
  b.write(d, b.or(outer, b.or(b.shl(b.and(x, byte1), eight), b.and(b.shr(x, eight), byte1))));
});
insn(
  'XADD',
  ['0f c0 /r Eb,Gb', '0f c1 /r Ev,Gv'],
  (b, _i, d, s) => {
    const x = b.modify(d),
      y = b.read(s),
      r = b.add(x, y, d.w);
    if (d.kind === 'mem') b.write(d, r);
    b.write(s, x);
    if (d.kind === 'reg') b.write(d, r); // last: the sum wins when both are the same register
    b.flagsAdd(r, y, d.w);
  },
  { lock: true },
);
insn(
  'CMPXCHG',
  ['0f b0 /r Eb,Gb', '0f b1 /r Ev,Gv'],
  (b, _i, d, s) => {
    const x = b.modify(d),
      y = b.read(s),
      accumulator = b.gpr(EAX, d.w);
    const result = b.select(b.eq(accumulator, x), y, x); // written in either case
    if (d.kind === 'mem') b.write(d, result);
    b.setGpr(EAX, x, d.w); // no change when equal
    if (d.kind === 'reg') b.write(d, result);
    b.flagsSub(accumulator, x, d.w);
  },
  { lock: true },
);
insn(
  'CMPXCHG8B',
  ['0f c7 /1 Mq'],
  (b, i, d) => {
    const low = b.memory(memory(d).seg, b.offset(d), 32),
      high = b.beyond(d, 4, 32, i.address);
    const x = b.modify(low),
      y = b.modify(high);
    // Its halves have been checked for 4 bytes.
    const linear = b.add(segmentBase(b, low.seg), b.offset(low));
    b.raiseIf(b.ne(b.and(b.and(linear, b.imm(7)), b.state(S.ALIGNMENT_CHECK)), b.imm(0)), VECTOR.AC, 0);
    const equal = b.both(b.eq(x, b.gpr(EAX)), b.eq(y, b.gpr(EDX)));
    b.write(low, b.select(equal, b.gpr(EBX), x));
    b.write(high, b.select(equal, b.gpr(ECX), y));
    b.setGpr(EAX, x);
    b.setGpr(EDX, y);
    zeroFlag(b, equal);
  },
  { lock: true, feature: 'cx8' },
);

// ---- stack
insn('PUSH', ['50+r Zv', '68 Iz', '6a Ibs', 'ff /6 Ev'], (b, i, d) => b.push(b.read(d), i.w), { operandSized: true });
insn('POP', ['58+r Zv'], (b, _i, d) => {
  const value = b.peek(0, d.w);
  b.moveStack(d.w >> 3);
  b.write(d, value); // after the increment: POP ESP ends with what was popped
});
insn(
  'POP',
  ['8f /0 Ev'],
  (b, _i, d) => {
    const value = b.peek(0, d.w);
    if (d.kind === 'mem') b.write(d, value);
    b.moveStack(d.w >> 3);
    if (d.kind === 'reg') b.write(d, value);
  },
  { pops: true },
);
for (const [segment, push, pop] of [
  [ES, '06 ES', '07 ES'],
  [CS, '0e CS', ''],
  [SS, '16 SS', '17 SS'],
  [DS, '1e DS', '1f DS'],
  [FS, '0f a0 FS', '0f a1 FS'],
  [GS, '0f a8 GS', '0f a9 GS'],
] as const) {
  insn(
    'PUSH',
    [push],
    (b, i) => {
      const top = b.stackOffset(-(i.w >> 3));
      b.store(SS, top, b.state(S.SEG_SELECTOR + segment), 16); // the upper half of a double word stays as it is in memory
      b.setStack(top);
    },
    { operandSized: true },
  );
  if (pop) {
    insn(
      'POP',
      [pop],
      (b, i) => {
        const value = b.peek(0, 16),
          esp = popped(b, i.w >> 3);
        b.call('loadSegment', b.imm(segment), value);
        if (segment === SS) b.call('shadowSs');
        b.setGpr(ESP, esp);
      },
      { operandSized: true },
    );
  }
}
/** ESP after a pop, computed in full because POP SS may change the stack's size. */
function popped(b: Builder, delta: number) {
  const top = b.stackOffset(delta),
    mask = b.model.stackMask;
  if (mask === -1) return top;
  return b.or(b.and(b.gpr(ESP), b.not(mask === undefined ? b.state(S.STACK_MASK) : b.imm(mask))), top);
}
insn(
  'PUSHA',
  ['60'],
  (b, i) => {
    const size = i.w >> 3,
      tops = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => b.stackOffset(-n * size));
    for (const top of tops.slice(1)) b.probe(SS, top, i.w);
    for (const [n, top] of tops.entries()) b.store(SS, top, b.gpr(n, i.w), i.w);
    b.setStack(tops[7]!);
  },
  { operandSized: true, names: ['PUSHA', 'PUSHAD'] },
);
insn(
  'POPA',
  ['61'],
  (b, i) => {
    const size = i.w >> 3,
      values = [0, 1, 2, 4, 5, 6, 7].map((n) => b.peek(n * size, i.w));
    b.moveStack(8 * size);
    for (const [at, n] of [7, 6, 5, 3, 2, 1, 0].entries()) b.setGpr(n, values[at]!, i.w);
  },
  { operandSized: true, names: ['POPA', 'POPAD'] },
);

// ---- conversion and translation
insn(
  'CBW',
  ['98'],
  (b, i) => {
    const half = i.w === 32 ? 16 : 8;
    b.setGpr(EAX, b.trunc(b.signed(b.gpr(EAX, half), half), i.w), i.w);
  },
  { operandSized: true, names: ['CBW', 'CWDE'] },
);
insn('CWD', ['99'], (b, i) => b.setGpr(EDX, b.trunc(b.sar(b.signed(b.gpr(EAX, i.w), i.w), b.imm(31)), i.w), i.w), {
  operandSized: true,
  names: ['CWD', 'CDQ'],
});
insn('XLAT', ['d7 Bb'], (b, i) => b.setGpr(EAX, b.load(i.seg, b.add(b.gpr(EBX), b.gpr(EAX, 8), i.address), 8), 8), { addressSized: true });
insn('LEA', ['8d /r Gv,M'], (b, _i, d, s) => b.write(d, b.trunc(b.offset(s), d.w)));

// ---- flags to and from AH
insn('LAHF', ['9f'], (b) => b.setGpr(AH, b.or(b.and(b.arithmeticFlags(), b.imm(SF | ZF | AF | PF | CF)), b.imm(2)), 8));
insn('SAHF', ['9e'], (b) => b.flagsAll(b.or(b.and(b.arithmeticFlags(), b.imm(OF)), b.and(b.gpr(AH, 8), b.imm(SF | ZF | AF | PF | CF)))));

// ---- ports
insn('IN', ['e4 AL,Ib', 'e5 eAX,Ib', 'ec AL,DX', 'ed eAX,DX'], (b, _i, d, s) => b.write(d, b.call('portIn', b.read(s), b.imm(d.w))));
insn('OUT', ['e6 Ib,AL', 'e7 Ib,eAX', 'ee DX,AL', 'ef DX,eAX'], (b, _i, d, s) => {
  b.call('portOut', b.read(d), b.read(s), b.imm(s.w));
});
