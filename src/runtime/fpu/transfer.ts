// Loads, stores, exchange and constants (SDM volume 2, FLD, FST, FILD, FIST, FISTTP, FBLD, FBSTP, FXCH, FCMOVcc, FLD1 and the others).

import { CF, PF, ZF } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { fromBcd, toBcd } from './bcd.ts';
import { fromDouble, fromInteger, fromSingle, stored, toDouble, toInteger, toSingle } from './convert.ts';
import { type Float80, float80, set, setIndefinite, setQuiet } from './float80.ts';
import type { MemoryForm, RegisterForm } from './forms.ts';
import type { Operands } from './memory.ts';
import { type FpuState, UNDERFLOW } from './state.ts';
import { DE, IE, ROUND, roundingOf } from './words.ts';

export type MemoryKind = 'single' | 'double' | 'extended' | 'int16' | 'int32' | 'int64' | 'bcd';
export const BYTES: Record<MemoryKind, number> = { single: 4, double: 8, extended: 10, int16: 2, int32: 4, int64: 8, bcd: 10 };

export interface Transfer {
  load(kind: MemoryKind): MemoryForm;
  /** Rounds by the control word, or always towards zero. */
  store(kind: MemoryKind, pop: boolean, truncates?: boolean): MemoryForm;
  /** Reads an operand of an arithmetic instruction; returns IE or DE. */
  operand(kind: MemoryKind, segment: number, offset: number, out: Float80): number;
  readonly loadRegister: RegisterForm;
  storeRegister(pops: boolean): RegisterForm;
  /** FSTP as D9 D8+i: an empty ST(0) is popped without an exception. */
  readonly storeUnchecked: RegisterForm;
  readonly exchange: RegisterForm;
  constant(index: number): RegisterForm;
  conditionalMove(index: number): RegisterForm;
}

/** 1, log2 10, log2 e, pi, log10 2, ln 2, 0: sign and exponent, significand cut off, and whether rounding to nearest and up add 1. */
const CONSTANTS = [
  [0x3fff, 0x80000000, 0, 0, 0],
  [0x4000, 0xd49a784b, 0xcd1b8afe, 0, 1],
  [0x3fff, 0xb8aa3b29, 0x5c17f0bb, 1, 1],
  [0x4000, 0xc90fdaa2, 0x2168c234, 1, 1],
  [0x3ffd, 0x9a209a84, 0xfbcff798, 1, 1],
  [0x3ffe, 0xb17217f7, 0xd1cf79ab, 1, 1],
  [0, 0, 0, 0, 0],
] as const;

