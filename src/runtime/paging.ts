// The page walk (SDM volume 3, "Paging": "32-Bit Paging", "PAE Paging", "Determination of Access Rights", "Page-Fault
// Exceptions", "Accessed and Dirty Flags"). Only walks and explains, both by the same steps; runtime/tlb.ts caches what it
// finds. Addresses below 4 GiB are int32 as everywhere in the runtime; those above, which PAE and PSE-36 can name, are numbers
// beyond 32 bits, and nobody's memory.

import { S } from '../translator/state.ts';
import type { Bus } from './bus.ts';
import { CR0, CR4, EFER } from './controlBits.ts';
import type { Core } from './core.ts';
import type { CpuModel } from './cpuModels.ts';
import { pageFault } from './faults.ts';
import { HIGH, PAGE } from './memory.ts';
import { describeEntry, ENTRY, hex, NO_EXECUTE } from './pagingEntries.ts';

/** Bits of a #PF error code; WRITE, USER and FETCH also describe the access that is translated. */
export const PF = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 16 } as const;
/** Beside them in an access: a supervisor's explicit one while EFLAGS.AC lets it reach user pages (SMAP). */
export const OPEN = 0x100;
/** Bits beside the page address in what `walk` gives. */
export const WALKED = { GLOBAL: 1, LARGE: 2 } as const;

/** PAT flags of a page-table entry and of an entry that maps a large page: reserved without PAT. */
const PAT_SMALL = 0x80,
  PAT_LARGE = 0x1000;
/** Bits 21:13 of an entry that maps 4 MiB, bits 20:13 of one that maps 2 MiB. */
const LARGE_4M = 0x3fe000,
  LARGE_2M = 0x1fe000;
/** Bits 2:1 and 8:5 of a page-directory-pointer-table entry. */
const POINTER_RESERVED = 0x1e6;

/** A translation for a person; `physical` is null when nothing is mapped. */
export interface Translation {
  readonly physical: number | null;
  readonly walk: string[];
}

export interface Paging {
  /**
   * Physical address of the linear address's 4 KiB page with WALKED bits below; sets A and D flags. `access` holds PF.WRITE,
   * PF.USER, PF.FETCH and OPEN. Throws #PF.
   */
  walk(linear: number, access: number): number;
  /** Loads the four page-directory-pointer-table entries; false, and none loaded, when one of them is present and has reserved bits. */
  loadPointers(cr3: number): boolean;
  /** The walk in words, without side effects, for a supervisor's read. */
  translate(linear: number): Translation;
}

/** Reads a double word of a paging structure; null: it cannot. */
type Read = (physical: number) => number | null;
/** What the structures of the entries are called. */
const LEVELS = ['page-directory', 'page-table'] as const;
const OUTCOME = { MAPPED: 0, ABSENT: 1, RESERVED: 2, UNREADABLE: 3 } as const;

