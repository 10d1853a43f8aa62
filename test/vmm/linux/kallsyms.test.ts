import assert from 'node:assert/strict';
import { findKallsyms } from '../../../src/vmm/linux/kallsyms.ts';
import { fuzzRounds, fuzzTimeout } from '../../support/fuzz.ts';
import { type Random, seeded } from '../../support/random.ts';
import { kallsyms, LAYOUTS, type Layout, testSymbols } from './kallsyms.ts';

const PAGE_OFFSET = 0xc0000000,
  MEMORY = 1 << 20;
/** Where the kernel begins in physical memory, and where its tables are. */
const KERNEL = 0x20000,
  TABLES = 0x51234 & ~3;
const symbols = testSymbols(3000, PAGE_OFFSET + KERNEL);
/** All of physical memory, mapped from PAGE_OFFSET on. */
const lowMemory = (linear: number): number | null => (linear >= PAGE_OFFSET && linear < PAGE_OFFSET + MEMORY ? linear - PAGE_OFFSET : null);

function memoryWith(tables: Uint8Array, at = TABLES): Uint8Array {
  const ram = new Uint8Array(MEMORY);
  ram.set(tables, at);
  return ram;
}
const layout = (version: keyof typeof LAYOUTS): Layout => LAYOUTS[version] ?? assert.fail(String(version));

describe("a Linux kernel's symbols in memory", () => {
  for (const version of Object.keys(LAYOUTS)) {
    it(`are found as ${version} has them`, () => {
      const found = findKallsyms(memoryWith(kallsyms(symbols, layout(version))), lowMemory);
      assert.ok(found);
      assert.deepEqual(
        found.names.split('\n').slice(0, -1),
        symbols.map(({ type, name }) => type + name),
      );
      assert.deepEqual(
        [...found.addresses],
        symbols.map(({ address }) => address),
      );
    });
  }

  it('are found among memory full of noise, beside copies of tables that are nowhere mapped', () => {
    const tables = kallsyms(symbols, layout('6.1')),
      random = seeded(1);
    const ram = Uint8Array.from({ length: MEMORY }, () => random.word());
    ram.set(kallsyms(testSymbols(2000, 0xd0000000), layout('4.6')), 0x1000);
    ram.set(tables, TABLES);
    assert.equal(findKallsyms(ram, lowMemory)?.addresses.length, symbols.length);
  });

  it('are not believed where the page tables do not map the kernel', () => {
    const ram = memoryWith(kallsyms(symbols, layout('6.1')));
    assert.equal(
      findKallsyms(ram, () => null),
      null,
    );
    const copy = memoryWith(kallsyms(symbols, layout('6.1')), TABLES + 0x20000);
    assert.equal(
      findKallsyms(copy, (linear) => (linear < PAGE_OFFSET + 0x40000 ? lowMemory(linear) : 0)),
      null,
      'a copy elsewhere',
    );
  });

  it('are not found in memory without any, also of zeros or of one pattern', () => {
    for (const word of [0, -1, 0x20000, 0x00020000, 0x04040404, 0x00040000]) {
      const ram = new Uint8Array(new Int32Array(MEMORY / 4).fill(word).buffer);
      assert.equal(findKallsyms(ram, lowMemory), null);
    }
  });

  it('are looked for in bounded time in memory made to take long', function () {
    this.timeout(30_000);
    // Token indexes one behind the other, and nowhere a zero that ends a token.
    const index = Uint16Array.from({ length: 256 }, (_, n) => n * 2);
    const words = new Uint16Array(MEMORY * 4).fill(0x0101);
    for (let at = 0; at + 256 <= words.length; at += 256) words.set(index, at);
    assert.equal(findKallsyms(new Uint8Array(words.buffer), lowMemory), null);
    // Markers that fit everywhere, and names that all have one length.
    const ram = new Uint8Array(8 * MEMORY).fill(3);
    ram.set(kallsyms(symbols, layout('6.1')), 4 * MEMORY);
    for (let at = 0; at < 4 * MEMORY; at += 4)
      new DataView(ram.buffer).setInt32(at, (at >>> 2) % 64 === 0 ? 0 : ((at >>> 2) % 64) * 1024, true);
    findKallsyms(ram, lowMemory);
  });

  /** What may be wrong with tables: bytes and words changed, pieces missing or elsewhere. */
  function damage(ram: Uint8Array, length: number, random: Random): void {
    const words = new DataView(ram.buffer);
    for (let n = random.below(4); n >= 0; n--) {
      const at = TABLES + random.below(length);
      const kind = random.below(4);
      if (kind === 0) ram[at] = random.edgy();
      else if (kind === 1) words.setInt32(at & ~3, random.edgy(), true);
      else if (kind === 2) ram.copyWithin(at, TABLES + random.below(length), TABLES + random.below(length));
      else ram.fill(random.edgy(), at, at + random.below(600));
    }
  }

  it('are found whole or not at all when their tables are damaged, in bounded time', function () {
    this.timeout(fuzzTimeout(120_000));
    const small = testSymbols(1100, PAGE_OFFSET + KERNEL);
    const all = Object.keys(LAYOUTS).map((version) => kallsyms(small, layout(version)));
    let found = 0;
    const rounds = fuzzRounds(3000);
    for (let seed = 1; seed <= rounds; seed++) {
      const random = seeded(seed),
        tables = random.pick(all),
        ram = new Uint8Array(0x70000);
      ram.set(tables, TABLES);
      damage(ram, tables.length, random);
      const result = findKallsyms(ram, lowMemory);
      if (!result) continue;
      found++;
      assert.ok(result.addresses.length <= 500_000 && result.names.length <= 32 << 20);
      assert.equal(result.names.split('\n').length - 1, result.addresses.length, `seed ${seed}`);
    }
    assert.ok(found > rounds / 20 && found < rounds, `${found} of ${rounds}`);
  });

  it('are not found in random memory', function () {
    this.timeout(fuzzTimeout(120_000));
    for (let seed = 1; seed <= fuzzRounds(200); seed++) {
      const random = seeded(seed),
        words = Int32Array.from({ length: 1 << 14 }, () => (seed % 2 ? random.word() : random.edgy()));
      assert.equal(findKallsyms(new Uint8Array(words.buffer), lowMemory), null, `seed ${seed}`);
    }
  });
});
