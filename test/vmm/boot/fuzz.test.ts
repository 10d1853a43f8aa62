// Random and mutated images for every loader: each is loaded properly or refused with an ImageError that says why. What a
// loader may do is bounded by the guest's memory, so that no image makes it work for long.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageError, type LoadedImage } from '../../../src/vmm/boot/image.ts';
import { loadBootSource } from '../../../src/vmm/boot/load.ts';
import { elfSymbols } from '../../../src/vmm/boot/symbols.ts';
import type { BootSource } from '../../../src/vmm/protocol.ts';
import { fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { type Random, seeded } from '../../support/random.ts';
import { bzImage, checkLoaded, elf, multiboot2Header, multibootHeader, mutate, pvhNote } from './images.ts';

const MEMORY = 4 << 20;

/** What the examples are made of, of every kind. */
const examples = readdirSync(join(import.meta.dirname, '../../../examples'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(img|com|elf|bin)$/.test(entry.name))
  .map((entry) => new Uint8Array(readFileSync(join(entry.parentPath, entry.name))));
const text = Uint8Array.from({ length: 300 }, (_, n) => n);
const multiboot2 = Uint8Array.of(
  ...multiboot2Header([
    [1, 0, [1, 4, 6, 9]],
    [3, 0, [0x100010]],
    [4, 0, [3]],
    [6, 0, []],
    [10, 0, [0, 0xffffffff, 4096, 1]],
  ]),
  ...text,
);
const notes = Uint8Array.of(...pvhNote(3, { name: 'GNU\0', type: 3 }), ...pvhNote(7, { name: 'Xen\0', type: 5 }), ...pvhNote(0x100020));
const seeds: readonly Uint8Array[] = [
  ...examples,
  elf({ segments: [{ virtual: 0x100000, bytes: text }], entry: 0x100000, symbols: [{ name: 'start', address: 0x100000 }] }),
  elf({
    segments: [
      { virtual: 0xc0100000, physical: 0x100000, bytes: Uint8Array.of(...multibootHeader(3), ...text), memorySize: 0x2000 },
      { virtual: 0xc0200000, physical: 0x200000, bytes: text },
    ],
    entry: 0xc0100010,
    symbols: [
      { name: 'start', address: 0xc0100010 },
      { name: 'table', address: 0xc0200000, size: 16, kind: 1 },
    ],
  }),
  Uint8Array.of(...multibootHeader(0x10003, [0x100000, 0x100000, 0x100100, 0x101000, 0x100020]), ...text),
  elf({
    segments: [
      {
        virtual: 0xc0100000,
        physical: 0x100000,
        bytes: Uint8Array.of(
          ...multiboot2Header([
            [1, 0, [1, 6]],
            [10, 0, [0, 0xffffffff, 4096, 2]],
            [4, 0, [3]],
          ]),
          ...text,
        ),
        memorySize: 0x2000,
      },
    ],
    entry: 0xc0100010,
    symbols: [{ name: 'start', address: 0xc0100010 }],
  }),
  Uint8Array.of(
    ...multiboot2Header([
      [2, 0, [0x100000, 0x100000, 0x100100, 0x101000]],
      [3, 0, [0x100020]],
    ]),
    ...text,
  ),
  elf({
    segments: [
      { virtual: 0x100000, bytes: text, memorySize: 0x2000 },
      { virtual: 0x110000, bytes: Uint8Array.of(...pvhNote(3, { name: 'GNU\0', type: 3 }), ...pvhNote(0x100020)) },
    ],
    entry: 0x100000,
    header: { [52 + 32]: 4 },
  }),
  bzImage(),
  bzImage({ version: 0x200, loadflags: 0 }),
  bzImage({ version: 0x20f, kernel: 5000 }),
];

/** Random bytes, with what the loaders look for at its place half of the time. */
function noise(random: Random): Uint8Array {
  const words = new Int32Array(random.below(750));
  for (let n = 0; n < words.length; n++) words[n] = random.word();
  const bytes = new Uint8Array(words.buffer).subarray(random.below(4));
  const magic = random.pick([
    [0, 0x7f, 0x45, 0x4c, 0x46, 1, 1, 1],
    [0x202, 0x48, 0x64, 0x72, 0x53],
    [0x1fe, 0x55, 0xaa],
    [4 * random.below(64), ...multibootHeader(random.pick([0, 3, 0x10003, 7]))],
    [
      8 * random.below(64),
      ...multiboot2Header([[random.below(12), random.below(2), [random.word(), random.word(), random.word(), random.word()]]]),
    ],
    [],
    [],
  ]);
  const [at, ...value] = magic;
  if (at !== undefined && at + value.length <= bytes.length) bytes.set(value, at);
  return bytes;
}

type Loader = (image: Uint8Array, random: Random) => BootSource;
const loaders: Record<string, Loader> = {
  kernel: (image) => ({ kind: 'kernel', image, commandLine: 'console=ttyS0' }),
  'kernel with modules': (image, random) => ({
    kind: 'kernel',
    image,
    commandLine: '',
    modules: [{ image: text.subarray(0, random.below(300)), commandLine: 'one' }],
  }),
  'kernel with initial RAM disk': (image, random) => ({
    kind: 'kernel',
    image,
    commandLine: '',
    initrd: text.subarray(0, random.below(300)),
  }),
  'Multiboot 2 header in an ELF file': (_, random) => ({
    kind: 'kernel',
    image: elf({
      segments: [{ virtual: 0xc0100000, physical: 0x100000, bytes: mutate(multiboot2, random), memorySize: 0x2000 }],
      entry: 0xc0100000,
      symbols: [{ name: 'start', address: 0xc0100000 }],
    }),
    commandLine: 'x',
    modules: [{ image: text.subarray(0, random.below(300)), commandLine: 'one' }],
  }),
  'PVH note': (_, random) => ({
    kind: 'kernel',
    image: elf({
      segments: [
        { virtual: 0x100000, bytes: text, memorySize: 0x2000 },
        { virtual: 0x110000, bytes: mutate(notes, random) },
      ],
      entry: 0x100000,
      header: { [52 + 32]: 4 },
    }),
    commandLine: 'x',
    initrd: text.subarray(0, random.below(300)),
  }),
  'kernel by its 32-bit entry': (image) => ({ kind: 'kernel', image, commandLine: 'x', linuxEntry: '32-bit' }),
  'flat binary': (image, random) => ({
    kind: 'flat',
    image,
    address: random.pick([0, 0x7c00, 0xffff0, 0x100000, random.below(MEMORY), random.word() >>> 0]),
    mode: random.pick([16, 32]),
    ...(random.below(2) ? { entry: random.pick([0x7c00, 0x100000, random.word() >>> 0]) } : {}),
  }),
  '.com program': (image, random) => ({ kind: 'com', image, commandLine: 'x'.repeat(random.below(140)) }),
  'boot sector': () => ({ kind: 'drives', order: 'acbd' }),
};

/** Loading is work in proportion to the memory, whatever the image says. */
function checkBounds(loaded: LoadedImage): void {
  checkLoaded(loaded, MEMORY);
  const bytes = loaded.writes.reduce((sum, write) => sum + write.length, 0);
  assert.ok(bytes <= 3 * MEMORY && loaded.writes.length <= 0x10000 + 16, `${loaded.writes.length} writes of ${bytes} bytes`);
}
/** Whether it was loaded; anything but success and ImageError is thrown on with the way to get it again. */
function attempt(title: string, load: () => void): boolean {
  try {
    load();
    return true;
  } catch (error) {
    if (error instanceof ImageError && error.message.length > 10) return false;
    throw new Error(`${title}: ${String(error)}`, { cause: error });
  }
}

describe('loaders, given random and mutated images', function () {
  this.timeout(fuzzTimeout(300_000));
  for (const [name, source] of Object.entries(loaders)) {
    it(`${name}: loads or refuses`, () => {
      let loaded = 0,
        refused = 0;
      const rounds = fuzzRounds(100_000);
      for (let seed = 1; seed <= rounds; seed++) {
        const random = seeded(seed),
          image = random.below(4) === 0 ? noise(random) : mutate(random.pick(seeds), random);
        const read = (offset: number, length: number): Uint8Array => image.slice(offset, offset + length);
        const drives = [
          { kind: random.pick(['floppy', 'disk'] as const), interface: 'ide' as const, index: random.below(2), size: image.length, read },
        ];
        const ok = attempt(`seed ${seed}`, () => checkBounds(loadBootSource(source(image, random), drives, MEMORY)));
        if (ok) loaded++;
        else refused++;
      }
      assert.ok(loaded > 0 && refused > 0, `${loaded} loaded, ${refused} refused`);
    });
  }
  it('symbols: read or refused', () => {
    let read = 0;
    const rounds = fuzzRounds(100_000);
    for (let seed = 1; seed <= rounds; seed++) {
      const random = seeded(seed),
        image = mutate(random.pick(seeds), random);
      if (attempt(`seed ${seed}`, () => assert.ok(elfSymbols(image).length <= image.length / 16))) read++;
    }
    assert.ok(read > 0 && read < rounds);
  });
});
