// Whether the virtual processor did what the real one did, up to the flags that the row leaves undefined.

import { decode } from '../../src/translator/decode.ts';
import { format } from '../../src/translator/format.ts';
import { VECTOR } from '../../src/translator/state.ts';
import { offsetOf } from './cases.ts';
import { fpuDifferences } from './compareFpu.ts';
import { FRESH_FPU, LAYOUT, type VectorInput, type VectorOutput } from './record.ts';
import { isSegmentRow } from './segmentCases.ts';

/** What differs, in words; undefined when nothing does. */
export function difference(v: VectorInput, real: VectorOutput, ours: VectorOutput): string | undefined {
  const out: string[] = [],
    hex = (n: number): string => (n >>> 0).toString(16),
    open = left(v);
  if (real.trap !== ours.trap && !(isSegmentRow(rowOf(v)) && sameClass(real.trap, ours.trap)))
    out.push(`trap ${real.trap} but ours ${ours.trap}`);
  else if (real.trap === ours.trap && real.trap >= 0 && real.error !== ours.error)
    out.push(`error code ${hex(real.error)} but ours ${hex(ours.error)}`);
  real.regs.forEach((n, k) => {
    if (((n ^ ours.regs[k]!) & ~(open.regs?.[k] ?? 0)) !== 0) out.push(`register ${k} ${hex(n)} but ours ${hex(ours.regs[k]!)}`);
  });
  real.segments.forEach((n, k) => {
    if (n !== ours.segments[k]) out.push(`segment register ${k} ${hex(n)} but ours ${hex(ours.segments[k]!)}`);
  });
  if (real.eip !== ours.eip) out.push(`eip ${hex(real.eip)} but ours ${hex(ours.eip)}`);
  const mask = real.trap >= 0 ? 0 : undefinedFlags(v),
    flags = (real.eflags ^ ours.eflags) & ~mask;
  if (flags !== 0) out.push(`flags ${hex(real.eflags)} but ours ${hex(ours.eflags)}`);
  const memory = (o: VectorOutput): string =>
    o.memory
      .filter(([at]) => !open.memory?.includes(at))
      .map(([at, value]) => `${hex(at)}:${hex(value)}`)
      .join(',');
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
const rowOf = (v: VectorInput) => decode((n) => v.code[n] ?? 0, 0, v.mode === 32).row;
/** Two faults of which a processor may see either first (SDM volume 3, "Priority Among Concurrent Events": execution of an instruction). */
const UNORDERED: readonly number[] = [VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP, VECTOR.AC];
const sameClass = (real: number, ours: number): boolean =>
  (real === VECTOR.AC || ours === VECTOR.AC) && UNORDERED.includes(real) && UNORDERED.includes(ours);

/** What the SDM leaves open, or to the model, besides flags: bits of general registers by number, offsets of the data region. */
interface Open {
  readonly regs?: { readonly [n: number]: number };
  readonly memory?: readonly number[];
}
function left(v: VectorInput): Open {
  const i = decode((n) => v.code[n] ?? 0, 0, v.mode === 32),
    [first] = i.operands;
  switch (i.row.name) {
    case 'CPUID':
      return { regs: { 0: -1, 1: -1, 2: -1, 3: -1 } };
    case 'RDTSC':
      return { regs: { 0: -1, 2: -1 } };
    case 'SHLD':
    case 'SHRD': {
      // "If the count is greater than the operand size, the result is undefined."
      const last = i.operands[2]!,
        count = (last.kind === 'imm' ? (last.value as number) : v.regs[1]!) & 31;
      if (count <= i.w) return {};
      if (first?.kind === 'reg') return { regs: { [first.n as number]: 0xffff } };
      const address = first?.kind === 'mem' && first.address ? offsetOf(first.address, v.regs) - (v.mode === 32 ? LAYOUT.DATA : 0) : 0;
      return { memory: [address, address + 1] };
    }
    case 'LAR': // "bits 19:16 are undefined"
      return first?.kind === 'reg' ? { regs: { [first.n as number]: 0xf0000 } } : {};
    case 'PUSH': {
      // "either a zero-extended value is pushed on the stack or the segment selector is written using a 16-bit move"
      if (!/^[C-GS]S$/.test(i.row.operands[0]!) || i.w === 16) return {};
      const top = v.mode === 32 ? v.regs[4]! - 4 - LAYOUT.DATA : (v.regs[4]! - 4) & 0xffff;
      return { memory: [top + 2, top + 3] };
    }
    default:
      return {};
  }
}
