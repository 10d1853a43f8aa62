import assert from 'node:assert/strict';
import { describeGuest, formatCount, GuestStore } from '../../extension/guestStore.ts';
import type { GuestInfo } from '../../src/vmm/protocol.ts';

const info = (id: number, part: Partial<GuestInfo> = {}): GuestInfo => ({
  id,
  name: `guest ${id}`,
  status: 'running',
  reason: '',
  ticks: 0,
  cycles: 0,
  memory: 16 << 20,
  weight: 1,
  speed: 0,
  share: 0,
  exits: 0,
  mode: 'real',
  paging: false,
  ...part,
});

describe('the guests that the editor knows', () => {
  it('come, change and go with events', () => {
    const store = new GuestStore(),
      told: (string | null)[] = [];
    store.onChange((entry) => told.push(entry?.key ?? null));
    store.handle({ event: 'status', guest: info(1) });
    store.handle({ event: 'status', guest: info(1, { status: 'paused' }) });
    store.handle({ event: 'status', guest: info(2) });
    store.handle({ event: 'removed', id: 1 });
    assert.deepEqual(
      store.all.map(({ info: { name } }) => name),
      ['guest 2'],
    );
    assert.deepEqual(told, [null, '1.1', null, null]);
    assert.equal(store.byId(2)?.info.status, 'running');
  });

  it('stay as failed when their worker dies, until another one starts', () => {
    const store = new GuestStore();
    store.handle({ event: 'status', guest: info(1, { speed: 1e6 }) });
    store.handle({ event: 'workerFailed', reason: 'out of memory' });
    const [entry] = store.all;
    assert.deepEqual([entry?.alive, entry?.info.status, entry?.info.reason, entry?.info.speed], [false, 'failed', 'out of memory', 0]);
    store.newWorker();
    assert.equal(store.all.length, 0);
    store.handle({ event: 'status', guest: info(1) });
    assert.notEqual(store.all[0]?.key, entry?.key, 'the same number is another guest');
  });

  it('are described by state, mode and speed', () => {
    assert.equal(
      describeGuest(info(1, { speed: 12_345_678, mode: 'protected 32', paging: true })),
      'running · protected 32, paging · 12.3 M ticks/s',
    );
    assert.equal(describeGuest(info(1, { status: 'paused', reason: 'breakpoint' })), 'paused · real · breakpoint');
    assert.equal(describeGuest(info(1, { status: 'off', reason: 'powered off' })), 'off · powered off');
    assert.deepEqual([0, 9999, 10_000, 950_400, 3.2e9].map(formatCount), ['0', '9999', '10 k', '950 k', '3.2 G']);
  });
});
