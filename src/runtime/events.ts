// What can come between two instructions, and the word that tells the run loop to look (SDM volume 3, "Priority Among
// Concurrent Events", "Masking Interrupts", "Debug Exceptions"; volume 2, STI). S.EVENTS is 0 whenever the next
// instruction can simply run.

import { IF, NOT_REPEATING, RF, S, TF } from '../translator/state.ts';
import { anyArmed, BREAK_ON, dataArmed, matches } from './breakpoints.ts';
import { DR6 } from './controlBits.ts';
import type { Core } from './core.ts';
import { debugFault } from './faults.ts';

/** Bits of S.EVENTS. */
export const EVENT = {
  /** INTR is up and EFLAGS.IF set. */
  INTR: 1,
  /** An NMI waits and NMIs are not blocked. */
  NMI: 2,
  /** The next instruction runs in the shadow of STI, MOV SS or POP SS. */
  SHADOW: 4,
  /** EFLAGS.TF: #DB after the next instruction. */
  TRAP: 8,
  /** DR7 has a breakpoint armed: one instruction at a time, so that its trap or fault comes at the right place. */
  BREAKPOINT: 16,
  /** EFLAGS.RF: it is cleared after the next instruction. */
  RESUME: 32,
  /** A debug trap waits in S.DEBUG_PENDING. */
  DEBUG_PENDING: 64,
  /** Somebody outside asked the run loop to stop; cleared by the run loop. */
  STOP: 128,
  /** HLT or shutdown (S.ACTIVITY). */
  INACTIVE: 256,
} as const;

/** Bits of S.PINS. */
export const PIN = { INTR: 1, NMI: 2, NMI_BLOCKED: 4, IGNNE: 8, FERR: 16 } as const;
/** Values of S.SHADOW. */
export const SHADOW = { NONE: 0, STI: 1, MOV_SS: 2 } as const;
/** Values of S.ACTIVITY. */
export const ACTIVITY = { ACTIVE: 0, HALT: 1, SHUTDOWN: 2 } as const;

/** What a run loop must do at an instruction boundary. */
export const BOUNDARY = { NOTHING: 0, DEBUG_TRAP: 1, NMI: 2, INTR: 3 } as const;

export interface Events {
  /** Recomputes S.EVENTS (STOP stays) and what data breakpoints need; call after a change to flags, DR7, pins, shadow or activity. */
  updateEvents(): void;
  /** The most urgent event to deliver before the next instruction, of BOUNDARY; the shadow holds debug traps and interrupts back. */
  pending(): number;
  /** Before an instruction while S.EVENTS is not 0: throws #DB for an execution breakpoint at its linear address. */
  debugBeforeInstruction(linear: number): void;
  /** After an instruction that `debugBeforeInstruction` came before and that completed: RF, shadow and single step. */
  debugAfterInstruction(): void;
  /** Tells the host when an interrupt that waited can be taken, IF having been clear in `flagsBefore`. */
  reportWindow(flagsBefore: number): void;
  /** An IRET or task switch has loaded RF itself: the instruction's end must not clear it. */
  keepResume(): void;
  /** An instruction entered a handler with TF cleared or switched tasks: no single-step trap follows it. */
  noTrap(): void;
}

/**
 * Whether the instruction at EIP is a repeated string instruction that has done some of its iterations and goes on: RF is set then, so
 * that its breakpoint fires once.
 */
export const isRepeating = (r: Int32Array): boolean => r[S.REPEATING] === r[S.EIP] && r[S.REPEATING] !== NOT_REPEATING;

export function createEvents(core: Core): Events {
  const { r } = core;
  let trapping = false,
    resuming = false,
    keeping = false,
    shadowed = 0;

  function updateEvents(): void {
    const flags = r[S.SYSTEM_FLAGS]!,
      pins = r[S.PINS]!;
    core.dataBreakpoints = dataArmed(r);
    r[S.EVENTS] =
      (r[S.EVENTS]! & EVENT.STOP) |
      ((pins & PIN.INTR) !== 0 && (flags & IF) !== 0 ? EVENT.INTR : 0) |
      ((pins & (PIN.NMI | PIN.NMI_BLOCKED)) === PIN.NMI ? EVENT.NMI : 0) |
      (r[S.SHADOW] !== SHADOW.NONE ? EVENT.SHADOW : 0) |
      ((flags & TF) !== 0 ? EVENT.TRAP : 0) |
      (anyArmed(r) ? EVENT.BREAKPOINT : 0) |
      ((flags & RF) !== 0 ? EVENT.RESUME : 0) |
      (r[S.DEBUG_PENDING] !== 0 ? EVENT.DEBUG_PENDING : 0) |
      (r[S.ACTIVITY] !== ACTIVITY.ACTIVE ? EVENT.INACTIVE : 0);
  }
  core.onDebugPending = updateEvents;

  return {
    updateEvents,
    pending() {
      const events = r[S.EVENTS]!,
        shadow = r[S.SHADOW]!;
      if ((events & EVENT.DEBUG_PENDING) !== 0 && shadow !== SHADOW.MOV_SS) return BOUNDARY.DEBUG_TRAP;
      if ((events & EVENT.NMI) !== 0 && shadow !== SHADOW.MOV_SS) return BOUNDARY.NMI;
      return (events & EVENT.INTR) !== 0 && shadow === SHADOW.NONE ? BOUNDARY.INTR : BOUNDARY.NOTHING;
    },
    debugBeforeInstruction(linear) {
      const events = r[S.EVENTS]!;
      keeping = false;
      trapping = (events & EVENT.TRAP) !== 0;
      resuming = (events & EVENT.RESUME) !== 0;
      const silent = resuming || isRepeating(r);
      shadowed = r[S.SHADOW]!;
      if ((events & EVENT.BREAKPOINT) !== 0 && !silent && shadowed !== SHADOW.MOV_SS) {
        const hit = matches(r, linear, 1, 1 << BREAK_ON.EXECUTE);
        if (hit !== 0) debugFault(hit);
      }
    },
    debugAfterInstruction() {
      // Between the iterations of a repeated string instruction S.REPEATING is its RF: in the flags it would make each of them run by
      // itself after an interrupt (copying 100 MiB took 16 s instead of 1).
      if (resuming && !keeping) r[S.SYSTEM_FLAGS]! &= ~RF;
      // A second MOV SS or STI does not lengthen the shadow of the first; MOV SS after STI starts its own.
      const started = r[S.SHADOW]! !== shadowed;
      if (!started) r[S.SHADOW] = SHADOW.NONE;
      if (trapping && r[S.SHADOW] !== SHADOW.MOV_SS) r[S.DEBUG_PENDING]! |= DR6.BS;
      trapping = resuming = false;
      updateEvents();
    },
    reportWindow(flagsBefore) {
      if ((r[S.EVENTS]! & EVENT.INTR) !== 0 && (flagsBefore & IF) === 0) core.host.exit('interruptWindow', 0, 0);
    },
    keepResume() {
      keeping = true;
    },
    noTrap() {
      trapping = false;
    },
  };
}
