// All breakpoints of a session. They are addresses to the hypervisor, so they can be set before code is loaded and survive
// its relocation; a source breakpoint is verified once memory holds there what the listing says.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { parseHitCondition } from '../../src/vmm/breakpoints.ts';
import { parseExpression } from '../../src/vmm/expression.ts';
import type { BreakpointSpec, WatchpointSpec } from '../../src/vmm/protocol.ts';
import { type Fields, messageOf, parseNumber } from './fields.ts';
import { matches } from './listing.ts';
import { hex32, parsePlace, wrap } from './memory.ts';
import { normalizePath } from './paths.ts';
import { type PlacedPiece, sourceOf } from './sourceMap.ts';
import type { Target } from './target.ts';

type Kind = 'source' | 'function' | 'instruction';
interface Entry {
  readonly id: number;
  readonly kind: Kind;
  addresses: readonly number[];
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
  /** Of a function breakpoint that no file explains: a symbol that a Linux kernel may have. */
  readonly symbol?: string;
  /** Of a source breakpoint. */
  readonly path?: string;
  readonly line?: number;
  readonly pieces?: readonly PlacedPiece[];
  /** Set when the breakpoint cannot work at all. */
  readonly wrong?: string;
  verified: boolean;
  message?: string;
}
interface Watch {
  readonly spec: WatchpointSpec;
  readonly wrong?: string;
}

/** How a loaded image says what will be in memory before it is. */
export type ExpectedBytes = (address: number, length: number) => Uint8Array | undefined;

/** Id of the breakpoint that stops on entry. */
export const ENTRY_ID = 0;
const WATCH_MAX = 4096;
/** What a kernel's symbols look like. */
const SYMBOL = /^[A-Za-z_][\w.$]*$/;
const REASONS: { readonly [kind in Kind]: string } = {
  source: 'breakpoint',
  function: 'function breakpoint',
  instruction: 'instruction breakpoint',
};

export class BreakpointStore {
  readonly #entries = new Map<string, Entry[]>();
  #watches: Watch[] = [];
  #refreshed: Promise<unknown> = Promise.resolve();
  #next = ENTRY_ID + 1;
  #entry: number | null = null;
  /** What booting will put into memory that is still empty. */
  expected: ExpectedBytes | undefined;

