import assert from 'node:assert/strict';
import { virtconsoleBackend } from '../../../src/vmm/node/consoleOptions.ts';
import { OptionError } from '../../../src/vmm/node/optionList.ts';
import { helpText, OPTIONS, parseOptions, serialBackend } from '../../../src/vmm/node/options.ts';
import { startOfTime } from '../../../src/vmm/node/rtcOption.ts';

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
    const disk = { kind: 'disk', interface: 'ide', format: null, backing: null, readOnly: false, snapshot: true },
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
      { kind: 'floppy', interface: 'ide', index: 0, file: 'a,b', format: 'qcow2', backing: 'c', readOnly: true, snapshot: false },
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

  it('virtio drives have numbers of their own, and cards name those that are on no interface', () => {
    const { drives, cards } = parse(
      '-device virtio-blk-device,drive=root -drive if=virtio,file=a -hda b -drive if=none,id=root,file=c -device virtio-blk-pci,drive=two,serial=s -drive if=none,id=two,file=d',
    );
    assert.deepEqual(
      drives.map((drive) => `${drive.file} ${drive.interface} ${drive.index}`),
      ['a virtio 0', 'b ide 0', 'c virtio 1', 'd virtio 2'],
    );
    assert.deepEqual(cards, [
      { device: 'virtio-blk-device', properties: { drive: '1' } },
      { device: 'virtio-blk-pci', properties: { drive: '2', serial: 's' } },
    ]);
  });

  it('the virtio console goes where its character device does, and COM1 leaves standard output to it', () => {
    const settings = parse('-device virtio-serial -chardev stdio,id=c,mux=on -device virtconsole,chardev=c');
    assert.deepEqual(settings.cards, [{ device: 'virtio-serial-pci', properties: {} }]);
    assert.deepEqual(virtconsoleBackend(settings.characters), { kind: 'stdio', monitor: true });
    assert.deepEqual(serialBackend(settings, 0), { kind: 'none' });
    assert.deepEqual(virtconsoleBackend(parse('-chardev file,id=c,path=x -device virtconsole,chardev=c').characters), {
      kind: 'file',
      path: 'x',
    });
    assert.deepEqual(virtconsoleBackend(parse('-device virtconsole').characters), { kind: 'none' });
  });

  it('-rtc says where the clock starts; without it a counted clock always starts at the same date', () => {
    const now = new Date(Date.UTC(2030, 5, 6, 7, 8, 9)),
      start = (text: string): string => {
        const { date, clock } = parse(text);
        return new Date(startOfTime(date, clock, now)).toISOString();
      };
    assert.equal(start(''), '2026-01-01T00:00:00.000Z');
    assert.equal(start('--clock host'), now.toISOString());
    assert.equal(start('-rtc base=utc,driftfix=slew'), now.toISOString());
    assert.equal(start('-rtc clock=vm'), start(''));
    assert.equal(start('-rtc 2006-06-17'), '2006-06-17T00:00:00.000Z');
    assert.equal(start('-rtc base=2006-06-17T16:01:21,clock=host --clock host'), '2006-06-17T16:01:21.000Z');
    assert.equal(
      startOfTime(parse('-rtc base=localtime').date, 'instructions', now),
      Date.UTC(now.getFullYear(), now.getMonth(), now.getDate(), now.getHours(), now.getMinutes(), now.getSeconds()),
    );
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
  it('-virtfs is a card with its folder, as -device and -fsdev are in any order', () => {
    const backend = { type: 'local', properties: { path: '/a,b', readonly: 'on' } },
      cards = [{ device: 'virtio-9p-pci', properties: { mount_tag: 'host' }, backend }];
    assert.deepEqual(parse('-virtfs local,path=/a,,b,mount_tag=host,readonly=on').cards, cards);
    assert.deepEqual(parse('-virtfs local,path=/a,,b,mount_tag=host,readonly,id=x').cards, cards);
    const device = '-device virtio-9p-pci,fsdev=x,mount_tag=host',
      fsdev = '-fsdev local,id=x,path=/a,,b,readonly=on';
    assert.deepEqual(parse(`${fsdev} ${device}`).cards, cards);
    assert.deepEqual(parse(`-device edu ${device} ${fsdev}`).cards.slice(1), cards);
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
    ['-rtc base=yesterday', /-rtc base=yesterday: utc, localtime or a date/],
    ['-rtc base=1969-01-01', /a date from 1970 on/],
    ['-rtc base=2006-13-01', /a date from 1970 on/],
    ['-rtc time=utc', /'time' is not known/],
    ['-cpu nehalem', /^-cpu 'nehalem': the model can be 486, pentium/],
    ['-cpu max,+vmx', /^-cpu 'max,\+vmx': '\+vmx' is not known/],
    ['-device e1000', /isa-debug-exit/],
    ['-device edu,colour=red', /'colour' is not known/],
    ['-device edu,dma_mask=x', /dma_mask=x: a mask/],
    ['-device isa-debug-exit,iosize=3', /iosize/],
    ['-virtfs proxy,path=x,mount_tag=y', /^-virtfs proxy.*the type can be local/],
    ['-virtfs local,path=x', /mount_tag= is missing/],
    ['-virtfs local,mount_tag=x', /path= is missing/],
    ['-fsdev local,path=x', /id= is missing/],
    ['-fsdev local,id=a,path=x', /no -device is connected to it/],
    ['-fsdev local,id=a,path=x -fsdev local,id=a,path=y', /id a is given twice/],
    ['-device virtio-9p-pci,fsdev=a,mount_tag=x', /no -fsdev with id=a/],
    ['-virtfs local,path=x,mount_tag=y,fmode=0600', /^-virtfs .*'fmode' is not known/],
    ['-virtfs local,path=x,mount_tag=y,readonly=maybe', /readonly=maybe: it can be on, off/],
    ['-device virtio-9p-pci,mount_tag=x', /^-device virtio-9p-pci: fsdev= is missing/],
    ['-drive format=vmdk,file=x', /raw or qcow2/],
    ['-drive index=0', /file= is missing/],
    ['-drive file=x,bus=2', /'bus' is not known/],
    ['-drive if=scsi,file=x', /ide, floppy, virtio or none/],
    ['-drive if=virtio,media=cdrom,file=x', /interface ide/],
    ['-drive if=none,file=x', /needs id=/],
    ['-drive if=none,file=x,id=a', /no -device has drive=a/],
    ['-device virtio-blk-pci', /drive= is missing/],
    ['-device virtio-blk-pci,drive=a', /no -drive with if=none and id=a/],
    ['-drive if=none,file=x,id=a -device virtio-blk-pci,drive=a -device virtio-blk-pci,drive=a', /another device has the drive a/],
    ['-chardev socket,id=c', /stdio, file or null/],
    ['-chardev stdio', /id= is missing/],
    ['-device virtconsole,chardev=c', /no -chardev with id=c/],
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
    ['-net user', /no card is connected/],
    ['-net tap', /-net tap: the type can be user, switch/],
    ['-net nic,bus=1', /'bus' is not known/],
    ['-nic user,model=e1000', /model= can be ne2k_pci, ne2k_isa, virtio-net-pci, virtio-net-device/],
    ['-nic user,mac=01:00:00:00:00:00', /group/],
    ['-nic user,hostfwd=tcp:2222', /hostfwd tcp:2222: it is written/],
    ['-nic user,restrict=off', /restrict=on/],
    ['-nic user,tftp=/', /'tftp' is not known/],
    ['-nic switch,hostfwd=tcp::1-:1', /'hostfwd' is not known/],
    ['-netdev user', /id= is missing/],
    ['-netdev user,id=a -netdev user,id=a', /id a is given twice/],
    ['-netdev user,id=a', /no card is connected/],
    ['-device ne2k_pci,netdev=a', /no -netdev with id=a/],
    ['-netdev user,id=a -device ne2k_pci,netdev=a -device ne2k_isa,netdev=a', /no -netdev with id=a left/],
    ['-netdev user,id=a -device edu,netdev=a', /'edu' is no network card/],
  ];
  for (const [text, message] of errors) {
    it(`'${text}' is an error that names the option`, () =>
      assert.throws(
        () => parse(text),
        (error) => error instanceof OptionError && message.test(error.message),
      ));
  }

  it('connect network cards as QEMU does, whatever comes first', () => {
    const cards = (text: string) => parse(text).cards;
    const service = 'tcp:10.0.2.100:80-tcp:127.0.0.1:8080',
      forward = 'tcp::2222-:22';
    const user = { type: 'user', properties: { hostfwd: `${forward} udp::53-:53`, guestfwd: service } };
    const options = `hostfwd=${forward},hostfwd=udp::53-:53,guestfwd=${service}`;
    const card = { device: 'virtio-net-pci', properties: { mac: '52:54:00:00:00:01' }, backend: user };
    for (const text of [
      `-device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01 -netdev user,id=n0,${options}`,
      `-nic user,model=virtio,mac=52:54:00:00:00:01,${options}`,
      `-net nic,model=virtio-net-pci,macaddr=52:54:00:00:00:01 -net user,${options}`,
      `-net user,restrict=on,${options} -net nic,model=virtio,macaddr=52:54:00:00:00:01`,
    ])
      assert.deepEqual(cards(text), [card], text);
    assert.deepEqual(cards('-nic none -net none'), []);
    assert.deepEqual(cards('-net nic'), [{ device: 'ne2k_pci', properties: {} }], 'a card without a cable');
  });

  it('give guests on a switch addresses by their names', () => {
    const mac = (name: string): string | undefined => parse(`-nic switch -name ${name}`).cards[0].properties.mac;
    assert.match(mac('one') ?? '', /^52:54:00:/);
    assert.equal(mac('one'), mac('one'));
    assert.notEqual(mac('one'), mac('two'));
    const [first, second] = parse('-nic switch -nic switch,switch=b').cards;
    assert.notEqual(first.properties.mac, second.properties.mac);
  });

  it('are all in --help', () => {
    for (const { rows } of OPTIONS) for (const { name } of rows) assert.ok(helpText().includes(`  ${name}`), name);
    for (const line of helpText().split('\n')) assert.ok(line.length <= 130, line);
  });
});
