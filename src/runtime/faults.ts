// Architectural faults as thrown objects (SDM volume 3, "Interrupt and Exception Handling": "Exception and Interrupt Vectors",
// "Double Fault Exception"). One object is allocated and thrown again and again: throwing costs a third of a microsecond so,
// and every catcher reads it before anything else can fault.

import { VECTOR } from '../translator/state.ts';

/** An exception that the guest's processor raises. Not an Error: it says nothing about the host. */
export class GuestFault {
  /** Exception vector 0-31. */
  vector = 0;
  /** Error code, -1 when the exception has none. */
  errorCode = -1;
  /** Linear address that goes to CR2; meaningful for #PF only. */
  address = 0;
  /** Bits for DR6; meaningful for #DB only. */
  debugStatus = 0;
}

const thrown = new GuestFault();

/** Throws the architectural exception; `errorCode` -1 means that it has none. */
export function fault(vector: number, errorCode = -1): never {
  thrown.vector = vector;
  thrown.errorCode = errorCode;
  throw thrown;
}

/** Throws #PF for a linear address; it reaches CR2 when the exception is delivered. */
export function pageFault(address: number, errorCode: number): never {
  thrown.address = address;
  return fault(VECTOR.PF, errorCode);
}

/** Throws #DB with the condition bits that DR6 shall show. */
export function debugFault(status: number): never {
  thrown.debugStatus = status;
  return fault(VECTOR.DB);
}

/** Thrown by an instruction that has not begun and waits for an interrupt: the processor is inactive until one comes. */
export const WAITING = Symbol('waiting');

const CONTRIBUTORY = (1 << VECTOR.DE) | (1 << VECTOR.TS) | (1 << VECTOR.NP) | (1 << VECTOR.SS) | (1 << VECTOR.GP);

/** Classes of "Conditions for Generating a Double Fault". */
export function isContributory(vector: number): boolean {
  return vector < 32 && ((CONTRIBUTORY >> vector) & 1) !== 0;
}

/** Whether raising `second` while `first` is being delivered makes a double fault; otherwise the second is delivered alone. */
export function makesDoubleFault(first: number, second: number): boolean {
  if (first === VECTOR.PF) return second === VECTOR.PF || isContributory(second);
  return isContributory(first) && isContributory(second);
}
