// Control registers, processor state and the instructions that touch them (SDM volume 3, "Control Registers", "System
// Instruction Reference", "Invalidation of TLBs and Paging-Structure Caches"; volume 2, MOV CR, LMSW, CLTS, HLT, INVLPG,
// RDTSC, RDPMC, WBINVD).

import { S, VECTOR } from '../translator/state.ts';
import { CR0, CR4 } from './controlBits.ts';
import type { Engine } from './engine.ts';
import { ACTIVITY } from './events.ts';
import { fault } from './faults.ts';

/** Access types of "Exit Qualification for Control-Register Accesses", at bit 4. */
const TO = 0 << 4,
  FROM = 1 << 4,
  CLTS = 2 << 4,
  LMSW = 3 << 4;
const CR0_BITS = CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;
/** Bits of CR4 that the features CPUID reports define. */
const CR4_BITS = CR4.TSD | CR4.DE | CR4.PSE | CR4.PGE | CR4.PCE | CR4.OSFXSR | CR4.OSXMMEXCPT;
/** Changing one of these makes cached translations wrong. */
const CR0_PAGING = CR0.PG | CR0.PE | CR0.WP,
  CR4_PAGING = CR4.PSE | CR4.PGE;
/** Performance counters of the P6 family; their event selection does not exist, so they stay 0. */
const COUNTERS = 2;

export interface Control {
  readControl(n: number): number;
  writeControl(n: number, value: number): void;
  loadMachineStatus(value: number): void;
  clearTaskSwitched(): void;
  invalidatePage(linear: number): void;
  writeBackInvalidate(): void;
  invalidateCaches(): void;
  halt(): void;
  readTsc(): void;
  readPmc(): void;
}

export function createControl(engine: Engine): Control {
  const { r, tlb, updateMode, updateEnds, updateEvents } = engine;

  function supervisorOnly(): void {
    if (r[S.CPL] !== 0) fault(VECTOR.GP, 0);
  }
  function setCr0(value: number): void {
    const before = r[S.CR0]!,
      after = (value & CR0_BITS) | CR0.ET;
    r[S.CR0] = after;
    if (((before ^ after) & CR0_PAGING) !== 0) tlb.flush();
    // Types of segments are not checked in real mode.
    if (((before ^ after) & CR0.PE) !== 0) for (let segment = 0; segment < 6; segment++) updateEnds(segment);
    updateMode();
  }
  function readControl(n: number): number {
    supervisorOnly();
    const value = n === 0 ? r[S.CR0]! : n === 2 ? r[S.CR2]! : n === 3 ? r[S.CR3]! : n === 4 ? r[S.CR4]! : fault(VECTOR.UD);
    engine.host.exit('crAccess', FROM | n, value >>> 0);
    return value;
  }
  function writeControl(n: number, value: number): void {
    supervisorOnly();
    switch (n) {
      case 0:
        if (((value & CR0.PG) !== 0 && (value & CR0.PE) === 0) || ((value & CR0.NW) !== 0 && (value & CR0.CD) === 0)) fault(VECTOR.GP, 0);
        setCr0(value);
        break;
      case 2:
        r[S.CR2] = value;
        break;
      case 3:
        r[S.CR3] = value;
        tlb.flushLocal();
        break;
      case 4: {
        if ((value & ~CR4_BITS) !== 0) fault(VECTOR.GP, 0);
        const changed = r[S.CR4]! ^ value;
        r[S.CR4] = value;
        if ((changed & CR4_PAGING) !== 0) tlb.flush();
        if ((changed & CR4.OSFXSR) !== 0) updateMode();
        break;
      }
      default:
        fault(VECTOR.UD);
    }
    engine.host.exit('crAccess', TO | n, value >>> 0);
  }

  return {
    readControl,
    writeControl,
    loadMachineStatus(value) {
      supervisorOnly();
      const low = CR0.PE | CR0.MP | CR0.EM | CR0.TS,
        before = r[S.CR0]!;
      // PE can be set, not cleared.
      setCr0((before & ~(low & ~CR0.PE)) | (value & low));
      engine.host.exit('crAccess', LMSW | ((value & 0xffff) << 16), r[S.CR0]! >>> 0);
    },
    clearTaskSwitched() {
      supervisorOnly();
      r[S.CR0]! &= ~CR0.TS;
      updateMode();
      engine.host.exit('crAccess', CLTS, r[S.CR0]! >>> 0);
    },
    invalidatePage(linear) {
      supervisorOnly();
      tlb.invalidate(linear);
      engine.host.exit('invlpg', linear >>> 0, 0);
    },
    writeBackInvalidate() {
      supervisorOnly();
      engine.host.exit('wbinvd', 0, 0);
    },
    invalidateCaches() {
      supervisorOnly();
      engine.host.exit('invd', 0, 0);
    },
    halt() {
      supervisorOnly();
      r[S.ACTIVITY] = ACTIVITY.HALT;
      updateEvents();
      engine.host.exit('hlt', 0, 0);
    },
    readTsc() {
      if ((r[S.CR4]! & CR4.TSD) !== 0) supervisorOnly();
      const { low, high } = timeStamp(engine);
      r[S.EAX] = low;
      r[S.EDX] = high;
      engine.host.exit('rdtsc', 0, 0);
    },
    readPmc() {
      if ((r[S.CR4]! & CR4.PCE) === 0) supervisorOnly();
      const counter = r[S.ECX]!;
      if (counter >>> 0 >= COUNTERS) fault(VECTOR.GP, 0);
      r[S.EAX] = r[S.EDX] = 0;
      engine.host.exit('rdpmc', counter, 0);
    },
  };
}

/** The time-stamp counter's two halves (int32): virtual cycles and the offset that WRMSR left. */
export function timeStamp(engine: Engine): { low: number; high: number } {
  const { r, host } = engine,
    cycles = host.cycles();
  const low = (cycles % 0x1_0000_0000) + (r[S.TSC_OFFSET_LOW]! >>> 0);
  return { low: low | 0, high: (Math.floor(cycles / 0x1_0000_0000) + r[S.TSC_OFFSET_HIGH]! + (low > 0xffffffff ? 1 : 0)) | 0 };
}
