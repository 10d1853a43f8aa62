// Delivery of exceptions and interrupts (SDM volume 3, "Interrupt and Exception Handling": "Exception and Interrupt
// Reference", "Double Fault Exception", "Error Code", "Flag Usage"; volume 2, INT n). runtime/idt.ts does one delivery; here
// is what decides what is delivered, and what happens when a delivery faults.

import { IOPL, NOT_REPEATING, RF, S, VECTOR } from '../translator/state.ts';
import { DR7 } from './controlBits.ts';
import type { Engine } from './engine.ts';
import { ACTIVITY, isRepeating, PIN, SHADOW } from './events.ts';
import { fault, GuestFault, makesDoubleFault } from './faults.ts';
import type { Idt } from './idt.ts';
import { isVm86 } from './mode.ts';

/** Kinds of software interrupts, as calls.ts numbers them. */
const SOFTWARE = { INT_N: 0, INT3: 1, INTO: 2, INT1: 3 } as const;
/** Nothing was being delivered before: benign with every second exception. */
const BENIGN = VECTOR.NMI;
/** Exceptions whose return address is the instruction that raised them; #DB is one for some causes. */
const FAULT_CLASS =
  (1 << VECTOR.DE) |
  (1 << VECTOR.BR) |
  (1 << VECTOR.UD) |
  (1 << VECTOR.NM) |
  (1 << VECTOR.TS) |
  (1 << VECTOR.NP) |
  (1 << VECTOR.SS) |
  (1 << VECTOR.GP) |
  (1 << VECTOR.PF) |
  (1 << VECTOR.MF) |
  (1 << VECTOR.AC) |
  (1 << VECTOR.XM);

export interface Interrupts {
  /** Delivers a fault thrown by the instruction at EIP; what its delivery faults with becomes a double fault, then shutdown. */
  deliverException(fault: GuestFault): void;
  /** External interrupt. */
  deliverInterrupt(vector: number): void;
  /** NMI: vector 2, further ones blocked until IRET. */
  deliverNmi(): void;
  /** The debug conditions in S.DEBUG_PENDING as a trap before the instruction at EIP. */
  deliverDebugTrap(): void;
  /** INT n, INT3, INTO, INT1; throws what it faults with. */
  softwareInterrupt(vector: number, kind: number, nextEip: number): void;
}

export function createInterrupts(engine: Engine, idt: Idt): Interrupts {
  const { r, descriptors, updateMode, updateEvents } = engine;

  /** Delivers, following faults of the delivery itself to their end. `severity` is the exception whose class counts, or BENIGN. */
  function deliver(vector: number, errorCode: number, severity: number, resume: number): void {
    // What comes between two iterations pushes RF, so that the instruction's breakpoint does not fire again ("Resume Flag").
    if (isRepeating(r)) resume = RF;
    r[S.REPEATING] = NOT_REPEATING;
    for (;;) {
      try {
        descriptors.ext = 1;
        idt.enter(vector, false, errorCode, r[S.EIP]!, resume);
        finish();
        return;
      } catch (caught) {
        if (!(caught instanceof GuestFault)) throw caught;
        if (caught.vector === VECTOR.PF) r[S.CR2] = caught.address;
        // The switch of a task may have gone through before the fault.
        finish();
        if (severity === VECTOR.DF) {
          shutDown(caught);
          return;
        }
        if (makesDoubleFault(severity, caught.vector)) {
          vector = severity = VECTOR.DF;
          errorCode = 0;
          resume = 0;
        } else {
          vector = severity = caught.vector;
          errorCode = caught.errorCode;
          resume = RF;
        }
        engine.host.exit('exception', vector, errorCode);
      } finally {
        descriptors.ext = 0;
      }
    }
  }
  /** The processor runs again, without a shadow. */
  function finish(): void {
    r[S.ACTIVITY] = ACTIVITY.ACTIVE;
    r[S.SHADOW] = SHADOW.NONE;
    updateMode();
    updateEvents();
  }
  function shutDown(last: GuestFault): void {
    r[S.ACTIVITY] = ACTIVITY.SHUTDOWN;
    updateEvents();
    engine.host.exit('tripleFault', last.vector, last.errorCode);
  }
  function debugStatus(status: number): void {
    r[S.DR6]! |= status;
    r[S.DR7]! &= ~DR7.GD;
  }

  return {
    deliverException(thrown) {
      const { vector, errorCode, address, debugStatus: status } = thrown;
      // #DB thrown is a fault: an instruction breakpoint pushes RF as it is, so that the handler decides.
      const breakpoint = vector === VECTOR.DB && (status & 15) !== 0;
      const resume = ((FAULT_CLASS >> vector) & 1) !== 0 || (vector === VECTOR.DB && !breakpoint) ? RF : 0;
      if (vector === VECTOR.PF) r[S.CR2] = address;
      if (vector === VECTOR.DB) debugStatus(status);
      engine.host.exit('exception', vector, errorCode);
      deliver(vector, errorCode, vector, resume);
    },
    deliverInterrupt(vector) {
      engine.host.exit('externalInterrupt', vector, 0);
      deliver(vector, -1, BENIGN, 0);
    },
    deliverNmi() {
      r[S.PINS] = (r[S.PINS]! & ~PIN.NMI) | PIN.NMI_BLOCKED;
      engine.host.exit('nmi', 0, 0);
      deliver(VECTOR.NMI, -1, BENIGN, 0);
    },
    deliverDebugTrap() {
      debugStatus(r[S.DEBUG_PENDING]!);
      r[S.DEBUG_PENDING] = 0;
      engine.host.exit('exception', VECTOR.DB, -1);
      deliver(VECTOR.DB, -1, VECTOR.DB, 0);
    },
    softwareInterrupt(vector, kind, nextEip) {
      if (kind === SOFTWARE.INT_N) {
        if (isVm86(r) && (r[S.SYSTEM_FLAGS]! & IOPL) !== IOPL) fault(VECTOR.GP, 0);
      } else {
        engine.onSoftwareException(vector);
        engine.host.exit('exception', vector, -1);
      }
      try {
        descriptors.ext = kind === SOFTWARE.INT1 ? 1 : 0;
        idt.enter(vector, kind !== SOFTWARE.INT1, -1, nextEip, 0);
      } finally {
        descriptors.ext = 0;
        updateMode();
        updateEvents();
      }
      engine.noTrap();
    },
  };
}
