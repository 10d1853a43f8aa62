// Arithmetic and comparison on the stack: which registers an instruction reads, where its result goes, when it pops (SDM
// volume 2, FADD to FDIVR, FCOM, FUCOM, FCOMI, FTST, FXAM, FCHS, FABS, FSQRT, FRNDINT, FSCALE, FXTRACT, FPREM, FPREM1).

import { ARITHMETIC_FLAGS, CF, PF, ZF } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { add, div, mul, sqrt } from './arithmetic.ts';
import { compare, examine, UNORDERED } from './compare.ts';
import { copy, type Float80, float80, KIND, kindOf, setIndefinite, setZero } from './float80.ts';
import type { MemoryForm, RegisterForm } from './forms.ts';
import { extract, remainder, roundToInteger, scale } from './functions.ts';
import { type FpuState, OVERFLOW } from './state.ts';
import type { MemoryKind, Transfer } from './transfer.ts';
import { C0, C1, C2, C3, DE, EXCEPTIONS, IE, ZE } from './words.ts';

const CONDITIONS = C0 | C2 | C3;

/** Operations by the reg field of D8, DC, DA and DE; 2 and 3 compare. */
export const OPERATION = { ADD: 0, MUL: 1, COM: 2, COMP: 3, SUB: 4, SUBR: 5, DIV: 6, DIVR: 7 } as const;

export interface Operations {
  /** ST(0) op memory into ST(0). */
  arithmeticMemory(operation: number, kind: MemoryKind): MemoryForm;
  /** ST(0) op ST(i) into ST(0), or into ST(i). */
  arithmetic(operation: number, intoSti: boolean, pops: boolean): RegisterForm;
  compareMemory(kind: MemoryKind, pops: boolean): MemoryForm;
  compareRegisters(quiet: boolean, pops: number): RegisterForm;
  /** Into ZF, PF, CF. */
  compareToFlags(quiet: boolean, pops: boolean): RegisterForm;
  readonly test: RegisterForm;
  readonly examine: RegisterForm;
  /** 0 FCHS, 1 FABS. */
  sign(clear: boolean): RegisterForm;
  readonly squareRoot: RegisterForm;
  readonly roundToInteger: RegisterForm;
  readonly scale: RegisterForm;
  readonly extract: RegisterForm;
  partialRemainder(nearest: boolean): RegisterForm;
}

