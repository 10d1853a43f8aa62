/** Guests in a running VS Code: their view, terminal, screen and exits. */
import * as vscode from 'vscode';
import { NO_FILTER } from '../../../extension/exitFilter.ts';
import { screenText } from '../../../src/vmm/codePage437.ts';
import { equal, ok, until } from './assert.ts';
import { ECHO, endAll, extension, launch, write } from './guests.ts';

describe('a guest', () => {
  afterEach(endAll);

  it('greets in its terminal and on its screen', async () => {
    const { terminals, screens } = await extension();
    const guest = await launch({ name: 'greeter', program: 'hello.img' });
    await until('the greeting on the serial port', () => terminals.output('greeter').includes('Hello from a boot sector!'));
    ok(terminals.terminal('greeter'), 'a terminal opens with the first output');
    await until('the greeting on the screen', () => {
      const screen = screens.latest(guest.key);
      return screen?.mode === 'text' && screenText(screen.cells, screen.columns).join('\n').includes('Hello from a boot sector!');
    });
  });

  it('takes what is typed in its terminal, and runs on when that is closed', async () => {
    const { terminals, hypervisor } = await extension();
    await write('echo.img', ECHO);
    const guest = await launch({ name: 'echo', program: 'echo.img' });
    await vscode.commands.executeCommand('cp86.guest.openTerminal', guest.key);
    const terminal = terminals.terminal('echo');
    ok(terminal);
    terminal.sendText('cafe', false);
    await until('the echo', () => terminals.output('echo').includes('cafe'));
    terminal.dispose();
    await until('the terminal is closed', () => !terminals.terminal('echo'));
    equal(hypervisor.guests.get(guest.key)?.info.status, 'running');
    await hypervisor.request('serialInput', { id: guest.id, port: 0, bytes: new TextEncoder().encode('more') });
    await until('output after the terminal was closed', () => terminals.output('echo').includes('more'));
    equal(terminals.terminal('echo'), null, 'a terminal that the user closed stays closed');
  });

  it('is paused, resumed and powered off from the Guests view', async () => {
    const { hypervisor } = await extension();
    await write('echo.img', ECHO);
    const guest = await launch({ name: 'managed', program: 'echo.img' });
    const status = () => hypervisor.guests.get(guest.key)?.info.status;
    await until('it runs', () => status() === 'running');
    await vscode.commands.executeCommand('cp86.guest.pause', guest.key);
    await until('it is paused', () => status() === 'paused');
    const [before] = (await hypervisor.request('list', {})).guests;
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [after] = (await hypervisor.request('list', {})).guests;
    equal(after?.ticks, before?.ticks, 'a paused guest executes nothing');
    await vscode.commands.executeCommand('cp86.guest.resume', guest.key);
    await until('it runs again', () => status() === 'running');
    await vscode.commands.executeCommand('cp86.guest.powerOff', guest.key);
    await until('its session ends', () => !vscode.debug.activeDebugSession);
  });

  it('runs beside another one', async () => {
    const { hypervisor } = await extension();
    await write('echo.img', ECHO);
    await launch({ name: 'first', program: 'echo.img' });
    await launch({ name: 'second', program: 'echo.img' });
    await until('both run', () => hypervisor.guests.all.filter(({ info }) => info.status === 'running').length === 2);
    const ticks = async () => (await hypervisor.request('list', {})).guests.map((guest) => guest.ticks);
    const [one = 0, two = 0] = await ticks();
    await until('both get on', async () => {
      const [first = 0, second = 0] = await ticks();
      return first > one && second > two;
    });
  });
});

describe('the hypervisor', () => {
  afterEach(endAll);

  it('starts again after its end; guests that it took along are shown as failed until then', async () => {
    const { hypervisor } = await extension();
    await write('echo.img', ECHO);
    const lost = await launch({ name: 'lost', program: 'echo.img' });
    await vscode.commands.executeCommand('cp86.restartHypervisor');
    const shown = hypervisor.guests.get(lost.key);
    equal(shown?.info.status, 'failed');
    equal(shown?.alive, false);
    await until('its session ends', () => !vscode.debug.activeDebugSession);
    const next = await launch({ name: 'next', program: 'echo.img' });
    equal(hypervisor.guests.all.length, 1);
    await until('the next guest runs', () => hypervisor.guests.get(next.key)?.info.status === 'running');
  });

  it('lets a debugger attach to a guest that lives on after its session', async () => {
    const { hypervisor } = await extension();
    await write('echo.img', ECHO);
    const guest = await launch({ name: 'survivor', program: 'echo.img' });
    await until('it runs', () => hypervisor.guests.get(guest.key)?.info.status === 'running');
    await until('its session', () => vscode.debug.activeDebugSession);
    await vscode.commands.executeCommand('workbench.action.debug.disconnect');
    await until('the session is over', () => !vscode.debug.activeDebugSession);
    equal(hypervisor.guests.get(guest.key)?.info.status, 'running');
    await vscode.commands.executeCommand('cp86.guest.debug', guest.key);
    const session = await until('a session attaches', () => {
      const { activeDebugSession: active } = vscode.debug;
      return active?.configuration.request === 'attach' ? active : undefined;
    });
    equal(session.configuration['guest'], 'survivor');
    await vscode.commands.executeCommand('cp86.guest.powerOff', guest.key);
    await until('it is off', () => hypervisor.guests.get(guest.key)?.info.status === 'off');
    await vscode.commands.executeCommand('cp86.guest.remove', guest.key);
  });
});

