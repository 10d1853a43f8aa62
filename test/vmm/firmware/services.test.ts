import { strict as assert } from 'node:assert';
import { dosService, terminateService } from '../../../src/vmm/firmware/dos.ts';
import { printerService } from '../../../src/vmm/firmware/printer.ts';
import { ROM_LABELS } from '../../../src/vmm/firmware/rom.generated.ts';
import { serialService } from '../../../src/vmm/firmware/serial.ts';
import { equipmentService, memoryMap, memorySizeService, systemService } from '../../../src/vmm/firmware/system.ts';
import { timeService } from '../../../src/vmm/firmware/time.ts';
import { createMemoryMachine } from './memoryMachine.ts';

const SMAP = 0x534d4150, MIB = 1 << 20;

describe('INT 11h, 12h, 15h', () => {
  it('gives equipment and conventional memory from the data area', () => {
    const machine = createMemoryMachine();
    machine.invoke(memorySizeService);
    assert.equal(machine.get('eax') & 0xffff, 639);
    machine.invoke(equipmentService);
    assert.equal(machine.get('eax') & 0xffff, machine.bytes[0x410] | machine.bytes[0x411] << 8);
  });

  it('lists the address map until EBX is 0', () => {
    const machine = createMemoryMachine({ memory: 64 * MIB }), found: [number, number, number][] = [], view = new DataView(machine.bytes.buffer, 0x5000, 20);
    let ebx = 0;
    do {
      const flags = machine.invoke(systemService, { eax: 0xe820, ebx, ecx: 20, edx: SMAP, es_base: 0x5000, edi: 0 });
      assert.equal(flags & 1, 0);
      assert.equal(machine.get('eax'), SMAP);
      assert.equal(machine.get('ecx'), 20);
      found.push([view.getUint32(0, true), view.getUint32(8, true), view.getUint32(16, true)]);
      ebx = machine.get('ebx');
    } while (ebx !== 0);
    assert.deepEqual(found, memoryMap(64 * MIB).map((row) => [row.base, row.length, row.type]));
    assert.deepEqual(found.find(([base]) => base === MIB), [MIB, 63 * MIB, 1]);
    assert.equal(machine.invoke(systemService, { eax: 0xe820, ebx: 99, ecx: 20, edx: SMAP }) & 1, 1);
    assert.equal(machine.invoke(systemService, { eax: 0xe820, ebx: 0, ecx: 20, edx: 0 }) & 1, 1);
  });

  it('has a map without overlaps that adds up to the RAM', () => {
    for (const memory of [MIB, 2 * MIB, 16 * MIB, 1024 * MIB]) {
      const map = memoryMap(memory);
      for (let n = 1; n < map.length; n++) assert.ok(map[n].base >= map[n - 1].base + map[n - 1].length);
      assert.equal(map.filter((row) => row.type === 1).reduce((sum, row) => sum + row.length, 0), memory - MIB + 0x9fc00);
    }
  });

  it('gives the older sizes', () => {
    const sizes = (memory: number) => { const machine = createMemoryMachine({ memory }); machine.invoke(systemService, { eax: 0xe801 }); return [machine.get('ecx'), machine.get('edx')]; };
    assert.deepEqual(sizes(8 * MIB), [7 * 1024, 0]);
    assert.deepEqual(sizes(64 * MIB), [15 * 1024, 48 * 16]);
    const old = (memory: number) => { const machine = createMemoryMachine({ memory }); machine.invoke(systemService, { eax: 0x8800 }); return machine.get('eax') & 0xffff; };
    assert.deepEqual([old(MIB), old(16 * MIB), old(1024 * MIB)], [0, 15 * 1024, 0xfc00]);
  });

  it('moves blocks between physical addresses and checks the descriptors', () => {
    const machine = createMemoryMachine(), table = new DataView(machine.bytes.buffer, 0x5000, 0x30);
    const describe24 = (at: number, base: number, limit: number) => { table.setUint16(at, limit, true); table.setUint32(at + 2, base & 0xffffff | 0x93000000, true); table.setUint8(at + 7, base >>> 24); };
    machine.bytes.set([1, 2, 3, 4], 0x20000);
    describe24(0x10, 0x20000, 0xffff);
    describe24(0x18, 0x210000, 0xffff);
    assert.equal(machine.invoke(systemService, { eax: 0x8700, ecx: 2, es_base: 0x5000, esi: 0 }) & 1, 0);
    assert.deepEqual([...machine.bytes.subarray(0x210000, 0x210005)], [1, 2, 3, 4, 0]);
    describe24(0x18, 0x210000, 1);
    assert.equal(machine.invoke(systemService, { eax: 0x8700, ecx: 2, es_base: 0x5000, esi: 0 }) & 1, 1);
    assert.equal(machine.get('eax') >> 8 & 0xff, 2);
  });

  it('opens and closes A20 through port 92h', () => {
    const machine = createMemoryMachine();
    machine.invoke(systemService, { eax: 0x2400 });
    assert.equal(machine.portRead(0x92) & 3, 0);
    machine.invoke(systemService, { eax: 0x2401 });
    assert.equal(machine.portRead(0x92) & 3, 2);
    machine.invoke(systemService, { eax: 0x2402 });
    assert.equal(machine.get('eax') & 0xffff, 1);
    assert.equal(machine.invoke(systemService, { eax: 0x2407 }) & 1, 1);
  });

  it('points to the configuration table and the EBDA', () => {
    const machine = createMemoryMachine();
    machine.invoke(systemService, { eax: 0xc000 });
    assert.deepEqual([machine.get('es'), machine.get('es_base'), machine.get('ebx')], [0xf000, 0xf0000, ROM_LABELS.configuration]);
    machine.invoke(systemService, { eax: 0xc100 });
    assert.equal(machine.get('es'), 0x9fc0);
  });

  it('switches off by APM and refuses what it does not have', () => {
    const machine = createMemoryMachine();
    machine.invoke(systemService, { eax: 0x5307, ebx: 1, ecx: 2 });
    assert.equal(machine.status, undefined);
    machine.invoke(systemService, { eax: 0x5307, ebx: 1, ecx: 3 });
    assert.equal(machine.status, 0);
    for (const ax of [0x5302, 0x5303, 0xd800, 0xc200]) {
      assert.equal(machine.invoke(systemService, { eax: ax }) & 1, 1, ax.toString(16));
      assert.equal(machine.get('eax') >> 8 & 0xff, 0x86);
    }
  });
});

