// The symbols of a Linux kernel that the hypervisor found in the guest's memory (src/vmm/linux/kallsyms.ts), for a symbol table; or those
// of the kernel's vmlinux, moved to where the kernel turns out to be.

import type { ElfSymbol } from '../../src/vmm/boot/symbols.ts';
import type { KernelSymbols } from '../../src/vmm/linux/kallsyms.ts';
import { wrap } from './memory.ts';
import type { DebugSymbol } from './symbolTable.ts';

/** Names that the kernel's build makes beside the functions that they are about. */
const NOISE = /^(?:__pfx_|__cfi_|__ksymtab_|__kstrtab|__crc_|\.L)/;
/** No function is longer; an address farther behind the last symbol has nothing to do with it. */
const LONGEST = 0x10000;
/** What nm calls code. */
const CODE = /[TtWw]/;

/** In order of address; a symbol ends where the next one begins. At one address functions come before other names, global ones first. */
export function symbolsOfKernel({ names, addresses }: KernelSymbols): DebugSymbol[] {
  const rank = (type: string): number => (!CODE.test(type) ? 2 : type === type.toUpperCase() ? 0 : 1);
  const lines = names.split('\n');
  const rows: { type: string; name: string; address: number }[] = [];
  for (const [n, address] of addresses.entries()) {
    const line = lines[n] ?? '';
    const name = line.slice(1);
    if (name !== '' && !NOISE.test(name)) rows.push({ type: line.charAt(0), name, address });
  }
  rows.sort((a, b) => a.address - b.address || rank(a.type) - rank(b.type));
  const symbols: DebugSymbol[] = [];
  let next = 2 ** 32,
    here = 2 ** 32;
  for (const { type, name, address } of rows.reverse()) {
    if (address !== here) next = here;
    here = address;
    symbols.push({ name, address, size: Math.min(next - address, LONGEST), procedure: CODE.test(type) });
  }
  return symbols.reverse();
}

/** What says that an ELF file is a Linux kernel: the beginning of its code, and the text that it greets with. */
const BASE = '_text',
  BANNER = 'linux_banner';
/** Symbols that are compared, and how many in a hundred must be alike: a kernel patches and discards some of its own. */
const COMPARED = 200,
  ALIKE = 80;

/** A vmlinux's symbols, or undefined when the ELF file is of something else. */
export function kernelImage(symbols: readonly ElfSymbol[]): readonly DebugSymbol[] | undefined {
  const names = new Set(symbols.map(({ name }) => name));
  if (!names.has(BASE) || !names.has(BANNER)) return undefined;
  return symbols
    .filter(({ name }) => !NOISE.test(name))
    .map(({ name, address, size, kind }) => ({ name, address, size, procedure: kind === 'function' }));
}

/** A vmlinux's symbols at the places of the kernel that was found in memory; null when it is not of that kernel. */
export function placeImage(image: readonly DebugSymbol[], found: readonly DebugSymbol[]): readonly DebugSymbol[] | null {
  const link = new Map<string, Set<number>>();
  for (const { name, address } of image) link.set(name, (link.get(name) ?? new Set()).add(address));
  const base = found.find(({ name }) => name === BASE),
    linked = link.get(BASE)?.values().next().value;
  if (!base || linked === undefined) return null;
  const shift = base.address - linked;
  const compared = found.filter((_, n) => n % Math.ceil(found.length / COMPARED) === 0),
    alike = compared.filter(({ name, address }) => link.get(name)?.has(wrap(address - shift)));
  if (alike.length * 100 < compared.length * ALIKE) return null;
  return image.map((symbol) => ({ ...symbol, address: wrap(symbol.address + shift) }));
}
