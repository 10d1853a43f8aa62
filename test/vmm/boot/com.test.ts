import { strict as assert } from 'node:assert';
import { loadCom } from '../../../src/vmm/boot/com.ts';
import { fuzzLoader, refuses } from './images.ts';

const MEMORY = 1 << 20,
  code = Uint8Array.of(0xcd, 0x20);

describe('.com loader', () => {
  it('loads the program behind its prefix and starts at 100h of one segment', () => {
    const { registers, writes } = loadCom(code, '', MEMORY),
      base = registers.cs_base;
    assert.deepEqual(
      [registers.eip, registers.esp, registers.ds, registers.es, registers.ss],
      [0x100, 0xfffe, registers.cs, registers.cs, registers.cs],
    );
    assert.equal(writes.find((write) => write.address === base + 0x100)?.bytes, code);
  });

  it('fills in the program segment prefix', () => {
    const { registers, writes } = loadCom(code, 'one two', MEMORY),
      psp = writes.find((write) => write.address === registers.cs_base)?.bytes ?? new Uint8Array();
    assert.deepEqual([...psp.subarray(0, 2)], [0xcd, 0x20]);
    assert.equal(psp[0x80], 8);
    assert.equal(new TextDecoder().decode(psp.subarray(0x81, 0x8a)), ' one two\r');
    assert.equal(psp[2] | (psp[3] << 8), 0x9fc0);
  });

  it('has room for the longest program and the longest command line', () => {
    loadCom(new Uint8Array(0x10000 - 0x102), 'x'.repeat(125), MEMORY);
    refuses(() => loadCom(new Uint8Array(0x10000 - 0x101), '', MEMORY), /at most 65278/);
    refuses(() => loadCom(code, 'x'.repeat(126), MEMORY), /126 characters/);
  });

  it('says what is wrong', () => {
    refuses(() => loadCom(new Uint8Array(0), '', MEMORY), /empty/);
    refuses(() => loadCom(Uint8Array.of(0x4d, 0x5a, 0), '', MEMORY), /\.exe/, 0);
  });

  it('survives any bytes', () => {
    fuzzLoader([new Uint8Array(0xfefd), Uint8Array.of(0x4d, 0x5b, 1, 2), Uint8Array.of(1)], MEMORY, (image) => loadCom(image, '', MEMORY));
  });
});
