import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from '../../../scripts/root.ts';
import { OPTIONS } from '../../../src/vmm/node/options.ts';
import { skip } from '../../support/tools.ts';

const program = join(root, 'dist/cli/cp86.js');
const example = (name: string) => join(root, 'examples', name);

/** This Node, and the one that the user's PATH has. */
function runtimes(): { name: string; path: string }[] {
  const all = [process.execPath, ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'))];
  const found = new Map<string, string>();
  for (const path of all) {
    const version = existsSync(path) ? spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim() : '';
    const major = /^v(\d+)\./.exec(version)?.[1];
    if (major && Number(major) >= 20 && !found.has(major)) found.set(major, path);
  }
  return [...found].map(([major, path]) => ({ name: `Node ${major}`, path }));
}

/** A boot sector from its code. */
function sector(...code: number[]): Uint8Array {
  const image = new Uint8Array(512);
  image.set(code);
  image.set([0x55, 0xaa], 510);
  return image;
}
/** Debug console 'D', COM1 'A', COM2 'B', then `end`. */
const talks = (...end: number[]) =>
  sector(0xb0, 0x44, 0xe6, 0xe9, 0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xba, 0xf8, 0x02, 0xb0, 0x42, 0xee, ...end, 0xeb, 0xfe);
/** mov al,0x10 / out 0xf4,al */
const EXITS = [0xb0, 0x10, 0xe6, 0xf4];
/** mov al,0xfe / out 0x64,al */
const RESETS = [0xb0, 0xfe, 0xe6, 0x64];
/** mov dx,0x604 / mov ax,0x2000 / out dx,ax */
const POWERS_OFF = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef];
/** Sends the first byte of the second disk to COM1, and ends with status 33. */
const SECOND_DISK = sector(
  ...[0x31, 0xc0, 0x8e, 0xc0, 0x8e, 0xd8, 0xb8, 0x01, 0x02, 0xbb, 0x00, 0x80, 0xb9, 0x01, 0x00, 0xba, 0x81, 0x00, 0xcd, 0x13],
  ...[0xa0, 0x00, 0x80, 0xba, 0xf8, 0x03, 0xee, ...EXITS, 0xeb, 0xfe],
);
const EXIT_DEVICE = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
const WITHOUT_MEANING = '-display none -smp 1 -cpu pentium3 -machine pc -vga std -monitor none -enable-kvm'.split(' ');

