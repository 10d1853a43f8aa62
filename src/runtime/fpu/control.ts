// Control instructions and the environment in memory (SDM volume 1, "x87 FPU Instruction and Data (Operand) Pointers", "Saving
// the x87 FPU's State"; volume 2, FNSTENV, FLDENV, FNSAVE, FRSTOR): protected and real mode formats of 16 and 32 bits.

import { S, VM } from '../../translator/state.ts';
import { CR0 } from '../controlBits.ts';
import type { Engine } from '../engine.ts';
import { float80, KIND, kindOf } from './float80.ts';
import type { MemoryForm } from './forms.ts';
import type { Operands } from './memory.ts';
import type { FpuState } from './state.ts';
import { EXCEPTIONS, TOP_SHIFT } from './words.ts';

export interface Control {
  readonly loadControl: MemoryForm;
  readonly storeControl: MemoryForm;
  readonly storeStatus: MemoryForm;
  readonly loadEnvironment: MemoryForm;
  readonly storeEnvironment: MemoryForm;
  readonly save: MemoryForm;
  readonly restore: MemoryForm;
}
const environmentBytes = (size: number): number => (size === 32 ? 28 : 14);
const REGISTER_BYTES = 80;

export function createFpuControl(engine: Engine, state: FpuState, memory: Operands): Control {
  const { r } = engine;
  const x = float80();
  const inRealFormat = (): boolean => (r[S.CR0]! & CR0.PE) === 0 || (r[S.SYSTEM_FLAGS]! & VM) !== 0;

  /** Two bits a physical register: valid, zero, special, empty. */
  function fullTags(): number {
    let tags = 0;
    for (let n = 0; n < 8; n++) {
      const i = (n - (r[S.FPU_STATUS]! >> TOP_SHIFT)) & 7;
      state.read(i, x);
      const kind = kindOf(x);
      tags |= (state.isEmpty(i) ? 3 : kind === KIND.NORMAL ? 0 : kind === KIND.ZERO ? 1 : 2) << (2 * n);
    }
    return tags;
  }
  /** The seven fields as the mode's format has them, each 16 bits, or 32 with the unused bits as the processor writes them. */
  function environment(size: number): number[] {
    const ip = r[S.FPU_IP]!,
      cs = r[S.FPU_CS]! & 0xffff,
      dp = r[S.FPU_DP]!,
      ds = r[S.FPU_DS]! & 0xffff,
      opcode = r[S.FPU_OPCODE]! & 0x7ff;
    const words = [state.control(), state.status(), fullTags()].map((word) => word | UNUSED);
    if (!inRealFormat()) return size === 32 ? [...words, ip, cs | (opcode << 16), dp, ds | UNUSED] : [...words, ip, cs, dp, ds];
    const code = (ip + (cs << 4)) | 0,
      data = (dp + (ds << 4)) | 0;
    if (size === 16) return [...words, code, ((code >>> 4) & 0xf000) | opcode, data, (data >>> 4) & 0xf000];
    return [...words, code | UNUSED, ((code >>> 4) & 0x0ffff000) | opcode, data | UNUSED, (data >>> 4) & 0x0ffff000];
  }
  function put(at: number, size: number): void {
    environment(size).forEach((field, n) => {
      if (size === 32) engine.W32((at + 4 * n) | 0, field);
      else engine.W16((at + 2 * n) | 0, field & 0xffff);
    });
  }
  function get(at: number, size: number): number[] {
    return Array.from({ length: 7 }, (_, n) => (size === 32 ? engine.R32((at + 4 * n) | 0) : engine.R16((at + 2 * n) | 0)));
  }
  function load([control, status, tags, ip, second, dp, fourth]: readonly number[], size: number): void {
    r[S.FPU_STATUS] = status! & 0xffff;
    state.setControl(control!);
    let valid = 0;
    for (let n = 0; n < 8; n++) if (((tags! >> (2 * n)) & 3) !== 3) valid |= 1 << n;
    r[S.FPU_TAGS] = valid;
    if (inRealFormat()) {
      // Linear addresses: kept as offsets in a segment at 0.
      const upper = size === 32 ? 0x0ffff000 : 0xf000;
      r[S.FPU_IP] = (ip! & 0xffff) | ((second! & upper) << 4);
      r[S.FPU_OPCODE] = second! & 0x7ff;
      r[S.FPU_DP] = (dp! & 0xffff) | ((fourth! & upper) << 4);
      r[S.FPU_CS] = r[S.FPU_DS] = 0;
      return;
    }
    r[S.FPU_IP] = ip!;
    r[S.FPU_CS] = second! & 0xffff;
    r[S.FPU_OPCODE] = size === 32 ? (second! >>> 16) & 0x7ff : 0;
    r[S.FPU_DP] = dp!;
    r[S.FPU_DS] = fourth! & 0xffff;
  }

  return {
    loadControl(segment, offset) {
      state.setControl(engine.R16(memory.readable(segment, offset, 2)));
    },
    storeControl(segment, offset) {
      engine.W16(memory.writable(segment, offset, 2), state.control());
    },
    storeStatus(segment, offset) {
      engine.W16(memory.writable(segment, offset, 2), state.status());
    },
    loadEnvironment(segment, offset, size) {
      load(get(memory.readable(segment, offset, environmentBytes(size), size >> 3), size), size);
    },
    storeEnvironment(segment, offset, size) {
      put(memory.writable(segment, offset, environmentBytes(size), size >> 3), size);
      state.setControl(state.control() | EXCEPTIONS);
    },
    save(segment, offset, size) {
      const bytes = environmentBytes(size),
        at = memory.writable(segment, offset, bytes + REGISTER_BYTES, size >> 3);
      put(at, size);
      for (let i = 0; i < 8; i++) {
        state.read(i, x);
        memory.writeImage80((at + bytes + 10 * i) | 0, x);
      }
      state.initialize();
    },
    restore(segment, offset, size) {
      const bytes = environmentBytes(size),
        at = memory.readable(segment, offset, bytes + REGISTER_BYTES, size >> 3),
        fields = get(at, size);
      const values = Array.from({ length: 8 }, (_, i) => {
        const value = float80();
        memory.readImage80((at + bytes + 10 * i) | 0, value);
        return value;
      });
      r[S.FPU_STATUS] = fields[1]! & 0xffff;
      values.forEach((value, i) => {
        state.write(i, value);
      });
      load(fields, size);
    },
  };
}
/** Upper halves of 32-bit fields that hold 16 bits. */
const UNUSED = 0xffff0000 | 0;
