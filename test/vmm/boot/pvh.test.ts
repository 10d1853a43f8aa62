import { strict as assert } from 'node:assert';
import { loadPvh, pvhEntry } from '../../../src/vmm/boot/pvh.ts';
import { elf, fuzzLoader, pvhNote, refuses } from './images.ts';
import { memoryOf } from './multiboot2Information.ts';

const MEMORY = 16 << 20;
/** A kernel whose second program header is of notes. */
const kernel = (notes = pvhNote(0x100044)): Uint8Array =>
  elf({
    segments: [
      { virtual: 0xc0100000, physical: 0x100000, bytes: new Uint8Array(0x100), memorySize: 0x3000 },
      { virtual: 0xc0100100, bytes: notes },
    ],
    entry: 0x100000,
    header: { [52 + 32]: 4 },
  });

describe('PVH loader', () => {
  it('finds the entry among other notes', () => {
    const others = pvhNote(7, { name: 'GNU\0', type: 18 }),
      longer = pvhNote(5, { name: 'Xen\0', type: 6 });
    assert.equal(pvhEntry(kernel(Uint8Array.of(...others, ...longer, ...pvhNote(0x100088))))?.entry, 0x100088);
    assert.equal(pvhEntry(kernel(Uint8Array.of(...others, ...longer))), undefined);
    assert.equal(pvhEntry(new Uint8Array(100)), undefined);
  });

  it('enters 32-bit mode with the start information in EBX', () => {
    const { registers, title } = loadPvh(kernel(), '', [], MEMORY);
    assert.equal(title, 'PVH kernel (ELF)');
    assert.deepEqual([registers.eip, registers.eflags, registers.cr0 & 0x80000001, registers.tr_limit], [0x100044, 2, 1, 0x67]);
    assert.ok(registers.ebx >= 0x1000);
  });

  it('tells command line, modules, memory map and where ACPI begins', () => {
    const modules = [
      { image: new Uint8Array(5000).fill(1), commandLine: '' },
      { image: Uint8Array.of(2), commandLine: 'two' },
    ];
    const loaded = loadPvh(kernel(), 'console=ttyS0 x', modules, MEMORY),
      memory = memoryOf(loaded);
    const u32 = (at: number): number => new DataView(memory(at, 4).buffer).getUint32(0, true);
    const words = (at: number, count: number): number[] => Array.from({ length: count }, (_, n) => u32(at + 4 * n));
    const text = (at: number): string => {
      const bytes = memory(at, 64);
      return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
    };
    const [magic, version, flags, count, list, , line, , rsdp, , map, , rows] = words(loaded.registers.ebx, 13);
    assert.deepEqual([magic, version, flags, count], [0x336ec578, 1, 0, 2]);
    assert.equal(text(line), 'console=ttyS0 x');
    assert.equal(rsdp, 0xf8000);
    assert.deepEqual(words(list, 4), [0x103000, 0, 5000, 0]);
    assert.deepEqual(words(list + 32, 4), [0x105000, 0, 1, 0]);
    assert.equal(text(u32(list + 48)), 'two');
    const ram = Array.from({ length: rows }, (_, n) => words(map + 24 * n, 5)).filter((row) => row[4] === 1);
    assert.deepEqual(ram, [
      [0, 0, 0x9fc00, 0, 1],
      [0x100000, 0, 15 << 20, 0, 1],
    ]);
  });

  it('says what is wrong', () => {
    refuses(() => loadPvh(kernel(pvhNote(0x200000)), '', [], MEMORY), /entry point 0x200000 is outside/);
    refuses(() => loadPvh(kernel(new Uint8Array(4)), '', [], MEMORY), /no PVH entry/);
    const cut = kernel();
    cut[52 + 32 + 17] = 0xff;
    refuses(() => loadPvh(cut, '', [], MEMORY), /truncated: the notes/);
  });

  it('survives mutated files', () => {
    fuzzLoader([kernel(), kernel(Uint8Array.of(...pvhNote(1, { name: 'GNU\0', type: 1 }), ...pvhNote(0x100010)))], MEMORY, (image) =>
      loadPvh(image, 'x', [{ image: Uint8Array.of(1), commandLine: 'm' }], MEMORY),
    );
  });
});
