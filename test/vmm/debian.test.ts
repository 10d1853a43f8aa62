// A whole Debian 12 from a hard disk, on IDE or virtio: kernel, initial RAM disk, udev, init, login, as its packages are. It
// calculates, compiles, copies files from and to the host, fetches a page, boots again with what it wrote, and leaves its file system clean.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import type { CardConfig } from '../../src/vmm/protocol.ts';
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

/** Lines of a kernel's log that a machine without cards has not, or has otherwise. */
const OF_CARDS = /^pci 0000:00:(0[34]\.0: |.*BAR \d \[)/;

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
/** The page that the guest fetches and keeps. */
const PAGE = Array.from({ length: 20_000 }, (_, n) => `${n + 1}\n`).join('');
/** What md5sum prints. */
const sum = (bytes: string | Uint8Array, name: string): string => `${createHash('md5').update(bytes).digest('hex')}  ${name}\r`;

/** Where the root file system is, what sysfs says of that disk, and the network card beside it. */
const MACHINES = {
  // Multiword DMA, mode 2.
  ide: { root: '/dev/sda1', look: 'cat /sys/class/ata_device/dev1.0/xfer_mode', says: /\rXFER_MW_DMA_2\r/, card: 'ne2k_pci' },
  virtio: { root: '/dev/vda1', look: 'readlink /sys/block/vda/device/driver', says: /\/virtio_blk\r/, card: 'virtio-net-pci' },
} as const;
type Kernel = '686' | '686-pae';
type Machine = keyof typeof MACHINES;
/** Kernel, machine, and whether the guest also boots a second time. */
const RUNS: readonly (readonly [Kernel, Machine, boolean])[] = [
  ['686-pae', 'ide', false],
  ...(LONG
    ? ([
        ['686', 'ide', true],
        ['686', 'virtio', true],
        ['686-pae', 'virtio', true],
      ] as const)
    : []),
];

describe('Debian 12 on a hard disk', function () {
  this.timeout(6_000_000);
  let folder: string, layer: string, share: string;
  let server: Server;
  before((done) => {
    server = createServer((request, response) => response.end(request.url === '/page' ? PAGE : undefined));
    server.listen(0, '127.0.0.1', done);
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cp86-debian-'));
    layer = join(folder, 'layer.qcow2');
    share = join(folder, 'share');
    mkdirSync(share);
    writeFileSync(join(share, 'p.c'), PROGRAM);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function tool(program: string, ...args: string[]): void {
    const done = spawnSync(program, args, { encoding: 'utf8' });
    assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stdout}${done.stderr}`);
  }
  /** Boots a kernel with a layer over Debian's disk, so that what is committed does not change it. */
  function boot(context: Context, name: Kernel, machine: Machine): LinuxGuest {
    const base = requireTool(context, "Debian's disk"),
      kernel = requireTool(context, `${name} kernel of Debian's disk`),
      initrd = requireTool(context, `${name} initrd of Debian's disk`);
    tool(requireTool(context, 'qemu-img'), 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, layer);
    const { root, card } = MACHINES[machine],
      web = `tcp:web:80-tcp:127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cards: CardConfig[] = [
      { device: 'virtio-9p-pci', properties: { mount_tag: 'host' }, backend: { type: 'local', properties: { path: share } } },
      { device: card, properties: {}, backend: { type: 'user', properties: { guestfwd: web } } },
    ];
    return bootLinux(
      kernel,
      readFileSync(initrd),
      {
        drives: [{ kind: 'disk', interface: machine, index: 0, image: { path: layer }, backing: [{ path: base }], readOnly: false }],
        cards,
        onReset: 'reset',
      },
      COMMAND_LINE.replace('/dev/sda1', root),
    );
  }
  function logIn(linux: LinuxGuest): void {
    linux.until(/cp86 login: $/, BOOT);
    assert.doesNotMatch(linux.console(), WRONG);
    assert.match(linux.command('root'), /Debian GNU\/Linux comes with ABSOLUTELY NO WARRANTY/);
  }
  /** The kernel and the disk are those that were meant; the disk on IDE works by bus-master DMA. */
  function checkMachine(linux: LinuxGuest, kernel: Kernel, machine: Machine): void {
    const { root, look, says } = MACHINES[machine];
    assert.match(linux.command(look), says);
    assert.match(linux.command('uname -r; cat /proc/mounts'), new RegExp(`\\d-${kernel}\r\n[\\s\\S]*\n${root} / ext4 rw`));
  }
  /** The kernel's log is the one that is kept, but for the cards and the addresses that they move. */
  function checkLog(linux: LinuxGuest, kernel: Kernel): void {
    const kept = readFileSync(logFile(kernel === '686' ? '686' : '686pae', 'cp86'), 'utf8').trimEnd();
    const [now, before] = [bootLog(linux.console()), kept.split('\n')].map((lines) => lines.filter((line) => !OF_CARDS.test(line)));
    assert.deepEqual(now, before, 'npm run dmesg writes it anew');
  }

  function calculate(linux: LinuxGuest): void {
    let sum = 0;
    for (let n = 1; n <= 20_000; n++) sum += 1 / n ** 2;
    const perl = linux.command(`perl -e 'for my $n (1..20000) { $s += 1 / $n ** 2 } printf "%.12f\\n", $s'`);
    assert.ok(perl.includes(`\r${sum.toFixed(12)}\r`), perl);
  }
  /** A source comes from the shared folder, and the program goes there. */
  function compileWhatIsShared(linux: LinuxGuest): void {
    linux.type('mount -t 9p -o trans=virtio,version=9p2000.L host /mnt && cp /mnt/p.c . && gcc p.c -o p -lm && ./p; echo finished $?');
    assert.match(linux.until(/finished \d+\r[\s\S]*# $/, COMPILATION), /[\r\n]2262 primes, 8\.539734223\r\nfinished 0\r/);
    const sums = linux.command('cp p /mnt/program; umount /mnt; md5sum p.c p');
    assert.ok(sums.includes(sum(PROGRAM, 'p.c')), sums);
    assert.ok(sums.includes(sum(readFileSync(join(share, 'program')), 'p')), sums);
  }
  /** There is no DHCP client on the disk: the address is set by hand. */
  async function fetchPage(linux: LinuxGuest): Promise<void> {
    linux.command('card=$(ls /sys/class/net | grep -v lo); ip address add 10.0.2.15/24 dev $card; ip link set $card up');
    linux.command('echo nameserver 10.0.2.3 >/etc/resolv.conf');
    const said = await linux.networkCommand('wget -q -O page http://web/page; echo wget: $?; wget -q -O - http://web:81/; echo wget: $?');
    assert.match(said, /\rwget: 0\r\nwget: 4\r/, 'what is not listed cannot be reached');
    checkPage(linux);
  }
  function checkPage(linux: LinuxGuest): void {
    const said = linux.command('md5sum page');
    assert.ok(said.includes(sum(PAGE, 'page')), said);
  }
  function reboot(linux: LinuxGuest): void {
    linux.type('sync; reboot');
    logIn(linux);
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

  for (const [kernel, machine, again] of RUNS) {
    it(`${kernel}, ${machine}: logs in, calculates, compiles, shares, fetches,${again ? ' boots again,' : ''} powers off and leaves a clean file system`, async function () {
      const linux = boot(this, kernel, machine);
      logIn(linux);
      if (machine === 'ide') checkLog(linux, kernel);
      checkMachine(linux, kernel, machine);
      calculate(linux);
      compileWhatIsShared(linux);
      await fetchPage(linux);
      if (again) {
        reboot(linux);
        checkPage(linux);
      }
      powerOff(this, linux);
    });
  }
});
