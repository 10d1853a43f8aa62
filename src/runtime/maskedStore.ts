// Stores of the bytes that a mask chooses (SDM volume 2, MASKMOVQ, MASKMOVDQU). Bytes that are not chosen are not touched and do
// not fault; all that are can be written before any of them is.

import { S } from '../translator/state.ts';
import type { Engine } from './engine.ts';
import { PF } from './paging.ts';

export function createMaskedStore(engine: Engine): (segment: number, offset: number, data: number, mask: number) => void {
  const { r, r8 } = engine;
  return (segment, offset, data, mask) => {
    const chosen: { linear: number; value: number }[] = [];
    for (let n = 0; n < (data >= S.XMM0 ? 16 : 8); n++) {
      if ((r8[4 * mask + n]! & 0x80) === 0) continue;
      const linear = engine.LW(segment, (offset + n) | 0, 1);
      engine.probeWrite(linear, 1, r[S.USER_TLB] !== 0 ? PF.USER : 0);
      chosen.push({ linear, value: r8[4 * data + n]! });
    }
    for (const { linear, value } of chosen) engine.W8(linear, value);
  };
}
