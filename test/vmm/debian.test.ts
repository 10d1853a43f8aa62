// A whole Debian 12 from a hard disk: kernel, initial RAM disk, udev, init, login, as its packages are. It calculates, compiles,
// writes its file system, boots again and leaves it clean.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { LONG } from '../support/long.ts';
import { requireTool } from '../support/tools.ts';
import { bootLog, COMMAND_LINE, logFile } from './bootLog.ts';
import { bootLinux, type LinuxGuest } from './linuxGuest.ts';

/** Ticks that are more than enough from the start to the login prompt, for a long command, and from it to the end. */
const BOOT = 40e9,
  COMPILATION = 10e9;
/** Where the partition begins on the disk (scripts/debian.ts). */
const PARTITION = 1 << 20;
/** What must not be in a kernel's log: the processor or a device is not as it should be. */
const WRONG = /\[Firmware Bug\]|WARNING:|BUG:|Oops|invalid opcode|segfault|nobody cared|I\/O error|EXT4-fs error|lost interrupt/;

const PROGRAM = `#include <math.h>
#include <stdio.h>
int main(void) {
  volatile double one = 1;
  int primes = 0;
  for (int n = 2; n < 20000; n++) {
    int d = 2;
    while (d <= (int)sqrt(n) && n % d) d++;
    primes += d > (int)sqrt(n);
  }
  printf("%d primes, %.9f\\n", primes, exp(one) * acos(-one));
  return 0;
}`;
const NUMBERS = Array.from({ length: 20_000 }, (_, n) => `${n + 1}\n`).join('');

describe('Debian 12 on a hard disk', function () {
  this.timeout(3_000_000);
  let folder: string, layer: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'cp86-debian-'));
    layer = join(folder, 'layer.qcow2');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function tool(program: string, ...args: string[]): void {
    const done = spawnSync(program, args, { encoding: 'utf8' });
    assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stdout}${done.stderr}`);
  }
  /** Boots a kernel with a layer over Debian's disk, so that what is committed does not change it. */
  function boot(context: Context, name: '686' | '686-pae'): LinuxGuest {
    const base = requireTool(context, "Debian's disk"),
      kernel = requireTool(context, `${name} kernel of Debian's disk`),
      initrd = requireTool(context, `${name} initrd of Debian's disk`);
    tool(requireTool(context, 'qemu-img'), 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, layer);
    return bootLinux(
      kernel,
      readFileSync(initrd),
      {
        drives: [{ kind: 'disk', index: 0, image: { path: layer }, backing: [{ path: base }], readOnly: false }],
        onReset: 'reset',
      },
      COMMAND_LINE,
    );
  }
  function logIn(linux: LinuxGuest): void {
    linux.until(/cp86 login: $/, BOOT);
    assert.doesNotMatch(linux.console(), WRONG);
    assert.match(linux.command('root'), /Debian GNU\/Linux comes with ABSOLUTELY NO WARRANTY/);
  }
  /** The kernel's log is the one that is kept. */
  function checkLog(linux: LinuxGuest, kernel: '686' | '686pae'): void {
    const now = `${bootLog(linux.console()).join('\n')}\n`,
      file = logFile(kernel, 'cp86');
    if (process.env.CP86_UPDATE === '1') writeFileSync(file, now);
    else assert.equal(now, readFileSync(file, 'utf8'), 'npm run dmesg writes it anew');
  }
  /** Switches off; what is then on the disk is a clean file system. */
  function powerOff(context: Context, linux: LinuxGuest): void {
    linux.type('poweroff');
    linux.untilEnd(COMPILATION);
    assert.deepEqual(linux.events, ['ended 0: The guest powered off.']);
    assert.doesNotMatch(linux.console(), WRONG);
    linux.commit();
    linux.dispose();
    const raw = join(folder, 'disk.raw');
    tool(requireTool(context, 'qemu-img'), 'convert', '-O', 'raw', layer, raw);
    tool(requireTool(context, 'e2fsck'), '-f', '-n', `${raw}?offset=${PARTITION}`);
  }

  function calculateAndCompile(linux: LinuxGuest): void {
    let sum = 0;
    for (let n = 1; n <= 50_000; n++) sum += 1 / n ** 2;
    const perl = linux.command(`perl -e 'for my $n (1..50000) { $s += 1 / $n ** 2 } printf "%.12f\\n", $s'`);
    assert.ok(perl.includes(`\r${sum.toFixed(12)}\r`), perl);

    linux.command(`cat >p.c <<'END'\n${PROGRAM}\nEND`);
    linux.type('gcc -O2 p.c -o p -lm && ./p; echo finished $?');
    assert.match(linux.until(/finished \d+\r[\s\S]*# $/, COMPILATION), /[\r\n]2262 primes, 8\.539734223\r\nfinished 0\r/);
  }

  it('with the kernel for PAE logs in, calculates, compiles, powers off and leaves a clean file system', function () {
    const linux = boot(this, '686-pae');
    logIn(linux);
    checkLog(linux, '686pae');
    assert.match(linux.command('uname -r; grep -c nx /proc/cpuinfo'), /-686-pae\r\n1\r/);
    calculateAndCompile(linux);
    powerOff(this, linux);
  });

  if (LONG)
    it('logs in, calculates, compiles, writes, boots again, powers off and leaves a clean file system', function () {
      const linux = boot(this, '686');
      logIn(linux);
      checkLog(linux, '686');
      calculateAndCompile(linux);

      linux.command('seq 1 20000 >numbers; sync');
      linux.type('reboot');
      logIn(linux);
      const hash = createHash('md5').update(NUMBERS).digest('hex');
      assert.ok(linux.command('md5sum numbers').includes(`${hash}  numbers`), 'what was written before the reset is there after it');
      powerOff(this, linux);
    });
});
