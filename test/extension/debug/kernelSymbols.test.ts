/** Debugging by the symbols that a Linux kernel has in memory: a kernel of a few instructions that turns paging on, with such tables. */
import assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { symbolsOfKernel } from '../../../extension/debug/kernelSymbols.ts';
import { DebugSession } from '../../../extension/debug/session.ts';
import { SymbolTable } from '../../../extension/debug/symbolTable.ts';
import { createLocalClient, type LocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { nodePlatform } from '../../../src/vmm/node/platform.ts';
import type { GuestConfig } from '../../../src/vmm/protocol.ts';
import { DapClient } from '../../support/dapClient.ts';
import { GUEST_DEFAULTS } from '../../support/guestDefaults.ts';
import { elf } from '../../vmm/boot/images.ts';
import { kallsyms, LAYOUTS, testSymbols } from '../../vmm/linux/kallsyms.ts';

const KERNEL = 0x100000,
  PAGE_OFFSET = 0xc0000000;
const symbols = testSymbols(1200, PAGE_OFFSET + KERNEL);
const named = (n: number): string => symbols[n]?.name ?? assert.fail(`no symbol ${n}`);

/** Turns paging on, with 4 MiB at C0000000h and at 0, and calls symbol 20 by symbol 16 for ever. */
function image(): Uint8Array {
  const bytes = new Uint8Array(0x20000);
  const u32 = (at: number, value: number): void => new DataView(bytes.buffer).setUint32(at, value, true);
  bytes.set([
    ...[0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x10, 0x0f, 0x22, 0xe0], // mov eax, cr4; or eax, 10h; mov cr4, eax
    ...[0xb8, 0x00, 0x10, 0x10, 0x00, 0x0f, 0x22, 0xd8], // mov eax, 101000h; mov cr3, eax
    ...[0x0f, 0x20, 0xc0, 0x0d, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0], // mov eax, cr0; or eax, 80000000h; mov cr0, eax
    ...[0xbc, 0x00, 0x40, 0x10, 0xc0], // mov esp, c0104000h
    ...[0xb8, 0x00, 0x01, 0x10, 0xc0, 0xff, 0xe0], // mov eax, symbol 16; jmp eax
  ]);
  bytes.set([0x55, 0x89, 0xe5, 0xe8, 0x38, 0x00, 0x00, 0x00, 0x5d, 0xeb, 0xf5], 0x100); // push ebp; mov ebp, esp; call; pop ebp; jmp
  bytes.set([0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55, 0x31, 0xc0, 0x89, 0xe5, 0x5d, 0xc3], 0x140); // nop; push ebp; xor; mov; pop; ret
  u32(0x1000, 0x83);
  u32(0x1000 + (PAGE_OFFSET >>> 22) * 4, 0x83);
  bytes.set(kallsyms(symbols, LAYOUTS['6.1'] ?? assert.fail()), 0x8000);
  return bytes;
}
/** The kernel's vmlinux, linked 100000h lower than it runs, with a variable that is not in memory's tables; of another kernel. */
const image2 = (shift: number, stretch = 16): Uint8Array =>
  elf({
    segments: [{ virtual: 0, bytes: Uint8Array.of(0) }],
    entry: 0,
    symbols: [
      ...symbols.map(({ type, name, address }, n) => ({
        name,
        address: address - shift + n * (stretch - 16),
        size: 16,
        kind: type === 'd' ? 1 : 2,
      })),
      { name: 'linux_banner', address: symbols[0].address - shift + 0x20000, size: 32, kind: 1 },
      { name: 'jiffies', address: symbols[0].address - shift + 0x4000, size: 4, kind: 1 },
      { name: '__ksymtab_jiffies', address: symbols[0].address - shift + 0x4004, size: 4, kind: 1 },
    ],
  });
const files = new Map([
  ['/w/kernel.bin', image()],
  ['/w/vmlinux', image2(0x100000)],
  ['/w/other', image2(0, 17)],
]);
const LAUNCH = { name: 'kernel', program: '/w/kernel.bin', format: 'flat', loadAddress: KERNEL, mode: 32, memory: 2, paced: false };

describe("a session with a Linux kernel's symbols", () => {
  let hypervisor: LocalClient, session: DebugSession, client: DapClient;
  beforeEach(() => {
    hypervisor = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: 2 << 20 }));
    session = new DebugSession({
      client: { request: (command, args) => hypervisor.request(command, args), onEvent: (one) => hypervisor.onEvent(one), dispose() {} },
      async readFile(path, most, from = 0) {
        const bytes = files.get(path);
        if (!bytes) throw new Error('no such file');
        return bytes.subarray(from, most === undefined ? undefined : from + most);
      },
      localPath: () => null,
      send: (message) => client.receive(message),
    });
    client = new DapClient((message) => session.handle(message));
  });
  afterEach(() => {
    session.dispose();
    hypervisor.dispose();
  });

  const setFunctions = async (...breakpoints: object[]): Promise<DebugProtocol.Breakpoint[]> =>
    (await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setFunctionBreakpoints', { breakpoints })).breakpoints;
  const frames = async (): Promise<string[]> =>
    (await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames.map((frame) => frame.name);

  it('has none before paging is on, waits for those that breakpoints name, and stops there', async () => {
    let set: DebugProtocol.Breakpoint[] = [];
    await client.start({ ...LAUNCH, stopOnEntry: true }, async () => {
      set = await setFunctions({ name: named(20) }, { name: 'nowhere' });
    });
    assert.deepEqual(
      set.map(({ verified, message }) => [verified, message?.includes('Linux kernel')]),
      [
        [false, true],
        [false, true],
      ],
    );
    assert.equal((await client.event('stopped'))['reason'], 'entry');
    assert.match(await client.failure('evaluate', { expression: named(20), context: 'watch' }), /do_sys_read20/);
    await client.request('continue', { threadId: 1 });
    const changed = [
      await client.event<{ breakpoint: DebugProtocol.Breakpoint }>('breakpoint'),
      await client.event<{ breakpoint: DebugProtocol.Breakpoint }>('breakpoint'),
    ];
    assert.deepEqual(
      changed.map(({ breakpoint: { id, verified, instructionReference } }) => [id, verified, instructionReference]),
      [
        [set[0]?.id, true, '0xc0100140'],
        [set[1]?.id, false, undefined],
      ],
    );
    assert.match(changed[1]?.breakpoint.message ?? '', /in the Linux kernel either/);
    const stop = await client.event('stopped');
    assert.deepEqual([stop['reason'], stop['hitBreakpointIds']], ['function breakpoint', [set[0]?.id]]);
    assert.deepEqual(await frames(), [named(20), `${named(16)}+0x8`]);
  });

  it('knows the caller at every instruction of a procedure, whatever comes before its frame', async () => {
    await client.start(LAUNCH, () => setFunctions({ name: named(20) }));
    await client.event('stopped');
    for (const offset of ['', '+0x5', '+0x6', '+0x8', '+0xa']) {
      assert.deepEqual(await frames(), [`${named(20)}${offset}`, `${named(16)}+0x8`]);
      await client.request('stepIn', { threadId: 1, granularity: 'instruction' });
      await client.event('stopped');
    }
  });

  it('names places in expressions, in the disassembly, and in log messages set before there were any', async () => {
    await client.start(LAUNCH, () =>
      setFunctions({ name: named(20), logMessage: `at {${named(20)}}` }, { name: named(16), hitCondition: '2' }),
    );
    await client.event('stopped');
    const { result } = await client.request<{ result: string }>('evaluate', { expression: `${named(16)} + 3`, context: 'watch' });
    assert.match(result, /^0xc0100103 .*do_sys_read16\S*\+0x3$/);
    const { instructions } = await client.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
      memoryReference: '0xc0100103',
      instructionCount: 1,
    });
    assert.equal(instructions[0]?.instruction, `call 0xc0100140 <${named(20)}>`);
    const log = client.events.filter(({ event, body }) => event === 'output' && body['category'] === 'console'),
      lines = log.map(({ body }) => String(body['output'])).join('');
    assert.match(lines, /^at 0xc0100140$/m);
    assert.match(lines, /^Linux kernel at 0xc0100000: 1200 symbols from memory\.$/m);
  });

  it("takes those of the kernel's file where they are, moved as the kernel has moved", async () => {
    await client.start({ ...LAUNCH, symbols: '/w/vmlinux', stopOnEntry: true }, async () => {
      const set = await setFunctions({ name: named(20), hitCondition: '== 3' });
      assert.deepEqual([set[0]?.verified, set[0]?.instructionReference], [true, '0xc0000140'], 'where it was linked');
    });
    await client.event('stopped');
    const place = async (name: string): Promise<string> =>
      (await client.request<{ result: string }>('evaluate', { expression: name, context: 'watch' })).result.slice(0, 10);
    assert.equal(await place('jiffies'), '0xc0004000');
    await client.request('continue', { threadId: 1 });
    const { breakpoint } = await client.event<{ breakpoint: DebugProtocol.Breakpoint }>('breakpoint');
    assert.deepEqual([breakpoint.verified, breakpoint.instructionReference], [true, '0xc0100140']);
    await client.event('stopped');
    assert.deepEqual(await frames(), [named(20), `${named(16)}+0x8`]);
    assert.equal(await place('jiffies'), '0xc0104000');
    assert.match(await client.failure('evaluate', { expression: '__ksymtab_jiffies', context: 'watch' }), /__ksymtab_jiffies/);
  });

  it("says that a file is another kernel's, and takes what is in memory", async () => {
    await client.start({ ...LAUNCH, symbols: '/w/other' }, () => setFunctions({ name: named(20) }));
    await client.event('stopped');
    assert.deepEqual(await frames(), [named(20), `${named(16)}+0x8`]);
    assert.ok(client.events.some(({ event, body }) => event === 'output' && /another kernel/.test(String(body['output']))));
    assert.match(await client.failure('evaluate', { expression: 'jiffies', context: 'watch' }), /jiffies/);
  });

  it('forgets them when the guest is reset, and finds them again', async () => {
    await client.start(LAUNCH, () => setFunctions({ name: named(16) }));
    await client.event('stopped');
    const [guest] = (await hypervisor.request('list', {})).guests;
    assert.ok(guest);
    const before = (await hypervisor.request('kernelSymbols', { id: guest.id, known: 0 })).version;
    await hypervisor.request('reset', { id: guest.id });
    assert.deepEqual(await hypervisor.request('kernelSymbols', { id: guest.id, known: before }), { version: before + 1, symbols: null });
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('stopped'))['reason'], 'function breakpoint');
    assert.deepEqual(await frames(), [named(16)]);
  });

  it('has them at once in a guest that runs already', async () => {
    const config: GuestConfig = {
      ...GUEST_DEFAULTS,
      name: 'running',
      memory: 2 << 20,
      boot: { kind: 'flat', image: image(), address: KERNEL, mode: 32 },
      startOfTime: 0,
    };
    const { id } = await hypervisor.request('define', { config });
    await hypervisor.request('start', { id, stopOnEntry: false });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.request('initialize', { adapterID: 'cp86' });
    await client.request('attach', { guest: 'running' });
    await setFunctions({ name: named(20) });
    assert.equal((await client.event<{ breakpoint: DebugProtocol.Breakpoint }>('breakpoint')).breakpoint.verified, true);
    await client.request('configurationDone', {});
    assert.equal((await client.event('stopped'))['reason'], 'function breakpoint');
  });
});

