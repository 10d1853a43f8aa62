// Whether the virtual processor did what the real one did, up to the flags that the row leaves undefined.

import { decode } from '../../src/translator/decode.ts';
import { format } from '../../src/translator/format.ts';
import { fpuDifferences } from './compareFpu.ts';
import { FRESH_FPU, type VectorInput, type VectorOutput } from './record.ts';

/** What differs, in words; undefined when nothing does. */
export function difference(v: VectorInput, real: VectorOutput, ours: VectorOutput): string | undefined {
  const out: string[] = [],
    hex = (n: number): string => (n >>> 0).toString(16);
  if (real.trap !== ours.trap) out.push(`trap ${real.trap} but ours ${ours.trap}`);
  else if (real.trap >= 0 && real.error !== ours.error) out.push(`error code ${hex(real.error)} but ours ${hex(ours.error)}`);
  real.regs.forEach((n, k) => {
    if (n !== ours.regs[k]) out.push(`register ${k} ${hex(n)} but ours ${hex(ours.regs[k]!)}`);
  });
  if (real.eip !== ours.eip) out.push(`eip ${hex(real.eip)} but ours ${hex(ours.eip)}`);
  const mask = real.trap >= 0 ? 0 : undefinedFlags(v),
    flags = (real.eflags ^ ours.eflags) & ~mask;
  if (flags !== 0) out.push(`flags ${hex(real.eflags)} but ours ${hex(ours.eflags)}`);
  const memory = (o: VectorOutput): string => o.memory.map(([at, value]) => `${hex(at)}:${hex(value)}`).join(',');
  if (memory(real) !== memory(ours)) out.push(`memory ${memory(real)} but ours ${memory(ours)}`);
  if (v.fpu !== FRESH_FPU) out.push(...fpuDifferences(real.fpu, ours.fpu));
  return out.length === 0 ? undefined : `${text(v)} | ${out.join('; ')}`;
}
export function text(v: VectorInput): string {
  const i = decode((n) => v.code[n] ?? 0, 0, v.mode === 32);
  return `${v.mode}-bit ${format(i, { base: 0 })} (${i.row.code}) flags ${v.eflags.toString(16)} regs ${v.regs.map((n) => (n >>> 0).toString(16)).join(' ')}`;
}
function undefinedFlags(v: VectorInput): number {
  const i = decode((n) => v.code[n] ?? 0, 0, v.mode === 32),
    { undefined: mask } = i.row;
  if (typeof mask !== 'function') return mask ?? 0;
  const last = i.operands[i.operands.length - 1]!,
    count = last.kind === 'imm' ? (last.value as number) : v.regs[1]! & 0xff;
  const first = i.operands[0]!;
  return mask(first.w, count & 31);
}
