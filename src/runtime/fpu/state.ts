// The register stack, its tags, and what becomes of the exceptions an operation raised (SDM volume 1, "x87 FPU Register Stack",
// "x87 FPU Floating-Point Exception Handling"). An unmasked exception sets ES and B here; it is delivered as #MF by the next
// waiting instruction. With CR0.NE clear it asserts FERR# at once instead, and the next waiting instruction waits for an interrupt
// unless IGNNE# is asserted ("MS-DOS Compatibility Sub-mode").

import { S, VECTOR } from '../../translator/state.ts';
import { CR0 } from '../controlBits.ts';
import type { Engine } from '../engine.ts';
import { ACTIVITY, PIN } from '../events.ts';
import { fault, WAITING } from '../faults.ts';
import { type Float80, set, setIndefinite } from './float80.ts';
import { BEFORE, BUSY, C1, CONTROL_BITS, CONTROL_FIXED, ES, EXCEPTIONS, IE, INITIAL_CONTROL, OE, SF, TOP, TOP_SHIFT, UE } from './words.ts';

export interface FpuState {
  /** #MF, or a wait for an interrupt, when an unmasked exception waits. */
  checkPending(): void;
  control(): number;
  /** Loads the control word; what it unmasks of the flags that are set becomes pending. */
  setControl(value: number): void;
  status(): number;
  /** Loads the status word; ES and B follow from flags and masks. */
  setStatus(value: number): void;
  /** Replaces C0-C3 but C1. */
  setConditions(codes: number): void;
  clearExceptions(): void;
  /** As FNINIT; registers keep their contents. */
  initialize(): void;

  isEmpty(i: number): boolean;
  /** Contents of ST(i) whatever its tag. */
  read(i: number, out: Float80): void;
  write(i: number, x: Float80): void;
  free(i: number): void;
  /** TOP + by, contents and tags unchanged. */
  rotate(by: number): void;
  pop(): void;
  /** Whether a push finds its register empty. */
  hasRoom(): boolean;
  push(x: Float80): void;
  /** Pushes the indefinite QNaN on a full stack, or leaves it when the exception is unmasked. */
  overflow(): void;

  /** Records exceptions and C1 of an operation on registers; false when its result must not be stored. C1 of `kept` stays. */
  settle(raised: number, kept?: number): boolean;
  /** The same for a store to memory, which an unmasked overflow or underflow leaves undone, too. */
  settleStore(raised: number): boolean;
  /** Records a stack underflow; false when it is unmasked. */
  underflow(): boolean;
}

const STOPS_STORE = IE | OE | UE;
/** What reading an empty register raises. */
export const UNDERFLOW = IE | SF;
/** What a push onto a full stack raises. */
export const OVERFLOW = IE | SF | C1;

export function createState(engine: Engine): FpuState {
  const { r } = engine;
  const indefinite: Float80 = { sign: 0, exponent: 0, high: 0, low: 0 };
  setIndefinite(indefinite);

  const physical = (i: number): number => ((r[S.FPU_STATUS]! >> TOP_SHIFT) + i) & 7;
  function summarize(): void {
    const pending = r[S.FPU_STATUS]! & ~r[S.FPU_CONTROL]! & EXCEPTIONS;
    r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~(ES | BUSY)) | (pending !== 0 ? ES | BUSY : 0);
    driveFerr();
  }
  function driveFerr(): void {
    const asserted = (r[S.FPU_STATUS]! & ES) !== 0 && (r[S.CR0]! & CR0.NE) === 0;
    if (asserted === ((r[S.PINS]! & PIN.FERR) !== 0)) return;
    r[S.PINS]! ^= PIN.FERR;
    engine.host.ferr(asserted);
  }
  /** ES is set. */
  function report(): void {
    if ((r[S.CR0]! & CR0.NE) !== 0) fault(VECTOR.MF);
    driveFerr();
    if ((r[S.PINS]! & PIN.IGNNE) !== 0) return;
    r[S.ACTIVITY] = ACTIVITY.HALT;
    engine.updateEvents();
    throw WAITING;
  }
  function record(raised: number, stopping: number, kept = 0): boolean {
    const unmasked = raised & ~r[S.FPU_CONTROL]! & EXCEPTIONS;
    if (unmasked === 0) {
      r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~C1) | raised | kept;
      return true;
    }
    // What would have been found later is not reported.
    let found = raised;
    if ((unmasked & BEFORE) !== 0) found &= (raised & SF) !== 0 ? BEFORE | SF | C1 : BEFORE;
    else if ((unmasked & stopping) !== 0) found &= BEFORE | OE | UE;
    r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~C1) | found | kept | ES | BUSY;
    driveFerr();
    return (unmasked & stopping) === 0;
  }
  function write(i: number, x: Float80): void {
    const n = physical(i),
      word = S.FPU_R0 + 4 * n;
    r[word] = x.low;
    r[word + 1] = x.high;
    r[word + 2] = (x.sign << 15) | x.exponent;
    r[S.FPU_TAGS]! |= 1 << n;
  }
  function free(i: number): void {
    r[S.FPU_TAGS]! &= ~(1 << physical(i));
  }
  function rotate(by: number): void {
    r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~TOP) | (physical(by) << TOP_SHIFT);
  }
  function push(x: Float80): void {
    rotate(-1);
    write(0, x);
  }
  const isEmpty = (i: number): boolean => ((r[S.FPU_TAGS]! >> physical(i)) & 1) === 0;
  const settle = (raised: number, kept = 0): boolean => record(raised, BEFORE, kept);

  return {
    checkPending() {
      if ((r[S.FPU_STATUS]! & ES) !== 0) report();
    },
    control: () => r[S.FPU_CONTROL]!,
    setControl(value) {
      r[S.FPU_CONTROL] = (value & CONTROL_BITS) | CONTROL_FIXED;
      summarize();
    },
    status: () => r[S.FPU_STATUS]!,
    setStatus(value) {
      r[S.FPU_STATUS] = value & 0xffff;
      summarize();
    },
    setConditions(codes) {
      r[S.FPU_STATUS] = (r[S.FPU_STATUS]! & ~0x4500) | codes;
    },
    clearExceptions() {
      r[S.FPU_STATUS]! &= ~(EXCEPTIONS | SF | ES | BUSY);
      driveFerr();
    },
    initialize() {
      r[S.FPU_CONTROL] = INITIAL_CONTROL;
      r[S.FPU_STATUS] = r[S.FPU_TAGS] = 0;
      r[S.FPU_OPCODE] = r[S.FPU_IP] = r[S.FPU_CS] = r[S.FPU_DP] = r[S.FPU_DS] = 0;
      driveFerr();
    },
    isEmpty,
    read(i, out) {
      const word = S.FPU_R0 + 4 * physical(i),
        top = r[word + 2]!;
      set(out, (top >> 15) & 1, top & 0x7fff, r[word + 1]!, r[word]!);
    },
    write,
    free,
    rotate,
    pop() {
      free(0);
      rotate(1);
    },
    hasRoom: () => isEmpty(-1),
    push,
    overflow() {
      if (settle(OVERFLOW)) push(indefinite);
    },
    settle,
    settleStore: (raised) => record(raised, STOPS_STORE),
    underflow: () => settle(UNDERFLOW),
  };
}
