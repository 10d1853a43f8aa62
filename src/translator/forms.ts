// Instruction forms of the interpreter: a row with everything fixed that changes its text (operand and address size, memory
// or register, condition, repeat prefix, flat or segmented memory). A form's handler is one small JavaScript function;
// registers, addresses and immediates come to it from a pre-decoded record, so that one handler serves every instruction of
// the form. Small functions tier up one by one: 86 MIPS warm, and the fastest when cold, of the shapes measured; one big
// switch is never optimised beyond 61,440 bytes of bytecode.

import type { Instruction } from './decode.ts';
import { FLAGS } from './flags.ts';
import type { Row } from './instructions/notation.ts';
import { Builder, wordPast } from './ir/builder.ts';
import type { Target } from './ir/print.ts';
import { callsOf, printInstruction, sweep } from './ir/print.ts';
import type { Known, Operand, Value, Width } from './ir/value.ts';
import { MODE } from './mode.ts';
import { DS, FS, S } from './state.ts';

/** Words of a record and what they hold. */
export const RECORD = {
  FORM: 0,
  REGISTER_A: 1,
  REGISTER_B: 2,
  /** Base register, or the segment number in segmented forms. */
  BASE: 3,
  INDEX: 4,
  SHIFT: 5,
  /** Displacement, or a second immediate. */
  DISP: 6,
  IMMEDIATE: 7,
  /** Page offsets of this instruction and the following one. */
  SELF: 8,
  NEXT: 9,
  WORDS: 10,
} as const;

/** Forms that are no instructions. Every record is paid for before it runs; these give their tick back. */
export const PSEUDO = {
  /** Nothing decoded here (any more): look the offset up again. */
  UNDECODED: 0,
  /** Go on at the offset in IMMEDIATE. */
  LINK: 1,
  /** Compute a segmented or 16-bit effective address into S.EA; the instruction follows. */
  ADDRESS: 2,
  /** A breakpoint may stand here: ask, then go on with the next record. */
  BREAKPOINT: 3,
  /** The instruction reaches into the next page: it is fetched and run by itself. */
  CROSSING: 4,
} as const;
export const FIRST_FORM = 5;

/** What a handler returns besides the next record's index. */
export const RESULT = {
  /** EIP has been set. */
  JUMP: -1,
  /** EIP has been set, and events, mode or tables may have changed. */
  EVENTS: -2,
  /** The record is undecoded. */
  UNDECODED: -3,
  /** A breakpoint matched; EIP is at the instruction. */
  BREAK: -4,
  /** The instruction crosses the page's end. */
  CROSSING: -5,
} as const;

export interface Form {
  readonly id: number;
  readonly row: Row;
  readonly instruction: Instruction;
  readonly flat: boolean;
}

const byKey = new Map<number, Form>();
/** All forms met so far, by id - FIRST_FORM. */
export const FORMS: Form[] = [];

const FLAT_ALL = MODE.FLAT_CS | MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.STACK32;
const REP = { none: 0, rep: 1, repne: 2 } as const;

function memoryOf(i: Instruction): Extract<Operand, { kind: 'mem' }> | undefined {
  return i.operands.find((o) => o.kind === 'mem');
}
/** Whether every access of the instruction is to flat 32-bit memory. */
function isFlat(i: Instruction, mode: number): boolean {
  if ((mode & FLAT_ALL) !== FLAT_ALL) return false;
  const memory = memoryOf(i);
  if (memory) return memory.address!.width === 32 && memory.seg !== FS && memory.seg !== FS + 1 && memory.seg !== 1;
  return i.row.string || i.row.addressSized ? i.address === 32 && i.seg < FS && i.seg !== 1 : true;
}

function formOf(i: Instruction, flat: boolean): Form {
  const memory = memoryOf(i) ? 1 : 0,
    // Instructions on vector registers have no operand size, and no address size without an address.
    w = i.row.state === undefined ? i.w >> 5 : 1,
    address = i.row.state === undefined || i.row.addressSized || memory === 1 ? i.address >> 5 : 1;
  const key = (((((i.row.id * 2 + w) * 2 + address) * 2 + memory) * 16 + i.cc) * 3 + REP[i.rep]) * 2 + (flat ? 1 : 0);
  let form = byKey.get(key);
  if (!form) {
    byKey.set(key, (form = { id: FIRST_FORM + FORMS.length, row: i.row, instruction: i, flat }));
    FORMS.push(form);
  }
  return form;
}

