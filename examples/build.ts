// Rebuilds the example guests with nasm and gcc, byte for byte as they are committed (nasm 2.16, gcc 12, GNU ld 2.40 of
// Debian 12; other versions may order the kernel's code differently).
//   npm run examples

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Assembly sources, the images and listings made of them; all names are relative to this folder. */
export const ASSEMBLED = ['hello', 'exits', 'echo', 'count', 'com/hello'].map((name) => ({
  source: `${name}.asm`,
  image: name.startsWith('com/') ? `${name}.com` : `${name}.img`,
  listing: `${name}.lst`,
}));
export const KERNEL = { image: 'kernel/kernel.elf', sources: ['kernel/boot.asm', 'kernel/kernel.c', 'kernel/x86.h', 'kernel/kernel.ld'] };

/** Assembles every source into `target`, a folder laid out like this one. Needs nasm. */
export function assemble(target: string): void {
  for (const { source, image, listing } of ASSEMBLED)
    run('nasm', ['-f', 'bin', '-l', join(target, listing), '-o', join(target, image), source]);
}

const CFLAGS = [
  '-m32',
  '-std=gnu11',
  '-O1',
  '-g0',
  '-ffreestanding',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none',
  '-fno-omit-frame-pointer',
  '-mno-sse',
  '-mno-mmx',
  '-mno-80387',
  '-march=i686',
  '-mtune=generic',
  '-fno-inline',
  '-Wall',
  '-Wextra',
  '-Werror',
];

/** Builds the kernel into `target`. Needs nasm and a gcc that makes 32-bit code. */
export function buildKernel(target: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'cp86-examples-'));
  try {
    run('nasm', ['-f', 'elf32', '-o', join(scratch, 'boot.o'), 'kernel/boot.asm']);
    run('gcc', [...CFLAGS, '-c', '-o', join(scratch, 'kernel.o'), 'kernel/kernel.c']);
    run('ld', [
      '-m',
      'elf_i386',
      '-nostdlib',
      '--build-id=none',
      '-z',
      'noexecstack',
      '-z',
      'max-page-size=4096',
      '--no-warn-rwx-segments',
      '-T',
      'kernel/kernel.ld',
      '-o',
      join(target, KERNEL.image),
      join(scratch, 'boot.o'),
      join(scratch, 'kernel.o'),
    ]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  assemble(folder);
  buildKernel(folder);
}
