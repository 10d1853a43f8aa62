// What is known of the Linux kernel that a guest runs: its symbols, looked for when somebody asks and paging is on, for only then
// is a kernel where its symbols say. Looking reads all of the guest's memory; a guest in which nothing is found is looked at again
// only when it has run twice as long as before.

import { CR0 } from '../../runtime/controlBits.ts';
import type { VirtualCpu } from '../../runtime/cpu-types.ts';
import { findKallsyms, type KernelSymbols } from './kallsyms.ts';

/** Ticks before the second look. */
const FIRST_PAUSE = 20_000_000;

export class LinuxKernel {
  readonly #cpu: VirtualCpu;
  #symbols: KernelSymbols | null = null;
  #byName: Map<string, number> | null = null;
  #version = 0;
  #nextLook = 0;
  #pause = FIRST_PAUSE;

  constructor(cpu: VirtualCpu) {
    this.#cpu = cpu;
  }

  /** Counts the tables that were found and lost. */
  get version(): number {
    return this.#version;
  }

  get found(): boolean {
    return this.#symbols !== null;
  }

  /** The symbols, when they were found before or are now. */
  look(): KernelSymbols | null {
    const { ticks } = this.#cpu;
    if (this.#symbols || (Number(this.#cpu.get('cr0')) & CR0.PG) === 0 || ticks < this.#nextLook) return this.#symbols;
    this.#symbols = findKallsyms(this.#cpu.ram, (linear) => this.#cpu.translate(linear).physical);
    if (this.#symbols) this.#version++;
    this.#nextLook = ticks + this.#pause;
    this.#pause *= 2;
    return this.#symbols;
  }

  /** The machine was reset: the next kernel may be another one, or elsewhere. */
  forget(): void {
    if (this.#symbols) this.#version++;
    this.#symbols = null;
    this.#byName = null;
    this.#nextLook = 0;
    this.#pause = FIRST_PAUSE;
  }

  /** Address of a symbol of the table that was found; the first of several with a name. */
  address(name: string): number | undefined {
    if (!this.#symbols) return undefined;
    if (!this.#byName) {
      this.#byName = new Map();
      const { names, addresses } = this.#symbols;
      for (const [n, line] of names.split('\n').entries()) {
        const symbol = line.slice(1);
        if (symbol !== '' && !this.#byName.has(symbol)) this.#byName.set(symbol, addresses[n]);
      }
    }
    return this.#byName.get(name);
  }
}