describe('INT 1Ah', () => {
  it('counts ticks and reports midnight once', () => {
    const machine = createMemoryMachine();
    machine.invoke(timeService, { eax: 0x0100, ecx: 0x0012, edx: 0x3456 });
    machine.bytes[0x470] = 1;
    machine.invoke(timeService, { eax: 0x0000 });
    assert.deepEqual([machine.get('ecx'), machine.get('edx'), machine.get('eax') & 0xff], [0x12, 0x3456, 1]);
    machine.invoke(timeService, { eax: 0x0000 });
    assert.equal(machine.get('eax') & 0xff, 0);
  });

  it('reads and sets the clock in BCD', () => {
    const machine = createMemoryMachine(), cmos = machine.indexed(0x70);
    machine.invoke(timeService, { eax: 0x0300, ecx: 0x2359, edx: 0x5800 });
    machine.invoke(timeService, { eax: 0x0500, ecx: 0x2026, edx: 0x1122 });
    assert.deepEqual([cmos.get(4), cmos.get(2), cmos.get(0), cmos.get(0x32), cmos.get(9), cmos.get(8), cmos.get(7)], [0x23, 0x59, 0x58, 0x20, 0x26, 0x11, 0x22]);
    assert.equal((cmos.get(0x0b) ?? 0) & 0x86, 0x02, 'the clock runs again, BCD, 24 hours');
    assert.equal(machine.invoke(timeService, { eax: 0x0200 }) & 1, 0);
    assert.deepEqual([machine.get('ecx'), machine.get('edx')], [0x2359, 0x5800]);
    machine.invoke(timeService, { eax: 0x0400 });
    assert.deepEqual([machine.get('ecx'), machine.get('edx')], [0x2026, 0x1122]);
  });

  it('sets one alarm at a time', () => {
    const machine = createMemoryMachine(), cmos = machine.indexed(0x70);
    machine.portWrite(0xa1, 0xff);
    assert.equal(machine.invoke(timeService, { eax: 0x0600, ecx: 0x0730, edx: 0 }) & 1, 0);
    assert.deepEqual([cmos.get(5), cmos.get(3), cmos.get(1), (cmos.get(0x0b) ?? 0) & 0x20, machine.portRead(0xa1)], [0x07, 0x30, 0, 0x20, 0xfe]);
    assert.equal(machine.invoke(timeService, { eax: 0x0600 }) & 1, 1);
    machine.invoke(timeService, { eax: 0x0700 });
    assert.equal((cmos.get(0x0b) ?? 0) & 0x20, 0);
    assert.equal(machine.invoke(timeService, { eax: 0xb101 }) & 1, 1, 'no PCI BIOS');
  });
});

