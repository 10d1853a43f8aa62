import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Drive } from '../../src/vmm/block/drive.ts';
import { configurationHash } from '../../src/vmm/configuration.ts';
import { linearAddress, stateHash } from '../../src/vmm/inspect.ts';
import { Recorder } from '../../src/vmm/journal.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { LONG } from '../support/long.ts';
import { floppyConfig, type Run, random, startRun, TIERS } from './lockstep.ts';

const MILLION = 1_000_000;

const image = new Uint8Array(readFileSync(new URL('guests/orchestra.img', import.meta.url)));
const build = createMachineBuilder({ arenaBytes: 4 << 20 });
const live = floppyConfig(image, 1 << 20);

/** A journal with input on COM1 at cycles that have nothing to do with anything, and an end that is never reached. */
function input(): Uint8Array {
  const drives = live.drives.map((drive) => new Drive(drive, null));
  const recorder = new Recorder({ configuration: configurationHash(live, drives), startOfTime: live.startOfTime });
  const next = random(86);
  for (let cycle = 20_011; cycle < 300 * MILLION; cycle += 1 + next(300_000)) {
    recorder.add(cycle, 0, { kind: 'serial', port: 0, bytes: Uint8Array.from({ length: 1 + next(20) }, () => next(256)) });
  }
  return recorder.bytes(2 ** 50, 0);
}

describe('a guest with timer, clock and serial interrupts, disk accesses and self-modifying code', function () {
  this.timeout(LONG ? 3 * 3_600_000 : 120_000);
  const config: GuestConfig = { ...live, replay: input() };
  const open: Run[] = [];
  function start(tier: GuestConfig['tier']): Run {
    const run = startRun(build, { ...config, tier });
    open.push(run);
    return run;
  }
  afterEach(() => {
    for (const { guest } of open.splice(0)) guest.dispose();
  });

  const LENGTH = LONG ? 200 * MILLION : 12 * MILLION,
    STEP = LONG ? MILLION : MILLION / 4;
  /** Ticks of a turn, and how far a run in such turns goes. */
  const TURNS: readonly (readonly [turn: number, length: number])[] = [
    [500_000, LENGTH],
    [1009, LONG ? LENGTH : 6 * MILLION],
    [7, LONG ? LENGTH : MILLION],
    [1, LONG ? LENGTH : MILLION / 4],
  ];
  let reference: readonly string[] = [];

  before(() => {
    const run = start('interpret');
    reference = Array.from({ length: LENGTH / STEP }, (_, n) => {
      run.to((n + 1) * STEP, 333_333);
      return stateHash(run.guest);
    });
    assert.equal(new Set(reference).size, reference.length, 'every state is another one');
    const { counts } = run.guest.exits.counts(0);
    const least = {
      externalInterrupt: LENGTH / 5000,
      invalidatedCode: LENGTH / 10_000,
      biosService: LENGTH / 100_000,
      hlt: LENGTH / MILLION,
    };
    for (const [name, count] of Object.entries(least))
      assert.ok((counts[name as keyof typeof counts] ?? 0) >= count, `${name}: ${counts[name as keyof typeof counts]}`);
    assert.ok(run.guest.drives[0].commit() !== null, 'it writes to its disk');
  });

  for (const [turn, length] of TURNS) {
    for (const tier of TIERS) {
      it(`has the same state every ${STEP} of ${length} ticks, in turns of ${turn}, tier ${tier}`, () => {
        const run = start(tier);
        for (let n = 0; n < length / STEP; n++) {
          run.to((n + 1) * STEP, turn);
          assert.equal(stateHash(run.guest), reference[n], `at tick ${(n + 1) * STEP}`);
        }
        const stats = run.guest.cpu.stats();
        if (tier === 'translate') assert.ok(stats.dispatches > length / 1000, 'it runs translated code');
      });
    }
  }

  describe('stopped at a tick', () => {
    const PLACES = LONG ? 1000 : 40,
      END = LONG ? 600_000 : 150_000;
    /** STI, MOV SS and POP SS, each of which the guest has in one form. */
    const SHADOWING: readonly (readonly number[])[] = [[0xfb], [0x8e, 0xd0], [0x17]];
    let places: readonly number[] = [];

    before(() => {
      const run = start('interpret'),
        { cpu, signals } = run.guest;
      const repeating: number[] = [],
        shadowed: number[] = [],
        delivered: number[] = [];
      for (let linear = linearAddress(run.guest), deliveries = 0; cpu.ticks < END; ) {
        const bytes = cpu.readLinear(linear, 2);
        run.to(cpu.ticks + 1);
        const now = linearAddress(run.guest);
        if (signals.deliveries !== deliveries) delivered.push(cpu.ticks);
        else if (now === linear) repeating.push(cpu.ticks);
        else if (SHADOWING.some((opcode) => opcode.every((byte, n) => bytes[n] === byte))) shadowed.push(cpu.ticks);
        deliveries = signals.deliveries;
        linear = now;
      }
      const next = random(1000);
      const some = (count: number, of: readonly number[]): number[] => {
        assert.ok(of.length > 0);
        return Array.from({ length: count }, () => of[next(of.length)]);
      };
      places = [
        ...some(PLACES * 0.2, repeating),
        ...some(PLACES * 0.2, shadowed),
        ...some(PLACES * 0.1, delivered),
        ...Array.from({ length: PLACES * 0.5 }, () => 1 + next(END)),
      ].sort((a, b) => a - b);
      assert.equal(places.length, PLACES);
    });

    for (const tier of TIERS) {
      it(`at ${PLACES} random ticks, also inside repeated instructions and interrupt shadows, it is where single steps lead, tier ${tier}`, () => {
        const stepped = start(tier);
        for (const tick of places) {
          while (stepped.guest.cpu.ticks < tick) stepped.to(stepped.guest.cpu.ticks + 1);
          const run = start(tier);
          assert.equal(run.to(tick), 'tick');
          assert.equal(run.guest.cpu.ticks, tick);
          assert.equal(stateHash(run.guest), stateHash(stepped.guest), `at tick ${tick}`);
          open.pop()?.guest.dispose();
        }
      });
    }
  });
});
