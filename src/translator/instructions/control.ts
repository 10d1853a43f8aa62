// Control transfer instructions (SDM volume 1, "Control Transfer Instructions"; volume 2 for each operation). A near target is
// checked against CS's limit before anything else changes.

import { SS, VECTOR } from '../state.ts';
import { branchTo, EBP, ECX, ESP, memory, stackPlus } from './common.ts';
import type { Builder, Context, Meaning, Operand, Value } from './notation.ts';
import { insn } from './notation.ts';

const SIZED = { operandSized: true } as const;
const TRANSFERS = { operandSized: true, transfers: true } as const;
const target = (b: Builder, i: Context, v: Value): Value => b.target(b.trunc(v, i.w));

insn('Jcc', ['70+cc Jb', '0f 80+cc Jz'], (b, i, d) => branchTo(b, i.w, b.condition(i.cc), b.read(d))(), SIZED);
insn('JMP', ['eb Jb', 'e9 Jz', 'ff /4 Ev'], (b, i, d) => b.jump(target(b, i, b.read(d))), TRANSFERS);
insn(
  'CALL',
  ['e8 Jz', 'ff /2 Ev'],
  (b, i, d) => {
    const to = target(b, i, b.read(d));
    b.push(b.trunc(b.next(), i.w), i.w);
    b.jump(to);
  },
  TRANSFERS,
);
insn(
  'RET',
  ['c3'],
  (b, i) => {
    const to = target(b, i, b.peek(0, i.w));
    b.moveStack(i.w >> 3);
    b.jump(to);
  },
  TRANSFERS,
);
insn(
  'RET',
  ['c2 Iw'],
  (b, i, d) => {
    const to = target(b, i, b.peek(0, i.w));
    b.setStack(stackPlus(b, b.add(b.read(d), b.imm(i.w >> 3))));
    b.jump(to);
  },
  TRANSFERS,
);

const loop =
  (also?: number): Meaning =>
  (b, i, d) => {
    const count = b.sub(b.gpr(ECX, i.address), b.imm(1), i.address),
      more = b.ne(count, b.imm(0));
    const branch = branchTo(b, i.w, also === undefined ? more : b.both(more, b.condition(also)), b.read(d));
    b.setGpr(ECX, count, i.address);
    branch();
  };
const LOOPS = { operandSized: true, addressSized: true } as const;
insn('LOOPNE', ['e0 Jb'], loop(5), LOOPS);
insn('LOOPE', ['e1 Jb'], loop(4), LOOPS);
insn('LOOP', ['e2 Jb'], loop(), LOOPS);
insn('JCXZ', ['e3 Jb'], (b, i, d) => branchTo(b, i.w, b.eq(b.gpr(ECX, i.address), b.imm(0)), b.read(d))(), {
  ...LOOPS,
  names: ['JCXZ', 'JECXZ'],
});

// ---- far
/** Offset and selector of a far pointer in memory. */
function farPointer(b: Builder, i: Context, d: Operand): [offset: Value, selector: Value] {
  return [b.load(memory(d).seg, b.offset(d), i.w), b.read(b.beyond(d, i.w >> 3, 16, i.address))];
}
insn(
  'JMP',
  ['ea A'],
  (b, i, d, s) => {
    b.call('farJump', b.read(s), b.read(d), b.imm(i.w), b.next());
  },
  TRANSFERS,
);
insn(
  'JMP',
  ['ff /5 Mp'],
  (b, i, d) => {
    const [offset, selector] = farPointer(b, i, d);
    b.call('farJump', selector, offset, b.imm(i.w), b.next());
  },
  TRANSFERS,
);
insn(
  'CALL',
  ['9a A'],
  (b, i, d, s) => {
    b.call('farCall', b.read(s), b.read(d), b.imm(i.w), b.next());
  },
  TRANSFERS,
);
insn(
  'CALL',
  ['ff /3 Mp'],
  (b, i, d) => {
    const [offset, selector] = farPointer(b, i, d);
    b.call('farCall', selector, offset, b.imm(i.w), b.next());
  },
  TRANSFERS,
);
insn(
  'RETF',
  ['cb'],
  (b, i) => {
    b.call('farReturn', b.imm(i.w), b.imm(0));
  },
  TRANSFERS,
);
insn(
  'RETF',
  ['ca Iw'],
  (b, i, d) => {
    b.call('farReturn', b.imm(i.w), b.read(d));
  },
  TRANSFERS,
);

