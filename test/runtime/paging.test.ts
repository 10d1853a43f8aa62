// Page walks against tables written from the SDM, volume 3, "Paging" and "Combined Page-Directory and Page-Table Protection".

import assert from 'node:assert/strict';
import { S, VECTOR } from '../../src/translator/state.ts';
import { engine, get32, host, memory, put32, r, raises, reset, resetTo } from './machine.ts';

const P = 1,
  RW = 2,
  US = 4,
  A = 0x20,
  D = 0x40,
  PS = 0x80,
  G = 0x100;
const DIRECTORY = 0x10000,
  TABLE = 0x11000,
  LINEAR = 0x00403000,
  PAGE = 0x23000;
const PDE = DIRECTORY + 4,
  PTE = TABLE + 3 * 4;
const PG_PE = 0x80000001 | 0,
  WP = 0x10000,
  PSE = 0x10,
  PGE = 0x80;

function paging(pde: number, pte: number, cr0 = 0, cr4 = 0, cpu = 'max'): void {
  resetTo(cpu);
  put32(PDE, TABLE | pde);
  put32(PTE, PAGE | pte);
  r[S.CR3] = DIRECTORY;
  r[S.CR0] = PG_PE | cr0;
  r[S.CR4] = cr4;
  engine.refresh();
}
const access = (write: boolean, user: boolean): number =>
  write ? (engine.writeAs(LINEAR + 8, 0x5a, 4, user ? 4 : 0), 0) : engine.readAs(LINEAR + 8, 4, user ? 4 : 0);

describe('paging: rights', () => {
  // [PDE, PTE, combined privilege, combined access]; * means read/write unless CR0.WP makes R/W flags count.
  const [US_RO, US_RW, SU_RO, SU_RW] = [US, US | RW, 0, RW];
  const COMBINED: [number, number, 'user' | 'supervisor', 'RO' | 'RW'][] = [
    [US_RO, US_RO, 'user', 'RO'],
    [US_RO, US_RW, 'user', 'RO'],
    [US_RW, US_RO, 'user', 'RO'],
    [US_RW, US_RW, 'user', 'RW'],
    [US_RO, SU_RO, 'supervisor', 'RO'],
    [US_RO, SU_RW, 'supervisor', 'RO'],
    [US_RW, SU_RO, 'supervisor', 'RO'],
    [US_RW, SU_RW, 'supervisor', 'RW'],
    [SU_RO, US_RO, 'supervisor', 'RO'],
    [SU_RO, US_RW, 'supervisor', 'RO'],
    [SU_RW, US_RO, 'supervisor', 'RO'],
    [SU_RW, US_RW, 'supervisor', 'RW'],
    [SU_RO, SU_RO, 'supervisor', 'RO'],
    [SU_RO, SU_RW, 'supervisor', 'RO'],
    [SU_RW, SU_RO, 'supervisor', 'RO'],
    [SU_RW, SU_RW, 'supervisor', 'RW'],
  ];
  for (const wp of [0, WP]) {
    for (const [pde, pte, privilege, rights] of COMBINED) {
      for (const user of [false, true]) {
        for (const write of [false, true]) {
          const allowed = (privilege === 'user' || !user) && (!write || rights === 'RW' || (!user && wp === 0));
          const name = `WP ${wp ? 1 : 0}, PDE ${pde}, PTE ${pte}: ${user ? 'user' : 'supervisor'} ${write ? 'write' : 'read'} ${allowed ? 'succeeds' : 'raises #PF'}`;
          it(name, () => {
            paging(pde | P, pte | P, wp);
            if (allowed) {
              access(write, user);
              assert.equal(get32(PDE) & (A | D), A);
              assert.equal(get32(PTE) & (A | D), A | (write ? D : 0));
            } else {
              assert.equal(
                raises(() => access(write, user), VECTOR.PF, P | (write ? 2 : 0) | (user ? 4 : 0)),
                LINEAR + 8,
              );
              assert.equal(get32(PTE) & (A | D), 0);
            }
          });
        }
      }
    }
  }
  for (const [pde, pte, what] of [
    [0, P | RW | US, 'directory entry'],
    [P | RW | US, 0, 'table entry'],
  ] as const) {
    for (const user of [false, true]) {
      for (const write of [false, true]) {
        it(`absent ${what}: ${user ? 'user' : 'supervisor'} ${write ? 'write' : 'read'} raises #PF with P clear`, () => {
          paging(pde, pte);
          assert.equal(
            raises(() => access(write, user), VECTOR.PF, (write ? 2 : 0) | (user ? 4 : 0)),
            LINEAR + 8,
          );
        });
      }
    }
  }
});

