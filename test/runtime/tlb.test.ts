// The bounds of a guest's memory: whatever its page tables say, no access and no TLB slot reaches beyond its slice.

import assert from 'node:assert/strict';
import { NO_ENTRY } from '../../src/runtime/core.ts';
import { GuestFault } from '../../src/runtime/faults.ts';
import { PAGE } from '../../src/runtime/memory.ts';
import { S, VECTOR } from '../../src/translator/state.ts';
import { seeded } from '../support/random.ts';
import { canariesIntact, engine, host, memory, put32, r, raises, reset, SLICE } from './machine.ts';

const PG_PE = 0x80000001 | 0,
  PSE = 0x10,
  PGE = 0x80;

/** Every usable slot of both tables names a page of the slice that its state allows. */
function checkSlots(): number {
  let used = 0;
  for (const [table, writing] of [
    [engine.tr, false],
    [engine.tw, true],
  ] as const) {
    for (let slot = 0; slot < table.length; slot++) {
      const entry = table[slot]!;
      if (entry === NO_ENTRY) continue;
      used++;
      const at = entry ^ (slot << 12);
      assert.equal(at & 0xfff, 0);
      assert.ok(
        at >= SLICE.offset && at + 4096 <= SLICE.offset + SLICE.bytes,
        `slot ${slot.toString(16)} names arena offset ${at.toString(16)}`,
      );
      const state = memory.pageState[(at - SLICE.offset) / 4096]!;
      assert.equal(state & (PAGE.MMIO | PAGE.WATCHED), 0);
      if (writing) assert.equal(state & (PAGE.CODE | PAGE.ROM | PAGE.DIRTY), PAGE.DIRTY);
    }
  }
  return used;
}

describe('TLB: bounds of a guest', () => {
  it('paging off: writes everywhere in 4 GiB touch nothing outside the slice', () => {
    reset();
    const random = seeded(1);
    for (let n = 0; n < 20000; n++) {
      const near = [0, SLICE.bytes, 0xa0000, 0x100000, 0xffff0000, 0x80000000, SLICE.offset][random.below(7)]!;
      const at = (random.below(3) === 0 ? random.word() >>> random.below(16) : near + random.below(0x4000) - 0x2000) | 0;
      [engine.W8, engine.W16, engine.W32][random.below(3)]!(at, random.word());
      [engine.R8, engine.R16, engine.R32, engine.M8, engine.M16, engine.M32][random.below(6)]!(at);
    }
    assert.ok(checkSlots() > 100);
    assert.ok(canariesIntact());
  });

  it('random page tables, rights, sizes, A20 and page states never reach a neighbour', () => {
    reset();
    const random = seeded(2);
    for (let page = 0x200; page < 0x240; page++) memory.setState(page, random.pick([PAGE.CODE, PAGE.ROM, PAGE.MMIO, PAGE.WATCHED]), true);
    const directory = 0x200000 - 0x2000,
      table = 0x200000 - 0x1000;
    r[S.CR3] = directory;
    r[S.CR0] = PG_PE;
    r[S.CR4] = PSE | PGE;
    engine.refresh();
    const frames = [
      0,
      SLICE.bytes - 4096,
      SLICE.bytes,
      SLICE.bytes + 4096,
      0x7ffff000,
      0x80000000,
      0xfffef000,
      0xffff0000,
      0xfffff000,
      0xa0000,
      0x9f000,
    ];
    let faults = 0;
    for (let n = 0; n < 30000; n++) {
      if (n % 50 === 0) {
        for (let entry = 0; entry < 1024; entry += 1 + random.below(60)) {
          const frame = random.below(2) ? random.pick(frames) : random.word() & ~0xfff;
          put32(table + 4 * entry, frame | (random.word() & 0x1ff));
        }
        for (const entry of [0, 1, 2, 512, 1023]) {
          // Not the tables' own pages: they would be shot at, which is legal and leads nowhere.
          put32(directory + 4 * entry, random.below(3) ? table | 7 : (random.word() & 0xffc00000) | (random.word() & 0x17f) | 0x80);
        }
        const choice = random.below(5);
        if (choice === 0) engine.tlb.flush();
        else if (choice === 1) engine.tlb.flushLocal();
        else if (choice === 2) engine.setA20(random.below(2) === 0);
        else if (choice === 3) engine.tlb.invalidate(random.word());
        r[S.CR0] = random.below(2) ? PG_PE : PG_PE | 0x10000;
      }
      const at = ((random.pick([0, 1, 2, 512, 1023]) << 22) + random.below(0x400000)) | 0,
        user = random.below(2) * 4,
        size = random.pick([1, 2, 4] as const);
      try {
        if (random.below(2)) engine.writeAs(at, random.word(), size, user);
        else engine.readAs(at, size, user);
      } catch (caught) {
        assert.ok(caught instanceof GuestFault);
        assert.equal(caught.vector, VECTOR.PF);
        faults++;
      }
      if (n % 5000 === 4999) checkSlots();
    }
    assert.ok(faults > 1000 && faults < 29000, `${faults} faults`);
    assert.ok(canariesIntact());
  });

  it('an access that runs over the end of RAM stops at the end', () => {
    reset();
    engine.W32(SLICE.bytes - 2, 0x11223344);
    assert.deepEqual([...memory.readBytes(SLICE.bytes - 2, 4)], [0x44, 0x33]);
    assert.deepEqual(
      host.accesses.map((a) => [a.what, a.at, a.size, a.value]),
      [
        ['write', SLICE.bytes, 1, 0x22],
        ['write', SLICE.bytes + 1, 1, 0x11],
      ],
    );
    assert.ok(canariesIntact());
  });

  it("another guest attached to the same engine sees none of the first one's translations", () => {
    reset();
    for (let at = 0; at < 0x80000; at += 4096) engine.W32(at, 1);
    const first = checkSlots();
    reset();
    assert.ok(first > 200);
    assert.equal(checkSlots(), 0);
    assert.equal(engine.R32(0x3000), 0);
  });
});