export function createTransfer(engine: Engine, state: FpuState, memory: Operands): Transfer {
  const x = float80(),
    y = float80();

  function operand(kind: MemoryKind, segment: number, offset: number, out: Float80): number {
    const at = memory.readable(segment, offset, BYTES[kind]);
    switch (kind) {
      case 'single':
        return fromSingle(engine.R32(at), out);
      case 'double': {
        const low = engine.R32(at);
        return fromDouble(engine.R32((at + 4) | 0), low, out);
      }
      case 'extended':
        memory.read80(at, out);
        return 0;
      case 'int16': {
        const value = (engine.R16(at) << 16) >> 16;
        fromInteger(value >> 31, value, out);
        return 0;
      }
      case 'int32': {
        const value = engine.R32(at);
        fromInteger(value >> 31, value, out);
        return 0;
      }
      case 'int64': {
        const low = engine.R32(at);
        fromInteger(engine.R32((at + 4) | 0), low, out);
        return 0;
      }
      case 'bcd': {
        const low = engine.R32(at),
          high = engine.R32((at + 4) | 0);
        fromBcd(engine.R16((at + 8) | 0), high, low, out);
        return 0;
      }
    }
  }
  /** Converts to `stored` (the register format needs none); returns what was raised. */
  function convert(kind: MemoryKind, rounding: number): number {
    switch (kind) {
      case 'single':
        return toSingle(x, state.control());
      case 'double':
        return toDouble(x, state.control());
      case 'extended':
        return 0;
      case 'int16':
        return toInteger(x, 16, rounding);
      case 'int32':
        return toInteger(x, 32, rounding);
      case 'int64':
        return toInteger(x, 64, rounding);
      case 'bcd':
        return toBcd(x, rounding);
    }
  }
  function put(kind: MemoryKind, at: number): void {
    switch (kind) {
      case 'single':
      case 'int32':
        engine.W32(at, stored.low);
        break;
      case 'int16':
        engine.W16(at, stored.low);
        break;
      case 'double':
      case 'int64':
        engine.W32(at, stored.low);
        engine.W32((at + 4) | 0, stored.high);
        break;
      case 'extended':
        memory.write80(at, x);
        break;
      case 'bcd':
        engine.W32(at, stored.low);
        engine.W32((at + 4) | 0, stored.high);
        engine.W16((at + 8) | 0, stored.top);
        break;
    }
  }

  const conditions: readonly ((flags: number) => boolean)[] = [
    (f) => (f & CF) !== 0,
    (f) => (f & ZF) !== 0,
    (f) => (f & (CF | ZF)) !== 0,
    (f) => (f & PF) !== 0,
  ];
  return {
    operand,
    load: (kind) => (segment, offset) => {
      const raised = operand(kind, segment, offset, x);
      if (!state.hasRoom()) state.overflow();
      else if (state.settle(raised) || raised === DE) {
        // A denormal is loaded even when its exception is unmasked.
        if ((raised & IE) !== 0) setQuiet(x, x);
        state.push(x);
      }
    },
    store:
      (kind, pop, truncates = false) =>
      (segment, offset) => {
        // A fault of the operand goes before an exception of the value.
        const at = memory.writable(segment, offset, BYTES[kind]);
        let raised = UNDERFLOW;
        if (state.isEmpty(0)) {
          setIndefinite(x);
          convert(kind, ROUND.NEAREST);
        } else {
          state.read(0, x);
          raised = convert(kind, truncates ? ROUND.ZERO : roundingOf(state.control()));
        }
        if (!state.settleStore(raised)) return;
        put(kind, at);
        if (pop) state.pop();
      },
    loadRegister(i) {
      if (state.isEmpty(i)) {
        if (!state.underflow()) return;
        setIndefinite(x);
      } else {
        if (!state.hasRoom()) return state.overflow();
        state.read(i, x);
        state.settle(0);
      }
      state.push(x);
    },
    storeRegister: (pops) => (i) => {
      if (state.isEmpty(0)) {
        if (!state.underflow()) return;
        setIndefinite(x);
      } else {
        state.read(0, x);
        state.settle(0);
      }
      state.write(i, x);
      if (pops) state.pop();
    },
    storeUnchecked(i) {
      if (!state.isEmpty(0)) {
        state.read(0, x);
        state.write(i, x);
      }
      state.settle(0);
      state.pop();
    },
    exchange(i) {
      state.read(0, x);
      state.read(i, y);
      const emptyX = state.isEmpty(0),
        emptyY = state.isEmpty(i);
      if (emptyX || emptyY) {
        if (!state.underflow()) return;
        if (emptyX) setIndefinite(x);
        if (emptyY) setIndefinite(y);
      } else state.settle(0);
      state.write(0, y);
      state.write(i, x);
    },
    constant: (index) => () => {
      if (!state.hasRoom()) return state.overflow();
      const [exponent, high, low, nearest, up] = CONSTANTS[index]!,
        rounding = roundingOf(state.control());
      state.settle(0);
      set(x, 0, exponent, high | 0, (low + (rounding === ROUND.NEAREST ? nearest : rounding === ROUND.UP ? up : 0)) | 0);
      state.push(x);
    },
    conditionalMove: (index) => (i) => {
      const moves = conditions[index & 3]!(engine.getFlags()) === index < 4;
      if (state.isEmpty(0) || state.isEmpty(i)) {
        if (!state.underflow()) return;
        setIndefinite(x);
        state.write(0, x);
        return;
      }
      if (!moves) return;
      state.read(i, x);
      state.write(0, x);
    },
  };
}
