/** Launch configurations: what is accepted, what an error names, what a program is recognised as. */
import assert from 'node:assert/strict';
import { Fields } from '../../../extension/debug/fields.ts';
import { type GuestFiles, type GuestPlan, planGuest } from '../../../extension/debug/guestConfig.ts';
import { LAUNCH_ATTRIBUTES, readAttachArguments, readLaunchArguments, vectorOf } from '../../../extension/debug/launchArguments.ts';

const read = (values: object) => readLaunchArguments(new Fields(values));

const bootSector = (size = 512): Uint8Array => {
  const image = new Uint8Array(size);
  image.set([0x55, 0xaa], 510);
  return image;
};
const text = (characters: string): Uint8Array => Uint8Array.from(characters, (one) => one.charCodeAt(0));
const multiboot = (): Uint8Array => {
  const image = new Uint8Array(64);
  const view = new DataView(image.buffer);
  view.setUint32(16, 0x1badb002, true);
  view.setUint32(24, -0x1badb002, true);
  return image;
};

function plan(values: object, files: Record<string, Uint8Array>, localPath: GuestFiles['localPath'] = () => null): Promise<GuestPlan> {
  const readFile = async (path: string): Promise<Uint8Array> => {
    const found = files[path];
    if (!found) throw new Error('no such file');
    return found;
  };
  return planGuest(read(values), { readFile, localPath });
}

