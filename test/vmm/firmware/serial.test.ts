import { strict as assert } from 'node:assert';
import { serialService } from '../../../src/vmm/firmware/serial.ts';
import { createMemoryMachine } from './memoryMachine.ts';

describe('INT 14h', () => {
  it('sets the rate and sends', () => {
    const machine = createMemoryMachine();
    machine.writes.length = 0;
    machine.invoke(serialService, { eax: 0x00e3, edx: 0 });
    assert.deepEqual(machine.writes, [
      [0x3fb, 0x80],
      [0x3f8, 12],
      [0x3f9, 0],
      [0x3fb, 0x03],
      [0x3f9, 0],
    ]);
    machine.invoke(serialService, { eax: 0x0141, edx: 0 });
    assert.deepEqual(machine.writes.at(-1), [0x3f8, 0x41]);
    assert.equal((machine.get('eax') >> 15) & 1, 0);
  });

  it('times out when nothing came, and leaves ports that are not there alone', () => {
    const machine = createMemoryMachine();
    machine.invoke(serialService, { eax: 0x0200, edx: 0 });
    assert.equal((machine.get('eax') >> 15) & 1, 1);
    machine.writes.length = 0;
    for (const port of [2, 3, 4, 0xffff]) machine.invoke(serialService, { eax: 0x0141, edx: port });
    assert.deepEqual(machine.writes, []);
  });
});
