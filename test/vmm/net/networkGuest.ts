// Linux guests with network cards in one hypervisor, whose connections to the host are real: the shell on the serial console is
// worked with while sockets and guests go on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Module686 } from '../../../scripts/cache.ts';
import { createLocalClient, type LocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { nodePlatform } from '../../../src/vmm/node/platform.ts';
import type { GuestConfig, GuestId } from '../../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../../support/guestDefaults.ts';
import { initramfs } from '../../support/initramfs.ts';
import { PROMPT } from '../linuxGuest.ts';

const MEMORY = 64 << 20;

/** What udhcpc does with its lease. */
const SCRIPT = [
  'busybox mkdir -p /etc',
  `echo '#!/bin/sh' > /dhcp; echo 'case $1 in bound) busybox ifconfig $interface $ip netmask $subnet; busybox route add default gw $router; echo nameserver $dns > /etc/resolv.conf; echo lease $ip $subnet $router $dns $lease;; esac' >> /dhcp`,
  'busybox chmod 755 /dhcp',
];

export interface NetworkGuest {
  readonly id: GuestId;
  console(): string;
  /** What came since the last call, when it has this in it. */
  until(text: RegExp): Promise<string>;
  /** Types a command and waits for the shell's next prompt; gives what came. */
  command(line: string): Promise<string>;
  log(): string;
}

export interface Host {
  readonly client: LocalClient;
  /** Boots a kernel to its shell; `how` is in the configuration, `modules` are loaded in order. */
  boot(kernel: string, busybox: string, modules: readonly Uint8Array[], how: Partial<GuestConfig>): Promise<NetworkGuest>;
  dispose(): void;
}

export const readModules = (folder: string, names: readonly Module686[]): Uint8Array[] =>
  names.map((name) => readFileSync(join(folder, `${name}.ko`)));

export function createHost(guests: number): Host {
  const client = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: guests * MEMORY })),
    text = new Map<string, string>();
  client.onEvent((event) => {
    if (event.event !== 'output') return;
    const key = `${event.id} ${event.channel}`;
    text.set(key, (text.get(key) ?? '') + new TextDecoder('latin1').decode(event.bytes));
  });
  return {
    client,
    async boot(kernel, busybox, modules, how) {
      const { id } = await client.request('define', {
        config: {
          ...GUEST_DEFAULTS,
          name: 'linux',
          memory: MEMORY,
          boot: {
            kind: 'kernel',
            image: new Uint8Array(readFileSync(kernel)),
            commandLine: 'console=ttyS0 quiet cryptomgr.notests',
            initrd: initramfs(readFileSync(busybox), modules),
          },
          ...how,
        },
      });
      let seen = 0;
      const guest: NetworkGuest = {
        id,
        console: () => text.get(`${id} serial0`) ?? '',
        log: () => text.get(`${id} log`) ?? '',
        async until(pattern) {
          for (;;) {
            const news = guest.console().slice(seen);
            if (pattern.test(news)) {
              seen += news.length;
              return news;
            }
            const { guests: infos } = await client.request('list', {});
            const info = infos.find((other) => other.id === id);
            assert.ok(info && (info.status === 'running' || info.status === 'halted'), `${info?.status}: ${info?.reason} ${news}`);
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        },
        async command(line) {
          await client.request('serialInput', { id, port: 0, bytes: new TextEncoder().encode(`${line}\n`) });
          return guest.until(PROMPT);
        },
      };
      if (!how.replay) {
        await client.request('start', { id, stopOnEntry: false });
        await guest.until(PROMPT);
        for (const line of SCRIPT) await guest.command(line);
      }
      return guest;
    },
    dispose: () => client.dispose(),
  };
}
