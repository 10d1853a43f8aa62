// Commands of the debug console, beside expressions: what a monitor of a machine offers. One table, printed by `help`.

import { EXITS, type ExitName } from '../../src/runtime/exits.ts';
import { REGISTERS } from '../../src/translator/state.ts';
import type { ExitCounts, ExitRecord } from '../../src/vmm/protocol.ts';
import { describeDescriptor } from './descriptors.ts';
import { hex32, hexDigits, littleEndian, readMemory } from './memory.ts';
import type { Target } from './target.ts';
import { formatRegister } from './variables.ts';

/** What the console knows besides the guest. */
export interface ConsoleContext {
  readonly target: Target;
  readonly exits: { counts: ExitCounts | undefined; records: readonly ExitRecord[] };
}
interface Command {
  readonly usage: string;
  readonly about: string;
  readonly pattern: RegExp;
  run(context: ConsoleContext, match: RegExpExecArray): Promise<string>;
}

const MAX_ROWS = 4096;
const SIZES: { readonly [letter: string]: number } = { b: 1, h: 2, w: 4 };

const COMMANDS: readonly Command[] = [
  { usage: 'help', about: 'this list', pattern: /^(?:help|\?)$/i, run: async () => help() },
  { usage: 'info registers', about: 'all registers', pattern: /^(?:info\s+r(?:egisters)?|r)$/i, run: ({ target }) => registers(target) },
  {
    usage: 'info gdt | idt | ldt',
    about: 'descriptor tables, decoded',
    pattern: /^info\s+(gdt|idt|ldt)$/i,
    run: ({ target }, match) => table(target, (match[1] ?? '').toLowerCase()),
  },
  {
    usage: 'info page ADDRESS',
    about: 'how a linear address is translated',
    pattern: /^info\s+page\s+(.+)$/i,
    run: ({ target }, match) => page(target, match[1] ?? ''),
  },
  { usage: 'info guest', about: 'state, mode, ticks', pattern: /^info\s+guest$/i, run: ({ target }) => guest(target) },
  {
    usage: 'exits',
    about: 'VM exits so far by reason, and the last ones recorded',
    pattern: /^exits$/i,
    run: async ({ exits }) => listExits(exits),
  },
  {
    usage: 'x/NFS ADDRESS',
    about: 'N units of memory: format x d u c s i (instructions), size b h w; xp for physical addresses',
    pattern: /^(xp?)(?:\/(\d{0,5})([xducsi]?)([bhw]?)([xducsi]?))?\s+(.+)$/i,
    run: ({ target }, match) => examine(target, match),
  },
];

/** First words of the commands, for completion. */
export const COMMAND_WORDS = [
  'help',
  'info registers',
  'info gdt',
  'info idt',
  'info ldt',
  'info page ',
  'info guest',
  'exits',
  'x/',
  'xp/',
];

/** Output of a command; undefined when the text is none and so an expression. */
export async function runCommand(context: ConsoleContext, text: string): Promise<string | undefined> {
  for (const command of COMMANDS) {
    const match = command.pattern.exec(text.trim());
    if (match) return command.run(context, match);
  }
  return undefined;
}

function help(): string {
  const width = Math.max(...COMMANDS.map((command) => command.usage.length));
  return [
    ...COMMANDS.map((command) => `${command.usage.padEnd(width)}  ${command.about}`),
    'Anything else is an expression: eax + 4, word [bp-2], es:di, symbol; or an assignment: eax = 5, zf = 1, byte [0x7c00] = 0x90.',
  ].join('\n');
}

async function registers(target: Target): Promise<string> {
  const { values } = await target.registers();
  return REGISTERS.map((row) => `${row.name.padEnd(12)} ${formatRegister(row, values[row.name])}`).join('\n');
}

async function table(target: Target, name: string): Promise<string> {
  const all = await target.registers();
  const base = all.number(`${name}r_base`);
  const limit = all.number(`${name}r_limit`);
  const real = name === 'idt' && all.real && !(all.number('cr0') & 1);
  const size = real ? 4 : 8;
  const bytes = await target.read(base, Math.min(limit + 1, 65536));
  const rows: string[] = [`${name.toUpperCase()} at ${hex32(base)}, limit 0x${hexDigits(limit, 4)}`];
  for (let at = 0; at + size <= bytes.length && rows.length < MAX_ROWS; at += size) {
    const entry = bytes.subarray(at, at + size);
    const index = hexDigits(name === 'idt' ? at / size : at, name === 'idt' ? 2 : 4);
    if (real) {
      const offset = littleEndian(entry, 0, 2);
      const segment = littleEndian(entry, 2, 2);
      if (offset || segment)
        rows.push(
          `${index}  ${hexDigits(segment, 4)}:${hexDigits(offset, 4)} ${target.symbols.describe(segment * 16 + offset) ?? ''}`.trimEnd(),
        );
    } else if (entry.some((byte) => byte !== 0)) rows.push(`${index}  ${describeDescriptor(entry)}`);
  }
  if (bytes.length < Math.min(limit + 1, 65536)) rows.push(`memory from ${hex32(base + bytes.length)} on cannot be read`);
  return rows.join('\n');
}

