import { strict as assert } from 'node:assert';
import { ROM_LABELS } from '../../../src/vmm/firmware/rom.generated.ts';
import { equipmentService, memoryMap, memorySizeService, systemService } from '../../../src/vmm/firmware/system.ts';
import { createMemoryMachine } from './memoryMachine.ts';

const SMAP = 0x534d4150,
  MIB = 1 << 20;

describe('INT 11h, 12h, 15h', () => {
  it('gives equipment and conventional memory from the data area', () => {
    const machine = createMemoryMachine();
    machine.invoke(memorySizeService);
    assert.equal(machine.get('eax') & 0xffff, 639);
    machine.invoke(equipmentService);
    assert.equal(machine.get('eax') & 0xffff, machine.bytes[0x410] | (machine.bytes[0x411] << 8));
  });

  it('lists the address map until EBX is 0', () => {
    const machine = createMemoryMachine({ memory: 64 * MIB }),
      found: [number, number, number][] = [],
      view = new DataView(machine.bytes.buffer, 0x5000, 20);
    let ebx = 0;
    do {
      const flags = machine.invoke(systemService, { eax: 0xe820, ebx, ecx: 20, edx: SMAP, es_base: 0x5000, edi: 0 });
      assert.equal(flags & 1, 0);
      assert.equal(machine.get('eax'), SMAP);
      assert.equal(machine.get('ecx'), 20);
      found.push([view.getUint32(0, true), view.getUint32(8, true), view.getUint32(16, true)]);
      ebx = machine.get('ebx');
    } while (ebx !== 0);
    assert.deepEqual(
      found,
      memoryMap(64 * MIB).map((row) => [row.base, row.length, row.type]),
    );
    assert.deepEqual(
      found.find(([base]) => base === MIB),
      [MIB, 63 * MIB, 1],
    );
    assert.equal(machine.invoke(systemService, { eax: 0xe820, ebx: 99, ecx: 20, edx: SMAP }) & 1, 1);
    assert.equal(machine.invoke(systemService, { eax: 0xe820, ebx: 0, ecx: 20, edx: 0 }) & 1, 1);
  });

  it('has a map without overlaps that adds up to the RAM', () => {
    for (const memory of [MIB, 2 * MIB, 16 * MIB, 1024 * MIB]) {
      const map = memoryMap(memory);
      for (let n = 1; n < map.length; n++) assert.ok(map[n].base >= map[n - 1].base + map[n - 1].length);
      assert.equal(
        map.filter((row) => row.type === 1).reduce((sum, row) => sum + row.length, 0),
        memory - MIB + 0x9fc00,
      );
    }
  });

  it('gives the older sizes', () => {
    const sizes = (memory: number) => {
      const machine = createMemoryMachine({ memory });
      machine.invoke(systemService, { eax: 0xe801 });
      return [machine.get('ecx'), machine.get('edx')];
    };
    assert.deepEqual(sizes(8 * MIB), [7 * 1024, 0]);
    assert.deepEqual(sizes(64 * MIB), [15 * 1024, 48 * 16]);
    const old = (memory: number) => {
      const machine = createMemoryMachine({ memory });
      machine.invoke(systemService, { eax: 0x8800 });
      return machine.get('eax') & 0xffff;
    };
    assert.deepEqual([old(MIB), old(16 * MIB), old(1024 * MIB)], [0, 15 * 1024, 0xfc00]);
  });

  it('moves blocks between physical addresses and checks the descriptors', () => {
    const machine = createMemoryMachine(),
      table = new DataView(machine.bytes.buffer, 0x5000, 0x30);
    const describe24 = (at: number, base: number, limit: number) => {
      table.setUint16(at, limit, true);
      table.setUint32(at + 2, (base & 0xffffff) | 0x93000000, true);
      table.setUint8(at + 7, base >>> 24);
    };
    machine.bytes.set([1, 2, 3, 4], 0x20000);
    describe24(0x10, 0x20000, 0xffff);
    describe24(0x18, 0x210000, 0xffff);
    assert.equal(machine.invoke(systemService, { eax: 0x8700, ecx: 2, es_base: 0x5000, esi: 0 }) & 1, 0);
    assert.deepEqual([...machine.bytes.subarray(0x210000, 0x210005)], [1, 2, 3, 4, 0]);
    describe24(0x18, 0x210000, 1);
    assert.equal(machine.invoke(systemService, { eax: 0x8700, ecx: 2, es_base: 0x5000, esi: 0 }) & 1, 1);
    assert.equal((machine.get('eax') >> 8) & 0xff, 2);
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
      assert.equal((machine.get('eax') >> 8) & 0xff, 0x86);
    }
  });
});
