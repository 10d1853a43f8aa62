/** A debug session with a real guest: the example boot sector, launched, stopped, looked at, changed, ended. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebugSession } from '../../../extension/debug/session.ts';
import { root } from '../../../scripts/root.ts';
import { createLocalClient, type LocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { nodePlatform } from '../../../src/vmm/node/platform.ts';
import { DapClient } from '../../support/dapClient.ts';

const PROGRAM = join(root, 'examples/hello.img');
const SOURCE = join(root, 'examples/hello.asm');
const LAUNCH = { name: 'hello', program: PROGRAM, paced: false, serial: 'console' };
const LINES = readFileSync(SOURCE, 'utf8').split('\n');

/** Number of the only line that has this text. */
function lineOf(text: string): number {
  const found = LINES.flatMap((line, n) => (line.includes(text) ? [n + 1] : []));
  assert.equal(found.length, 1, `${text} is on ${found.length} lines`);
  return found[0] ?? 0;
}

describe('a debug session of the example boot sector', () => {
  let hypervisor: LocalClient;
  let open: { client: DapClient; session: DebugSession }[] = [];

  beforeEach(() => {
    hypervisor = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: 64 << 20 }));
  });
  afterEach(() => {
    for (const { session } of open) session.dispose();
    open = [];
    hypervisor.dispose();
  });

  function connect(): DapClient {
    const session = new DebugSession({
      client: {
        request: (command, args) => hypervisor.request(command, args),
        onEvent: (listener) => hypervisor.onEvent(listener),
        dispose: () => undefined,
      },
      readFile: (file) => readFile(file),
      localPath: (file) => file,
      send: (message) => client.receive(message),
      rebuild: async (configuration) => configuration,
    });
    const client: DapClient = new DapClient((message) => session.handle(message));
    open.push({ client, session });
    return client;
  }
  /** Launched and standing at the first instruction. */
  async function atEntry(
    more: object = {},
    configure: (client: DapClient) => Promise<unknown> = async () => undefined,
  ): Promise<DapClient> {
    const client = connect();
    await client.start({ ...LAUNCH, stopOnEntry: true, ...more }, () => configure(client));
    assert.equal((await client.event('stopped'))['reason'], 'entry');
    return client;
  }
  const top = async (client: DapClient): Promise<DebugProtocol.StackFrame> =>
    (await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1, startFrame: 0, levels: 1 }))
      .stackFrames[0] ?? assert.fail('no frame');
  const setLines = async (client: DapClient, ...breakpoints: object[]): Promise<DebugProtocol.Breakpoint[]> =>
    (await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', { source: { path: SOURCE }, breakpoints }))
      .breakpoints;
  const evaluate = async (client: DapClient, expression: string, context = 'watch'): Promise<string> =>
    (await client.request<{ result: string }>('evaluate', { expression, context })).result;
  const output = (client: DapClient): string =>
    client.events
      .filter((one) => one.event === 'output' && one.body.category === 'stdout')
      .map((one) => String(one.body.output))
      .join('');
  const group = async (client: DapClient, name: string): Promise<DebugProtocol.Variable[]> => {
    const { scopes } = await client.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: 1 });
    const reference = scopes.find((one) => one.name === name)?.variablesReference;
    return (await client.request<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference: reference })).variables;
  };
  const textOf = (list: DebugProtocol.Variable[], name: string): string =>
    list.find((one) => one.name === name)?.value ?? assert.fail(name);

  it("stops on entry at the boot sector's first line", async () => {
    const client = await atEntry();
    const frame = await top(client);
    assert.deepEqual(
      [frame.line, frame.source?.path, frame.name, frame.instructionPointerReference],
      [lineOf('xor ax, ax'), SOURCE, 'start', '0x00007c00'],
    );
    assert.deepEqual(await client.request('threads'), { threads: [{ id: 1, name: 'hello: CPU 0' }] });
  });

  it('hits a breakpoint that was set before the code was loaded', async () => {
    const client = connect();
    let set: DebugProtocol.Breakpoint[] = [];
    await client.start(LAUNCH, async () => {
      set = await setLines(client, { line: lineOf('mov si, message') });
    });
    assert.equal(set[0]?.verified, true);
    const stop = await client.event('stopped');
    assert.deepEqual([stop['reason'], stop['hitBreakpointIds']], ['breakpoint', [set[0]?.id]]);
    assert.equal((await top(client)).line, lineOf('mov si, message'));
    assert.equal(output(client).replace(/\s/g, ''), '321');
  });

  it('steps into, over and out of procedures', async () => {
    const client = await atEntry();
    const first = LINES.findIndex((line) => line.includes('call print')) + 1;
    await setLines(client, { line: first });
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    await client.request('stepIn', { threadId: 1 });
    await client.event('stopped');
    assert.equal((await top(client)).line, lineOf('lodsb'));
    const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
    assert.equal(stackFrames[1]?.line, first);
    await client.request('stepOut', { threadId: 1 });
    await client.event('stopped');
    assert.equal((await top(client)).line, lineOf('loop countdown'));
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    assert.equal((await top(client)).line, first);
    await client.request('next', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'step');
    assert.equal((await top(client)).line, lineOf('loop countdown'));
    assert.match(output(client), /^3\s+2\s+$/);
  });

  it('shows what a service of the firmware was called by', async () => {
    const client = await atEntry();
    const line = lineOf('int 0x10');
    await setLines(client, { line });
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    await client.request('stepIn', { threadId: 1, granularity: 'instruction' });
    await client.event('stopped');
    const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
    assert.equal(stackFrames[0]?.name, 'bios.int10');
    assert.deepEqual([stackFrames[1]?.line, stackFrames[1]?.name], [line, 'putc+0xa']);
    await client.request('stepOut', { threadId: 1 });
    await client.event('stopped');
    assert.equal((await top(client)).line, line + 1);
  });

  it('obeys conditions, hit counts and log points', async () => {
    const client = await atEntry();
    await setLines(client, { line: lineOf("add al, '0'"), condition: 'cx == 1' });
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    assert.equal(await evaluate(client, 'cl'), '0x01 (1)');
    await client.request('restart', {});
    await client.event('stopped');
    await setLines(
      client,
      { line: lineOf("add al, '0'"), hitCondition: '== 2' },
      { line: lineOf('mov [digit], al'), logMessage: 'al is {al}' },
    );
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    assert.equal(await evaluate(client, 'cl'), '0x02 (2)');
    await setLines(client, { line: lineOf('mov [digit], al'), logMessage: 'al is {al}' }, { line: lineOf('mov si, message') });
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    const logged = client.events
      .filter((one) => one.event === 'output' && one.body.category === 'console')
      .map((one) => String(one.body.output))
      .join('');
    assert.match(logged, /al is .*33[\s\S]*al is .*32[\s\S]*al is .*31/);
  });

  it('stops at functions by label, at instructions and at data', async () => {
    const client = await atEntry();
    assert.equal(
      (
        await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setFunctionBreakpoints', {
          breakpoints: [{ name: 'putc' }, { name: 'nowhere' }],
        })
      ).breakpoints
        .map((one) => one.verified)
        .join(),
      'true,false',
    );
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'function breakpoint');
    assert.equal((await top(client)).name, 'putc');
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    await client.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0x7c30', offset: 3 }] });
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'instruction breakpoint');
    assert.equal((await top(client)).instructionPointerReference, '0x00007c33');
    await client.request('setInstructionBreakpoints', { breakpoints: [] });
    const info = await client.request('dataBreakpointInfo', { name: 'word [greetings]' });
    assert.equal(info['dataId'], '0x00007c65:2');
    assert.equal((await client.request('dataBreakpointInfo', { name: '0x7c65', asAddress: true, bytes: 2 }))['dataId'], '0x00007c65:2');
    await client.request('setDataBreakpoints', { breakpoints: [{ dataId: info['dataId'], accessType: 'write' }] });
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'data breakpoint');
    assert.equal(await evaluate(client, 'word [greetings]'), '0x0001 (1)');
  });

  it('stops at VM exits by name and port, and says which', async () => {
    const client = await atEntry();
    await client.request('setExceptionBreakpoints', {
      filters: [],
      filterOptions: [{ filterId: 'exit', condition: 'ioInstruction port 0x3f8' }],
    });
    await client.request('continue', { threadId: 1 });
    const stop = await client.event('stopped');
    assert.equal(stop['reason'], 'exception');
    const info = await client.request('exceptionInfo', { threadId: 1 });
    assert.equal(info['exceptionId'], 'VM exit');
    assert.match(String(info['description']), /3f8/i);
  });

  it('shows registers by group, with flags and segments decoded', async () => {
    const client = await atEntry();
    const general = await group(client, 'General');
    assert.equal(textOf(general, 'eip'), '0x00007c00');
    const eflags = general.find((one) => one.name === 'eflags') ?? assert.fail('no eflags');
    const flags = (
      await client.request<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference: eflags.variablesReference })
    ).variables;
    assert.match(textOf(flags, 'IF'), /^[01]$/);
    assert.match(textOf(await group(client, 'Segments'), 'cs'), /^0x0000 \(base 0x00000000, limit 0x0000ffff\)$/);
    assert.match(textOf(await group(client, 'Control'), 'cr0'), /\[.*\]$/);
    assert.equal((await group(client, 'FPU')).length, 16);
    const simd = await group(client, 'SIMD');
    assert.equal(textOf(simd, 'mxcsr'), '0x00001f80 [PM UM OM ZM DM IM]');
    assert.equal(textOf(simd, 'xmm7'), `0x${'0'.repeat(32)}`);
    assert.ok((await group(client, 'System tables')).some((one) => one.name === 'gdtr'));
  });

  it('changes registers, parts of them and flags', async () => {
    const client = await atEntry();
    const { scopes } = await client.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: 1 });
    const reference = scopes[0]?.variablesReference;
    assert.equal(
      (await client.request('setVariable', { variablesReference: reference, name: 'ebx', value: '0x12340000 + message' }))['value'],
      '0x12347c49',
    );
    await client.event('invalidated');
    const eflags = (await group(client, 'General')).find((one) => one.name === 'eflags');
    assert.equal(
      (await client.request('setVariable', { variablesReference: eflags?.variablesReference, name: 'CF', value: '1' }))['value'],
      '1',
    );
    assert.equal(await evaluate(client, 'cf'), '0x1 (1)');
    assert.match((await client.request<{ value: string }>('setExpression', { expression: 'bh', value: '5' })).value, /^0x05/);
    assert.equal(await evaluate(client, 'ebx', 'repl'), '0x12340549');
    await evaluate(client, 'zf = 1', 'repl');
    assert.match(await evaluate(client, 'eflags'), /ZF/);
    assert.equal(
      (await client.request('setVariable', { variablesReference: 7, name: 'xmm3', value: '0x1234_9abcdef0' }))['value'],
      '0x0000000000000000000012349abcdef0',
    );
    assert.equal(await evaluate(client, 'xmm3'), '0x0000000000000000000012349abcdef0');
    assert.match(await client.failure('setVariable', { variablesReference: 7, name: 'xmm3', value: 'esp' }), /32 hexadecimal/);
    assert.match(await client.failure('setVariable', { variablesReference: reference, name: 'cs_nothing', value: '1' }), /cs_nothing/);
    assert.match(await client.failure('evaluate', { expression: 'al = 0x100', context: 'repl' }), /8 bits/);
  });

  it('marks what changed since the last stop', async () => {
    const client = await atEntry();
    const before = textOf(await group(client, 'General'), 'eax');
    await evaluate(client, 'eax = 0x55', 'repl');
    await group(client, 'General');
    await client.request('next', { threadId: 1 });
    await client.event('stopped');
    const general = await group(client, 'General');
    assert.notEqual(before, '0x00000055');
    assert.match(general.find((one) => one.name === 'eax')?.type ?? '', /was 0x00000055/);
    assert.doesNotMatch(general.find((one) => one.name === 'esi')?.type ?? '', /was/);
  });

  it('reads and writes memory', async () => {
    const client = await atEntry();
    const read = async (reference: string, count: number) =>
      Buffer.from((await client.request<{ data: string }>('readMemory', { memoryReference: reference, count })).data, 'base64');
    assert.equal((await read('0x7c49', 5)).toString(), 'Hello');
    assert.deepEqual(
      await client.request('writeMemory', { memoryReference: '0x7c40', offset: 9, data: Buffer.from('J').toString('base64') }),
      { bytesWritten: 1 },
    );
    await client.event('memory');
    assert.equal((await read('phys:0x7c49', 5)).toString(), 'Jello');
    assert.equal((await read('0x7c00', 0x20000)).length, 0x20000);
    await evaluate(client, "byte [message] = 'M'", 'repl');
    await setLines(client, { line: lineOf('inc word [greetings]') });
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    assert.match(output(client), /Mello from/);
  });

  it('disassembles around the instruction pointer, backwards too', async () => {
    const client = await atEntry();
    const { instructions } = await client.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
      memoryReference: '0x00007c0d',
      instructionOffset: -6,
      instructionCount: 12,
    });
    assert.equal(instructions.length, 12);
    assert.deepEqual(
      instructions
        .slice(0, 8)
        .map((one) => [one.address, one.instruction.replace(/\s+/g, ' ').replace(/, ?/g, ', '), one.symbol])
        .map((one) => one.join(' ').trim()),
      [
        '0x00007c00 xor ax, ax start',
        '0x00007c02 mov ds, ax',
        '0x00007c04 mov ss, ax',
        '0x00007c06 mov sp, 0x7c00',
        '0x00007c09 cld',
        '0x00007c0a mov cx, 0x3',
        '0x00007c0d mov al, cl countdown',
        '0x00007c0f add al, 0x30',
      ],
    );
    assert.equal(instructions[0]?.line, lineOf('xor ax, ax'));
  });

  it('evaluates registers, sums, memory operands, symbols and commands', async () => {
    const client = await atEntry();
    assert.equal(await evaluate(client, 'eip + 4'), '0x00007c04 (31748) start+0x4');
    assert.equal(await evaluate(client, 'byte [message]', 'hover'), "0x48 (72, 'H')");
    assert.equal(await evaluate(client, 'message'), '0x00007c49 (31817)');
    assert.match(await evaluate(client, 'help', 'repl'), /info gdt/);
    assert.match(await evaluate(client, 'x/2wx message', 'repl'), /^0x00007c49: 0x6c6c6548 0x7266206f$/);
    assert.match(await evaluate(client, 'x/s message', 'repl'), /Hello from a boot sector!\\r\\n/);
    assert.match(await evaluate(client, 'x/2i start', 'repl'), /xor.*\n0x00007c02/);
    assert.match(await evaluate(client, 'info idt', 'repl'), /10 {2}f000:/);
    assert.match(await evaluate(client, 'info page 0x1234', 'repl'), /physical 0x00001234/);
    assert.match(await evaluate(client, 'info guest', 'repl'), /hello: paused.*real mode/);
    assert.match(await evaluate(client, 'info registers', 'repl'), /eip +0x00007c00/);
    assert.match(await client.failure('evaluate', { expression: 'nonsense', context: 'watch' }), /nonsense/);
    const { targets } = await client.request<{ targets: DebugProtocol.CompletionItem[] }>('completions', {
      text: 'byte [mess',
      column: 11,
    });
    assert.deepEqual(targets, [{ label: 'message', type: 'function', start: 6, length: 4 }]);
  });

  it('sets the next instruction', async () => {
    const client = await atEntry();
    const { targets } = await client.request<{ targets: DebugProtocol.GotoTarget[] }>('gotoTargets', {
      source: { path: SOURCE },
      line: lineOf('mov si, message'),
    });
    await client.request('goto', { threadId: 1, targetId: targets[0]?.id });
    assert.equal((await client.event('stopped'))['reason'], 'goto');
    assert.equal((await top(client)).line, lineOf('mov si, message'));
  });

  it('pauses a running guest, lets it go on, and does not answer for its stack meanwhile', async () => {
    const client = connect();
    await client.start(LAUNCH);
    assert.equal(await client.failure('stackTrace', { threadId: 1 }), 'notStopped');
    await client.request('pause', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'pause');
    await client.request('continue', { threadId: 1 });
    await client.request('pause', { threadId: 1 });
    await client.event('stopped');
  });

  it('restarts from the files, with the same breakpoints', async () => {
    const client = await atEntry();
    const [set] = await setLines(client, { line: lineOf('mov si, message') });
    for (let round = 0; round < 2; round++) {
      await client.request('continue', { threadId: 1 });
      assert.deepEqual((await client.event('stopped'))['hitBreakpointIds'], [set?.id]);
      await client.request('restart', {});
      assert.equal((await client.event('stopped'))['reason'], 'entry');
    }
    assert.equal((await hypervisor.request('list', {})).guests.length, 1);
  });

  it('is attached to a running guest and leaves it running', async () => {
    const owner = connect();
    await owner.start(LAUNCH);
    const client = connect();
    await client.start({ guest: 'hello', stopOnEntry: true, listing: join(root, 'examples/hello.lst') });
    assert.equal((await client.event('stopped'))['reason'], 'pause');
    await client.request('disconnect', {});
    const [guest] = (await hypervisor.request('list', {})).guests;
    assert.match(guest?.status ?? '', /running|halted/);
    assert.match(await connect().failure('attach', { guest: 'nobody' }), /there is no guest 'nobody'; there are hello/);
  });

  it('powers the guest off and takes it away', async () => {
    const client = await atEntry();
    await client.request('terminate');
    assert.deepEqual(await client.event('exited'), { exitCode: 0 });
    await client.event('terminated');
    await client.request('terminate');
    await client.request('disconnect', {});
    assert.deepEqual((await hypervisor.request('list', {})).guests, []);
  });

  it('lists sources and modules, and lines that can have breakpoints', async () => {
    const client = await atEntry();
    assert.deepEqual(await client.request('loadedSources'), { sources: [{ name: 'hello.asm', path: SOURCE }] });
    const { modules } = await client.request<{ modules: DebugProtocol.Module[] }>('modules');
    assert.deepEqual(
      modules.map((one) => one.name),
      ['hello.img', 'hello.lst'],
    );
    assert.deepEqual(await client.request('breakpointLocations', { source: { path: SOURCE }, line: 13, endLine: 15 }), {
      breakpoints: [{ line: 14 }, { line: 15 }],
    });
  });
});
