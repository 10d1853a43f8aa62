// The pieces of code that TOUR.md shows, made from the program itself: table rows are cut from the sources, the rest is what
// decoder, builder, printer and a running guest give for the bytes of the examples.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/root.ts';
import { decode, type Instruction } from '../../src/translator/decode.ts';
import { format } from '../../src/translator/format.ts';
import { ENGINE_HEADER, FIRST_FORM, FORMS, handlerSource, RECORD, writeRecords } from '../../src/translator/forms.ts';
import { sweep } from '../../src/translator/ir/print.ts';
import type { MemoryModel, Value } from '../../src/translator/ir/value.ts';
import { meaningOps } from '../../src/translator/meaning.ts';
import { MODE } from '../../src/translator/mode.ts';
import { translateRegion } from '../../src/translator/region.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { floppyConfig, startRun } from '../vmm/lockstep.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const image = (name: string): Uint8Array => new Uint8Array(readFileSync(join(root, 'examples', name)));

/** Where a boot sector is, and its page. */
const LOADED = 0x7c00,
  PAGE = 0x7000;
/** Flat 32-bit protected mode in ring 0: what count.asm sets up. */
const MODE32 = MODE.CODE32 | MODE.STACK32 | MODE.FLAT_CS | MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.PROTECTED;
const FLAT: MemoryModel = { flat: () => true, stackMask: -1 };
/** `add dl, '0'` and the loop around it in count.asm, `out dx, al` in hello.asm: found by their bytes. */
const ADD = [0x80, 0xc2, 0x30],
  LOOP = [0x31, 0xd2, 0xf7, 0xf3],
  OUT = [0xee, 0x5a, 0x5b];

function find(bytes: Uint8Array, wanted: readonly number[]): number {
  const at = bytes.findIndex((_, n) => wanted.every((byte, k) => bytes[n + k] === byte));
  return at < 0 ? assert.fail('the example has changed: its bytes are not those that the tour follows') : at;
}
/** The instruction at a place of a boot sector, counted from the start of its page. */
function instruction(bytes: Uint8Array, at: number, code32: boolean): Instruction {
  return decode((n) => bytes[n - (LOADED - PAGE)] ?? 0, LOADED - PAGE + at, code32);
}

function cut(file: string, pattern: RegExp): string {
  return pattern.exec(read(file))?.[0] ?? assert.fail(`${file} has no ${pattern.source}`);
}
const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Runs an example until `done` says so, `step` ticks at a time. */
export function run(
  name: string,
  step: number,
  done: (guest: Guest) => boolean,
  prepare: (guest: Guest) => void = () => {},
  tier: GuestConfig['tier'] = 'mixed',
): Guest {
  const floppy = floppyConfig(image(name), 2 << 20);
  const source: Partial<GuestConfig> = name.endsWith('.elf')
    ? { boot: { kind: 'kernel', image: image(name), commandLine: '' }, drives: [] }
    : {};
  const { guest, to } = startRun(createMachineBuilder({ arenaBytes: 4 << 20 }), { ...floppy, ...source, tier });
  prepare(guest);
  while (!done(guest)) assert.equal(to(guest.cpu.ticks + step), 'tick', `${name} ended before it did what the tour says`);
  return guest;
}

/** Statements in lines of at most 110 columns; comments stand alone. */
export function lines(source: string): string {
  const out: string[] = [];
  for (const line of source.split('\n').filter((text) => text.trim() !== '')) {
    let current = '';
    for (const part of line.startsWith('//') ? [line] : line.split(/(?<=[;{}])|(?<=,)(?=\w+=)/)) {
      if (current !== '' && current.length + part.length > 110) {
        out.push(current);
        current = '  ';
      }
      current += part;
    }
    out.push(current);
  }
  return out.join('\n');
}

/** Micro-ops as a list: values are numbered in the order in which they are recorded. */
function microOps(ops: readonly Value[]): string {
  const names = new Map(ops.filter((v) => v.uses > 0).map((v, n) => [v, `v${n}`]));
  return ops
    .map((v) => {
      const parts = [v.op === 'const' || v.op === 'gpr' || v.op === 'setGpr' || v.op === 'flags' ? `${v.op} ${v.k}` : v.op];
      if (v.op === 'gpr' || v.op === 'setGpr') parts.push(`${v.w} bits`);
      parts.push(...[v.a, v.b, v.c, v.d].filter((x) => x !== undefined).map((x) => names.get(x)!));
      return `${(names.get(v) ?? '').padEnd(3)} ${names.has(v) ? '=' : ' '} ${parts.join(', ')}`.trimEnd();
    })
    .join('\n');
}

