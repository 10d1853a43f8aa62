/** The adapter over a guest made of tables: padding, unreadable memory, steps to the next line, malformed requests. */
import assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { encodeMessage, MessageDecoder } from '../../../extension/debug/framing.ts';
import { DebugSession } from '../../../extension/debug/session.ts';
import type { Commands, StopReason } from '../../../src/vmm/protocol.ts';
import { DapClient } from '../../support/dapClient.ts';
import { TABLE_GUEST_ID, type TableGuest, tableGuest } from '../../support/tableGuest.ts';

const SOURCE = ['  org 0x7c00', 'start:', '  nop', '  times 3 nop', '  hlt', ''].join('\n');
const LISTING = `     1                                    org 0x7c00
     2                                  start:
     3 00000000 90                        nop
     4 00000001 90<rep 3h>                times 3 nop
     5 00000004 F4                        hlt
`;
const image = new Uint8Array(512);
image.set([0x90, 0x90, 0x90, 0x90, 0xf4]);
image.set([0x55, 0xaa], 510);
const FILES: Record<string, Uint8Array> = {
  '/w/boot.img': image,
  '/w/boot.lst': new TextEncoder().encode(LISTING),
  '/w/boot.asm': new TextEncoder().encode(SOURCE),
};
const LAUNCH = { program: '/w/boot.img', stopOnEntry: true };

interface Bench {
  guest: TableGuest;
  client: DapClient;
  session: DebugSession;
  messages: DebugProtocol.ProtocolMessage[];
}

function bench(): Bench {
  const guest = tableGuest();
  const messages: DebugProtocol.ProtocolMessage[] = [];
  const session = new DebugSession({
    client: guest,
    readFile: async (path) => FILES[path] ?? assert.fail(`no ${path}`),
    localPath: () => null,
    send: (message) => {
      messages.push(message);
      client.receive(message);
    },
  });
  const client: DapClient = new DapClient((message) => session.handle(message));
  return { guest, client, session, messages };
}

function stop(guest: TableGuest, reason: StopReason, linear: number, breakpoints: number[] = [], text = ''): void {
  guest.registers['eip'] = linear;
  guest.emit({ event: 'stopped', id: TABLE_GUEST_ID, reason, text, breakpoints, linear, tick: 1 });
}

/** A bench whose guest stands at the boot sector's first instruction. */
async function stopped(): Promise<Bench> {
  const made = bench();
  await made.client.start(LAUNCH);
  made.guest.put(0x7c00, image);
  stop(made.guest, 'breakpoint', 0x7c00, [0]);
  const event = await made.client.event('stopped');
  assert.equal(event['reason'], 'entry');
  return made;
}

