import { strict as assert } from 'node:assert';
import { loadBootSource } from '../../../src/vmm/boot/load.ts';
import type { BootSource } from '../../../src/vmm/protocol.ts';
import { bzImage, elf, fuzzLoader, multiboot2Header, multibootHeader, pvhNote, refuses } from './images.ts';

const MEMORY = 8 << 20,
  code = Uint8Array.of(0xf4);
const kernel = (image: Uint8Array, more: Partial<Extract<BootSource, { kind: 'kernel' }>> = {}) =>
  loadBootSource({ kind: 'kernel', image, commandLine: '', ...more }, [], MEMORY);
const plain = elf({ segments: [{ virtual: 0x100000, bytes: code }], entry: 0x100000 });
const multiboot2 = elf({ segments: [{ virtual: 0x100000, bytes: multiboot2Header([]) }], entry: 0x100000 });
const pvh = elf({
  segments: [
    { virtual: 0x100000, bytes: code },
    { virtual: 0x200000, bytes: pvhNote(0x100000) },
  ],
  entry: 0x100000,
  header: { [52 + 32]: 4 },
});
const multiboot = elf({ segments: [{ virtual: 0x100000, bytes: multibootHeader(0) }], entry: 0x100000 });

describe('boot sources', () => {
  it('are recognised by content', () => {
    assert.match(kernel(bzImage()).title, /Linux boot protocol 2\.12/);
    assert.match(kernel(bzImage(), { linuxEntry: '32-bit' }).title, /32-bit entry/);
    assert.match(kernel(multiboot).title, /Multiboot 1/);
    assert.match(kernel(multiboot2).title, /Multiboot 2/);
    assert.match(kernel(pvh).title, /PVH/);
    assert.match(kernel(plain).title, /ELF executable/);
    assert.match(loadBootSource({ kind: 'flat', image: code, address: 0x7c00, mode: 16 }, [], MEMORY).title, /flat/);
    assert.match(loadBootSource({ kind: 'com', image: code, commandLine: '' }, [], MEMORY).title, /\.com/);
  });

  it('give the RAM disk to a Multiboot kernel as its first module', () => {
    const loaded = kernel(multiboot, { initrd: Uint8Array.of(1, 2), modules: [{ image: Uint8Array.of(3), commandLine: 'm' }] });
    assert.deepEqual(
      loaded.writes.slice(1, 3).map((write) => [...write.bytes]),
      [[1, 2], [3]],
    );
  });

  it('are refused with the reason when nothing fits', () => {
    refuses(() => kernel(new Uint8Array(0)), /empty/);
    refuses(() => kernel(new Uint8Array(5000)), /not a kernel image: no 'HdrS' at 0x202, no Multiboot header.*no ELF header/);
    refuses(() => kernel(plain, { initrd: code }), /neither initial RAM disk nor modules/);
    refuses(() => kernel(bzImage(), { modules: [{ image: code, commandLine: '' }] }), /not modules/);
  });

  it('survive mutated kernels of every kind', () => {
    fuzzLoader([bzImage(), multiboot, multiboot2, pvh, plain], MEMORY, (image) => kernel(image));
  });
});