for (const runtime of runtimes()) {
  describe(`cp86 as it is shipped, ${runtime.name}`, function () {
    this.timeout(120_000);
    let folder: string;
    before(function () {
      if (!existsSync(program)) skip(this, 'dist/cli/cp86.js is not built');
    });
    beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cp86-'))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    function cp86(...args: string[]): { status: number | null; out: string; error: string } {
      const { status, stdout, stderr } = spawnSync(runtime.path, [program, ...args], { cwd: folder, encoding: 'latin1', input: '' });
      return { status, out: stdout, error: stderr };
    }
    const put = (name: string, bytes: Uint8Array | string): string => (writeFileSync(join(folder, name), bytes), name);
    const read = (name: string): string => readFileSync(join(folder, name), 'latin1');

    it('boots floppies and disks with -fda, -hda, -drive and -boot, and ends with the status of isa-debug-exit', () => {
      const image = put('a.img', talks(...EXITS)),
        other = put('c.img', sector(0xb0, 0x20, 0xe6, 0xf4, 0xeb, 0xfe));
      const quiet = ['-nographic', ...EXIT_DEVICE, ...WITHOUT_MEANING];
      assert.deepEqual(cp86('-fda', image, ...quiet), { status: 33, out: 'A', error: '' });
      assert.equal(cp86('-hda', image, ...quiet).status, 33);
      assert.equal(cp86(image, ...quiet).status, 33);
      assert.equal(cp86('-drive', `file=${image},format=raw,if=floppy`, ...quiet).status, 33);
      assert.equal(cp86('-drive', `file=${image},format=raw,if=ide`, ...quiet).status, 33);
      assert.equal(cp86('-fda', image, '-hda', other, '-boot', 'a', ...quiet).status, 33);
      assert.equal(cp86('-fda', image, '-hda', other, '-boot', 'order=c', ...quiet).status, 65);
    });

    it('connects serial ports and debug console to standard output, files or nothing', () => {
      const image = put('a.img', talks(...EXITS));
      const run = (...args: string[]) => cp86('-fda', image, ...EXIT_DEVICE, ...args).out;
      assert.equal(run('-serial', 'stdio'), 'A');
      assert.equal(run('-serial', 'mon:stdio'), 'A');
      assert.equal(run('-serial', 'none'), '');
      assert.equal(run('-serial', 'file:1.txt', '-serial', 'file:2.txt', '-debugcon', 'file:d.txt'), '');
      assert.deepEqual(['1.txt', '2.txt', 'd.txt'].map(read), ['A', 'B', 'D']);
      assert.equal(run('-serial', 'none', '-debugcon', 'stdio'), 'D');
      assert.equal(run('-display', 'none'), '');
    });

    it('starts a kernel with -kernel, -initrd, -append and -m, and logs with -d and -D', () => {
      const module = put('module', 'a module');
      const kernel = [
        '-kernel',
        example('kernel/kernel.elf'),
        '-initrd',
        module,
        '-append',
        'quiet',
        '-m',
        '8',
        '-nographic',
        ...EXIT_DEVICE,
      ];
      const { status, out } = cp86(...kernel, '-d', 'in_asm,int,cpu_reset', '-D', 'log.txt');
      assert.equal(status, 1); // it writes 0
      assert.match(out, /entered by a Multiboot loader, 8 MiB of memory/);
      assert.match(out, /kernel: done\r\n$/);
      assert.match(read('log.txt'), /^CPU Reset \(CPU 0\)$/m);
      assert.match(read('log.txt'), /: v=0e e=0002 i=0 IP=0008:/);
      assert.match(read('log.txt'), /^0x0010[0-9a-f]{4}: +/m);
    });

    it('ends at a reset with -no-reboot, and stays after power-off with -no-shutdown', () => {
      const resets = put('r.img', talks(...RESETS)),
        powersOff = put('p.img', talks(...POWERS_OFF));
      assert.deepEqual(cp86('-fda', resets, '-serial', 'stdio', '-no-reboot'), { status: 0, out: 'A', error: '' });
      assert.match(cp86('-fda', resets, '-serial', 'stdio', '--max-ticks', '100000', '--warp').out, /^AA+$/);
      assert.deepEqual(cp86('-fda', powersOff, '-serial', 'stdio'), { status: 0, out: 'A', error: '' });
      assert.deepEqual(cp86('-fda', powersOff, '-serial', 'stdio', '-no-shutdown', '--timeout', '2').status, 124);
    });

    it('gives standard input to COM1, and ends well when it is told to', async () => {
      const child = spawn(runtime.path, [program, '-fda', example('echo.img'), '-nographic'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let out = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString('latin1');
          if (/xyzzy/i.test(out)) resolve();
        });
        child.stdin.write('xyzzy\r');
      });
      const status = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      assert.equal(await status, 0);
    });

    it('takes the place of QEMU in the Makefile of xv6', function () {
      if (spawnSync('make', ['--version']).status !== 0) skip(this, 'make not found');
      put('xv6.img', SECOND_DISK);
      put('fs.img', `Z${' '.repeat(511)}`);
      put(
        'Makefile',
        [
          'QEMU = qemu-system-i386',
          'QEMUOPTS = -drive file=fs.img,index=1,media=disk,format=raw -drive file=xv6.img,index=0,media=disk,format=raw -smp $(CPUS) -m 512 $(QEMUEXTRA)',
          'qemu: fs.img xv6.img',
          '\t$(QEMU) -serial mon:stdio $(QEMUOPTS)',
          'qemu-nox: fs.img xv6.img',
          '\t$(QEMU) -nographic $(QEMUOPTS)',
          '',
        ].join('\n'),
      );
      for (const target of ['qemu', 'qemu-nox']) {
        const { stdout, stderr } = spawnSync(
          'make',
          ['-s', target, `QEMU='${runtime.path}' '${program}'`, 'CPUS=1', `QEMUEXTRA=${EXIT_DEVICE.join(' ')}`],
          { cwd: folder, encoding: 'latin1', input: '' },
        );
        assert.equal(stdout, 'Z');
        assert.match(stderr, /Error 33/);
      }
    });

    it('records, replays and measures with its own options', () => {
      const image = ['-fda', example('count.img'), '-serial', 'none', '--hash'];
      const first = cp86(...image, '--warp', '--max-ticks', '30000', '--record', 'journal', '--stats', '--trace-exits', 'exits.txt');
      assert.match(first.out, /^hash [0-9a-f]{16} at tick 30000\n$/);
      assert.match(first.error, /^ticks +30000$/m);
      assert.match(read('exits.txt'), / I\/O instruction +/);
      for (const tier of [[], ['--interpret'], ['--translate']])
        assert.equal(cp86(...image, ...tier, '--replay', 'journal').out, first.out);
      assert.match(
        cp86('-fda', put('a.img', talks()), '-serial', 'none', '--hash', '--clock', 'host', '--max-ticks', '50000').out,
        / at tick 50000\n$/,
      );
    });

    it('has every option in its help, and says what is wrong with a command line', () => {
      const { status, out } = cp86('--help');
      assert.equal(status, 0);
      for (const { name } of OPTIONS.flatMap(({ rows }) => rows)) assert.match(out, new RegExp(`^ +${name}( |$)`, 'm'));
      for (const args of [
        ['-m', 'much'],
        ['-serial'],
        ['-smp', '2'],
        ['-nonsense'],
        ['-fda', 'none.img'],
        ['-device', 'e1000'],
        ['-d', 'all'],
      ]) {
        const wrong = cp86(...args);
        assert.equal(wrong.status, 1, args.join(' '));
        assert.match(wrong.error, /^cp86: /);
        assert.ok(wrong.error.includes(args[1] ?? args[0]));
      }
    });
  });
}
