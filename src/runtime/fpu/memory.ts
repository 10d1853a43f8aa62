// Memory operands of x87 instructions. A load has read all of its operand before anything changes; a store has made sure that
// all of it can be written before any of it is.

import { S } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { PF } from '../paging.ts';
import { type Float80, set } from './float80.ts';

export interface Operands {
  /** Linear address of an operand of `size` bytes that may be read, or written; `alignment` where it is not the size's own. */
  readable(segment: number, offset: number, size: number, alignment?: number): number;
  writable(segment: number, offset: number, size: number, alignment?: number): number;
  read80(linear: number, out: Float80): void;
  write80(linear: number, x: Float80): void;
  /** The same in the image of FSAVE, whose registers are aligned as little as the image is. */
  readImage80(linear: number, out: Float80): void;
  writeImage80(linear: number, x: Float80): void;
}
/** What #AC asks of operands of 64 and 80 bits (SDM volume 3, "Alignment Requirements by Data Type"); smaller ones are checked by their access. */
const alignmentOf = (size: number): number => Math.min(size, 8);

export function createOperands(engine: Engine): Operands {
  const { r } = engine;
  return {
    readable(segment, offset, size, alignment = alignmentOf(size)) {
      const linear = engine.LR(segment, offset, size);
      engine.requireAlignment(linear, alignment);
      return linear;
    },
    writable(segment, offset, size, alignment = alignmentOf(size)) {
      const linear = engine.LW(segment, offset, size);
      engine.probeWrite(linear, size, r[S.CPL] === 3 ? PF.USER : 0);
      engine.requireAlignment(linear, alignment);
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
    readImage80(linear, out) {
      const [a, b, c, d, top] = [0, 2, 4, 6, 8].map((n) => engine.R16((linear + n) | 0));
      set(out, top! >> 15, top! & 0x7fff, (d! << 16) | c!, (b! << 16) | a!);
    },
    writeImage80(linear, x) {
      const words = [x.low, x.low >>> 16, x.high, x.high >>> 16, (x.sign << 15) | x.exponent];
      for (const [n, word] of words.entries()) engine.W16((linear + 2 * n) | 0, word & 0xffff);
    },
  };
}
