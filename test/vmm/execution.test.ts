import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { floppyConfig, type Run, startRun } from './lockstep.ts';

const image = new Uint8Array(readFileSync(new URL('guests/clockwork.img', import.meta.url)));
const config = floppyConfig(image, 2 << 20);
const build = createMachineBuilder({ arenaBytes: 16 << 20 });

describe('the turn of a guest', () => {
  const LENGTH = 600_000;
  /** A guest whose host's clock goes on by so many milliseconds each time it is looked at. */
  function onSlowHost(milliseconds: number): Run {
    const run = startRun(build, config);
    const { now } = run.platform;
    run.platform.now = () => {
      run.platform.spend(milliseconds);
      return now();
    };
    return run;
  }

  it('ends after some milliseconds, however many ticks it was given, and has run some', () => {
    const { guest, execution } = onSlowHost(5);
    execution.go({ kind: 'free' });
    for (let n = 0; n < 20; n++) {
      const before = guest.cpu.ticks;
      assert.equal(execution.turn(10_000_000).kind, 'ready');
      const done = guest.cpu.ticks - before;
      assert.ok(done > 0 && done <= 200_000, `${done} ticks`);
    }
    guest.dispose();
  });

  it("goes at the wall's pace while an idle guest waits for somebody outside, and as fast as it can otherwise", () => {
    // sti; hlt; jmp to the hlt
    const sector = Uint8Array.from({ length: 512 }, (_, n) => [0xfb, 0xf4, 0xeb, 0xfd][n] ?? (n === 510 ? 0x55 : n === 511 ? 0xaa : 0));
    const { guest, execution, platform } = startRun(build, floppyConfig(sector, 1 << 20));
    const second = 250_000_000;
    execution.go({ kind: 'free' });
    while (guest.clock.now() < 2 * second) execution.turn(100_000);
    let isAwaiting = true;
    Object.assign(guest, { awaitsPeers: () => isAwaiting });
    const start = guest.clock.now(),
      wall = platform.now();
    while (platform.now() < wall + 500) {
      const result = execution.turn(100_000);
      if (result.kind === 'wait') platform.spend(result.milliseconds);
    }
    const passed = (guest.clock.now() - start) / second;
    assert.ok(passed > 0.4 && passed < 0.65, `${passed} s`);
    isAwaiting = false;
    for (let n = 0; n < 200; n++) execution.turn(100_000);
    assert.ok(guest.clock.now() - start > 2 * second);
    guest.dispose();
  });

  it('ends anywhere on a slow host without a difference to the guest', () => {
    const whole = startRun(build, config);
    whole.to(LENGTH);
    const expected = stateHash(whole.guest);
    whole.guest.dispose();
    for (const milliseconds of [0.7, 5, 100]) {
      const run = onSlowHost(milliseconds);
      run.to(LENGTH, 10_000_000);
      assert.equal(stateHash(run.guest), expected, `${milliseconds} ms a look`);
      run.guest.dispose();
    }
  });
});
