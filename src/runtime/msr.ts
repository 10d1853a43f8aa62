// Model-specific registers (SDM volume 4, "Architectural MSRs" and "MSRs in the P6 Family Processors"; volume 2, RDMSR, WRMSR).
// Those that the guest's model does not have raise #GP, as on a processor without them.

import { S, VECTOR } from '../translator/state.ts';
import { APIC_MSRS } from './apicMsrs.ts';
import { timeStamp } from './control.ts';
import { EFER } from './controlBits.ts';
import type { CpuModel } from './cpuModels.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import { KVM_MSRS, writeSystemTime } from './kvm.ts';
import { MEMORY_TYPE_MSRS } from './memoryTypes.ts';
import { constant, flags, type MsrRow, type NumberedMsr, stored, word } from './msrRow.ts';

const sysenter = (model: CpuModel): boolean => model.has.has('sep');
/** Family 6 from the Pentium M on. */
const isLate = (model: CpuModel): boolean => model.family === 6 && model.model >= 13;
const machineCheck = (model: CpuModel): boolean => model.has.has('mca');

const timeStampCounter: MsrRow = {
  name: 'IA32_TIME_STAMP_COUNTER',
  read: timeStamp,
  // Before the Pentium M a write reaches the low half and clears the high one.
  write(engine, low, high) {
    const { r } = engine;
    r[S.TSC_OFFSET_LOW] = r[S.TSC_OFFSET_HIGH] = 0;
    const now = timeStamp(engine),
      borrow = low >>> 0 < now.low >>> 0 ? 1 : 0;
    r[S.TSC_OFFSET_LOW] = low - now.low;
    r[S.TSC_OFFSET_HIGH] = (isLate(engine.model) ? high : 0) - now.high - borrow;
    writeSystemTime(engine);
  },
};
/** Microcode update signature; software writes 0 before it asks. */
const microcode: MsrRow = {
  name: 'IA32_BIOS_SIGN_ID',
  in: (model) => model.family >= 6,
  read: ({ model }) => ({ low: 0, high: model.microcode }),
  write() {},
};
const extendedFeatures: MsrRow = {
  ...flags(
    'IA32_EFER',
    S.EFER,
    () => EFER.NXE,
    (model) => model.has.has('nx'),
  ),
  write(engine, low, high) {
    if ((low & ~EFER.NXE) !== 0 || high !== 0) fault(VECTOR.GP, 0);
    engine.r[S.EFER] = low;
    engine.tlb.flush();
  },
};
/** Bit 0: fast strings. Bits 11 and 12, which cannot be changed: branch trace storage and PEBS are not there. */
const miscellaneous: MsrRow = {
  name: 'IA32_MISC_ENABLE',
  in: isLate,
  read: ({ r }) => ({ low: r[S.MISC_ENABLE]! | 0x1800, high: 0 }),
  write({ r }, low, high) {
    if ((low & ~0x1801) !== 0 || high !== 0) fault(VECTOR.GP, 0);
    r[S.MISC_ENABLE] = low & 1;
  },
};

/** Machine check: nothing ever goes wrong, so status, address and miscellaneous read 0 and take nothing else. */
const MOST_BANKS = 5;
const quiet = (name: string, has: (model: CpuModel) => boolean): MsrRow => ({
  name,
  in: has,
  read: () => ({ low: 0, high: 0 }),
  write(_, low, high) {
    if (low !== 0 || high !== 0) fault(VECTOR.GP, 0);
  },
});
const banks = Array.from({ length: MOST_BANKS }, (_, n): NumberedMsr[] => {
  const has = (model: CpuModel): boolean => machineCheck(model) && n < model.banks;
  return [
    [0x400 + 4 * n, stored(`IA32_MC${n}_CTL`, S.MC_CONTROL + 2 * n, has, () => true)],
    [0x401 + 4 * n, quiet(`IA32_MC${n}_STATUS`, has)],
    [0x402 + 4 * n, quiet(`IA32_MC${n}_ADDR`, has)],
    [0x403 + 4 * n, quiet(`IA32_MC${n}_MISC`, has)],
  ];
}).flat();

/** Every MSR by its number. */
export const MSRS: ReadonlyMap<number, MsrRow> = new Map<number, MsrRow>([
  [0x00, quiet('IA32_P5_MC_ADDR', (model) => model.has.has('mce'))],
  [0x01, quiet('IA32_P5_MC_TYPE', (model) => model.has.has('mce'))],
  [0x10, timeStampCounter],
  [
    0x17,
    constant(
      'IA32_PLATFORM_ID',
      () => 0,
      () => 0,
      (model) => model.family >= 6,
    ),
  ],
  [0x8b, microcode],
  [0x174, word('IA32_SYSENTER_CS', S.SYSENTER_CS, sysenter)],
  [0x175, word('IA32_SYSENTER_ESP', S.SYSENTER_ESP, sysenter)],
  [0x176, word('IA32_SYSENTER_EIP', S.SYSENTER_EIP, sysenter)],
  [
    0x179,
    constant(
      'IA32_MCG_CAP',
      (model) => model.banks,
      () => 0,
      machineCheck,
    ),
  ],
  [0x17a, flags('IA32_MCG_STATUS', S.MCG_STATUS, () => 7, machineCheck)],
  [0x1a0, miscellaneous],
  ...MEMORY_TYPE_MSRS,
  ...KVM_MSRS,
  ...banks,
  [0xc0000080, extendedFeatures],
  [
    0xc0000103,
    flags(
      'IA32_TSC_AUX',
      S.TSC_AUX,
      () => -1,
      (model) => model.has.has('rdtscp'),
    ),
  ],
  ...APIC_MSRS,
]);

export interface Msrs {
  readMsr(): void;
  writeMsr(): void;
}
export function createMsrs(engine: Engine): Msrs {
  const { r } = engine;
  function select(): MsrRow {
    if (r[S.CPL] !== 0) fault(VECTOR.GP, 0);
    return findMsr(engine, r[S.ECX]!) ?? fault(VECTOR.GP, 0);
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

/** The row of a number, when the guest's model has the register. */
export function findMsr(engine: Engine, number: number): MsrRow | undefined {
  const row = MSRS.get(number >>> 0);
  return row && (row.in?.(engine.model) ?? true) ? row : undefined;
}
