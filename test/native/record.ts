// What test/native/runner.c reads and writes, and how its results are kept: one line of text a vector, so that a change of a
// vector file can be read.

import { SELECTORS } from './ldt.ts';

/** One instruction and the state before it. */
export interface VectorInput {
  /** 32: flat 32-bit code; 16: 16-bit code with its code and data in 64 KiB segments. */
  readonly mode: 16 | 32;
  readonly regs: readonly number[];
  /** Arithmetic flags, DF and AC. */
  readonly eflags: number;
  /** Seeds the data region (test/support/random.ts, one word after the other). */
  readonly seed: number;
  /** Words of four bytes put into the data region before, at most POKES, one after the other: offset (not 0) and value. */
  readonly pokes: readonly (readonly [number, number])[];
  readonly code: readonly number[];
  readonly fpu: FpuState;
}
export interface FpuState {
  readonly control: number;
  readonly status: number;
  /** Full tag word, two bits a physical register. */
  readonly tags: number;
  /** ST0 to ST7, ten bytes each, as 20 hexadecimal digits, most significant first. */
  readonly st: readonly string[];
}
export interface VectorOutput {
  readonly regs: readonly number[];
  readonly eflags: number;
  /** Relative to the instruction; 0 when it faulted, its length after INT3, INTO and the like. */
  readonly eip: number;
  /** Vector of what it raised, or -1 when it completed. */
  readonly trap: number;
  readonly error: number;
  /** Selectors in ES, CS, SS, DS, FS, GS. */
  readonly segments: readonly number[];
  /** Changed bytes of the data region: offset, value. */
  readonly memory: readonly (readonly [number, number])[];
  readonly fpu: FpuState;
}

/** Where runner.c puts things. */
export const LAYOUT = { CODE: 0x200000, DATA: 0x10000, SIZE: 0x10000, AT: 0x800 } as const;
export const FRESH_FPU: FpuState = { control: 0x37f, status: 0, tags: 0xffff, st: Array.from({ length: 8 }, () => '0'.repeat(20)) };
/** Bits of EFLAGS that are kept: arithmetic flags, DF. */
const COMPARED_FLAGS = 0xcd5;
export const POKES = 3;
const INPUT_BYTES = 4 + 32 + 8 + 8 * POKES + 4 + 16 + 8 + 80,
  OUTPUT_BYTES = 32 + 24 + 24 + 8 + 80;

export function encodeInput(v: VectorInput): Uint8Array {
  const bytes = new Uint8Array(INPUT_BYTES),
    view = new DataView(bytes.buffer);
  view.setUint32(0, v.mode === 16 ? 1 : 0, true);
  for (const [n, r] of v.regs.entries()) view.setInt32(4 + 4 * n, r, true);
  view.setUint32(36, v.eflags, true);
  view.setInt32(40, v.seed, true);
  for (const [n, [at, value]] of v.pokes.entries()) {
    view.setUint32(44 + 8 * n, at, true);
    view.setInt32(48 + 8 * n, value, true);
  }
  view.setUint32(68, v.code.length, true);
  bytes.set(v.code, 72);
  view.setUint16(88, v.fpu.control, true);
  view.setUint16(90, v.fpu.status, true);
  view.setUint16(92, v.fpu.tags, true);
  for (const [n, text] of v.fpu.st.entries()) bytes.set(bytesOf(text), 96 + 10 * n);
  return bytes;
}
function bytesOf(text: string): number[] {
  return (text.match(/../g) ?? []).map((h) => Number.parseInt(h, 16)).reverse();
}
function textOf(bytes: Uint8Array): string {
  return [...bytes]
    .reverse()
    .map((b) => b.toString(16).padStart(2, '0'))
    .join('');
}

