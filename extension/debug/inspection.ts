// Requests that only look at a guest (or write its memory): the stack, memory, and what is where.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { type Frame, frameName } from './callStack.ts';
import type { Explanation } from './explain.ts';
import type { Fields } from './fields.ts';
import { fromBase64, hex32, MAX_TRANSFER, type Place, parsePlace, readMemory, toBase64, unreadableFrom } from './memory.ts';
import { baseName } from './paths.ts';
import { sourceOf } from './sourceMap.ts';
import type { Target } from './target.ts';

const LINE_MAX = 2 ** 31 - 1;

/** The part of the call stack that a stackTrace request asks for. */
export async function stackTrace(
  target: Target,
  frames: readonly Frame[],
  fields: Fields,
): Promise<DebugProtocol.StackTraceResponse['body']> {
  const start = fields.integer('startFrame', 0, LINE_MAX, 0);
  const levels = fields.integer('levels', 0, LINE_MAX, 0);
  const registers = await target.registers();
  const shown = frames.slice(start, levels > 0 ? start + levels : undefined);
  const stackFrames = await Promise.all(
    shown.map(async (frame, n): Promise<DebugProtocol.StackFrame> => {
      const placed = await target.locate(frame.inside);
      return {
        id: start + n + 1,
        name: frameName(target, registers, frame),
        instructionPointerReference: hex32(frame.linear),
        source: placed && sourceOf(placed.path),
        line: placed?.piece.line ?? 0,
        column: 0,
        presentationHint: frame.guessed ? 'subtle' : 'normal',
      };
    }),
  );
  return { stackFrames, totalFrames: frames.length };
}

export function breakpointLocations(target: Target, fields: Fields): DebugProtocol.BreakpointLocationsResponse['body'] {
  const line = fields.integer('line', 0, LINE_MAX);
  const lines = target.sources.lines(fields.object('source').text('path'), line, fields.integer('endLine', 0, LINE_MAX, line));
  return { breakpoints: lines.map((one) => ({ line: one })) };
}

/** Addresses of a line that execution can go on at. */
export async function gotoTargets(target: Target, fields: Fields): Promise<DebugProtocol.GotoTarget[]> {
  const code = target.sources.code(fields.object('source').text('path'), fields.integer('line', 0, LINE_MAX));
  const registers = await target.registers();
  return code.pieces.map((placed, id) => ({
    id,
    line: code.line,
    label: registers.logical(placed.address),
    instructionPointerReference: hex32(placed.address),
  }));
}

/** The readMemory request: bytes as base64 up to the first unreadable one. */
export async function readRange(target: Target, fields: Fields, signal: AbortSignal): Promise<DebugProtocol.ReadMemoryResponse['body']> {
  const place = placeOf(fields);
  const count = Math.min(fields.integer('count', 0, Number.MAX_SAFE_INTEGER), MAX_TRANSFER, 2 ** 32 - place.address);
  const bytes = await readMemory(target.client, target.id, place, count, signal);
  const missing = count - bytes.length;
  return {
    address: reference(place),
    data: toBase64(bytes),
    unreadableBytes: missing > 0 ? unreadableFrom(place.address + bytes.length, missing) : undefined,
  };
}

/** The writeMemory request; throws when not all could be written and the client did not allow that. */
export async function writeRange(target: Target, fields: Fields): Promise<{ place: string; written: number }> {
  const place = placeOf(fields);
  const bytes = fromBase64(fields.text('data'));
  const partial = fields.flag('allowPartial', false);
  if (!partial && (await readMemory(target.client, target.id, place, bytes.length)).length < bytes.length)
    throw new Error(`the ${bytes.length} bytes at ${reference(place)} are not all in memory`);
  const { written } = await target.client.request('writeMemory', {
    id: target.id,
    address: place.address,
    physical: place.physical,
    bytes,
  });
  return { place: reference(place), written };
}

export function modules(explained: readonly Explanation[]): DebugProtocol.Module[] {
  return explained.map((one, n) => ({
    id: n,
    name: baseName(one.path),
    path: one.path,
    symbolStatus: one.symbols ? `Symbols loaded: ${one.about}` : one.about,
    symbolFilePath: one.symbols ? one.path : undefined,
  }));
}

/** For panels: the symbol and source line of a linear address. */
export async function locate(
  target: Target,
  fields: Fields,
): Promise<{ address: string; symbol?: string; source?: DebugProtocol.Source; line?: number }> {
  const { address } = parsePlace(fields.text('address'));
  const placed = await target.locate(address);
  return {
    address: hex32(address),
    symbol: target.symbols.describe(address),
    source: placed && sourceOf(placed.path),
    line: placed?.piece.line,
  };
}

function placeOf(fields: Fields): Place {
  return parsePlace(fields.text('memoryReference'), fields.integer('offset', -0xffffffff, 0xffffffff, 0));
}
function reference(place: Place): string {
  return `${place.physical ? 'phys:' : ''}${hex32(place.address)}`;
}
