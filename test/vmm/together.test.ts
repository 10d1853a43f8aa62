// Two Linux guests on one worker: while one works as hard as it can, the other answers what is typed to it. The hypervisor and its
// scheduler are the real ones; the host's time is the work that the guests have done, so that every run is the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { MODULE_GROUPS, type Module686 } from '../../scripts/cache.ts';
import { createLocalClient } from '../../src/vmm/local.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { nodeFiles } from '../../src/vmm/node/files.ts';
import type { CardConfig, GuestConfig } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { initramfs } from '../support/initramfs.ts';
import { LONG } from '../support/long.ts';
import { requireTool } from '../support/tools.ts';
import { COMMAND_LINE } from './bootLog.ts';
import { PROMPT } from './linuxGuest.ts';
import { manualPlatform } from './platform.ts';

/** Ticks that this host executes in a millisecond, and those of a turn beside another guest (src/vmm/scheduler.ts). */
const RATE = 50_000,
  TURN = 6 * RATE;
/**
 * Turns that the busy guest gets during an answer besides those between the other's: Linux waits for its serial line, a clock tick
 * at a time, before the shell writes its prompt, and the host collects output for 16 ms (src/vmm/outbox.ts).
 */
const TURNS_MEANWHILE = 6;
const MEMORY = 64 << 20,
  DEBIAN_MEMORY = 128 << 20;
/** Milliseconds of the host's time for a boot, and for anything else. */
const BOOT = 600_000,
  COMMAND = 200_000;
/** Lines typed during the compilation, and ticks of it between two: it takes about 250 million. */
const ANSWERS = 20,
  BETWEEN = 5e6;
const VIRTIO_NET: readonly Module686[] = [...MODULE_GROUPS.virtio, ...MODULE_GROUPS.virtioNet];

/** What is typed, and what comes back: words of the shell itself, programs, a pipe. */
const QUESTIONS: readonly (readonly [string, RegExp])[] = [
  ['echo $((6 * 7))', /\n42\r/],
  ['cat /proc/version', /\nLinux version 6/],
  ['ls -d /proc', /\n\S*\/proc\S*\r/],
  ['echo hello | md5sum', /\nb1946ac92492d2347c6235b4d2611184 /],
  ['for n in 1 2 3; do echo "line $n"; done', /\nline 1\r\nline 2\r\nline 3\r/],
];

interface Linux {
  readonly ticks: number;
  console(): string;
  pause(): void;
  resume(): void;
  type(line: string): void;
  /** Runs everybody until this is in what came from the console since the last call; gives that. */
  until(text: RegExp, milliseconds?: number): string;
  /** Types a command and runs until the next prompt; gives what came. */
  command(line: string): string;
}

/** A hypervisor and its host. */
interface World {
  start(config: Pick<GuestConfig, 'name' | 'boot' | 'memory'> & Partial<GuestConfig>): Linux;
  /** Runs everybody until this is so. */
  until(done: () => boolean, milliseconds?: number): void;
  dispose(): void;
}

function createWorld(): World {
  let executed = (): number => 0;
  const platform = { ...manualPlatform(() => executed() / RATE), files: nodeFiles() },
    { hypervisor, onEvent, dispose } = createLocalClient(platform, createMachineBuilder({ arenaBytes: MEMORY + DEBIAN_MEMORY })),
    consoles = new Map<number, string>();
  executed = () => [...consoles.keys()].reduce((sum, id) => sum + hypervisor.guest(id).cpu.ticks, 0);
  onEvent((event) => {
    if (event.event === 'output' && event.channel === 'serial0')
      consoles.set(event.id, (consoles.get(event.id) ?? '') + String.fromCharCode(...event.bytes));
    if (event.event === 'ended') assert.fail(event.reason);
  });
  const world: World = {
    dispose,
    until(done, milliseconds = COMMAND) {
      for (const end = platform.now() + milliseconds; !done() && platform.now() < end; ) {
        const before = platform.now();
        platform.advance(0);
        if (platform.now() === before) platform.advance(1);
      }
    },
    start(config) {
      const { id } = hypervisor.request('define', {
        config: {
          ...GUEST_DEFAULTS,
          paced: true,
          ...config,
        },
      });
      consoles.set(id, '');
      hypervisor.request('start', { id, stopOnEntry: false });
      let seen = 0;
      const guest: Linux = {
        get ticks() {
          return hypervisor.guest(id).cpu.ticks;
        },
        console: () => consoles.get(id) ?? '',
        pause: () => void hypervisor.request('pause', { id }),
        resume: () => void hypervisor.request('resume', { id }),
        type: (line) => void hypervisor.request('serialInput', { id, port: 0, bytes: new TextEncoder().encode(`${line}\n`) }),
        until(text, milliseconds) {
          const news = (): string => guest.console().slice(seen);
          world.until(() => text.test(news()), milliseconds);
          const came = news();
          assert.match(came, text);
          seen += came.length;
          return came;
        },
        command(line) {
          guest.type(line);
          return guest.until(PROMPT);
        },
      };
      return guest;
    },
  };
  return world;
}