  /** Breakpoints of one source file; replaces those before. */
  async setSource(target: Target, fields: Fields): Promise<DebugProtocol.Breakpoint[]> {
    const path = fields.object('source').text('path');
    const requested = fields.objects('breakpoints', (one) => ({ line: one.integer('line', 0, 2 ** 31 - 1), ...rules(one) }));
    return this.#replace(
      target,
      `source:${normalizePath(path)}`,
      requested.map((one): Entry => {
        const code = target.sources.code(path, one.line);
        const wrong =
          one.wrong ??
          (!target.sources.has(path)
            ? 'No listing of this file is loaded, so its lines have no addresses.'
            : code.pieces.length === 0
              ? 'There is no code at or shortly after this line.'
              : undefined);
        return {
          ...one,
          id: this.#next++,
          kind: 'source',
          path,
          line: code.line,
          pieces: code.pieces,
          addresses: code.pieces.map((piece) => piece.address),
          wrong,
          verified: false,
        };
      }),
    );
  }

  async setFunctions(target: Target, fields: Fields): Promise<DebugProtocol.Breakpoint[]> {
    const requested = fields.objects('breakpoints', (one) => ({ name: one.text('name').trim(), ...rules(one) }));
    return this.#replace(
      target,
      'function',
      requested.map((one): Entry => {
        const address = target.symbols.findOwn(one.name)?.address ?? parseNumber(one.name);
        const known = address >= 0 && address < 2 ** 32;
        const symbol = !known && SYMBOL.test(one.name) ? one.name : undefined;
        return {
          ...one,
          id: this.#next++,
          kind: 'function',
          symbol,
          addresses: known ? [address] : [],
          wrong: one.wrong ?? (known || symbol !== undefined ? undefined : `There is no symbol '${one.name}'.`),
          verified: known,
        };
      }),
    );
  }

  async setInstructions(target: Target, fields: Fields): Promise<DebugProtocol.Breakpoint[]> {
    const requested = fields.objects('breakpoints', (one) => ({
      place: parsePlace(one.text('instructionReference'), one.integer('offset', -0xffffffff, 0xffffffff, 0)),
      ...rules(one),
    }));
    return this.#replace(
      target,
      'instruction',
      requested.map(
        (one): Entry => ({
          ...one,
          id: this.#next++,
          kind: 'instruction',
          addresses: [one.place.address],
          wrong: one.wrong ?? (one.place.physical ? 'An instruction breakpoint needs a linear address.' : undefined),
          verified: true,
        }),
      ),
    );
  }

  /** Whether and how an address, an expression with an address or a variable can be watched. */
  async dataInfo(
    target: Target,
    fields: Fields,
  ): Promise<{ dataId: string | null; description: string; accessTypes?: DebugProtocol.DataBreakpointAccessType[]; canPersist?: boolean }> {
    const name = fields.text('name');
    if (fields.has('variablesReference'))
      return {
        dataId: null,
        description: 'A register cannot be watched; add a data breakpoint at an address, or for an expression such as byte [0x7c00].',
      };
    let address: number;
    let length = fields.optionalInteger('bytes', 1, WATCH_MAX);
    if (fields.flag('asAddress', false)) address = parsePlace(name).address;
    else {
      const symbol = target.symbols.find(name.trim());
      const value = symbol ? { address: symbol.address, size: symbol.size } : await target.evaluate(name);
      if (value.address === undefined)
        return { dataId: null, description: `${name} has no address; write it as a memory operand, for instance dword [${name}].` };
      address = value.address;
      length ??= Math.min(WATCH_MAX, value.size || 1);
    }
    length ??= 1;
    if (address + length > 2 ** 32) return { dataId: null, description: 'The range goes beyond the address space.' };
    return {
      dataId: `${hex32(address)}:${length}`,
      description: `${length} byte${length === 1 ? '' : 's'} at ${target.symbols.describe(address) ?? hex32(address)}`,
      accessTypes: ['read', 'write', 'readWrite'],
      canPersist: true,
    };
  }

  async setData(target: Target, fields: Fields): Promise<DebugProtocol.Breakpoint[]> {
    this.#watches = fields.objects('breakpoints', (one): Watch => {
      const match = /^(0x[0-9a-f]{8}):(\d{1,4})$/.exec(one.text('dataId'));
      if (!match) throw one.error('dataId', 'an id from dataBreakpointInfo is expected');
      const conditional = one.has('condition') || one.has('hitCondition');
      return {
        spec: {
          id: this.#next++,
          address: parseNumber(match[1] ?? ''),
          length: Number(match[2]),
          access: one.choice('accessType', ['read', 'write', 'readWrite'] as const, 'write'),
        },
        wrong: conditional ? 'Data breakpoints have no conditions.' : undefined,
      };
    });
    await this.#sync(target);
    return this.#watches.map(({ spec, wrong }) => ({
      id: spec.id,
      verified: wrong === undefined,
      message: wrong,
      instructionReference: hex32(spec.address),
    }));
  }

  /** Sends everything to the hypervisor again, for instance to a restarted guest, after finding symbols and lines anew. */
  async renew(target: Target): Promise<void> {
    for (const [key, entries] of this.#entries) {
      this.#entries.set(
        key,
        entries.map((entry) => {
          if (entry.kind !== 'source' || entry.path === undefined || entry.line === undefined) return entry;
          const code = target.sources.code(entry.path, entry.line);
          return { ...entry, pieces: code.pieces, addresses: code.pieces.map((piece) => piece.address), line: code.line };
        }),
      );
    }
    await this.#sync(target);
  }

  /** Checks source breakpoints against memory and function breakpoints against the kernel's symbols again; answers those that changed. */
  refresh(target: Target): Promise<DebugProtocol.Breakpoint[]> {
    // One after the other, so that a stop is told after what was found before it.
    const done = this.#refreshed.then(() => this.#refresh(target));
    this.#refreshed = done.catch(() => undefined);
    return done;
  }
  async #refresh(target: Target): Promise<DebugProtocol.Breakpoint[]> {
    const changed: DebugProtocol.Breakpoint[] = [];
    let moved = false;
    for (const entry of [...this.#entries.values()].flat()) {
      const before = `${entry.verified} ${entry.message}`,
        [address] = entry.addresses;
      await this.#verify(target, entry);
      if (entry.addresses[0] !== address) moved = true;
      if (`${entry.verified} ${entry.message}` !== before || entry.addresses[0] !== address) changed.push(present(entry));
    }
    if (moved) await this.#sync(target);
    return changed;
  }

  /** DAP's word for a stop at these breakpoints. */
  reasonOf(ids: readonly number[]): string {
    const entry = [...this.#entries.values()].flat().find((one) => ids.includes(one.id));
    return entry ? REASONS[entry.kind] : 'breakpoint';
  }

  /** Takes everything out of the guest. */
  async clear(target: Target): Promise<void> {
    this.#entries.clear();
    this.#watches = [];
    await this.#sync(target);
  }

  async #replace(target: Target, key: string, entries: Entry[]): Promise<DebugProtocol.Breakpoint[]> {
    const before = this.#entries.get(key);
    // One that stays keeps its id, and so its count of hits.
    const left = new Map(before?.map((entry) => [signature(entry), entry.id]));
    entries = entries.map((entry) => {
      const id = left.get(signature(entry));
      left.delete(signature(entry));
      return id === undefined ? entry : { ...entry, id };
    });
    for (const entry of entries) await this.#verify(target, entry);
    this.#entries.set(key, entries);
    try {
      await this.#sync(target);
    } catch (error) {
      if (before) this.#entries.set(key, before);
      else this.#entries.delete(key);
      throw error;
    }
    return entries.map(present);
  }

  async #verify(target: Target, entry: Entry): Promise<void> {
    entry.message = entry.wrong;
    if (entry.wrong !== undefined) entry.verified = false;
    if (entry.symbol !== undefined) {
      const symbol = target.symbols.find(entry.symbol);
      entry.addresses = symbol ? [symbol.address] : [];
      entry.verified = symbol !== undefined && entry.wrong === undefined;
      if (!symbol) entry.message ??= noSymbol(entry.symbol, target.symbols.kernelSize > 0);
    }
    if (entry.wrong !== undefined || entry.kind !== 'source') return;
    let state = '';
    for (const { address, piece } of entry.pieces ?? []) {
      const memory = await target.read(address, piece.bytes.length);
      const expected = this.expected?.(address, piece.bytes.length);
      const empty = memory.every((byte) => byte === 0);
      if (matches(piece, memory) || (empty && expected && matches(piece, expected))) continue;
      state = empty
        ? `Nothing is loaded at ${hex32(address)} yet; the breakpoint waits there.`
        : `Memory at ${hex32(address)} differs from the listing: it is out of date, loaded elsewhere, or not loaded yet. The breakpoint waits there.`;
    }
    entry.verified = state === '';
    entry.message = state || undefined;
  }

  /** Stops once at this address as if the guest had been started there; null takes that back. */
  async setEntry(target: Target, address: number | null): Promise<void> {
    this.#entry = address;
    await this.#sync(target);
  }

  async #sync(target: Target): Promise<void> {
    const entries = [...this.#entries.values()].flat().filter((entry) => entry.wrong === undefined);
    const breakpoints = entries.flatMap((entry) =>
      (entry.symbol !== undefined && entry.addresses.length === 0 ? [null] : entry.addresses).map(
        (address): BreakpointSpec => ({
          id: entry.id,
          address,
          symbol: entry.symbol,
          condition: entry.condition,
          hitCondition: entry.hitCondition,
          logMessage: entry.logMessage,
        }),
      ),
    );
    if (this.#entry !== null) breakpoints.push({ id: ENTRY_ID, address: this.#entry });
    const symbols = target.symbols.mentioned(entries.flatMap((entry) => [entry.condition, entry.logMessage]));
    await target.client.request('setBreakpoints', { id: target.id, breakpoints, symbols });
    await target.client.request('setWatchpoints', {
      id: target.id,
      watchpoints: this.#watches.filter((watch) => watch.wrong === undefined).map((watch) => watch.spec),
    });
  }
}

