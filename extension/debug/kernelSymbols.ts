// The symbols of a Linux kernel that the hypervisor found in the guest's memory (src/vmm/linux/kallsyms.ts), for a symbol table.

import type { KernelSymbols } from '../../src/vmm/linux/kallsyms.ts';
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
