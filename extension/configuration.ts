// What F5 does with a file, as far as it can be said without an editor: which kind of file a name stands for, how an
// assembly source is assembled, what an assembler's messages mean, and the debug configurations made from it.

import type { LAUNCH_ATTRIBUTES } from './debug/launchArguments.ts';

/** A configuration as launch.json has it. */
export interface Configuration {
  type: string;
  request: string;
  name: string;
  [attribute: string]: unknown;
}

export type FileKind = 'assembly' | 'gas' | 'image' | 'kernel';

/** Which kind of file a path or URI names; null for anything else. */
export function kindOfFile(path: string): FileKind | null {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  if (/^(bzImage|vmlinuz)/.test(name)) return 'kernel';
  if (/\.(asm|nasm)$/i.test(name)) return 'assembly';
  if (/\.[sS]$/.test(name)) return 'gas';
  if (/\.(img|bin|com|flp|ima|elf|iso|qcow2|sys)$/i.test(name)) return 'image';
  return null;
}

/** Language ids of assembly sources, as several extensions name them. */
export const ASSEMBLY_LANGUAGES = [
  'nasm',
  'asm',
  'asm-collection',
  'asm-intel-x86-generic',
  'asm-intel-x86',
  'nasm-x86',
  'x86',
  'gas',
  'masm',
  'tasm',
  'fasm',
  'assembly',
  'x86asm',
] as const;

export interface AssemblyPlan {
  /** Extension of the image, which says how it boots: .img a boot sector or disk, .com, .bin a flat binary. */
  readonly extension: '.img' | '.com' | '.bin';
  /** Attributes for the launch configuration. */
  readonly attributes: { readonly loadAddress?: number; readonly mode?: 16 | 32 };
}

/**
 * How an image is started, from its source and its bytes: with a boot signature as a disk; with ORG 100h as a .com
 * program; else as a flat binary at its ORG, in the mode of its first BITS.
 */
export function planAssembly(source: string, image: Uint8Array): AssemblyPlan {
  if (image.length >= 512 && image[510] === 0x55 && image[511] === 0xaa) return { extension: '.img', attributes: {} };
  const code = source.replace(/;.*$/gm, '');
  const origin = /^\s*\[?\s*org\s+([0-9a-fx_]+h?)/im.exec(code)?.[1];
  const address = origin === undefined ? undefined : parseOrigin(origin);
  if (address === 0x100) return { extension: '.com', attributes: {} };
  const mode = /^\s*\[?\s*(?:bits\s+|use)(16|32)\b/im.exec(code)?.[1] === '32' ? 32 : 16;
  return { extension: '.bin', attributes: { loadAddress: address ?? (mode === 32 ? 0x100000 : 0x7c00), mode } };
}

function parseOrigin(text: string): number | undefined {
  const digits = text.replaceAll('_', '');
  const value = /^0x[0-9a-f]+$/i.test(digits)
    ? Number.parseInt(digits, 16)
    : /^[0-9][0-9a-f]*h$/i.test(digits)
      ? Number.parseInt(digits, 16)
      : /^\d+$/.test(digits)
        ? Number.parseInt(digits, 10)
        : Number.NaN;
  return Number.isNaN(value) ? undefined : value;
}

/** NASM's arguments: a flat binary, with a listing for breakpoints in the source. */
export function nasmArguments(source: string, directory: string, image: string, listing: string): string[] {
  return [
    '-f',
    'bin',
    '-i',
    directory.endsWith('/') || directory.endsWith('\\') ? directory : `${directory}/`,
    '-o',
    image,
    '-l',
    listing,
    source,
  ];
}

export interface AssemblerMessage {
  readonly file: string /** From 1. */;
  readonly line: number;
  readonly severity: 'error' | 'warning';
  readonly text: string;
}

/** NASM's messages: `file:line: error: text`. Other lines are left out. */
export function parseNasmMessages(output: string): AssemblerMessage[] {
  const messages: AssemblerMessage[] = [];
  for (const line of output.split(/\r?\n/)) {
    const match = /^(.+?):(\d+): (fatal|error|warning|panic): (.*)$/.exec(line);
    if (match)
      messages.push({ file: match[1]!, line: Number(match[2]), severity: match[3] === 'warning' ? 'warning' : 'error', text: match[4]! });
  }
  return messages;
}

/** VS Code's variable for the opened folder. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code replaces it
export const WORKSPACE_FOLDER = '${workspaceFolder}';

/** Replaces `${workspaceFolder}` in every text of a configuration. VS Code would leave the scheme of a virtual folder out. */
export function replaceWorkspaceFolder<T>(value: T, folder: string): T {
  const replace = (part: unknown): unknown => {
    if (typeof part === 'string') return part.replaceAll(WORKSPACE_FOLDER, folder.replace(/\/$/, ''));
    if (Array.isArray(part)) return part.map(replace);
    if (part && typeof part === 'object') return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, replace(each)]));
    return part;
  };
  return replace(value) as T;
}

/** The configuration that runs a file, named by its path or URI. */
export function configurationFor(path: string, name: string): Configuration {
  const attribute: keyof typeof LAUNCH_ATTRIBUTES = kindOfFile(path) === 'kernel' ? 'kernel' : 'program';
  return { type: 'cp86', request: 'launch', name, [attribute]: path };
}
