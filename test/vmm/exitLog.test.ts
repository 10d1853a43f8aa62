import assert from 'node:assert/strict';
import { EXITS, ioQualification } from '../../src/runtime/exits.ts';
import { EXIT_NAMES, ExitLog } from '../../src/vmm/exitLog.ts';
import { qualificationText } from '../../src/vmm/exitText.ts';

const out = (port: number) => ioQualification(port, 1, false);
function log(capacity?: number) {
  const at = { tick: 0, cs: 0xf000, eip: 0xfff0, linear: 0xfffffff0 };
  return { at, exits: new ExitLog(7, () => ({ ...at }), capacity) };
}

describe('exit log', () => {
  it('counts every exit and records none when nobody watches', () => {
    const { exits } = log();
    exits.record('hlt', 0, 0);
    exits.record('ioInstruction', out(0x3f8), 65);
    exits.record('ioInstruction', out(0x3f8), 66);
    assert.deepEqual(exits.counts(5), { guest: 7, tick: 5, counts: { ioInstruction: 2, hlt: 1 }, dropped: 0 });
    assert.equal(exits.total, 3);
    assert.deepEqual(exits.take(10), []);
  });

  it('records tick, place, reason, qualification, words and cost while watched', () => {
    const { exits, at } = log();
    exits.watch({});
    at.tick = 123;
    exits.record('ioInstruction', out(0x3f8), 65);
    exits.cost(1.5);
    exits.cost(0.5);
    assert.deepEqual(exits.take(10), [
      {
        sequence: 0,
        guest: 7,
        tick: 123,
        cs: 0xf000,
        eip: 0xfff0,
        linear: 0xfffffff0,
        reason: 'ioInstruction',
        qualification: 0x3f80000,
        detail: 65,
        text: "out 0x3f8, al = 0x41 'A'",
        cost: 2,
      },
    ]);
    assert.deepEqual(exits.take(10), []);
  });

  it('drops the oldest when nobody takes them, and counts what it dropped', () => {
    const { exits } = log(4);
    exits.watch({});
    for (let n = 0; n < 10; n++) exits.record('cpuid', n, 0);
    assert.deepEqual(
      exits.take(3).map(({ sequence, qualification }) => [sequence, qualification]),
      [
        [7, 7],
        [8, 8],
        [9, 9],
      ],
    );
    assert.equal(exits.counts(0).dropped, 7);
    assert.equal(exits.counts(0).counts.cpuid, 10);
    exits.record('cpuid', 10, 0);
    assert.deepEqual(
      exits.take(3).map(({ sequence }) => sequence),
      [10],
    );
  });

  it('records only what the filter names', () => {
    const { exits } = log();
    exits.watch({ reasons: ['ioInstruction', 'exception'], ports: [{ first: 0x60, last: 0x64 }], vectors: [14] });
    exits.record('ioInstruction', out(0x64), 0);
    exits.record('ioInstruction', out(0x65), 0);
    exits.record('exception', 13, 0);
    exits.record('exception', 14, 0);
    exits.record('hlt', 0, 0);
    assert.deepEqual(
      exits.take(9).map(({ reason }) => reason),
      ['ioInstruction', 'exception'],
    );
  });

  it('answers true for exits to stop at, watched or not', () => {
    const { exits } = log();
    exits.breakOn({ reasons: ['cpuid'] }, [6]);
    assert.ok(exits.record('cpuid', 0, 0));
    assert.ok(exits.record('exception', 6, 0));
    assert.ok(!exits.record('exception', 13, 0));
    assert.ok(!exits.record('hlt', 0, 0));
    exits.breakOn(null, []);
    assert.ok(!exits.record('cpuid', 0, 0));
  });

  it('has a row and words for every reason', () => {
    assert.deepEqual([...EXIT_NAMES].sort(), Object.keys(EXITS).sort());
    for (const name of EXIT_NAMES) for (const word of [0, 1, 0xffffffff]) assert.match(qualificationText(name, word, word), /\w/);
  });

  const texts: [Parameters<typeof qualificationText>, string][] = [
    [['ioInstruction', ioQualification(0x60, 1, true), 0x1c], 'in 0x60, al = 0x1c'],
    [['ioInstruction', ioQualification(0x1f0, 2, true, true, true), 7], 'rep insw 0x1f0, 0x7'],
    [['crAccess', 0x300, 0x80000001], 'mov cr0, ebx = 0x80000001'],
    [['crAccess', 0x13, 0x1000], 'mov eax, cr3 = 0x1000'],
    [['drAccess', 0x107, 5], 'mov dr7, ecx = 0x5'],
    [['exception', 14, 2], '#PF page fault, error code 0x2'],
    [['exception', 6, -1], '#UD invalid opcode'],
    [['biosService', 0x10, 0x0e41], 'INT 10h, AX = 0xe41'],
    [['taskSwitch', 0x80000028, 2], 'JMP to selector 0x28'],
  ];
  for (const [args, text] of texts) it(`says '${text}'`, () => assert.equal(qualificationText(...args), text));
});