describe('the VM Exits panel', () => {
  afterEach(async () => {
    const { exits } = await extension();
    exits.receive({ type: 'filter', filter: NO_FILTER });
    exits.receive({ type: 'pause', paused: false });
    await endAll();
  });

  it('counts and lists exits, filters them, stands still when paused', async () => {
    const { exits } = await extension();
    await vscode.commands.executeCommand('cp86.exits.focus');
    await until('the panel is visible', () => exits.state.visible);
    await write('echo.img', ECHO);
    await launch({ name: 'poller', program: 'echo.img' });
    await until('polled ports', () => exits.state.rows.some(({ reason, text }) => reason === 'ioInstruction' && /0x3fd/i.test(text)));
    ok(exits.state.reasons.some(({ reason, count }) => reason === 'ioInstruction' && count > 100));
    await until('the webview is sent updates', () => exits.state.updates > 2);
    ok(exits.state.held <= 20_000);
    exits.receive({ type: 'filter', filter: { ...NO_FILTER, ports: '1234' } });
    equal(exits.state.rows.length, 0, 'no exit has this port');
    exits.receive({ type: 'filter', filter: { ...NO_FILTER, ports: '3fd', text: '7c03' } });
    ok(exits.state.rows.length > 0 && exits.state.rows.every(({ address }) => address === '0000:7c03'));
    exits.receive({ type: 'filter', filter: { ...NO_FILTER, ports: 'nonsense' } });
    equal(exits.state.filter.ports, '3fd', 'a filter that cannot be read changes nothing');
    await vscode.commands.executeCommand('cp86.exits.pause');
    const { held } = exits.state;
    await new Promise((resolve) => setTimeout(resolve, 300));
    equal(exits.state.held, held);
  });

  it('goes from an exit to its instruction', async () => {
    const { hypervisor } = await extension();
    await write('echo.img', ECHO);
    const guest = await launch({ name: 'shown', program: 'echo.img' });
    // The firmware makes exits too, before it has loaded the boot sector.
    const loaded = async () => (await hypervisor.request('readMemory', { id: guest.id, address: 0x7c03, length: 1 })).bytes[0] === 0xec;
    await until('its code is loaded', loaded);
    await vscode.commands.executeCommand('cp86.revealAddress', { guest: guest.id, cs: 0, eip: 0x7c03, linear: 0x7c03 });
    const editor = vscode.window.activeTextEditor;
    ok(editor, 'an editor opens');
    const line = editor.document.lineAt(editor.selection.active.line).text;
    ok(/^00007c03 {2}ec\s+in /.test(line), line);
  });

  it('goes to the source line where one is known', async () => {
    const { terminals } = await extension();
    const guest = await launch({ name: 'source', program: 'hello.img' });
    await until('its code is loaded', () => terminals.output('source').includes('Hello'));
    await vscode.commands.executeCommand('cp86.revealAddress', { guest: guest.id, cs: 0, eip: 0x7c00, linear: 0x7c00 });
    const editor = vscode.window.activeTextEditor;
    ok(editor, 'an editor opens');
    ok(editor.document.uri.path.endsWith('/hello.asm'), editor.document.uri.toString());
    ok(/xor/.test(editor.document.lineAt(editor.selection.active.line).text));
  });

  it('stops a guest at the next exit of a kind', async () => {
    const { exits, hypervisor } = await extension();
    await write('echo.img', ECHO);
    const guest = await launch({ name: 'stopped', program: 'echo.img' });
    await until('it runs', () => hypervisor.guests.get(guest.key)?.info.status === 'running');
    exits.receive({ type: 'breakOn', reason: 'ioInstruction', on: true });
    await until('it stops', () => hypervisor.guests.get(guest.key)?.info.status === 'paused');
    exits.receive({ type: 'breakOn', reason: 'ioInstruction', on: false });
    await vscode.commands.executeCommand('cp86.guest.resume', guest.key);
    await until('it runs on', () => hypervisor.guests.get(guest.key)?.info.status === 'running');
  });
});
