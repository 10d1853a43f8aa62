// String instructions and their port forms (SDM volume 1, "String Instructions", "I/O Instructions"; volume 2 for each
// operation and for REP). One execution moves one element; with a repeat prefix it then jumps to itself while the count is
// not zero, so that it can be interrupted between elements with the registers as the SDM describes. Before it, elements that
// nothing can tell from it are done at once.

import type { Value, Width } from '../ir/value.ts';
import { DF, ES, NOT_REPEATING, S } from '../state.ts';
import { EAX, ECX, EDI, EDX, ESI } from './common.ts';
import type { Builder, Context, Meaning } from './notation.ts';
import { insn } from './notation.ts';

interface Element {
  /** Which index registers the instruction uses. */
  readonly source?: true;
  readonly destination?: true;
  /** REPE and REPNE look at ZF (CMPS, SCAS); elsewhere both prefixes are REP. */
  readonly compares?: true;
  /** Reaches the port DX: permission is checked before anything else, also when nothing is repeated. */
  readonly port?: true;
  /** What does many elements at once. */
  readonly loop?: 'copy' | 'fill' | 'compare' | 'scan';
  /** Moves or compares one element at the offsets si and di. */
  readonly element: (b: Builder, i: Context, w: Width, si: Value, di: Value) => void;
}
const string =
  ({ source, destination, compares, port, loop, element }: Element, width: 0 | 1): Meaning =>
  (b, i, ...operands) => {
    const w = operands[width]!.w,
      zero = b.imm(0);
    if (port) b.call('checkPort', b.gpr(EDX, 16), b.imm(w));
    const increment = (): Value => b.select(b.ne(b.and(b.state(S.SYSTEM_FLAGS), b.imm(DF)), zero), b.imm(-(w >> 3)), b.imm(w >> 3));
    const one = (): void => {
      const si = b.gpr(ESI, i.address),
        di = b.gpr(EDI, i.address),
        step = increment();
      element(b, i, w, si, di);
      if (source) b.setGpr(ESI, b.add(si, step, i.address), i.address);
      if (destination) b.setGpr(EDI, b.add(di, step, i.address), i.address);
    };
    if (i.rep === 'none') {
      one();
      return;
    }
    if (loop && i.address === 32 && b.model.flat(ES) && (!source || b.model.flat(i.seg))) {
      const name = loop === 'compare' || loop === 'scan' ? (`${loop}${i.rep === 'rep' ? 'Equal' : 'Unequal'}` as const) : loop,
        step = increment();
      const done = b.elements(name, b.gpr(ECX), source ? b.gpr(ESI) : b.gpr(EAX, w), b.gpr(EDI), step, w),
        moved = b.mul(done, step);
      b.setGpr(ECX, b.sub(b.gpr(ECX), done));
      if (source) b.setGpr(ESI, b.add(b.gpr(ESI), moved));
      b.setGpr(EDI, b.add(b.gpr(EDI), moved));
    }
    const count = b.gpr(ECX, i.address);
    b.if(b.ne(count, zero), () => {
      one();
      b.setGpr(ECX, b.sub(count, b.imm(1), i.address), i.address);
    });
    // after a count of zero this is false whatever the flags are
    const left = b.ne(b.gpr(ECX, i.address), zero),
      more = compares ? b.both(left, b.condition(i.rep === 'rep' ? 4 : 5)) : left;
    b.setState(S.REPEATING, b.self());
    b.branch(more, b.self());
    b.setState(S.REPEATING, b.imm(NOT_REPEATING));
  };
const STRING = { string: true, addressSized: true } as const;

insn(
  'MOVS',
  ['a4 Yb,Xb', 'a5 Yv,Xv'],
  string(
    {
      source: true,
      destination: true,
      loop: 'copy',
      element: (b, i, w, si, di) => b.store(ES, di, b.load(i.seg, si, w), w),
    },
    0,
  ),
  STRING,
);
insn(
  'CMPS',
  ['a6 Xb,Yb', 'a7 Xv,Yv'],
  string(
    {
      source: true,
      destination: true,
      compares: true,
      loop: 'compare',
      element: (b, i, w, si, di) => b.flagsSub(b.load(i.seg, si, w), b.load(ES, di, w), w),
    },
    0,
  ),
  STRING,
);
insn(
  'STOS',
  ['aa Yb,AL', 'ab Yv,eAX'],
  string(
    {
      destination: true,
      loop: 'fill',
      element: (b, _i, w, _si, di) => b.store(ES, di, b.gpr(EAX, w), w),
    },
    0,
  ),
  STRING,
);
insn(
  'LODS',
  ['ac AL,Xb', 'ad eAX,Xv'],
  string(
    {
      source: true,
      element: (b, i, w, si) => b.setGpr(EAX, b.load(i.seg, si, w), w),
    },
    0,
  ),
  STRING,
);
insn(
  'SCAS',
  ['ae AL,Yb', 'af eAX,Yv'],
  string(
    {
      destination: true,
      compares: true,
      loop: 'scan',
      element: (b, _i, w, _si, di) => b.flagsSub(b.gpr(EAX, w), b.load(ES, di, w), w),
    },
    0,
  ),
  STRING,
);
insn(
  'INS',
  ['6c Yb,DX', '6d Yv,DX'],
  string(
    {
      destination: true,
      port: true,
      element: (b, _i, w, _si, di) => {
        b.probe(ES, di, w); // before the port is read, whose value would be lost
        b.store(ES, di, b.call('portIn', b.gpr(EDX, 16), b.imm(w)), w);
      },
    },
    0,
  ),
  STRING,
);
insn(
  'OUTS',
  ['6e DX,Xb', '6f DX,Xv'],
  string(
    {
      source: true,
      port: true,
      element: (b, i, w, si) => {
        b.call('portOut', b.gpr(EDX, 16), b.load(i.seg, si, w), b.imm(w));
      },
    },
    1,
  ),
  STRING,
);
