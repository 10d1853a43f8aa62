// An initial RAM file system for Linux, made in the test: busybox and a start script (Linux, Documentation/driver-api/early-userspace/
// buffer-format.rst, "newc" archives).

interface Entry {
  readonly path: string;
  /** Type and permissions as in stat's st_mode. */
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Major and minor number of a device. */
  readonly device?: readonly [number, number];
}
export const DIRECTORY = 0o040755,
  FILE = 0o100644,
  PROGRAM = 0o100755,
  LINK = 0o120777,
  CHARACTER = 0o020600;

/** A newc archive. */
export function cpio(entries: readonly Entry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array): void => {
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    parts.push(padded);
    length += padded.length;
  };
  for (const [number, { path, mode, data = new Uint8Array(0), device = [0, 0] }] of [
    ...entries,
    { path: 'TRAILER!!!', mode: 0 } as Entry,
  ].entries()) {
    const fields = [number + 1, mode, 0, 0, 1, 0, data.length, 0, 0, device[0], device[1], path.length + 1, 0];
    const header = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${path}\0`;
    add(Uint8Array.from(header, (letter) => letter.charCodeAt(0)));
    add(data);
  }
  const archive = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

const text = (value: string): Uint8Array => Uint8Array.from(value, (letter) => letter.charCodeAt(0));

/** Commands that the start script and a person at the shell use. */
const COMMANDS = [
  'sh',
  'mount',
  'insmod',
  'cat',
  'echo',
  'ls',
  'dmesg',
  'poweroff',
  'reboot',
  'sleep',
  'uname',
  'setsid',
  'cttyhack',
  'grep',
  'stty',
  'dd',
  'hexdump',
  'md5sum',
  'mknod',
  'mkdir',
  'sync',
  'umount',
];

/** A module of the kernel, and what is said to it when it is loaded. */
export interface Module {
  readonly image: Uint8Array;
  readonly parameters: string;
}

/**
 * busybox (a static i386 program) with a shell on the console, and modules that are loaded in order; ends the machine when the shell
 * ends. `serial`: the shell is on the first serial port wherever the console is.
 */
export function initramfs(busybox: Uint8Array, modules: readonly (Uint8Array | Module)[], serial = false): Uint8Array {
  const loaded = modules.map((module) => ('image' in module ? module : { image: module, parameters: '' }));
  const script = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
${loaded.map(({ parameters }, n) => `insmod /lib/${n}.ko ${parameters}\n`).join('')}echo "init: up"
${serial ? "setsid sh -c 'exec sh </dev/ttyS0 >/dev/ttyS0 2>&1'" : 'setsid cttyhack sh'}
poweroff -f
`;
  return cpio([
    ...['bin', 'dev', 'lib', 'proc', 'sys'].map((path) => ({ path, mode: DIRECTORY })),
    { path: 'dev/console', mode: CHARACTER, device: [5, 1] },
    { path: 'bin/busybox', mode: PROGRAM, data: busybox },
    ...COMMANDS.map((name) => ({ path: `bin/${name}`, mode: LINK, data: text('busybox') })),
    ...loaded.map(({ image: data }, n) => ({ path: `lib/${n}.ko`, mode: FILE, data })),
    { path: 'init', mode: PROGRAM, data: text(script) },
  ]);
}
