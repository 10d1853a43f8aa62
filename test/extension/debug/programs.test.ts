/** Sessions with programs of every kind, assembled here: macros and includes, .com, flat 32-bit code, linked ELF. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebugSession } from '../../../extension/debug/session.ts';
import { root } from '../../../scripts/root.ts';
import { createLocalClient, type LocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { nodePlatform } from '../../../src/vmm/node/platform.ts';
import { DapClient } from '../../support/dapClient.ts';
import { requireTool } from '../../support/tools.ts';

describe('a debug session', () => {
  let folder = '';
  let nasm = '';
  let hypervisor: LocalClient;
  let session: DebugSession | undefined;

  before(function () {
    nasm = requireTool(this, 'nasm');
    folder = mkdtempSync(join(tmpdir(), 'cp86-debug-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    hypervisor = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: 64 << 20 }));
  });
  afterEach(() => {
    session?.dispose();
    hypervisor.dispose();
  });

  const path = (name: string): string => join(folder, name);
  /** Assembles a source; answers the image. */
  function assemble(name: string, source: string, extension: string, format = 'bin'): string {
    writeFileSync(path(`${name}.asm`), source);
    execFileSync(nasm, ['-f', format, `${name}.asm`, '-o', `${name}${extension}`, '-l', `${name}.lst`], { cwd: folder, stdio: 'pipe' });
    return path(`${name}${extension}`);
  }
  async function launch(configuration: object): Promise<DapClient> {
    const made = new DebugSession({
      client: hypervisor,
      readFile: (file) => readFile(file),
      localPath: (file) => file,
      send: (message) => client.receive(message),
    });
    session = made;
    const client: DapClient = new DapClient((message) => made.handle(message));
    await client.start({ paced: false, stopOnEntry: true, ...configuration });
    assert.equal((await client.event('stopped'))['reason'], 'entry');
    return client;
  }
  async function frames(client: DapClient): Promise<string[]> {
    const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
    return stackFrames.map((frame) => `${frame.name.replace(/ .*/, '')} ${frame.source?.name ?? '-'}:${frame.line}`);
  }
  async function run(client: DapClient, command: string, args: object = {}): Promise<string[]> {
    await client.request(command, { threadId: 1, ...args });
    await client.event('stopped');
    return frames(client);
  }

  it('steps over a macro as one line, into an include, and through a second section', async () => {
    writeFileSync(path('inc.inc'), 'helper:\n  inc ax\n  ret\n');
    const image = assemble(
      'macro',
      [
        'org 0x7c00',
        '%macro twice 1',
        '  inc %1',
        '  inc %1',
        '%endmacro',
        'start:',
        '  xor ax, ax',
        '  twice ax',
        '  twice ax',
        '  call helper',
        '  times 3 inc ax',
        '  jmp second',
        '%include "inc.inc"',
        'times 510-($-$$) db 0',
        'dw 0xaa55',
        'section .more',
        'second: dec ax',
        'jmp $',
        'times 510 db 0',
        '',
      ].join('\n'),
      '.img',
    );
    // Only the first sector is loaded by the firmware; the rest is put where it belongs by hand.
    const client = await launch({ program: image });
    assert.deepEqual(await frames(client), ['start macro.asm:7']);
    assert.deepEqual(await run(client, 'next'), ['start+0x2 macro.asm:8']);
    assert.deepEqual(await run(client, 'next'), ['start+0x4 macro.asm:9']);
    assert.deepEqual(await run(client, 'next', { granularity: 'instruction' }), ['start+0x5 macro.asm:9']);
    assert.deepEqual(await run(client, 'next'), ['start+0x6 macro.asm:10']);
    assert.deepEqual(await run(client, 'stepIn'), ['helper inc.inc:2', 'start+0x9 macro.asm:10']);
    assert.deepEqual(await run(client, 'stepOut'), ['start+0x9 macro.asm:11']);
    assert.deepEqual(await run(client, 'next'), ['start+0xc macro.asm:12']);
    const bytes = (await readFile(image)).subarray(512);
    await client.request('writeMemory', { memoryReference: '0x7e00', data: bytes.toString('base64') });
    const { breakpoints } = await client.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
      source: { path: path('macro.asm') },
      breakpoints: [{ line: 17 }, { line: 3 }],
    });
    assert.deepEqual(
      breakpoints.map((one) => [one.verified, one.line]),
      [
        [true, 17],
        [true, 3],
      ],
    );
    assert.deepEqual(await run(client, 'continue'), ['second macro.asm:17']);
  });

  it("stops in every expansion of a macro's body line", async () => {
    const image = assemble(
      'body',
      [
        'org 0x7c00',
        '%macro twice 1',
        '  inc %1',
        '  inc %1',
        '%endmacro',
        'start:',
        '  twice ax',
        '  nop',
        '  twice ax',
        '  hlt',
        'times 510-($-$$) db 0',
        'dw 0xaa55',
        '',
      ].join('\n'),
      '.img',
    );
    const client = await launch({ program: image });
    await client.request('setBreakpoints', { source: { path: path('body.asm') }, breakpoints: [{ line: 4 }] });
    assert.deepEqual(await run(client, 'continue'), ['start+0x1 body.asm:7']);
    assert.deepEqual(await run(client, 'continue'), ['start+0x4 body.asm:9']);
  });

  it('runs a .com program and ends with it', async () => {
    const image = assemble(
      'program',
      ['org 0x100', 'start:', '  mov dx, text', '  mov ah, 9', '  int 0x21', '  mov ax, 0x4c07', '  int 0x21', "text db 'hi$'", ''].join(
        '\n',
      ),
      '.com',
    );
    const client = await launch({ program: image, serial: 'console' });
    assert.deepEqual(await frames(client), ['start program.asm:3']);
    assert.deepEqual(await run(client, 'next'), ['start+0x3 program.asm:4']);
    assert.deepEqual(await run(client, 'next'), ['start+0x5 program.asm:5']);
    assert.deepEqual(await run(client, 'next'), ['start+0x7 program.asm:6']);
    await client.request('continue', { threadId: 1 });
    await client.event('terminated');
  });

  it('debugs flat 32-bit code, through the mode switch of a boot sector too', async () => {
    const flat = assemble(
      'flat',
      [
        'bits 32',
        'org 0x100000',
        'start:',
        '  mov eax, 0x12345678',
        '  call twice',
        '  hlt',
        'twice:',
        '  push ebp',
        '  mov ebp, esp',
        '  add eax, eax',
        '  pop ebp',
        '  ret',
        '',
      ].join('\n'),
      '.bin',
    );
    const client = await launch({ program: flat, loadAddress: '0x100000', mode: 32 });
    await run(client, 'next');
    assert.deepEqual(await run(client, 'stepIn'), ['twice flat.asm:8', 'start+0xa flat.asm:5']);
    for (const line of [9, 10, 11, 12])
      assert.deepEqual(await run(client, 'next'), [
        `twice+0x${(line - 8 === 1 ? 1 : line - 8 === 2 ? 3 : line - 8 === 3 ? 5 : 6).toString(16)} flat.asm:${line}`,
        'start+0xa flat.asm:5',
      ]);
    assert.deepEqual(await run(client, 'stepOut'), ['start+0xa flat.asm:6']);
    session?.dispose();
    hypervisor = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: 64 << 20 }));
    const boot = assemble(
      'switch',
      [
        'org 0x7c00',
        'bits 16',
        'start:',
        '  cli',
        '  xor ax, ax',
        '  mov ds, ax',
        '  lgdt [gdtr]',
        '  mov eax, cr0',
        '  or al, 1',
        '  mov cr0, eax',
        '  jmp 8:protected',
        'bits 32',
        'protected:',
        '  mov ax, 16',
        '  mov ds, ax',
        '  mov ss, ax',
        '  mov esp, 0x7000',
        '  call leaf',
        '  hlt',
        'leaf:',
        '  mov ebx, 0x11223344',
        '  ret',
        'gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff',
        'gdtr: dw 23',
        '  dd gdt',
        'times 510-($-$$) db 0',
        'dw 0xaa55',
        '',
      ].join('\n'),
      '.img',
    );
    const second = await launch({ program: boot });
    await second.request('setBreakpoints', { source: { path: path('switch.asm') }, breakpoints: [{ line: 21 }] });
    assert.deepEqual(await run(second, 'continue'), ['leaf switch.asm:21', 'protected+0x12 switch.asm:18']);
    const { instructions } = await second.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
      memoryReference: '0x7c00',
      instructionCount: 2,
    });
    assert.match(instructions[1]?.instruction ?? '', /xor\s+ax/);
    const leaf = (await second.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames[0]
      ?.instructionPointerReference;
    const there = await second.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
      memoryReference: leaf,
      instructionOffset: -1,
      instructionCount: 2,
    });
    assert.match(there.instructions[1]?.instruction ?? '', /mov\s+ebx, ?0x11223344/);
    const result = await second.request<{ result: string }>('evaluate', { expression: 'info gdt', context: 'repl' });
    assert.match(result.result, /0008 {2}base 0x00000000, limit 0xffffffff, code 32-bit/);
  });

  it('places the listings of a linked ELF kernel by its symbols', async function () {
    const ld = join(dirname(requireTool(this, 'objdump')), 'ld');
    assemble(
      'kernel',
      [
        'section .text',
        'global _start',
        'extern helper',
        '_start:',
        '  mov esp, top',
        '  push 5',
        '  call square',
        '  call helper',
        '.halt: hlt',
        '  jmp .halt',
        'square:',
        '  push ebp',
        '  mov ebp, esp',
        '  mov eax, [ebp + 8]',
        '  imul eax, eax',
        '  pop ebp',
        '  ret',
        'section .bss',
        '  resb 4096',
        'top:',
        '',
      ].join('\n'),
      '.o',
      'elf32',
    );
    assemble('helper', ['global helper', 'helper:', '  nop', '  ret', ''].join('\n'), '.o', 'elf32');
    execFileSync(ld, ['-m', 'elf_i386', '-n', '-Ttext', '0x100000', '-o', path('kernel.elf'), path('kernel.o'), path('helper.o')], {
      stdio: 'pipe',
    });
    const client = await launch({ program: path('kernel.elf'), listing: [path('kernel.lst'), path('helper.lst')] });
    assert.deepEqual(await frames(client), ['_start kernel.asm:5']);
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'square' }] });
    await client.request('setBreakpoints', { source: { path: path('helper.asm') }, breakpoints: [{ line: 3 }] });
    assert.deepEqual(await run(client, 'continue'), ['square kernel.asm:12', '_start+0xc kernel.asm:7']);
    assert.deepEqual(await run(client, 'continue'), ['helper helper.asm:3', '_start+0x11 kernel.asm:8']);
    const { result } = await client.request<{ result: string }>('evaluate', { expression: 'eax', context: 'watch' });
    assert.equal(result, '0x00000019');
  });

  it('stops the example kernel at its page fault, with the code that caused it', async () => {
    const client = await launch({ program: join(root, 'examples/kernel/kernel.elf') });
    await client.request('setExceptionBreakpoints', { filters: ['pageFault'] });
    const names = (await run(client, 'continue')).map((frame) => frame.replace(/\+.*| .*/, ''));
    assert.deepEqual(names, ['kernelMain', '_start']);
    assert.match(String((await client.request('exceptionInfo', { threadId: 1 }))['description']), /#PF.*, address 0x400000$/);
    const { result } = await client.request<{ result: string }>('evaluate', { expression: 'info page 0x400000', context: 'repl' });
    assert.match(result, /^linear 0x00400000 is not mapped/);
    const idt = await client.request<{ result: string }>('evaluate', { expression: 'info idt', context: 'repl' });
    assert.match(idt.result, /\n0e {2}32-bit interrupt gate, DPL 0, to 0008:[0-9a-f]{8}/);
  });

  it('keeps a triple fault as a stop that tells the reason', async () => {
    const image = assemble(
      'fault',
      ['org 0x7c00', 'start:', '  lidt [idtr]', '  ud2', 'idtr: dw 0', '  dd 0', 'times 510-($-$$) db 0', 'dw 0xaa55', ''].join('\n'),
      '.img',
    );
    const client = await launch({ program: image });
    await client.request('setExceptionBreakpoints', { filters: ['tripleFault'] });
    await client.request('continue', { threadId: 1 });
    const stop = await client.event('stopped');
    assert.equal(stop['reason'], 'exception');
    const chain = [
      'Triple fault: #UD invalid opcode',
      '#GP general protection, error code 0x33',
      '#DF double fault, error code 0x0',
      '#GP general protection, error code 0x43',
    ];
    assert.deepEqual([stop['description'], stop['text']], ['Paused on triple fault', chain.join(', then ')]);
    assert.equal((await client.request('exceptionInfo', { threadId: 1 }))['description'], stop['text']);
    assert.deepEqual((await frames(client))[0], 'start+0x5 fault.asm:4');
    // The dead machine stays as it is when it is told to go on: no second, other stop comes first.
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('stopped'))['text'], stop['text']);
  });

  it('warns when the source is not what was listed', async () => {
    const image = assemble('stale', ['org 0x7c00', 'start: nop', 'times 510-($-$$) db 0', 'dw 0xaa55', ''].join('\n'), '.img');
    writeFileSync(path('stale.asm'), 'org 0x7c00\n; new line\nstart: nop\n');
    const client = await launch({ program: image });
    const warning = client.events.find((one) => one.event === 'output' && one.body.category === 'important');
    assert.match(String(warning?.body.output), /stale\.asm differs from its listing at line 2, 3/);
  });
});

describe('the debug adapter alone', () => {
  it('serves a session over standard input and output', async () => {
    const { spawn } = await import('node:child_process');
    const { MessageDecoder, encodeMessage } = await import('../../../extension/debug/framing.ts');
    const child = spawn(process.execPath, [join(root, 'extension/debug/standalone.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const decoder = new MessageDecoder();
    const client = new DapClient((message) => void child.stdin.write(encodeMessage(message)));
    child.stdout.on('data', (bytes: Buffer) => {
      for (const message of decoder.push(bytes)) client.receive(message as DebugProtocol.ProtocolMessage);
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      await client.start({ program: join(root, 'examples/hello.img'), stopOnEntry: true, paced: false });
      assert.equal((await client.event('stopped'))['reason'], 'entry');
      const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
      assert.equal(stackFrames[0]?.line, 14);
      await client.request('restart');
      assert.equal((await client.event('stopped'))['reason'], 'entry');
      await client.request('disconnect');
      child.stdin.end();
      assert.equal(await ended, 0);
    } finally {
      child.kill();
    }
  });
});