const FIXED_OPERAND = /^(?:[A-D][LHX]|e?[A-DS][XIP]|[13]|[CDEFGS]S|XMM0)$/;
const byteIndex = (n: number): number => (n < 4 ? n * 4 : (n - 4) * 4 + 1);
/** Index of a register in the view of its width. */
function registerIndex(n: number, w: Width): number {
  return w === 8 ? byteIndex(n) : w === 16 ? n * 2 : n;
}

/** Appends the record(s) of an instruction to `code` at `p`; returns the index after them. Two records at most. */
export function writeRecords(i: Instruction, mode: number, code: Int32Array, p: number): number {
  const flat = isFlat(i, mode),
    form = formOf(i, flat),
    memory = memoryOf(i),
    address = memory?.address;
  const next = i.at + i.length;
  if (address && !flat) {
    code[p] = PSEUDO.ADDRESS;
    code[p + RECORD.REGISTER_A] = address.width === 16 ? 0xffff : -1;
    writeAddress(address, code, p);
    code[p + RECORD.SELF] = i.at;
    code[p + RECORD.NEXT] = next;
    p += RECORD.WORDS;
  }
  code.fill(0, p, p + RECORD.WORDS);
  code[p] = form.id;
  if (address && flat) {
    writeAddress(address, code, p);
    if (isEscape(i.row)) code[p + RECORD.REGISTER_B] = memory.seg as number;
  } else code[p + RECORD.BASE] = memory ? (memory.seg as number) : i.seg;
  code[p + RECORD.SELF] = i.at;
  code[p + RECORD.NEXT] = next;
  let register: number = RECORD.REGISTER_A,
    immediate: number = RECORD.IMMEDIATE;
  i.operands.forEach((o, n) => {
    if (FIXED_OPERAND.test(i.row.operands[n]!)) return;
    if (o.kind === 'reg') code[p + register++] = registerIndex(o.n as number, o.w);
    else if (o.kind === 'vector') code[p + register++] = o.word as number;
    else if (o.kind === 'sreg') code[p + register++] = o.n as number;
    else if (o.kind === 'imm') {
      code[p + immediate] = o.value as number;
      immediate = RECORD.DISP;
    }
  });
  return p + RECORD.WORDS;
}
function writeAddress(a: { base: number; index: number; shift: number; disp: number }, code: Int32Array, p: number): void {
  code[p + RECORD.BASE] = a.base < 0 ? S.ZERO : a.base;
  code[p + RECORD.INDEX] = a.index < 0 ? S.ZERO : a.index;
  code[p + RECORD.SHIFT] = a.shift;
  code[p + RECORD.DISP] = a.disp;
}

const field = (n: number): string => `c[p+${n}]`;
const CODE_BASE = `r[${S.CODE_BASE}]`;
const EIP = `r[${S.EIP}]`;
const BUDGET = `r[${S.BUDGET}]`;

/** An x87 instruction: of a flat operand, too, it leaves the segment in a register. */
const isEscape = (row: Row): boolean => row.operands.includes('FOP');
const flatSegment = (row: Row): Known => (isEscape(row) ? field(RECORD.REGISTER_B) : DS);
/** The form's operands with record fields in place of what varies. */
function symbolicOperands(form: Form): Operand[] {
  let register: number = RECORD.REGISTER_A,
    immediate: number = RECORD.IMMEDIATE;
  return form.instruction.operands.map((o, n): Operand => {
    const code = form.row.operands[n] ?? 'I'; // A far pointer has one code and two operands.
    if (FIXED_OPERAND.test(code)) return o;
    if (o.kind === 'reg' || o.kind === 'sreg') return { ...o, n: field(register++) };
    if (o.kind === 'vector') return { ...o, word: field(register++) };
    if (o.kind === 'mem') return { kind: 'mem', w: o.w, seg: form.flat ? flatSegment(form.row) : field(RECORD.BASE), bytes: o.bytes };
    const text = field(immediate);
    immediate = RECORD.DISP;
    return { kind: 'imm', w: o.w, value: code.startsWith('J') ? `${CODE_BASE}+${text}|0` : text };
  });
}

