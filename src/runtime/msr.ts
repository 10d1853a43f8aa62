// Model-specific registers (SDM volume 4, "MSRs in the P6 Family Processors"; volume 2, RDMSR, WRMSR). Those that CPUID does
// not announce raise #GP, as on a processor without them.

import { S, VECTOR } from '../translator/state.ts';
import { APIC_MSRS } from './apicMsrs.ts';
import { timeStamp } from './control.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';

/** A register: how it reads into EDX:EAX and what a write does with low and high half; no `write` makes it read-only. */
export interface MsrRow {
  readonly name: string;
  read(engine: Engine): { low: number; high: number };
  write?(engine: Engine, low: number, high: number): void;
}
const word = (name: string, at: number): MsrRow => ({
  name,
  read: ({ r }) => ({ low: r[at]!, high: 0 }),
  write({ r }, low) {
    r[at] = low;
  },
});

/** Every MSR by its number. */
export const MSRS: ReadonlyMap<number, MsrRow> = new Map<number, MsrRow>([
  [
    0x10,
    {
      name: 'IA32_TIME_STAMP_COUNTER',
      read: timeStamp,
      // The P6 family writes the low half and clears the high one.
      write(engine, low) {
        const { r } = engine;
        r[S.TSC_OFFSET_LOW] = r[S.TSC_OFFSET_HIGH] = 0;
        const now = timeStamp(engine),
          borrow = low >>> 0 < now.low >>> 0 ? 1 : 0;
        r[S.TSC_OFFSET_LOW] = low - now.low;
        r[S.TSC_OFFSET_HIGH] = -now.high - borrow;
      },
    },
  ],
  [0x17, { name: 'IA32_PLATFORM_ID', read: () => ({ low: 0, high: 0 }) }],
  ...APIC_MSRS,
  // Microcode update signature: none loaded; software writes 0 before it asks.
  [0x8b, { name: 'IA32_BIOS_SIGN_ID', read: () => ({ low: 0, high: 0 }), write() {} }],
  [0x174, word('IA32_SYSENTER_CS', S.SYSENTER_CS)],
  [0x175, word('IA32_SYSENTER_ESP', S.SYSENTER_ESP)],
  [0x176, word('IA32_SYSENTER_EIP', S.SYSENTER_EIP)],
]);

export function createMsrs(engine: Engine): { readMsr(): void; writeMsr(): void } {
  const { r } = engine;
  function select(): MsrRow {
    if (r[S.CPL] !== 0) fault(VECTOR.GP, 0);
    return MSRS.get(r[S.ECX]! >>> 0) ?? fault(VECTOR.GP, 0);
  }
  return {
    readMsr() {
      const { low, high } = select().read(engine);
      r[S.EAX] = low;
      r[S.EDX] = high;
      engine.host.exit('rdmsr', r[S.ECX]! >>> 0, 0);
    },
    writeMsr() {
      const row = select();
      if (!row.write) fault(VECTOR.GP, 0);
      row.write(engine, r[S.EAX]!, r[S.EDX]!);
      engine.host.exit('wrmsr', r[S.ECX]! >>> 0, r[S.EAX]! >>> 0);
    },
  };
}
