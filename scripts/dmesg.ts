/**
 * `npm run dmesg`: what Debian's kernels log on a machine of ours and on QEMU's `pc`, written to docs/dmesg; `npm run dmesg -- 686pae`
 * for one kernel. docs/devices.md explains each line that differs; test/vmm/dmesg.test.ts holds it to that. Needs the disk of
 * `node scripts/cache.ts debian` and qemu-system-i386.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CPU_MODELS, DEFAULT_CPU } from '../src/runtime/cpuModels.ts';
import { bootLog, COMMAND_LINE, END_OF_LOG, logFile } from '../test/vmm/bootLog.ts';
import { BOOT, bootLinux } from '../test/vmm/linuxGuest.ts';
import { findImage } from './cache.ts';
import { root } from './root.ts';

function needed(name: Parameters<typeof findImage>[0]): string {
  const file = findImage(name);
  if (!file) throw new Error('the disk with Debian is missing: node scripts/cache.ts debian');
  return file;
}

function onOurs(kernel: string, initrd: string): string {
  const linux = bootLinux(kernel, readFileSync(initrd), {}, COMMAND_LINE);
  linux.until(END_OF_LOG, BOOT);
  const text = linux.console();
  linux.dispose();
  return text;
}

/** The same on QEMU, with a processor like ours. The line goes to a file: a pipe that is not read in time would lose some of it. */
async function onQemu(kernel: string, initrd: string): Promise<string> {
  const cpu = `${DEFAULT_CPU},model-id=${CPU_MODELS[DEFAULT_CPU].brand}`,
    folder = mkdtempSync(join(tmpdir(), 'cp86-dmesg-')),
    file = join(folder, 'serial');
  const machine = ['-M', 'pc', '-m', '128', '-smp', '1', '-cpu', cpu, '-nic', 'none', '-display', 'none', '-serial', `file:${file}`];
  const child = spawn('qemu-system-i386', [...machine, '-kernel', kernel, '-initrd', initrd, '-append', COMMAND_LINE], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 600_000,
  });
  try {
    for (;;) {
      await new Promise((done) => setTimeout(done, 200));
      const text = existsSync(file) ? readFileSync(file, 'latin1') : '';
      if (END_OF_LOG.test(text)) return text;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`QEMU ended: ${text.slice(-1000)}`);
    }
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

mkdirSync(join(root, 'docs/dmesg'), { recursive: true });
const wanted = process.argv.slice(2);
for (const name of ['686', '686pae'] as const) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const kernel = needed(`debianLinux${name}`),
    initrd = needed(`debianInitrd${name}`);
  for (const [machine, text] of [
    ['qemu', await onQemu(kernel, initrd)],
    ['cp86', onOurs(kernel, initrd)],
  ] as const)
    writeFileSync(logFile(name, machine), `${bootLog(text).join('\n')}\n`);
}
