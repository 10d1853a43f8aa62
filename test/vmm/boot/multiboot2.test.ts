import { strict as assert } from 'node:assert';
import type { LoadedImage } from '../../../src/vmm/boot/image.ts';
import { loadMultiboot2 } from '../../../src/vmm/boot/multiboot2.ts';
import { findMultiboot2Header } from '../../../src/vmm/boot/multibootHeaders.ts';
import { elf, fuzzLoader, multiboot2Header, refuses } from './images.ts';
import { memoryOf, readInformation } from './multiboot2Information.ts';

type Tags = Parameters<typeof multiboot2Header>[0];
const MEMORY = 16 << 20;
/** ACPI's root pointer, whatever is in it. */
const RSDP = Uint8Array.from({ length: 20 }, (_, n) => n + 1);
const bytesWith = (tags: Tags): Uint8Array => {
  const bytes = new Uint8Array(0x200);
  bytes.set(multiboot2Header(tags), 16);
  return bytes;
};
const kernel = (tags: Tags = []): Uint8Array =>
  elf({
    segments: [{ virtual: 0xc0100000, physical: 0x100000, bytes: bytesWith(tags), memorySize: 0x3000 }],
    entry: 0xc0100120,
    symbols: [{ name: 'start', address: 0xc0100120 }],
  });
/** A file with an address tag: its byte 0x40 is the header and goes to 200040h. */
const flat = (fields: readonly number[], entry: number | null = 0x200100, more: Tags = []): Uint8Array => {
  const file = new Uint8Array(1000).fill(0x90);
  file.set(multiboot2Header([[2, 0, fields], ...(entry === null ? [] : [[3, 0, [entry]] as const]), ...more]), 0x40);
  return file;
};
const FLAT = [0x200040, 0x200000, 0x200200, 0x201000];
const load = (image: Uint8Array, commandLine = ''): LoadedImage => loadMultiboot2(image, commandLine, [], MEMORY, RSDP);

