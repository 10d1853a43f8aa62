// The Variables view: registers by group as DAP scopes and variables, all from the table in translator/state.ts. References
// are the same at every stop, so that an opened tree stays open.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { REGISTERS, type RegisterRow } from '../../src/translator/state.ts';
import { describeAccess, describeSelector } from './descriptors.ts';
import { describeExtended, toExtended } from './extended.ts';
import { parseNumber } from './fields.ts';
import { hex32, hexDigits } from './memory.ts';
import { type Registers, type Target, withPart } from './target.ts';

interface Item {
  readonly name: string;
  readonly value: string;
  readonly about: string;
  /** Register set by editing this item. */
  readonly register?: RegisterRow;
  /** Part of it, when the item is a bit field. */
  readonly field?: { readonly bit: number; readonly width: number };
  readonly children?: number;
  readonly memory?: string;
  readonly evaluateName?: string;
}
type Build = (registers: Registers) => Item[];

const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const TABLES = ['gdtr', 'idtr', 'ldtr', 'tr'];
const SYSENTER = ['sysenter_cs', 'sysenter_esp', 'sysenter_eip'];
const BY_NAME = new Map(REGISTERS.map((row) => [row.name, row]));
/** First reference of bit fields (by row of REGISTERS), of segments and of system tables. */
const FIELDS_REFERENCE = 100,
  SEGMENT_REFERENCE = 300,
  TABLE_REFERENCE = 320;
/** Segment that a general register's value is usually an offset into, for its memory button. */
const USUAL_SEGMENT: { readonly [name: string]: string } = { esp: 'ss', ebp: 'ss', eip: 'cs' };

const SCOPES: readonly { readonly name: string; readonly reference: number; readonly build: Build; readonly expensive: boolean }[] = [
  {
    name: 'General',
    reference: 1,
    expensive: false,
    build: (registers) => REGISTERS.filter((row) => row.group === 'general' || row.group === 'flags').map((row) => item(row, registers)),
  },
  { name: 'Segments', reference: 2, expensive: false, build: (registers) => SEGMENTS.map((name, n) => segment(name, n, registers)) },
  {
    name: 'Control',
    reference: 3,
    expensive: false,
    build: (registers) => REGISTERS.filter((row) => /^cr\d$/.test(row.name)).map((row) => item(row, registers)),
  },
  {
    name: 'System tables',
    reference: 4,
    expensive: true,
    build: (registers) => [...TABLES.map((name, n) => table(name, n, registers)), ...named(SYSENTER, registers)],
  },
  {
    name: 'Debug',
    reference: 5,
    expensive: true,
    build: (registers) => REGISTERS.filter((row) => row.group === 'debug').map((row) => item(row, registers)),
  },
  {
    name: 'FPU',
    reference: 6,
    expensive: true,
    build: (registers) => REGISTERS.filter((row) => row.group === 'fpu').map((row) => item(row, registers)),
  },
  {
    name: 'SIMD',
    reference: 7,
    expensive: true,
    build: (registers) => REGISTERS.filter((row) => row.group === 'simd').map((row) => item(row, registers)),
  },
];

export function scopes(): DebugProtocol.Scope[] {
  return SCOPES.map(({ name, reference, expensive }) => ({
    name,
    variablesReference: reference,
    expensive,
    presentationHint: 'registers',
  }));
}

/** Children of a reference; throws for an unknown one. */
export async function variables(target: Target, reference: number): Promise<DebugProtocol.Variable[]> {
  const registers = await target.registers();
  const before = target.previous && new Map(items(reference, target.previous).map((old) => [old.name, old.value]));
  return items(reference, registers).map((one) => {
    const old = before?.get(one.name);
    return {
      name: one.name,
      value: one.value,
      variablesReference: one.children ?? 0,
      evaluateName: one.evaluateName,
      memoryReference: one.memory,
      type: old === undefined || old === one.value ? one.about : `${one.about}; was ${old}`,
      presentationHint: { kind: 'data', attributes: one.register ? [] : ['readOnly'] },
    };
  });
}

/** Sets a child of a reference from an expression; answers its new text. */
export async function setVariable(target: Target, reference: number, name: string, text: string): Promise<string> {
  const one = items(reference, await target.registers()).find((candidate) => candidate.name === name);
  if (!one) throw new Error(`there is no ${name} here`);
  if (!one.register) throw new Error(`${name} cannot be changed by itself`);
  await storeRegister(target, one.register, one.field, text);
  return items(reference, await target.registers()).find((candidate) => candidate.name === name)?.value ?? '';
}

/** Stores an expression's value to a register or a part of one. */
export async function storeRegister(
  target: Target,
  row: RegisterRow,
  part: { readonly bit: number; readonly width: number } | undefined,
  text: string,
): Promise<void> {
  if (row.width === 80) {
    await target.setRegister(row.name, extendedOf(text));
    return;
  }
  if (row.width > 32) {
    await target.setRegister(row.name, digitsOf(text, row.width / 4));
    return;
  }
  const { value } = await target.evaluate(text);
  const width = part?.width ?? row.width;
  if (width < 32 && value >= 2 ** width && value < 2 ** 32 - 2 ** (width - 1)) throw new Error(`${text} does not fit in ${width} bits`);
  const fitting = width < 32 ? value % 2 ** width : value;
  await target.setRegister(row.name, part ? withPart((await target.registers()).number(row.name), part, fitting) : fitting);
}

