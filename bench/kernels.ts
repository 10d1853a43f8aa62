// The benchmark kernels and what they must result in.

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export interface Kernel {
  readonly name: string;
  readonly result: number;
}

/** Path of a guest of bench/guests/. */
export const guestImage = (name: string): string => fileURLToPath(new URL(`guests/${name}.elf`, import.meta.url));

export const KERNELS: readonly Kernel[] = [
  // Primes below 2,000,000.
  { name: 'sieve', result: 148933 },
  {
    name: 'sha',
    result: createHash('sha256')
      .update(new Uint8Array(64 * 8192).fill(7))
      .digest()
      .readUInt32BE(0),
  },
  { name: 'fib', result: 832040 },
  // The longest Collatz sequence from a number below 10,000 begins at 6171.
  { name: 'interpreter', result: 6171 },
];