export function createPaging(core: Core, bus: Bus): Paging {
  const { r } = core;

  // What the last `resolve` has found: entries from the top with their addresses, and what they say together.
  let count = 0;
  const at = new Float64Array(2),
    low = new Int32Array(2),
    high = new Int32Array(2);
  let rights = 0,
    high31 = 0,
    large = 0,
    physical = 0;

  const isPae = (): boolean => (r[S.CR4]! & CR4.PAE) !== 0;
  // What the guest's model says, looked up once: address bits from bit 32 on, those of them that PSE-36 takes, reserved PAT bits.
  let model: CpuModel | undefined,
    highAddress = 0,
    pse36 = 0,
    patSmall = 0,
    patLarge = 0;
  function learn(): void {
    model = core.model;
    highAddress = (1 << (model.physicalBits - 32)) - 1;
    pse36 = model.has.has('pse36') ? highAddress : 0;
    patSmall = model.has.has('pat') ? 0 : PAT_SMALL;
    patLarge = model.has.has('pat') ? 0 : PAT_LARGE;
  }
  /** Bits of an entry's high half that must be clear. */
  const highReserved = (): number => ~highAddress & ((r[S.EFER]! & EFER.NXE) !== 0 ? ~NO_EXECUTE : -1);
  const join = (upper: number, lower: number): number => (upper === 0 ? lower | 0 : upper * HIGH + (lower >>> 0));

  /** Reads an entry of 4 or 8 bytes and notes it; false: it cannot be read. */
  function entry(address: number, wide: boolean, read: Read): boolean {
    at[count] = address;
    const lower = read(address),
      upper = wide ? read(address + 4) : 0;
    if (lower === null || upper === null) return false;
    low[count] = lower;
    high[count++] = upper;
    return true;
  }
  function resolve(linear: number, read: Read): number {
    count = 0;
    if (model !== core.model) learn();
    return isPae() ? resolvePae(linear, read) : resolve32(linear, read);
  }
  function resolve32(linear: number, read: Read): number {
    const pse = (r[S.CR4]! & CR4.PSE) !== 0;
    if (!entry((r[S.CR3]! & ~0xfff) | ((linear >>> 20) & 0xffc), false, read)) return OUTCOME.UNREADABLE;
    const pde = low[0]!;
    if ((pde & ENTRY.P) === 0) return OUTCOME.ABSENT;
    high31 = 0;
    if ((pde & ENTRY.PS) !== 0 && pse) {
      if ((pde & ((LARGE_4M & ~(pse36 << 13)) | patLarge)) !== 0) return OUTCOME.RESERVED;
      rights = pde;
      large = 4;
      physical = join((pde >>> 13) & pse36, (pde & 0xffc00000) | (linear & 0x3ff000));
      return OUTCOME.MAPPED;
    }
    if (!entry((pde & ~0xfff) | ((linear >>> 10) & 0xffc), false, read)) return OUTCOME.UNREADABLE;
    const pte = low[1]!;
    if ((pte & ENTRY.P) === 0) return OUTCOME.ABSENT;
    // Without large pages there are no reserved bits: older systems use bit 7 as they like.
    if (pse && (pte & patSmall) !== 0) return OUTCOME.RESERVED;
    rights = pde & pte;
    large = 0;
    physical = pte & ~0xfff;
    return OUTCOME.MAPPED;
  }
  function resolvePae(linear: number, read: Read): number {
    const pointer = S.PDPTE0 + 2 * (linear >>> 30),
      reserved = highReserved();
    if ((r[pointer]! & ENTRY.P) === 0) return OUTCOME.ABSENT;
    const directory = join(r[pointer + 1]! & highAddress, (r[pointer]! & ~0xfff) | ((linear >>> 18) & 0xff8));
    if (!entry(directory, true, read)) return OUTCOME.UNREADABLE;
    const pde = low[0]!;
    if ((pde & ENTRY.P) === 0) return OUTCOME.ABSENT;
    if ((high[0]! & reserved) !== 0) return OUTCOME.RESERVED;
    if ((pde & ENTRY.PS) !== 0) {
      if ((pde & (LARGE_2M | patLarge)) !== 0) return OUTCOME.RESERVED;
      rights = pde;
      high31 = high[0]!;
      large = 2;
      physical = join(high[0]! & highAddress, (pde & 0xffe00000) | (linear & 0x1ff000));
      return OUTCOME.MAPPED;
    }
    if (!entry(join(high[0]! & highAddress, (pde & ~0xfff) | ((linear >>> 9) & 0xff8)), true, read)) return OUTCOME.UNREADABLE;
    const pte = low[1]!;
    if ((pte & ENTRY.P) === 0) return OUTCOME.ABSENT;
    if ((high[1]! & reserved) !== 0 || (pte & patSmall) !== 0) return OUTCOME.RESERVED;
    rights = pde & pte;
    high31 = high[0]! | high[1]!;
    large = 0;
    physical = join(high[1]! & highAddress, pte & ~0xfff);
    return OUTCOME.MAPPED;
  }

  const readEntry = (address: number): number => bus.read(address, 4);
  function walk(linear: number, access: number): number {
    if (r[S.CR0]! >= 0) return linear & ~0xfff;
    const outcome = resolve(linear, readEntry);
    for (let n = 0; n < count - 1; n++) if ((low[n]! & ENTRY.A) === 0) bus.write(at[n]!, low[n]! | ENTRY.A, 4);
    if (outcome === OUTCOME.ABSENT) return refuse(linear, access, 0);
    if (outcome === OUTCOME.RESERVED) return refuse(linear, access, PF.RESERVED | PF.PRESENT);
    check(linear, access);
    const last = count - 1,
      marked = low[last]! | ENTRY.A | ((access & PF.WRITE) !== 0 ? ENTRY.D : 0);
    if (marked !== low[last]) bus.write(at[last]!, marked, 4);
    const isGlobal = (low[last]! & ENTRY.G) !== 0 && (r[S.CR4]! & CR4.PGE) !== 0;
    const bits = (large !== 0 ? WALKED.LARGE : 0) | (isGlobal ? WALKED.GLOBAL : 0);
    return physical >= HIGH ? physical + bits : physical | bits;
  }
  /** The error code has I/D only where fetches have rights of their own. */
  function refuse(linear: number, access: number, why: number): never {
    const tellsFetch = (r[S.CR4]! & CR4.SMEP) !== 0 || (isPae() && (r[S.EFER]! & EFER.NXE) !== 0);
    return pageFault(linear, (access & (PF.WRITE | PF.USER | (tellsFetch ? PF.FETCH : 0))) | why);
  }
  /** Rights are those that every level grants. */
  function check(linear: number, access: number): void {
    const user = (access & PF.USER) !== 0,
      fetch = (access & PF.FETCH) !== 0,
      userPage = (rights & ENTRY.US) !== 0,
      cr4 = r[S.CR4]!;
    const allowed = user ? userPage : !userPage || (fetch ? (cr4 & CR4.SMEP) === 0 : (cr4 & CR4.SMAP) === 0 || (access & OPEN) !== 0);
    const writable = (rights & ENTRY.RW) !== 0 || (!user && (r[S.CR0]! & CR0.WP) === 0);
    if (!allowed || ((access & PF.WRITE) !== 0 && !writable) || (fetch && (high31 & NO_EXECUTE) !== 0)) refuse(linear, access, PF.PRESENT);
  }

  function loadPointers(cr3: number): boolean {
    if (model !== core.model) learn();
    const table = cr3 & ~31,
      reserved = ~highAddress;
    const words = Array.from({ length: 8 }, (_, n) => readEntry((table + 4 * n) | 0));
    for (let n = 0; n < 8; n += 2) {
      if ((words[n]! & ENTRY.P) !== 0 && ((words[n]! & POINTER_RESERVED) !== 0 || (words[n + 1]! & reserved) !== 0)) return false;
    }
    r.set(words, S.PDPTE0);
    return true;
  }

  /** An entry without asking a device for it. */
  function peek(address: number): number | null {
    const bytes = core.memory.readBytes(address >= HIGH ? address : (address & r[S.A20_MASK]!) >>> 0, 4);
    return bytes.length < 4 ? null : bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24);
  }
  function translate(linear: number): Translation {
    if (r[S.CR0]! >= 0) return finish(linear, ['paging is off (CR0.PG = 0): linear address = physical address']);
    const outcome = resolve(linear, peek),
      pae = isPae(),
      steps: string[] = [];
    if (pae) {
      const n = linear >>> 30,
        word = S.PDPTE0 + 2 * n;
      steps.push(`page-directory-pointer-table entry ${n} = ${hex(r[word]!, r[word + 1]!)}`);
    }
    const index = (n: number): number => (pae ? (linear >>> (n === 0 ? 21 : 12)) & 0x1ff : (linear >>> (n === 0 ? 22 : 12)) & 0x3ff);
    for (let n = 0; n < count; n++) {
      const value = pae ? hex(low[n]!, high[n]!) : hex(low[n]!);
      steps.push(`${LEVELS[n]} entry ${index(n)} at ${hex(at[n]!)} = ${value} (${describeEntry(low[n]!, high[n]!)})`);
    }
    if (outcome === OUTCOME.UNREADABLE) steps.push(`${LEVELS[count]} entry ${index(count)} at ${hex(at[count]!)} is not in RAM`);
    else if (outcome === OUTCOME.ABSENT) steps.push('not present');
    else if (outcome === OUTCOME.RESERVED) steps.push('reserved bits are set');
    if (outcome !== OUTCOME.MAPPED) return { physical: null, walk: steps };
    const size = large === 0 ? 0x1000 : large << 20,
      inPage = linear & (size - 1),
      start = physical - (physical & (size - 1));
    steps.push(`${large === 0 ? '4 KiB' : `${large} MiB`} page at ${hex(start)}`);
    return finish(physical >= HIGH ? start + inPage : (start + inPage) | 0, steps);
  }
  function finish(address: number, steps: string[]): Translation {
    if (address >= HIGH) {
      steps.push(`physical ${hex(address)}: nobody's memory`);
      return { physical: address, walk: steps };
    }
    const masked = address & r[S.A20_MASK]!,
      page = core.memory.ramPage(masked >>> 12);
    if (masked !== address) steps.push(`A20 gate is closed: ${hex(address)} becomes ${hex(masked)}`);
    const state = page < 0 ? PAGE.MMIO : core.memory.pageState[page]!;
    steps.push(`physical ${hex(masked)}: ${(state & PAGE.MMIO) !== 0 ? 'device or unmapped' : (state & PAGE.ROM) !== 0 ? 'ROM' : 'RAM'}`);
    return { physical: masked >>> 0, walk: steps };
  }

  return { walk, loadPointers, translate };
}