// ---- software interrupts
const KIND = { INT: 0, INT3: 1, INTO: 2, INT1: 3 } as const;
insn(
  'INT',
  ['cd Ib'],
  (b, _i, d) => {
    b.call('softwareInterrupt', b.read(d), b.imm(KIND.INT), b.next());
  },
  { transfers: true },
);
insn(
  'INT3',
  ['cc'],
  (b) => {
    b.call('softwareInterrupt', b.imm(VECTOR.BP), b.imm(KIND.INT3), b.next());
  },
  { transfers: true },
);
insn(
  'INT1',
  ['f1'],
  (b) => {
    b.call('softwareInterrupt', b.imm(VECTOR.DB), b.imm(KIND.INT1), b.next());
  },
  { transfers: true },
);
insn('INTO', ['ce'], (b) => {
  b.if(
    b.condition(0),
    () => void b.call('softwareInterrupt', b.imm(VECTOR.OF), b.imm(KIND.INTO), b.next()),
    () => b.jump(b.next()), // beside a call that transfers, nothing else sets EIP
  );
});
insn(
  'IRET',
  ['cf'],
  (b, i) => {
    b.call('interruptReturn', b.imm(i.w), b.next());
  },
  { ...TRANSFERS, names: ['IRET', 'IRETD'] },
);
insn('BOUND', ['62 /r Gv,Ma'], (b, i, d, s) => {
  const index = b.signed(b.read(d), d.w),
    lower = b.signed(b.load(memory(s).seg, b.offset(s), d.w), d.w);
  const upper = b.signed(b.read(b.beyond(s, d.w >> 3, d.w, i.address)), d.w);
  b.raiseIf(b.either(b.lt(index, lower), b.lt(upper, index)), VECTOR.BR);
});

// ---- procedure frames
/** Everything that can fault is tried first; then the levels are copied one by one, each load after the store before it. */
insn(
  'ENTER',
  ['c8 Iw,Ib'],
  (b, i, d, s) => {
    const w = i.w,
      size = w >> 3,
      level = b.and(b.read(s), b.imm(31));
    const outer = (n: number): Value => b.maskStack(b.add(b.gpr(EBP), b.imm(-n * size)));
    const levels = Array.from({ length: 31 }, (_, n) => n + 1);
    const atLeast = (n: number, then: () => void): void => b.if(b.ltu(b.imm(n - 1), level), then);
    const pushed = b.select(b.eq(level, b.imm(0)), b.imm(size), b.mul(b.add(level, b.imm(1)), b.imm(size)));
    const frame = b.stackOffset(-size),
      top = stackPlus(b, b.sub(b.imm(0), b.add(pushed, b.read(d))));
    const ebp = b.gpr(EBP, w);
    b.probe(SS, top, w);
    for (const n of levels) {
      atLeast(n, () => {
        if (n > 1) b.load(SS, outer(n - 1), w);
        b.probe(SS, b.stackOffset(-(n + 1) * size), w);
      });
    }
    b.store(SS, frame, ebp, w);
    for (const n of levels) {
      atLeast(n, () => {
        const place = b.stackOffset(-(n + 1) * size);
        const copy = (): void => b.store(SS, place, b.load(SS, outer(n), w), w);
        const pushFrame = (): void => b.store(SS, place, frameValue(b, frame, w), w); // as the last level
        if (n === 31) pushFrame();
        else b.if(b.eq(level, b.imm(n)), pushFrame, copy);
      });
    }
    b.setGpr(EBP, frameValue(b, frame, w), w);
    b.setStack(top);
  },
  SIZED,
);
/** The frame pointer as it is pushed and set: all of the decremented ESP for 32-bit operands, also on a 16-bit stack. */
function frameValue(b: Builder, frame: Value, w: 16 | 32): Value {
  const mask = b.model.stackMask;
  if (w === 16 || mask === -1) return b.trunc(frame, w);
  return b.or(b.and(b.gpr(ESP), b.not(b.maskStack(b.imm(-1)))), frame);
}
insn(
  'LEAVE',
  ['c9'],
  (b, i) => {
    const frame = b.maskStack(b.gpr(EBP)),
      value = b.load(SS, frame, i.w);
    b.setStack(b.maskStack(b.add(frame, b.imm(i.w >> 3))));
    b.setGpr(EBP, value, i.w);
  },
  SIZED,
);

// ---- undocumented
insn('SALC', ['d6'], (b) => b.setGpr(0, b.select(b.condition(2), b.imm(0xff), b.imm(0)), 8));