/** A register's value as shown everywhere. */
export function formatRegister(row: RegisterRow, value: number | string | undefined): string {
  if (row.width === 80) {
    const digits = String(value ?? '');
    const decimal = describeExtended(digits);
    return decimal === undefined ? digits : `${decimal} (0x${digits.replace(/^0x/, '')})`;
  }
  if (row.width > 32) return `0x${value ?? ''}`;
  const number = typeof value === 'number' ? value >>> 0 : 0;
  const text = `0x${hexDigits(number, row.width / 4)}`;
  if (!row.bits) return text;
  const set = row.bits
    .filter((field) => (number >>> field.bit) & ((1 << field.width) - 1))
    .map((field) => (field.width > 1 ? `${field.name}=${(number >>> field.bit) & ((1 << field.width) - 1)}` : field.name));
  return `${text} [${set.join(' ')}]`;
}

function items(reference: number, registers: Registers): Item[] {
  const scope = SCOPES.find((one) => one.reference === reference);
  if (scope) return scope.build(registers);
  const row = REGISTERS[reference - FIELDS_REFERENCE];
  if (row?.bits) return bitFields(row, registers);
  const name = SEGMENTS[reference - SEGMENT_REFERENCE];
  if (name)
    return parts(
      [
        [name, 'selector'],
        [`${name}_base`, 'base'],
        [`${name}_limit`, 'limit'],
        [`${name}_access`, 'access'],
      ],
      registers,
    );
  const of = TABLES[reference - TABLE_REFERENCE];
  if (of)
    return parts(
      [
        [of, 'selector'],
        [`${of}_base`, 'base'],
        [`${of}_limit`, 'limit'],
      ],
      registers,
    );
  throw new Error(`variablesReference: ${reference} is unknown`);
}

function item(row: RegisterRow, registers: Registers, name = row.name): Item {
  const value = registers.values[row.name];
  return {
    name,
    value: formatRegister(row, value),
    about: `${row.width} bits`,
    register: row.editable ? row : undefined,
    children: row.bits ? FIELDS_REFERENCE + REGISTERS.indexOf(row) : undefined,
    memory: memoryOf(row, registers),
    evaluateName: row.width > 32 ? undefined : row.name,
  };
}

/** The memory that a register's value stands for, for the memory button. */
export function memoryOf(row: RegisterRow, registers: Registers): string | undefined {
  const value = registers.number(row.name);
  if (row.name === 'cr3') return `phys:${hex32((value & ~0xfff) >>> 0)}`;
  if (row.name === 'cr2' || row.name.endsWith('_base')) return hex32(value);
  if (row.group !== 'general') return undefined;
  const name = USUAL_SEGMENT[row.name] ?? 'ds';
  const bits = name === 'ss' ? registers.stackBits : registers.codeBits;
  return hex32(registers.linear(name, bits === 16 ? value & 0xffff : value));
}

function named(names: readonly string[], registers: Registers): Item[] {
  return names.flatMap((name) => BY_NAME.get(name) ?? []).map((row) => item(row, registers));
}

function parts(list: readonly (readonly [string, string])[], registers: Registers): Item[] {
  return list.flatMap(([register, label]) => {
    const row = BY_NAME.get(register);
    if (!row) return [];
    const one = item(row, registers, label);
    if (label === 'access') return [{ ...one, value: `${one.value} (${describeAccess(registers.number(register))})` }];
    if (label === 'selector') return [{ ...one, value: selectorText(register, registers) }];
    return [one];
  });
}

function bitFields(row: RegisterRow, registers: Registers): Item[] {
  const value = registers.number(row.name);
  return (row.bits ?? []).map((field) => ({
    name: field.name,
    value: String((value >>> field.bit) & ((1 << field.width) - 1)),
    about: field.about,
    register: row,
    field,
    evaluateName: row.group === 'flags' ? field.name.toLowerCase() : undefined,
  }));
}

function selectorText(name: string, registers: Registers): string {
  const selector = registers.number(name);
  return registers.real ? `0x${hexDigits(selector, 4)}` : describeSelector(selector);
}

function segment(name: string, n: number, registers: Registers): Item {
  const rights = registers.real ? '' : `, ${describeAccess(registers.number(`${name}_access`))}`;
  return {
    name,
    value: `0x${hexDigits(registers.number(name), 4)} (base ${hex32(registers.number(`${name}_base`))}, limit ${hex32(registers.number(`${name}_limit`))}${rights})`,
    about: 'segment',
    register: BY_NAME.get(name),
    children: SEGMENT_REFERENCE + n,
    memory: hex32(registers.number(`${name}_base`)),
    evaluateName: name,
  };
}

function table(name: string, n: number, registers: Registers): Item {
  const row = BY_NAME.get(name);
  const place = `base ${hex32(registers.number(`${name}_base`))}, limit 0x${hexDigits(registers.number(`${name}_limit`), 4)}`;
  return {
    name,
    value: row ? `0x${hexDigits(registers.number(name), 4)} (${place})` : place,
    about: 'system table',
    register: row,
    children: TABLE_REFERENCE + n,
    memory: hex32(registers.number(`${name}_base`)),
    evaluateName: row ? name : undefined,
  };
}

/** Hexadecimal digits as a register takes them, zeros put in front. */
function digitsOf(text: string, count: number): string {
  const digits = /^(?:0x)?([0-9a-f_]+)$/i.exec(text.trim())?.[1]?.replaceAll('_', '');
  if (!digits || digits.length > count) throw new Error(`up to ${count} hexadecimal digits are expected`);
  return digits.toLowerCase().padStart(count, '0');
}

function extendedOf(text: string): string {
  const digits = /^(?:0x)?([0-9a-f]{20})$/i.exec(text.trim())?.[1];
  if (digits) return digits.toLowerCase();
  const value = Number.isNaN(parseNumber(text)) ? Number(text.trim() === '' ? Number.NaN : text) : parseNumber(text);
  if (Number.isNaN(value)) throw new Error('a decimal number or 20 hexadecimal digits are expected');
  return toExtended(value);
}
