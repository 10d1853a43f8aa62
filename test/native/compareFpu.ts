// The x87 state after an instruction, against the processor's. Everything is compared, the flags that the SDM leaves undefined
// too: the processors the vectors come from leave them alone.

import type { FpuState } from './record.ts';

/** What differs, in words. Of the tags it is emptiness that counts: the rest follows from the contents. */
export function fpuDifferences(real: FpuState, ours: FpuState): string[] {
  const out: string[] = [],
    hex = (n: number): string => n.toString(16);
  if (real.control !== ours.control) out.push(`control word ${hex(real.control)} but ours ${hex(ours.control)}`);
  if (real.status !== ours.status) out.push(`status word ${hex(real.status)} but ours ${hex(ours.status)}`);
  let valid = 0;
  for (let n = 0; n < 8; n++) if (((real.tags >> (2 * n)) & 3) !== 3) valid |= 1 << n;
  if (valid !== ours.tags) out.push(`valid registers ${hex(valid)} but ours ${hex(ours.tags)}`);
  real.st.forEach((text, n) => {
    if (text !== ours.st[n]) out.push(`ST(${n}) ${text} but ours ${ours.st[n]}`);
  });
  return out;
}