describe('INT 14h and 17h', () => {
  it('sets the rate and sends', () => {
    const machine = createMemoryMachine();
    machine.writes.length = 0;
    machine.invoke(serialService, { eax: 0x00e3, edx: 0 });
    assert.deepEqual(machine.writes, [[0x3fb, 0x80], [0x3f8, 12], [0x3f9, 0], [0x3fb, 0x03], [0x3f9, 0]]);
    machine.invoke(serialService, { eax: 0x0141, edx: 0 });
    assert.deepEqual(machine.writes.at(-1), [0x3f8, 0x41]);
    assert.equal(machine.get('eax') >> 15 & 1, 0);
  });

  it('times out when nothing came, and leaves ports that are not there alone', () => {
    const machine = createMemoryMachine();
    machine.invoke(serialService, { eax: 0x0200, edx: 0 });
    assert.equal(machine.get('eax') >> 15 & 1, 1);
    machine.writes.length = 0;
    for (const port of [2, 3, 4, 0xffff]) machine.invoke(serialService, { eax: 0x0141, edx: port });
    assert.deepEqual(machine.writes, []);
  });

  it('has no printer', () => {
    const machine = createMemoryMachine();
    machine.invoke(printerService, { eax: 0x0041, edx: 0 });
    assert.equal(machine.get('eax') >> 8 & 1, 1);
  });
});

describe('INT 20h and 21h', () => {
  it('prints characters and texts', () => {
    const machine = createMemoryMachine();
    machine.bytes.set(new TextEncoder().encode('ello$never'), 0x5000);
    machine.invoke(dosService, { eax: 0x0200, edx: 0x48 });
    machine.invoke(dosService, { eax: 0x0900, ds_base: 0x5000, edx: 0 });
    assert.equal(machine.row(0), 'Hello');
  });

  it('ends a text without $ at the end of the segment', () => {
    const machine = createMemoryMachine();
    machine.bytes.fill(0x0d, 0x20000, 0x30000);
    machine.invoke(dosService, { eax: 0x0900, ds_base: 0x20000, edx: 0xff00 });
    assert.equal(machine.get('eax') & 0xff, 0);
  });

  it('sets and gets interrupt vectors', () => {
    const machine = createMemoryMachine();
    machine.invoke(dosService, { eax: 0x2580, ds: 0x1234, edx: 0x5678 });
    machine.invoke(dosService, { eax: 0x3580 });
    assert.deepEqual([machine.get('es'), machine.get('ebx') & 0xffff], [0x1234, 0x5678]);
  });

  it('ends with the exit code, and refuses functions that are not there', () => {
    const machine = createMemoryMachine();
    assert.equal(machine.invoke(dosService, { eax: 0x3d00 }) & 1, 1);
    assert.equal(machine.get('eax') & 0xffff, 1);
    machine.invoke(dosService, { eax: 0x4c2a });
    assert.equal(machine.status, 42);
    machine.invoke(terminateService);
    assert.equal(machine.status, 0);
  });
});
