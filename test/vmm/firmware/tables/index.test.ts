// The tables as an operating system finds and checks them, and as ACPICA's own tools read them.

import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { romImage } from '../../../../src/vmm/firmware/bios.ts';
import { RSDP_ADDRESS } from '../../../../src/vmm/firmware/symbols.ts';
import { facs } from '../../../../src/vmm/firmware/tables/acpi.ts';
import { requireTool } from '../../../support/tools.ts';

const ROM = 0xf0000,
  VIRTIO_DEVICES = 3,
  rom = romImage({ memory: 64 << 20, virtioDevices: VIRTIO_DEVICES, localApic: true }),
  view = new DataView(rom.buffer);
const text = (at: number, length: number): string => String.fromCharCode(...rom.subarray(at, at + length));
const sum = (at: number, length: number): number => rom.subarray(at, at + length).reduce((total, byte) => (total + byte) & 0xff, 0);
/** Offset of a signature at a multiple of 16, of which there is one. */
function find(signature: string): number {
  const found = Array.from({ length: rom.length / 16 }, (_, n) => n * 16).filter((at) => text(at, signature.length) === signature);
  assert.equal(found.length, 1, signature);
  return found[0];
}
const address = (at: number): number => view.getUint32(at, true) - ROM;
/** ACPI's tables by signature: offset and length. */
function acpi(): Map<string, readonly [number, number]> {
  const rsdp = find('RSD PTR ');
  assert.equal(sum(rsdp, 20), 0);
  const tables = new Map<string, readonly [number, number]>();
  const add = (at: number): void => {
    const length = view.getUint32(at + 4, true);
    assert.equal(sum(at, length), 0, text(at, 4));
    tables.set(text(at, 4), [at, length]);
  };
  const rsdt = address(rsdp + 16);
  add(rsdt);
  for (let n = 36; n < tables.get('RSDT')![1]; n += 4) add(address(rsdt + n));
  add(address(tables.get('FACP')![0] + 40));
  return tables;
}

describe('ACPI tables', () => {
  it('are found from the RSDP, and add up to zero', () => {
    assert.deepEqual([...acpi().keys()], ['RSDT', 'FACP', 'APIC', 'DSDT']);
    assert.equal(acpi().get('FACP')![1], 244);
  });

  it('name no APIC where the processor has none, and there is no MultiProcessor table then', () => {
    const without = String.fromCharCode(...romImage({ memory: 64 << 20, virtioDevices: 0, localApic: false }).subarray(RSDP_ADDRESS - ROM));
    assert.match(without, /FACP/);
    assert.doesNotMatch(without, /APIC|_MP_|PCMP/);
  });

  it('say where the registers of power management are, and how to reset', () => {
    const [fadt] = acpi().get('FACP')!;
    assert.deepEqual(
      [56, 64, 76].map((at) => view.getUint32(fadt + at, true)),
      [0x600, 0x604, 0x608],
    );
    assert.deepEqual([...rom.subarray(fadt + 116, fadt + 129)], [1, 8, 0, 0, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0, 6]);
    assert.equal(view.getUint16(fadt + 46, true), 9);
    const where = view.getUint32(fadt + 36, true);
    assert.ok(where % 64 === 0 && where > 0x9fc00 && where < 0xa0000, 'the FACS is in RAM that is reserved');
    assert.equal(facs().length, 64);
  });

  it('are read by iasl without a complaint, and compiled again to the same namespace', function () {
    const iasl = requireTool(this, 'iasl');
    const folder = mkdtempSync(join(tmpdir(), 'cp86-acpi-'));
    try {
      for (const [signature, [at, length]] of acpi()) writeFileSync(join(folder, `${signature}.dat`), rom.subarray(at, at + length));
      const run = (...parameters: string[]): string =>
        execFileSync(iasl, parameters, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      for (const signature of ['FACP', 'APIC', 'DSDT']) run('-d', `${signature}.dat`);
      for (const signature of ['FACP', 'APIC']) {
        assert.doesNotMatch(readFileSync(join(folder, `${signature}.dsl`), 'utf8'), /invalid|should be|unknown|incorrect/i, signature);
      }
      const source = readFileSync(join(folder, 'DSDT.dsl'), 'utf8');
      for (const wanted of [
        'Device (PCI0)',
        'Device (COM1)',
        'Device (LNKD)',
        'Name (\\_S5',
        'EisaId ("PNP0303")',
        'EisaId ("PNP0700")',
        'Method (_PRT',
        'LNRO0005',
        '0xFEB00400',
      ]) {
        assert.ok(source.includes(wanted), wanted);
      }
      assert.match(run('-p', 'again', 'DSDT.dsl'), /Compilation successful\. 0 Errors, 0 Warnings/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('MultiProcessor tables', () => {
  it('are found from the floating pointer, add up to zero, and count their entries', () => {
    const pointer = find('_MP_'),
      table = address(pointer + 4),
      length = view.getUint16(table + 4, true);
    assert.deepEqual([sum(pointer, 16), sum(table, length), text(table, 4)], [0, 0, 'PCMP']);
    const kinds = new Map<number, number>();
    let at = table + 44;
    for (let n = view.getUint16(table + 34, true); n > 0; n--) {
      kinds.set(rom[at], (kinds.get(rom[at]) ?? 0) + 1);
      at += rom[at] === 0 ? 20 : 8;
    }
    assert.equal(at, table + length);
    assert.deepEqual(
      [...kinds],
      [
        [0, 1],
        [1, 2],
        [2, 1],
        [3, 128 + 15],
        [4, 2],
      ],
    );
  });
});

describe('BIOS32 service directory', () => {
  it('is found, adds up to zero, and its entry is a service that returns far', () => {
    const header = find('_32_');
    assert.equal(sum(header, 16), 0);
    assert.deepEqual([...rom.subarray(address(header + 4), address(header + 4) + 4)], [0x0f, 0x01, 0xc1, 0xcb]);
  });
});

describe('SMBIOS tables', () => {
  it('are found from the entry point, add up to zero, and end where it says', () => {
    const entry = find('_SM_');
    assert.deepEqual([sum(entry, 31), text(entry + 16, 5), sum(entry + 16, 15)], [0, '_DMI_', 0]);
    const start = address(entry + 24),
      types: number[] = [];
    let at = start;
    for (let n = view.getUint16(entry + 28, true); n > 0; n--) {
      types.push(rom[at]);
      at += rom[at + 1];
      while (view.getUint16(at, true) !== 0) at++;
      at += 2;
    }
    assert.equal(at - start, view.getUint16(entry + 22, true));
    assert.deepEqual(types, [0, 1, 3, 4, 16, 17, 19, 32, 127]);
  });
});
