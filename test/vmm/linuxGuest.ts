// A Linux guest at work: a kernel and an initial RAM file system, and the shell on its serial console.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Execution } from '../../src/vmm/execution.ts';
import { stateHash } from '../../src/vmm/inspect.ts';
import type { JournalEvent } from '../../src/vmm/journal.ts';
import type { KernelSymbols } from '../../src/vmm/linux/kallsyms.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { nodeFiles } from '../../src/vmm/node/files.ts';
import { nodeSockets } from '../../src/vmm/node/sockets.ts';
import type { GuestConfig, ScreenState } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { manualPlatform } from './platform.ts';

const TURN = 500_000,
  MEMORY = 128 << 20;
/** Ticks that are more than enough to reach the shell, and for one command. */
export const BOOT = 12e9,
  COMMAND = 1e9;
/** Half of a boot is the kernel testing its own cryptography, which has nothing to do with what most tests are about. */
const WITHOUT_SELF_TESTS = 'console=ttyS0 cryptomgr.notests';
/** The shell's prompt, behind which it may ask the terminal where the cursor is. */
export const PROMPT = /\n[^\n]*# (.\[6n)?$/;
const build = createMachineBuilder({ arenaBytes: MEMORY });

export interface LinuxGuest {
  /** What came from the serial console, and from a channel of another name. */
  console(): string;
  output(channel: string): string;
  readonly events: string[];
  /** Runs until this appears in what came after the last call; gives that. */
  until(text: RegExp, ticks?: number): string;
  /** Types a command and runs until the shell's next prompt; gives what came. */
  command(line: string): string;
  /** The same for a command that speaks with services of this process: sockets have their turns until no connection is left. */
  networkCommand(line: string): Promise<string>;
  /** Runs until the guest has ended or asked for a reset. */
  untilEnd(ticks?: number): void;
  type(line: string): void;
  outside(event: Exclude<JournalEvent, { kind: 'end' | 'sample' }>): void;
  pressPowerButton(): void;
  symbols(): KernelSymbols | null;
  screen(): ScreenState;
  /** Stops where a recording can be taken: what is due has happened. */
  pause(): void;
  /** Hash of the whole state with its tick, and the journal up to here. */
  hash(): string;
  journal(): Uint8Array;
  /** Writes what the guest changed on its drives to the images. */
  commit(): void;
  dispose(): void;
}

/** `kernel`: path of the image. The guest is started; nothing has run yet. */
export function bootLinux(
  kernel: string,
  initrd: Uint8Array,
  options: Partial<GuestConfig> = {},
  commandLine = WITHOUT_SELF_TESTS,
): LinuxGuest {
  const platform = { ...manualPlatform(), files: nodeFiles(), sockets: nodeSockets },
    events: string[] = [],
    outputs: { [channel: string]: string } = {};
  let seen = 0;
  const guest = build(
    1,
    {
      ...GUEST_DEFAULTS,
      name: 'linux',
      memory: MEMORY,
      boot: { kind: 'kernel', image: new Uint8Array(readFileSync(kernel)), commandLine, initrd },
      ...options,
    },
    {
      platform,
      output: (channel, byte) => void (outputs[channel] = (outputs[channel] ?? '') + String.fromCharCode(byte)),
      outside: (event) => execution.outside(event),
    },
  );
  const execution = new Execution(guest, platform, {
    stopped: (reason, text) => void events.push(`${reason}: ${text}`),
    ended: (status, reason) => void events.push(`ended ${status}: ${reason}`),
    log() {},
  });
  guest.restart();
  execution.go({ kind: 'free' });
  const linux: LinuxGuest = {
    console: () => outputs.serial0 ?? '',
    output: (channel) => outputs[channel] ?? '',
    events,
    until(text, ticks = COMMAND) {
      const end = guest.cpu.ticks + ticks,
        start = seen;
      while (execution.isRunning && guest.cpu.ticks < end && !text.test(linux.console().slice(start))) execution.turn(TURN);
      assert.match(linux.console().slice(start), text, events.join());
      seen = linux.console().length;
      return linux.console().slice(start);
    },
    command(line) {
      linux.type(line);
      return linux.until(PROMPT);
    },
    async networkCommand(line) {
      linux.type(line);
      const end = guest.cpu.ticks + COMMAND;
      while (execution.isRunning && guest.cpu.ticks < end && (guest.awaitsPeers() || !PROMPT.test(linux.console().slice(seen)))) {
        execution.turn(TURN);
        // An idle guest waits for its peers by this clock.
        platform.spend(1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return linux.until(PROMPT);
    },
    untilEnd(ticks = COMMAND) {
      for (const end = guest.cpu.ticks + ticks; execution.isRunning && guest.cpu.ticks < end; ) execution.turn(TURN);
    },
    type: (line) => execution.outside({ kind: 'serial', port: 0, bytes: Uint8Array.from(`${line}\n`, (letter) => letter.charCodeAt(0)) }),
    outside: (event) => execution.outside(event),
    symbols: () => guest.kernel.look(),
    screen: () => guest.screen(),
    pressPowerButton: () => execution.outside({ kind: 'powerButton' }),
    pause: () => execution.pause('pause', ''),
    hash: () => `${stateHash(guest)} ${guest.cpu.ticks}`,
    journal: () => guest.recorder.bytes(guest.clock.now(), guest.cpu.ticks),
    commit: () => {
      for (const drive of guest.drives) drive.commit();
    },
    dispose: () => guest.dispose(),
  };
  return linux;
}
