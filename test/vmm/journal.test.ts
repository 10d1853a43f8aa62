import assert from 'node:assert/strict';
import { type JournalEvent, Player, Recorder, readJournal } from '../../src/vmm/journal.ts';

const HEADER = { configuration: '0123456789abcdef', startOfTime: 1_700_000_000_123 };
const EVENTS: Exclude<JournalEvent, { kind: 'end' }>[] = [
  { kind: 'sample', target: 2 ** 40 + 5 },
  { kind: 'serial', port: 1, bytes: Uint8Array.of(1, 2, 0xff) },
  { kind: 'keyboard', scanCodes: Uint8Array.of(0x1e, 0x9e) },
  { kind: 'mouse', x: -300, y: 5, wheel: -1, buttons: 0x13 },
  { kind: 'register', name: 'eax', value: 0xffffffff },
  { kind: 'register', name: 'r0', value: '3fff8000000000000000' },
  { kind: 'memory', address: 0xfffffff0, physical: true, bytes: new Uint8Array(300).fill(7) },
  { kind: 'reset' },
  { kind: 'powerOff' },
  { kind: 'powerButton' },
];

function recorded(): Uint8Array {
  const recorder = new Recorder(HEADER);
  for (const [n, event] of EVENTS.entries()) recorder.add(n * 1000 * 2 ** n, n, event);
  return recorder.bytes(2 ** 45, 77);
}

describe('journal', () => {
  it('gives back what was recorded, with its cycles, and where the recording ended', () => {
    const { events, ...header } = readJournal(recorded());
    assert.deepEqual(header, HEADER);
    assert.deepEqual(events, [
      ...EVENTS.map((event, n) => ({ ...event, cycle: n * 1000 * 2 ** n })),
      { kind: 'end', tick: 77, cycle: 2 ** 45 },
    ]);
  });

  it('refuses a file that is cut short anywhere', () => {
    const bytes = recorded();
    for (let length = 0; length < bytes.length; length++) assert.throws(() => readJournal(bytes.slice(0, length)), RangeError);
  });

  it('refuses a file with any byte changed', () => {
    const bytes = recorded();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 0x10;
      assert.throws(() => readJournal(damaged), /Journal: /);
    }
  });

  it('says which version it cannot read', () => {
    const bytes = recorded();
    bytes[8] = 9;
    assert.throws(() => readJournal(bytes), /version 9; this program reads version 1/);
  });

  it('stops recording at its size limit and ends there', () => {
    const recorder = new Recorder(HEADER, 400);
    for (let n = 0; n < 100; n++) recorder.add(n, n, { kind: 'serial', port: 0, bytes: Uint8Array.of(n) });
    assert.ok(recorder.full);
    const { events } = readJournal(recorder.bytes(1000, 1000));
    const end = events.at(-1);
    assert.ok(end?.kind === 'end' && end.tick === events.length - 1 && end.cycle === end.tick);
  });

  it('gives events to a replay at their cycles only', () => {
    const player = new Player(readJournal(recorded()));
    assert.equal(player.take(0)?.kind, 'sample');
    assert.equal(player.nextCycle, 2000);
    assert.equal(player.take(1999), null);
    assert.equal(player.take(2000)?.kind, 'serial');
    assert.throws(() => player.take(8001), /event for cycle 8000 met at cycle 8001/);
  });
});
