// CLI, STI, CLAC, STAC, PUSHF, POPF, the shadow of MOV SS, and UMIP's check (SDM volume 2, "Operation" of each; volume 3, "Masking Exceptions and
// Interrupts When Switching Stacks"). VME and PVI do not exist here.

import { AC, ARITHMETIC_FLAGS, DF, ID, IF, IOPL, NT, RF, S, TF, VECTOR, VIF, VIP, VM } from '../translator/state.ts';
import { CR0, CR4 } from './controlBits.ts';
import type { Engine } from './engine.ts';
import { SHADOW } from './events.ts';
import { fault } from './faults.ts';
import { isVm86 } from './mode.ts';

export interface FlagControl {
  flagsForPush(bits: number): number;
  popFlags(value: number, bits: number): void;
  setAccessFlag(value: number): void;
  mayStoreTables(): void;
  clearInterruptFlag(): void;
  setInterruptFlag(): void;
  shadowSs(): void;
}

export function createFlagControl(engine: Engine): FlagControl {
  const { r, getFlags, setFlags, updateMode, updateEvents } = engine;

  const iopl = (): number => (r[S.SYSTEM_FLAGS]! & IOPL) >> 12;
  /** IF may be changed: CPL <= IOPL; CPL is 3 in virtual-8086 and 0 in real mode. */
  const mayChangeIf = (): boolean => r[S.CPL]! <= iopl();
  function sensitive(): void {
    if (isVm86(r) && iopl() < 3) fault(VECTOR.GP, 0);
  }
  return {
    flagsForPush(bits) {
      sensitive();
      const flags = getFlags() & ~(VM | RF);
      return bits === 16 ? flags & 0xffff : flags;
    },
    popFlags(value, bits) {
      sensitive();
      const privileged = (r[S.CR0]! & CR0.PE) === 0 || r[S.CPL] === 0;
      let changeable = ARITHMETIC_FLAGS | TF | DF | NT | AC | ID | (mayChangeIf() ? IF : 0) | (privileged ? IOPL : 0),
        cleared = 0;
      if (bits === 16) changeable &= 0xffff;
      else cleared = RF | (privileged ? VIF | VIP : 0);
      const before = getFlags();
      setFlags((before & ~(changeable | cleared)) | (value & changeable));
      engine.reportWindow(before);
    },
    setAccessFlag(value) {
      if (r[S.CPL] !== 0) fault(VECTOR.UD);
      r[S.SYSTEM_FLAGS] = (r[S.SYSTEM_FLAGS]! & ~AC) | value;
      updateMode();
    },
    mayStoreTables() {
      if (r[S.CPL] !== 0 && (r[S.CR4]! & CR4.UMIP) !== 0) fault(VECTOR.GP, 0);
    },
    clearInterruptFlag() {
      if (!mayChangeIf()) fault(VECTOR.GP, 0);
      r[S.SYSTEM_FLAGS]! &= ~IF;
      updateEvents();
    },
    setInterruptFlag() {
      if (!mayChangeIf()) fault(VECTOR.GP, 0);
      const before = r[S.SYSTEM_FLAGS]!;
      if ((before & IF) === 0 && r[S.SHADOW] === SHADOW.NONE) r[S.SHADOW] = SHADOW.STI;
      r[S.SYSTEM_FLAGS] = before | IF;
      updateEvents();
      engine.reportWindow(before);
    },
    shadowSs() {
      r[S.SHADOW] = SHADOW.MOV_SS;
      updateEvents();
    },
  };
}
