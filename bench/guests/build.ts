// Rebuilds the benchmark guests with gcc, byte for byte as they are committed (gcc 12, GNU ld 2.40 of Debian 12; other
// versions may choose other instructions).
//   node bench/guests/build.ts

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Images and the sources each is linked from. */
export const GUESTS: readonly { readonly image: string; readonly sources: readonly string[] }[] = [
  ...['sieve', 'sha', 'fib', 'interpreter'].map((name) => ({ image: `${name}.elf`, sources: ['start.S', 'rounds.c', `${name}.c`] })),
  ...['loop', 'faults', 'echo', 'exits'].map((name) => ({ image: `${name}.elf`, sources: [`${name}.S`] })),
];

const FLAGS = [
  '-m32',
  '-std=gnu11',
  '-O2',
  '-g0',
  '-march=i686',
  '-mtune=generic',
  '-mno-sse',
  '-mno-mmx',
  '-mno-80387',
  '-ffreestanding',
  '-fno-pic',
  '-no-pie',
  '-fno-builtin',
  '-fno-tree-loop-distribute-patterns',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-nostdlib',
  '-static',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
  '-Wl,-z,max-page-size=4096',
  '-Wl,--no-warn-rwx-segments',
  '-Wl,--strip-all',
  '-Wl,-T,guest.ld',
];

/** Builds every guest into `target`. Needs a gcc that makes 32-bit code. */
export function buildGuests(target: string): void {
  for (const { image, sources } of GUESTS) {
    execFileSync('gcc', [...FLAGS, '-o', join(target, image), ...sources], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildGuests(folder);