describe('TLB: page states', () => {
  it('a page marked as code loses its write slots at once, global ones and user ones too', () => {
    reset();
    engine.W8(0x5000, 1);
    engine.writeAs(0x5000, 1, 1, 4);
    const seen: number[][] = [];
    memory.onCodeWrite = (...args) => void seen.push(args);
    memory.setState(5, PAGE.CODE, true);
    checkSlots();
    engine.W8(0x5003, 1);
    engine.W32(0x5010, 1);
    engine.W32(0x4ffe, 1);
    engine.R32(0x5000);
    assert.deepEqual(seen, [
      [5, 3, 1],
      [5, 0x10, 4],
      [5, 0, 1],
      [5, 1, 1],
    ]);
    memory.setState(5, PAGE.CODE, false);
    engine.W8(0x5003, 2);
    engine.W8(0x5004, 2);
    assert.equal(seen.length, 4);
  });
  it('data beside code may be written again and again as long as its translation stands', () => {
    reset();
    const directory = 0x10000,
      table = 0x11000;
    put32(directory, table | 3);
    for (let n = 0; n < 64; n++) put32(table + 4 * n, (n * 4096) | 3);
    r[S.CR3] = directory;
    r[S.CR0] = PG_PE | 0x10000;
    engine.refresh();
    let hits = 0;
    memory.onCodeWrite = () => void hits++;
    memory.setState(0x20, PAGE.CODE, true);
    engine.R8(0x20000);
    for (let n = 0; n < 5; n++) engine.W8(0x20000 + n, n);
    assert.equal(hits, 5);
    put32(table + 4 * 0x20, 0x21001);
    engine.tlb.invalidate(0x20000);
    raises(() => engine.W8(0x20000, 1), VECTOR.PF, 3);
    put32(table + 4 * 0x20, 0x20003);
    engine.W8(0x20000, 1);
    put32(table + 4 * 0x20, 0x20001);
    engine.tlb.flushLocal();
    engine.R8(0x20000);
    raises(() => engine.W8(0x20000, 1), VECTOR.PF, 3);
    raises(() => engine.writeAs(0x20000, 1, 1, 4), VECTOR.PF, 7);
  });
  it('a page whose dirty mark was taken away is marked again by the next write', () => {
    reset();
    engine.W8(0x5000, 1);
    assert.ok(memory.pageState[5]! & PAGE.DIRTY);
    memory.setState(5, PAGE.DIRTY, false);
    engine.W8(0x5000, 2);
    assert.ok(memory.pageState[5]! & PAGE.DIRTY);
  });
  it('accesses to a watched page are reported, reads and writes', () => {
    reset();
    engine.R8(0x6000);
    const seen: unknown[][] = [];
    memory.onWatched = (...args) => void seen.push(args);
    memory.setState(6, PAGE.WATCHED, true);
    engine.R8(0x6001);
    engine.W16(0x6002, 1);
    assert.deepEqual(seen, [
      [0x6001, 1, false],
      [0x6002, 2, true],
    ]);
  });
  it('alignment checks raise #AC in ring 3 only, with CR0.AM and EFLAGS.AC', () => {
    reset();
    r[S.CR0] = 0x40001;
    engine.refresh();
    r[S.CPL] = 3;
    engine.setFlags(0x40002);
    engine.R32(0x1000);
    engine.R16(0x1002);
    raises(() => engine.R32(0x1002), VECTOR.AC, 0);
    raises(() => engine.W16(0x1001, 0), VECTOR.AC, 0);
    engine.readSystem(0x1001, 4);
    r[S.CPL] = 0;
    engine.updateMode();
    engine.R32(0x1001);
    r[S.CPL] = 3;
    engine.setFlags(2);
    engine.R32(0x1001);
    engine.setFlags(0x40002);
    raises(() => engine.R32(0x1001), VECTOR.AC, 0);
  });
});
