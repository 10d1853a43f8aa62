import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import { stateHash } from '../../src/vmm/inspect.ts';
import { characterCodes } from '../../src/vmm/keyboard.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { ScreenState } from '../../src/vmm/protocol.ts';
import { asPicture, linesOf, pixelAt, shades } from '../support/screen.ts';
import { requireTool } from '../support/tools.ts';
import { bootGuest } from './bootedGuest.ts';

/** Set 1 scan codes of the keys pressed below. */
const KEY = { c: 0x2e, l: 0x26, s: 0x1f, enter: 0x1c };
const TURN = 500_000;

describe("GRUB's rescue floppy", function () {
  this.timeout(240_000);
  let image: Uint8Array;
  before(function () {
    image = new Uint8Array(readFileSync(requireTool(this, 'grub-rescue-floppy.img')));
  });
  const build = createMachineBuilder({ arenaBytes: 8 << 20 });

  function start(replay?: Uint8Array): { guest: Guest; execution: Execution } {
    return bootGuest(build, {
      name: 'grub',
      memory: 8 << 20,
      boot: { kind: 'drives', order: 'a' },
      drives: [{ kind: 'floppy', index: 0, image, readOnly: true }],
      ...(replay ? { replay } : {}),
    });
  }
  const screen = (state: ScreenState) => linesOf(state).join(' ');

  it('shows its menu, lists its devices at the prompt, and the recorded session replays to the same state', () => {
    const { guest, execution } = start();
    const until = (text: RegExp): void => {
      for (let n = 0; n < 600 && execution.isRunning; n++) {
        execution.turn(TURN);
        if (text.test(screen(guest.screen()))) return;
      }
      assert.fail(`${text} does not appear; the screen is ${screen(guest.screen())}`);
    };
    const press = (key: number): void => {
      execution.outside({ kind: 'keyboard', scanCodes: Uint8Array.of(key, key | 0x80) });
      for (let n = 0; n < 4; n++) execution.turn(TURN);
    };

    until(/GNU GRUB .*executed automatically in/s);
    press(KEY.c);
    until(/grub>/);
    for (const key of [KEY.l, KEY.s, KEY.enter]) press(key);
    until(/grub> ls +\(fd0\) \(fd0,msdos1\)/);
    execution.pause('pause', '');
    const hash = stateHash(guest);
    const { ticks } = guest.cpu;
    const journal = guest.recorder.bytes(guest.clock.now(), ticks);
    guest.dispose();

    const replay = start(journal);
    while (replay.execution.isRunning) replay.execution.turn(777_777);
    assert.deepEqual([replay.guest.cpu.ticks, stateHash(replay.guest)], [ticks, hash]);
    replay.guest.dispose();
  });

  it("draws its video test in a mode of the firmware's VBE", () => {
    const { guest, execution } = start();
    const until = (done: () => boolean, what: string): void => {
      for (let n = 0; n < 600 && !done(); n++) execution.turn(TURN);
      assert.ok(done(), `${what}: the screen is ${screen(guest.screen())}`);
    };
    const type = (text: string): void => {
      for (const letter of text) {
        for (const code of characterCodes(letter) ?? []) execution.outside({ kind: 'keyboard', scanCodes: Uint8Array.of(code) });
        for (let n = 0; n < 4; n++) execution.turn(TURN);
      }
    };
    until(() => /GNU GRUB .*executed automatically in/s.test(screen(guest.screen())), 'the menu');
    type('c');
    until(() => screen(guest.screen()).includes('grub>'), 'the prompt');
    type('insmod vbe\rvideotest 640x480\r');
    const drawn = (): boolean => {
      const picture = guest.screen();
      return picture.mode === 'graphics' && pixelAt(picture, 50, 50) === 0xff0000 && pixelAt(picture, 120, 120) === 0xff00ff;
    };
    until(drawn, 'coloured squares');
    const picture = asPicture(guest.screen());
    assert.deepEqual([picture.width, picture.height], [640, 480]);
    assert.ok(shades(picture, 0xffffff) > 500, 'letters');
    type(' ');
    until(() => guest.screen().mode === 'text', 'text again');
    guest.dispose();
  });
});