describe('Multiboot 2 loader', () => {
  it('enters flat protected mode with the magic number and the information', () => {
    const { registers, title } = load(kernel());
    assert.deepEqual([registers.eax, registers.eip, registers.eflags, registers.cs_limit], [0x36d76289, 0x100120, 2, 0xffffffff]);
    assert.equal(registers.ebx % 8, 0);
    assert.equal(title, 'Multiboot 2 kernel (ELF)');
  });

  it('tells command line, memory, screen, ACPI and loader', () => {
    const loaded = load(kernel(), 'one two'),
      told = readInformation(memoryOf(loaded), loaded.registers.ebx);
    assert.equal(told.text(1), 'one two');
    assert.equal(told.text(2), 'CP/86');
    assert.deepEqual(told.words(4), [639, 15 * 1024]);
    assert.deepEqual(told.ram(), [
      [0, 0x9fc00],
      [0x100000, 15 << 20],
    ]);
    assert.deepEqual(told.words(8), [0xb8000, 0, 160, 80, 25, 0x0210]);
    assert.deepEqual(told.body(14), RSDP);
    assert.equal(told.body(21), undefined, 'it was not moved');
  });

  it('places modules on page boundaries behind the kernel, and symbols behind them', () => {
    const loaded = loadMultiboot2(
        kernel(),
        '',
        [
          { image: new Uint8Array(5000).fill(1), commandLine: 'first -x' },
          { image: Uint8Array.of(2, 2), commandLine: '' },
        ],
        MEMORY,
        RSDP,
      ),
      memory = memoryOf(loaded),
      told = readInformation(memory, loaded.registers.ebx);
    assert.deepEqual(told.modules(), [
      { start: 0x103000, end: 0x103000 + 5000, text: 'first -x' },
      { start: 0x105000, end: 0x105002, text: '' },
    ]);
    assert.deepEqual([...memory(0x105000, 3)], [2, 2, 0]);
    const [symbols, names] = told.sections().filter(({ size }) => size > 0);
    assert.ok(symbols && names && symbols.address >= 0x105002 && names.address >= symbols.address + symbols.size);
    assert.equal(new DataView(memory(symbols.address + 16, 8).buffer).getUint32(4, true), 0xc0100120);
    assert.equal(String.fromCharCode(...memory(names.address + 1, 5)), 'start');
  });

  it('leaves out symbols that have no room', () => {
    const bytes = kernel(),
      loaded = loadMultiboot2(bytes, '', [{ image: new Uint8Array(0x3fd000), commandLine: '' }], 5 << 20, RSDP);
    const { sections } = readInformation(memoryOf(loaded), loaded.registers.ebx);
    assert.deepEqual(
      sections().map(({ address }) => address),
      [0, 0, 0],
    );
  });

  it('follows an address tag, and an entry tag before the ELF header', () => {
    const loaded = load(flat(FLAT));
    assert.deepEqual([loaded.writes[0].address, loaded.writes[0].bytes.length, loaded.writes[0].length], [0x200000, 0x200, 0x1000]);
    assert.equal(loaded.registers.eip, 0x200100);
    assert.equal(load(flat([0x200040, 0xffffffff, 0, 0])).writes[0].length, 1000, 'all of the file');
    assert.equal(load(kernel([[3, 0, [0x100044]]])).registers.eip, 0x100044);
  });

  it('moves a kernel that says it can be moved where it may, and tells it', () => {
    const moved = (first: number, last: number, alignment: number, preference: number): readonly unknown[] => {
      const loaded = load(kernel([[10, 0, [first, last, alignment, preference]]]));
      return [loaded.writes[0].address, loaded.registers.eip, readInformation(memoryOf(loaded), loaded.registers.ebx).words(21)];
    };
    assert.deepEqual(moved(0x100000, 0xffffffff, 0x1000, 0), [0x100000, 0x100120, [0x100000]], 'it need not');
    assert.deepEqual(moved(0x180000, 0xffffffff, 0x100000, 0), [0x200000, 0x200120, [0x200000]]);
    assert.deepEqual(moved(0, 0xffffffff, 0x200000, 1), [0x200000, 0x200120, [0x200000]]);
    assert.deepEqual(moved(0, 0x4fffff, 0x1000, 2), [0x4fd000, 0x4fd120, [0x4fd000]]);
    const file = load(flat(FLAT, 0x200100, [[10, 0, [0x300000, 0x400000, 4, 1]]]));
    assert.deepEqual([file.writes[0].address, file.registers.eip], [0x300000, 0x300100]);
  });

  it('passes over what is optional, alignment of modules and what is for EFI', () => {
    load(
      kernel([
        [77, 1, [1, 2]],
        [1, 1, [99]],
        [1, 0, [1, 4, 6, 14]],
        [5, 0, [640, 480, 32]],
        [6, 0, []],
        [7, 0, []],
        [8, 0, [5]],
        [4, 0, [3]],
      ]),
    );
  });

  it('finds the header only where the specification allows it, and only with a right checksum', () => {
    const file = new Uint8Array(40000),
      header = multiboot2Header([]);
    file.set(header, 32768 - 24);
    assert.equal(findMultiboot2Header(file), 32768 - 24);
    assert.equal(findMultiboot2Header(file.subarray(4)), -1, 'a multiple of 4 only');
    file[32768 - 24 + 12] ^= 1;
    assert.equal(findMultiboot2Header(file), -1);
  });

  it('says what is wrong', () => {
    const sum = (bytes: Uint8Array): Uint8Array => {
      const words = new Uint32Array(bytes.buffer);
      words[3] = -(words[0] + words[1] + words[2]);
      const file = new Uint8Array(200);
      file.set(bytes);
      return file;
    };
    const at = 4096 + 16;
    refuses(() => load(new Uint8Array(100)), /no Multiboot 2 header/);
    refuses(() => load(sum(multiboot2Header([], 4))), /architecture is 4/, 4);
    const long = multiboot2Header([]);
    long[8] = 250;
    refuses(() => load(sum(long)), /truncated: the Multiboot 2 header/);
    const endless = multiboot2Header([]);
    endless[16] = 6;
    refuses(() => load(sum(endless)), /no end tag/);
    refuses(() => load(kernel([[77, 0, []]])), /type 77 is required/, at + 16);
    refuses(() => load(kernel([[1, 0, [1, 22]]])), /information of type 22/, at + 28);
    refuses(() => load(kernel([[4, 0, [1]]])), /does not support text/);
    refuses(() => load(kernel([[3, 0, []]])), /no entry_addr/);
    refuses(() => load(kernel([[3, 0, [0x200000]]])), /entry address 0x200000 is outside/);
    refuses(() => load(kernel([[10, 0, [0x200000, 0x201000, 1, 0]]])), /does not fit between/, at + 16);
    refuses(() => load(flat(FLAT, null)), /without an entry address tag/);
    refuses(() => load(flat([0x200040, 0x200050, 0, 0])), /does not go with header_addr/);
    refuses(() => load(flat([0x200100, 0x200000, 0, 0])), /before the file/);
    refuses(() => load(flat([0x200040, 0x200000, 0x1fffff, 0])), /not above load_addr/);
    refuses(() => load(flat([0x200040, 0x200000, 0x210000, 0])), /truncated/);
    refuses(() => load(flat([0x200040, 0x200000, 0x200200, 0x200100])), /bss_end_addr/);
    refuses(() => load(flat(FLAT, 0x300000)), /outside the kernel/);
  });

  it('survives mutated files', () => {
    fuzzLoader([kernel([[10, 0, [0, 0xffffffff, 0x1000, 2]]]), kernel(), flat(FLAT)], MEMORY, (image) =>
      loadMultiboot2(image, 'x', [{ image: Uint8Array.of(1), commandLine: 'm' }], MEMORY, RSDP),
    );
  });
});
