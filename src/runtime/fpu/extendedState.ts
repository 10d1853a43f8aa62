// State components enabled by XCR0 and their area in memory (SDM volume 1, "Managing State Using the XSAVE Feature Set"; volume 2,
// XGETBV, XSETBV, XSAVE, XRSTOR): the x87 and SSE components in the standard format, which is FXSAVE's image and a header of 64 bytes.
// There is no XSAVEOPT, XSAVEC or XSAVES; CPUID says so.

import { S, VECTOR } from '../../translator/state.ts';
import { CR0, CR4 } from '../controlBits.ts';
import type { Engine } from '../engine.ts';
import { fault } from '../faults.ts';
import type { Fpu } from '../system.ts';
import { IMAGE_BYTES, type ImageParts } from './image.ts';
import type { Operands } from './memory.ts';
import type { FpuState } from './state.ts';
import { INITIAL_CONTROL } from './words.ts';

/** Bits of XCR0, and so of XSTATE_BV and of the mask in EDX:EAX. */
const XCR0 = { X87: 1, SSE: 2 } as const;
export const XCR0_BUILT = XCR0.X87 | XCR0.SSE;
/** Bytes of the area of everything that is built. */
export const XSAVE_BYTES = IMAGE_BYTES + 64;
const ALIGNMENT = 64;
const XSTATE_BV = IMAGE_BYTES,
  XCOMP_BV = IMAGE_BYTES + 8;

export function createExtendedState(
  engine: Engine,
  state: FpuState,
  parts: ImageParts,
  memory: Operands,
): Pick<Fpu, 'readExtendedControl' | 'writeExtendedControl' | 'saveExtended' | 'restoreExtended'> {
  const { r } = engine;
  const requireEnabled = (): void => {
    if ((r[S.CR4]! & CR4.OSXSAVE) === 0) fault(VECTOR.UD);
  };
  function requireAvailable(segment: number, offset: number): void {
    requireEnabled();
    if ((r[S.CR0]! & CR0.TS) !== 0) fault(VECTOR.NM);
    if (((r[S.SEG_BASE + segment]! + offset) & (ALIGNMENT - 1)) !== 0) fault(VECTOR.GP, 0);
  }
  /** Components that are not as after initialisation (XINUSE). MXCSR is no part of that. */
  function inUse(): number {
    let mask = 0;
    const words = [S.FPU_STATUS, S.FPU_TAGS, S.FPU_OPCODE, S.FPU_IP, S.FPU_CS, S.FPU_DP, S.FPU_DS],
      isSet = (word: number): boolean => word !== 0;
    if (state.control() !== INITIAL_CONTROL || words.some((word) => r[word] !== 0) || r.subarray(S.FPU_R0, S.FPU_R0 + 32).some(isSet))
      mask |= XCR0.X87;
    if (r.subarray(S.XMM0, S.XMM0 + 32).some(isSet)) mask |= XCR0.SSE;
    return mask;
  }
  /** An image of everything as after initialisation. */
  const initial = new Int32Array(IMAGE_BYTES / 4);
  initial[0] = INITIAL_CONTROL;

  return {
    readExtendedControl() {
      requireEnabled();
      if (r[S.ECX] !== 0) fault(VECTOR.GP, 0);
      r[S.EAX] = r[S.XCR0]!;
      r[S.EDX] = 0;
    },
    writeExtendedControl() {
      requireEnabled();
      const value = r[S.EAX]!;
      if (r[S.CPL] !== 0 || r[S.ECX] !== 0 || r[S.EDX] !== 0 || (value & XCR0.X87) === 0 || (value & ~XCR0_BUILT) !== 0)
        fault(VECTOR.GP, 0);
      r[S.XCR0] = value;
      engine.host.exit('xsetbv', 0, value >>> 0);
    },
    saveExtended(segment, offset, mask) {
      requireAvailable(segment, offset);
      const at = memory.writable(segment, offset, XSAVE_BYTES, 1),
        components = r[S.XCR0]! & mask,
        header = (engine.R32((at + XSTATE_BV) | 0) & ~components) | (inUse() & components);
      if ((components & XCR0.X87) !== 0) parts.saveX87(at);
      if ((components & XCR0.SSE) !== 0) {
        parts.saveMxcsr(at);
        parts.saveXmm(at);
      }
      engine.W32((at + XSTATE_BV) | 0, header);
    },
    restoreExtended(segment, offset, mask) {
      requireAvailable(segment, offset);
      const at = memory.readable(segment, offset, XSAVE_BYTES, 1),
        components = r[S.XCR0]! & mask,
        words = Array.from({ length: XSAVE_BYTES / 4 }, (_, n) => engine.R32((at + 4 * n) | 0)),
        present = words[XSTATE_BV / 4]!;
      if ((present & ~r[S.XCR0]!) !== 0 || words[XSTATE_BV / 4 + 1] !== 0) fault(VECTOR.GP, 0);
      if (words.slice(XCOMP_BV / 4, XCOMP_BV / 4 + 4).some((word) => word !== 0)) fault(VECTOR.GP, 0);
      if ((components & XCR0.SSE) !== 0) parts.checkMxcsr(words);
      if ((components & XCR0.X87) !== 0) parts.loadX87((present & XCR0.X87) !== 0 ? words : initial);
      if ((components & XCR0.SSE) === 0) return;
      // MXCSR is loaded even where the registers are only initialised.
      parts.loadMxcsr(words);
      parts.loadXmm((present & XCR0.SSE) !== 0 ? words : initial);
    },
  };
}