describe('paging: large pages, dirty and global', () => {
  it('PS maps 4 MiB when CR4.PSE is set and is ignored when not', () => {
    paging(P | RW | US | PS, P | RW, 0, PSE);
    put32(PDE, 0x00000000 | P | RW | PS);
    put32(0x3000 + 8, 0x12345678);
    assert.equal(engine.R32(LINEAR + 8), 0x12345678);
    assert.equal(get32(PDE) & (A | D), A);
    engine.W32(LINEAR + 8, 1);
    assert.equal(get32(PDE) & (A | D), A | D);
    paging(P | RW | US | PS, P | RW, 0, 0);
    put32(PAGE + 8, 0x77);
    assert.equal(engine.R32(LINEAR + 8), 0x77);
  });
  it('bits 21-17 of a large page are reserved, with 32 address bits 21-13, and without PAT bit 12: #PF with RSVD', () => {
    for (const [cpu, first] of [
      ['max', 17],
      ['max,-pse36', 13],
      ['max,-pse36,-pat', 12],
    ] as const)
      for (let bit = 12; bit <= 21; bit++) {
        paging(0, 0, 0, PSE, cpu);
        if (bit < first) continue;
        put32(PDE, (1 << bit) | P | RW | US | PS);
        raises(() => engine.R8(LINEAR), VECTOR.PF, P | 8);
        raises(() => engine.W8(LINEAR, 0), VECTOR.PF, P | 8 | 2);
      }
  });
  it('with PSE-36 bits 16-13 of a large page are address bits 35-32, where nobody answers', () => {
    paging(0, 0, 0, PSE);
    put32(PDE, (5 << 13) | 0x12400000 | P | RW | PS);
    host.accesses = [];
    engine.R32(LINEAR + 8);
    assert.deepEqual(
      host.accesses.map(({ at }) => at),
      [0x5_12403008],
    );
  });
  it('bit 7 of a page-table entry is reserved without PAT where large pages are on', () => {
    paging(P | RW, P | RW | PS, 0, PSE, 'max,-pat');
    raises(() => engine.R8(LINEAR), VECTOR.PF, P | 8);
    for (const [cr4, cpu] of [
      [0, 'max,-pat'],
      [PSE, 'max'],
    ] as const) {
      paging(P | RW, P | RW | PS, 0, cr4, cpu);
      engine.R8(LINEAR);
    }
  });
  it('the first write after a read sets the dirty flag', () => {
    paging(P | RW, P | RW);
    engine.R32(LINEAR);
    assert.equal(get32(PTE) & D, 0);
    engine.W8(LINEAR, 1);
    assert.equal(get32(PTE) & D, D);
  });
  it('a read with intent to write sets the dirty flag and fails as a write', () => {
    paging(P | RW, P | RW);
    engine.M16(LINEAR);
    assert.equal(get32(PTE) & D, D);
    paging(P, P, WP);
    raises(() => engine.M32(LINEAR), VECTOR.PF, P | 2);
  });
  it('MOV CR3 keeps global pages, INVLPG and a change of CR4.PGE drop them', () => {
    for (const [cr4, kept] of [
      [PGE, true],
      [0, false],
    ] as const) {
      paging(P | RW, P | RW | G, 0, cr4);
      engine.R32(LINEAR);
      put32(PTE, 0);
      engine.tlb.flushLocal();
      if (kept) assert.equal(engine.R32(LINEAR), 0);
      else raises(() => engine.R32(LINEAR), VECTOR.PF, 0);
      engine.tlb.invalidate(LINEAR);
      raises(() => engine.R32(LINEAR), VECTOR.PF, 0);
    }
  });
  it('INVLPG drops all of a large page', () => {
    paging(0, 0, 0, PSE);
    put32(PDE, P | RW | PS);
    for (let at = 0x400000; at < 0x800000; at += 0x1000) engine.R8(at);
    put32(PDE, 0);
    engine.tlb.invalidate(0x555000);
    for (let at = 0x400000; at < 0x800000; at += 0x1000) raises(() => engine.R8(at), VECTOR.PF, 0);
  });
  it('a translation stays until it is invalidated', () => {
    paging(P | RW, P | RW);
    put32(PAGE, 1);
    put32(0x24000, 2);
    assert.equal(engine.R32(LINEAR), 1);
    put32(PTE, 0x24000 | P | RW);
    assert.equal(engine.R32(LINEAR), 1);
    engine.tlb.invalidate(LINEAR);
    assert.equal(engine.R32(LINEAR), 2);
  });
  it('a right to write does not outlive a translation that a later read replaced', () => {
    paging(P | RW, P | RW);
    engine.W32(LINEAR, 1);
    engine.tr[LINEAR >>> 12] = 0xfff;
    put32(PTE, 0x24000 | P);
    engine.R32(LINEAR);
    r[S.CR0]! |= WP;
    raises(() => engine.W32(LINEAR, 2), VECTOR.PF, P | 2);
  });
});

describe('paging: crossing and translation for people', () => {
  it('a write across pages whose second page faults writes nothing and reports the second page', () => {
    paging(P | RW, P | RW);
    assert.equal(
      raises(() => engine.W32(LINEAR + 0xffe, -1), VECTOR.PF, 2),
      LINEAR + 0x1000,
    );
    assert.equal(memory.ram[PAGE + 0xffe], 0);
    put32(PTE + 4, 0x31000 | P | RW);
    engine.W32(LINEAR + 0xffd, 0x11223344);
    assert.deepEqual([...memory.readBytes(PAGE + 0xffd, 3), ...memory.readBytes(0x31000, 1)], [0x44, 0x33, 0x22, 0x11]);
    assert.equal(engine.R32(LINEAR + 0xffd), 0x11223344);
    assert.equal(engine.R16(LINEAR + 0xfff), 0x1122);
  });
  it('addresses wrap at 4 GiB', () => {
    reset();
    memory.ram[0] = 0xab;
    memory.ram[0xfffff] = 0x12;
    assert.equal(engine.R16(-1), 0xab12);
  });
  it('translate explains the walk and changes nothing', () => {
    paging(P | RW, P | RW);
    const { physical, walk } = engine.paging.translate(LINEAR + 0x10);
    assert.equal(physical, PAGE + 0x10);
    assert.equal(walk.length, 4);
    assert.match(walk[1]!, /page-table entry 3 at 0x0001100c = 0x00023003 \(present, writable, supervisor\)/);
    assert.equal(get32(PTE) & A, 0);
    assert.equal(engine.paging.translate(0x00800000).physical, null);
  });
});