describe('two Linux guests on one worker', function () {
  this.timeout(LONG ? 2_400_000 : 600_000);
  let world: World;
  beforeEach(() => {
    world = createWorld();
  });
  afterEach(() => world.dispose());

  /** A kernel with busybox, for which modules are loaded. */
  function startSmall(context: Context, name: string, modules: readonly Module686[], cards: readonly CardConfig[] = []): Linux {
    const kernel = requireTool(context, "Debian's linux-image-686"),
      busybox = requireTool(context, "Debian's busybox-static, i386"),
      folder = requireTool(context, "modules of Debian's linux-image-686");
    const initrd = initramfs(
      readFileSync(busybox),
      modules.map((module) => readFileSync(join(folder, `${module}.ko`))),
    );
    const boot = {
      kind: 'kernel',
      image: new Uint8Array(readFileSync(kernel)),
      commandLine: 'console=ttyS0 cryptomgr.notests',
      initrd,
    } as const;
    return world.start({ name, memory: MEMORY, boot, cards });
  }

  /** Types a line to a guest that has been idle for a while beside a busy one, which must not keep it from its answer. */
  function ask(guest: Linux, busy: Linux, [line, answer]: (typeof QUESTIONS)[number], after: number): void {
    const { ticks } = busy;
    world.until(() => busy.ticks >= ticks + after);
    const own = guest.ticks,
      others = busy.ticks;
    guest.type(line);
    world.until(() => guest.ticks > own);
    assert.equal(busy.ticks, others, 'who is typed to has the next turn');
    assert.match(guest.until(PROMPT), answer);
    const meanwhile = busy.ticks - others;
    assert.ok(meanwhile > 0, 'the other goes on');
    assert.ok(meanwhile <= guest.ticks - own + TURNS_MEANWHILE * TURN, `${line}: ${guest.ticks - own} ticks beside ${meanwhile}`);
  }

  it('one answers what is typed while the other boots', function () {
    const busy = startSmall(this, 'busy', []);
    world.until(() => busy.ticks > 10 * TURN);
    busy.pause();
    const guest = startSmall(this, 'asked', []);
    guest.until(PROMPT, BOOT);
    busy.resume();
    for (let round = 0; round < 10; round++) for (const question of QUESTIONS) ask(guest, busy, question, 3 * TURN);
    assert.doesNotMatch(busy.console(), /init: up/, 'it boots all the time');
  });

  if (LONG)
    it('one compiles what it has fetched from the other, which answers meanwhile', function () {
      const image = { path: requireTool(this, "Debian's disk") },
        kernel = readFileSync(requireTool(this, "686 kernel of Debian's disk")),
        initrd = readFileSync(requireTool(this, "686 initrd of Debian's disk"));
      const card = (mac: string): CardConfig => ({
        device: 'virtio-net-pci',
        properties: { mac },
        backend: { type: 'switch', properties: {} },
      });
      const debian = world.start({
        name: 'debian',
        memory: DEBIAN_MEMORY,
        boot: {
          kind: 'kernel',
          image: new Uint8Array(kernel),
          commandLine: `${COMMAND_LINE} init=/bin/sh`,
          initrd: new Uint8Array(initrd),
        },
        drives: [{ kind: 'disk', index: 0, image, readOnly: false }],
        cards: [card('52:54:00:00:00:01')],
      });
      debian.until(PROMPT, BOOT);
      debian.command('export PATH=/usr/sbin:/usr/bin:/sbin:/bin; mount -t tmpfs tmpfs /tmp; mount -t proc proc /proc; cd /tmp');
      debian.command('modprobe virtio_net; ip addr add 192.168.1.1/24 dev eth0; ip link set eth0 up');

      const guest = startSmall(this, 'server', VIRTIO_NET, [card('52:54:00:00:00:02')]);
      guest.until(PROMPT, BOOT);
      guest.command('busybox ifconfig eth0 192.168.1.2');
      guest.command(`echo '#include <stdio.h>' > /p.c; echo 'int main(void) { return printf("compiled\\n") - 9; }' >> /p.c`);
      guest.command('busybox httpd -p 80 -h /');

      debian.type('wget -q http://192.168.1.2/p.c && echo fetched && gcc -O2 p.c -o p && ./p; echo finished $?');
      debian.until(/\nfetched\r/);
      for (let n = 0; n < ANSWERS; n++) {
        ask(guest, debian, QUESTIONS[n % QUESTIONS.length], BETWEEN);
        assert.ok(!/\nfinished/.test(debian.console()), `the compiler is at work until answer ${n + 1} has come`);
      }
      debian.until(/\nfinished/);
      assert.match(debian.console(), /\ncompiled\r\nfinished 0\r/);
    });
});
