// What generated code is closed over: the engine's arrays and slow paths under the names of forms.ts's ENGINE_NAMES, as
// constants (measured: as fast as literals; as arguments up to a third slower).

import type { SystemCalls } from '../translator/calls.ts';
import { condition, flagsOf, flagsRotated } from '../translator/flags.ts';
import type { ENGINE_NAMES } from '../translator/forms.ts';
import {
  countTrailingZeros,
  divOverflows,
  divQuotient,
  divRemainder,
  idivOverflows,
  idivQuotient,
  idivRemainder,
  mulHighS,
  mulHighU,
} from '../translator/ir/ops.ts';
import { VECTOR_FUNCTIONS } from '../translator/vector/functions.ts';
import { createElements } from './elements.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import type { FastX87 } from './system.ts';
import { OPEN_PART, USER_PART } from './tlb.ts';

export type GeneratedCodeScope = { readonly r: Int32Array } & { readonly [N in (typeof ENGINE_NAMES)[number]]: unknown };

/** LR and LW: linear address of `size` bytes at an offset of a segment, after its checks; throw #GP or #SS. */
export interface SegmentedAccess {
  LR(segment: number, offset: number, size: number): number;
  LW(segment: number, offset: number, size: number): number;
}

export function createScope(engine: Engine & SegmentedAccess, system: SystemCalls, x87: FastX87): GeneratedCodeScope {
  const { r, r8, r16, u8, dv, tr, tw, ends, R8, R16, R32, M8, M16, M32, W8, W16, W32, RV, WV, LR, LW, vs } = engine;
  return {
    r,
    r8,
    r16,
    u8,
    dv,
    tr,
    tw,
    trUser: tr.subarray(USER_PART, OPEN_PART),
    twUser: tw.subarray(USER_PART, OPEN_PART),
    trOpen: tr.subarray(OPEN_PART),
    twOpen: tw.subarray(OPEN_PART),
    ends,
    R8,
    R16,
    R32,
    M8,
    M16,
    M32,
    W8,
    W16,
    W32,
    RV,
    WV,
    LR,
    LW,
    vf: VECTOR_FUNCTIONS,
    vs,
    el: createElements(engine),
    sys: system,
    x87: x87.attempt,
    xf: x87.direct,
    xl: x87.leaveRegister,
    xm: x87.leaveMemory,
    fault,
    condition,
    flagsOf,
    flagsRotated,
    mulHighU,
    mulHighS,
    divOverflows,
    divQuotient,
    divRemainder,
    idivOverflows,
    idivQuotient,
    idivRemainder,
    countTrailingZeros,
  };
}
