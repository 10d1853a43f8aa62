import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { floppyConfig, type Run, random, startRun } from './lockstep.ts';

const image = new Uint8Array(readFileSync(new URL('guests/clockwork.img', import.meta.url)));
const build = createMachineBuilder({ arenaBytes: 16 << 20 });
const config = floppyConfig(image, 2 << 20);
const open: Guest[] = [];

function start(changes: Partial<GuestConfig> = {}): Run {
  const run = startRun(build, { ...config, ...changes });
  open.push(run.guest);
  return run;
}

describe('determinism', () => {
  afterEach(() => {
    for (const guest of open.splice(0)) guest.dispose();
  });

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
        next = random(5);
      for (let tick = 30_000; tick < 900_000; tick += next(60_000)) {
        live.platform.spend(next(7));
        live.to(tick, 9_000);
        live.execution.go({ kind: 'free' });
        live.execution.outside({ kind: 'serial', port: 0, bytes: Uint8Array.from([tick & 0x7f, 65]) });
        live.platform.spend(1);
        live.execution.turn(next(5000) + 1);
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
