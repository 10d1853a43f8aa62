// Memory operands of x87 instructions. A load has read all of its operand before anything changes; a store has made sure that
// all of it can be written before any of it is.

import { S } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { PF } from '../paging.ts';
import { type Float80, set } from './float80.ts';

export interface Operands {
  /** Linear address of an operand of `size` bytes that may be read, or written. */
  readable(segment: number, offset: number, size: number): number;
  writable(segment: number, offset: number, size: number): number;
  read80(linear: number, out: Float80): void;
  write80(linear: number, x: Float80): void;
}
export function createOperands(engine: Engine): Operands {
  const { r } = engine;
  return {
    readable: (segment, offset, size) => engine.LR(segment, offset, size),
    writable(segment, offset, size) {
      const linear = engine.LW(segment, offset, size);
      engine.probeWrite(linear, size, r[S.CPL] === 3 ? PF.USER : 0);
      return linear;
    },
    read80(linear, out) {
      const low = engine.R32(linear),
        high = engine.R32((linear + 4) | 0),
        top = engine.R16((linear + 8) | 0);
      set(out, top >> 15, top & 0x7fff, high, low);
    },
    write80(linear, x) {
      engine.W32(linear, x.low);
      engine.W32((linear + 4) | 0, x.high);
      engine.W16((linear + 8) | 0, (x.sign << 15) | x.exponent);
    },
  };
}
