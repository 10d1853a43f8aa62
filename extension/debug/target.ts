// The guest being debugged as the parts of the adapter see it: its registers (read once per stop), what its addresses mean,
// and its memory.

import { REGISTERS } from '../../src/translator/state.ts';
import type { GuestId, HypervisorClient, RegisterValues } from '../../src/vmm/protocol.ts';
import { placeImage, symbolsOfKernel } from './kernelSymbols.ts';
import { matches } from './listing.ts';
import { hex32, hexDigits, readMemory, wrap } from './memory.ts';
import { type PlacedPiece, SourceMap } from './sourceMap.ts';
import { type DebugSymbol, SymbolTable } from './symbolTable.ts';

/** Register values with the questions that are asked of them. */
export class Registers {
  readonly values: RegisterValues;
  constructor(values: RegisterValues) {
    this.values = values;
  }
  /** A register of at most 32 bits, unsigned; 0 when there is none of that name. */
  number(name: string): number {
    const value = this.values[name];
    return typeof value === 'number' ? value >>> 0 : 0;
  }
  /** CR0.PE clear, or virtual-8086 mode: segments are paragraphs. */
  get real(): boolean {
    return !(this.number('cr0') & 1) || (this.number('eflags') & 0x20000) !== 0;
  }
  /** Width of code by CS.D. */
  get codeBits(): 16 | 32 {
    return this.number('cs_access') & 0x4000 ? 32 : 16;
  }
  get stackBits(): 16 | 32 {
    return this.number('ss_access') & 0x4000 ? 32 : 16;
  }
  linear(segment: string, offset: number): number {
    return wrap(this.number(`${segment}_base`) + offset);
  }
  /** Linear address of the next instruction. */
  get ip(): number {
    return this.linear('cs', this.number('eip'));
  }
  /** '07c0:0012' or '0008:00100000' for a linear address in the code segment. */
  logical(linear: number): string {
    return `${hexDigits(this.number('cs'), 4)}:${hexDigits(wrap(linear - this.number('cs_base')), this.codeBits / 4)}`;
  }
}

export class Target {
  readonly client: HypervisorClient;
  readonly id: GuestId;
  readonly name: string;
  readonly symbols = new SymbolTable();
  readonly sources = new SourceMap();
  /** Registers at the stop before this one, to tell what changed. */
  previous: Registers | undefined;
  #registers: Promise<Registers> | undefined;
  #kernelImage: readonly DebugSymbol[] = [];
  /** Of the kernel's symbols that `symbols` has. */
  #kernelVersion = 0;

  constructor(client: HypervisorClient, id: GuestId, name: string) {
    this.client = client;
    this.id = id;
    this.name = name;
  }

  registers(): Promise<Registers> {
    return (this.#registers ??= this.client.request('registers', { id: this.id }).then(({ values }) => new Registers(values)));
  }
  /** The guest ran or was changed: registers are read again. `ran` makes the present ones the previous ones. */
  async changed(ran: boolean): Promise<void> {
    if (ran && this.#registers) this.previous = await this.#registers.catch(() => undefined);
    this.#registers = undefined;
  }

  /** Symbols of the vmlinux of the kernel that the guest will run: where they were linked, until it is known where they are. */
  set kernelImage(symbols: readonly DebugSymbol[]) {
    this.#kernelImage = symbols;
    this.symbols.setKernel(symbols);
  }

  /** Takes what the guest's memory now says of a Linux kernel's symbols. Gives news for the debug console: DAP's category and the words. */
  async lookForKernel(): Promise<readonly [category: 'console' | 'important', text: string] | undefined> {
    const { version, symbols } = await this.client.request('kernelSymbols', { id: this.id, known: this.#kernelVersion });
    this.#kernelVersion = version;
    if (symbols === undefined) return undefined;
    const found = symbols ? symbolsOfKernel(symbols) : [],
      placed = symbols && this.#kernelImage.length > 0 ? placeImage(this.#kernelImage, found) : undefined;
    this.symbols.setKernel(placed ?? (symbols ? found : this.#kernelImage));
    if (placed === null)
      return ['important', 'symbols: the file is of another kernel than the one that runs; what is in memory is used instead.\n'];
    const from = placed ? 'its file' : 'memory',
      [first] = found;
    return first && ['console', `Linux kernel at ${hex32(first.address)}: ${this.symbols.kernelSize} symbols from ${from}.\n`];
  }

  read(address: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return readMemory(this.client, this.id, { address, physical: false }, length, signal);
  }

  /** Evaluates in the worker, with the symbols the text mentions. */
  evaluate(expression: string): Promise<{ value: number; address?: number; size?: number }> {
    return this.client.request('evaluate', { id: this.id, expression, symbols: this.symbols.mentioned([expression]) });
  }

  async setRegister(name: string, value: number | string): Promise<number | string> {
    const answer = await this.client.request('setRegister', { id: this.id, name, value });
    await this.changed(false);
    return answer.value;
  }

  /** The source line of an address, when memory holds there what its listing says. */
  async locate(address: number): Promise<PlacedPiece | undefined> {
    for (const placed of this.sources.at(address)) {
      if (matches(placed.piece, await this.read(placed.address, placed.piece.bytes.length))) return placed;
    }
    return undefined;
  }
}

/** Parts of registers by name: which register, at which bit, how wide. */
export const REGISTER_PARTS: ReadonlyMap<string, { readonly register: string; readonly bit: number; readonly width: number }> = new Map([
  ...REGISTERS.filter((row) => row.group === 'general').map(
    (row) => [row.name.slice(1), { register: row.name, bit: 0, width: 16 }] as const,
  ),
  ...['a', 'c', 'd', 'b'].flatMap((letter) => [
    [`${letter}l`, { register: `e${letter}x`, bit: 0, width: 8 }] as const,
    [`${letter}h`, { register: `e${letter}x`, bit: 8, width: 8 }] as const,
  ]),
  ['flags', { register: 'eflags', bit: 0, width: 16 }],
  ...REGISTERS.flatMap((row) =>
    (row.bits ?? []).map(
      (field) =>
        [
          row.group === 'flags' ? field.name.toLowerCase() : `${row.name}.${field.name.toLowerCase()}`,
          { register: row.name, bit: field.bit, width: field.width },
        ] as const,
    ),
  ),
]);

/** `value` with one part of it replaced. */
export function withPart(value: number, part: { readonly bit: number; readonly width: number }, field: number): number {
  const mask = (part.width === 32 ? -1 : (1 << part.width) - 1) << part.bit;
  return ((value & ~mask) | ((field << part.bit) & mask)) >>> 0;
}
