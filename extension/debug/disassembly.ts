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
  const { id, client } = target;
  const head: InstructionInfo[] = [];
  let next = address;
  const tail: InstructionInfo[] = [];
  if (before > 0) {
    const { instructions } = await client.request('disassemble', { id, address, before: Math.min(before, CHUNK), count: 0, bits });
    head.push(...instructions.filter((one) => one.address !== address).slice(-before));
  }
  for (let first = wrap((head[0]?.address ?? address) - 1); head.length < before; first = wrap(first - 1)) head.unshift(invalid(first));
  while (tail.length < after) {
    const { instructions } = await client.request('disassemble', { id, address: next, before: 0, count: Math.min(CHUNK, after - tail.length), bits });
    if (instructions.length === 0) break;
    tail.push(...instructions.slice(0, after - tail.length));
    const last = tail.at(-1);
    next = wrap((last?.address ?? next) + Math.max(1, last?.bytes.length ?? 1));
  }
  while (tail.length < after) {
    tail.push(invalid(next));
    next = wrap(next + 1);
  }
  return [...head, ...tail];
}

function invalid(address: number): InstructionInfo { return { address, bytes: new Uint8Array(), text: '', valid: false }; }

async function present(target: Target, one: InstructionInfo, symbols: boolean): Promise<DebugProtocol.DisassembledInstruction> {
  const symbol = symbols ? target.symbols.near(one.address) : undefined;
  const placed = one.valid ? target.sources.at(one.address).find((candidate) => matchesHere(candidate.address, candidate.piece.bytes, one)) : undefined;
  return {
    address: hex32(one.address),
    instructionBytes: [...one.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    instruction: one.text || '(not readable)',
    symbol: symbol?.address === one.address ? symbol.name : undefined,
    location: placed && sourceOf(placed.path),
    line: placed?.piece.line,
    presentationHint: one.valid ? 'normal' : 'invalid',
  };
}

/** The listing says the same about an instruction's bytes as memory does. */
function matchesHere(address: number, bytes: readonly number[], one: InstructionInfo): boolean {
  return [...one.bytes].every((byte, n) => {
    const expected = bytes[one.address - address + n];
    return expected === undefined || expected < 0 || expected === byte;
  });
}
