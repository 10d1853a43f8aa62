// Debian's kernel mounts a folder of the host, and works in it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MODULE_GROUPS, type Module686 } from '../../../scripts/cache.ts';
import { initramfs } from '../../support/initramfs.ts';
import { LONG } from '../../support/long.ts';
import { seeded } from '../../support/random.ts';
import { requireTool } from '../../support/tools.ts';
import { BOOT, bootLinux, type LinuxGuest } from '../linuxGuest.ts';

const MODULES: readonly Module686[] = [...MODULE_GROUPS.virtio, ...MODULE_GROUPS.ninep];
const LARGE = 20 << 20;
/** Ticks that a copy of the large file may take. */
const COPY = 10e9;

/** What the guest does; the host looks at it afterwards. */
const SCRIPT = `
cd /mnt
cp large back
md5sum back
ls -l dated
date -r dated +%s
ls -a many | wc -l
ls many | sort | head -2
rm many/file0* && rmdir gone
mkdir made && mv small made/moved
ln -s ../small made/link
ln -s /etc/passwd made/outside
echo "appended by the guest" >> text
echo "new by the guest" > "name with
a line and 'quotes'"
cat hello text
touch -d @1000000000 dated
chmod 600 dated
mknod made/pipe p
cat out
mount | grep 9p
echo 'the script is over'
`;

/** Without the kernel's own lines, whose times depend on the numbers of the host's files. */
const withoutLog = (text: string): string => text.replace(/\[ *\d+\.\d{6}\] [^\n]*\n/g, '');

describe("Debian's kernel with a folder of the host", function () {
  this.timeout(1_200_000);
  let base: string, share: string;
  const path = (...names: string[]): string => join(share, ...names);
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'cp86-ninep-'));
    share = join(base, 'share');
    fill();
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  /** The folder as the guest finds it. */
  function fill(): void {
    for (const folder of ['', 'many', 'gone']) mkdirSync(path(folder));
    writeFileSync(join(base, 'outside'), 'outside');
    symlinkSync('../outside', path('out'));
    const random = seeded(9);
    writeFileSync(
      path('large'),
      Int32Array.from({ length: LARGE / 4 }, () => random.word()),
    );
    for (let n = 0; n < 1000; n++) writeFileSync(path('many', `file${String(n).padStart(3, '0')}`), '');
    for (const name of ['hello', 'text', 'small']) writeFileSync(path(name), `${name} of the host\n`);
    writeFileSync(path('dated'), '12345678901');
    utimesSync(path('dated'), 1_500_000_000, 1_500_000_000);
    writeFileSync(path('script'), SCRIPT);
  }

  function boot(kernel: string, busybox: string, modules: string, replay?: Uint8Array): LinuxGuest {
    const initrd = initramfs(
      readFileSync(busybox),
      MODULES.map((name) => readFileSync(join(modules, `${name}.ko`))),
    );
    return bootLinux(kernel, initrd, {
      cards: [{ device: 'virtio-9p-pci', properties: { mount_tag: 'host' }, backend: { type: 'local', properties: { path: share } } }],
      ...(replay ? { replay } : {}),
    });
  }

  /** Boots, runs the script and switches off; gives what the script said. */
  function run(linux: LinuxGuest): string {
    linux.until(/init: up[\s\S]*\/ # /, BOOT);
    linux.type('busybox --install -s /bin; mkdir /mnt');
    linux.type('mount -t 9p -o trans=virtio,version=9p2000.L host /mnt; echo mount: $?');
    linux.until(/mount: 0/);
    linux.type('sh /mnt/script');
    const said = linux.until(/the script is over/, COPY);
    linux.type('umount /mnt; poweroff -f');
    linux.untilEnd();
    assert.deepEqual(linux.events, ['ended 0: The guest powered off.']);
    return said;
  }

  it(`mounts it, copies 20 MB both ways, lists 1,000 entries, renames, removes${LONG ? '; a second run is alike, and a replay needs no folder' : ''}`, function () {
    const tools = [
      requireTool(this, "Debian's linux-image-686"),
      requireTool(this, "Debian's busybox-static, i386"),
      requireTool(this, "modules of Debian's linux-image-686"),
    ] as const;
    const linux = boot(...tools),
      said = run(linux);

    const sum = createHash('md5')
      .update(readFileSync(path('large')))
      .digest('hex');
    assert.match(said, new RegExp(`^${sum} {2}back`, 'm'));
    assert.ok(readFileSync(path('back')).equals(readFileSync(path('large'))));
    assert.match(said, /-rw-r--r-- .* 11 Jul 14 +2017 dated/);
    assert.match(said, /^1500000000\r?$/m);
    assert.match(said, /^1002\r?$/m);
    assert.match(said, /^file000\r?\nfile001\r?$/m);
    assert.equal(readdirSync(path('many')).length, 900);
    assert.ok(!existsSync(path('gone')));
    assert.equal(readFileSync(path('made', 'moved'), 'utf8'), 'small of the host\n');
    assert.equal(readlinkSync(path('made', 'link')), '../small');
    assert.match(said, /ln: .*made\/outside.*Operation not permitted/);
    assert.match(said, /mknod: .*made\/pipe.*Operation not permitted/);
    assert.deepEqual(readdirSync(path('made')).sort(), ['link', 'moved']);
    assert.match(said, /^hello of the host\r?\ntext of the host\r?\nappended by the guest\r?$/m);
    assert.match(said, /cat: .*out.*No such file/, 'the guest follows links among its own files');
    assert.equal(readFileSync(path("name with\na line and 'quotes'"), 'utf8'), 'new by the guest\n');
    const { mode, mtimeMs } = statSync(path('dated'));
    assert.deepEqual([mode & 0o777, mtimeMs], [0o600, 1_000_000_000_000]);
    assert.match(said, /^host on \/mnt type 9p /m);

    const hash = linux.hash(),
      journal = linux.journal(),
      text = linux.console();
    linux.dispose();
    if (!LONG) return;
    rmSync(share, { recursive: true });
    fill();
    const again = boot(...tools);
    assert.equal(withoutLog(run(again)), withoutLog(said));
    again.dispose();

    rmSync(share, { recursive: true });
    const replay = boot(...tools, journal);
    replay.until(/Power down/, 2 * COPY);
    replay.untilEnd();
    assert.equal(replay.console(), text);
    assert.equal(replay.hash(), hash);
    replay.dispose();
  });
});
