import assert from 'node:assert/strict';
import { APIC_MSRS, IA32_APIC_BASE, IA32_TSC_DEADLINE } from '../../src/runtime/apicMsrs.ts';
import { S, VECTOR } from '../../src/translator/state.ts';
import { engine, host, r, raises, reset } from './machine.ts';

const row = (number: number) => new Map(APIC_MSRS).get(number)!;

describe("the local APIC's model-specific registers", () => {
  beforeEach(reset);

  it('are read and written in the machine around the processor, which may refuse a value', () => {
    row(IA32_APIC_BASE).write!(engine, 0xfee00900 | 0, 0);
    assert.deepEqual(row(IA32_APIC_BASE).read(engine), { low: 0xfee00900 | 0, high: 0 });
    raises(() => row(IA32_APIC_BASE).write!(engine, 0, -1), VECTOR.GP, 0);
  });

  it('give the machine a deadline in cycles and the guest one of its time-stamp counter', () => {
    const deadline = row(IA32_TSC_DEADLINE);
    for (const [low, high, offsetLow, offsetHigh, cyclesLow, cyclesHigh] of [
      [5000, 3, 1000, 0, 4000, 3],
      [500, 3, 1000, 0, -500, 2],
      [0x10, 0, -0x20, -1, 0x30, 0],
    ] as const) {
      r[S.TSC_OFFSET_LOW] = offsetLow;
      r[S.TSC_OFFSET_HIGH] = offsetHigh;
      deadline.write!(engine, low, high);
      assert.deepEqual(host.msrs.get(IA32_TSC_DEADLINE), { low: cyclesLow, high: cyclesHigh });
      assert.deepEqual(deadline.read(engine), { low, high });
    }
    deadline.write!(engine, 0, 0);
    assert.deepEqual(
      [host.msrs.get(IA32_TSC_DEADLINE), deadline.read(engine)],
      [
        { low: 0, high: 0 },
        { low: 0, high: 0 },
      ],
    );
  });
});
