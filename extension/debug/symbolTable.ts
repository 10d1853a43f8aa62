// Names of addresses, from ELF symbol tables, from the labels of NASM listings and from the guest's memory, looked up both ways.

/** A name of a linear address; size 0 when unknown. */
export interface DebugSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  /** The first instruction of a procedure, for certain: not a label inside one, and not data. */
  readonly procedure?: boolean;
}

/** Farther than this behind a symbol of unknown size, an address has nothing to do with it. */
const REACH = 0x10000;
const WORD = /[A-Za-z_?.@$][\w?.@$#~]*/g;

export class SymbolTable {
  readonly #byName = new Map<string, DebugSymbol>();
  /** What a kernel in the guest's memory names, in order of address; several may have one name. */
  #kernel: readonly DebugSymbol[] = [];
  #kernelByName = new Map<string, DebugSymbol>();
  #sorted: DebugSymbol[] | undefined;

  get size(): number {
    return this.#byName.size;
  }

  /** The first definition of a name stays. */
  add(name: string, address: number, size = 0, procedure = false): void {
    if (name === '' || this.#byName.has(name)) return;
    this.#byName.set(name, { name, address: address >>> 0, size, procedure });
    this.#sorted = undefined;
  }

  /** Replaces the symbols of the guest's kernel. Names from files come before them. */
  setKernel(symbols: readonly DebugSymbol[]): void {
    this.#kernel = symbols;
    this.#kernelByName = new Map();
    for (const symbol of symbols) if (!this.#kernelByName.has(symbol.name)) this.#kernelByName.set(symbol.name, symbol);
    this.#sorted = undefined;
  }
  get kernelSize(): number {
    return this.#kernel.length;
  }

  find(name: string): DebugSymbol | undefined {
    return this.findOwn(name) ?? this.#kernelByName.get(name);
  }
  /** A symbol that a file or the firmware names: it is there as long as the session. */
  findOwn(name: string): DebugSymbol | undefined {
    return this.#byName.get(name);
  }

  /** The symbol an address lies in or shortly behind. */
  near(address: number): DebugSymbol | undefined {
    const sorted = this.#list();
    let low = firstAbove(sorted, address);
    let symbol = sorted[low - 1];
    // Of several names for one address take the first.
    while (low > 1 && symbol && sorted[low - 2]?.address === symbol.address) symbol = sorted[--low - 1];
    return symbol && address - symbol.address < (symbol.size || REACH) ? symbol : undefined;
  }

  /** Addresses of symbols within [first, end), ascending. */
  between(first: number, end: number): number[] {
    const sorted = this.#list();
    return sorted.slice(firstAbove(sorted, first - 1), firstAbove(sorted, end - 1)).map((symbol) => symbol.address);
  }

  /** 'name' or 'name+0x12'; undefined when no symbol is near. `inside`: where to look for the symbol instead. */
  describe(address: number, inside = address): string | undefined {
    const symbol = this.near(inside);
    if (!symbol) return undefined;
    return address === symbol.address ? symbol.name : `${symbol.name}+0x${(address - symbol.address).toString(16)}`;
  }

  /** The symbols whose names occur in a text: what an expression in the worker needs, instead of the whole table. */
  mentioned(texts: Iterable<string | undefined>): { [name: string]: number } {
    const found: [string, number][] = [];
    for (const text of texts) {
      for (const [word] of text?.matchAll(WORD) ?? []) {
        const symbol = this.find(word);
        if (symbol) found.push([word, symbol.address]);
      }
    }
    return Object.fromEntries(found);
  }

  /** Names that begin with a text, in order of address, at most `limit`. */
  startingWith(prefix: string, limit: number): DebugSymbol[] {
    const found: DebugSymbol[] = [];
    for (const names of [this.#byName, this.#kernelByName]) {
      for (const symbol of names.values()) {
        if (found.length === limit) return found;
        if (symbol.name.startsWith(prefix)) found.push(symbol);
      }
    }
    return found;
  }

  /** By address; of several at one the largest first, local labels last. */
  #list(): DebugSymbol[] {
    const local = (symbol: DebugSymbol): number => (symbol.name.includes('.') ? 1 : 0);
    return (this.#sorted ??= [...this.#byName.values(), ...this.#kernel].sort(
      (a, b) => a.address - b.address || b.size - a.size || local(a) - local(b),
    ));
  }
}

/** Index of the first item at a higher address in a list ordered by address. */
export function firstAbove(sorted: readonly { readonly address: number }[], address: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.address ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
