// The page walk (SDM volume 3, "Paging": "32-Bit Paging", "Determination of Access Rights", "Page-Fault Exceptions",
// "Accessed and Dirty Flags"). Only walks and explains; runtime/tlb.ts caches what it finds.

import { S } from '../translator/state.ts';
import type { Bus } from './bus.ts';
import { CR0, CR4 } from './controlBits.ts';
import type { Core } from './core.ts';
import { pageFault } from './faults.ts';
import { PAGE } from './memory.ts';

/** Bits of a #PF error code; WRITE and USER also describe the access that is translated. */
export const PF = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8 } as const;
/** Bits of page-directory and page-table entries. */
export const ENTRY = { P: 1, RW: 2, US: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const;
/** Bits beside the page address in what `walk` gives. */
export const WALKED = { GLOBAL: 1, LARGE: 2 } as const;

/** Bits 21:13 of an entry that maps 4 MiB, reserved without PSE-36. */
const LARGE_RESERVED = 0x3fe000;

/** A translation for a person; `physical` is null when nothing is mapped. */
export interface Translation {
  readonly physical: number | null;
  readonly walk: string[];
}

export interface Paging {
  /**
   * Physical address of the linear address's 4 KiB page (bits 31-12) with WALKED bits below; sets A and D flags.
   * `access` holds PF.WRITE and PF.USER. Throws #PF.
   */
  walk(linear: number, access: number): number;
  /** The walk in words, without side effects, for a supervisor's read. */
  translate(linear: number): Translation;
}

export function createPaging(core: Core, bus: Bus): Paging {
  const { r } = core;

  function walk(linear: number, access: number): number {
    if (r[S.CR0]! >= 0) return linear & ~0xfff;
    const directory = (r[S.CR3]! & ~0xfff) | ((linear >>> 20) & 0xffc);
    const pde = bus.read(directory, 4),
      cr4 = r[S.CR4]!;
    if ((pde & ENTRY.P) === 0) return pageFault(linear, access);
    if ((pde & ENTRY.PS) !== 0 && (cr4 & CR4.PSE) !== 0) {
      if ((pde & LARGE_RESERVED) !== 0) return pageFault(linear, access | PF.RESERVED | PF.PRESENT);
      check(linear, access, pde);
      mark(directory, pde, access);
      return (pde & 0xffc00000) | (linear & 0x3ff000) | WALKED.LARGE | globalBit(pde, cr4);
    }
    if ((pde & ENTRY.A) === 0) bus.write(directory, pde | ENTRY.A, 4);
    const table = (pde & ~0xfff) | ((linear >>> 10) & 0xffc);
    const pte = bus.read(table, 4);
    if ((pte & ENTRY.P) === 0) return pageFault(linear, access);
    check(linear, access, pde & pte);
    mark(table, pte, access);
    return (pte & ~0xfff) | globalBit(pte, cr4);
  }

  /** Rights are those that every level grants. */
  function check(linear: number, access: number, rights: number): void {
    const user = (access & PF.USER) !== 0;
    if (user && (rights & ENTRY.US) === 0) pageFault(linear, access | PF.PRESENT);
    if ((access & PF.WRITE) !== 0 && (rights & ENTRY.RW) === 0 && (user || (r[S.CR0]! & CR0.WP) !== 0))
      pageFault(linear, access | PF.PRESENT);
  }
  function mark(at: number, entry: number, access: number): void {
    const marked = entry | ENTRY.A | ((access & PF.WRITE) !== 0 ? ENTRY.D : 0);
    if (marked !== entry) bus.write(at, marked, 4);
  }
  const globalBit = (entry: number, cr4: number): number => ((entry & ENTRY.G) !== 0 && (cr4 & CR4.PGE) !== 0 ? WALKED.GLOBAL : 0);

  /** An entry without asking a device for it. */
  function peek(physical: number): number | null {
    const bytes = core.memory.readBytes((physical & r[S.A20_MASK]!) >>> 0, 4);
    return bytes.length < 4 ? null : bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24);
  }
  function translate(linear: number): Translation {
    const steps: string[] = [];
    if (r[S.CR0]! >= 0) {
      steps.push('paging is off (CR0.PG = 0): linear address = physical address');
      return finish(linear, steps);
    }
    const directory = (r[S.CR3]! & ~0xfff) | ((linear >>> 20) & 0xffc),
      pde = peek(directory);
    if (pde === null) return missing(steps, `page-directory entry ${linear >>> 22} at ${hex(directory)} is not in RAM`);
    steps.push(`page-directory entry ${linear >>> 22} at ${hex(directory)} = ${hex(pde)} (${describe(pde)})`);
    if ((pde & ENTRY.P) === 0) return missing(steps, 'not present');
    if ((pde & ENTRY.PS) !== 0 && (r[S.CR4]! & CR4.PSE) !== 0) {
      if ((pde & LARGE_RESERVED) !== 0) return missing(steps, 'reserved bits are set');
      steps.push(`4 MiB page at ${hex(pde & 0xffc00000)}`);
      return finish((pde & 0xffc00000) | (linear & 0x3fffff), steps);
    }
    const table = (pde & ~0xfff) | ((linear >>> 10) & 0xffc),
      pte = peek(table);
    if (pte === null) return missing(steps, `page-table entry ${(linear >>> 12) & 0x3ff} at ${hex(table)} is not in RAM`);
    steps.push(`page-table entry ${(linear >>> 12) & 0x3ff} at ${hex(table)} = ${hex(pte)} (${describe(pte)})`);
    if ((pte & ENTRY.P) === 0) return missing(steps, 'not present');
    steps.push(`4 KiB page at ${hex(pte & ~0xfff)}`);
    return finish((pte & ~0xfff) | (linear & 0xfff), steps);
  }
  function missing(steps: string[], why: string): Translation {
    steps.push(why);
    return { physical: null, walk: steps };
  }
  function finish(address: number, steps: string[]): Translation {
    const masked = address & r[S.A20_MASK]!,
      page = core.memory.ramPage(masked >>> 12);
    if (masked !== address) steps.push(`A20 gate is closed: ${hex(address)} becomes ${hex(masked)}`);
    const state = page < 0 ? PAGE.MMIO : core.memory.pageState[page]!;
    steps.push(`physical ${hex(masked)}: ${(state & PAGE.MMIO) !== 0 ? 'device or unmapped' : (state & PAGE.ROM) !== 0 ? 'ROM' : 'RAM'}`);
    return { physical: masked >>> 0, walk: steps };
  }

  return { walk, translate };
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
function describe(entry: number): string {
  const words = [
    (entry & ENTRY.P) !== 0 ? 'present' : 'absent',
    (entry & ENTRY.RW) !== 0 ? 'writable' : 'read-only',
    (entry & ENTRY.US) !== 0 ? 'user' : 'supervisor',
  ];
  if ((entry & ENTRY.A) !== 0) words.push('accessed');
  if ((entry & ENTRY.D) !== 0) words.push('dirty');
  if ((entry & ENTRY.PS) !== 0) words.push('PS');
  if ((entry & ENTRY.G) !== 0) words.push('global');
  return words.join(', ');
}
