// Assembles src/vmm/firmware/rom.asm with nasm to src/vmm/firmware/rom.generated.ts: the ROM's bytes without its long runs
// of zeros, and the address of every exported label. Only needed after a change of rom.asm; the result is committed.
//   node scripts/build-firmware.ts

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../src/vmm/firmware/', import.meta.url));
const ROM_BYTES = 0x10000;
/** A run of zeros at least this long ends a piece; shorter ones cost less than a new piece. */
const GAP = 32;

/** Text of rom.generated.ts for the current rom.asm. Needs nasm. */
export function generateFirmware(): string {
  const scratch = mkdtempSync(join(tmpdir(), 'cp86-rom-'));
  try {
    const output = join(scratch, 'rom.bin');
    execFileSync('nasm', ['-f', 'bin', '-o', output, 'rom.asm'], { cwd: folder });
    const bytes = readFileSync(output);
    return render(bytes.subarray(0, ROM_BYTES), readNames(bytes.subarray(ROM_BYTES)));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function readNames(bytes: Uint8Array): [string, number][] {
  const names: [string, number][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at + 2);
    names.push([new TextDecoder().decode(bytes.subarray(at + 2, end)), bytes[at] | (bytes[at + 1] << 8)]);
    at = end + 1;
  }
  return names;
}

function render(rom: Uint8Array, names: [string, number][]): string {
  const pieces: [number, Uint8Array][] = [];
  for (let at = 0; at < rom.length; ) {
    if (rom[at] === 0) {
      at++;
      continue;
    }
    let end = at + 1;
    for (let zeros = 0; end < rom.length && zeros < GAP; end++) zeros = rom[end] === 0 ? zeros + 1 : 0;
    while (rom[end - 1] === 0) end--;
    pieces.push([at, rom.subarray(at, end)]);
    at = end;
  }
  const hex = (value: number) => `0x${value.toString(16).padStart(4, '0')}`;
  return [
    '// Made by scripts/build-firmware.ts from rom.asm; do not edit.',
    '',
    '/** Offset in the 64 KiB ROM and bytes in base64; everything between is zero. */',
    '// biome-ignore format: one piece a line',
    'export const ROM_PIECES: readonly (readonly [number, string])[] = [',
    ...pieces.map(([at, bytes]) => `  [${hex(at)}, '${Buffer.from(bytes).toString('base64')}'],`),
    '];',
    '',
    '/** Offset in segment F000h of every exported label; a name that begins with service_ is that of a VMCALL. */',
    'export const ROM_LABELS = {',
    ...names.map(([name, offset]) => `  ${name}: ${hex(offset)},`),
    '} as const;',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(folder, 'rom.generated.ts'), generateFirmware());
