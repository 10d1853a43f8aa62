// A machine's network cards and the host's sockets: when ports are listened at, and what reaches the card.

import { strict as assert } from 'node:assert';
import { createLocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import type { HostSockets } from '../../../src/vmm/net/hostSockets.ts';
import type { GuestConfig } from '../../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../../support/guestDefaults.ts';
import { manualPlatform } from '../platform.ts';

const CONFIG: GuestConfig = {
  ...GUEST_DEFAULTS,
  name: 'test',
  memory: 1 << 20,
  boot: { kind: 'flat', image: Uint8Array.of(0xf4, 0xeb, 0xfd), address: 0x7c00, mode: 16 },
  cards: [{ device: 'ne2k_pci', properties: {}, backend: { type: 'user', properties: { hostfwd: 'tcp::2222-:22 udp::53-:53' } } }],
  tier: 'interpret',
  onReset: 'reset',
  startOfTime: 0,
};

/** Sockets that only say who listens. */
function createSockets(): { sockets: HostSockets; listening: Set<string>; fail: Map<string, (message: string) => void> } {
  const listening = new Set<string>(),
    fail = new Map<string, (message: string) => void>();
  return {
    listening,
    fail,
    sockets: {
      connect: () => assert.fail('nobody connects'),
      listen(protocol, { host, port }, { failed }) {
        const name = `${protocol} ${host} ${port}`;
        listening.add(name);
        fail.set(name, failed);
        return { close: () => void listening.delete(name) };
      },
    },
  };
}

describe('a machine with a user network', () => {
  it('listens at forwarded ports until it ends, and says in its log when it cannot', async () => {
    const { sockets, listening, fail } = createSockets(),
      log: string[] = [];
    const platform = { ...manualPlatform(), sockets };
    const client = createLocalClient(platform, createMachineBuilder({ arenaBytes: 4 << 20 }));
    client.onEvent((event) => {
      if (event.event === 'output' && event.channel === 'log') log.push(new TextDecoder().decode(event.bytes));
    });
    const { id } = await client.request('define', { config: CONFIG });
    assert.deepEqual([...listening], ['tcp 127.0.0.1 2222', 'udp 127.0.0.1 53']);
    await client.request('start', { id, stopOnEntry: true });
    fail.get('tcp 127.0.0.1 2222')?.('the port is taken');
    await client.request('powerOff', { id });
    assert.equal(log.join(''), 'hostfwd tcp:127.0.0.1:2222: the port is taken\n');
    assert.deepEqual([...listening], []);
    await client.request('remove', { id });
    const again = await client.request('define', { config: CONFIG });
    assert.equal(listening.size, 2);
    await client.request('remove', { id: again.id });
    assert.equal(listening.size, 0);
    client.dispose();
  });

  it('opens no socket in a replay, and is refused with other services than were recorded', async () => {
    const { sockets, listening } = createSockets();
    const client = createLocalClient({ ...manualPlatform(), sockets }, createMachineBuilder({ arenaBytes: 4 << 20 }));
    const { id } = await client.request('define', { config: CONFIG });
    const { bytes: replay } = await client.request('journal', { id });
    await client.request('remove', { id });
    await client.request('define', { config: { ...CONFIG, replay } });
    assert.equal(listening.size, 0);
    const cards = [{ ...CONFIG.cards![0], backend: { type: 'user', properties: { guestfwd: 'tcp:web:80-tcp::80' } } }];
    await assert.rejects(client.request('define', { config: { ...CONFIG, cards, replay } }), /another configuration/);
    client.dispose();
  });

  it('is not made from what no network is', async () => {
    const client = createLocalClient(manualPlatform(), createMachineBuilder({ arenaBytes: 4 << 20 }));
    for (const [backend, message] of [
      [{ type: 'tap', properties: {} }, /cannot be connected to 'tap'/],
      [{ type: 'user', properties: { hostfwd: 'x' } }, /hostfwd x: it is written/],
      [{ type: 'switch', properties: { switch: 'a b' } }, /letters, digits/],
    ] as const)
      await assert.rejects(client.request('define', { config: { ...CONFIG, cards: [{ ...CONFIG.cards![0], backend }] } }), message);
    client.dispose();
  });
});
