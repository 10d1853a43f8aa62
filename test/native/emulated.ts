// The same single instruction on the virtual processor: user mode, the runner's layout, one tick, in either tier.

import { CR0 } from '../../src/runtime/controlBits.ts';
import { GuestFault } from '../../src/runtime/faults.ts';
import { resetState } from '../../src/runtime/reset.ts';
import { decode } from '../../src/translator/decode.ts';
import { CS, S, SS, VECTOR } from '../../src/translator/state.ts';
import { evaluate } from '../support/evaluate.ts';
import { seeded } from '../support/random.ts';
import { descriptorOf, GDT, GDT_LIMIT, LDT, SELECTORS } from './ldt.ts';
import { createVectorProcessor } from './processor.ts';
import { type FpuState, FRESH_FPU, LAYOUT, type VectorInput, type VectorOutput } from './record.ts';

const { CODE, DATA, SIZE, AT } = LAYOUT;
const { engine, translation, executor, cache, evaluated } = createVectorProcessor(),
  { r, u8, dv } = engine;

/** More iterations than any vector's count register asks for. */
const LONGEST_REPEAT = 64;

/** Bytes compared at once. */
const BLOCK = 0x1000;

/** Data regions by seed: filling one takes longer than an instruction. */
const filled = new Map<number, Uint8Array>();
function filledBy(seed: number): Uint8Array {
  let bytes = filled.get(seed);
  if (!bytes) {
    const random = seeded(seed),
      words = new Int32Array(SIZE / 4);
    for (let n = 0; n < words.length; n++) words[n] = random.word();
    filled.set(seed, (bytes = new Uint8Array(words.buffer)));
  }
  return bytes;
}
/** The data region before the instruction; the same bytes are used for the next one that has words of its own there. */
const poked = new Uint8Array(SIZE),
  pokedView = new DataView(poked.buffer);
function dataOf({ seed, pokes }: VectorInput): Uint8Array {
  const bytes = filledBy(seed);
  if (pokes.length === 0) return bytes;
  poked.set(bytes);
  for (const [at, value] of pokes) pokedView.setInt32(at, value, true);
  return poked;
}

// ---- what the operating system has in memory; no vector reaches it
const GDT_AT = 0x1000,
  IDT_AT = 0x2000,
  LDT_AT = 0x3000,
  /** Handlers are nothing but addresses, this far apart. */
  HANDLERS = 0x4000,
  STRIDE = 16,
  STACK0 = 0x8000;
const KERNEL_CS = 0x08,
  KERNEL_SS = 0x18;
/** Gates that ring 3 may use by INT n: INT3, INTO. */
const OPEN_GATES: readonly number[] = [VECTOR.BP, VECTOR.OF];

{
  const put = (at: number, words: readonly number[]): void => {
    for (const [n, word] of words.entries()) dv.setInt32(at + 4 * n, word, true);
  };
  put(GDT_AT, GDT.flat());
  put(LDT_AT, LDT.flatMap(descriptorOf));
  for (let n = 0; n < 256; n++)
    put(IDT_AT + 8 * n, [(KERNEL_CS << 16) | (HANDLERS + STRIDE * n), OPEN_GATES.includes(n) ? 0xee00 : 0x8e00]);
  // A task without I/O permission bitmap: its base is beyond the limit.
  put(4, [STACK0, KERNEL_SS]);
  dv.setUint16(0x66, 0x68, true);
}

