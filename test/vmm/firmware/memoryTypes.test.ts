// Memory types after power-on, as a kernel finds them in the MTRRs of its processor.

import assert from 'node:assert/strict';
import { cpuModel } from '../../../src/runtime/cpuModels.ts';
import { createProcessor } from '../../../src/runtime/processor.ts';
import { S } from '../../../src/translator/state.ts';
import type { FirmwareMachine } from '../../../src/vmm/firmware/machine.ts';
import { setMemoryTypes } from '../../../src/vmm/firmware/memoryTypes.ts';
import { emptyHost } from '../../support/emptyHost.ts';

const MIB = 0x100000;
function afterPowerOn(cpuName: string): Int32Array {
  const cpu = createProcessor({ arenaBytes: MIB }).createCpu({
    host: emptyHost,
    offset: 0,
    bytes: MIB,
    tier: 'interpret',
    model: cpuModel(cpuName),
  });
  setMemoryTypes({
    setMsr: (number, low, high) => void cpu.setMsr(number, low, high),
  } satisfies Partial<FirmwareMachine> as FirmwareMachine);
  return cpu.save().words;
}
const hex = (words: Int32Array, at: number): string[] => [words[at + 1]!, words[at]!].map((word) => (word >>> 0).toString(16));

describe('memory types set by the firmware', () => {
  it('RAM is write-back, devices are uncached, ROM is write-protected', () => {
    const words = afterPowerOn('n270');
    assert.deepEqual(hex(words, S.MTRR_DEFAULT), ['0', 'c06']);
    const fixed = Array.from({ length: 11 }, (_, n) => words[S.MTRR_FIXED + 2 * n]!);
    assert.deepEqual(fixed, [0x06060606, 0x06060606, 0, ...new Array<number>(8).fill(0x05050505)]);
    assert.deepEqual(
      [hex(words, S.MTRR_VARIABLE), hex(words, S.MTRR_VARIABLE + 2)],
      [
        ['0', 'c0000000'],
        ['f', 'c0000800'],
      ],
    );
  });
  it('masks fit a processor with 32 address bits, and one without MTRRs is left alone', () => {
    assert.deepEqual(hex(afterPowerOn('qemu32,+mtrr'), S.MTRR_VARIABLE + 2), ['0', 'c0000800']);
    assert.deepEqual(hex(afterPowerOn('pentium'), S.MTRR_DEFAULT), ['0', '0']);
  });
  it('a register that is not there, or a value that is not valid, changes nothing', () => {
    const cpu = createProcessor({ arenaBytes: MIB }).createCpu({
      host: emptyHost,
      offset: 0,
      bytes: MIB,
      tier: 'interpret',
      model: cpuModel('pentium3'),
    });
    assert.deepEqual(
      [cpu.setMsr(0x1234, 0, 0), cpu.setMsr(0xfe, 0, 0), cpu.setMsr(0x2ff, 0x1000, 0), cpu.setMsr(0x2ff, 0xc00, 0)],
      [false, false, false, true],
    );
    assert.deepEqual(hex(cpu.save().words, S.MTRR_DEFAULT), ['0', 'c00']);
  });
});
