// Machines with a folder of the host: when it is not there, where there are none, and in a replay.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { nodePlatform } from '../../../src/vmm/node/platform.ts';
import type { CardConfig, GuestConfig } from '../../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../../support/guestDefaults.ts';

const MEMORY = 16 << 20;
const card = (path: string): CardConfig => ({
  device: 'virtio-9p-pci',
  properties: { mount_tag: 'host' },
  backend: { type: 'local', properties: { path } },
});
const config = (cards: readonly CardConfig[], replay?: Uint8Array): GuestConfig => ({
  ...GUEST_DEFAULTS,
  name: 'guest',
  memory: MEMORY,
  boot: { kind: 'flat', image: Uint8Array.of(0xeb, 0xfe), address: 0x8000, mode: 16 },
  cards,
  tier: 'interpret',
  startOfTime: 0,
  ...(replay ? { replay } : {}),
});

describe('a machine with a folder of the host', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cp86-ninep-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is not built without its folder, and leaves nothing behind', async () => {
    const client = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: MEMORY }));
    for (let n = 0; n < 3; n++)
      await assert.rejects(
        client.request('define', { config: config([card(folder), card(join(folder, 'none'))]) }),
        /cannot share the folder '.*none': no such file/,
      );
    const { id } = await client.request('define', { config: config([card(folder)]) });
    await client.request('remove', { id });
    client.dispose();
  });

  it('is not built without a back end, nor where there are no folders', async () => {
    const platform = { ...nodePlatform(), openFolder: null },
      client = createLocalClient(platform, createMachineBuilder({ arenaBytes: MEMORY }));
    await assert.rejects(client.request('define', { config: config([{ ...card(folder), backend: undefined }]) }), /must be connected/);
    await assert.rejects(client.request('define', { config: config([card(folder)]) }), /cannot be shared: the browser/);
    client.dispose();
  });

  it('is replayed without its folder', async () => {
    const client = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: 2 * MEMORY }));
    const { id } = await client.request('define', { config: config([card(folder)]) });
    await client.request('start', { id, stopOnEntry: true });
    const { bytes } = await client.request('journal', { id });
    rmSync(folder, { recursive: true });
    await client.request('define', { config: config([card(folder)], bytes) });
    client.dispose();
  });
});
