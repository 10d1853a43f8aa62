import assert from 'node:assert/strict';
import { compileFilter, formatAddress, mergeExitFilters, NO_FILTER, parsePorts, workerFilter } from '../../extension/exitFilter.ts';
import { ExitCounters, ExitLog } from '../../extension/exitLog.ts';
import { ioQualification } from '../../src/runtime/exits.ts';
import type { ExitRecord } from '../../src/vmm/protocol.ts';

const record = (sequence: number, part: Partial<ExitRecord> = {}): ExitRecord => ({
  sequence,
  guest: 1,
  tick: sequence * 10,
  cs: 0,
  eip: 0x7c00 + sequence,
  linear: 0x7c00 + sequence,
  reason: 'hlt',
  qualification: 0,
  detail: 0,
  text: `exit ${sequence}`,
  cost: 0,
  ...part,
});
const records = (from: number, to: number, part: (n: number) => Partial<ExitRecord> = () => ({})): ExitRecord[] =>
  Array.from({ length: to - from }, (_, n) => record(from + n, part(from + n)));
const sequences = (list: readonly ExitRecord[]): number[] => list.map(({ sequence }) => sequence);

describe('the log of VM exits', () => {
  it('keeps the newest records and their positions', () => {
    const log = new ExitLog(100);
    log.add(records(0, 60));
    log.add(records(60, 150));
    assert.deepEqual([log.first, log.end, log.held], [50, 150, 100]);
    assert.deepEqual(sequences(log.rows(50, 3)), [50, 51, 52]);
    assert.deepEqual(sequences(log.rows(148, 10)), [148, 149]);
    assert.deepEqual(sequences(log.rows(0, 52)), [50, 51]);
    assert.equal(log.at(99)?.sequence, 99);
    assert.equal(log.at(49), undefined);
  });

  it('takes a batch larger than itself', () => {
    const log = new ExitLog(10);
    log.add(records(0, 35));
    assert.deepEqual(sequences(log.rows(log.first, 100)), [25, 26, 27, 28, 29, 30, 31, 32, 33, 34]);
  });

  it('shows what a plain list shows, for any batches and filters', () => {
    const capacity = 50,
      log = new ExitLog(capacity);
    let all: ExitRecord[] = [],
      next = 0,
      seed = 1,
      divisor = 1;
    const random = (limit: number): number => (seed = (seed * 48271) % 2147483647) % limit;
    for (let round = 0; round < 400; round++) {
      if (random(12) === 0) {
        divisor = 1 + random(5);
        const chosen = divisor;
        log.setFilter(({ sequence }) => sequence % chosen === 0);
      } else if (random(60) === 0) {
        log.clear();
        all = [];
      } else {
        const batch = records(next, (next += random(30)));
        log.add(batch);
        all.push(...batch);
      }
      const expected = all.slice(-capacity).filter(({ sequence }) => sequence % divisor === 0);
      assert.deepEqual(sequences(log.rows(log.first, log.end - log.first)), sequences(expected));
      assert.equal(log.end - log.first, expected.length);
    }
  });

  it('does not move a position while other records come and go', () => {
    const log = new ExitLog(1000);
    log.setFilter(({ sequence }) => sequence % 3 === 0);
    log.add(records(0, 900));
    const before = log.at(250)?.sequence;
    log.add(records(900, 1500));
    assert.equal(before, 750);
    assert.equal(log.at(250)?.sequence, 750);
  });
});

describe('counts of VM exits', () => {
  const counts = (tick: number, hlt: number, cpuid = 0, dropped = 0) => ({
    guest: 1,
    tick,
    counts: { hlt, ...(cpuid ? { cpuid } : {}) },
    dropped,
  });

  it('give totals and rates by reason, most frequent first', () => {
    const counters = new ExitCounters();
    counters.update('a', counts(1, 100), 1000);
    counters.update('a', counts(2, 300, 5), 1500);
    counters.update('b', counts(1, 0, 1000), 1500);
    assert.deepEqual(counters.reasons('a', 1500), [
      { reason: 'hlt', count: 300, rate: 400 },
      { reason: 'cpuid', count: 5, rate: 10 },
    ]);
    assert.deepEqual(
      counters.reasons(null, 1500).map(({ reason, count }) => [reason, count]),
      [
        ['cpuid', 1005],
        ['hlt', 300],
      ],
    );
  });

  it('let the rate of a guest that makes no more exits fall to zero', () => {
    const counters = new ExitCounters();
    counters.update('a', counts(1, 100), 1000);
    counters.update('a', counts(2, 300), 1500);
    assert.deepEqual(counters.reasons('a', 5000), [{ reason: 'hlt', count: 300, rate: 0 }]);
  });

  it('count from zero after clearing, and after the guest was reset', () => {
    const counters = new ExitCounters();
    counters.update('a', counts(10, 100, 0, 7), 1000);
    counters.clear();
    assert.deepEqual(counters.reasons(null, 1000), []);
    assert.equal(counters.dropped('a'), 0);
    counters.update('a', counts(20, 150, 0, 9), 1100);
    assert.equal(counters.reasons('a', 1100)[0]?.count, 50);
    assert.equal(counters.dropped(null), 2);
    counters.update('a', counts(1, 3), 1200);
    assert.equal(counters.reasons('a', 1200)[0]?.count, 3);
  });
});

