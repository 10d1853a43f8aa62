// PAE paging, no-execute, SMEP and SMAP against the SDM (volume 3, "PAE Paging", "Determination of Access Rights",
// "Page-Fault Exceptions").

import assert from 'node:assert/strict';
import { MODE } from '../../src/translator/mode.ts';
import { AC, S, VECTOR } from '../../src/translator/state.ts';
import {
  descriptor,
  engine,
  enterProtectedMode,
  GDT,
  get32,
  host,
  put32,
  RIGHTS,
  r,
  raises,
  resetTo,
  ring3,
  SEL,
  system,
} from './machine.ts';

const P = 1,
  RW = 2,
  US = 4,
  A = 0x20,
  D = 0x40,
  PS = 0x80,
  G = 0x100,
  NX = 1 << 31;
const POINTERS = 0x10020,
  DIRECTORY = 0x11000,
  TABLE = 0x12000,
  // Pointer 2, directory entry 3, table entry 5.
  LINEAR = 0x80605000 | 0,
  PDE = DIRECTORY + 8 * 3,
  PTE = TABLE + 8 * 5,
  PAGE = 0x23000;
const PG = 1 << 31,
  WP = 0x10000,
  PAE = 0x20,
  PGE = 0x80,
  SMEP = 0x100000,
  SMAP = 0x200000,
  NXE = 0x800;

interface Setting {
  readonly cpu?: string;
  readonly cr4?: number;
  readonly efer?: number;
}
/** Ring 0 with PAE paging: the first 2 MiB are themselves, LINEAR is what the entries (low, high) say. */
function pae(pde: number, pte: readonly [number, number], { cpu = 'max', cr4 = 0, efer = NXE }: Setting = {}): void {
  resetTo(cpu);
  enterProtectedMode();
  put32(POINTERS, 0x13000 | P);
  put32(POINTERS + 16, DIRECTORY | P);
  put32(0x13000, P | RW | PS);
  put32(PDE, TABLE | pde);
  put32(PTE, pte[0]);
  put32(PTE + 4, pte[1]);
  r[S.EFER] = efer;
  system.writeControl(4, PAE | cr4);
  system.writeControl(3, POINTERS);
  system.writeControl(0, r[S.CR0]! | PG | WP);
}
const ALL = P | RW | US;
const fetch = (): number => engine.fetchByte(LINEAR);