async function page(target: Target, expression: string): Promise<string> {
  const { value } = await target.evaluate(expression);
  const { physical, walk } = await target.client.request('translate', { id: target.id, address: value });
  return [`linear ${hex32(value)} is ${physical === null ? 'not mapped' : `physical ${hex32(physical)}`}`, ...walk].join('\n');
}

async function guest(target: Target): Promise<string> {
  const { guests } = await target.client.request('list', {});
  const info = guests.find((one) => one.id === target.id);
  if (!info) return 'the guest is gone';
  return `${info.name}: ${info.status}${info.reason ? ` (${info.reason})` : ''}, ${info.mode} mode, paging ${info.paging ? 'on' : 'off'}, ${info.memory >>> 20} MiB, ${info.ticks} ticks, ${info.exits} exits`;
}

function listExits({ counts, records }: ConsoleContext['exits']): string {
  if (!counts) return 'no VM exits have been reported yet';
  const rows = (Object.entries(counts.counts) as [ExitName, number][]).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  return (
    [
      ...rows.map(([name, count]) => `${String(count).padStart(12)}  ${EXITS[name].title}`),
      ...records.map((record) => `tick ${record.tick}  ${hex32(record.linear)}  ${EXITS[record.reason].title}: ${record.text}`),
    ].join('\n') || 'no VM exits'
  );
}

async function examine(target: Target, match: RegExpExecArray): Promise<string> {
  const [, command = 'x', count = '', formatBefore = '', size = '', formatAfter = '', expression = ''] = match;
  const physical = command.toLowerCase() === 'xp';
  const format = (formatBefore || formatAfter || 'x').toLowerCase();
  const units = Math.min(Number(count || 1), MAX_ROWS);
  const { value: address } = await target.evaluate(expression);
  if (format === 'i') return instructions(target, address, units);
  const unit = format === 'c' || format === 's' ? 1 : (SIZES[size.toLowerCase()] ?? 4);
  const wanted = format === 's' ? 4096 : units * unit;
  const bytes = await readMemory(target.client, target.id, { address, physical }, wanted);
  if (bytes.length === 0) throw new Error(`memory at ${hex32(address)} cannot be read`);
  if (format === 's') {
    const end = bytes.indexOf(0);
    return `${hex32(address)}: ${JSON.stringify(String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end)))}`;
  }
  const perRow = 16 / unit;
  const rows: string[] = [];
  for (let at = 0; at + unit <= bytes.length; at += perRow * unit) {
    const cells: string[] = [];
    for (let n = 0; n < perRow && at + (n + 1) * unit <= bytes.length; n++)
      cells.push(cell(littleEndian(bytes, at + n * unit, unit), format, unit));
    rows.push(`${hex32(address + at)}: ${cells.join(' ')}`);
  }
  if (bytes.length < wanted) rows.push(`${hex32(address + bytes.length)}: cannot be read`);
  return rows.join('\n');
}

function cell(value: number, format: string, unit: number): string {
  if (format === 'c') return value >= 0x20 && value < 0x7f ? `'${String.fromCharCode(value)}'` : `\\x${hexDigits(value, 2)}`;
  if (format === 'd') return String(value >= 2 ** (8 * unit - 1) ? value - 2 ** (8 * unit) : value);
  return format === 'u' ? String(value) : `0x${hexDigits(value, 2 * unit)}`;
}

async function instructions(target: Target, address: number, count: number): Promise<string> {
  const { instructions: list } = await target.client.request('disassemble', { id: target.id, address, before: 0, count, bits: 0 });
  return list
    .map(
      (one) =>
        `${hex32(one.address)}: ${[...one.bytes]
          .map((byte) => hexDigits(byte, 2))
          .join('')
          .padEnd(16)} ${one.valid ? one.text : '(not readable)'}`,
    )
    .join('\n');
}
