import { strict as assert } from 'node:assert';
import { loadElf } from '../../../src/vmm/boot/elf.ts';
import { elf, fuzzLoader, refuses } from './images.ts';

const MEMORY = 8 << 20;
const code = Uint8Array.of(0xf4, 0xeb, 0xfd);
const simple = () => elf({ segments: [{ virtual: 0x100000, bytes: code, memorySize: 0x2000 }], entry: 0x100000 });

describe('plain ELF loader', () => {
  it('places segments at their physical addresses with zeros behind', () => {
    const loaded = loadElf(simple(), MEMORY);
    assert.equal(loaded.writes.length, 1);
    assert.deepEqual([loaded.writes[0].address, loaded.writes[0].length, [...loaded.writes[0].bytes]], [0x100000, 0x2000, [...code]]);
  });

  it('enters flat protected mode with interrupts and paging off', () => {
    const { registers } = loadElf(simple(), MEMORY);
    assert.deepEqual(
      [
        registers.eip,
        registers.cs,
        registers.cs_base,
        registers.cs_limit,
        registers.cs_access,
        registers.ds,
        registers.eflags,
        registers.cr0 & 0x80000001,
      ],
      [0x100000, 8, 0, 0xffffffff, 0xc09b, 0x10, 2, 1],
    );
    assert.equal(registers.gdtr_base & 7, 0);
  });

  it('translates a virtual entry point to its physical address', () => {
    const image = elf({ segments: [{ virtual: 0xc0100000, physical: 0x100000, bytes: code }], entry: 0xc0100001 });
    assert.equal(loadElf(image, MEMORY).registers.eip, 0x100001);
  });

  it('says what is wrong with a file, and where', () => {
    refuses(() => loadElf(elf({ segments: [], entry: 0, header: { 4: 2 } }), MEMORY), /64-bit ELF/, 4);
    refuses(() => loadElf(elf({ segments: [], entry: 0, header: { 5: 2 } }), MEMORY), /little-endian/, 5);
    refuses(() => loadElf(elf({ segments: [], entry: 0, header: { 0x12: 40 } }), MEMORY), /machine is 40/, 0x12);
    refuses(() => loadElf(elf({ segments: [], entry: 0, header: { 0x10: 3 } }), MEMORY), /position-independent/, 0x10);
    refuses(() => loadElf(elf({ segments: [], entry: 0, header: { 0x10: 1 } }), MEMORY), /relocatable object/, 0x10);
    refuses(() => loadElf(elf({ segments: [], entry: 0 }), MEMORY), /nothing to load/);
    refuses(() => loadElf(simple().subarray(0, 40), MEMORY), /truncated.*ELF header/);
    refuses(() => loadElf(simple().subarray(0, 4097), MEMORY), /truncated: a segment/, 4096);
    refuses(
      () => loadElf(elf({ segments: [{ virtual: 0x100000, bytes: code }], entry: 0x200000 }), MEMORY),
      /entry point 0x200000 is in no segment/,
      0x18,
    );
    refuses(
      () => loadElf(elf({ segments: [{ virtual: 0x100000, bytes: code, memorySize: 2 }], entry: 0x100000 }), MEMORY),
      /3 bytes in the file/i,
    );
    refuses(
      () => loadElf(elf({ segments: [{ virtual: 0x7ff000, bytes: code, memorySize: 0x2000 }], entry: 0x7ff000 }), MEMORY),
      /0x7ff000-0x800fff.*0x800000 bytes of RAM/,
      52 + 12,
    );
    refuses(() => loadElf(elf({ segments: [{ virtual: 0xb8000, bytes: code }], entry: 0xb8000 }), MEMORY), /video memory or ROM/);
    refuses(() => loadElf(Uint8Array.of(1, 2, 3, 4), MEMORY), /no ELF file/, 0);
  });

  it('refuses segments that are made to exhaust the loader', () => {
    const segment = { virtual: 0x100000, bytes: code, memorySize: 7 << 20 };
    refuses(
      () => loadElf(elf({ segments: Array.from({ length: 100 }, () => segment), entry: 0x100000 }), MEMORY),
      /larger than the memory/,
    );
  });

  it('survives mutated files', () => {
    fuzzLoader(
      [
        simple(),
        elf({
          segments: [
            { virtual: 0xc0100000, physical: 0x100000, bytes: code },
            { virtual: 0x1000, bytes: code, memorySize: 64 },
          ],
          entry: 0x1000,
        }),
      ],
      MEMORY,
      (image) => loadElf(image, MEMORY),
    );
  });
});