function signature({ addresses, symbol, condition, hitCondition, logMessage, line }: Entry): string {
  return JSON.stringify([symbol === undefined ? addresses : symbol, condition, hitCondition, logMessage, line]);
}

const noSymbol = (name: string, kernel: boolean): string =>
  kernel
    ? `There is no symbol '${name}', in the Linux kernel either.`
    : `There is no symbol '${name}'. Should the guest start a Linux kernel that has it, the breakpoint is set then.`;

/** Condition, hit condition and log message of a requested breakpoint, checked here so that a wrong one spoils no other. */
function rules(fields: Fields): { condition?: string; hitCondition?: string; logMessage?: string; wrong?: string } {
  const given = (name: string): string | undefined => fields.optionalText(name)?.trim() || undefined;
  const condition = given('condition');
  const hitCondition = given('hitCondition');
  const logMessage = given('logMessage');
  let wrong: string | undefined;
  try {
    if (condition !== undefined) parseExpression(condition);
    for (const [, expression] of logMessage?.matchAll(/\{\{|\{([^{}]*)\}/g) ?? [])
      if (expression !== undefined) parseExpression(expression);
    if (hitCondition !== undefined) parseHitCondition(hitCondition);
  } catch (error) {
    wrong = messageOf(error);
  }
  return { condition, hitCondition, logMessage, wrong };
}

function present(entry: Entry): DebugProtocol.Breakpoint {
  const address = entry.addresses[0];
  return {
    id: entry.id,
    verified: entry.verified,
    message: entry.message,
    source: entry.path === undefined ? undefined : sourceOf(entry.path),
    line: entry.line,
    instructionReference: address === undefined ? undefined : hex32(wrap(address)),
  };
}