/** Results in the order of the inputs; shorter than they are where the runner ended early. */
export function decodeOutputs(inputs: readonly VectorInput[], bytes: Uint8Array): VectorOutput[] {
  const out: VectorOutput[] = [],
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let p = 0; p + OUTPUT_BYTES <= bytes.length; ) {
    const regs = Array.from({ length: 8 }, (_, n) => view.getInt32(p + 4 * n, true));
    const [eflags, eip, trap, error, , changes] = Array.from({ length: 6 }, (_, n) => view.getInt32(p + 32 + 4 * n, true));
    const segments = Array.from({ length: 6 }, (_, n) => view.getInt32(p + 56 + 4 * n, true));
    const fpu: FpuState = {
      control: view.getUint16(p + 80, true),
      status: view.getUint16(p + 82, true),
      tags: view.getUint16(p + 84, true),
      st: Array.from({ length: 8 }, (_, n) => textOf(bytes.subarray(p + 88 + 10 * n, p + 98 + 10 * n))),
    };
    p += OUTPUT_BYTES;
    const memory: [number, number][] = [];
    for (let n = 0; n < changes!; n++, p += 3) memory.push([view.getUint16(p, true), bytes[p + 2]!]);
    // INT3 fills the code region: stopping at one, past its byte, is completion, unless the instruction is INT3 itself.
    const completed = trap === 3 && eip !== inputs[out.length]!.code.length;
    out.push({
      regs,
      segments,
      eflags: eflags! & COMPARED_FLAGS,
      eip: completed ? eip! - 1 : eip!,
      trap: completed ? -1 : trap!,
      error: completed ? 0 : error!,
      memory,
      fpu,
    });
  }
  return out;
}

const hex = (n: number): string => (n >>> 0).toString(16);
const signed = (text: string): number => Number.parseInt(text, 16) | 0;
const fpuText = (f: FpuState): string =>
  `${hex(f.control)},${hex(f.status)},${hex(f.tags)},${f.st.map((s) => s.replace(/^0+(?=.)/, '')).join(',')}`;
function parseFpu(text: string): FpuState {
  const [control, status, tags, ...st] = text.split(',');
  return { control: signed(control!), status: signed(status!), tags: signed(tags!), st: st.map((s) => s.padStart(20, '0')) };
}

/** One line: mode code seed[@offset:value...] flags registers [fpu] > eip trap error flags changed-registers memory [fpu]; segment registers are the 9th to 14th. */
export function lineOf(v: VectorInput, o: VectorOutput, withFpu: boolean): string {
  const before = [...v.regs, ...SELECTORS[v.mode]];
  const changed = [...o.regs, ...o.segments]
    .map((r, n) => (r === before[n] ? '' : hex(r)))
    .join(',')
    .replace(/,+$/, '');
  const memory = o.memory.map(([at, value]) => `${hex(at)}:${hex(value)}`).join(',');
  const left = [
    v.mode,
    v.code.map((b) => b.toString(16).padStart(2, '0')).join(''),
    hex(v.seed) + v.pokes.map((poke) => `@${poke.map(hex).join(':')}`).join(''),
    hex(v.eflags),
    v.regs.map(hex).join(','),
  ];
  const after = [hex(o.eip), o.trap, hex(o.error), hex(o.eflags), changed || '-', memory || '-'];
  return [...left, ...(withFpu ? [fpuText(v.fpu)] : []), '>', ...after, ...(withFpu ? [fpuText(o.fpu)] : [])].join(' ');
}
export function parseLine(line: string): { input: VectorInput; output: VectorOutput } {
  const [left, right] = line.split(' > '),
    [mode, code, seed, eflags, regs, fpu] = left!.split(' '),
    [fill, ...pokes] = seed!.split('@'),
    [eip, trap, error, flags, changed, memory, fpuAfter] = right!.split(' ');
  const input: VectorInput = {
    mode: Number(mode) as 16 | 32,
    code: (code!.match(/../g) ?? []).map((h) => Number.parseInt(h, 16)),
    seed: signed(fill!),
    pokes: pokes.map((poke) => poke.split(':').map(signed) as [number, number]),
    eflags: signed(eflags!),
    regs: regs!.split(',').map(signed),
    fpu: fpu ? parseFpu(fpu) : FRESH_FPU,
  };
  const values = changed === '-' ? [] : changed!.split(',');
  return {
    input,
    output: {
      eip: signed(eip!),
      trap: Number(trap),
      error: signed(error!),
      eflags: signed(flags!),
      regs: input.regs.map((r, n) => (values[n] ? signed(values[n]) : r)),
      segments: SELECTORS[input.mode].map((s, n) => (values[8 + n] ? signed(values[8 + n]!) : s)),
      memory:
        memory === '-' ? [] : memory!.split(',').map((pair) => pair.split(':').map((h) => Number.parseInt(h, 16)) as [number, number]),
      fpu: fpuAfter ? parseFpu(fpuAfter) : FRESH_FPU,
    },
  };
}