export function createOperations(engine: Engine, state: FpuState, transfer: Transfer): Operations {
  const a = float80(),
    b = float80(),
    out = float80(),
    significand = float80(),
    zero = float80();
  setZero(zero, 0);

  /** a op b by the masks of the control word, into `out`. */
  function compute(operation: number): number {
    const control = state.control();
    switch (operation) {
      case OPERATION.ADD:
        return add(a, b, 0, control, out);
      case OPERATION.MUL:
        return mul(a, b, control, out);
      case OPERATION.SUB:
        return add(a, b, 1, control, out);
      case OPERATION.SUBR:
        return add(b, a, 1, control, out);
      case OPERATION.DIV:
        return div(a, b, control, out);
      default:
        return div(b, a, control, out);
    }
  }
  /** A denormal operand in memory was normal once loaded; NaNs, invalid operations and a zero divide go before it. */
  const withOperand = (raised: number, loaded: number): number =>
    (loaded & DE) !== 0 && (raised & (IE | ZE)) === 0 && kindOf(a) < KIND.QNAN ? raised | DE : raised;

  function finish(into: number, pops: boolean): void {
    state.write(into, out);
    if (pops) state.pop();
  }
  /** ST(0) := f(ST(0)). */
  const unary =
    (f: (x: Float80, control: number, result: Float80) => number): RegisterForm =>
    () => {
      if (state.isEmpty(0)) {
        if (!state.underflow()) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        if (!state.settle(f(a, state.control(), out))) return;
      }
      state.write(0, out);
    };
  /** Records a comparison, its codes also when the exception is unmasked; false when it must not pop. */
  function conclude(codes: number): boolean {
    const done = state.settle(codes & EXCEPTIONS);
    state.setConditions(codes & CONDITIONS);
    return done;
  }
  function unordered(): boolean {
    const done = state.underflow();
    state.setConditions(UNORDERED);
    return done;
  }
  function popTimes(times: number): void {
    for (let n = 0; n < times; n++) state.pop();
  }

  return {
    arithmeticMemory: (operation, kind) => (segment, offset) => {
      const loaded = transfer.operand(kind, segment, offset, b);
      if (state.isEmpty(0)) {
        if (!state.underflow()) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        if (!state.settle(withOperand(compute(operation), loaded))) return;
      }
      state.write(0, out);
    },
    arithmetic: (operation, intoSti, pops) => (i) => {
      if (state.isEmpty(0) || state.isEmpty(i)) {
        if (!state.underflow()) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        state.read(i, b);
        if (!state.settle(compute(operation))) return;
      }
      finish(intoSti ? i : 0, pops);
    },
    compareMemory: (kind, pops) => (segment, offset) => {
      const loaded = transfer.operand(kind, segment, offset, b);
      if (state.isEmpty(0)) {
        if (!unordered()) return;
      } else {
        state.read(0, a);
        if (!conclude(withOperand(compare(a, b, false), loaded))) return;
      }
      if (pops) state.pop();
    },
    compareRegisters: (quiet, pops) => (i) => {
      if (state.isEmpty(0) || state.isEmpty(i)) {
        if (!unordered()) return;
      } else {
        state.read(0, a);
        state.read(i, b);
        if (!conclude(compare(a, b, quiet))) return;
      }
      popTimes(pops);
    },
    compareToFlags: (quiet, pops) => (i) => {
      let codes = UNORDERED,
        done: boolean;
      if (state.isEmpty(0) || state.isEmpty(i)) done = state.underflow();
      else {
        state.read(0, a);
        state.read(i, b);
        codes = compare(a, b, quiet);
        // C1 keeps its value.
        done = state.settle(codes & EXCEPTIONS, state.status() & C1);
      }
      const flags = ((codes & C3) !== 0 ? ZF : 0) | ((codes & C2) !== 0 ? PF : 0) | ((codes & C0) !== 0 ? CF : 0);
      engine.storeFlags((engine.getFlags() & ~ARITHMETIC_FLAGS) | flags);
      if (pops && done) state.pop();
    },
    test() {
      if (state.isEmpty(0)) unordered();
      else {
        state.read(0, a);
        conclude(compare(a, zero, false));
      }
    },
    examine() {
      state.read(0, a);
      const codes = examine(a, state.isEmpty(0));
      state.settle(codes & ~CONDITIONS);
      state.setConditions(codes & CONDITIONS);
    },
    sign: (clear) =>
      unary((x, _control, result) => {
        copy(result, x);
        result.sign = clear ? 0 : x.sign ^ 1;
        return 0;
      }),
    squareRoot: unary(sqrt),
    roundToInteger: unary(roundToInteger),
    scale() {
      if (state.isEmpty(0) || state.isEmpty(1)) {
        if (!state.underflow()) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        state.read(1, b);
        if (!state.settle(scale(a, b, state.control(), out))) return;
      }
      state.write(0, out);
    },
    extract() {
      if (state.isEmpty(0)) {
        if (!state.underflow()) return;
        setIndefinite(out);
        setIndefinite(significand);
      } else if (!state.hasRoom()) {
        if (!state.settle(OVERFLOW)) return;
        setIndefinite(out);
        setIndefinite(significand);
      } else {
        state.read(0, a);
        if (!state.settle(extract(a, out, significand))) return;
      }
      state.write(0, out);
      state.push(significand);
    },
    partialRemainder: (nearest) => () => {
      // A NaN or an invalid operation leaves C0 and C3 as they were.
      let codes = state.status() & (C0 | C3);
      if (state.isEmpty(0) || state.isEmpty(1)) {
        const masked = state.underflow();
        state.setConditions(codes);
        if (!masked) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        state.read(1, b);
        const raised = remainder(a, b, nearest, state.control(), out);
        if (!state.settle(raised & ~CONDITIONS)) {
          state.setConditions(codes);
          return;
        }
        if ((raised & IE) === 0 && kindOf(out) < KIND.QNAN) codes = raised & CONDITIONS;
      }
      state.setConditions(codes);
      state.write(0, out);
    },
  };
}
