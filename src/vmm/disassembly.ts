// Lists of instructions around an address, forwards and backwards. x86 code cannot be decoded backwards: instead every byte
// before the address is taken for a start. Code decoded from a wrong start falls into step with the right one after a few
// instructions, so of two instructions that could be the one before, the one that more starts lead through is taken.

import type { Guest } from './guest.ts';
import type { InstructionInfo } from './protocol.ts';

/** Longest instruction (SDM volume 2, "Instruction Prefixes"). */
const LONGEST = 15;
/** Instructions in which wrong starts have fallen into step with the right ones. */
const SETTLE = 8;
/** Most instructions in one answer. */
export const MAXIMUM_INSTRUCTIONS = 10_000;

/** The instruction at a linear address; not valid where memory cannot be read or the bytes mean nothing. */
export function instructionAt(guest: Guest, address: number, bits: 16 | 32): InstructionInfo {
  return decode(guest, guest.cpu.readLinear(address >>> 0, LONGEST), address >>> 0, bits);
}

/** `before` instructions that end at the address, then `count` from it: always before + count items. */
export function instructionsAround(guest: Guest, address: number, before: number, count: number, bits: 16 | 32): InstructionInfo[] {
  const wanted = Math.min(before, MAXIMUM_INSTRUCTIONS);
  return [...backwards(guest, address >>> 0, wanted, bits), ...forwards(guest, address >>> 0, Math.min(count, MAXIMUM_INSTRUCTIONS), bits)];
}

function decode(guest: Guest, bytes: Uint8Array, address: number, bits: 16 | 32): InstructionInfo {
  const decoded = bytes.length > 0 ? guest.disassemble(bytes, address, bits) : null;
  if (decoded) return { address, bytes: bytes.slice(0, decoded.length), text: decoded.text, valid: true };
  const bad = bytes.slice(0, 1);
  return { address, bytes: bad, text: bad.length === 1 ? `db 0x${bad[0].toString(16).padStart(2, '0')}` : '(not readable)', valid: false };
}

function forwards(guest: Guest, address: number, count: number, bits: 16 | 32): InstructionInfo[] {
  const list: InstructionInfo[] = [];
  for (let at = address; list.length < count; ) {
    const instruction = instructionAt(guest, at, bits);
    list.push(instruction);
    at = (at + Math.max(1, instruction.bytes.length)) >>> 0;
  }
  return list;
}

function backwards(guest: Guest, address: number, count: number, bits: 16 | 32): InstructionInfo[] {
  if (count === 0) return [];
  const reach = Math.min(address, (count + SETTLE) * LONGEST);
  const bytes = readableEnd(guest, address - reach, reach);
  const first = address - bytes.length;
  const starts = Array.from(bytes, (_, n) => decode(guest, bytes.subarray(n, n + LONGEST), first + n, bits));
  // How many starts lead to each byte. Zeros decode as ADD and are padding more often than code: they are no start of their own.
  const weights = starts.map(({ bytes: [a, b] }) => (a === 0 && b === 0 ? 0 : 1));
  const before = new Map<number, number>();
  starts.forEach(({ valid, bytes: { length } }, n) => {
    if (!valid) return;
    const next = n + length;
    if (next < weights.length) weights[next] += weights[n];
    const other = before.get(next);
    if (other === undefined || weights[n] > weights[other]) before.set(next, n);
  });
  const chain: InstructionInfo[] = [];
  for (let at = before.get(bytes.length); at !== undefined && chain.length < count; at = before.get(at)) chain.unshift(starts[at]);
  const firstAt = chain[0]?.address ?? address;
  const missing = count - chain.length;
  return [...Array.from({ length: missing }, (_, n) => invalid((firstAt - (missing - n)) >>> 0)), ...chain];
}

const invalid = (address: number): InstructionInfo => ({ address, bytes: new Uint8Array(0), text: '(not readable)', valid: false });

/** The last bytes before start + length that can be read without a hole. */
function readableEnd(guest: Guest, start: number, length: number): Uint8Array {
  for (let skipped = 0; skipped < length; ) {
    const bytes = guest.cpu.readLinear(start + skipped, length - skipped);
    if (bytes.length === length - skipped) return bytes;
    // Go on behind the page that could not be read.
    skipped = (Math.floor((start + skipped + bytes.length) / 4096) + 1) * 4096 - start;
  }
  return new Uint8Array(0);
}
