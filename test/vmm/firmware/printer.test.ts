import { strict as assert } from 'node:assert';
import { printerService } from '../../../src/vmm/firmware/printer.ts';
import { createMemoryMachine } from './memoryMachine.ts';

describe('INT 17h', () => {
  it('has no printer', () => {
    const machine = createMemoryMachine();
    machine.invoke(printerService, { eax: 0x0041, edx: 0 });
    assert.equal((machine.get('eax') >> 8) & 1, 1);
  });
});
