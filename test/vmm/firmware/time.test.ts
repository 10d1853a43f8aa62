import { strict as assert } from 'node:assert';
import { timeService } from '../../../src/vmm/firmware/time.ts';
import { createMemoryMachine } from './memoryMachine.ts';

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
    const machine = createMemoryMachine(),
      cmos = machine.indexed(0x70);
    machine.invoke(timeService, { eax: 0x0300, ecx: 0x2359, edx: 0x5800 });
    machine.invoke(timeService, { eax: 0x0500, ecx: 0x2026, edx: 0x1122 });
    assert.deepEqual(
      [cmos.get(4), cmos.get(2), cmos.get(0), cmos.get(0x32), cmos.get(9), cmos.get(8), cmos.get(7)],
      [0x23, 0x59, 0x58, 0x20, 0x26, 0x11, 0x22],
    );
    assert.equal((cmos.get(0x0b) ?? 0) & 0x86, 0x02, 'the clock runs again, BCD, 24 hours');
    assert.equal(machine.invoke(timeService, { eax: 0x0200 }) & 1, 0);
    assert.deepEqual([machine.get('ecx'), machine.get('edx')], [0x2359, 0x5800]);
    machine.invoke(timeService, { eax: 0x0400 });
    assert.deepEqual([machine.get('ecx'), machine.get('edx')], [0x2026, 0x1122]);
  });

  it('sets one alarm at a time', () => {
    const machine = createMemoryMachine(),
      cmos = machine.indexed(0x70);
    machine.portWrite(0xa1, 0xff);
    assert.equal(machine.invoke(timeService, { eax: 0x0600, ecx: 0x0730, edx: 0 }) & 1, 0);
    assert.deepEqual(
      [cmos.get(5), cmos.get(3), cmos.get(1), (cmos.get(0x0b) ?? 0) & 0x20, machine.portRead(0xa1)],
      [0x07, 0x30, 0, 0x20, 0xfe],
    );
    assert.equal(machine.invoke(timeService, { eax: 0x0600 }) & 1, 1);
    machine.invoke(timeService, { eax: 0x0700 });
    assert.equal((cmos.get(0x0b) ?? 0) & 0x20, 0);
    assert.equal(machine.invoke(timeService, { eax: 0xb400 }) & 1, 1, 'no such service');
  });
});
