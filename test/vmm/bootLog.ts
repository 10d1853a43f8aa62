// A kernel's log from its console, so that two can be compared: times and what depends on sizes or on chance taken out.

import { join } from 'node:path';
import { root } from '../../scripts/root.ts';

/** Half of a boot would be the kernel testing its own cryptography. */
export const COMMAND_LINE = 'root=/dev/sda1 ro console=ttyS0 cryptomgr.notests';
/** The last line that is the kernel's alone. */
export const END_OF_LOG = /Run \/init as init process/;

/** A kept log of one of Debian's kernels. */
export const logFile = (kernel: '686' | '686pae', machine: 'cp86' | 'qemu'): string => join(root, `docs/dmesg/${kernel}.${machine}.txt`);

/** What is made alike in each line. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/^\[ *\d+\.\d+\] /, ''],
  // The kernel's build, and where things are that move with its size or by chance.
  [/^Linux version \S+.*/, 'Linux version ...'],
  [/\b\d+([Kk])\b/g, '...$1'],
  [/\b\d+(\.\d+)? ?(MB|KB|kB|bytes)\b/g, '... $2'],
  [/^(RAMDISK: |Allocated new RAMDISK: |Move RAMDISK from ).*/, '$1...'],
  [/(: )?\b[0-9a-f]{40}\b/g, ''],
  [/(audit: type=2000 audit)\(.*/, '$1(...)'],
  [/(setting system clock to ).*/, '$1...'],
  [/(percpu: Embedded \d+ pages\/cpu|pcpu-alloc: ).*/, '$1 ...'],
  [/(setup_percpu|Zone ranges|Early memory node ranges).*/, '$1 ...'],
  // How long things took, and when they were.
  [/(using sched offset of|Marking stable) .*/, '$1 ...'],
  [/(\.\.\.|after|in|took) \d+ (usecs|ms|msecs)/g, '$1 ... $2'],
  [/\b\d+(\.\d+)? (MHz|BogoMIPS|usecs|ms)\b/g, '... $2'],
  [/lpj=\d+/, 'lpj=...'],
  [/(max_cycles|max_idle_ns|mult|shift|freq|mask): ?\w+/g, '$1: ...'],
];

/** The lines of the log up to `END_OF_LOG`. */
export function bootLog(console: string): string[] {
  const lines = console.split(/\r*\n/).filter((line) => /^\[ *\d+\.\d+\] /.test(line)),
    end = lines.findIndex((line) => END_OF_LOG.test(line));
  return lines.slice(0, end + 1).map((line) => VARYING.reduce((text, [pattern, by]) => text.replace(pattern, by), line));
}