function handler(i: Instruction, mode: number): { record: string; source: string } {
  const code = new Int32Array(3 * RECORD.WORDS),
    end = writeRecords(i, mode, code, 0),
    at = end - RECORD.WORDS,
    form = FORMS[code[at]! - FIRST_FORM]!;
  const record = Object.entries(RECORD)
    .filter(([name]) => name !== 'WORDS')
    .map(
      ([name, n]) => `${name} ${name === 'FORM' ? '(the form)' : name === 'SELF' || name === 'NEXT' ? hex(code[at + n]!) : code[at + n]}`,
    );
  // A form's number says in which order forms were met: the tour leaves it out.
  return {
    record: record.join(', ').replace(/(.{40,90}?,) /g, '$1\n'),
    source: lines(handlerSource(form).replace(/_\d+\(c,p\)/, '(c,p)')),
  };
}

/** The region of count.asm's inner loop with its comments; the guest that runs the example must have made the same. */
function region(): string {
  const bytes = image('count.img'),
    entry = LOADED - PAGE + find(bytes, LOOP);
  const made = translateRegion({
    byte: (n) => bytes[n - (LOADED - PAGE)] ?? 0,
    mode: MODE32,
    entry,
    executed: () => true,
    arrivals: () => [],
    taken: () => false,
    breakpoints: new Set(),
    separate: false,
    comment: (i) => `${(PAGE + i.at).toString(16).padStart(8, '0')}  ${format(i, { base: PAGE })}`,
  })!;
  const guest = run('count.img', 500, ({ cpu }) => cpu.translation(PAGE + entry) !== null);
  const bare = (source: string): string => source.replace(/^\/\/.*$/gm, '').replace(/\s+/g, '');
  assert.equal(bare(guest.cpu.translation(PAGE + entry)!), bare(made.source), 'the guest that runs count.img made another region');
  guest.dispose();
  assert.ok(made.source.startsWith(ENGINE_HEADER));
  return lines(made.source.slice(ENGINE_HEADER.length));
}

/** The first exit at COM1 of hello.asm as the exits panel gets it. */
function exitRecord(): string {
  const guest = run(
    'hello.img',
    1000,
    ({ exits }) => (exits.counts(0).counts.hlt ?? 0) > 0,
    ({ exits }) => exits.watch({ reasons: ['ioInstruction'], ports: [{ first: 0x3f8, last: 0x3f8 }] }),
  );
  const place = LOADED + find(image('hello.img'), OUT);
  const [record] = guest.exits.take(4096).filter(({ linear }) => linear === place);
  guest.dispose();
  const { reason, cs, eip, qualification, detail, text } = record ?? assert.fail('hello.img printed nothing');
  return `reason         ${reason}\ncs:eip         ${hex(cs)}:${hex(eip)}\nqualification  ${hex(qualification)}\ndetail         ${hex(detail)}\ntext           ${text}`;
}

/** Name in TOUR.md -> the text between its fences. */
export function tourSnippets(): ReadonlyMap<string, string> {
  const count = image('count.img'),
    hello = image('hello.img'),
    add = instruction(count, find(count, ADD), true),
    out = instruction(hello, find(hello, OUT), false);
  const { row, operands, ...rest } = add;
  const addHandler = handler(add, MODE32),
    outHandler = handler(out, 0);
  return new Map([
    ['bytes', cut('examples/count.lst', /^.*add dl, '0'.*$/m).trim()],
    ['row', cut('src/translator/instructions/arithmetic.ts', /^insn\(\n {2}'ADD',[\s\S]*?^\);/m)],
    [
      'instruction',
      [
        `row       ${row.name} '${row.code} ${row.operands.join(',')}'`,
        `at        ${hex(rest.at)}, ${rest.length} bytes`,
        `sizes     operand ${rest.w}, address ${rest.address}`,
        `operands  ${operands.map((o) => JSON.stringify(o)).join('  ')}`,
        `text      ${format(add, { base: PAGE })}`,
      ].join('\n'),
    ],
    ['micro-ops', microOps(sweep(meaningOps(add, FLAT), true).ops)],
    ['record', addHandler.record],
    ['handler', addHandler.source],
    ['region', region()],
    ['out handler', outHandler.source],
    ['exit row', cut('src/runtime/exits.ts', /^ {2}ioInstruction: exit\([\s\S]*?\),$/m).replace(/^ {2}/gm, '')],
    ['exit record', exitRecord()],
  ]);
}
