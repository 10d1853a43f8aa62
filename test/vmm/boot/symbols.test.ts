import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { ImageError } from '../../../src/vmm/boot/image.ts';
import { elfSymbols, readElfSymbols } from '../../../src/vmm/boot/symbols.ts';
import { seeded } from '../../support/random.ts';
import { elf, mutate, refuses } from './images.ts';

const segments = [{ virtual: 0x100000, bytes: Uint8Array.of(0xf4) }];
const file = () =>
  elf({
    segments,
    entry: 0x100000,
    symbols: [
      { name: 'second', address: 0x100010, size: 8 },
      { name: 'first', address: 0x100000, size: 16 },
      { name: 'table', address: 0x100100, size: 4, kind: 1 },
      { name: 'label', address: 0x100005, kind: 0 },
      { name: 'file.c', address: 0, kind: 4 },
    ],
  });

describe('ELF symbols', () => {
  it('gives functions, objects and labels in order of address', () => {
    assert.deepEqual(elfSymbols(file()), [
      { name: 'first', address: 0x100000, size: 16, kind: 'function' },
      { name: 'label', address: 0x100005, size: 0, kind: 'label' },
      { name: 'second', address: 0x100010, size: 8, kind: 'function' },
      { name: 'table', address: 0x100100, size: 4, kind: 'object' },
    ]);
  });

  it('finds none in a file without a symbol table', () => {
    assert.deepEqual(elfSymbols(elf({ segments, entry: 0x100000 })), []);
  });

  it('finds the functions of the example kernel', () => {
    const symbols = elfSymbols(new Uint8Array(readFileSync(new URL('../../../examples/kernel/kernel.elf', import.meta.url))));
    for (const name of ['kernelMain', 'pageFault', 'tick'])
      assert.equal(symbols.find((symbol) => symbol.name === name)?.kind, 'function', name);
    assert.equal(symbols.find((symbol) => symbol.name === 'ticks')?.kind, 'object');
    assert.equal(symbols.find((symbol) => symbol.name === '_start')?.kind, 'label');
  });

  it('are read in pieces out of a file of gigabytes, and little is read', async () => {
    const small = file(),
      shift = 0xd0000000;
    // The sections and what they say are at the end of a file that is full of other things.
    const view = new DataView(small.buffer, small.byteOffset);
    const sections = view.getUint32(0x20, true);
    view.setUint32(0x20, sections + shift, true);
    for (const n of [1, 2]) view.setUint32(sections + n * 40 + 16, view.getUint32(sections + n * 40 + 16, true) + shift, true);
    let read = 0;
    const symbols = await readElfSymbols(async (offset, length) => {
      read += length;
      return offset < shift ? small.slice(offset, offset + length) : small.slice(offset - shift, offset - shift + length);
    });
    assert.deepEqual(symbols, elfSymbols(file()));
    assert.ok(read < small.length, `${read} bytes`);
    await assert.rejects(
      readElfSymbols(async (offset, length) => small.subarray(offset, offset + length)),
      /truncated: the section header table/,
    );
  });

  it('refuses damaged tables', () => {
    refuses(() => elfSymbols(file().subarray(0, file().length - 1)), /truncated: the section header table/);
    refuses(() => elfSymbols(Uint8Array.of(1, 2, 3)), /no ELF file/);
  });

  it('survives mutated files', () => {
    const random = seeded(3),
      image = file();
    for (let n = 0; n < 2000; n++) {
      try {
        assert.ok(elfSymbols(mutate(image, random)).length < 10);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
      }
    }
  });
});