describe('a launch configuration', () => {
  it('needs no more than a program', () => {
    const args = read({ type: 'cp86', request: 'launch', name: 'mine', program: 'a.img', __sessionId: 'x' });
    assert.deepEqual(
      [args.name, args.memory, args.stopOnEntry, args.clock, args.onTripleFault],
      ['mine', 16, false, 'instructions', 'pause'],
    );
  });

  it('has the defaults that its table states', () => {
    const args = read({ program: 'a.img' }) as unknown as Record<string, unknown>;
    for (const [name, schema] of Object.entries(LAUNCH_ATTRIBUTES)) if ('default' in schema) assert.equal(args[name], schema.default, name);
  });

  it('has a network card in the words of -nic, with lists for what can be reached', () => {
    const guestfwd = ['tcp:web:80-tcp:127.0.0.1:8080', 'udp:10.0.2.50:53-udp:127.0.0.1:5353'];
    const { cards } = read({ program: 'a', devices: [{ device: 'edu' }], network: { type: 'user', model: 'virtio-net-pci', guestfwd } });
    assert.deepEqual(cards[1], {
      device: 'virtio-net-pci',
      properties: {},
      backend: { type: 'user', properties: { guestfwd: guestfwd.join(' ') } },
    });
    const [lan] = read({ program: 'a', name: 'one', network: { type: 'switch', switch: 'lab' } }).cards;
    assert.deepEqual([lan.device, lan.backend], ['ne2k_pci', { type: 'switch', properties: { switch: 'lab' } }]);
    assert.match(lan.properties.mac ?? '', /^52:54:00:/);
    assert.deepEqual(read({ program: 'a' }).cards, []);
  });

  const WRONG: [string, object, RegExp][] = [
    ['a network of an unknown type', { program: 'a', network: { type: 'tap' } }, /^network\.type: one of user, switch/],
    ['a network without a type', { program: 'a', network: {} }, /^network\.type: /],
    ['a network that is a word', { program: 'a', network: 'user' }, /^network: an object/],
    ['an unknown network card', { program: 'a', network: { type: 'user', model: 'e1000' } }, /^network\.model: one of ne2k_pci/],
    ['a service that is not one', { program: 'a', network: { type: 'user', guestfwd: ['80'] } }, /^network: .*guestfwd 80: it is written/],
    ['services that are no list', { program: 'a', network: { type: 'user', guestfwd: '80' } }, /^network\.guestfwd: a list/],
    ['an unknown property of a network', { program: 'a', network: { type: 'user', speed: 1 } }, /^network\.speed: is not known/],
    ['no program', {}, /^program: /],
    ['a program that is no text', { program: 5 }, /^program: a text/],
    ['a source as program', { program: 'a.asm' }, /^program: .*assemble/],
    ['program and kernel', { program: 'a', kernel: 'b' }, /^kernel: /],
    ['too much memory', { program: 'a', memory: 5000 }, /^memory: .*1 to 1024/],
    ['memory that is no number', { program: 'a', memory: 'much' }, /^memory: /],
    ['an unknown processor', { program: 'a', cpu: 'z80' }, /^cpu: .*486, pentium/],
    ['an unknown mode', { program: 'a', mode: 64 }, /^mode: one of 16, 32/],
    ['an unknown clock', { program: 'a', clock: 'sun' }, /^clock: one of/],
    ['a flag that is none', { program: 'a', stopOnEntry: 'yes' }, /^stopOnEntry: true or false/],
    ['a bad boot order', { program: 'a', boot: 'n' }, /^boot: /],
    ['a drive without file', { drives: [{ kind: 'disk' }] }, /^drives\[0\]\.file: /],
    ['a drive of a wrong kind', { drives: [{ file: 'x', kind: 'tape' }] }, /^drives\[0\]\.kind: /],
    ['a drive on an unknown interface', { drives: [{ file: 'x', kind: 'disk', interface: 'scsi' }] }, /^drives\[0\]\.interface: /],
    ['a backing file that is no path', { drives: [{ file: 'x', kind: 'disk', backing: [1] }] }, /^drives\[0\]\.backing\[0\]: /],
    ['a shared folder without a path', { program: 'a', sharedFolders: [{ tag: 'x' }] }, /^sharedFolders\[0\]\.folder: /],
    [
      'a tag that is too long',
      { program: 'a', sharedFolders: [{ folder: 'x', tag: 'x'.repeat(32) }] },
      /^sharedFolders\[0\]\.tag: a text of 1 to 31/,
    ],
    [
      'a card for a folder',
      { program: 'a', devices: [{ device: 'virtio-9p-pci', mount_tag: 'x' }] },
      /^devices\[0\]\.device: sharedFolders/,
    ],
    ['two folders of one tag', { program: 'a', sharedFolders: [{ folder: 'x' }, { folder: 'y' }] }, /^sharedFolders\[1\]\.tag: another/],
    ['drives that are no list', { drives: 'x' }, /^drives: a list/],
    ['a listing without file', { program: 'a', listing: [{ address: 1 }] }, /^listing\[0\]\.file: /],
    ['a listing at no address', { program: 'a', listing: { file: 'x', address: 'top' } }, /^listing\.address: /],
    ['an unknown exception', { program: 'a', breakOn: { exceptions: ['#XX'] } }, /^breakOn\.exceptions\[0\]: /],
    ['an unknown exit', { program: 'a', breakOn: { exits: ['sneeze'] } }, /^breakOn\.exits\[0\]: /],
    ['a bad date', { program: 'a', date: 'tomorrow' }, /^date: /],
    ['a debug exit without port', { program: 'a', debugExit: {} }, /^debugExit\.port: /],
  ];
  for (const [what, values, expected] of WRONG)
    it(`is refused for ${what}`, () => assert.throws(() => read(values), { message: expected }));

  it('takes numbers as text, in the forms of assembly', () => {
    assert.equal(read({ program: 'a', loadAddress: '0x100000' }).loadAddress, 0x100000);
    assert.equal(read({ program: 'a', loadAddress: '7c00h' }).loadAddress, 0x7c00);
  });

  it('takes one listing or several, and source for the first', () => {
    assert.deepEqual(read({ program: 'a', listing: 'x.lst', source: 'x.nasm' }).listings, [{ file: 'x.lst', source: 'x.nasm' }]);
    assert.deepEqual(read({ program: 'a', listing: ['x.lst', { file: 'y.lst', address: '0x8000' }] }).listings, [
      { file: 'x.lst' },
      { file: 'y.lst', source: undefined, address: 0x8000 },
    ]);
  });

  it('knows exceptions by name and number', () =>
    assert.deepEqual(['#PF', 'gp', '6', '#ZZ', '256'].map(vectorOf), [14, 13, 6, undefined, undefined]));
});

describe('an attach configuration', () => {
  it('needs the name of a guest', () => {
    assert.equal(readAttachArguments(new Fields({ guest: 'demo' })).guest, 'demo');
    assert.throws(() => readAttachArguments(new Fields({})), /^Error: guest: /);
  });
});

