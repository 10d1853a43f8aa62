import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig, StopReason } from '../../src/vmm/protocol.ts';
import { type ManualPlatform, manualPlatform } from './platform.ts';

const image = new Uint8Array(readFileSync(new URL('guests/clockwork.img', import.meta.url)));
const build = createMachineBuilder({ arenaBytes: 16 << 20 });
const config: GuestConfig = {
  name: 'clockwork',
  memory: 2 << 20,
  boot: { kind: 'drives', order: 'a' },
  drives: [{ kind: 'floppy', index: 0, image, readOnly: false }],
  clock: 'instructions',
  paced: false,
  weight: 1,
  cap: 100,
  tier: 'mixed',
  onReset: 'reset',
  onTripleFault: 'pause',
  debugExit: null,
  startOfTime: 1_000_000_000_000,
};

interface Run {
  readonly guest: Guest;
  readonly execution: Execution;
  readonly platform: ManualPlatform;
  readonly output: number[];
  /** Runs to a tick in turns of this many ticks. */
  to(tick: number, turn?: number): StopReason | null;
}
const open: Guest[] = [];

function start(changes: Partial<GuestConfig> = {}): Run {
  const platform = manualPlatform(),
    output: number[] = [];
  const guest = build(1, { ...config, ...changes }, { platform, output: (_, byte) => void output.push(byte) });
  open.push(guest);
  let stopped: StopReason | null = null;
  const execution = new Execution(guest, platform, {
    stopped: (reason) => void (stopped = reason),
    ended: (_, reason) => assert.fail(reason),
    log: (line) => assert.fail(line),
  });
  guest.restart();
  return {
    guest,
    execution,
    platform,
    output,
    to(tick, turn = 500_000) {
      stopped = null;
      execution.go({ kind: 'to', tick, reason: 'tick' });
      while (stopped === null) {
        const result = execution.turn(turn);
        if (result.kind === 'wait') {
          assert.ok(Number.isFinite(result.milliseconds), 'the guest waits for ever');
          platform.advance(result.milliseconds);
        }
      }
      return stopped;
    },
  };
}

/** Numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    yield state >>> 8;
  }
}

describe('determinism', () => {
  afterEach(() => {
    for (const guest of open.splice(0)) guest.dispose();
  });

  const TIERS = ['interpret', 'mixed', 'translate'] as const;
  const LENGTH = 3_000_000,
    STEP = 250_000;
  let reference: string[] = [];
  before(() => {
    const run = start({ tier: 'interpret' });
    reference = Array.from({ length: LENGTH / STEP }, (_, n) => {
      run.to((n + 1) * STEP);
      return stateHash(run.guest);
    });
    assert.equal(new Set(reference).size, reference.length);
    assert.ok((run.guest.exits.counts(0).counts.externalInterrupt ?? 0) > 20, 'the guest takes interrupts');
  });

  for (const tier of TIERS) {
    it(`the state is the same at every tick looked at, tier ${tier}`, () => {
      const run = start({ tier });
      for (const [n, hash] of reference.entries()) {
        run.to((n + 1) * STEP);
        assert.equal(stateHash(run.guest), hash, `at tick ${(n + 1) * STEP}`);
      }
    });
  }
  for (const [turn, length] of [
    [1, 60_000],
    [7, 250_000],
    [1009, LENGTH],
  ] as const) {
    for (const tier of TIERS) {
      it(`turns of ${turn} ticks do not change the state, tier ${tier}`, () => {
        const run = start({ tier }),
          whole = start({ tier });
        run.to(length, turn);
        whole.to(length);
        assert.equal(stateHash(run.guest), stateHash(whole.guest));
      });
    }
  }

  for (const tier of TIERS) {
    it(`stopping at a tick is the same as single steps to it, tier ${tier}`, () => {
      const stepped = start({ tier }),
        random = numbers(tier.length);
      const places = Array.from({ length: 40 }, () => 20_000 + ((random.next().value as number) % 60_000)).sort((a, b) => a - b);
      stepped.to(20_000);
      for (const tick of places) {
        while (stepped.guest.cpu.ticks < tick) stepped.to(stepped.guest.cpu.ticks + 1);
        const run = start({ tier });
        assert.equal(run.to(tick), 'tick');
        assert.equal(run.guest.cpu.ticks, tick);
        assert.equal(stateHash(run.guest), stateHash(stepped.guest), `at tick ${tick}`);
        open.pop()?.dispose();
      }
    });
  }

  it('a breakpoint that is passed leaves no trace in the state', () => {
    const plain = start(),
      watched = start();
    watched.guest.breakpoints.set([
      { id: 1, address: 0x7c60, condition: '0' },
      { id: 2, address: 0x7c70, logMessage: '' },
    ]);
    plain.to(400_000);
    watched.execution.applyBreakpoints();
    const quiet = new Execution(watched.guest, watched.platform, { stopped() {}, ended: (_, reason) => assert.fail(reason), log() {} });
    quiet.applyBreakpoints();
    quiet.go({ kind: 'to', tick: 400_000, reason: 'tick' });
    while (quiet.isRunning) quiet.turn(10_000);
    assert.equal(stateHash(watched.guest), stateHash(plain.guest));
  });

  for (const [clock, paced] of [
    ['instructions', false],
    ['instructions', true],
    ['host', true],
  ] as const) {
    it(`a recorded run replays to the same state, clock ${clock}, ${paced ? 'paced' : 'warped'}`, () => {
      const live = start({ clock, paced }),
        random = numbers(5);
      for (let tick = 30_000; tick < 900_000; tick += (random.next().value as number) % 60_000) {
        live.platform.spend((random.next().value as number) % 7);
        live.to(tick, 9_000);
        live.execution.go({ kind: 'free' });
        live.execution.outside({ kind: 'serial', port: 0, bytes: Uint8Array.from([tick & 0x7f, 65]) });
        live.platform.spend(1);
        live.execution.turn(((random.next().value as number) % 5000) + 1);
        if (tick % 3 === 0) live.execution.outside({ kind: 'keyboard', scanCodes: Uint8Array.of(0x1e, 0x9e) });
        live.execution.pause('pause', '');
        if (tick % 5 === 0) live.execution.outside({ kind: 'register', name: 'ebx', value: tick });
        if (tick % 7 === 0) live.execution.outside({ kind: 'memory', address: 0x9100, physical: true, bytes: Uint8Array.of(tick) });
      }
      live.to(1_000_000);
      const { guest } = live;
      const journal = guest.recorder.bytes(guest.clock.now(), guest.cpu.ticks);
      assert.ok(live.output.length > 20, 'the guest echoes');
      for (const turn of [777, 500_000]) {
        const replay = start({ clock, replay: journal });
        replay.execution.go({ kind: 'free' });
        while (replay.execution.isRunning) replay.execution.turn(turn);
        assert.equal(replay.execution.reason, 'The journal ends here.');
        assert.equal(replay.guest.cpu.ticks, guest.cpu.ticks);
        assert.equal(stateHash(replay.guest), stateHash(guest));
        assert.deepEqual(replay.output, live.output);
      }
    });
  }

  it('a journal of another image is refused', () => {
    const { guest } = start();
    const journal = guest.recorder.bytes(0, 0);
    const other = image.slice();
    other[0x100] ^= 1;
    assert.throws(() => start({ replay: journal, drives: [{ kind: 'floppy', index: 0, image: other, readOnly: false }] }), /other images/);
  });
});
