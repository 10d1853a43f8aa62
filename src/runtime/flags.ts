// EFLAGS as one value (SDM volume 1, "EFLAGS Register"): the six arithmetic flags are lazy (translator/flags.ts), the rest
// lives in S.SYSTEM_FLAGS.

import { FLAGS, flagsOf } from '../translator/flags.ts';
import { AC, ARITHMETIC_FLAGS, DF, ID, IF, IOPL, NT, RF, S, TF, VIF, VIP, VM } from '../translator/state.ts';

/** EFLAGS bits that exist, without bit 1. */
export const EFLAGS_BITS = ARITHMETIC_FLAGS | TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

export interface Flags {
  /** All of EFLAGS. */
  getFlags(): number;
  /** Stores all of EFLAGS; bits that do not exist are dropped. The caller updates mode and events where they depend on it. */
  storeFlags(value: number): void;
}

export function createFlags(r: Int32Array): Flags {
  return {
    getFlags: () => r[S.SYSTEM_FLAGS]! | flagsOf(r[S.FLAGS_KIND]!, r[S.FLAGS_A]!, r[S.FLAGS_B]!),
    storeFlags(value) {
      r[S.FLAGS_KIND] = FLAGS.ALL;
      r[S.FLAGS_A] = 0;
      r[S.FLAGS_B] = value & ARITHMETIC_FLAGS;
      r[S.SYSTEM_FLAGS] = (value & EFLAGS_BITS & ~ARITHMETIC_FLAGS) | 2;
    },
  };
}