describe('the filter of VM exits', () => {
  const io = (port: number): ExitRecord =>
    record(1, { reason: 'ioInstruction', qualification: ioQualification(port, 1, false), text: 'out' });
  const passes = (part: Partial<typeof NO_FILTER>, one: ExitRecord): boolean =>
    compileFilter({ ...NO_FILTER, ...part }, ({ guest }) => String(guest))(one);

  it('reads ports and ranges in hexadecimal', () => {
    assert.deepEqual(parsePorts('3f8-3ff, 0x60 64h;cf9'), [
      { first: 0x3f8, last: 0x3ff },
      { first: 0x60, last: 0x60 },
      { first: 0x64, last: 0x64 },
      { first: 0xcf9, last: 0xcf9 },
    ]);
    assert.deepEqual(parsePorts('3f8 - 3ff'), [{ first: 0x3f8, last: 0x3ff }]);
    assert.deepEqual(parsePorts('  '), []);
    for (const bad of ['xyz', '3ff-3f8', '1-2-3', '10000', '-5']) assert.throws(() => parsePorts(bad), /Not a port/, bad);
  });

  it('goes by reason, guest, port and text together', () => {
    assert.ok(passes({}, record(1)));
    assert.ok(passes({ reasons: ['hlt', 'cpuid'] }, record(1)));
    assert.ok(!passes({ reasons: ['cpuid'] }, record(1)));
    assert.ok(passes({ ports: '3f8-3ff' }, io(0x3f9)));
    assert.ok(!passes({ ports: '3f8-3ff' }, io(0x400)));
    assert.ok(!passes({ ports: '0' }, record(1)), 'an exit that is no I/O has no port');
    assert.ok(passes({ guest: '1' }, record(1)) && !passes({ guest: '2' }, record(1)));
    assert.ok(passes({ text: 'EXIT 1' }, record(1)) && passes({ text: '0000:7c01' }, record(1)) && !passes({ text: 'exit 2' }, record(1)));
  });

  it('asks the worker for no more than it shows', () => {
    assert.deepEqual(workerFilter(NO_FILTER), {});
    assert.deepEqual(workerFilter({ ...NO_FILTER, reasons: ['hlt'] }), { reasons: ['hlt'] });
    assert.deepEqual(workerFilter({ ...NO_FILTER, ports: '60' }), { reasons: ['ioInstruction'], ports: [{ first: 0x60, last: 0x60 }] });
  });

  it('prints addresses in four digits where they fit', () => {
    assert.equal(formatAddress(record(0x3e)), '0000:7c3e');
    assert.equal(formatAddress(record(1, { cs: 8, eip: 0xc0100000 })), '0008:c0100000');
  });

  it('joins with another filter to what either passes', () => {
    const ports = [{ first: 0x60, last: 0x64 }];
    assert.equal(mergeExitFilters(null, null), null);
    assert.deepEqual(mergeExitFilters(null, { reasons: ['hlt'] }), { reasons: ['hlt'] });
    assert.deepEqual(mergeExitFilters({}, { reasons: ['hlt'] }), {});
    assert.deepEqual(mergeExitFilters({ reasons: ['ioInstruction'], ports }, { reasons: ['hlt'] }), {
      reasons: ['ioInstruction', 'hlt'],
      ports,
    });
    assert.deepEqual(mergeExitFilters({ reasons: ['ioInstruction'], ports }, { reasons: ['ioInstruction'] }), {
      reasons: ['ioInstruction'],
    });
  });
});