const GETTER = { 8: '', 16: 'getUint16', 32: 'getInt32' } as const;
const SETTER = { 8: '', 16: 'setInt16', 32: 'setInt32' } as const;
/** Whether TLB entry `e` lets an access to `bytes` at `a` pass: usable, and not across the page's end. */
export function reaches(e: string, a: string, bytes: number): string {
  return bytes === 1 ? `(${e}&1)===0` : `((${e}|${a})&4095)<${4097 - bytes}`;
}
/** The same for an access of `w` bits. */
export function hit(e: string, a: string, w: number): string {
  return reaches(e, a, w >> 3);
}
export function loadText(e: string, a: string, w: Width): string {
  return w === 8 ? `u8[${e}^${a}]` : `dv.${GETTER[w]}(${e}^${a},true)`;
}
export function storeText(e: string, a: string, value: string, w: Width): string {
  return w === 8 ? `u8[${e}^${a}]=${value}` : `dv.${SETTER[w]}(${e}^${a},${value},true)`;
}

/** State words and memory at `e`^`a`, where all of it is known to be reachable: the copy in either direction. */
export function loadWordsText(word: Known, e: string, a: string, words: number): string {
  const texts = Array.from({ length: words }, (_, n) => `r[${wordPast(word, n)}]=dv.getInt32(${n === 0 ? 'e' : `e+${4 * n}`},true);`);
  return `e=${e}^${a};${texts.join('')}`;
}
export function storeWordsText(word: Known, e: string, a: string, words: number): string {
  const texts = Array.from({ length: words }, (_, n) => `dv.setInt32(${n === 0 ? 'e' : `e+${4 * n}`},r[${wordPast(word, n)}],true);`);
  return `e=${e}^${a};${texts.join('')}`;
}

/** Elements of a repeated string instruction up to which they are done one by one: five took 33 ns so, and 28 by a call that does all. */
const FEW = 4;
/** `into` := elements done at once by a loop of runtime/elements.ts, at most `budget`, which pays for them. */
export function elementsText(v: Value, into: string, args: readonly [string, string, string, string], budget: string): string {
  const [count, ...places] = args;
  return `${into}=${budget}>${FEW}&&${count}>>>0>${FEW}?el.${v.k}(${v.w >> 3},${count},${budget},${places.join(',')}):0;`;
}

const entry = (table: string, a: string): string => `${table}[${a}>>>12|r[${S.USER_TLB}]]`;
const registerView = (n: Known, w: Width): string => {
  const index = typeof n === 'number' ? registerIndex(n, w) : n;
  return `${w === 32 ? 'r' : w === 16 ? 'r16' : 'r8'}[${index}]`;
};

/** Where handlers keep things: registers and flags in the state block, slow paths as calls that throw. */
function handlerTarget(form: Form, jumpResult: number): Target {
  return {
    flags: { kind: `r[${S.FLAGS_KIND}]`, a: `r[${S.FLAGS_A}]`, b: `r[${S.FLAGS_B}]` },
    flagsRotate: (rotation, result) =>
      `r[${S.FLAGS_B}]=flagsRotated(${rotation},${result},r[${S.FLAGS_KIND}],r[${S.FLAGS_A}],r[${S.FLAGS_B}]);r[${S.FLAGS_A}]=0;r[${S.FLAGS_KIND}]=${FLAGS.ALL};`,
    settleFlags: () => '',
    afterFlags: '',
    gpr: registerView,
    setGpr: (n, w, value) => `${registerView(n, w)}=${value};`,
    state: (word) => `r[${word}]`,
    setState: (word, value) => `r[${word}]=${value};`,
    next: () => `${CODE_BASE}+${field(RECORD.NEXT)}|0`,
    self: () => EIP,
    offset: () =>
      form.flat ? `r[${field(RECORD.BASE)}]+(r[${field(RECORD.INDEX)}]<<${field(RECORD.SHIFT)})+${field(RECORD.DISP)}|0` : `r[${S.EA}]`,
    place: (seg, offset, w, write, held) =>
      form.flat
        ? { before: `${held}=${offset};`, linear: held }
        : { before: `${held}=${write ? 'LW' : 'LR'}(${seg},${offset},${w >> 3});`, linear: held },
    load: ({ w }, into, a) => `e=${entry('tr', a)};${into}=${hit('e', a, w)}?${loadText('e', a, w)}:R${w}(${a});`,
    modify: ({ w }, into, e, a) => `${e}=${entry('tw', a)};${into}=${hit(e, a, w)}?${loadText(e, a, w)}:M${w}(${a});`,
    store: ({ w }, a, value) => `e=${entry('tw', a)};if(${hit('e', a, w)})${storeText('e', a, value, w)};else W${w}(${a},${value});`,
    storeModified: ({ w }, e, a, value) => `if(${hit(e, a, w)})${storeText(e, a, value, w)};else W${w}(${a},${value});`,
    probe: ({ w }, a) => `e=${entry('tw', a)};if(!(${hit('e', a, w)}))M${w}(${a});`,
    loadWords: (word, a, words) =>
      `e=${entry('tr', a)};if(${hit('e', a, 32 * words)}){${loadWordsText(word, 'e', a, words)}}else RV(${word},${a},${words});`,
    storeWords: (word, a, words) =>
      `e=${entry('tw', a)};if(${hit('e', a, 32 * words)}){${storeWordsText(word, 'e', a, words)}}else WV(${word},${a},${words});`,
    elements: (v, into, ...args) => `${elementsText(v, into, args, BUDGET)}${BUDGET}=${BUDGET}-${into}|0;`,
    call: (name, args) => `sys.${name}(${args.join(',')})`,
    attempt: (opcode, offset, seg, w) =>
      `if(!x87(${opcode},${offset},${EIP},${seg})){sys.escape(${opcode},${seg},${offset},${w});${EIP}=${CODE_BASE}+${field(RECORD.NEXT)}|0;return ${RESULT.EVENTS};}`,
    raise: (vector, code) => `fault(${vector},${code});`,
    raiseIf: (c, vector, code) => `if(${c})fault(${vector},${code});`,
    jump: (to) => `${EIP}=${to};return ${jumpResult};`,
    branch: (c, to) => `if(${c}){${EIP}=${to};return ${jumpResult};}`,
  };
}

