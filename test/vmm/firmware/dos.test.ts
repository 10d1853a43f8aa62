import { strict as assert } from 'node:assert';
import { dosService, terminateService } from '../../../src/vmm/firmware/dos.ts';
import { createMemoryMachine } from './memoryMachine.ts';

describe('INT 20h and 21h', () => {
  it('writes characters', () => {
    const machine = createMemoryMachine();
    for (const letter of 'Hello') machine.invoke(dosService, { eax: 0x0200, edx: letter.charCodeAt(0) });
    assert.equal(machine.row(0), 'Hello');
    assert.equal(machine.get('eax') & 0xff, 0x6f);
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