describe('the debug adapter', () => {
  it('defines and starts the guest, says that it is ready only then, and runs to the boot sector', async () => {
    const { guest, messages } = await stopped();
    assert.deepEqual(
      guest.asked.map((one) => one.command).filter((name) => ['define', 'start', 'setBreakpoints', 'resume'].includes(name)),
      ['define', 'start', 'setBreakpoints', 'resume', 'setBreakpoints'],
    );
    const events = messages.filter((one) => one.type === 'event').map((one) => (one as DebugProtocol.Event).event);
    assert.deepEqual(events.slice(0, 2), ['cp86Guest', 'initialized']);
  });

  it('takes the guest back when launching fails', async () => {
    const { guest, client } = bench();
    guest.answer('start', () => {
      throw new RangeError('image is wrong at offset 3');
    });
    assert.equal(await client.failure('launch', LAUNCH), 'image is wrong at offset 3');
    assert.equal(guest.asked.at(-1)?.command, 'remove');
    assert.deepEqual(await client.request('threads'), { threads: [] });
    assert.match(await client.failure('variables', { variablesReference: 1 }), /no guest/);
  });

  it('verifies breakpoints by the image before it is loaded, and says when memory differs', async () => {
    const { guest, client } = bench();
    guest.put(0x7c00, new Uint8Array(512));
    let answer: DebugProtocol.Breakpoint[] = [];
    await client.start(LAUNCH, async () => {
      answer = (
        await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
          source: { path: '/w/boot.asm' },
          breakpoints: [{ line: 1 }, { line: 5 }, { line: 9 }],
        })
      ).breakpoints;
    });
    assert.deepEqual(
      answer.map((one) => [one.verified, one.line, one.instructionReference]),
      [
        [true, 3, '0x00007c00'],
        [true, 5, '0x00007c04'],
        [false, 9, undefined],
      ],
    );
    guest.put(0x7c00, [1, 2, 3, 4, 5]);
    stop(guest, 'pause', 0x7c00);
    const changed = await client.event<{ breakpoint: DebugProtocol.Breakpoint }>('breakpoint');
    assert.equal(changed.breakpoint.verified, false);
    assert.match(changed.breakpoint.message ?? '', /differs from the listing/);
  });

  it('keeps breakpoints of other files and wrong conditions unverified, with a message', async () => {
    const { client } = await stopped();
    const set = async (path: string, breakpoint: object) =>
      (await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', { source: { path }, breakpoints: [breakpoint] }))
        .breakpoints[0];
    assert.match((await set('/w/other.c', { line: 1 }))?.message ?? '', /No listing/);
    assert.match((await set('/w/boot.asm', { line: 3, condition: '1 +' }))?.message ?? '', /character/);
    assert.match((await set('/w/boot.asm', { line: 3, hitCondition: 'often' }))?.message ?? '', /hit condition/);
    assert.match((await set('/w/boot.asm', { line: 3, logMessage: 'at {1 +}' }))?.message ?? '', /character/);
    assert.equal((await set('/w/boot.asm', { line: 3, condition: 'eax == start', hitCondition: '>= 2' }))?.verified, true);
  });

  it('passes conditions on with the symbols they mention', async () => {
    const { guest, client } = await stopped();
    await client.request('setBreakpoints', { source: { path: '/w/boot.asm' }, breakpoints: [{ line: 5, condition: 'eax == start' }] });
    const set = guest.asked.findLast((one) => one.command === 'setBreakpoints')?.args as Commands['setBreakpoints']['args'];
    assert.deepEqual(set.symbols, { start: 0x7c00 });
    assert.deepEqual(
      set.breakpoints.map((one) => [one.address, one.condition]),
      [[0x7c04, 'eax == start']],
    );
  });

  it('keeps the number of an unchanged breakpoint', async () => {
    const { client } = await stopped();
    const set = async (lines: number[]) =>
      (
        await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
          source: { path: '/w/boot.asm' },
          breakpoints: lines.map((line) => ({ line })),
        })
      ).breakpoints.map((one) => one.id);
    const [first] = await set([5]);
    const again = await set([3, 5]);
    assert.equal(again[1], first);
    assert.notEqual(again[0], first);
  });

  it('steps until the source line changes, instruction by instruction', async () => {
    const { guest, client } = await stopped();
    stop(guest, 'pause', 0x7c01);
    await client.event('stopped');
    let at = 0x7c01;
    guest.answer('step', () => {
      at++;
      setImmediate(() => stop(guest, 'step', at));
      return {};
    });
    await client.request('next', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'step');
    assert.equal(guest.registers['eip'], 0x7c04);
    stop(guest, 'pause', (at = 0x7c01));
    await client.event('stopped');
    await client.request('next', { threadId: 1, granularity: 'instruction' });
    await client.event('stopped');
    assert.equal(guest.registers['eip'], 0x7c02);
  });

  it('ends a step of several instructions at a breakpoint', async () => {
    const { guest, client } = await stopped();
    stop(guest, 'pause', 0x7c01);
    await client.event('stopped');
    guest.answer('step', () => {
      setImmediate(() => stop(guest, 'breakpoint', 0x7c02, [99]));
      return {};
    });
    await client.request('next', { threadId: 1 });
    const event = await client.event('stopped');
    assert.deepEqual([event['reason'], event['hitBreakpointIds']], ['breakpoint', [99]]);
  });

  it('answers a step before it tells the stop, even when the guest stops at once', async () => {
    const { guest, client, messages } = await stopped();
    guest.answer('step', () => {
      stop(guest, 'step', 0x7c01);
      return {};
    });
    await client.request('stepIn', { threadId: 1, granularity: 'instruction' });
    await client.event('stopped');
    const kinds = messages.slice(-2).map((one) => one.type);
    assert.deepEqual(kinds, ['response', 'event']);
  });

  for (const [offset, count] of [
    [0, 10],
    [-5, 10],
    [-20, 8],
    [600, 4],
    [-1000, 2000],
    [0, 0],
  ] as const) {
    it(`disassembles exactly ${count} instructions from ${offset} on`, async () => {
      const { client } = await stopped();
      const { instructions } = await client.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
        memoryReference: '0x00007c00',
        instructionOffset: offset,
        instructionCount: count,
      });
      assert.equal(instructions.length, count);
      assert.deepEqual(
        instructions.map((one) => Number(one.address)),
        Array.from({ length: count }, (_, n) => 0x7c00 + offset + n),
      );
      for (const one of instructions) {
        const inside = Number(one.address) >= 0x7c00 && Number(one.address) < 0x7e00;
        assert.equal(one.presentationHint, inside ? 'normal' : 'invalid');
      }
    });
  }

  it('gives instructions their symbol, bytes and line', async () => {
    const { client } = await stopped();
    const { instructions } = await client.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
      memoryReference: '0x7c00',
      instructionCount: 5,
    });
    assert.deepEqual(
      instructions.map((one) => [one.symbol, one.instructionBytes, one.line, one.location?.path]),
      [
        ['start', '90', 3, '/w/boot.asm'],
        [undefined, '90', 4, undefined],
        [undefined, '90', 4, undefined],
        [undefined, '90', 4, undefined],
        [undefined, 'f4', 5, undefined],
      ],
    );
  });

  it('reads memory up to what cannot be read, and says so', async () => {
    const { client } = await stopped();
    const body = await client.request<{ address: string; data: string; unreadableBytes: number }>('readMemory', {
      memoryReference: '0x7c00',
      offset: 508,
      count: 64,
    });
    assert.deepEqual([body.address, body.unreadableBytes], ['0x00007dfc', 60]);
    assert.deepEqual([...Buffer.from(body.data, 'base64')], [0, 0, 0x55, 0xaa]);
    assert.deepEqual(await client.request('readMemory', { memoryReference: '0x100000', count: 0 }), { address: '0x00100000', data: '' });
  });

  it('shows no source line where memory is not what was listed', async () => {
    const { guest, client } = await stopped();
    const line = async () => (await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames[0];
    assert.deepEqual([(await line())?.line, (await line())?.name], [3, 'start']);
    guest.put(0x7c00, [0xcc]);
    stop(guest, 'pause', 0x7c00);
    await client.event('stopped');
    assert.equal((await line())?.source, undefined);
  });

  it('finds callers by frame pointer and by return addresses behind calls', async () => {
    const { guest, client } = await stopped();
    // 0x7d00: call 0x7d10; 0x7d10: a procedure without a frame. 0x7d20: called, with a frame.
    guest.put(0x7d00, [0xe8, 0x0d, 0x00]);
    guest.put(0x7d10, [0x90, 0xe8, 0x0c, 0x00, 0x90]);
    guest.put(0x7d20, [0x55, 0x89, 0xe5, 0x90]);
    guest.put(0x6ff0, [0x34, 0x12, 0x03, 0x7d, 0, 0]);
    const names = async () =>
      (await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames.map((frame) => [
        frame.instructionPointerReference,
        frame.presentationHint,
      ]);
    Object.assign(guest.registers, { esp: 0x6ff0, ebp: 0 });
    stop(guest, 'pause', 0x7d10);
    await client.event('stopped');
    assert.deepEqual(await names(), [
      ['0x00007d10', 'normal'],
      ['0x00007d03', 'subtle'],
    ]);
    guest.put(0x6fe0, [0xf0, 0x6f, 0x14, 0x7d]);
    guest.put(0x6ff0, [0, 0, 0x03, 0x7d]);
    Object.assign(guest.registers, { esp: 0x6fd0, ebp: 0x6fe0 });
    stop(guest, 'pause', 0x7d23);
    await client.event('stopped');
    assert.deepEqual(await names(), [
      ['0x00007d23', 'normal'],
      ['0x00007d14', 'normal'],
      ['0x00007d03', 'normal'],
    ]);
    Object.assign(guest.registers, { esp: 0x6fe2, ebp: 0x6ff0 });
    stop(guest, 'pause', 0x7d20);
    await client.event('stopped');
    assert.deepEqual((await names())[1], ['0x00007d14', 'normal']);
  });

  it('names the attribute of a file that is not what it should be, and takes the guest back', async () => {
    for (const [attribute, bytes] of [
      ['listing', 'no listing'],
      ['symbols', '\x7fELF and nothing else'],
    ] as const) {
      const { guest, client } = bench();
      FILES['/w/bad'] = new TextEncoder().encode(bytes);
      assert.match(await client.failure('launch', { ...LAUNCH, [attribute]: '/w/bad' }), new RegExp(`^${attribute}: /w/bad: `));
      assert.equal(guest.asked.at(-1)?.command, 'remove');
    }
  });

  it('knows where an attached guest is when it was stopped before the session was set up', async () => {
    const { guest, client } = bench();
    await client.start({ guest: 'table' }, async () => stop(guest, 'pause', 0x7c00));
    assert.equal((await client.event('stopped'))['reason'], 'pause');
  });

  it('tells panels where an address is', async () => {
    const { client } = await stopped();
    assert.deepEqual(await client.request('cp86Locate', { address: '0x7c04' }), {
      address: '0x00007c04',
      symbol: 'start+0x4',
      source: { name: 'boot.asm', path: '/w/boot.asm' },
      line: 5,
    });
  });

  it('ends with the guest', async () => {
    const { guest, client } = await stopped();
    guest.emit({ event: 'ended', id: TABLE_GUEST_ID, status: 3, reason: 'The guest ended with status 3.' });
    assert.deepEqual(await client.event('exited'), { exitCode: 3 });
    await client.event('terminated');
    await client.request('disconnect', {});
    assert.equal(guest.asked.at(-1)?.command, 'remove');
  });

  it('ends with the worker', async () => {
    const { guest, client } = await stopped();
    guest.emit({ event: 'workerFailed', reason: 'it ended with code 1' });
    await client.event('terminated');
    assert.match(String(client.events.findLast((one) => one.event === 'output')?.body['output']), /it ended with code 1/);
  });

  it('hears when somebody else resumes or pauses the guest', async () => {
    const { guest, client } = await stopped();
    guest.emit({ event: 'continued', id: TABLE_GUEST_ID });
    await client.event('continued');
    stop(guest, 'pause', 0x7c00);
    assert.equal((await client.event('stopped'))['reason'], 'pause');
  });

  it('cancels a request that waits', async () => {
    const { session, guest, messages } = await stopped();
    let release = (): void => undefined;
    guest.answer('translate', () => ({ physical: 0, walk: [] }));
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    guest.answer('evaluate', (() => gate.then(() => ({ value: 1 }))) as never);
    session.handle({ seq: 900, type: 'request', command: 'evaluate', arguments: { expression: '1', context: 'watch' } });
    session.handle({ seq: 901, type: 'request', command: 'threads' });
    session.handle({ seq: 902, type: 'request', command: 'cancel', arguments: { requestId: 901 } });
    release();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const answer = messages.find((one) => (one as DebugProtocol.Response).request_seq === 901) as DebugProtocol.Response;
    assert.deepEqual([answer.success, answer.message], [false, 'cancelled']);
  });
});

