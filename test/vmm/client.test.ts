import assert from 'node:assert/strict';
import { createClient, PATIENCE, type WorkerPort } from '../../src/vmm/client.ts';
import type { HypervisorEvent, RequestMessage } from '../../src/vmm/protocol.ts';
import { manualPlatform } from './platform.ts';

/** A port whose other end is the test. */
function memoryPort() {
  const sent: RequestMessage[] = [];
  const state = { terminated: 0, message: (_: unknown): void => {}, failure: (_: string): void => {} };
  const port: WorkerPort = {
    post: (message) => void sent.push(message as RequestMessage),
    onMessage: (listener) => void (state.message = listener),
    terminate: () => void state.terminated++,
    onFailure: (listener) => void (state.failure = listener),
  };
  return { port, sent, state };
}

describe('hypervisor client', () => {
  it('gives each request its own answer, whatever the order, and errors as errors', async () => {
    const { port, sent, state } = memoryPort();
    const client = createClient(port, manualPlatform());
    const first = client.request('list', {}),
      second = client.request('pause', { id: 9 });
    assert.deepEqual(
      sent.map(({ command, args }) => [command, args]),
      [
        ['list', {}],
        ['pause', { id: 9 }],
      ],
    );
    state.message({ id: sent[1].id, error: 'There is no guest 9.' });
    state.message({ id: sent[0].id, result: { guests: [] } });
    assert.deepEqual(await first, { guests: [] });
    await assert.rejects(second, /There is no guest 9/);
  });

  it('passes events on until the subscription ends', () => {
    const { port, state } = memoryPort();
    const client = createClient(port, manualPlatform());
    const seen: HypervisorEvent[] = [];
    const end = client.onEvent((event) => void seen.push(event));
    state.message({
      events: [
        { event: 'removed', id: 1 },
        { event: 'removed', id: 2 },
      ],
    });
    end();
    state.message({ events: [{ event: 'removed', id: 3 }] });
    assert.deepEqual(seen, [
      { event: 'removed', id: 1 },
      { event: 'removed', id: 2 },
    ]);
  });

  it('ends a worker that misses its heartbeats, fails what is open, and says so', async () => {
    const { port, state } = memoryPort();
    const platform = manualPlatform();
    const client = createClient(port, platform);
    const seen: HypervisorEvent[] = [];
    client.onEvent((event) => void seen.push(event));
    for (let n = 0; n < 60; n++) {
      platform.advance(500);
      state.message({ heartbeat: n });
    }
    assert.equal(state.terminated, 0);
    const request = client.request('list', {});
    platform.advance(PATIENCE + 2000);
    assert.equal(state.terminated, 1);
    await assert.rejects(request, /has not answered for \d+ seconds/);
    assert.deepEqual(
      seen.map(({ event }) => event),
      ['workerFailed'],
    );
    await assert.rejects(client.request('list', {}), /has not answered/);
  });

  it('does not take a sleep of the whole computer for a hung worker', () => {
    const { port, state } = memoryPort();
    const platform = manualPlatform();
    createClient(port, platform);
    platform.advance(3000);
    platform.spend(8 * 3_600_000);
    platform.advance(3000);
    assert.equal(state.terminated, 0);
  });

  it('says why a worker failed, once', () => {
    const { port, state } = memoryPort();
    const client = createClient(port, manualPlatform());
    const seen: HypervisorEvent[] = [];
    client.onEvent((event) => void seen.push(event));
    state.failure('out of memory');
    state.failure('it ended with code 1');
    assert.deepEqual(seen, [{ event: 'workerFailed', reason: 'The worker failed: out of memory' }]);
  });

  it('ends the worker when it is closed, without calling that a failure', async () => {
    const { port, state } = memoryPort();
    const client = createClient(port, manualPlatform());
    const seen: HypervisorEvent[] = [];
    client.onEvent((event) => void seen.push(event));
    const request = client.request('list', {});
    client.dispose();
    state.failure('it ended with code 0');
    await assert.rejects(request, /closed/);
    assert.equal(state.terminated, 1);
    assert.deepEqual(seen, []);
  });
});