function load(v: VectorInput, data: Uint8Array): void {
  resetState(r, engine.model.signature);
  r[S.CR0] = CR0.PE | CR0.NE | CR0.AM;
  r[S.CPL] = 3;
  r[S.GDTR_BASE] = GDT_AT;
  r[S.GDTR_LIMIT] = GDT_LIMIT;
  r[S.IDTR_BASE] = IDT_AT;
  r[S.IDTR_LIMIT] = 0x7ff;
  r[S.LDTR_SELECTOR] = 0x50;
  r[S.LDTR_BASE] = LDT_AT;
  r[S.LDTR_LIMIT] = 8 * LDT.length - 1;
  r[S.TR_LIMIT] = 0x67;
  const wide = v.mode === 32;
  SELECTORS[v.mode].forEach((selector, s) => {
    const [low, high] = (selector & 4) !== 0 ? descriptorOf(LDT[selector >> 3]) : GDT[selector >> 3]!;
    engine.segments.setCache(s, selector, low, high);
  });
  u8.fill(0xcc, CODE, CODE + SIZE);
  u8.set(v.code, CODE + AT);
  u8.set(data, DATA);
  for (let n = 0; n < 8; n++) r[n] = v.regs[n]!;
  r[S.EIP] = (wide ? CODE : 0) + AT;
  engine.refresh();
  engine.storeFlags(v.eflags | 0x202);
  storeFpu(v.fpu);
  engine.refresh();
  executor.flush();
}
function storeFpu(f: FpuState): void {
  r[S.FPU_CONTROL] = f.control;
  r[S.FPU_STATUS] = f.status;
  const top = (f.status >> 11) & 7;
  let tags = 0;
  for (let n = 0; n < 8; n++) {
    if (((f.tags >> (2 * n)) & 3) !== 3) tags |= 1 << n;
    const text = f.st[(n - top) & 7]!,
      word = S.FPU_R0 + 4 * n;
    r[word] = Number.parseInt(text.slice(12), 16);
    r[word + 1] = Number.parseInt(text.slice(4, 12), 16);
    r[word + 2] = Number.parseInt(text.slice(0, 4), 16);
  }
  r[S.FPU_TAGS] = tags;
}
function readFpu(): FpuState {
  const top = (r[S.FPU_STATUS]! >> 11) & 7,
    hex = (n: number, digits: number): string => (n >>> 0).toString(16).padStart(digits, '0');
  const value = (n: number): string => {
    const word = S.FPU_R0 + 4 * n;
    return hex(r[word + 2]! & 0xffff, 4) + hex(r[word + 1]!, 8) + hex(r[word]!, 8);
  };
  return {
    control: r[S.FPU_CONTROL]! & 0xffff,
    status: r[S.FPU_STATUS]! & 0xffff,
    tags: r[S.FPU_TAGS]!,
    st: Array.from({ length: 8 }, (_, n) => value((n + top) & 7)),
  };
}

/** Back from a ring 0 handler to what it was entered from, as a signal handler sees it; gives the vector. */
function leaveHandler(): number {
  const vector = (r[S.EIP]! - HANDLERS) / STRIDE,
    [eip, cs, flags, esp, ss] = Array.from({ length: 5 }, (_, n) => dv.getInt32(r[S.ESP]! + 4 * n, true));
  r[S.EIP] = eip!;
  r[S.ESP] = esp!;
  r[S.SEG_SELECTOR + CS] = cs!;
  r[S.SEG_SELECTOR + SS] = ss!;
  engine.storeFlags(flags!);
  return vector;
}

/** Runs one instruction; in the translated tier the region is used when the instruction can be translated. */
export function runEmulated(v: VectorInput, tier: 'interpret' | 'translate' | 'evaluate'): VectorOutput {
  const before = dataOf(v);
  cache.clear();
  load(v, before);
  translation.tier = 'interpret';
  const base = v.mode === 32 ? CODE : 0;
  let trap = -1,
    error = 0;
  try {
    if (tier === 'translate') {
      // The region needs the instruction to have been decoded.
      const page = cache.find((CODE + AT) >>> 12, r[S.MODE]!);
      cache.decodeBlock(page, AT, CODE & ~0xfff);
      translation.translate(page, AT);
    }
    const self = r[S.EIP]!,
      instruction = decode((n) => v.code[n] ?? 0xcc, 0, v.mode === 32);
    // One tick at a time; a repeated string instruction goes on until it is through, as the processor's does.
    for (let n = 0; n < LONGEST_REPEAT; n++) {
      r[S.BUDGET] = 1;
      if (tier === 'evaluate') evaluate(evaluated, instruction, self);
      else executor.executeOne();
      if (r[S.EIP] !== self) break;
    }
    if (r[S.CPL] === 0) trap = leaveHandler();
  } catch (caught) {
    if (!(caught instanceof GuestFault)) throw caught;
    trap = caught.vector;
    error = Math.max(0, caught.errorCode);
  }
  const changes: [number, number][] = [];
  for (let n = 0; n < SIZE; n += BLOCK) {
    if (Buffer.compare(u8.subarray(DATA + n, DATA + n + BLOCK), before.subarray(n, n + BLOCK)) === 0) continue;
    for (let k = n; k < n + BLOCK; k++) if (u8[DATA + k] !== before[k]) changes.push([k, u8[DATA + k]!]);
  }
  return {
    regs: Array.from(r.subarray(0, 8)),
    segments: Array.from(r.subarray(S.SEG_SELECTOR, S.SEG_SELECTOR + 6)),
    eflags: engine.getFlags() & 0xcd5,
    eip: (r[S.EIP]! - base - AT) | 0,
    trap,
    error,
    memory: changes,
    fpu: v.fpu === FRESH_FPU ? FRESH_FPU : readFpu(),
  };
}
