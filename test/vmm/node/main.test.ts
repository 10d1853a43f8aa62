import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../src/vmm/node/cli.ts', import.meta.url));
const hello = fileURLToPath(new URL('../../../examples/hello.img', import.meta.url));

/** Writes 'A' to COM1 and its own sector to sector 1 of the floppy, then ends with `status` through port F4h. */
function guest(status: number): Uint8Array {
  const image = new Uint8Array(1024);
  image.set([
    0x31,
    0xc0,
    0x8e,
    0xc0,
    0xba,
    0xf8,
    0x03,
    0xb0,
    0x41,
    0xee,
    0xb8,
    0x01,
    0x03,
    0xbb,
    0x00,
    0x7c,
    0xb9,
    0x02,
    0x00,
    0x31,
    0xd2,
    0xcd,
    0x13,
    0xb0,
    status,
    0xe6,
    0xf4,
    0xeb,
    0xfe,
  ]);
  image.set([0x55, 0xaa], 510);
  return image;
}

/** Writes 'A' to COM1 and halts. */
function guestThatStays(): Uint8Array {
  const image = new Uint8Array(1024);
  image.set([0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xf4, 0xeb, 0xfd]);
  image.set([0x55, 0xaa], 510);
  return image;
}

describe('cp86', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cp86-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function cp86(...args: string[]): { status: number | null; out: string; error: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'latin1', input: '' });
    return { status, out: stdout, error: stderr };
  }
  const image = (status: number, name = 'floppy.img') => {
    writeFileSync(join(folder, name), guest(status));
    return name;
  };
  const EXIT = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];

  it("runs an image, shows its serial output and ends with isa-debug-exit's status", () => {
    const { status, out } = cp86('-fda', image(0x10), '-serial', 'stdio', '-display', 'none', ...EXIT);
    assert.deepEqual([status, out], [33, 'A']);
  });

  it('boots from a virtio disk', () => {
    const { status, out } = cp86('-drive', `if=virtio,file=${image(2)}`, '-serial', 'stdio', ...EXIT);
    assert.deepEqual([status, out], [5, 'A']);
  });

  it('shows what is printed on the virtio console where its character device goes', () => {
    // mov dx,0xc01c (emergency write in the configuration behind the legacy registers) / mov al,'V' / out dx,al / mov al,1 / out 0xf4,al / jmp $
    const code = new Uint8Array(512);
    code.set([0xba, 0x1c, 0xc0, 0xb0, 0x56, 0xee, 0xb0, 0x01, 0xe6, 0xf4, 0xeb, 0xfe]);
    code.set([0x55, 0xaa], 510);
    writeFileSync(join(folder, 'console.img'), code);
    const run = (chardev: string) =>
      cp86('-fda', 'console.img', '-device', 'virtio-serial', '-chardev', chardev, '-device', 'virtconsole,chardev=c', ...EXIT);
    const shown = run('stdio,id=c');
    assert.deepEqual([shown.status, shown.out], [3, 'V']);
    assert.deepEqual(run('file,id=c,path=out').out, '');
    assert.equal(readFileSync(join(folder, 'out'), 'latin1'), 'V');
  });

  it('leaves images as they are, unless told to write through or to commit', () => {
    const file = image(1),
      through = `file=${file},if=floppy,snapshot=off`;
    const changed = (...args: string[]): boolean => {
      writeFileSync(join(folder, file), guest(1));
      assert.equal(cp86(...args, ...EXIT).status, 3);
      const now = new Uint8Array(readFileSync(join(folder, file)));
      assert.deepEqual(now.slice(0, 512), guest(1).slice(0, 512));
      return Buffer.from(now.slice(512)).equals(guest(1).slice(0, 512));
    };
    assert.equal(changed('-fda', file), false);
    assert.equal(changed('-drive', through), true);
    assert.equal(changed('-drive', through, '-snapshot'), false);
    assert.equal(changed('-fda', file, '--commit'), true);
  });

  it('lets one program at a time write an image', async () => {
    const file = image(1);
    writeFileSync(join(folder, file), guestThatStays());
    const through = `file=${file},if=floppy,snapshot=off`;
    const first = spawn(process.execPath, [program, '-drive', through, '-serial', 'stdio'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => first.stdout.once('data', resolve));
    const second = cp86('-drive', through, '-serial', 'stdio', '--timeout', '5');
    assert.deepEqual([second.status, second.out], [1, '']);
    assert.match(second.error, /^cp86: 'floppy\.img' is in use for writing by process \d+\./);
    assert.match(cp86('-fda', file, '--max-ticks', '20000').error, /in use for writing/);
    const ended = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await ended;
    assert.equal(cp86('-drive', through, '-serial', 'stdio', '--max-ticks', '20000').out, 'A');
    assert.match(cp86('-drive', through, '-hda', file).error, /in use for writing/);
    assert.deepEqual(readdirSync(folder), [file]);
  });

  it('writes the screen as a picture', () => {
    assert.equal(cp86('-fda', hello, '--warp', '-serial', 'none', '--max-ticks', '40000', '--screenshot', 'screen.png').status, 0);
    const file = readFileSync(join(folder, 'screen.png'));
    assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [640, 400]);
  });

  it('stops at a tick, prints hash and screen, and says the same when replayed', () => {
    const args = ['-fda', hello, '--warp', '-serial', 'none', '--hash', '--screen'];
    const first = cp86(...args, '--max-ticks', '40000', '--record', 'journal');
    assert.equal(first.status, 0);
    assert.match(first.out, /3 2 1 Hello from a boot sector!\nhash [0-9a-f]{16} at tick 40000\n$/);
    for (const tier of ['--interpret', '--translate']) assert.equal(cp86(...args, '--replay', 'journal', tier).out, first.out);
    assert.equal(cp86(...args, '--max-ticks', '40000').out, first.out, 'a second run');
    assert.notEqual(cp86(...args, '--max-ticks', '40000', '-rtc', 'base=2006-06-17').out, first.out);
    writeFileSync(join(folder, 'journal'), 'rubbish');
    assert.match(cp86(...args, '--replay', 'journal').error, /Journal: /);
  });

  it('writes the logs that were asked for', () => {
    cp86(
      '-fda',
      hello,
      '--warp',
      '-serial',
      'file:serial.txt',
      '--max-ticks',
      '30000',
      '--trace-exits',
      'exits.txt',
      '-d',
      'int,cpu_reset,in_asm',
      '-D',
      'log.txt',
    );
    const read = (name: string) => readFileSync(join(folder, name), 'latin1');
    assert.match(read('serial.txt'), /Hello from a boot sector!/);
    assert.match(read('exits.txt'), /^ +\d+ 0000:00007c[0-9a-f]{2} I\/O instruction +out 0x3f8, al = 0x48 'H'$/m);
    assert.match(read('log.txt'), /CPU Reset \(CPU 0\)\nEAX=00000000/);
    assert.match(read('log.txt'), /: v=08 e=0000 i=1 IP=0000:00007c[0-9a-f]{2}/);
    assert.match(read('log.txt'), /^0x00007c00: +31 c0 +xor +ax, ?ax$/m);
  });

  it('prints counters with --stats and stops at --timeout', () => {
    const { status, error } = cp86('-fda', hello, '-serial', 'none', '--timeout', '0.5', '--stats');
    assert.equal(status, 124);
    assert.match(error, /^ticks +\d+$/m);
    assert.match(error, /^exits hlt +\d+$/m);
  });

  const errors: [string[], RegExp][] = [
    [['-fda', 'nowhere.img'], /^cp86: cannot open 'nowhere.img': no such file\n$/],
    [['-virtfs', 'local,path=nowhere,mount_tag=x', hello], /^cp86: cannot share the folder 'nowhere': no such file\n$/],
    [['-frobnicate'], /^cp86: -frobnicate: there is no such option/],
    [[], /^cp86: no drive to boot from/],
    [['-kernel', program], /^cp86: not a kernel image/],
  ];
  for (const [args, message] of errors) {
    it(`says what is wrong with '${args[0] ?? ''}'`, () => {
      const { status, error } = cp86(...args);
      assert.equal(status, 1);
      assert.match(error, message);
    });
  }

  it('prints its help', () => assert.match(cp86('--help').out, /^Usage: cp86/));
});
