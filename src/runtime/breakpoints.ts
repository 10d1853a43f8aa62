// What the debug registers ask for (SDM volume 3, "Debug Registers": "Debug Control Register (DR7)", "Breakpoint Field
// Recognition"). Only reads the state block.

import { S } from '../translator/state.ts';

/** R/W fields of DR7. */
export const BREAK_ON = { EXECUTE: 0, WRITE: 1, IO: 2, READ_WRITE: 3 } as const;
const LENGTH = [1, 2, 8, 4] as const;

const enabled = (dr7: number, n: number): boolean => ((dr7 >>> (2 * n)) & 3) !== 0;
const kind = (dr7: number, n: number): number => (dr7 >>> (16 + 4 * n)) & 3;

/** Whether any breakpoint is armed. */
export function anyArmed(r: Int32Array): boolean {
  return (r[S.DR7]! & 0xff) !== 0;
}
/** Whether a data or I/O breakpoint is armed. */
export function dataArmed(r: Int32Array): boolean {
  const dr7 = r[S.DR7]!;
  for (let n = 0; n < 4; n++) if (enabled(dr7, n) && kind(dr7, n) !== BREAK_ON.EXECUTE) return true;
  return false;
}

/** Bits B0-B3 of the armed breakpoints of the kinds in `kinds` (bit set of BREAK_ON values) that overlap the bytes. */
export function matches(r: Int32Array, address: number, size: number, kinds: number): number {
  const dr7 = r[S.DR7]!;
  let bits = 0;
  for (let n = 0; n < 4; n++) {
    if (!enabled(dr7, n) || ((kinds >> kind(dr7, n)) & 1) === 0) continue;
    const length = kind(dr7, n) === BREAK_ON.EXECUTE ? 1 : LENGTH[(dr7 >>> (18 + 4 * n)) & 3]!;
    const first = (r[S.DR0 + n]! & -length) >>> 0,
      from = address >>> 0;
    if (from < first + length && first < from + size) bits |= 1 << n;
  }
  return bits;
}

/** Whether an armed data breakpoint lies on the linear page. */
export function dataBreakpointOnPage(r: Int32Array, linear: number): boolean {
  return matches(r, linear & ~0xfff, 4096, (1 << BREAK_ON.WRITE) | (1 << BREAK_ON.READ_WRITE)) !== 0;
}
