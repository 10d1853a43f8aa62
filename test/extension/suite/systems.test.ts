/** Unmodified systems from Debian as debug sessions: paused, stepped and resumed on their way, read and typed to. */
import * as vscode from 'vscode';
import type { GuestEntry } from '../../../extension/guestStore.ts';
import { screenText } from '../../../src/vmm/codePage437.ts';
import { keyCodes } from '../../../src/vmm/keyboard.ts';
import { equal, match, until } from './assert.ts';
import { endAll, extension, folder, launch } from './guests.ts';
import { evaluate, type Stops, session, stops, topFrame } from './sessions.ts';
import { requireTool } from './tools.ts';

/** Seconds that booting and testing may take on a busy machine. */
const PATIENCE = 150;

describe('an unmodified system', function () {
  this.timeout(500_000);
  let seen: Stops;
  beforeEach(() => {
    seen = stops();
  });
  afterEach(async () => {
    seen.end();
    await endAll();
  });

  /** The rows of the text screen that the guest's panel shows. */
  const rows = async ({ key }: GuestEntry): Promise<readonly string[]> => {
    const screen = (await extension()).screens.latest(key);
    return screen?.mode === 'text' ? screenText(screen.cells, screen.columns) : [];
  };
  const shows = (guest: GuestEntry, text: string) =>
    until(`'${text}' on the screen`, async () => (await rows(guest)).some((row) => row.includes(text)), PATIENCE);
  /** Presses a key on the guest's screen and lets it go. */
  const press = async ({ key }: GuestEntry, code: string): Promise<void> => {
    const { make, break: release } = keyCodes(code) ?? { make: [], break: [] };
    (await extension()).screens.receive(key, { type: 'keys', scanCodes: [...make, ...release] });
  };
  const ticks = async ({ id }: GuestEntry): Promise<number | undefined> => {
    const { guests } = await (await extension()).hypervisor.request('list', {});
    return guests.find((guest) => guest.id === id)?.ticks;
  };
  const stop = async (request: string, args: object = {}): Promise<string | undefined> => {
    const count = seen.events.length;
    await session().customRequest(request, { threadId: 1, ...args });
    return (await until(`the stop after ${request}`, () => seen.events[count])).description;
  };

  /** Pauses the guest in its work, steps an instruction, looks at its registers and lets it go on. */
  const interfere = async (guest: GuestEntry): Promise<void> => {
    equal(await stop('pause'), 'Paused');
    const before = await ticks(guest);
    equal(await stop('stepIn', { granularity: 'instruction' }), 'Paused on step');
    equal(await ticks(guest), (before ?? 0) + 1, 'a step is one tick');
    const [eip, base] = [await evaluate('eip'), await evaluate('cs_base')].map((value) => Number.parseInt(value, 16));
    equal(Number((await topFrame()).instructionPointerReference), (eip ?? 0) + (base ?? 0));
    equal(await ticks(guest), (before ?? 0) + 1, 'looking is no step');
    await session().customRequest('continue', { threadId: 1 });
    await until('it goes on', async () => ((await ticks(guest)) ?? 0) > (before ?? 0) + 1);
  };
  /** Starts it from its image as a user does: the screen opens beside the image's editor. */
  const run = async (name: string): Promise<GuestEntry> => {
    const program = `systems/${name}`;
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.joinPath(folder().uri, program));
    return launch({ name, program, memory: 16 });
  };
  const terminate = async (guest: GuestEntry): Promise<void> => {
    await vscode.commands.executeCommand('workbench.action.debug.stop');
    await until('the session is over', () => !vscode.debug.activeDebugSession);
    const { hypervisor } = await extension();
    await until('its guest is gone', () => !hypervisor.guests.get(guest.key)?.alive);
  };

  it('memtest86+ completes tests without errors in 16 MiB of memory', async function () {
    await requireTool(this, 'memtest86+');
    const guest = await run('memtest86+ia32.bin');
    await shows(guest, '<Enter> to start');
    await interfere(guest);
    await press(guest, 'Enter');
    const running = async (): Promise<number> => Number(/Test #(\d+)/.exec((await rows(guest))[3] ?? '')?.[1] ?? -1);
    const past = (test: number) => until(`a test after #${test}`, async () => (await running()) > test, PATIENCE);
    await past(-1);
    await interfere(guest);
    // Its number rises when a test is complete.
    await past((await running()) + 1);
    await interfere(guest);
    const screen = await rows(guest);
    match(screen[5] ?? '', /16MB/);
    match(screen[7] ?? '', /Status: Testing/);
    match(screen[8] ?? '', /Errors: 0$/);
    await terminate(guest);
  });

  it("GRUB's rescue floppy shows its menu, and lists its devices when that is typed on its screen", async function () {
    await requireTool(this, 'grub-rescue-floppy.img');
    const guest = await run('grub-rescue-floppy.img');
    await shows(guest, 'CP/86 BIOS');
    await interfere(guest);
    await shows(guest, 'GNU GRUB');
    await shows(guest, 'automatically in');
    await interfere(guest);
    await press(guest, 'KeyC');
    await shows(guest, 'grub>');
    await press(guest, 'KeyL');
    await press(guest, 'KeyS');
    await shows(guest, 'grub> ls');
    await press(guest, 'Enter');
    await until(
      'its devices',
      async () => {
        const screen = await rows(guest);
        return screen[screen.indexOf('grub> ls') + 1]?.startsWith('(fd0) (fd0,msdos1)');
      },
      PATIENCE,
    );
    await terminate(guest);
  });
});
