// The image of the x87, MMX and SSE state in memory (SDM volume 2, FXSAVE, "Non-64-Bit Mode Layout of FXSAVE and FXRSTOR Memory
// Region"), in the parts in which FXSAVE and XSAVE store and load it. Bytes 288 to 511 are not written.

import { MXCSR_MASK, S, VECTOR } from '../../translator/state.ts';
import { CR4 } from '../controlBits.ts';
import type { Engine } from '../engine.ts';
import { fault } from '../faults.ts';
import type { Fpu } from '../system.ts';
import { float80 } from './float80.ts';
import type { Operands } from './memory.ts';
import type { FpuState } from './state.ts';

export const IMAGE_BYTES = 512;
const AT = { CONTROL: 0, STATUS: 2, TAGS: 4, OPCODE: 6, IP: 8, CS: 12, DP: 16, DS: 20, MXCSR: 24, MASK: 28, ST: 32, XMM: 160 } as const;

/** Stores to an image at a linear address that can be written, and loads from its words, which have all been read. */
export interface ImageParts {
  saveX87(at: number): void;
  saveMxcsr(at: number): void;
  saveXmm(at: number): void;
  /** #GP(0) when MXCSR has reserved bits. */
  checkMxcsr(words: ArrayLike<number>): void;
  loadX87(words: ArrayLike<number>): void;
  loadMxcsr(words: ArrayLike<number>): void;
  loadXmm(words: ArrayLike<number>): void;
}

export function createImageParts(engine: Engine, state: FpuState, memory: Operands): ImageParts {
  const { r } = engine;
  const x = float80();
  return {
    saveX87(at) {
      const put16 = (place: number, value: number): void => engine.W16((at + place) | 0, value & 0xffff),
        put32 = (place: number, value: number): void => engine.W32((at + place) | 0, value);
      put16(AT.CONTROL, state.control());
      put16(AT.STATUS, state.status());
      put16(AT.TAGS, r[S.FPU_TAGS]!);
      put16(AT.OPCODE, r[S.FPU_OPCODE]! & 0x7ff);
      put32(AT.IP, r[S.FPU_IP]!);
      put32(AT.CS, r[S.FPU_CS]! & 0xffff);
      put32(AT.DP, r[S.FPU_DP]!);
      put32(AT.DS, r[S.FPU_DS]! & 0xffff);
      for (let i = 0; i < 8; i++) {
        const place = AT.ST + 16 * i;
        state.read(i, x);
        memory.write80((at + place) | 0, x);
        put16(place + 10, 0);
        put32(place + 12, 0);
      }
    },
    saveMxcsr(at) {
      engine.W32((at + AT.MXCSR) | 0, r[S.MXCSR]!);
      engine.W32((at + AT.MASK) | 0, MXCSR_MASK);
    },
    saveXmm(at) {
      for (let n = 0; n < 32; n++) engine.W32((at + AT.XMM + 4 * n) | 0, r[S.XMM0 + n]!);
    },
    checkMxcsr(words) {
      if ((words[AT.MXCSR >> 2]! & ~MXCSR_MASK) !== 0) fault(VECTOR.GP, 0);
    },
    loadX87(words) {
      const get16 = (place: number): number => (words[place >> 2]! >>> (8 * (place & 2))) & 0xffff,
        get32 = (place: number): number => words[place >> 2]!;
      state.setControl(get16(AT.CONTROL));
      state.setStatus(get16(AT.STATUS));
      for (let i = 0; i < 8; i++) {
        const place = AT.ST + 16 * i,
          top = get16(place + 8);
        x.sign = top >> 15;
        x.exponent = top & 0x7fff;
        x.high = get32(place + 4);
        x.low = get32(place);
        state.write(i, x);
      }
      r[S.FPU_TAGS] = get16(AT.TAGS) & 0xff;
      r[S.FPU_OPCODE] = get16(AT.OPCODE) & 0x7ff;
      r[S.FPU_IP] = get32(AT.IP);
      r[S.FPU_CS] = get16(AT.CS);
      r[S.FPU_DP] = get32(AT.DP);
      r[S.FPU_DS] = get16(AT.DS);
    },
    loadMxcsr(words) {
      r[S.MXCSR] = words[AT.MXCSR >> 2]!;
    },
    loadXmm(words) {
      for (let n = 0; n < 32; n++) r[S.XMM0 + n] = words[(AT.XMM >> 2) + n]!;
    },
  };
}

/** FXSAVE and FXRSTOR. XMM registers and MXCSR belong to the image once the operating system has set CR4.OSFXSR. */
export function createImage(engine: Engine, parts: ImageParts, memory: Operands): Pick<Fpu, 'saveImage' | 'restoreImage'> {
  const withSse = (): boolean => (engine.r[S.CR4]! & CR4.OSFXSR) !== 0;
  return {
    saveImage(segment, offset) {
      const at = memory.writable(segment, offset, IMAGE_BYTES);
      parts.saveX87(at);
      if (!withSse()) return;
      parts.saveMxcsr(at);
      parts.saveXmm(at);
    },
    restoreImage(segment, offset) {
      const at = memory.readable(segment, offset, IMAGE_BYTES),
        words = Array.from({ length: AT.XMM / 4 + 32 }, (_, n) => engine.R32((at + 4 * n) | 0));
      if (withSse()) parts.checkMxcsr(words);
      parts.loadX87(words);
      if (!withSse()) return;
      parts.loadMxcsr(words);
      parts.loadXmm(words);
    },
  };
}