describe("a kernel's symbols", () => {
  const table = new SymbolTable();
  table.add('start', 0xc0000010);
  table.setKernel(
    symbolsOfKernel({
      names: 'T_text\ntstartup\nt__pfx_show\nTshow\nDtable\nashow\ntshow\ntlast\n',
      addresses: Uint32Array.of(0xc0000000, 0xc0000000, 0xc0000010, 0xc0000020, 0xc0000030, 0xc0000030, 0xc0000040, 0xc0000050),
    }),
  );
  it('end where the next one begins, but for the last, which ends somewhere', () => {
    assert.equal(table.describe(0xc000001f), 'start+0xf');
    assert.equal(table.describe(0xc0000100), 'last+0xb0');
    assert.equal(table.describe(0xd0000000), undefined);
  });
  it('are found by address under every name, and by a name where it comes first', () => {
    assert.equal(table.describe(0xc0000004), '_text+0x4');
    assert.equal(table.describe(0xc0000048), 'show+0x8');
    assert.equal(table.find('show')?.address, 0xc0000020);
  });
  it('come after what files name, and are replaced as a whole', () => {
    assert.equal(table.find('start')?.address, 0xc0000010);
    assert.equal(table.find('__pfx_show'), undefined);
    table.setKernel([]);
    assert.equal(table.find('show'), undefined);
    assert.equal(table.describe(0xc0000012), 'start+0x2');
  });
});
