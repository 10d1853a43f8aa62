// The `disassemble` request: exactly as many instructions as asked for, whatever is in memory, with symbols and source lines.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { InstructionInfo } from '../../src/vmm/protocol.ts';
import type { Fields } from './fields.ts';
import { hex32, parsePlace, wrap } from './memory.ts';
import { sourceOf } from './sourceMap.ts';
import type { Target } from './target.ts';

const MAX_INSTRUCTIONS = 100_000;
/** Instructions asked of the worker at once. */
const CHUNK = 4096;
/** Bytes of the longest instruction (SDM volume 2, "Instruction Format"). */
const LONGEST = 15;
/** Known beginnings tried at each end of the range. */
const ANCHORS = 8;

export async function disassemble(target: Target, fields: Fields): Promise<{ instructions: DebugProtocol.DisassembledInstruction[] }> {
  const place = parsePlace(fields.text('memoryReference'), fields.integer('offset', -0xffffffff, 0xffffffff, 0));
  const skip = fields.integer('instructionOffset', -MAX_INSTRUCTIONS, MAX_INSTRUCTIONS, 0);
  const count = fields.integer('instructionCount', 0, MAX_INSTRUCTIONS);
  const symbols = fields.flag('resolveSymbols', true);
  if (place.physical) throw new Error('memoryReference: instructions are at linear addresses');
  const bits = target.sources.at(place.address)[0]?.piece.bits ?? 0;
  // The instructions `skip` to `skip + count`, counted from the address.
  const before = Math.max(0, -skip);
  const after = Math.max(0, skip + count);
  const listed = await decode(target, place.address, before, after, bits);
  const wanted = listed.slice(before + skip, before + skip + count);
  const instructions = await Promise.all(wanted.map((one) => present(target, one, symbols)));
  // A location is needed only where the file changes.
  let path = '';
  for (const one of instructions) {
    if (one.location?.path === path) delete one.location;
    else path = one.location?.path ?? path;
  }
  return { instructions };
}

/** Exactly before + after instructions; what cannot be decoded is invalid. */
async function decode(target: Target, address: number, before: number, after: number, bits: 0 | 16 | 32): Promise<InstructionInfo[]> {
  const head = before > 0 ? await backwards(target, address, before, bits) : [];
  for (let first = wrap((head[0]?.address ?? address) - 1); head.length < before; first = wrap(first - 1)) head.unshift(invalid(first));
  const tail = await forwards(target, address, after, bits);
  for (let next = following(tail.at(-1), address); tail.length < after; next = wrap(next + 1)) tail.push(invalid(next));
  return [...head, ...tail];
}

/** Address behind an instruction, or `otherwise` without one. */
function following(last: InstructionInfo | undefined, otherwise: number): number {
  return last ? wrap(last.address + Math.max(1, last.bytes.length)) : otherwise;
}

/** At most `count` instructions from an address on. */
async function forwards(target: Target, address: number, count: number, bits: 0 | 16 | 32): Promise<InstructionInfo[]> {
  const found: InstructionInfo[] = [];
  while (found.length < count) {
    const { instructions } = await target.client.request('disassemble', {
      id: target.id,
      address: following(found.at(-1), address),
      before: 0,
      count: Math.min(CHUNK, count - found.length),
      bits,
    });
    if (instructions.length === 0) break;
    found.push(...instructions.slice(0, count - found.length));
  }
  return found;
}

/**
 * At most `count` instructions that end at an address. Machine code cannot be read backwards with certainty, but where a
 * source line or symbol says that an instruction begins, it is read forwards from there; only what is before that is guessed.
 */
async function backwards(target: Target, address: number, count: number, bits: 0 | 16 | 32): Promise<InstructionInfo[]> {
  const first = Math.max(0, address - count * LONGEST);
  const known = [...new Set([...target.sources.between(first, address), ...target.symbols.between(first, address)])].sort((a, b) => a - b);
  const anchors = known.length > 2 * ANCHORS ? [...known.slice(0, ANCHORS), ...known.slice(-ANCHORS)] : known;
  for (const anchor of anchors) {
    const read = await forwards(target, anchor, Math.min(address - anchor, MAX_INSTRUCTIONS), bits);
    const end = read.findIndex((one) => one.address >= address);
    const body = end < 0 ? read : read.slice(0, end);
    if (following(body.at(-1), anchor) !== address || body.some((one) => !one.valid)) continue;
    return body.length >= count ? body.slice(-count) : [...(await guessed(target, anchor, count - body.length, bits)), ...body];
  }
  return guessed(target, address, count, bits);
}

async function guessed(target: Target, address: number, count: number, bits: 0 | 16 | 32): Promise<InstructionInfo[]> {
  const { instructions } = await target.client.request('disassemble', {
    id: target.id,
    address,
    before: Math.min(count, CHUNK),
    count: 0,
    bits,
  });
  return instructions.filter((one) => one.address !== address).slice(-count);
}

function invalid(address: number): InstructionInfo {
  return { address, bytes: new Uint8Array(), text: '', valid: false };
}

async function present(target: Target, one: InstructionInfo, symbols: boolean): Promise<DebugProtocol.DisassembledInstruction> {
  const symbol = symbols ? target.symbols.near(one.address) : undefined;
  const placed = one.valid
    ? target.sources.at(one.address).find((candidate) => matchesHere(candidate.address, candidate.piece.bytes, one))
    : undefined;
  return {
    address: hex32(one.address),
    instructionBytes: [...one.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    instruction: one.text ? one.text + goal(target, one, symbols) : '(not readable)',
    symbol: symbol?.address === one.address ? symbol.name : undefined,
    location: placed && sourceOf(placed.path),
    line: placed?.piece.line,
    presentationHint: one.valid ? 'normal' : 'invalid',
  };
}

/** ' <name>' where a call or jump goes to a place that has one. */
function goal(target: Target, { text }: InstructionInfo, symbols: boolean): string {
  const [, address] = (symbols && /^(?:call|j\w+|loop\w*) (0x[0-9a-f]+)$/.exec(text)) || [];
  const symbol = address === undefined ? undefined : target.symbols.describe(Number(address));
  return symbol === undefined ? '' : ` <${symbol}>`;
}

/** The listing says the same about an instruction's bytes as memory does. */
function matchesHere(address: number, bytes: readonly number[], one: InstructionInfo): boolean {
  return [...one.bytes].every((byte, n) => {
    const expected = bytes[one.address - address + n];
    return expected === undefined || expected < 0 || expected === byte;
  });
}
