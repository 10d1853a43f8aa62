// A guest in this thread for tests that boot something: run to exact ticks, stepped, its screen read as text.

import { createLocalClient } from '../../src/vmm/local.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { nodePlatform } from '../../src/vmm/node/platform.ts';
import type { GuestConfig, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from './guestDefaults.ts';

export type Ending = Extract<HypervisorEvent, { event: 'stopped' | 'ended' }>;
export interface TestGuest {
  /** Ticks so far. */
  ticks(): Promise<number>;
  /** Runs this many ticks, or until the guest stops or ends by itself. */
  run(ticks: number): Promise<Ending>;
  /** Lets it run freely for so many milliseconds of host time, then pauses it. */
  runAndPause(milliseconds: number): Promise<Ending>;
  step(kind: 'instruction' | 'over', count: number): Promise<Ending>;
  registers(): Promise<Record<string, number | string>>;
  /** Set-1 scan codes of keys pressed and released one after the other, with time between them. */
  type(scanCodes: readonly number[]): Promise<void>;
  /** Character codes of the text screen, a string a row. */
  screen(): Promise<string[]>;
  dispose(): void;
}

/** Ticks in which the firmware has taken a key from the keyboard's controller. */
const KEY_TICKS = 2_000_000;
const ARENA = 64 << 20;

/** A guest, powered on and paused at its first instruction. */
export async function startGuest(changes: Partial<GuestConfig> & Pick<GuestConfig, 'boot'>): Promise<TestGuest> {
  const client = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: ARENA }));
  const { id } = await client.request('define', {
    config: {
      ...GUEST_DEFAULTS,
      name: 'guest',
      memory: 16 << 20,
      startOfTime: 1_700_000_000_000,
      ...changes,
    },
  });
  /** What a command makes the guest stop or end with. */
  const after = async (command: () => Promise<unknown>): Promise<Ending> => {
    let end: () => void = () => {};
    const event = new Promise<Ending>((resolve) => {
      end = client.onEvent((happened) => {
        if (happened.event === 'stopped' || happened.event === 'ended') resolve(happened);
      });
    });
    try {
      await command();
      return await event;
    } finally {
      end();
    }
  };
  const ticks = async (): Promise<number> => (await client.request('list', {})).guests[0]!.ticks;
  const run = async (count: number): Promise<Ending> => {
    const tick = (await ticks()) + count;
    return after(() => client.request('runToTick', { id, tick }));
  };
  await after(() => client.request('start', { id, stopOnEntry: true }));
  return {
    ticks,
    run,
    runAndPause: (milliseconds) =>
      after(async () => {
        await client.request('resume', { id });
        await new Promise((done) => setTimeout(done, milliseconds));
        await client.request('pause', { id });
      }),
    step: (kind, count) => after(() => client.request('step', { id, kind, count })),
    registers: async () => ({ ...(await client.request('registers', { id })).values }),
    async type(scanCodes) {
      for (const code of scanCodes) {
        for (const byte of [code, code | 0x80]) {
          await client.request('keyboard', { id, scanCodes: Uint8Array.of(byte) });
          await run(KEY_TICKS);
        }
      }
    },
    async screen() {
      const { screen } = await client.request('screen', { id });
      return screen.mode === 'text' ? screenRows(screen.cells, screen.columns) : [];
    },
    dispose: () => client.dispose(),
  };
}

/** Rows of text in memory as the VGA has it: character and attribute by turns. */
export function screenRows(cells: Uint8Array, columns: number): string[] {
  const characters = String.fromCharCode(...cells.filter((_, n) => n % 2 === 0));
  return Array.from({ length: characters.length / columns }, (_, y) => characters.slice(y * columns, (y + 1) * columns).trimEnd());
}