/** Number of an x87 instruction's form: of those on registers by the low bits of opcode and ModRM byte, of those with an operand by the reg field. */
export function x87Form(opcode: number): number {
  return (opcode & 0xc0) === 0xc0 ? ((opcode & 0x700) >> 2) | (opcode & 0x3f) : X87_MEMORY | ((opcode & 0x700) >> 5) | ((opcode >> 3) & 7);
}
/** The first form with an operand in memory. */
export const X87_MEMORY = 512;

/** What handlers and regions are closed over: the engine's members, by these names. */
export const ENGINE_NAMES = [
  'r',
  'r8',
  'r16',
  'u8',
  'dv',
  'tr',
  'tw',
  'trUser',
  'twUser',
  'trOpen',
  'twOpen',
  'ends',
  'R8',
  'R16',
  'R32',
  'M8',
  'M16',
  'M32',
  'W8',
  'W16',
  'W32',
  'RV',
  'WV',
  'LR',
  'LW',
  'vf',
  'vs',
  'el',
  'sys',
  'x87',
  'xf',
  'xl',
  'xm',
  'fault',
  'condition',
  'flagsOf',
  'flagsRotated',
  'mulHighU',
  'mulHighS',
  'divOverflows',
  'divQuotient',
  'divRemainder',
  'idivOverflows',
  'idivQuotient',
  'idivRemainder',
  'countTrailingZeros',
] as const;
export const ENGINE_HEADER = `const {${ENGINE_NAMES.join(',')}}=E;`;

/** JavaScript of a form's handler: a function of (code array, record index) in parentheses. */
export function handlerSource(form: Form): string {
  const b = new Builder({ flat: () => form.flat, stackMask: form.flat ? -1 : undefined });
  const { row, instruction: i } = form,
    [d, s, t] = symbolicOperands(form);
  row.meaning(b, { w: i.w, address: i.address, cc: i.cc, rep: i.rep, seg: form.flat ? DS : field(RECORD.BASE) }, d!, s!, t!);
  const { ends, transfers } = callsOf(b.ops),
    result = ends ? RESULT.EVENTS : RESULT.JUMP;
  const { ops } = sweep(b.ops, true);
  const { text, temps, ended } = printInstruction(ops, handlerTarget(form, result), undefined);
  const names = ['e=0', ...Array.from({ length: temps }, (_, n) => `t${n}=0`)].join(',');
  const finish = ended
    ? ''
    : transfers
      ? `return ${result};`
      : ends
        ? `${EIP}=${CODE_BASE}+${field(RECORD.NEXT)}|0;return ${result};`
        : `return p+${RECORD.WORDS};`;
  return `(function ${row.name.replace(/\W/g, '_')}_${form.id}(c,p){let ${names};${text}${finish}})`;
}
