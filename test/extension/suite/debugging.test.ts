/** A debug session in a running VS Code: breakpoints, steps, memory, exits and what the guest says, over the real protocol. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import { NO_FILTER } from '../../../extension/exitFilter.ts';
import { deepEqual, equal, match, ok, until } from './assert.ts';
import { endAll, extension, folder, launch } from './guests.ts';
import { evaluate, type Stops, session, stops, topFrame } from './sessions.ts';

/** Lines of examples/hello.asm, from 1: the first instruction; `mov [digit], al`, reached three times; `call print`. */
const ENTRY = 14,
  STORE = 24,
  CALL = 26;

describe('a debug session', () => {
  let seen: Stops;
  const nextStop = (count: number) => until(`stop ${count}`, () => seen.events[count - 1]);
  const breakAt = (line: number, condition?: string): void => {
    const place = new vscode.Location(vscode.Uri.joinPath(folder().uri, 'hello.asm'), new vscode.Position(line - 1, 0));
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(place, true, condition)]);
  };

  beforeEach(() => {
    seen = stops();
  });
  afterEach(async () => {
    seen.end();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    (await extension()).exits.receive({ type: 'filter', filter: NO_FILTER });
    await endAll();
  });

  it('stops on entry, at a breakpoint in the source, and after steps', async () => {
    breakAt(STORE);
    await launch({ name: 'stepped', program: 'hello.img', stopOnEntry: true });
    equal((await nextStop(1)).reason, 'entry');
    equal((await topFrame()).line, ENTRY);
    await session().customRequest('continue', { threadId: 1 });
    equal((await nextStop(2)).reason, 'breakpoint');
    const frame = await topFrame();
    equal(frame.line, STORE);
    ok(frame.source?.path?.endsWith('hello.asm'), JSON.stringify(frame.source));
    match(await evaluate('al'), /0x33\b/);
    for (const [n, line] of [STORE + 1, CALL, CALL + 1].entries()) {
      await session().customRequest('next', { threadId: 1 });
      equal((await nextStop(3 + n)).reason, 'step');
      equal((await topFrame()).line, line, 'a step over a call ends behind it');
    }
  });

  it('stops at a breakpoint with a condition when that is true', async () => {
    breakAt(STORE, "al == '1'");
    await launch({ name: 'conditional', program: 'hello.img' });
    equal((await nextStop(1)).reason, 'breakpoint');
    match(await evaluate('al'), /0x31\b/);
    equal(seen.events.length, 1);
  });

  it('reads and writes memory and registers; the guest goes on with what was written', async () => {
    const { terminals } = await extension();
    breakAt(STORE + 1);
    const guest = await launch({ name: 'written', program: 'hello.img' });
    await nextStop(1);
    const memoryReference = /^0x[0-9a-f]+/i.exec(await evaluate('digit'))?.[0];
    ok(memoryReference, 'a symbol is its address');
    const read = async () => ((await session().customRequest('readMemory', { memoryReference, count: 2 })) as { data: string }).data;
    equal(atob(await read()), '3 ');
    deepEqual(await session().customRequest('writeMemory', { memoryReference, data: btoa('Z') }), { bytesWritten: 1 });
    equal(atob(await read()), 'Z ');
    // The loop's counter: no further round.
    await session().customRequest('setExpression', { expression: 'cx', value: '1' });
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await session().customRequest('continue', { threadId: 1 });
    await until('what it prints', () => /^Z Hello from a boot sector!/.test(terminals.output('written')));
    ok(terminals.terminal('written'), `${guest.info.name} has a terminal`);
  });

  it('counts and lists exits beside the session', async () => {
    const { exits } = await extension();
    exits.receive({ type: 'clear' });
    exits.receive({ type: 'filter', filter: { ...NO_FILTER, ports: '3f8' } });
    await vscode.commands.executeCommand('cp86.exits.focus');
    await launch({ name: 'counted', program: 'hello.img', stopOnEntry: true });
    await nextStop(1);
    const count = (): number => exits.state.reasons.find(({ reason }) => reason === 'ioInstruction')?.count ?? 0;
    const before = count();
    await session().customRequest('continue', { threadId: 1 });
    await until('each character on COM1', () => count() - before >= 'Hello from a boot sector!'.length);
    const row = await until('the row of the last letter', () => exits.state.rows.find(({ text }) => text === "out 0x3f8, al = 0x21 '!'"));
    deepEqual([row.guest, row.reason], ['counted', 'ioInstruction']);
  });

  it('gives exactly the instructions asked for, with their source lines', async () => {
    await launch({ name: 'disassembled', program: 'hello.img', stopOnEntry: true });
    await nextStop(1);
    const { instructions } = (await session().customRequest('disassemble', {
      memoryReference: '0x7c00',
      instructionOffset: -10,
      instructionCount: 20,
    })) as NonNullable<DebugProtocol.DisassembleResponse['body']>;
    equal(instructions.length, 20);
    equal(instructions[10]?.address, '0x00007c00');
    match(instructions[10]?.instruction ?? '', /^xor ax, ?ax/);
    equal(instructions[10]?.line, ENTRY);
  });

  it('stops once at a triple fault, and says which faults led to it', async () => {
    // lidt [7c10h] with a limit of 0, then ud2: neither #UD nor what follows can be delivered.
    const sector = new Uint8Array(512);
    sector.set([0x0f, 0x01, 0x1e, 0x10, 0x7c, 0x0f, 0x0b]);
    sector.set([0x55, 0xaa], 510);
    await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder().uri, 'fault.img'), sector);
    await launch({ name: 'dead', program: 'fault.img' });
    // VS Code shows where that is, though there is no source, only for this reason.
    equal((await nextStop(1)).reason, 'instruction breakpoint');
    match((await nextStop(1)).text ?? '', /^Triple fault: #UD invalid opcode, then #GP .*, then #DF/);
    await vscode.commands.executeCommand('workbench.action.debug.stop');
    await until('the session is over', () => !vscode.debug.activeDebugSession);
    equal(seen.events.length, 1);
  });
});
