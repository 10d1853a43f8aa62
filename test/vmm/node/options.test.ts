import assert from 'node:assert/strict';
import { helpText, OPTIONS, OptionError, parseOptions, serialBackend } from '../../../src/vmm/node/options.ts';

const parse = (text: string) => parseOptions(text === '' ? [] : text.split(' '));

describe('command line options', () => {
  it('of a QEMU command line are understood', () => {
    const settings = parse(
      '-kernel k -initrd i -append quiet -m 64 -nographic -no-reboot -cpu pentium3 -machine pc -vga std -smp 1 -enable-kvm -display none -monitor none -no-shutdown',
    );
    assert.deepEqual(
      [settings.kernel, settings.initrd, settings.append, settings.memory, settings.nographic, settings.reboot, settings.shutdown],
      ['k', 'i', 'quiet', 64, true, false, false],
    );
  });

  const memory: [string, number][] = [
    ['64', 64],
    ['64M', 64],
    ['1G', 1024],
    ['2048K', 2],
    ['size=16M', 16],
  ];
  for (const [text, mib] of memory) it(`-m ${text} is ${mib} MiB`, () => assert.equal(parse(`-m ${text}`).memory, mib));

  it("name drives in all of QEMU's ways", () => {
    const disk = { kind: 'disk', format: null, backing: null, readOnly: false, snapshot: true },
      floppy = { ...disk, kind: 'floppy' };
    assert.deepEqual(parse('-fda a -hda c').drives, [
      { ...floppy, index: 0, file: 'a' },
      { ...disk, index: 0, file: 'c' },
    ]);
    assert.deepEqual(parse('disk.img').drives, [{ ...disk, index: 0, file: 'disk.img' }]);
  });
  it('-drive takes file, format, if, index, readonly and snapshot, and two commas for one', () => {
    const xv6 = '-drive file=fs.img,index=1,media=disk,format=raw -drive file=xv6.img,index=0,media=disk,format=raw';
    assert.deepEqual(
      parse(xv6).drives.map(({ file, index }) => [file, index]),
      [
        ['fs.img', 1],
        ['xv6.img', 0],
      ],
    );
    assert.deepEqual(parse('-drive file=a,,b,format=qcow2,backing=c,if=floppy,readonly=on,snapshot=off').drives, [
      { kind: 'floppy', index: 0, file: 'a,b', format: 'qcow2', backing: 'c', readOnly: true, snapshot: false },
    ]);
    assert.deepEqual(
      parse('-drive file=x,format=raw -drive file=y,format=raw').drives.map(({ index }) => index),
      [0, 1],
    );
  });

  it('-cdrom is the third place of the channels, which disks share', () => {
    const places = (text: string): string[] => parse(text).drives.map(({ kind, index }) => `${kind} ${index}`);
    assert.deepEqual(places('-cdrom x.iso -hda a -hdd d -drive file=e,media=disk'), ['cdrom 2', 'disk 0', 'disk 3', 'disk 1']);
    assert.deepEqual(places('-drive file=x.iso,media=cdrom,index=0'), ['cdrom 0']);
    assert.throws(() => parse('-cdrom x.iso -hdc c'), /disk drive 2 is given twice/);
  });

  it("-device isa-debug-exit has QEMU's defaults", () => {
    assert.deepEqual(parse('-device edu -device edu,dma_mask=0xffff').cards, [
      { device: 'edu', properties: {} },
      { device: 'edu', properties: { dma_mask: '0xffff' } },
    ]);
    assert.deepEqual(parse('-device isa-debug-exit').debugExit, { port: 0x501, size: 2 });
    assert.deepEqual(parse('-device isa-debug-exit,iobase=0xf4,iosize=0x04').debugExit, { port: 0xf4, size: 4 });
  });
  it('-vga takes std and none, and says so for other adapters', () => {
    assert.deepEqual([parse('').vga, parse('-vga std').vga, parse('-vga none').vga], ['std', 'std', 'none']);
    assert.throws(() => parse('-vga cirrus'), /-vga cirrus: it can be std or none/);
  });
  it('-bios and what goes with it', () => {
    const settings = parse('-bios bios-256k.bin -global VGA.romfile=vga.bin -global isa-debugcon.iobase=0x402');
    assert.deepEqual([settings.bios, settings.vgaBios, settings.debugconPort], ['bios-256k.bin', 'vga.bin', 0x402]);
    assert.throws(() => parse('-bios b -kernel k'), /-bios: boots from drives/);
    assert.throws(() => parse('-global PIIX4_PM.disable_s3=1'), /-global .*: it can be VGA.romfile/);
  });
  it('-boot takes letters and order=', () => {
    assert.equal(parse('-boot a').bootOrder, 'a');
    assert.equal(parse('-boot order=ac,menu=off').bootOrder, 'ac');
    assert.equal(parse('-boot once=d,order=dcn').bootOrder, 'dc');
  });
  it('-serial can be given for each port', () => {
    const settings = parse('-serial none -serial file:out.txt');
    assert.deepEqual([serialBackend(settings, 0), serialBackend(settings, 1)], [{ kind: 'none' }, { kind: 'file', path: 'out.txt' }]);
  });
  it('connect COM1 to the terminal unless a display or something else was asked for', () => {
    const kinds = ['', '-nographic', '-display none', '-display none -nographic', '-debugcon stdio', '-serial stdio -debugcon stdio'].map(
      (text) => serialBackend(parse(text), 0).kind,
    );
    assert.deepEqual(kinds, ['stdio', 'stdio', 'none', 'stdio', 'none', 'stdio']);
  });
  it('of our own are understood', () => {
    const settings = parse(
      '--warp --clock host --interpret --max-ticks 1000 --timeout 2.5 --record r --trace-exits t --stats --hash --screen',
    );
    assert.deepEqual(
      [settings.paced, settings.clock, settings.tier, settings.maxTicks, settings.timeout],
      [false, 'host', 'interpret', 1000, 2.5],
    );
    assert.ok(settings.stats && settings.hash && settings.screen);
  });
  it('-d takes several items', () => assert.deepEqual(parse('-d int,cpu_reset -D log').log, ['int', 'cpu_reset']));

  const errors: [string, RegExp][] = [
    ['-frobnicate', /^-frobnicate: there is no such option/],
    ['--frobnicate', /^--frobnicate: there is no such option/],
    ['-m', /^-m: SIZE is missing/],
    ['-m 0', /-m 0: memory can be/],
    ['-m 64T', /-m 64T: a size/],
    ['-m 2G', /1 MiB to 1 GiB/],
    ['-serial tcp::1', /-serial tcp::1: it can be/],
    ['-smp 2', /one processor/],
    ['-cpu nehalem', /^-cpu 'nehalem': the model can be 486, pentium/],
    ['-cpu max,+vmx', /^-cpu 'max,\+vmx': '\+vmx' is not known/],
    ['-device e1000', /isa-debug-exit/],
    ['-device edu,colour=red', /'colour' is not known/],
    ['-device edu,dma_mask=x', /dma_mask=x: a mask/],
    ['-device isa-debug-exit,iosize=3', /iosize/],
    ['-drive format=vmdk,file=x', /raw or qcow2/],
    ['-drive index=0', /file= is missing/],
    ['-drive file=x,bus=2', /'bus' is not known/],
    ['-fda a -fda b', /floppy drive 0 is given twice/],
    ['-d exits', /'exits' is not known/],
    ['-boot x', /letters a, c and d/],
    ['--clock sun', /instructions or host/],
    ['--max-ticks 1e9', /whole number/],
    ['--timeout 0', /seconds/],
    ['-initrd x', /needs -kernel/],
    ['-append x', /needs -kernel/],
    ['--record a --replay b', /replay/],
    ['-monitor tcp', /no monitor/],
    ['-net user', /none/],
  ];
  for (const [text, message] of errors) {
    it(`'${text}' is an error that names the option`, () =>
      assert.throws(
        () => parse(text),
        (error) => error instanceof OptionError && message.test(error.message),
      ));
  }

  it('are all in --help', () => {
    for (const { rows } of OPTIONS) for (const { name } of rows) assert.ok(helpText().includes(`  ${name}`), name);
    for (const line of helpText().split('\n')) assert.ok(line.length <= 130, line);
  });
});