describe('PAE paging', () => {
  it('goes through pointer, directory and table, and sets A and D', () => {
    pae(ALL, [PAGE | ALL, 0]);
    put32(PAGE + 8, 0x12345678);
    assert.equal(engine.R32(LINEAR + 8), 0x12345678);
    assert.deepEqual([get32(PDE) & (A | D), get32(PTE) & (A | D), get32(POINTERS + 16) & (A | D)], [A, A, 0]);
    engine.W8(LINEAR, 1);
    assert.equal(get32(PTE) & (A | D), A | D);
  });
  it('PS maps 2 MiB without CR4.PSE', () => {
    pae(0, [0, 0]);
    put32(PDE, 0x200000 | ALL | PS);
    put32(0x205008, 0x77);
    assert.equal(engine.R32(LINEAR + 8), 0x77);
    engine.W32(LINEAR + 8, 0x78);
    assert.deepEqual([get32(0x205008), get32(PDE) & (A | D)], [0x78, A | D]);
  });
  it('INVLPG drops all of a 2 MiB page', () => {
    pae(0, [0, 0]);
    put32(PDE, 0x200000 | ALL | PS);
    engine.R8(LINEAR);
    engine.R8((LINEAR + 0x1000) | 0);
    put32(PDE, 0);
    system.invalidatePage(LINEAR + 0x30000);
    for (const at of [LINEAR, LINEAR + 0x1000]) raises(() => engine.R8(at | 0), VECTOR.PF, 0);
  });
  it('absent entries of each level raise #PF with P clear', () => {
    pae(0, [PAGE | ALL, 0]);
    raises(() => engine.R8(LINEAR), VECTOR.PF, 0);
    pae(ALL, [PAGE | RW, 0]);
    raises(() => engine.W8(LINEAR, 0), VECTOR.PF, 2);
    assert.equal(
      raises(() => engine.R8(0x40000000), VECTOR.PF, 0),
      0x40000000,
    );
  });
  it('rights are those that directory and table grant', () => {
    for (const [pde, pte, user, write, allowed] of [
      [P | RW, PAGE | ALL, true, false, false],
      [ALL, PAGE | P | RW, true, false, false],
      [ALL, PAGE | ALL, true, true, true],
      [P | US, PAGE | ALL, true, true, false],
      [P | US, PAGE | ALL, false, true, false],
      [P | US, PAGE | ALL, true, false, true],
    ] as const) {
      pae(pde, [pte, 0]);
      const access = (): unknown => (write ? engine.writeAs(LINEAR, 1, 4, user ? 4 : 0) : engine.readAs(LINEAR, 4, user ? 4 : 0));
      if (allowed) access();
      else raises(access, VECTOR.PF, P | (write ? 2 : 0) | (user ? 4 : 0));
    }
  });
  it('bits above the physical address width are reserved, bits 20-13 of a 2 MiB page too', () => {
    for (const bit of [4, 5, 19, 20, 30]) {
      pae(ALL, [PAGE | ALL, 1 << bit]);
      raises(() => engine.W8(LINEAR, 0), VECTOR.PF, P | 8 | 2);
      pae(ALL, [PAGE | ALL, 0]);
      put32(PDE + 4, 1 << bit);
      raises(() => engine.R8(LINEAR), VECTOR.PF, P | 8);
    }
    for (let bit = 13; bit <= 20; bit++) {
      pae(0, [0, 0]);
      put32(PDE, (1 << bit) | ALL | PS);
      raises(() => engine.R8(LINEAR), VECTOR.PF, P | 8);
    }
  });
  it('bit 63 is reserved unless EFER.NXE is set', () => {
    pae(ALL, [PAGE | ALL, NX], { efer: 0 });
    raises(() => engine.R8(LINEAR), VECTOR.PF, P | 8);
    pae(ALL, [PAGE | ALL, NX]);
    engine.R8(LINEAR);
  });
  it("memory above 4 GiB is nobody's: all ones, and writes vanish", () => {
    pae(ALL, [PAGE | ALL, 3]);
    host.accesses = [];
    engine.R16(LINEAR + 6);
    engine.W8(LINEAR, 9);
    assert.deepEqual(
      host.accesses.map(({ what, at }) => [what, at]),
      [
        ['read', 0x3_00023006],
        ['write', 0x3_00023000],
      ],
    );
    assert.equal(get32(PAGE), 0);
    assert.equal(engine.fetchPage(LINEAR), -1);
  });
  it('MOV to CR3 loads the four pointers: later changes of the table do not count', () => {
    pae(ALL, [PAGE | ALL, 0]);
    put32(POINTERS + 16, 0);
    engine.tlb.flush();
    engine.R8(LINEAR);
    system.writeControl(3, POINTERS);
    raises(() => engine.R8(LINEAR), VECTOR.PF, 0);
  });
  it('reserved bits of a present pointer make MOV to CR3, CR4 and CR0 #GP(0), and nothing changes', () => {
    for (const [low, high] of [
      [2, 0],
      [4, 0],
      [0x20, 0],
      [0x100, 0],
      [0, 0x10],
      [0, NX],
    ] as const) {
      pae(ALL, [PAGE | ALL, 0]);
      put32(POINTERS + 0x28, 0x13000 | P | low);
      put32(POINTERS + 0x2c, high);
      raises(() => system.writeControl(3, POINTERS + 0x20), VECTOR.GP, 0);
      assert.equal(r[S.CR3], POINTERS);
      put32(POINTERS + 8, 0x13000 | P | low);
      put32(POINTERS + 12, high);
      raises(() => system.writeControl(4, PAE | PGE), VECTOR.GP, 0);
      raises(() => system.writeControl(0, r[S.CR0]! | 0x40000000), VECTOR.GP, 0);
      assert.deepEqual([r[S.CR4], r[S.CR0]! & 0x40000000], [PAE, 0]);
      put32(POINTERS + 8, low);
      system.writeControl(3, POINTERS);
    }
  });
  it('global pages survive MOV to CR3', () => {
    for (const [cr4, kept] of [
      [PGE, true],
      [0, false],
    ] as const) {
      pae(ALL, [PAGE | ALL | G, 0], { cr4 });
      engine.R8(LINEAR);
      put32(PTE, 0);
      system.writeControl(3, POINTERS);
      if (kept) engine.R8(LINEAR);
      else raises(() => engine.R8(LINEAR), VECTOR.PF, 0);
    }
  });
  it('a task switch loads the pointers, or is #GP(0)', () => {
    for (const fits of [true, false]) {
      pae(ALL, [PAGE | ALL, 0]);
      const tss = 0x6000,
        state: { readonly [at: number]: number } = {
          0x1c: POINTERS + 0x20,
          0x20: 0x5000,
          0x24: 2,
          0x48: SEL.data0,
          0x4c: SEL.code0,
          0x50: SEL.data0,
        };
      for (const [at, value] of Object.entries(state)) put32(tss + Number(at), value);
      descriptor(GDT + SEL.free, tss, 0x67, RIGHTS.tss32);
      put32(POINTERS + 0x20, 0x13000 | P);
      put32(POINTERS + 0x30, 0x14000 | P | (fits ? 0 : 2));
      const change = (): void => void system.farJump(SEL.free, 0, 32, 0);
      if (fits) {
        change();
        raises(() => engine.R8(LINEAR), VECTOR.PF, 0);
      } else raises(change, VECTOR.GP, 0);
    }
  });
  it('a debugger is told each step', () => {
    pae(ALL, [PAGE | ALL, NX]);
    const { physical, walk } = engine.paging.translate(LINEAR + 0x10);
    assert.equal(physical, PAGE + 0x10);
    assert.deepEqual(walk.slice(0, 4), [
      'page-directory-pointer-table entry 2 = 0x0000000000011001',
      'page-directory entry 3 at 0x00011018 = 0x0000000000012007 (present, writable, user)',
      'page-table entry 5 at 0x00012028 = 0x8000000000023007 (present, writable, user, no-execute)',
      '4 KiB page at 0x00023000',
    ]);
    put32(PTE + 4, 2);
    assert.match(engine.paging.translate(LINEAR).walk.at(-1)!, /physical 0x200023000: nobody's memory/);
    put32(PTE + 4, 0x100);
    assert.deepEqual(
      [engine.paging.translate(LINEAR).physical, engine.paging.translate(LINEAR).walk.at(-1)],
      [null, 'reserved bits are set'],
    );
  });
});

describe('rights of instruction fetches', () => {
  it('a page with NX at either level is not executed; the error code has I/D', () => {
    pae(ALL, [PAGE | ALL, NX]);
    raises(fetch, VECTOR.PF, P | 16);
    pae(ALL, [PAGE | ALL, 0]);
    put32(PDE + 4, NX);
    raises(fetch, VECTOR.PF, P | 16);
    ring3();
    raises(fetch, VECTOR.PF, P | 16 | 4);
  });
  it('a page that was read is not thereby executable, nor one that was executed readable', () => {
    pae(ALL, [PAGE | ALL, NX]);
    engine.R8(LINEAR);
    raises(fetch, VECTOR.PF, P | 16);
    pae(ALL, [PAGE | ALL, 0], { cr4: SMAP });
    fetch();
    raises(() => engine.R8(LINEAR), VECTOR.PF, P);
  });
  it('I/D is set for absent pages too, and never where NX and SMEP are off', () => {
    pae(ALL, [0, 0]);
    raises(fetch, VECTOR.PF, 16);
    pae(ALL, [0, 0], { efer: 0 });
    raises(fetch, VECTOR.PF, 0);
    pae(ALL, [0, 0], { efer: 0, cr4: SMEP });
    raises(fetch, VECTOR.PF, 16);
  });
  it('SMEP keeps the supervisor from executing user pages', () => {
    pae(ALL, [PAGE | ALL, 0], { cr4: SMEP, efer: 0 });
    raises(fetch, VECTOR.PF, P | 16);
    ring3();
    fetch();
    pae(ALL, [PAGE | P | RW, 0], { cr4: SMEP, efer: 0 });
    fetch();
  });
});

describe('SMAP', () => {
  const user = [PAGE | ALL, 0] as const;
  it('keeps the supervisor from user pages unless EFLAGS.AC is set', () => {
    pae(ALL, user, { cr4: SMAP });
    raises(() => engine.R8(LINEAR), VECTOR.PF, P);
    raises(() => engine.W32(LINEAR, 1), VECTOR.PF, P | 2);
    system.setAccessFlag(AC);
    engine.R8(LINEAR);
    engine.W32(LINEAR, 1);
    system.setAccessFlag(0);
    raises(() => engine.R8(LINEAR), VECTOR.PF, P);
  });
  it('POPF and IRET open and close user pages as well, and the mode word says so', () => {
    pae(ALL, user, { cr4: SMAP });
    engine.setFlags(AC | 2);
    assert.ok(r[S.MODE]! & MODE.OPEN);
    engine.R8(LINEAR);
    engine.setFlags(2);
    assert.ok(!(r[S.MODE]! & MODE.OPEN));
    raises(() => engine.R8(LINEAR), VECTOR.PF, P);
  });
  it('does not concern CPL 3, and descriptor tables never lie in user pages', () => {
    pae(ALL, user, { cr4: SMAP });
    system.setAccessFlag(AC);
    raises(() => engine.readSystem(LINEAR, 4), VECTOR.PF, P);
    raises(() => engine.probeSystem(LINEAR, 4), VECTOR.PF, P | 2);
    engine.readAs(LINEAR, 4, 0);
    system.setAccessFlag(0);
    raises(() => engine.readAs(LINEAR, 4, 0), VECTOR.PF, P);
    ring3();
    engine.R8(LINEAR);
  });
  it('setting it drops what was cached', () => {
    pae(ALL, user);
    engine.R8(LINEAR);
    system.writeControl(4, PAE | SMAP);
    raises(() => engine.R8(LINEAR), VECTOR.PF, P);
  });
  it('STAC and CLAC are undefined outside ring 0', () => {
    pae(ALL, user, { cr4: SMAP });
    ring3();
    raises(() => system.setAccessFlag(AC), VECTOR.UD);
  });
});

describe('UMIP', () => {
  it('keeps descriptor tables and task register from programs', () => {
    pae(ALL, [PAGE | ALL, 0], { cr4: 0x800 });
    system.mayStoreTables();
    ring3();
    raises(() => system.mayStoreTables(), VECTOR.GP, 0);
    r[S.CR4]! &= ~0x800;
    system.mayStoreTables();
  });
});