describe('a program', () => {
  it('shares folders of this computer, by cards', async () => {
    const values = { program: 'x.img', sharedFolders: [{ folder: '/a' }, { folder: '/b', tag: 'b', readOnly: true }] },
      files = { 'x.img': bootSector() };
    const card = (mount_tag: string, path: string, readonly: string) => ({
      device: 'virtio-9p-pci',
      properties: { mount_tag },
      backend: { type: 'local', properties: { path, readonly } },
    });
    const { config } = await plan(values, files, (path) => path);
    assert.deepEqual(config.cards, [card('host', '/a', 'off'), card('b', '/b', 'on')]);
    await assert.rejects(plan(values, files), /^Error: sharedFolders: \/a is no folder of this computer/);
  });

  it('is a floppy by its boot signature, and a disk when it is larger', async () => {
    const floppy = await plan({ program: 'x.img' }, { 'x.img': bootSector() });
    assert.deepEqual(floppy.config.boot, { kind: 'drives', order: 'a' });
    assert.equal(floppy.entry, 0x7c00);
    const disk = await plan({ program: 'x.img' }, { 'x.img': bootSector(4 << 20) });
    assert.deepEqual(disk.config.boot, { kind: 'drives', order: 'c' });
    assert.deepEqual(
      disk.config.drives.map((drive) => drive.kind),
      ['disk'],
    );
  });

  it('is a .com program by its name', async () => {
    assert.deepEqual((await plan({ program: 'X.COM', append: 'one two' }, { 'X.COM': Uint8Array.of(0xc3) })).config.boot, {
      kind: 'com',
      image: Uint8Array.of(0xc3),
      commandLine: 'one two',
    });
  });

  it('is a kernel when it is ELF, Multiboot or bzImage', async () => {
    const linux = new Uint8Array(0x400);
    linux.set(text('HdrS'), 0x202);
    for (const image of [text('\x7fELF and more'), multiboot(), linux])
      assert.equal((await plan({ program: 'k' }, { k: image })).config.boot.kind, 'kernel');
  });

  it('is a flat binary when loadAddress is given', async () => {
    const { config, address } = await plan({ program: 'f.bin', loadAddress: 0x100000, mode: 32 }, { 'f.bin': Uint8Array.of(0x90) });
    assert.deepEqual(config.boot, { kind: 'flat', image: Uint8Array.of(0x90), address: 0x100000, mode: 32, entry: undefined });
    assert.equal(address, 0x100000);
  });

  it('runs another firmware, with the VGA BIOS that is named, or the one beside it when there is one', async () => {
    const rom = new Uint8Array(0x10000).fill(1),
      files = { 'x.img': bootSector(), 'roms/bios.bin': rom };
    const firmware = async (more: { readonly [path: string]: Uint8Array }, vgaBios?: string) =>
      (await plan({ program: 'x.img', bios: 'roms/bios.bin', ...(vgaBios ? { vgaBios } : {}) }, { ...files, ...more })).config.bios;
    assert.deepEqual(await firmware({}), { rom });
    assert.deepEqual(await firmware({ 'roms/vgabios-stdvga.bin': text('beside') }), { rom, vgaRom: text('beside') });
    assert.deepEqual(await firmware({ 'v.bin': text('named') }, 'v.bin'), { rom, vgaRom: text('named') });
    await assert.rejects(firmware({}, 'v.bin'), /^Error: vgaBios: v\.bin cannot be read/);
  });

  it('is refused when it is nothing known, empty or missing, with the attribute', async () => {
    await assert.rejects(plan({ program: 'x' }, { x: Uint8Array.of(1, 2, 3) }), /^Error: program: x is no \.com/);
    await assert.rejects(plan({ program: 'x' }, { x: new Uint8Array() }), /^Error: program: x is empty/);
    await assert.rejects(plan({ program: 'x' }, {}), /^Error: program: x cannot be read \(no such file\)/);
    await assert.rejects(plan({ program: 'x', format: 'flat' }, { x: Uint8Array.of(1) }), /^Error: loadAddress: /);
    await assert.rejects(plan({ kernel: 'k', initrd: 'i' }, { k: multiboot() }), /^Error: initrd: i cannot be read/);
    await assert.rejects(
      plan({ drives: [{ file: 'd', kind: 'disk' }], boot: 'a' }, { d: bootSector() }),
      /^Error: boot: there is no floppy/,
    );
  });

  it('has images of 1 GiB handed over whole, and no larger ones', async () => {
    const asked: (number | undefined)[] = [];
    // As much as is asked for: the system gives memory that nobody touches without having it.
    const readFile = async (path: string, most?: number): Promise<Uint8Array> => {
      asked.push(most);
      return new Uint8Array(path === 'large' ? 2 ** 30 : (most ?? 0));
    };
    const drives = (file: string) => read({ drives: [{ file, kind: 'disk' }], boot: 'c' });
    const [drive] = (await planGuest(drives('large'), { readFile, localPath: () => null })).config.drives;
    assert.equal(drive && 'bytes' in drive.image && drive.image.bytes.length, 2 ** 30);
    await assert.rejects(
      planGuest(drives('larger'), { readFile, localPath: () => null }),
      /drives\[0\]\.file: larger is read whole here, and is larger than 1024 MiB/,
    );
    assert.deepEqual(asked, [2 ** 30 + 1, 2 ** 30 + 1], 'no more is read than tells');
  });

  it('has its images opened by the worker where it can, and handed over whole where not', async () => {
    const files = { p: bootSector(), d: bootSector(), b: bootSector() },
      values = { program: 'p', drives: [{ file: 'd', kind: 'disk', format: 'qcow2', backing: ['b'], snapshot: false }] };
    const local = await plan(values, { p: bootSector() }, (path) => `/folder/${path}`);
    assert.deepEqual(local.config.drives, [
      { kind: 'floppy', index: 0, readOnly: false, image: { path: '/folder/p' } },
      {
        kind: 'disk',
        interface: 'ide',
        index: 0,
        readOnly: false,
        image: { path: '/folder/d' },
        format: 'qcow2',
        backing: [{ path: '/folder/b' }],
        writeThrough: true,
      },
    ]);
    const whole = await plan(values, files);
    assert.deepEqual(whole.config.drives[1]?.image, { name: 'd', bytes: bootSector() });
    assert.deepEqual(whole.config.drives[1]?.backing, [{ name: 'b', bytes: bootSector() }]);
  });

  it('is a disk when it is a qcow2 image', async () => {
    const { config } = await plan({ program: 'x' }, { x: Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0) });
    assert.deepEqual([config.drives[0]?.kind, config.boot], ['disk', { kind: 'drives', order: 'c' }]);
  });

  it('is a CD-ROM when it has an ISO 9660 descriptor, and boots from it', async () => {
    const iso = new Uint8Array(17 * 2048);
    iso.set(bootSector());
    iso.set(new TextEncoder().encode('CD001'), 16 * 2048 + 1);
    const { config } = await plan({ program: 'x.iso' }, { 'x.iso': iso });
    assert.deepEqual([config.drives[0]?.kind, config.drives[0]?.index, config.boot], ['cdrom', 2, { kind: 'drives', order: 'd' }]);
    const beside = await plan({ drives: [{ file: 'd', kind: 'disk' }], cdrom: 'x.iso' }, { d: bootSector(), 'x.iso': iso });
    assert.deepEqual(
      [beside.config.drives.map(({ kind, index }) => `${kind} ${index}`), beside.config.boot],
      [['disk 0', 'cdrom 2'], { kind: 'drives', order: 'cd' }],
    );
    await assert.rejects(plan({ program: 'x.iso', cdrom: 'x.iso' }, { 'x.iso': iso }), /drives: cdrom 2 is program already/);
  });

  it('has virtio drives beside those on the IDE channels', async () => {
    const drives = [
      { file: 'd', kind: 'disk', interface: 'virtio', index: 7 },
      { file: 'd', kind: 'disk' },
    ];
    const { config } = await plan({ drives, devices: [{ device: 'virtio-blk-device', drive: 7 }] }, { d: bootSector() });
    assert.deepEqual(
      config.drives.map((drive) => `${drive.interface} ${drive.index}`),
      ['virtio 7', 'ide 0'],
    );
    assert.deepEqual(config.cards, [{ device: 'virtio-blk-device', properties: { drive: '7' } }]);
    assert.throws(() => read({ drives: [{ file: 'd', kind: 'disk', index: 7 }] }), /^Error: drives\[0\]\.index: /);
  });

  it('can be drives alone', async () => {
    const { config } = await plan({ drives: [{ file: 'd', kind: 'disk', readOnly: true }] }, { d: bootSector() });
    assert.deepEqual(config.boot, { kind: 'drives', order: 'c' });
    assert.equal(config.drives[0]?.readOnly, true);
  });

  it("sees the same date on every run unless it follows the host's clock", async () => {
    const files = { 'x.img': bootSector() };
    assert.equal((await plan({ program: 'x.img' }, files)).config.startOfTime, Date.UTC(2026, 0, 1));
    assert.equal(
      (await plan({ program: 'x.img', date: '1999-12-31T23:59:00Z' }, files)).config.startOfTime,
      Date.UTC(1999, 11, 31, 23, 59),
    );
  });
});
