// Whole machines that run rubbish: random boot sectors and .com programs, random instructions and damaged examples. Whatever
// they do, the host goes on: the guest stops at the tick asked for, dies a triple fault, resets or switches itself off. What
// it did is the same interpreted and translated.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROWS } from '../../src/translator/instructions/index.ts';
import { createLocalClient } from '../../src/vmm/local.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { nodePlatform } from '../../src/vmm/node/platform.ts';
import type { GuestConfig, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { encodeRow } from '../support/encode.ts';
import { FUZZ, fuzzRounds, fuzzTimeout } from '../support/fuzz.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { type Random, seeded } from '../support/random.ts';
import { mutate } from './boot/images.ts';

const TICKS = FUZZ > 1 ? 150_000 : 20_000,
  SECTOR = 510;
const example = (name: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, '../../examples', name)));
const sectors = ['hello.img', 'count.img', 'echo.img', 'exits.img'].map(example);

const rows = ROWS.filter((row) => row.name !== '(bad)');
/** Instructions of the table one after the other; the machine's mode may change under them. */
function instructions(random: Random, bytes: number): number[] {
  const code: number[] = [];
  // mov eax, cr0; or al, 1; mov cr0, eax: protected mode without tables of one's own
  if (random.below(3) === 0) code.push(0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0);
  while (code.length < bytes) {
    const row = random.pick(rows);
    if (row.name === 'HLT' && random.below(4)) continue;
    const rep = row.string ? random.pick(['none', 'rep', 'repne'] as const) : 'none';
    code.push(...(encodeRow(row, random, { code32: false, rep })?.bytes ?? []));
  }
  return code.slice(0, bytes);
}
function program(random: Random, bytes: number): number[] {
  const kind = random.below(3);
  if (kind === 0) return Array.from({ length: bytes }, () => random.below(256));
  if (kind === 1) return instructions(random, bytes);
  return [...mutate(random.pick(sectors).subarray(0, SECTOR), random), ...Array.from({ length: bytes }, () => 0)].slice(0, bytes);
}

const BASE = {
  ...GUEST_DEFAULTS,
  name: 'fuzz',
  memory: 1 << 20,
  debugExit: { port: 0x501, size: 2 },
  startOfTime: 1_700_000_000_000,
} as const;
const kinds: Record<string, (random: Random) => Pick<GuestConfig, 'boot' | 'drives'>> = {
  'boot sectors': (random) => {
    const image = Uint8Array.from([...program(random, SECTOR), 0x55, 0xaa, ...program(random, random.below(2) * 4096)]);
    return { boot: { kind: 'drives', order: 'ac' }, drives: [{ kind: random.pick(['floppy', 'disk']), index: 0, image, readOnly: false }] };
  },
  '.com programs': (random) => ({
    boot: { kind: 'com', image: Uint8Array.from(program(random, 1 + random.below(3000))), commandLine: 'a b' },
    drives: [],
  }),
};

describe('machines that run rubbish', function () {
  this.timeout(fuzzTimeout(60_000));
  const client = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: 4 << 20 }));
  after(() => client.dispose());

  type Ending = Extract<HypervisorEvent, { event: 'stopped' | 'ended' }>;
  /** How the guest stopped, and the hash of everything in it then. */
  async function run(
    config: Pick<GuestConfig, 'boot' | 'drives'>,
    tier: GuestConfig['tier'],
  ): Promise<{ how: string; tick: number; hash: string }> {
    const { id } = await client.request('define', { config: { ...BASE, ...config, tier } });
    const ending = new Promise<Ending>((resolve) => {
      const end = client.onEvent((event) => {
        if ((event.event !== 'stopped' || event.reason === 'entry') && event.event !== 'ended') return;
        end();
        resolve(event);
      });
    });
    await client.request('start', { id, stopOnEntry: true });
    await client.request('runToTick', { id, tick: TICKS });
    const event = await ending;
    const how = event.event === 'ended' ? `ended ${event.status}: ${event.reason}` : `${event.reason} ${event.text}`;
    const result = { how, ...(await client.request('hash', { id })) };
    await client.request('remove', { id });
    return result;
  }

  for (const [name, make] of Object.entries(kinds)) {
    it(`${name} leave the host unharmed`, async () => {
      const endings = new Map<string, number>();
      const rounds = fuzzRounds(40);
      for (let seed = 1; seed <= rounds; seed++) {
        const config = make(seeded(seed)),
          interpreted = await run(config, 'interpret');
        assert.doesNotMatch(interpreted.how, /Internal error/, `seed ${seed}`);
        for (const tier of ['mixed', 'translate'] as const) assert.deepEqual(await run(config, tier), interpreted, `seed ${seed}, ${tier}`);
        const kind = interpreted.how.split(/[ :]/)[0]!;
        endings.set(kind, (endings.get(kind) ?? 0) + 1);
      }
      // Some must have lived to the end, or nothing was tried.
      assert.ok((endings.get('tick') ?? 0) > rounds / 10, JSON.stringify([...endings]));
    });
  }
});
