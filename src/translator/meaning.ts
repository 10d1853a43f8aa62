// The micro-ops of one concrete instruction: its row's meaning told to a builder.

import type { Instruction } from './decode.ts';
import { Builder } from './ir/builder.ts';
import type { MemoryModel, Operand, Value } from './ir/value.ts';

/** Nothing is flat and the stack's width is not known. */
const GENERAL: MemoryModel = { flat: () => false, stackMask: undefined };

/**
 * Micro-ops in order. `relative` gives the operand that stands for a relative target's page offset: by default the bare
 * offset, as a number.
 */
export function meaningOps(i: Instruction, model: MemoryModel = GENERAL, relative?: (offset: number) => Operand): Value[] {
  const b = new Builder(model);
  const [d, s, t] = i.operands.map((o, n) =>
    relative && o.kind === 'imm' && i.row.operands[n]?.startsWith('J') ? relative(o.value as number) : o,
  );
  i.row.meaning(b, { w: i.w, address: i.address, cc: i.cc, rep: i.rep, seg: i.seg }, d!, s!, t!);
  return b.ops;
}
