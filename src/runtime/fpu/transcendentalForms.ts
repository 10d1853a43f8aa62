// The transcendental instructions on the stack: operands, results, pushes and pops, C2 (SDM volume 2, F2XM1, FYL2X, FYL2XP1,
// FPTAN, FPATAN, FSIN, FCOS, FSINCOS).

import { type Float80, float80, setIndefinite } from './float80.ts';
import type { RegisterForm } from './forms.ts';
import { type FpuState, OVERFLOW } from './state.ts';
import { atan, cos, exp, log, logOfSum, sin, sinCos, tan } from './transcendental.ts';
import { C0, C2, C3 } from './words.ts';

export interface Transcendentals {
  readonly exp: RegisterForm;
  readonly log: RegisterForm;
  readonly logOfSum: RegisterForm;
  readonly tan: RegisterForm;
  readonly atan: RegisterForm;
  readonly sin: RegisterForm;
  readonly cos: RegisterForm;
  readonly sinCos: RegisterForm;
}

export function createTranscendentals(state: FpuState): Transcendentals {
  const a = float80(),
    b = float80(),
    out = float80(),
    second = float80();
  /** C2 tells whether an angle was out of range, and that it was not when an exception keeps the instruction from being done. */
  function tellRange(outOfRange: number): void {
    state.setConditions((state.status() & (C0 | C3)) | outOfRange);
  }
  /** ST(0) := f(ST(0)). */
  const unary =
    (f: (x: Float80, control: number, result: Float80) => number, angles: boolean): RegisterForm =>
    () => {
      let raised = 0;
      if (angles) tellRange(0);
      if (state.isEmpty(0)) {
        if (!state.underflow()) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        raised = f(a, state.control(), out);
        if (!state.settle(raised & ~C2)) return;
      }
      if ((raised & C2) !== 0) tellRange(C2);
      else state.write(0, out);
    };
  /** ST(0) := f(ST(0)), and a second result pushed. */
  const pushing =
    (f: (x: Float80, control: number, result: Float80, second: Float80) => number): RegisterForm =>
    () => {
      let raised = 0;
      tellRange(0);
      if (state.isEmpty(0) || !state.hasRoom()) {
        if (!(state.isEmpty(0) ? state.underflow() : state.settle(OVERFLOW))) return;
        setIndefinite(out);
        setIndefinite(second);
      } else {
        state.read(0, a);
        raised = f(a, state.control(), out, second);
        if (!state.settle(raised & ~C2)) return;
      }
      if ((raised & C2) !== 0) return tellRange(C2);
      state.write(0, out);
      state.push(second);
    };
  /** ST(1) := f(ST(0), ST(1)), and a pop. */
  const popping =
    (f: (x: Float80, y: Float80, control: number, result: Float80) => number): RegisterForm =>
    () => {
      if (state.isEmpty(0) || state.isEmpty(1)) {
        if (!state.underflow()) return;
        setIndefinite(out);
      } else {
        state.read(0, a);
        state.read(1, b);
        if (!state.settle(f(a, b, state.control(), out))) return;
      }
      state.write(1, out);
      state.pop();
    };
  return {
    exp: unary(exp, false),
    log: popping(log),
    logOfSum: popping(logOfSum),
    tan: pushing(tan),
    atan: popping(atan),
    sin: unary(sin, true),
    cos: unary(cos, true),
    sinCos: pushing(sinCos),
  };
}
