import assert from 'node:assert/strict';
import { EXITS_BATCH, Outbox, type Source } from '../../src/vmm/outbox.ts';
import type { GraphicsScreen, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { manualPlatform } from './platform.ts';

describe('the outbox', () => {
  function start(changes: Partial<Source> = {}) {
    const platform = manualPlatform(),
      events: HypervisorEvent[] = [];
    const outbox = new Outbox(platform, (event) => void events.push(event));
    outbox.add({
      id: 1,
      isRunning: () => false,
      status: () => assert.fail('no status is due'),
      hasExits: () => false,
      exits: () => assert.fail('there are no exits'),
      screen: () => assert.fail('nobody looks'),
      ...changes,
    });
    const texts = () => events.flatMap((event) => (event.event === 'output' ? [new TextDecoder().decode(event.bytes)] : []));
    const write = (text: string): void => {
      for (const byte of new TextEncoder().encode(text)) outbox.write(1, 'serial0', byte);
      outbox.pump();
    };
    return { platform, events, outbox, texts, write };
  }

  it('sends the first output after a quiet time at once, and what follows in batches', () => {
    const { platform, texts, write } = start();
    write('a');
    assert.deepEqual(texts(), ['a']);
    write('b');
    write('c');
    assert.deepEqual(texts(), ['a']);
    platform.advance(20);
    assert.deepEqual(texts(), ['a', 'bc']);
    platform.advance(100);
    write('d');
    assert.deepEqual(texts(), ['a', 'bc', 'd']);
  });

  it('sends of graphics what changed since the last time, and large changes less often', () => {
    let version = 1;
    const asked: number[] = [],
      picture = (rows: number): GraphicsScreen => ({
        mode: 'graphics',
        width: 1000,
        height: 1000,
        version,
        bands: rows === 0 ? [] : [{ top: 0, pixels: new Uint8Array(4000 * rows) }],
      });
    let rows = 1;
    const { platform, outbox, events } = start({
      isRunning: () => true,
      status: () => ({ event: 'status' }) as HypervisorEvent & { event: 'status' },
      screen(since) {
        asked.push(since ?? -1);
        return picture(rows);
      },
    });
    const sent = () => events.filter(({ event }) => event === 'screen').length;
    const pass = (milliseconds: number): void => {
      for (let n = 0; n < milliseconds; n++) {
        platform.advance(1);
        outbox.pump();
      }
    };
    outbox.wantScreen(1, picture(1000));
    version = 2;
    pass(100);
    assert.deepEqual(asked.slice(0, 2), [1, 2]);
    assert.ok(sent() >= 2 && sent() <= 4, `${sent()} in 100 ms`);
    rows = 0;
    const before = sent();
    pass(100);
    assert.equal(sent(), before, 'nothing has changed');
    rows = 1000;
    outbox.wantScreen(1, picture(1000));
    pass(900);
    assert.ok(sent() - before >= 8 && sent() - before <= 11, `${sent() - before} pictures of 4 MB in 900 ms`);
  });

  it('does not let output pile up in one turn', () => {
    const { outbox, texts } = start();
    for (let n = 0; n < 200_000; n++) outbox.write(1, 'serial0', 0x78);
    assert.ok(texts().length >= 3 && texts().every(({ length }) => length <= 64 << 10));
  });

  it('sends the rest before the news of a stop, and nothing of a guest that is gone', () => {
    const { outbox, texts, write } = start();
    write('a');
    write('b');
    outbox.flush(1);
    assert.deepEqual(texts(), ['a', 'b']);
    outbox.remove(1);
    write('c');
    assert.deepEqual(texts(), ['a', 'b']);
  });

  it('asks a running guest for no more exits than a batch, a few times a second', () => {
    let asked = 0;
    const { platform, outbox } = start({
      isRunning: () => true,
      status: () => ({ event: 'status' }) as HypervisorEvent & { event: 'status' },
      hasExits: () => true,
      exits(most) {
        asked++;
        assert.equal(most, EXITS_BATCH);
        return { event: 'exits', counts: { guest: 1, tick: 0, counts: {}, dropped: 0 }, records: [] };
      },
    });
    for (let n = 0; n < 1000; n++) {
      outbox.pump();
      platform.spend(1);
    }
    assert.ok(asked >= 10 && asked <= 16, `${asked} times`);
  });
});
