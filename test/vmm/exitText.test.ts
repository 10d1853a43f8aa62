// Qualifications in words where the number alone says little.

import assert from 'node:assert/strict';
import { qualificationText } from '../../src/vmm/exitText.ts';

describe('exits in words', () => {
  it('name model-specific registers', () => {
    assert.equal(qualificationText('rdmsr', 0xc0000080, 0), 'MSR 0xc0000080 IA32_EFER');
    assert.equal(qualificationText('wrmsr', 0x4b564d01, 0x2001), 'MSR 0x4b564d01 MSR_KVM_SYSTEM_TIME_NEW, low half 0x2001');
    assert.equal(qualificationText('rdmsr', 0x1234, 0), 'MSR 0x1234');
  });
  it('give all of an address above 4 GiB', () => {
    assert.equal(qualificationText('highMemory', 0x1000, 3), 'nothing at 0x300001000');
  });
});
