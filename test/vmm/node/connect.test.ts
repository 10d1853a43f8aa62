import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connectNode } from '../../../src/vmm/node/connect.ts';
import type { HypervisorClient, HypervisorEvent } from '../../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../../support/guestDefaults.ts';

const hello = new Uint8Array(readFileSync(new URL('../../../examples/hello.img', import.meta.url)));

describe('hypervisor in a worker thread', () => {
  let client: HypervisorClient, events: HypervisorEvent[];
  beforeEach(() => {
    client = connectNode(new URL('../../../src/vmm/node/worker.ts', import.meta.url));
    events = [];
    client.onEvent((event) => void events.push(event));
  });
  afterEach(() => client.dispose());
  const until = (condition: (event: HypervisorEvent) => boolean) =>
    new Promise<HypervisorEvent>((resolve) => {
      const end = client.onEvent((event) => {
        if (!condition(event)) return;
        end();
        resolve(event);
      });
    });

  it('runs a guest beside this thread and stops at a breakpoint', async () => {
    const { id } = await client.request('define', {
      config: {
        ...GUEST_DEFAULTS,
        name: 'hello',
        memory: 1 << 20,
        boot: { kind: 'drives', order: 'a' },
        drives: [{ kind: 'floppy', index: 0, image: hello, readOnly: true }],
        paced: true,
        onReset: 'reset',
        startOfTime: 0,
      },
    });
    await client.request('setBreakpoints', { id, breakpoints: [{ id: 4, address: 0x7c00 }] });
    const stop = until(({ event }) => event === 'stopped');
    await client.request('start', { id, stopOnEntry: false });
    const event = await stop;
    assert.ok(event.event === 'stopped' && event.linear === 0x7c00 && event.breakpoints[0] === 4);
    let text = '';
    const greeting = until((next) => {
      if (next.event === 'output' && next.channel === 'serial0') text += new TextDecoder().decode(next.bytes);
      return text.includes('Hello');
    });
    await client.request('resume', { id });
    await greeting;
    const paused = until(({ event: name }) => name === 'stopped');
    await client.request('pause', { id });
    await paused;
  });

  it('answers an error as an error', async () => {
    await assert.rejects(client.request('registers', { id: 5 }), /There is no guest 5/);
  });

  it('says so when the worker cannot be started', async () => {
    const broken = connectNode(new URL('nothing.ts', import.meta.url));
    const failure = new Promise<HypervisorEvent>((resolve) => broken.onEvent(resolve));
    await assert.rejects(broken.request('list', {}), /The worker failed/);
    assert.equal((await failure).event, 'workerFailed');
  });
});