describe('malformed requests', () => {
  const COMMANDS = [
    'initialize',
    'launch',
    'attach',
    'restart',
    'setBreakpoints',
    'setFunctionBreakpoints',
    'setInstructionBreakpoints',
    'setDataBreakpoints',
    'dataBreakpointInfo',
    'setExceptionBreakpoints',
    'breakpointLocations',
    'stackTrace',
    'variables',
    'setVariable',
    'setExpression',
    'evaluate',
    'completions',
    'readMemory',
    'writeMemory',
    'disassemble',
    'gotoTargets',
    'goto',
    'cp86Locate',
    'next',
    'nonsense',
    '__proto__',
    'constructor',
  ];
  const VALUES: unknown[] = [
    undefined,
    null,
    0,
    -1,
    1e308,
    Number.NaN,
    'x',
    '',
    [],
    {},
    [[]],
    [null],
    { length: 1e9 },
    true,
    '0x',
    '\u0000',
    'phys:zz',
  ];
  const FIELDS = [
    'source',
    'breakpoints',
    'line',
    'path',
    'variablesReference',
    'name',
    'value',
    'expression',
    'memoryReference',
    'instructionReference',
    'offset',
    'count',
    'instructionCount',
    'instructionOffset',
    'dataId',
    'filters',
    'filterOptions',
    'program',
    'guest',
    'arguments',
    'text',
    'column',
    'targetId',
    'data',
    'address',
    'granularity',
    'threadId',
    'startFrame',
    'levels',
  ];

  it('get an error response or an answer, never more, never less', async () => {
    const { client } = await stopped();
    let seed = 7;
    const random = (limit: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % limit;
    for (const command of COMMANDS) {
      for (let round = 0; round < 60; round++) {
        const args =
          round === 0
            ? undefined
            : round === 1
              ? 'text'
              : round === 2
                ? [1]
                : Object.fromEntries(
                    Array.from({ length: 1 + random(6) }, () => [FIELDS[random(FIELDS.length)] ?? '', VALUES[random(VALUES.length)]]),
                  );
        const answer = await client.respond(command, args);
        assert.equal(typeof answer.success, 'boolean');
        if (!answer.success) assert.ok((answer.message ?? '').length > 0, command);
      }
    }
  });

  it('that are no requests are passed over', () => {
    const { session, messages } = bench();
    for (const message of [undefined, null, 5, 'x', [], {}, { type: 'event' }, { type: 'response' }]) session.handle(message);
    assert.deepEqual(messages, []);
    session.handle({ type: 'request', seq: 'one', command: 5 });
    assert.equal((messages[0] as DebugProtocol.Response).success, false);
  });

  it('name the argument', async () => {
    const { client } = await stopped();
    assert.match(await client.failure('setBreakpoints', { source: { path: 5 } }), /^source\.path: a text/);
    assert.match(
      await client.failure('setBreakpoints', { source: { path: 'x' }, breakpoints: [{ line: 'one' }] }),
      /^breakpoints\[0\]\.line: a whole number/,
    );
    assert.match(await client.failure('disassemble', { memoryReference: '0x0', instructionCount: 1e9 }), /^instructionCount: /);
    assert.match(await client.failure('variables', { variablesReference: 99_999 }), /^variablesReference: /);
    assert.match(await client.failure('nonsense'), /'nonsense' is not supported/);
  });
});

describe('the base protocol', () => {
  const message = { seq: 1, type: 'request', command: 'threads', text: 'ä€' };
  it('puts messages together from any pieces', () => {
    const bytes = Buffer.concat([encodeMessage(message), encodeMessage({ n: 2 })]);
    for (const size of [1, 3, 7, 1000]) {
      const decoder = new MessageDecoder();
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...decoder.push(bytes.subarray(at, at + size)));
      assert.deepEqual(found, [message, { n: 2 }]);
    }
  });
  it('refuses what is no stream of messages, and passes over content that is no JSON', () => {
    assert.throws(() => new MessageDecoder().push(new Uint8Array(5000)), /no message header/);
    assert.throws(() => new MessageDecoder().push(Buffer.from('Content-Length: 999999999\r\n\r\n')), /Content-Length/);
    assert.throws(() => new MessageDecoder().push(Buffer.from('Length: 5\r\n\r\n')), /Content-Length/);
    assert.deepEqual(new MessageDecoder().push(Buffer.from('Content-Length: 3\r\n\r\n{{{')), [undefined]);
  });
});
