// MOV to and from debug registers (SDM volume 3, "Debug Registers"; volume 2, "MOV-Move to/from Debug Registers").

import { S, VECTOR } from '../translator/state.ts';
import { CR4, DR6, DR7 } from './controlBits.ts';
import type { Engine } from './engine.ts';
import { debugFault, fault } from './faults.ts';

/** Direction bit of "Exit Qualification for MOV DR". */
const FROM = 1 << 4;

export function createDebugRegisters(engine: Engine): { readDebug(n: number): number; writeDebug(n: number, value: number): void } {
  const { r, tlb, updateEvents } = engine;

  /** Number of the register accessed: DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE is set. */
  function select(n: number): number {
    if ((n === 4 || n === 5) && (r[S.CR4]! & CR4.DE) !== 0) fault(VECTOR.UD);
    if (r[S.CPL] !== 0) fault(VECTOR.GP, 0);
    if ((r[S.DR7]! & DR7.GD) !== 0) debugFault(DR6.BD);
    return n === 4 || n === 5 ? n + 2 : n;
  }
  return {
    readDebug(n) {
      const value = r[S.DR0 + select(n)]!;
      engine.host.exit('drAccess', n | FROM, value >>> 0);
      return value;
    },
    writeDebug(n, value) {
      const register = select(n);
      r[S.DR0 + register] =
        register === 6
          ? (value & (DR6.BT | DR6.BS | DR6.BD | 15)) | DR6.FIXED
          : register === 7
            ? (value & DR7.WRITABLE) | DR7.FIXED
            : value;
      updateEvents();
      // Pages with a data breakpoint are not cached, others may be.
      tlb.flush();
      engine.host.exit('drAccess', n, value >>> 0);
    },
  };
}
