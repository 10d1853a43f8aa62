import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import type { LoadedImage } from '../../../src/vmm/boot/image.ts';
import { loadMultiboot1 } from '../../../src/vmm/boot/multiboot1.ts';
import { findMultiboot1Header } from '../../../src/vmm/boot/multibootHeaders.ts';
import { elf, fuzzLoader, multibootHeader, refuses } from './images.ts';

const MEMORY = 16 << 20;
const kernelBytes = (flags = 3) => {
  const bytes = new Uint8Array(64);
  bytes.set(multibootHeader(flags), 16);
  return bytes;
};
const kernel = (flags = 3) => elf({ segments: [{ virtual: 0x100000, bytes: kernelBytes(flags), memorySize: 0x3000 }], entry: 0x100020 });

/** Memory as the guest sees it. */
function memoryOf(loaded: LoadedImage) {
  const read = (address: number, length: number) => {
    const bytes = new Uint8Array(length);
    for (const write of loaded.writes)
      for (let n = 0; n < length; n++) {
        const at = address + n - write.address;
        if (at >= 0 && at < write.length) bytes[n] = write.bytes[at] ?? 0;
      }
    return bytes;
  };
  const u32 = (address: number) => new DataView(read(address, 4).buffer).getUint32(0, true);
  const text = (address: number) => {
    const bytes = read(address, 256);
    return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
  };
  return { u32, text };
}

