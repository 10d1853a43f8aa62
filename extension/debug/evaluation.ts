// Expressions that the user types: watches, hovers, the debug console's assignments, completions.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { REGISTERS } from '../../src/translator/state.ts';
import { parseExpression } from '../../src/vmm/expression.ts';
import type { Fields } from './fields.ts';
import { hex32, hexDigits, toLittleEndian } from './memory.ts';
import { REGISTER_PARTS, type Target } from './target.ts';
import { formatRegister, memoryOf, storeRegister } from './variables.ts';

export type Evaluation = DebugProtocol.EvaluateResponse['body'];
const ASSIGNMENT = /^([^=!<>]+)=(?!=)([\s\S]+)$/;
const ROWS = new Map(REGISTERS.map((row) => [row.name, row]));
const COMPLETIONS = 200;

/** Value of an expression, or of an assignment where those are allowed. */
export async function evaluateText(target: Target, text: string, assignments: boolean): Promise<Evaluation> {
  const assignment = assignments ? ASSIGNMENT.exec(text) : null;
  if (assignment) return assign(target, assignment[1] ?? '', assignment[2] ?? '');
  const name = text.trim().toLowerCase();
  const row = ROWS.get(name);
  const registers = await target.registers();
  if (row)
    return {
      result: formatRegister(row, registers.values[row.name]),
      type: `${row.width} bits`,
      variablesReference: 0,
      memoryReference: memoryOf(row, registers),
    };
  const part = REGISTER_PARTS.get(name);
  if (part)
    return {
      result: formatNumber(Math.floor(registers.number(part.register) / 2 ** part.bit) % 2 ** part.width, part.width),
      type: `${part.width} bits of ${part.register}`,
      variablesReference: 0,
    };
  const { value, address, size } = await target.evaluate(text);
  const width = size !== undefined ? 8 * size : 32;
  const symbol = size === undefined && width === 32 ? target.symbols.describe(value) : undefined;
  return {
    result: formatNumber(value, width) + (symbol && symbol !== text.trim() ? ` ${symbol}` : ''),
    type: size === undefined ? undefined : `${8 * size} bits at ${hex32(address ?? 0)}`,
    variablesReference: 0,
    memoryReference: hex32(address ?? value),
  };
}

/** Stores an expression's value to a register, a part of one, a flag, or a memory operand. */
export async function assign(target: Target, place: string, text: string): Promise<Evaluation> {
  const name = place.trim().toLowerCase();
  const row = ROWS.get(name);
  const part = REGISTER_PARTS.get(name);
  const whole = part && ROWS.get(part.register);
  if (row || (part && whole)) {
    if (row) await storeRegister(target, row, undefined, text);
    else if (part && whole) await storeRegister(target, whole, part, text);
    return evaluateText(target, name, false);
  }
  const parsed = parseExpression(place);
  if (parsed.kind !== 'memory') throw new Error(`${place.trim()} is no register and no memory operand such as byte [0x7c00]`);
  const { address, size } = await target.evaluate(place);
  if (address === undefined || size === undefined) throw new Error(`${place.trim()} has no address`);
  const { value } = await target.evaluate(text);
  if (value >= 2 ** (8 * size) && value < 2 ** 32 - 2 ** (8 * size - 1))
    throw new Error(`${text.trim()} does not fit in ${size} byte${size === 1 ? '' : 's'}`);
  const physical = parsed.address.kind === 'physical';
  const { written } = await target.client.request('writeMemory', { id: target.id, address, bytes: toLittleEndian(value, size), physical });
  if (written < size) throw new Error(`memory at ${hex32(address)} cannot be written`);
  return evaluateText(target, place, false);
}

/** '0x0041 (65, 'A')' */
export function formatNumber(value: number, width: number): string {
  const notes = [String(value)];
  const top = 2 ** (width - 1);
  if (width > 2 && value >= top && width >= 8) notes.push(String(value - 2 * top));
  if (value >= 0x20 && value < 0x7f) notes.push(`'${String.fromCharCode(value)}'`);
  return `0x${hexDigits(value, Math.ceil(width / 4))} (${notes.join(', ')})`;
}

/** Registers, symbols and commands that begin with the word at the cursor. */
export function completions(target: Target, fields: Fields, commands: readonly string[]): DebugProtocol.CompletionItem[] {
  const column = fields.integer('column', 0, 1 << 20);
  const text = fields.text('text').slice(0, Math.max(0, column - 1));
  const word = /[\w.?@$]*$/.exec(text)?.[0] ?? '';
  const start = text.length - word.length;
  const lower = word.toLowerCase();
  const item = (label: string, type: DebugProtocol.CompletionItemType): DebugProtocol.CompletionItem => ({
    label,
    type,
    start,
    length: word.length,
  });
  return [
    ...(start === 0 ? commands.filter((name) => name.startsWith(lower)).map((name) => item(name, 'keyword')) : []),
    ...[...ROWS.keys(), ...REGISTER_PARTS.keys()]
      .filter((name) => word !== '' && name.startsWith(lower))
      .map((name) => item(name, 'variable')),
    ...(word === '' ? [] : target.symbols.startingWith(word, COMPLETIONS).map((symbol) => item(symbol.name, 'function'))),
  ];
}
