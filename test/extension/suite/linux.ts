/**
 * Debian's unmodified kernel as a debug session, as a user starts it: no command line, no file with symbols. One boot for all, and
 * in the Node extension host alone: it takes a minute, and the other hosts show nothing else.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { GuestEntry } from '../../../extension/guestStore.ts';
import { screenText } from '../../../src/vmm/codePage437.ts';
import { equal, match, ok, until } from './assert.ts';
import { endAll, extension, folder, launch, write } from './guests.ts';
import { evaluate, type Stops, session, stops } from './sessions.ts';
import { requireTool } from './tools.ts';

/** Seconds for the boot and for a command, on a busy machine. */
const BOOT = 400,
  COMMAND = 60;
/** MiB of its memory, and those that the balloon takes. */
const MEMORY = 128,
  BALLOON = 32;

describe("Debian's kernel", function () {
  this.timeout(800_000);
  let seen: Stops, guest: GuestEntry;
  let exitCode: number | undefined;
  const registration = vscode.debug.registerDebugAdapterTrackerFactory('cp86', {
    createDebugAdapterTracker: () => ({
      onDidSendMessage(message: DebugProtocol.Event) {
        if (message.event === 'exited') exitCode = (message.body as DebugProtocol.ExitedEvent['body']).exitCode;
      },
    }),
  });
  before(async function () {
    await requireTool(this, "Debian's linux-image-686");
    await requireTool(this, "modules of Debian's linux-image-686");
    seen = stops();
  });
  after(async () => {
    registration.dispose();
    seen?.end();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await endAll();
  });

  const terminal = async (): Promise<string> => (await extension()).terminals.output('Linux');
  const type = async (line: string): Promise<void> => {
    const open = (await extension()).terminals.terminal('Linux');
    ok(open, 'the terminal is open');
    open.sendText(line);
  };
  /** Sets function breakpoints instead of those there are. */
  const breakAt = (...names: string[]): void => {
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    vscode.debug.addBreakpoints(names.map((name) => new vscode.FunctionBreakpoint(name)));
  };
  const nextStop = async (after: number, seconds = COMMAND): Promise<DebugProtocol.StoppedEvent['body']> =>
    until(`stop ${after + 1}`, () => seen.events[after], seconds);
  const step = async (request: string): Promise<string> => {
    const count = seen.events.length;
    await session().customRequest(request, { threadId: 1, granularity: 'instruction' });
    await nextStop(count);
    return (await frames())[0] ?? '';
  };
  const resume = (): Thenable<void> => session().customRequest('continue', { threadId: 1 });
  const frames = async (): Promise<string[]> => {
    const { stackFrames } = (await session().customRequest('stackTrace', { threadId: 1 })) as DebugProtocol.StackTraceResponse['body'];
    return stackFrames.map(({ name }) => name);
  };

  it('stops at its first C function by name, wherever it put itself, and knows who called it', async () => {
    breakAt('start_kernel');
    await write('exchange/question', 'from the workspace\n');
    guest = await launch({
      name: 'Linux',
      program: 'systems/vmlinuz',
      initrd: 'systems/initramfs.cpio',
      memory: MEMORY,
      sharedFolders: [{ folder: 'exchange' }],
      devices: [{ device: 'virtio-balloon-pci' }],
    });
    match((await nextStop(0, BOOT)).description ?? '', /breakpoint/);
    const stack = await frames();
    equal(stack[0], 'start_kernel');
    match(stack[1] ?? '', /^i386_start_kernel\+0x/);
    match(stack[2] ?? '', /^startup_32_smp\+0x/);
    match(await evaluate('start_kernel'), /^0xc/);
  });

  it('gives a shell in its terminal, and shows its console on the screen', async () => {
    breakAt();
    await resume();
    await until('the shell', async () => (await terminal()).includes('/ # '), BOOT);
    await type('uname -sm; echo $((6 * 7))');
    await until('its answer', async () => /Linux i686\s+42\s/.test(await terminal()), COMMAND);
    const { screens, hypervisor } = await extension();
    screens.open(guest, true);
    await until('the screen', () => screens.latest(guest.key), COMMAND);
    const { screen } = await hypervisor.request('screen', { id: guest.id });
    const rows = screen.mode === 'text' ? screenText(screen.cells, screen.columns) : [];
    ok(
      rows.some((row) => /Run \/init as init process/.test(row)),
      rows.join('\n'),
    );
    ok(
      rows.some((row) => row.startsWith('init: up')),
      rows.join('\n'),
    );
  });

  it('stops where a command opens a file, and steps into, over and out of functions', async () => {
    const count = seen.events.length;
    breakAt('do_sys_openat2');
    await type('cat /proc/version');
    match((await nextStop(count)).description ?? '', /breakpoint/);
    const stack = await frames();
    equal(stack[0], 'do_sys_openat2');
    ok(
      stack.some((name) => /^do_(int80|fast)_syscall_32\+0x|^do_SYSENTER_32\+0x/.test(name)),
      stack.join(' < '),
    );
    breakAt();
    match(await step('next'), /^do_sys_openat2\+/);
    // On to its first call.
    const instruction = async (): Promise<string> => {
      const { instructions } = (await session().customRequest('disassemble', {
        memoryReference: (await evaluate('eip')).split(' ')[0],
        instructionCount: 1,
      })) as { instructions: DebugProtocol.DisassembledInstruction[] };
      return instructions[0]?.instruction ?? '';
    };
    let called: string | undefined;
    for (let n = 0; n < 100 && called === undefined; n++) {
      called = /^call 0x[0-9a-f]+ <(\w[\w.]*)>$/.exec(await instruction())?.[1];
      if (called === undefined) match(await step('next'), /^do_sys_openat2\+/);
    }
    ok(called, 'it calls something');
    equal(await step('stepIn'), called);
    match((await frames())[1] ?? '', /^do_sys_openat2\+/);
    match(await step('stepOut'), /^do_sys_openat2\+/);
    await resume();
    await until("the file's content", async () => (await terminal()).includes('Linux version 6'), COMMAND);
  });

  it('mounts a folder of the workspace, and what either writes there the other reads', async () => {
    await type('mkdir /mnt; mount -t 9p -o trans=virtio,version=9p2000.L host /mnt; cat /mnt/question');
    await until("the workspace's words", async () => (await terminal()).includes('from the workspace'), COMMAND);
    await type('echo from the guest > /mnt/answer; umount /mnt; echo $((400 + 4))');
    await until('the guest is done', async () => /\s404\s/.test(await terminal()), COMMAND);
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder().uri, 'exchange/answer'));
    equal(new TextDecoder().decode(bytes), 'from the guest\n');
  });

  it('gives memory to its balloon, and gets it back by the command of the Guests view', async () => {
    const { hypervisor } = await extension();
    /** What the guest says that it has, in MiB. */
    const memory = async (): Promise<number> => {
      const said = async () => [...(await terminal()).matchAll(/MemTotal: +(\d+) kB/g)];
      const { length } = await said();
      await type('grep MemTotal /proc/meminfo');
      const last = await until('its memory', async () => (await said())[length], COMMAND);
      return Number(last[1]) / 1024;
    };
    const before = await memory();
    await hypervisor.request('balloon', { id: guest.id, memory: (MEMORY - BALLOON) << 20 });
    await until('it has less', async () => (await memory()) === before - BALLOON, COMMAND);
    // It asks for a number and suggests all.
    const asked = vscode.commands.executeCommand('cp86.guest.balloon', guest.key);
    await until(
      'it has all again',
      async () => {
        await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        return (await memory()) === before;
      },
      COMMAND,
    );
    await asked;
  });

  it('ends its session with status 0 when it powers itself off', async () => {
    await type('poweroff -f');
    await until('the session is over', () => !vscode.debug.activeDebugSession, COMMAND);
    equal(exitCode, 0);
  });
});