describe('Multiboot 1 loader', () => {
  it('enters with the magic number and the information structure', () => {
    const { registers, title } = loadMultiboot1(kernel(), 'kernel one two', [], MEMORY);
    assert.equal(registers.eax, 0x2badb002);
    assert.equal(registers.eip, 0x100020);
    assert.equal(registers.eflags & 0x200, 0);
    assert.match(title, /ELF/);
  });

  it('passes command line, memory sizes, memory map and loader name', () => {
    const loaded = loadMultiboot1(kernel(), 'kernel one two', [], MEMORY),
      { u32, text } = memoryOf(loaded),
      info = loaded.registers.ebx;
    assert.equal(u32(info) & 0x24f, 0x245);
    assert.equal(u32(info + 4), 639);
    assert.equal(u32(info + 8), 15 * 1024);
    assert.equal(text(u32(info + 16)), 'kernel one two');
    assert.equal(text(u32(info + 64)), 'CP/86');
    const rows: [number, number, number][] = [];
    for (let at = u32(info + 48), end = at + u32(info + 44); at < end; at += u32(at) + 4)
      rows.push([u32(at + 4), u32(at + 12), u32(at + 20)]);
    assert.deepEqual(
      rows.filter(([, , type]) => type === 1),
      [
        [0, 0x9fc00, 1],
        [0x100000, 15 << 20, 1],
      ],
    );
    assert.ok(rows.length > 3);
  });

  it('places modules behind the kernel on page boundaries', () => {
    const first = new Uint8Array(5000).fill(1),
      second = new Uint8Array(10).fill(2);
    const loaded = loadMultiboot1(
        kernel(),
        '',
        [
          { image: first, commandLine: 'first -x' },
          { image: second, commandLine: 'second' },
        ],
        MEMORY,
      ),
      { u32, text } = memoryOf(loaded),
      info = loaded.registers.ebx;
    assert.equal(u32(info) & 8, 8);
    assert.equal(u32(info + 20), 2);
    const list = u32(info + 24);
    assert.deepEqual([u32(list), u32(list + 4), text(u32(list + 8))], [0x103000, 0x103000 + 5000, 'first -x']);
    assert.deepEqual([u32(list + 16), u32(list + 20), text(u32(list + 24))], [0x105000, 0x10500a, 'second']);
    assert.equal(u32(0x105000), 0x02020202);
  });

  it('keeps the information away from a kernel in low memory', () => {
    const image = elf({ segments: [{ virtual: 0x8000, bytes: kernelBytes(), memorySize: 0x10000 }], entry: 0x8000 });
    assert.ok(loadMultiboot1(image, '', [], MEMORY).registers.ebx >= 0x18000);
  });

  it('follows the address fields of the header', () => {
    const file = new Uint8Array(1000).fill(0x90);
    file.set(multibootHeader(0x10000, [0x200010, 0x200000, 0x200200, 0x201000, 0x200040]), 0x50);
    const loaded = loadMultiboot1(file, '', [], MEMORY);
    assert.equal(loaded.writes[0].address, 0x200000);
    assert.equal(loaded.writes[0].bytes.length, 0x200);
    assert.equal(loaded.writes[0].length, 0x1000);
    assert.deepEqual([...loaded.writes[0].bytes.subarray(0x10, 0x14)], [0x02, 0xb0, 0xad, 0x1b]);
    assert.equal(loaded.registers.eip, 0x200040);
  });

  it('takes everything to the end of the file when load_end_addr is 0', () => {
    const file = new Uint8Array(1000);
    file.set(multibootHeader(0x10000, [0x200000, 0x200000, 0, 0, 0x200000]), 0x10);
    assert.equal(loadMultiboot1(file, '', [], MEMORY).writes[0].length, 1000 - 0x10);
  });

  it('finds the header only where the specification allows it, and only with a right checksum', () => {
    const file = new Uint8Array(10000);
    file.set(multibootHeader(0), 8192 - 12);
    assert.equal(findMultiboot1Header(file), 8192 - 12);
    file.copyWithin(8192 - 8, 8192 - 12, 8192).fill(0, 8192 - 12, 8192 - 8);
    assert.equal(findMultiboot1Header(file), -1);
    const wrong = new Uint8Array(100);
    wrong.set(multibootHeader(3), 8);
    wrong[16] ^= 1;
    assert.equal(findMultiboot1Header(wrong), -1);
    const odd = new Uint8Array(100);
    odd.set(multibootHeader(3), 10);
    assert.equal(findMultiboot1Header(odd), -1);
  });

  it('says what is wrong', () => {
    const fields = (values: number[]) => {
      const file = new Uint8Array(1000);
      file.set(multibootHeader(0x10000, values), 0x50);
      return () => loadMultiboot1(file, '', [], MEMORY);
    };
    refuses(() => loadMultiboot1(new Uint8Array(100), '', [], MEMORY), /no Multiboot header/);
    refuses(() => loadMultiboot1(kernel(0x8), '', [], MEMORY), /flags 0x8 ask/, 4096 + 16 + 4);
    refuses(fields([0x200000, 0x200010, 0, 0, 0]), /above header_addr/, 0x50 + 16);
    refuses(fields([0x200100, 0x200000, 0, 0, 0]), /before the file/);
    refuses(fields([0x200000, 0x200000, 0x1fffff, 0, 0]), /not above load_addr/, 0x50 + 20);
    refuses(fields([0x200000, 0x200000, 0x210000, 0, 0]), /truncated/);
    refuses(fields([0x200000, 0x200000, 0x200100, 0x200080, 0]), /bss_end_addr/);
    refuses(fields([0x200000, 0x200000, 0x200100, 0, 0x300000]), /entry_addr/, 0x50 + 28);
    refuses(fields([0x2000000, 0x2000000, 0, 0, 0x2000000]), /bytes of RAM/);
    refuses(() => loadMultiboot1(kernel(), '', [{ image: new Uint8Array(16 << 20), commandLine: '' }], MEMORY), /module 1 goes to/);
  });

  it('loads the example kernel', () => {
    const image = new Uint8Array(readFileSync(new URL('../../../examples/kernel/kernel.elf', import.meta.url)));
    assert.equal(loadMultiboot1(image, '', [], MEMORY).writes[0].address, 0x100000);
  });

  it('survives mutated files', () => {
    const file = new Uint8Array(1000);
    file.set(multibootHeader(0x10003, [0x200010, 0x200000, 0x200200, 0x201000, 0x200040]), 0x50);
    fuzzLoader([kernel(), file], MEMORY, (image) => loadMultiboot1(image, 'x', [{ image: Uint8Array.of(1), commandLine: 'm' }], MEMORY));
  });
});
